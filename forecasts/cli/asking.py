"""The commands for questions: ask, questions, show."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from forecasts.cli import app
from forecasts.cli.console import (
    Database,
    Member,
    QuestionSlug,
    ledger,
    messages,
    now,
    out,
    plain,
    settings,
)
from forecasts.errors import BadInput
from forecasts.times import iso, read_time

if TYPE_CHECKING:
    from rich.console import Console
    from sqlmodel import Session

    from forecasts.models import Forecast
    from forecasts.questions import Stands


@app.command()
def ask(
    title: Annotated[str, typer.Argument(help="The question, as one sentence.")],
    closes: Annotated[
        str, typer.Option("--closes", metavar="TIME", help="Last day (or time) to forecast.")
    ],
    criteria: Annotated[
        str, typer.Option("--criteria", help="How a stranger would decide it.")
    ] = "",
    background: Annotated[str, typer.Option("--background", help="What to know first.")] = "",
    fine_print: Annotated[str, typer.Option("--fine-print", help="Edge cases.")] = "",
    type_: Annotated[
        str,
        typer.Option("--type", metavar="binary|multiple_choice|numeric|date"),
    ] = "binary",
    option: Annotated[
        list[str] | None, typer.Option("--option", help="An option; repeat it. Implies the type.")
    ] = None,
    ordered: Annotated[bool, typer.Option("--ordered", help="The options have an order.")] = False,
    lower: Annotated[str | None, typer.Option("--lower", help="Lower bound.")] = None,
    upper: Annotated[str | None, typer.Option("--upper", help="Upper bound.")] = None,
    unit: Annotated[str | None, typer.Option("--unit", help="Unit of a number.")] = None,
    opens: Annotated[
        str | None, typer.Option("--opens", metavar="TIME", help="[default: now]")
    ] = None,
    resolves: Annotated[
        str | None, typer.Option("--resolves", metavar="TIME", help="When it should be decided.")
    ] = None,
    family: Annotated[
        str, typer.Option("--family", help="Questions whose outcomes hang together share one.")
    ] = "",
    tag: Annotated[list[str] | None, typer.Option("--tag", help="A tag; repeat it.")] = None,
    slug: Annotated[str | None, typer.Option("--slug", help="[default: made of the title]")] = None,
    article: Annotated[
        int | None, typer.Option("--article", metavar="N", help="The article it comes from.")
    ] = None,
    quote: Annotated[str, typer.Option("--quote", help="The exact passage of it.")] = "",
    outcomes: Annotated[
        Path | None,
        typer.Option("--outcomes", metavar="FILE", help="A CSV or JSON file that will say."),
    ] = None,
    database: Database = None,
    member: Member = None,
) -> None:
    """Register a question."""
    from forecasts import questions, runs
    from forecasts.access import member_or_new
    from forecasts.articles.library import passage
    from forecasts.database import writing

    chosen, moment = settings(database, member), now()
    text = questions.question_text(
        title=title,
        type="multiple_choice" if option else type_,
        options=option,
        ordered=ordered,
        lower_bound=lower,
        upper_bound=upper,
        unit=unit,
        open_time=read_time(opens) if opens else moment,
        scheduled_close_time=read_time(closes, end_of_day=True),
        scheduled_resolve_time=read_time(resolves, end_of_day=True) if resolves else None,
        family=family,
        tags=tag,
        background=background,
        resolution_criteria=criteria,
        fine_print=fine_print,
    )
    if quote and article is None:
        raise BadInput("A --quote needs its --article.", remedy="See: forecasts articles.")
    with writing(ledger(chosen)) as session:
        who = member_or_new(session, chosen.member, now=moment)
        sources = [passage(session, article, quote)] if article is not None else []
        question = questions.register(
            session, text, member=who, now=moment, slug=slug, sources=sources
        )
        if outcomes is not None:
            runs.attach(
                session,
                question,
                "outcomes_file",
                {"path": str(outcomes)},
                member=who,
                now=moment,
            )
        name = question.slug
    out().print(name)
    messages().print(
        plain(f"Registered {title!r}; it closes at {iso(text.scheduled_close_time)}.")
        + ("" if criteria else " It has no resolution criteria yet.")
    )


@app.command()
def questions(
    status: Annotated[
        str | None, typer.Option("--status", help="Only these: open, awaiting, resolved …")
    ] = None,
    tag: Annotated[str | None, typer.Option("--tag", help="Only those with this tag.")] = None,
    database: Database = None,
) -> None:
    """List the questions with their slugs, soonest close first."""
    from forecasts.database import reading
    from forecasts.questions import listing

    with reading(ledger(settings(database))) as session:
        rows = [
            stands
            for stands in listing(session, now=now())
            if (status is None or stands.status.startswith(status))
            and (tag is None or tag in (stands.text.tags or []))
        ]
    if not rows:
        out().print("No questions. Register one with: forecasts ask, or see: forecasts demo")
        return
    if not sys.stdout.isatty():  # for scripts: whole slugs, one question a line
        for stands in rows:
            line = [stands.slug, stands.text.title, stands.status, f"{stands.text.close_time:%F}"]
            out().print(plain("\t".join(" ".join(part.split()) for part in line)))
        return
    table = Table("question", "title", "status", "closes", box=None, pad_edge=False)
    for stands in rows:
        said = f": {stands.resolution.outcome}" if stands.resolution else ""
        table.add_row(
            plain(stands.slug),
            plain(stands.text.title),
            plain(f"{stands.status}{said}"),
            f"{stands.text.close_time:%Y-%m-%d}",
        )
    out().print(table)


@app.command()
def show(
    question: QuestionSlug,
    database: Database = None,
) -> None:
    """Show a question: what it says, where it comes from, every forecast, its resolution."""
    from forecasts.database import reading
    from forecasts.questions import as_it_stands, find, sources

    console = out()
    with reading(ledger(settings(database))) as session:
        stands = as_it_stands(session, find(session, question), now=now())
        text = stands.text
        console.print(plain(text.title), style="bold")
        console.print(
            plain(
                f"{stands.slug} · {stands.status} · {text.type} · opened {iso(text.open_time)} · "
                f"closes {iso(text.close_time)}"
            ),
            style="dim",
        )
        for heading, words in (
            ("Options", ", ".join(text.options or [])),
            ("Background", text.background),
            ("Resolution criteria", text.resolution_criteria),
            ("Fine print", text.fine_print),
        ):
            if words:
                console.print(plain(f"\n{heading}: {words}"))
        for source, article in sources(session, stands.question):
            console.print(plain(f"\nFrom: {article.title} ({article.publisher or 'no publisher'})"))
            if source.quote:
                console.print(plain(f"  “{' '.join(source.quote.split())}”"), style="dim")
        _print_history(console, session, stands)
        _print_resolution(console, session, stands)


def _print_history(console: Console, session: Session, stands: Stands) -> None:
    from forecasts.updates import evidence_of, history

    cited = evidence_of(session, stands.question)
    rows = history(session, stands.question)
    console.print(f"\nForecasts: {len(rows)}" if rows else "\nNo forecasts yet.")
    for forecast, handle in rows:
        console.print(plain(_line(forecast, handle, stands)))
        for citation, evidence in cited.get(forecast.id or 0, []):
            what = evidence.title or evidence.note or evidence.url or ""
            shown = evidence.url and what != evidence.url and evidence.url.startswith("http")
            where = f" ({evidence.url})" if shown else ""
            console.print(plain(f"    {citation.stance}: {what}{where}"), style="dim")


def _line(forecast: Forecast, handle: str, stands: Stands) -> str:
    from forecasts.values import say_value

    reason = f" — {forecast.rationale}" if forecast.rationale else ""
    said = say_value(forecast, stands.text.options)
    return f"  {forecast.made_at:%Y-%m-%d %H:%M}Z  {handle}: {said}{reason}"


def _print_resolution(console: Console, session: Session, stands: Stands) -> None:
    from forecasts.resolutions import history
    from forecasts.scores import of_question

    steps = history(session, stands.question)
    if steps:
        console.print("\nResolution:")
    for step in steps:
        known = f", known at {iso(step.known_at)}" if step.known_at else ""
        corrected = " (corrects the one before)" if step.supersedes_id else ""
        console.print(
            plain(
                f"  {step.recorded_at:%Y-%m-%d %H:%M}Z  {step.state}: {step.outcome}{known}"
                f"{corrected}"
            )
        )
        for words in (step.note, step.source):
            if words:
                console.print(plain(f"    {words}"), style="dim")
    if stands.resolution is None:
        return
    by_forecaster: dict[str, dict[str, float]] = {}
    for score, handle in of_question(session, stands.resolution):
        by_forecaster.setdefault(handle, {"coverage": score.coverage})[score.protocol] = score.score
    if not by_forecaster:
        console.print("\nNo scores.")
        return
    console.print("\nScores (Brier 0–1, 0 is best; in brackets the original scale 0–2):")
    for handle, scored in sorted(by_forecaster.items(), key=lambda item: item[1]["brier"]):
        console.print(
            plain(
                f"  {handle}: {scored['brier']:.4f} ({scored['brier_original']:.4f}), at the close "
                f"{scored['brier_final']:.4f}, coverage {scored['coverage']:.0%}"
                if "brier_final" in scored
                else f"  {handle}: {scored['brier']:.4f} ({scored['brier_original']:.4f}), "
                f"none standing at the close, coverage {scored['coverage']:.0%}"
            )
        )
