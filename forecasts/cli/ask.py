"""The command that registers a question: ask."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from textwrap import shorten
from typing import TYPE_CHECKING, Annotated, Any

import typer

from forecasts.cli.console import (
    Database,
    Member,
    acting,
    ledger,
    messages,
    now,
    out,
    plain,
    reading_as,
    say_shared,
    settings,
)
from forecasts.cli.next_step import next_step
from forecasts.cli.root import app
from forecasts.common.errors import BadInput
from forecasts.common.times import read_time, to_minute

if TYPE_CHECKING:
    from sqlmodel import Session

    from forecasts.articles.drafting.drafts import Draft
    from forecasts.common.settings import Settings
    from forecasts.ledger.models import QuestionText
    from forecasts.questions.sources import Passage


@app.command()
def ask(
    title: Annotated[
        str | None,
        typer.Argument(help="The question, as one sentence. [default: as the --draft words it]"),
    ] = None,
    closes: Annotated[
        str | None,
        typer.Option(
            "--closes",
            metavar="TIME",
            help="Last day (or time) to forecast. [default: the deadline of the --draft]",
        ),
    ] = None,
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
    draft: Annotated[
        int | None,
        typer.Option(
            "--draft", metavar="N", help="The draft of it, by the number in: forecasts articles N."
        ),
    ] = None,
    quote: Annotated[str, typer.Option("--quote", help="The exact passage of it.")] = "",
    outcomes: Annotated[
        Path | None,
        typer.Option("--outcomes", metavar="FILE", help="A CSV or JSON file that will say."),
    ] = None,
    visible_to: Annotated[
        str | None,
        typer.Option(
            "--visible-to", metavar="everyone|me|TEAM", help="Who may see it. [default: everyone]"
        ),
    ] = None,
    hide_crowd: Annotated[
        bool,
        typer.Option(
            "--hide-crowd",
            help="Nobody sees what others said before they have forecast, or it has closed.",
        ),
    ] = False,
    database: Database = None,
    member: Member = None,
) -> None:
    """Register a question: one of your own, or the draft of an article."""
    from forecasts.access import teams
    from forecasts.access.roles import is_shared
    from forecasts.access.visibility import seen_by
    from forecasts.ledger.database import writing
    from forecasts.questions import registry
    from forecasts.resolution import assignments

    chosen, moment = settings(database, member), now()
    if criteria and not criteria.strip(" .…"):
        raise BadInput(
            f"--criteria {criteria!r} holds the place of the criteria and is none.",
            remedy="Write how a stranger would decide the question.",
        )
    taken = _draft(article, draft, quote, chosen)
    if title is None and taken is None:
        raise BadInput(
            "There is no question to register.",
            remedy='Write it, as in: forecasts ask "Will …?", or name the --draft of an --article.',
        )
    last = _last_moment(closes, taken, draft, moment)
    fields: dict[str, Any] = {
        "title": taken.question_by(last.date()) if title is None and taken is not None else title,
        "type": "multiple_choice" if option else type_,
        "options": option,
        "ordered": ordered,
        "lower_bound": lower,
        "upper_bound": upper,
        "unit": unit,
        "open_time": read_time(opens, now=moment) if opens else moment,
        "scheduled_close_time": last,
        "scheduled_resolve_time": read_time(resolves, end_of_day=True, now=moment)
        if resolves
        else None,
        "family": family,
        "tags": tag,
        "background": background,
        "resolution_criteria": criteria,
        "fine_print": fine_print,
        "crowd_hidden": hide_crowd,
    }
    text = registry.question_text(**fields)
    with writing(ledger(chosen, begin=True)) as session:
        who = acting(session, chosen, now=moment)
        shared = is_shared(session)
        text = registry.question_text(**fields | teams.audience(session, visible_to))
        question = registry.register(
            session,
            text,
            member=who,
            now=moment,
            slug=slug,
            sources=_sources(session, article, quote, taken),
        )
        if outcomes is not None:
            assignments.attach(
                session,
                question,
                "outcomes_file",
                {"path": str(outcomes)},
                member=who,
                now=moment,
            )
        name = question.slug
        kept_by, became_admin = seen_by(session, text), not shared and is_shared(session)
    out().print(name)
    messages().print(
        plain(
            f"Registered {text.title!r}{_range(text)}; it closes at "
            f"{to_minute(text.scheduled_close_time)}."
        )
    )
    if kept_by:
        messages().print(plain(f"Only {kept_by} may see it."))
    if became_admin:
        say_shared(who.handle)
    if not criteria:
        step = next_step(f'revise {name} --criteria "…"', database=database, member=member)
        messages().print(
            "Warning: it has no resolution criteria, so nobody else could decide it. "
            + plain(f"Add them: {step}")
        )


def _range(text: QuestionText) -> str:
    from forecasts.questions.outcomes import say_range

    said = say_range(text)
    return f", {said}" if said else ""


def _draft(article: int | None, number: int | None, quote: str, chosen: Settings) -> Draft | None:
    """Return the draft that was named, if any; BadInput where the options do not fit together."""
    from forecasts.articles.library import article_numbered, draft_numbered

    if article is None and (quote or number is not None):
        raise BadInput(
            f"A {'--quote' if quote else '--draft'} needs its --article.",
            remedy="See: forecasts articles.",
        )
    if quote and number is not None:
        raise BadInput(
            "--draft and --quote both name the passage.", remedy="Leave one of the two out."
        )
    if article is None:
        return None
    with reading_as(chosen) as (session, _):
        known = article_numbered(session, article)
        return None if number is None else draft_numbered(known, number)


def _sources(
    session: Session, article: int | None, quote: str, taken: Draft | None
) -> list[Passage]:
    from forecasts.questions.sources import passage

    if article is None:
        return []
    if taken is None:
        return [passage(session, article, quote)]
    return [passage(session, article, taken.quote, taken.prefix, taken.suffix)]


def _last_moment(
    closes: str | None, taken: Draft | None, number: int | None, moment: datetime
) -> datetime:
    """Return until when the question is open; BadInput where nobody says, or that has passed."""
    if closes is not None:
        last, named = read_time(closes, end_of_day=True, now=moment), f"--closes {closes}"
    elif taken is None:
        raise BadInput(
            "A question needs a last day of forecasting.", remedy="Add it: --closes YYYY-MM-DD."
        )
    elif taken.close_date is None:
        raise BadInput(
            f"Draft {number} gives no deadline: {shorten(taken.quote, 120, placeholder=' …')!r}.",
            remedy="Add the last day of forecasting: --closes YYYY-MM-DD.",
        )
    else:
        day = taken.close_date.isoformat()
        last, named = read_time(day, end_of_day=True), f"The deadline of draft {number}, {day},"
    if last <= moment:
        raise BadInput(
            f"{named} has passed: it is {moment:%Y-%m-%d %H:%M} UTC now.",
            remedy="Give a day that lies ahead: --closes YYYY-MM-DD. Questions that are over are "
            "taken in by: forecasts import.",
        )
    return last
