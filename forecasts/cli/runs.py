"""The scheduled run and what there is to say of it: run, run status, run retry."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from forecasts.cli.console import (
    Database,
    Member,
    QuestionSlug,
    acting,
    json_text,
    ledger,
    messages,
    now,
    out,
    plain,
    reading_as,
    settings,
)
from forecasts.cli.root import app
from forecasts.common.errors import BadInput
from forecasts.common.times import iso, to_minute

if TYPE_CHECKING:
    from forecasts.common.settings import Settings
    from forecasts.resolution.runs.record import Looked
    from forecasts.resolution.runs.run import Summary

run = typer.Typer(
    name="run",
    invoke_without_command=True,
    rich_markup_mode=None,
    help="Resolve what is due by the resolvers that the questions carry. Safe to run twice, and "
    "side by side. Exit code 0: all is well; 3: something needs a person; 1: the run failed.",
)
app.add_typer(run)
# The states that a run counts, in the order in which it says them.
_COUNTED = {
    "confirmed": "resolved",
    "proposed": "proposed",
    "not_yet": "not known yet",
    "failed": "failed",
    "parked": "parked",
}


@run.callback()
def run_(
    context: typer.Context,
    dry: Annotated[
        bool, typer.Option("--dry-run", help="Look, and say what would be done; write nothing.")
    ] = False,
    only: Annotated[
        str | None,
        typer.Option("--only", metavar="KIND", help="Only questions with a resolver of this kind."),
    ] = None,
    limit: Annotated[
        int | None, typer.Option("--limit", metavar="N", min=0, help="At most so many questions.")
    ] = None,
    as_json: Annotated[
        bool,
        typer.Option("--json", help="One JSON object a line for each event, the summary last."),
    ] = False,
    every: Annotated[
        str | None,
        typer.Option(
            "--every",
            metavar="15m|6h|1d",
            help="Stay, and run again and again until told to end; for containers.",
        ),
    ] = None,
    database: Database = None,
) -> None:
    """Resolve what is due by the resolvers that the questions carry, then tell members.

    Safe to run twice, and side by side. Exit code 0: all is well; 3: something needs a person (see
    forecasts run status); 1: the run itself failed.
    """
    if context.invoked_subcommand is not None:
        _require_nothing_before(context)
        return
    chosen = settings(database)

    def once(stop: Callable[[], bool] = lambda: False) -> bool:
        return _run(chosen, stop, dry=dry, only=only, limit=limit, as_json=as_json)

    if every is not None:
        from forecasts.cli.schedule import keep_on

        keep_on(once, every)
    elif once():
        raise typer.Exit(3)


def _run(
    chosen: Settings,
    stop: Callable[[], bool],
    *,
    dry: bool,
    only: str | None,
    limit: int | None,
    as_json: bool,
) -> bool:
    """Return whether something needs a person, once what is due was looked up."""
    from forecasts.cli.notify import tell as tell_members
    from forecasts.resolution.runs import run as resolution_run

    so_far = resolution_run.Summary()
    try:
        engine = ledger(chosen, left_as_it_is=dry)
        with _bar(shown=not as_json) as (show, advance):

            def expect(count: int) -> None:
                so_far.due = count
                show(count)

            def tell(looked: Looked) -> None:
                so_far.looked.append(looked)
                advance()
                if as_json or looked.state != "not_yet":
                    _say(looked, as_json=as_json)

            summary = resolution_run.run(
                engine,
                now=now(),
                clock=now,
                dry=dry,
                only=only,
                limit=limit,
                tell=tell,
                expect=expect,
                stop=stop,
                allow_private=chosen.allow_private_addresses,
            )
    except Exception as error:
        if as_json:  # whoever reads it waits for a last line
            _say_summary(so_far, as_json=True, dry=dry, error=error)
        raise
    _say_summary(summary, as_json=as_json, dry=dry)
    if not dry:
        tell_members(engine, chosen)
    return bool(summary.waiting)


def _require_nothing_before(context: typer.Context) -> None:
    """Refuse options of the run before another command: they would mean nothing to it."""
    given = [name for name, value in context.params.items() if value not in (None, False)]
    if given:
        raise BadInput(
            f"forecasts run {context.invoked_subcommand} has options of its own.",
            remedy="Write them behind it.",
        )


@contextmanager
def _bar(*, shown: bool) -> Iterator[tuple[Any, Any]]:
    """Yield what hears how many there are, and what hears that one is done."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    console = messages()
    with Progress(
        TextColumn("run"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("questions"),
        console=console,
        disable=not (shown and console.is_terminal),
        transient=True,
        redirect_stdout=sys.stdout.isatty(),
    ) as progress:
        bar = progress.add_task("", total=None)
        yield lambda count: progress.update(bar, total=count), lambda: progress.advance(bar)


def _say(looked: Looked, *, as_json: bool) -> None:
    if as_json:
        said = {"question": looked.slug, "state": looked.state, "message": looked.message}
        typer.echo(json.dumps({"event": "looked", **said}))
        return
    out().print(plain(f"{looked.state.replace('_', ' ')}: {looked.slug}: {looked.message}"))


def _say_summary(
    summary: Summary, *, as_json: bool, dry: bool, error: Exception | None = None
) -> None:
    from forecasts.ledger.models import RunState

    counts = {state: summary.count(RunState(state)) for state in _COUNTED}
    if as_json:
        said: dict[str, Any] = {"due": summary.due, **counts, "waiting": summary.waiting}
        said["dry_run"] = dry
        if error is not None:
            said |= {"waiting": None, "error": str(error) or type(error).__name__}
        typer.echo(json.dumps({"event": "summary", **said}))
        return
    words = ", ".join(f"{counts[state]:,} {word}" for state, word in _COUNTED.items())
    out().print(f"{'Nothing was written. It would be: ' if dry else ''}{words}")
    if summary.waiting:
        needs = "question needs" if summary.waiting == 1 else "questions need"
        out().print(f"{summary.waiting:,} {needs} a person: see the page Resolve, and run status.")


@run.command()
def status(
    limit: Annotated[
        int, typer.Option("--limit", metavar="N", min=1, help="So many of each list.")
    ] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
    database: Database = None,
    member: Member = None,
) -> None:
    """Say what waits for people, what the runs have done last, and what is due next.

    What waits: what is parked and why, outcomes that are proposed, and disputes. And how
    many notices to members may not have arrived.
    """
    from dataclasses import asdict

    from forecasts.agenda.notifications import outbox
    from forecasts.resolution import assignments, disputes, resolutions

    with reading_as(settings(database, member)) as (session, _):
        found = assignments.progress(session, limit=limit)
        proposed: list[dict[str, Any]] = [
            {"slug": question.slug, "outcome": row.outcome, "since": row.recorded_at}
            for row, question in resolutions.open_proposals(session)
        ]
        disputed: list[dict[str, Any]] = [
            {"slug": question.slug, "reason": row.reason, "since": row.recorded_at}
            for row, _, question in disputes.open_disputes(session)
        ]
        unsure = outbox.unsure(session, now=now())
    if as_json:
        more = {"proposed": proposed, "disputed": disputed, "notices_unsure": unsure}
        typer.echo(json_text(_with_times(asdict(found) | more)), nl=False)
        return
    console = out()
    console.print(f"{found.watched:,} watched by a resolver and not resolved")
    console.print(f"\nParked, until forecasts run retry QUESTION: {len(found.parked):,}")
    for one in found.parked:
        console.print(plain(f"  {to_minute(one.since)}  {one.slug}: {one.reason}"))
    for title, waits, what in (
        ("Proposed, until somebody decides", proposed, "outcome"),
        ("Disputed, until somebody decides", disputed, "reason"),
    ):
        console.print(f"\n{title}: {len(waits):,}")
        for each in waits:
            console.print(plain(f"  {to_minute(each['since'])}  {each['slug']}: {each[what]}"))
    console.print("\nDue next:" if found.next else "\nNothing is due.")
    for due in found.next:
        after = f", after {due.attempts} that failed" if due.attempts else ""
        console.print(plain(f"  {to_minute(due.at)}  {due.slug}{after}"))
    console.print("\nDone last:" if found.done else "\nNothing was done yet.")
    for done in found.done:
        console.print(plain(f"  {to_minute(done.at)}  {done.state}: {done.slug}: {done.message}"))
    if unsure:
        console.print(
            f"\n{unsure:,} {'notice' if unsure == 1 else 'notices'} may not have arrived, or were "
            "given up: whose they are sees them with forecasts notify list."
        )


def _with_times(value: Any) -> Any:
    from datetime import datetime

    if isinstance(value, dict):
        return {name: _with_times(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_with_times(item) for item in value]
    return iso(value) if isinstance(value, datetime) else value


@run.command()
def retry(question: QuestionSlug, database: Database = None, member: Member = None) -> None:
    """Let the next run look at a question again that was parked, or waits to be tried again."""
    from forecasts.ledger.database import writing
    from forecasts.questions import registry
    from forecasts.resolution import assignments

    chosen, moment = settings(database, member), now()
    with writing(ledger(chosen)) as session:
        who = acting(session, chosen, now=moment)
        assignments.retry(session, registry.find(session, question), member=who, now=moment)
    out().print(plain(f"{question}: the next run looks at it again"))
