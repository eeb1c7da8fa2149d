"""The commands for scheduled runs: run, run status, run retry, and schedule, which prints them.

The app and the API start runs too, as long as they are served (``running_meanwhile``).
"""

from __future__ import annotations

import getpass
import logging
import shlex
import shutil
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from threading import Event, Thread
from types import FrameType
from typing import Annotated, Any

import typer
from sqlalchemy import Engine

from forecasts.agenda.notifications import sender
from forecasts.cli.console import ENDING, now, on_terminal, one_of, when
from forecasts.cli.digests import send_due_digest
from forecasts.cli.feeds import read_feeds
from forecasts.cli.notify import notify_members
from forecasts.cli.options import (
    CHOSEN,
    Database,
    JsonAlias,
    OnLedger,
    QuestionSlug,
    TextOrJson,
    argument,
    flag,
    option,
)
from forecasts.cli.outputs import emit, progress_bar, require_file
from forecasts.cli.printing import print_error, print_line, print_lines, print_note, printed_json
from forecasts.cli.root import group
from forecasts.cli.session import acting_on, ledger, reading_as, settings
from forecasts.common.errors import BadInput, DatabaseError, LedgerError
from forecasts.common.settings import Settings, data_folder
from forecasts.common.text import count
from forecasts.ledger import schema
from forecasts.ledger.clock import act_time, ledger_clock, require_not_behind
from forecasts.ledger.database import reading, writing
from forecasts.ledger.models import RunState
from forecasts.ledger.urls import holds_secrets, named_file, read_url
from forecasts.news import matches
from forecasts.operations import digests, health, schedules
from forecasts.operations.schedules import DEFAULT_EVERY, OWN_EVERY, read_every
from forecasts.resolution import assignments, disputes, progress, proposals
from forecasts.resolution.progress import interval_in_words, run_times
from forecasts.resolution.runs import run as resolution_run
from forecasts.resolution.runs.attempt import Result
from forecasts.resolution.runs.run import Summary
from forecasts.views import runs as views

run = group("run", invoke_without_command=True, no_args_is_help=False)
# The states that a run counts, in the order in which they are printed.
_COUNTED = {
    "confirmed": "resolved",
    "proposed": "proposed",
    "not_yet": "not known yet",
    "failed": "failed",
    "parked": "parked",
}
CLAIMS_SHOWN = 5


@run.callback()
def run_(
    context: typer.Context,
    dry: Annotated[bool, flag("--dry-run", "Print the results without storing anything.")] = False,
    only: Annotated[
        str | None, option("KIND", "Only questions with a resolver of this kind.")
    ] = None,
    limit: Annotated[int | None, option("N", "Check at most N questions.", min=0)] = None,
    format_: TextOrJson = "text",
    as_json: JsonAlias = False,
    every: Annotated[
        str | None,
        option("15m|6h|1d", "Keep running at this interval until stopped, for containers."),
    ] = None,
    database: Database = None,
) -> None:
    """Resolve due questions with their resolvers, and read due feeds.

    Members are notified at the end, and the day's digest is sent. Safe to repeat, and to run in
    parallel. Exit code 0: all is well; 3: something needs a person (see forecasts run status); 1:
    the run failed. JSON is one object per line: each question's result, then the summary.
    """
    if context.invoked_subcommand is not None:
        if any(value not in (None, False, "text") for value in context.params.values()):
            raise BadInput(
                f"forecasts run {context.invoked_subcommand} has options of its own.",
                remedy=f"Put them after {context.invoked_subcommand}.",
            )
        return
    as_json = as_json or format_ == "json"
    once = partial(
        _run, settings(database_url=database), dry=dry, only=only, limit=limit, as_json=as_json
    )
    if every is not None:
        keep_on(partial(once, every=read_every(every)), every)
    elif once():
        raise typer.Exit(3)


def _run(
    chosen: Settings,
    stop: Callable[[], bool] = lambda: False,
    *,
    dry: bool,
    only: str | None,
    limit: int | None,
    as_json: bool,
    every: timedelta | None = None,
) -> bool:
    """Return whether something needs a person, after one run."""
    so_far = resolution_run.Summary()
    try:
        engine = ledger(chosen, migrate=not dry)
        clock = ledger_clock(engine, now)
        started = clock()
        with reading(engine) as session:
            require_not_behind(session, started)
        with progress_bar("run", "questions", shown=not as_json) as show:

            def on_start(due: int) -> None:
                so_far.due = due
                show(0, due)

            def on_result(result: Result) -> None:
                so_far.results.append(result)
                show(len(so_far.results))
                if as_json:
                    looked = views.Looked(
                        question=result.slug, state=result.state, message=result.message
                    )
                    typer.echo(looked.model_dump_json())
                elif result.state != "not_yet":
                    print_line(_in_words(result))

            summary = resolution_run.run(
                engine,
                now=started,
                clock=clock,
                dry=dry,
                only=only,
                limit=limit,
                on_start=on_start,
                on_result=on_result,
                stop=stop,
                allow_private=chosen.allow_private_addresses,
            )
    except Exception as error:
        if as_json:  # a reader expects a last line
            _print_summary(so_far, as_json=True, dry=dry, error=error)
        raise
    _print_summary(summary, as_json=as_json, dry=dry)
    if not dry:
        if only is None:
            read_feeds(engine, chosen, started, clock, stop, shown=not as_json)
        matches.catch_up_apart(engine, clock=clock, now=started)
        _tell(engine, chosen, stop)
        with writing(engine, now) as session:
            progress.record_run(session, now=started, every=every, by_hand=on_terminal())
    return bool(summary.waiting)


