"""The commands that read questions: questions, show."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from forecasts.cli.console import (
    Database,
    Member,
    QuestionSlug,
    now,
    one_of,
    out,
    printable,
    reading_as,
    settings,
)
from forecasts.cli.root import app
from forecasts.common.times import to_minute

HIDDEN_CROWD = (
    "What others have said is hidden until you have forecast, or the question has closed."
)

if TYPE_CHECKING:
    from rich.console import Console
    from sqlmodel import Session

    from forecasts.ledger.models import Forecast, QuestionRevision, QuestionText
    from forecasts.questions.standing import QuestionState
    from forecasts.resolution.history import Rescored
    from forecasts.scores.scores import Scored


@app.command()
def questions(
    status: Annotated[
        str | None,
        typer.Option(
            "--status",
            metavar="NAME",
            help="Only those: upcoming, open, awaiting (a resolution), proposed (an outcome), "
            "resolved, annulled or ambiguous.",
        ),
    ] = None,
    tag: Annotated[str | None, typer.Option("--tag", help="Only those with this tag.")] = None,
    database: Database = None,
    member: Member = None,
) -> None:
    """List the questions with their slugs and your standing forecasts, soonest close first."""
    from forecasts.questions.standing import Status, listing
    from forecasts.updates.updates import standing_of
    from forecasts.updates.values import say_value

    chosen, moment = settings(database, member), now()
    if status is not None:
        one_of("--status", status, [known.name for known in Status])
    with reading_as(chosen) as (session, who):
        standing = {} if who is None else standing_of(session, who, at=moment)
        rows = [
            state
            for state in listing(session, now=moment)
            if (status is None or state.status.name == status)
            and (tag is None or tag in (state.text.tags or []))
        ]
        mine = {
            state.id: say_value(standing[state.id], state.text.options)
            for state in rows
            if state.id in standing
        }
    if not rows and (status or tag):
        out().print("No question fits. Leave --status or --tag out to see them all.")
        return
    if not rows:
        out().print("No questions. Register one with: forecasts ask, or see: forecasts demo")
        return
    if not sys.stdout.isatty():  # for scripts: whole slugs, one question a line
        for state in rows:
            closes = f"{state.text.close_time:%F}"
            yours = mine.get(state.id, "")
            line = [state.slug, state.text.title, state.status.name, closes, yours]
            # Not through the console, which makes blanks of tabs.
            typer.echo(printable("\t".join(" ".join(part.split()) for part in line)))
        return
    out().print(table_of(rows, mine))


def table_of(rows: Sequence[QuestionState], mine: Mapping[int, str]) -> Table:
    """Return the questions with what somebody said on each, by its id, to print on a terminal."""
    table = Table(box=None, pad_edge=False)
    table.add_column("question", no_wrap=True)  # to copy, so it is the title that gives way
    for heading in ("title", "status", "closes", "you"):
        table.add_column(heading, overflow="fold")
    for state in rows:
        said = f": {state.resolution.outcome}" if state.resolution else ""
        table.add_row(
            printable(state.slug),
            printable(state.text.title),
            printable(f"{state.status}{said}"),
            f"{state.text.close_time:%Y-%m-%d}",
            printable(mine.get(state.id, "")),
        )
    return table


@app.command()
def show(
    question: QuestionSlug,
    database: Database = None,
    member: Member = None,
) -> None:
    """Show a question: what it says and said, where it comes from, every forecast, its resolution.

    Lists begin with the newest.
    """
    from forecasts.access.visibility import crowd_is_hidden, seen_by
    from forecasts.questions.outcomes import say_range
    from forecasts.questions.registry import find
    from forecasts.questions.revisions import history
    from forecasts.questions.sources import sources
    from forecasts.questions.standing import current_state

    console, moment = out(), now()
    with reading_as(settings(database, member)) as (session, _):
        state = current_state(session, find(session, question), now=moment)
        text = state.text
        console.print(printable(text.title), style="bold")
        opens = "opened" if text.open_time <= moment else "opens"
        closes = "closes" if state.takes_forecasts(moment) or opens == "opens" else "closed"
        console.print(
            printable(
                f"{state.slug} · {state.status} · {text.type} · "
                f"{opens} {to_minute(text.open_time)} · {closes} {to_minute(text.close_time)}"
            ),
            style="dim",
        )
        if who := seen_by(session, text):
            console.print(printable(f"Seen by {who} only."), style="dim")
        if crowd_is_hidden(session, state.question):
            console.print(printable(HIDDEN_CROWD), style="dim")
        for heading, words in (
            ("Options", ", ".join(text.options or [])),
            ("Range", say_range(text)),
            ("Background", text.background),
            ("Resolution criteria", text.resolution_criteria),
            ("Fine print", text.fine_print),
        ):
            if words:
                console.print(printable(f"\n{heading}: {words}"))
        for source, article in sources(session, state.question):
            console.print(printable(f"\nFrom: {article.title} ({article.publisher or 'no publisher'})"))
            if source.quote:
                console.print(printable(f"  “{' '.join(source.quote.split())}”"), style="dim")
        wordings = history(session, state.question)
        _print_wordings(console, session, wordings)
        _print_history(console, session, state, wordings, moment)
        _print_resolution(console, session, state, moment)


def _print_wordings(console: Console, session: Session, rows: Sequence[QuestionRevision]) -> None:
    from forecasts.access.members import handles
    from forecasts.questions.revisions import worded

    changed = worded(rows)
    if not changed:
        return
    named = handles(session)
    console.print(f"\nWordings: {len(changed) + 1}")
    for before, after in reversed(changed):
        reason = f": {after.reason}" if after.reason else ""
        console.print(printable(f"  {_at(after.recorded_at)}  {named[after.member_id]}{reason}"))
        print_changes(console, before, after)


def print_changes(console: Console, before: QuestionText, after: QuestionText) -> None:
    """Print the fields in which two wordings differ, what stood there and what does now."""
    from forecasts.questions.revisions import changes

    for change in changes(before, after):
        old, new = change.said()
        console.print(printable(f"    {change.name}: {old} → {new}"), style="dim")


def _at(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M}Z"


def _print_history(
    console: Console,
    session: Session,
    state: QuestionState,
    wordings: Sequence[QuestionRevision],
    moment: datetime,
) -> None:
    from forecasts.updates.evidence import say_stance
    from forecasts.updates.updates import evidence_of, history
    from forecasts.updates.wordings import lacking

    cited = evidence_of(session, state.question)
    rows = history(session, state.question)
    console.print(f"\nForecasts: {len(rows)}" if rows else "\nNo forecasts yet.")
    for forecast, handle in reversed(rows):
        console.print(printable(_line(forecast, handle, wordings)))
        for citation, evidence in cited.get(forecast.id or 0, []):
            what = evidence.title or evidence.note or evidence.url or ""
            shown = evidence.url and what != evidence.url and evidence.url.startswith("http")
            where = f" ({evidence.url})" if shown else ""
            stance = say_stance(citation, state.text.type)
            console.print(printable(f"    {stance}: {what}{where}"), style="dim")
    options = state.text.options
    if state.takes_forecasts(moment) and (without := lacking(session, state.question, at=moment)):
        assert options is not None
        console.print(
            printable(
                f"An option was added since {', '.join(without)} forecast: until updated, it has "
                f"the probability given to {options[-1]!r}."
            )
        )


def _line(forecast: Forecast, handle: str, wordings: Sequence[QuestionRevision]) -> str:
    from forecasts.updates.wordings import say_forecast

    reason = f" — {forecast.rationale}" if forecast.rationale else ""
    said = say_forecast(forecast, wordings)
    return f"  {_at(forecast.made_at)}  {handle}: {said}{reason}"


def _print_resolution(
    console: Console, session: Session, state: QuestionState, moment: datetime
) -> None:
    from forecasts.questions.finality import provisional
    from forecasts.resolution.history import correction, say_provisional, steps
    from forecasts.scores.scores import table

    taken = steps(session, state.question)
    if taken:
        console.print("\nResolution:")
    for step in taken:
        row = step.row
        known = f", known at {to_minute(row.known_at)}" if row.known_at else ""
        superseded = " (superseded)" if step.superseded else ""
        console.print(
            printable(
                f"  {_at(row.recorded_at)}  {step.who}: {row.state}: {row.outcome}{known}"
                f"{superseded}"
            )
        )
        if step.corrects is not None:
            console.print(printable(f"    corrected: {correction(step.corrects, row)}"), style="dim")
        for words in (row.note, row.source):
            if words:
                console.print(printable(f"    {words}"), style="dim")
        for exhibit in step.shown:
            shown = f"{exhibit.address}, {exhibit.size:,} bytes, SHA-256 {exhibit.sha256}"
            console.print(printable(f"    shown at {_at(exhibit.at)}: {shown}"), style="dim")
        for told, who in step.disputes:
            act = "disputed" if told.answers_id is None else "upheld"
            reason = f": {told.reason}" if told.reason else ""
            console.print(printable(f"    {act} {_at(told.recorded_at)} by {who}{reason}"))
        for earned in step.rescored:
            console.print(printable(f"    {_rescored(earned)}"), style="dim")
    if state.resolution is None:
        return
    open_ = provisional(session, state.question, now=moment)
    if open_ is not None:
        console.print(printable(f"\n{say_provisional(open_)}"))
    scored = table(session, state.resolution)
    console.print("\nScores (0 is best):" if scored else "\nNo scores.")
    print_scores(console, scored)


def print_scores(console: Console, scored: Sequence[Scored]) -> None:
    """Print what each forecaster earned on a resolution, a line each, the best first."""
    for row in scored:
        updates = f"{row.updates} {'update' if row.updates == 1 else 'updates'}"
        said = f"coverage {row.coverage:.0%}, "
        if row.crps is not None:
            said = f"CRPS {row.crps:.4f} (0–1 of the range, 0 is best), {said}{updates}"
        else:
            final = "nothing stood" if row.final is None else f"{row.final:.4f}"
            said = (
                f"Brier {row.brier:.4f} (0–1), {said}original Brier {row.original:.4f} (0–2), "
                f"at the close {final}, {updates}"
            )
        console.print(printable(f"  {row.forecaster}: {said}"))


def _rescored(earned: Rescored) -> str:
    from forecasts.scores.scores import CRPS

    def said(score: float | None) -> str:
        return "none" if score is None else f"{score:.4f}"

    change = "" if earned.difference is None else f" ({earned.difference:+.4f})"
    scale = "CRPS (0–1 of the range)" if earned.protocol == CRPS else "Brier (0–1)"
    return (
        f"{earned.forecaster}: {scale} {said(earned.before)} then, {said(earned.now)} now{change}"
    )
