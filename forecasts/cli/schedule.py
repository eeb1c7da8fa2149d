"""The run by itself: schedule cron, systemd and kubernetes print units; ``run --every`` stays."""

from __future__ import annotations

import shlex
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from threading import Event
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Any

import typer

from forecasts.cli.console import (
    Database,
    close_ledgers,
    complain,
    messages,
    now,
    one_of,
    settings,
)
from forecasts.cli.root import app
from forecasts.common.errors import BadInput, DatabaseError

if TYPE_CHECKING:
    from forecasts.common.settings import Settings
    from forecasts.operations.schedules import Installation

schedule = typer.Typer(
    name="schedule",
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Print what lets forecasts run run by itself on this installation (docs/scheduling.md).",
)
app.add_typer(schedule)

Every = Annotated[
    str,
    typer.Option(
        "--every",
        metavar="15m|6h|1d",
        help="How often: a part of an hour or of a day.",
    ),
]
User = Annotated[
    str | None,
    typer.Option("--user", metavar="NAME", help="As whom it runs. [default: you]"),
]
EnvironmentFile = Annotated[
    Path,
    typer.Option(
        "--environment-file",
        metavar="PATH",
        help="Where what is secret stands, such as a URL with a password: it is never printed.",
    ),
]
_SECRETS = Path("/etc/forecasts/environment")


@schedule.command()
def cron(
    every: Every = "15m",
    environment_file: EnvironmentFile = _SECRETS,
    database: Database = None,
) -> None:
    """Print a line for your crontab, how to install it, and how to see that it works."""
    from forecasts.operations import schedules

    found = _installation(settings(database), None, environment_file, {})
    typer.echo(schedules.cron(found, schedules.read_every(every)), nl=False)


@schedule.command()
def systemd(
    part: Annotated[
        str, typer.Argument(metavar="[service|timer|both]", help="Which of the two units.")
    ] = "both",
    every: Every = "15m",
    user: User = None,
    environment_file: EnvironmentFile = _SECRETS,
    database: Database = None,
) -> None:
    """Print a systemd service and its timer, how to install them, how to see that they work."""
    from forecasts.operations import schedules

    one_of("The unit", part, ("service", "timer", "both"))
    period = schedules.read_every(every)
    chosen = settings(database)
    given = {
        "--every": None if every == "15m" else every,
        "--user": user,
        "--environment-file": None if environment_file == _SECRETS else str(environment_file),
        "--database": _shown(database, chosen),
    }
    found = _installation(chosen, user, environment_file, given)
    units = {
        "service": schedules.systemd_service(found),
        "timer": schedules.systemd_timer(found, period),
    }
    typer.echo("\n".join(units.values()) if part == "both" else units[part], nl=False)


@schedule.command()
def kubernetes(
    every: Every = "15m",
    image: Annotated[
        str | None,
        typer.Option(
            "--image", metavar="IMAGE", help="The image. [default: forecast-ledger:VERSION]"
        ),
    ] = None,
    database: Database = None,
) -> None:
    """Print the manifest of a CronJob, how to install it, and how to see that it works."""
    import scoring
    from forecasts.ledger.urls import read_url
    from forecasts.operations import schedules

    chosen = settings(database)
    given = {
        "--every": None if every == "15m" else every,
        "--image": image,
        "--database": _shown(database, chosen),
    }
    found = _installation(chosen, None, _SECRETS, given)
    in_a_file = read_url(chosen.database_url).get_backend_name() == "sqlite"
    if in_a_file:
        found = found.without("FORECASTS_DATABASE_URL")
    manifest = schedules.kubernetes(
        found,
        schedules.read_every(every),
        image=image or f"forecast-ledger:{scoring.__version__}",
        in_a_file=in_a_file,
    )
    typer.echo(manifest, nl=False)


def _shown(database: str | None, chosen: Settings) -> str | None:
    """Return what was given as the database, where it may be printed."""
    from forecasts.ledger.urls import holds_secrets

    return None if database is None or holds_secrets(chosen.database_url) else database


def keep_on(run: Callable[[Callable[[], bool]], object], every: str) -> None:
    """Run now and every so often, until the process is told to end (SIGTERM, Ctrl+C).

    ``run`` gets a function that says whether it is, and ends when it has done what it is at. A
    ledger that is away is said, and looked for at the next time; one that cannot be opened at all
    the first time, as it was named wrongly, is raised.
    """
    from forecasts.common.times import to_minute
    from forecasts.operations import schedules

    period = schedules.read_every(every)
    ending = Event()
    worked = False

    def once() -> None:
        nonlocal worked
        try:
            run(ending.is_set)
            worked = True
        except DatabaseError as error:
            if error.exit_code != DatabaseError.exit_code and not worked:
                raise
            complain(error)
            again = to_minute(schedules.next_time(now(), period))
            messages().print(f"The next run is at {again}.")
        finally:
            close_ledgers()

    def end(number: int, _frame: FrameType | None) -> None:
        ending.set()
        signal.signal(number, before[number])  # told so again, it ends at once

    before: dict[int, Any] = {
        number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)
    }
    for number in before:
        signal.signal(number, end)
    try:
        schedules.keep_on(once, every=period, now=now, stopped=ending.wait)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    messages().print("Stopped.")


def _installation(
    chosen: Settings, user: str | None, secrets: Path, given: dict[str, str | None]
) -> Installation:
    import getpass

    from forecasts.ledger.urls import holds_secrets
    from forecasts.operations.schedules import Installation

    for words in (user or "", str(secrets)):
        if not words.isprintable():
            raise BadInput(f"{words!r} has signs in it that no unit can have.")
    needed: dict[str, str | None] = {
        "FORECASTS_DATABASE_URL": (
            None if holds_secrets(chosen.database_url) else chosen.database_url
        )
    }
    if chosen.commands_folder is not None:
        needed["FORECASTS_COMMANDS_FOLDER"] = str(chosen.commands_folder.absolute())
    if chosen.files_folder is not None:
        needed["FORECASTS_FILES_FOLDER"] = str(chosen.files_folder.absolute())
    if chosen.allow_private_addresses:
        needed["FORECASTS_ALLOW_PRIVATE_ADDRESSES"] = "true"
    options = "".join(f" {name} {shlex.quote(value)}" for name, value in given.items() if value)
    return Installation(
        command=(_command(), "run"),
        user=user or getpass.getuser(),
        settings=needed,
        secrets=str(secrets.absolute()),
        given=options,
    )


def _command() -> str:
    """Return the path of the command ``forecasts`` of this installation."""
    beside = Path(sys.executable).with_name("forecasts")
    found = str(beside) if beside.is_file() else shutil.which("forecasts")
    if found is None:
        raise BadInput(
            "The command forecasts was not found on this machine.",
            remedy="Install forecast-ledger, and ask that installation.",
        )
    return found