def _in_words(result: Result) -> str:
    return f"{result.state.replace('_', ' ')}: {result.slug}: {result.message}"


def _tell(engine: Engine, chosen: Settings, stop: Callable[[], bool]) -> None:
    """Send the notifications and the digest that are due after a run, unless it was stopped.

    And print how the database's protection of history is weakened, if it is.
    """
    notify_members(engine, chosen, stop)
    if not stop():
        send_due_digest(engine, chosen)
        with reading(engine) as session:
            found = health.protection(session.connection())
        if not found.passed:
            print_note(f"{found.result} {found.remedy}")


def _print_summary(
    summary: Summary, *, as_json: bool, dry: bool, error: Exception | None = None
) -> None:

    for slug, until in summary.claimed[: None if as_json else CLAIMS_SHOWN]:
        if as_json:
            typer.echo(views.Claimed(question=slug, until=until).model_dump_json())
        else:
            print_line(f"{slug}: claimed by a run until {when(until)}")
    if not as_json and (more := len(summary.claimed) - CLAIMS_SHOWN) > 0:
        print_line(f"Other questions claimed by a run: {more:,}")
    counts = {state: summary.count(RunState(state)) for state in _COUNTED}
    if as_json:
        fields: dict[str, Any] = {"due": summary.due, **counts, "dry_run": dry}
        fields["left_to_others"] = summary.left_to_others
        if error is None:
            ended = views.RunSummary(**fields, waiting=summary.waiting)
        else:
            said = str(error) or type(error).__name__
            ended = views.FailedRun(**fields, waiting=None, error=said)
        typer.echo(ended.model_dump_json())
        return
    words = ", ".join(f"{counts[state]:,} {word}" for state, word in _COUNTED.items())
    print_line(f"{'Dry run, nothing was stored: ' if dry else ''}{words}")
    for reason, many in summary.left_to_others.items():
        print_line(f"Left to another run: {count(many, 'resolver')} ({reason} here)")
    if summary.waiting:
        needs = count(summary.waiting, "question needs", "questions need")
        print_line(f"{needs} a person: see the page Resolve, or forecasts run status.")


@run.command()
def status(
    limit: Annotated[int, option("N", "Print at most N of each list.", min=1)] = 20,
    format_: TextOrJson = "text",
    as_json: JsonAlias = False,
) -> None:
    """Show questions that need a person, results and due questions.

    Questions need a person if they are parked, have a proposed outcome, or are disputed.
    """
    with reading_as() as (session, _, now):
        times = run_times(session)
        found = progress.progress(session, limit=limit)
        proposed = [
            views.OpenProposal(slug=question.slug, outcome=row.outcome, since=row.recorded_at)
            for row, question in proposals.open_proposals(session)
        ]
        disagreements = {
            question.slug: words
            for _, question in proposals.open_proposals(session)
            if (words := progress.disagreement(session, question))
        }
        disputed = [
            views.OpenDispute(slug=question.slug, reason=row.reason, since=row.recorded_at)
            for row, _, question in disputes.open_disputes(session)
        ]
        unsure = sender.undelivered(session, now=now)
    every = None if times is None else times.every
    document = views.RunStatus.of(
        found,
        proposed=proposed,
        disputed=disputed,
        disagreements=disagreements,
        notices_unsure=unsure,
        last_run=None if times is None else times.last,
        next_run=None if times is None else times.next,
        run_every_minutes=None if every is None else every // timedelta(minutes=1),
    )
    if printed_json("json" if as_json else format_, document):
        return
    if times is None:
        print_line("No run yet. To schedule runs, see: forecasts schedule --help")
    elif times.every is None or times.next is None:
        print_line(f"Last run: {when(times.last)}")
    else:
        print_line(
            f"Last run: {when(times.last)}, {interval_in_words(times.every)}, next about "
            f"{when(times.next)}"
        )
        if times.is_overdue(now):
            print_line("The next run is overdue: check its schedule and log (docs/scheduling.md).")
    print_line(f"Unresolved questions with a resolver: {found.watched:,}")
    waiting: tuple[tuple[str, Sequence[Any], str], ...] = (
        ("Parked, until forecasts run retry QUESTION", found.parked, "reason"),
        ("Proposed, awaiting a decision", proposed, "outcome"),
        ("Disputed, awaiting a decision", disputed, "reason"),
    )
    for title, rows, field in waiting:
        print_line(f"\n{title}: {len(rows):,}")
        print_lines(f"  {when(one.since)}  {one.slug}: {getattr(one, field)}" for one in rows)
    if disagreements:
        print_line(f"\nDisagreements: {len(disagreements):,}")
        print_lines(f"  {slug}: {words}" for slug, words in disagreements.items())
    print_line("\nDue next:" if found.next else "\nNothing is due.")
    for due in found.next:
        notes = f", failed attempts: {due.attempts}" if due.attempts else ""
        if due.claimed_until is not None and due.claimed_until > now:
            notes += f", claimed by a run until {when(due.claimed_until)}"
        print_line(f"  {when(due.at)}  {due.slug}{notes}")
    if found.checked:
        print_line("\nLatest checks:")
        print_lines(f"  {when(one.at)}  {one.slug}: {one.message}" for one in found.checked)
    if found.done or not found.checked:
        print_line("\nRecent results:" if found.done else "\nNo results yet.")
        print_lines(
            f"  {when(one.at)}  {one.state}: {one.slug}: {one.message}" for one in found.done
        )
    if unsure:
        print_line(
            f"\n{count(unsure, 'notice')} may not have arrived, or were "
            "given up. Their recipients see them with: forecasts notify list"
        )


