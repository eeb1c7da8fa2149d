"""The commands that read questions: questions, show."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table
from typer import Option

from forecasts.cli.console import one_of, out, print_line
from forecasts.cli.options import Database, Member, QuestionSlug
from forecasts.cli.root import app
from forecasts.cli.session import reading_as
from forecasts.common.text import printable
from forecasts.common.times import to_minute

if TYPE_CHECKING:
    from sqlmodel import Session

    from forecasts.ledger.models import QuestionRevision, QuestionText
    from forecasts.questions.standing import QuestionState
    from forecasts.scores.stored_scores import ForecasterScore


@app.command()
def questions(
    status: Annotated[
        str | None,
        Option(
            metavar="NAME",
            help="Filter by status: upcoming, open, awaiting (a resolution), proposed (an "
            "outcome), resolved, annulled or ambiguous.",
        ),
    ] = None,
    tag: Annotated[str | None, Option(help="Filter by tag.")] = None,
    database: Database = None,
    member: Member = None,
) -> None:
    """List questions, soonest close first, with your forecasts."""
    from forecasts.questions.standing import Status, listing
    from forecasts.updates.updates import current_forecasts
    from forecasts.updates.values import format_value

    if status is not None:
        one_of("--status", status, [known.name for known in Status])
    with reading_as(database, member) as (session, who, now):
        current = {} if who is None else current_forecasts(session, who, at=now)
        rows = [
            state
            for state in listing(session, now=now)
            if (status is None or state.status.name == status)
            and (tag is None or tag in (state.text.tags or []))
        ]
        mine = {
            state.id: format_value(current[state.id], state.text.options)
            for state in rows
            if state.id in current
        }
    if not rows and (status or tag):
        print_line("No question matches. To see them all, omit --status and --tag.")
    elif not rows:
        print_line("No questions. Register one with: forecasts ask, or see: forecasts demo")
    elif sys.stdout.isatty():
        out().print(table_of(rows, mine))
    else:
        for state in rows:
            closes = f"{state.text.close_time:%F}"
            yours = mine.get(state.id, "")
            cells = [state.slug, state.text.title, state.status.name, closes, yours]
            # Not through the console, which turns tabs into spaces.
            typer.echo(printable("\t".join(" ".join(cell.split()) for cell in cells)))


def table_of(rows: Sequence[QuestionState], mine: Mapping[int, str]) -> Table:
    """Return a table for the terminal; ``mine``: the member's forecasts by question id."""
    table = Table(box=None, pad_edge=False)
    table.add_column("question", no_wrap=True)  # copied into commands, so the title wraps first
    for heading in ("title", "status", "closes", "you"):
        table.add_column(heading, overflow="fold")
    for state in rows:
        outcome = f": {state.resolution.outcome}" if state.resolution else ""
        table.add_row(
            printable(state.slug),
            printable(state.text.title),
            printable(f"{state.status}{outcome}"),
            f"{state.text.close_time:%Y-%m-%d}",
            printable(mine.get(state.id, "")),
        )
    return table


@app.command()
def show(question: QuestionSlug, database: Database = None, member: Member = None) -> None:
    """Show a question with its history, resolution and scores."""
    from forecasts.access.visibility import audience_label, crowd_is_hidden
    from forecasts.questions.outcomes import format_bounds
    from forecasts.questions.registry import find
    from forecasts.questions.revisions import history
    from forecasts.questions.sources import sources
    from forecasts.questions.standing import current_state

    with reading_as(database, member) as (session, _, now):
        state = current_state(session, find(session, question), now=now)
        text = state.text
        print_line(text.title, style="bold")
        opens = "opened" if text.open_time <= now else "opens"
        closes = "closes" if state.accepts_forecasts(now) or opens == "opens" else "closed"
        print_line(
            f"{state.slug} · {state.status} · {text.type} · "
            f"{opens} {to_minute(text.open_time)} · {closes} {to_minute(text.close_time)}",
            style="dim",
        )
        if audience := audience_label(session, text):
            print_line(f"Visible only to {audience}.", style="dim")
        if crowd_is_hidden(session, state.question):
            hidden = "Others' forecasts are hidden until you forecast or the question closes."
            print_line(hidden, style="dim")
        for heading, words in (
            ("Options", ", ".join(text.options or [])),
            ("Range", format_bounds(text)),
            ("Background", text.background),
            ("Resolution criteria", text.resolution_criteria),
            ("Fine print", text.fine_print),
        ):
            if words:
                print_line(f"\n{heading}: {words}")
        for source, article in sources(session, state.question):
            print_line(f"\nFrom: {article.title} ({article.publisher or 'no publisher'})")
            if source.quote:
                print_line(f"  “{' '.join(source.quote.split())}”", style="dim")
        wordings = history(session, state.question)
        _print_wordings(session, wordings)
        _print_history(session, state, wordings, now)
        _print_resolution(session, state, now)


