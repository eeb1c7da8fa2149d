"""The command that registers a question: ask."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from forecasts.cli import app
from forecasts.cli.console import (
    Database,
    Member,
    ledger,
    messages,
    now,
    out,
    plain,
    settings,
)
from forecasts.errors import BadInput
from forecasts.times import iso, read_time


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
    with writing(ledger(chosen, begin=True)) as session:
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