@run.command()
def retry(question: QuestionSlug) -> None:
    """Check a parked or failed question again in the next run."""
    with acting_on(question) as (session, found, who, now):
        assignments.retry(session, found, member=who, now=now)
    print_line(f"{question}: the next run checks it again")


schedule = group(
    "schedule", help="Print the configuration for scheduled runs. See docs/scheduling.md."
)

Every = Annotated[str, option("15m|6h|1d", "Interval; must divide an hour or a day.")]
User = Annotated[str | None, option("NAME", "The user that runs it. [default: you]")]
EnvironmentFile = Annotated[
    Path,
    option(
        "PATH",
        "The file for secret settings, such as a URL with a password; they are never printed.",
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
        str,
        argument(
            "service|timer|app|api|both", "The unit to print. both: the service and the timer."
        ),
    ] = "both",
    app: Annotated[bool, flag("--app", "Also make a unit that serves the app.")] = False,
    api: Annotated[bool, flag("--api", "Also make a unit that serves the API.")] = False,
    name: Annotated[
        list[str] | None, option("HOST", "A host name of the API; repeat for more.")
    ] = None,
    every: Every = DEFAULT_EVERY,
    user: User = None,
    environment_file: EnvironmentFile = _SECRETS,
    to: Annotated[
        Path | None, option("FOLDER", "Write the units into this folder. [default: print them]")
    ] = None,
) -> None:
    """Print or write systemd units, with instructions."""
    one_of("The unit", part, ("service", "timer", "app", "api", "both"))
    period = schedules.read_every(every)
    found = _installation(every, user=user, secrets=environment_file, sandboxed=True)
    names = [word for host in name or () for word in ("--name", host)]
    named = replace(found, given=f"{found.given} {shlex.join(names)}".rstrip())
    units = {
        "service": partial(schedules.systemd_service, found),
        "timer": partial(schedules.systemd_timer, found, period),
        "app": partial(schedules.systemd_server, found, "app", "--no-open"),
        "api": partial(schedules.systemd_server, named, "api", *names),
    }
    both = ("service", "timer", *(["app"] if app else ()), *(["api"] if api else ()))
    texts = {one: units[one]() for one in (both if part == "both" else (part,))}
    if to is None:
        typer.echo("\n".join(texts.values()), nl=False)
        return
    for one, unit in texts.items():
        require_file(to / schedules.file_of(one))
        emit(unit, to / schedules.file_of(one))
        print_line(str(to / schedules.file_of(one)))