def _print_wordings(session: Session, rows: Sequence[QuestionRevision]) -> None:
    from forecasts.access.members import handles
    from forecasts.questions.revisions import edits

    changed = edits(rows)
    if not changed:
        return
    by_id = handles(session)
    print_line(f"\nWordings: {len(changed) + 1}")
    for before, after in reversed(changed):
        reason = f": {after.reason}" if after.reason else ""
        print_line(f"  {_at(after.recorded_at)}  {by_id[after.member_id]}{reason}")
        print_changes(before, after)


def print_changes(before: QuestionText, after: QuestionText) -> None:
    """Print each field that differs between two wordings, old and new."""
    from forecasts.questions.revisions import changes

    for change in changes(before, after):
        old, new = change.formatted()
        print_line(f"    {change.name}: {old} → {new}", style="dim")


def _at(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M}Z"


def _print_history(
    session: Session, state: QuestionState, wordings: Sequence[QuestionRevision], now: datetime
) -> None:
    from forecasts.updates.evidence import format_citation
    from forecasts.updates.updates import evidence_of, history, members_lacking_options
    from forecasts.updates.values import format_value

    cited = evidence_of(session, state.question)
    rows = history(session, state.question)
    print_line(f"\nForecasts: {len(rows)}" if rows else "\nNo forecasts yet.")
    for forecast, handle in reversed(rows):
        reason = f" — {forecast.rationale}" if forecast.rationale else ""
        value = format_value(forecast, wordings[-1].options)
        print_line(f"  {_at(forecast.made_at)}  {handle}: {value}{reason}")
        for citation, evidence in cited.get(forecast.id, []):
            url = evidence.url or ""
            name = evidence.title or evidence.note or url
            link = f" ({url})" if name != url and url.startswith("http") else ""
            stance = format_citation(citation, state.text.type)
            print_line(f"    {stance}: {name}{link}", style="dim")
    options = state.text.options
    open_ = state.accepts_forecasts(now)
    lacking = members_lacking_options(session, state.question, at=now) if open_ else []
    if options and lacking:
        print_line(
            f"An option was added since {', '.join(lacking)} forecast: until updated, it has "
            f"the probability given to {options[-1]!r}."
        )


def _print_resolution(session: Session, state: QuestionState, now: datetime) -> None:
    from forecasts.questions.finality import provisional_outcome
    from forecasts.resolution.history import correction, provisional_note, steps
    from forecasts.scores.stored_scores import CRPS, score_table

    if taken := steps(session, state.question):
        print_line("\nResolution:")
    for step in taken:
        row = step.row
        known = f", known at {to_minute(row.known_at)}" if row.known_at else ""
        superseded = " (superseded)" if step.superseded else ""
        print_line(
            f"  {_at(row.recorded_at)}  {step.actor}: {row.state}: {row.outcome}{known}{superseded}"
        )
        if step.corrects is not None:
            print_line(f"    corrected: {correction(step.corrects, row)}", style="dim")
        for words in (row.note, row.source):
            if words:
                print_line(f"    {words}", style="dim")
        for exhibit in step.exhibits:
            copy = f"{exhibit.address}, {exhibit.size:,} bytes, SHA-256 {exhibit.sha256}"
            print_line(f"    evidence kept {_at(exhibit.at)}: {copy}", style="dim")
        for dispute, handle in step.disputes:
            act = "disputed" if dispute.answers_id is None else "upheld"
            reason = f": {dispute.reason}" if dispute.reason else ""
            print_line(f"    {act} {_at(dispute.recorded_at)} by {handle}{reason}")
        for change in step.rescored:
            then, current = (
                "none" if score is None else f"{score:.4f}" for score in (change.before, change.now)
            )
            by = "" if change.difference is None else f" ({change.difference:+.4f})"
            scale = "CRPS (0–1 of the range)" if change.protocol == CRPS else "Brier (0–1)"
            words = f"{change.forecaster}: {scale} {then} then, {current} now{by}"
            print_line(f"    {words}", style="dim")
    if state.resolution is None:
        return
    if provisional := provisional_outcome(session, state.question, now=now):
        print_line(f"\n{provisional_note(provisional)}")
    scored = score_table(session, state.resolution)
    print_line("\nScores (0 is best):" if scored else "\nNo scores.")
    print_scores(scored)


def print_scores(scored: Sequence[ForecasterScore]) -> None:
    """Print each forecaster's scores on a resolution, one line each, best first."""
    for row in scored:
        updates = f"{row.updates} {'update' if row.updates == 1 else 'updates'}"
        coverage = f"coverage {row.coverage:.0%}"
        if row.crps is not None:
            scores = f"CRPS {row.crps:.4f} (0–1 of the range, 0 is best), {coverage}"
        else:
            final = "none" if row.final is None else f"{row.final:.4f}"
            scores = (
                f"Brier {row.brier:.4f} (0–1), {coverage}, "
                f"original Brier {row.original:.4f} (0–2), at the close {final}"
            )
        print_line(f"  {row.forecaster}: {scores}, {updates}")
