"""The commands that print schedules (cron, systemd, kubernetes), and the loop of run --every."""

from __future__ import annotations

import getpass
import shlex
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from threading import Event
from types import FrameType
from typing import Annotated, Any

import typer
from typer import Argument, Option

from forecasts.cli.console import ENDING, now, one_of, print_error, print_note, when
from forecasts.cli.options import CHOSEN, OnLedger
from forecasts.cli.root import group
from forecasts.cli.session import settings
from forecasts.common.errors import BadInput, DatabaseError
from forecasts.ledger.urls import holds_secrets, read_url
from forecasts.operations import schedules
from forecasts.operations.digests import default_file, require_server
from forecasts.operations.schedules import Installation

schedule = group(
    "schedule", help="Print the configuration for scheduled runs. See docs/scheduling.md."
)

DEFAULT_EVERY = "15m"
Every = Annotated[str, Option(metavar="15m|6h|1d", help="Interval; must divide an hour or a day.")]
User = Annotated[str | None, Option(metavar="NAME", help="The user that runs it. [default: you]")]
EnvironmentFile = Annotated[
    Path,
    Option(
        metavar="PATH",
        help="The file for secret settings, such as a URL with a password; they are never printed.",
    ),
]
_SECRETS = Path("/etc/forecasts/environment")


@schedule.command(cls=OnLedger)
def cron(every: Every = DEFAULT_EVERY, environment_file: EnvironmentFile = _SECRETS) -> None:
    """Print a crontab line, with instructions."""
    found = _installation(every, secrets=environment_file)
    typer.echo(schedules.cron(found, schedules.read_every(every)), nl=False)


@schedule.command(cls=OnLedger)
def systemd(
    part: Annotated[
        str, Argument(metavar="service|timer|both", help="The unit to print.")
    ] = "both",
    every: Every = DEFAULT_EVERY,
    user: User = None,
    environment_file: EnvironmentFile = _SECRETS,
) -> None:
    """Print a systemd service and timer, with instructions."""
    one_of("The unit", part, ("service", "timer", "both"))
    period = schedules.read_every(every)
    found = _installation(every, user=user, secrets=environment_file)
    units = {
        "service": schedules.systemd_service(found),
        "timer": schedules.systemd_timer(found, period),
    }
    typer.echo("\n".join(units.values()) if part == "both" else units[part], nl=False)


@schedule.command(cls=OnLedger)
def kubernetes(
    every: Every = DEFAULT_EVERY,
    image: Annotated[
        str | None,
        Option(metavar="IMAGE", help="The container image. [default: forecast-ledger:VERSION]"),
    ] = None,
) -> None:
    """Print a Kubernetes CronJob, with instructions."""
    import scoring  # loads pandas, which no run needs

    found = _installation(every, image=image, digest_file=False)
    manifest = schedules.kubernetes(
        found,
        schedules.read_every(every),
        image=image or f"forecast-ledger:{scoring.__version__}",
        in_a_file=read_url(settings().database_url).get_backend_name() == "sqlite",
    )
    typer.echo(manifest, nl=False)


def keep_on(run: Callable[[Callable[[], bool]], object], every: str) -> None:
    """Run now and at each interval until the process is stopped (SIGTERM, Ctrl+C).

    ``run`` gets a function that returns whether the process is being stopped, and finishes its
    current work first. If the ledger cannot be reached, the error is printed and the next run
    tries again; a ledger that does not exist raises on the first run, as its name is wrong.
    """
    period = schedules.read_every(every)
    stopping = Event()
    worked = False

    def once() -> None:
        nonlocal worked
        try:
            run(stopping.is_set)
            worked = True
        except DatabaseError as error:
            if error.exit_code != DatabaseError.exit_code and not worked:
                raise
            print_error(error)
            print_note(f"The next run is at {when(schedules.next_time(now(), period))}.")
        finally:
            ENDING.close()

    def stop(number: int, _frame: FrameType | None) -> None:
        stopping.set()
        signal.signal(number, before[number])  # a second signal ends the process at once

    before: dict[int, Any] = {
        number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)
    }
    for number in before:
        signal.signal(number, stop)
    try:
        schedules.repeat(once, every=period, now=now, stopped=stopping.wait)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    print_note("Stopped.")


def _installation(
    every: str,
    *,
    user: str | None = None,
    secrets: Path = _SECRETS,
    image: str | None = None,
    digest_file: bool = True,
) -> Installation:
    """Return the installation; ``digest_file``: digests go to a file unless set otherwise."""
    chosen = settings()
    is_secret = holds_secrets(chosen.database_url)
    given = {
        "--every": None if every == DEFAULT_EVERY else every,
        "--user": user,
        "--image": image,
        "--environment-file": None if secrets == _SECRETS else str(secrets),
        "--database": None if is_secret else CHOSEN["database_url"],
    }
    for words in (user or "", str(secrets)):
        if not words.isprintable():
            raise BadInput(f"{words!r} has characters that a unit cannot contain.")
    needed: dict[str, str | None] = {
        "FORECASTS_DATABASE_URL": None if is_secret else chosen.database_url
    }
    for name in ("commands_folder", "files_folder", "proofs_folder", "stamp_roots"):
        if (path := getattr(chosen, name)) is not None:
            needed[f"FORECASTS_{name.upper()}"] = str(path.absolute())
    if chosen.stamp_url is not None:
        needed["FORECASTS_STAMP_URL"] = chosen.stamp_url
    if chosen.digest_to is not None:
        target = chosen.digest_to.get_secret_value()
        require_server(target)
        needed["FORECASTS_DIGEST_TO"] = None if "://" in target else str(Path(target).absolute())
    elif digest_file:
        needed["FORECASTS_DIGEST_TO"] = str(default_file(chosen.database_url))
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
    """Return the path of this installation's command ``forecasts``."""
    beside = Path(sys.executable).with_name("forecasts")
    found = str(beside) if beside.is_file() else shutil.which("forecasts")
    if found is None:
        raise BadInput(
            "The command forecasts was not found on this machine.",
            remedy="Install forecast-ledger, and use the command of that installation.",
        )
    return found
