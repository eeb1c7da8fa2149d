"""The commands that read questions: questions, show."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from forecasts.cli import app
from forecasts.cli.console import Database, QuestionSlug, ledger, now, out, plain, settings
from forecasts.times import iso

if TYPE_CHECKING:
    from rich.console import Console
    from sqlmodel import Session

    from forecasts.models import Forecast
    from forecasts.questions import Stands


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
