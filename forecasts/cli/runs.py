"""The commands for scheduled runs: run, run status, run retry."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial
from typing import Annotated, Any

import typer
from typer import Option

from forecasts.agenda.notifications import sender
from forecasts.cli.console import now, on_terminal, print_json, print_line, when
from forecasts.cli.digests import send_due_digest
from forecasts.cli.notify import notify_members
from forecasts.cli.options import Database, JsonAlias, QuestionSlug, TextOrJson
from forecasts.cli.outputs import progress_bar
from forecasts.cli.root import group
from forecasts.cli.schedule import keep_on
from forecasts.cli.session import acting_on, ledger, reading_as, settings
from forecasts.common.errors import BadInput
from forecasts.common.settings import Settings
from forecasts.common.text import count
from forecasts.ledger.clock import ledger_clock, require_not_behind
from forecasts.ledger.database import reading, writing
from forecasts.ledger.models import RunState
from forecasts.operations.schedules import read_every
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
    dry: Annotated[
        bool, Option("--dry-run", help="Print the results without storing anything.")
    ] = False,
    only: Annotated[
        str | None, Option(metavar="KIND", help="Only questions with a resolver of this kind.")
    ] = None,
    limit: Annotated[
        int | None, Option(metavar="N", min=0, help="Check at most N questions.")
    ] = None,
    format_: TextOrJson = "text",
    as_json: JsonAlias = False,
    every: Annotated[
        str | None,
        Option(
            metavar="15m|6h|1d", help="Keep running at this interval until stopped, for containers."
        ),
    ] = None,
    database: Database = None,
) -> None:
    """Check due questions with their resolvers and resolve them.

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
        with progress_bar("run", "questions", shown=not as_json) as advance_to:

            def on_start(due: int) -> None:
                so_far.due = due
                advance_to(total=due)

            def on_result(result: Result) -> None:
                so_far.results.append(result)
                advance_to(advance=1)
                slug, state, message = result.slug, result.state, result.message
                if as_json:
                    looked = views.Looked(question=slug, state=state, message=message)
                    typer.echo(looked.model_dump_json())
                elif state != "not_yet":
                    print_line(f"{state.replace('_', ' ')}: {slug}: {message}")

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
        notify_members(engine, chosen)
        send_due_digest(engine, chosen)
        with writing(engine, now) as session:
            progress.record_run(session, now=started, every=every, by_hand=on_terminal())
    return bool(summary.waiting)


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
        if error is None:
            ended = views.RunSummary(**fields, waiting=summary.waiting)
        else:
            said = str(error) or type(error).__name__
            ended = views.FailedRun(**fields, waiting=None, error=said)
        typer.echo(ended.model_dump_json())
        return
    words = ", ".join(f"{counts[state]:,} {word}" for state, word in _COUNTED.items())
    print_line(f"{'Dry run, nothing was stored: ' if dry else ''}{words}")
    if summary.waiting:
        needs = "question needs" if summary.waiting == 1 else "questions need"
        print_line(
            f"{summary.waiting:,} {needs} a person: see the page Resolve, or forecasts run status."
        )


@run.command()
def status(
    limit: Annotated[int, Option(metavar="N", min=1, help="Print at most N of each list.")] = 20,
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
        asked = {question.slug: question for _, question in proposals.open_proposals(session)}
        disagreements = {
            slug: words
            for slug, question in asked.items()
            if (words := progress.disagreement(session, question))
        }
        disputed = [
            views.OpenDispute(slug=question.slug, reason=row.reason, since=row.recorded_at)
            for row, _, question in disputes.open_disputes(session)
        ]
        unsure = sender.undelivered(session, now=now)
    if as_json or format_ == "json":
        every = None if times is None else times.every
        print_json(
            views.RunStatus.of(
                found,
                proposed=proposed,
                disputed=disputed,
                disagreements=disagreements,
                notices_unsure=unsure,
                last_run=None if times is None else times.last,
                next_run=None if times is None else times.next,
                run_every_minutes=None if every is None else every // timedelta(minutes=1),
            )
        )
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
        for each in rows:
            print_line(f"  {when(each.since)}  {each.slug}: {getattr(each, field)}")
    if disagreements:
        print_line(f"\nDisagreements: {len(disagreements):,}")
    for slug, words in disagreements.items():
        print_line(f"  {slug}: {words}")
    print_line("\nDue next:" if found.next else "\nNothing is due.")
    for due in found.next:
        notes = f", failed attempts: {due.attempts}" if due.attempts else ""
        if due.claimed_until is not None and due.claimed_until > now:
            notes += f", claimed by a run until {when(due.claimed_until)}"
        print_line(f"  {when(due.at)}  {due.slug}{notes}")
    if found.checked:
        print_line("\nLatest checks:")
    for check in found.checked:
        print_line(f"  {when(check.at)}  {check.slug}: {check.message}")
    if found.done or not found.checked:
        print_line("\nRecent results:" if found.done else "\nNo results yet.")
    for done in found.done:
        print_line(f"  {when(done.at)}  {done.state}: {done.slug}: {done.message}")
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