@schedule.command(cls=OnLedger)
def kubernetes(
    every: Every = DEFAULT_EVERY,
    image: Annotated[
        str | None, option("IMAGE", "The container image. [default: forecast-ledger:VERSION]")
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

    with set_by_signals(stopping):
        schedules.repeat(once, every=period, now=now, stopped=stopping.wait)
    print_note("Stopped.")


@contextmanager
def set_by_signals(stopping: Event) -> Iterator[None]:
    """Let SIGTERM and Ctrl+C set the event; a second one ends the process at once."""

    def stop(number: int, _frame: FrameType | None) -> None:
        stopping.set()
        signal.signal(number, before[number])

    before: dict[int, Any] = {
        number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)
    }
    for number in before:
        signal.signal(number, stop)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


FIRST_AFTER = 10.0  # seconds from the start of a server, which has more to do then
_SOON = 1.0  # seconds in which a run usually stops


@contextmanager
def running_meanwhile(engine: Engine, chosen: Settings) -> Iterator[Event]:
    """Start runs in a thread, at the interval ``run_every`` if it is set, until the block ends.

    A run in progress then stops after its current question or message; the event that is yielded
    stops it before. An error ends only its run: it is printed, and the next run tries again.
    """
    stopping = Event()
    if chosen.run_every is None:
        yield stopping
        return
    every = read_every(chosen.run_every, OWN_EVERY)
    thread = Thread(target=_start_runs, args=(engine, chosen, every, stopping), daemon=True)
    thread.start()
    try:
        yield stopping
    finally:
        stopping.set()
        thread.join(_SOON)
        if thread.is_alive():
            print_note("The run ends after this question or message (Ctrl+C ends it at once).")
            thread.join()


def _start_runs(engine: Engine, chosen: Settings, every: timedelta, stopping: Event) -> None:
    told = ""  # the newest error, which an outage repeats

    def once() -> None:
        nonlocal told
        try:
            _run_if_due(engine, chosen, every, stopping.is_set)
            told = ""
        except LedgerError as error:
            if error.message != told:
                told = error.message
                print_note(f"A run failed; the next is at {when(_next(every))}.")
                print_error(error)
        except Exception:
            logging.getLogger(__name__).exception("A run failed; the next is at %s.", _next(every))

    if not stopping.wait(min(every.total_seconds(), FIRST_AFTER)):
        schedules.repeat(once, every=every, now=now, stopped=stopping.wait)


def _next(every: timedelta) -> datetime:
    return schedules.next_time(now(), every)


def _run_if_due(
    engine: Engine, chosen: Settings, every: timedelta, stop: Callable[[], bool]
) -> None:
    """Run as ``forecasts run`` does, unless a run has begun since the schedule's newest time."""

    def on_result(result: Result) -> None:
        if result.state != "not_yet":
            print_note(_in_words(result))

    schema.require_ready(engine)
    with writing(engine, now) as session:
        started = act_time(session)
        since = schedules.next_time(started, every) - every
        begun = progress.begin_run(session, now=started, every=every, since=since)
    if begun is None:
        return
    is_whole = False
    try:
        resolution_run.run(
            engine,
            now=started,
            clock=ledger_clock(engine, now),
            on_result=on_result,
            stop=stop,
            allow_private=chosen.allow_private_addresses,
        )
        _tell(engine, chosen, stop)
        is_whole = not stop()
    finally:
        if not is_whole:  # the rest of it is due at the next start
            with suppress(LedgerError), writing(engine, now) as session:
                progress.forget_run(session, begun)


def _installation(
    every: str,
    *,
    user: str | None = None,
    secrets: Path = _SECRETS,
    image: str | None = None,
    digest_file: bool = True,
    sandboxed: bool = False,
) -> schedules.Installation:
    """Return the installation.

    ``digest_file``: digests go to a file unless set otherwise. ``sandboxed``: it may write only to
    the folders that it names; another user's data folder is ``STATE``.
    """
    chosen = settings()
    state = sandboxed and user not in (None, getpass.getuser())
    data = Path(schedules.STATE) if state else data_folder()
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
    needed: dict[str, str | None] = {"database_url": None if is_secret else chosen.database_url}
    for name in ("commands_folder", "files_folder", "proofs_folder", "stamp_roots"):
        if (path := getattr(chosen, name)) is not None:
            needed[name] = str(path.absolute())
    if chosen.stamp_url is not None:
        needed["stamp_url"] = chosen.stamp_url
    if chosen.digest_to is not None:
        target = chosen.digest_to.get_secret_value()
        digests.require_server(target)
        needed["digest_to"] = None if "://" in target else str(Path(target).absolute())
    elif digest_file:
        needed["digest_to"] = str(digests.default_file(chosen.database_url, data))
    if chosen.allow_private_addresses:
        needed["allow_private_addresses"] = "true"
    options = "".join(f" {name} {shlex.quote(value)}" for name, value in given.items() if value)
    file = named_file(read_url(chosen.database_url))
    digest = needed.get("digest_to")
    written = [file, Path(digest) if digest else None]
    folders = [str(one.parent) for one in written if one is not None]
    return schedules.Installation(
        command=(_command(), "run"),
        user=user or getpass.getuser(),
        settings={f"FORECASTS_{name.upper()}": value for name, value in needed.items()},
        secrets=str(secrets.absolute()),
        given=options,
        writes=tuple(sorted({str(data), needed.get("proofs_folder") or str(data), *folders})),
        state=state,
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
