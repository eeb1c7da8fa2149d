"""The command that registers a question: ask."""

from __future__ import annotations

from datetime import datetime
from textwrap import shorten
from typing import TYPE_CHECKING, Annotated, Any

from typer import Argument, Option

from forecasts.cli.console import next_step, now, print_line, print_note, print_now_shared
from forecasts.cli.options import Database, Member, OutcomesFile, VisibleTo
from forecasts.cli.root import app
from forecasts.cli.session import acting, reading_as
from forecasts.common.errors import BadInput
from forecasts.common.times import read_time, to_minute

if TYPE_CHECKING:
    from forecasts.articles.drafting.drafts import Draft


@app.command()
def ask(
    title: Annotated[
        str | None, Argument(help="The question, in one sentence. [default: the --draft's wording]")
    ] = None,
    closes: Annotated[
        str | None,
        Option(
            metavar="TIME", help="Last day (or time) to forecast. [default: the --draft's deadline]"
        ),
    ] = None,
    criteria: Annotated[str, Option(help="Resolution criteria that a stranger could apply.")] = "",
    background: Annotated[str, Option(help="Context a forecaster needs.")] = "",
    fine_print: Annotated[str, Option(help="Edge cases.")] = "",
    type_: Annotated[
        str,
        Option(
            "--type", metavar="binary|multiple_choice|numeric|date", help="The question's type."
        ),
    ] = "binary",
    option: Annotated[
        list[str] | None,
        Option(metavar="TEXT", help="An option; repeat for each. Implies multiple_choice."),
    ] = None,
    ordered: Annotated[bool, Option("--ordered", help="Treat the options as ordered.")] = False,
    lower: Annotated[str | None, Option(help="Lower bound.")] = None,
    upper: Annotated[str | None, Option(help="Upper bound.")] = None,
    unit: Annotated[str | None, Option(help="Unit of a number.")] = None,
    opens: Annotated[
        str | None, Option(metavar="TIME", help="First time to forecast. [default: now]")
    ] = None,
    resolves: Annotated[
        str | None, Option(metavar="TIME", help="When the outcome should be known.")
    ] = None,
    family: Annotated[str, Option(help="Name shared by questions with related outcomes.")] = "",
    tag: Annotated[list[str] | None, Option(metavar="TAG", help="A tag; repeat for each.")] = None,
    slug: Annotated[
        str | None, Option(help="ID for links and commands. [default: made from the title]")
    ] = None,
    article: Annotated[int | None, Option(metavar="N", help="Source article.")] = None,
    draft: Annotated[
        int | None, Option(metavar="N", help="Draft to use, as numbered by: forecasts articles N.")
    ] = None,
    quote: Annotated[str, Option(help="Exact passage of the --article to cite.")] = "",
    outcomes: OutcomesFile = None,
    visible_to: VisibleTo = None,
    hide_crowd: Annotated[
        bool,
        Option(
            "--hide-crowd",
            help="Hide others' forecasts from members until they forecast, or until it closes.",
        ),
    ] = False,
    database: Database = None,
    member: Member = None,
) -> None:
    """Register a question, your own or an article's draft."""
    from forecasts.access import teams
    from forecasts.access.roles import is_shared
    from forecasts.access.visibility import audience_label
    from forecasts.articles.text_quotes import TextQuote
    from forecasts.questions import registry
    from forecasts.questions.outcomes import format_bounds
    from forecasts.questions.sources import find_passage
    from forecasts.resolution import assignments

    moment = now()
    if criteria and not criteria.strip(" .…"):
        raise BadInput(
            f"--criteria {criteria!r} is a placeholder, not criteria.",
            remedy="Write resolution criteria that a stranger could apply.",
        )
    drafted = _draft(article, draft, quote, database, member)
    if title is None and drafted is None:
        raise BadInput(
            "There is no question to register.",
            remedy='Write it, as in: forecasts ask "Will …?", or name the --draft of an --article.',
        )
    source = TextQuote(quote) if drafted is None else drafted.source
    last = _last_moment(closes, drafted, draft, moment)
    resolve_time = read_time(resolves, end_of_day=True, now=moment) if resolves else None
    kind: dict[str, Any] = {}
    if title is None and drafted is not None:
        title = drafted.question_by(last.date())
        kind = drafted.type_fields if type_ == "binary" and not option else {}
    fields: dict[str, Any] = {
        "title": title,
        "type": "multiple_choice" if option else type_,
        "options": option,
        "ordered": ordered,
        "lower_bound": lower,
        "upper_bound": upper,
        "unit": unit,
        "open_time": read_time(opens, now=moment) if opens else moment,
        "scheduled_close_time": last,
        "scheduled_resolve_time": resolve_time,
        "family": family,
        "tags": tag,
        "background": background,
        "resolution_criteria": criteria,
        "fine_print": fine_print,
        "crowd_hidden": hide_crowd,
    } | kind
    registry.question_text(**fields)  # refuse a bad question before a ledger is created for it
    with acting(database, member, begin=True, at=moment) as (session, who, _):
        shared = is_shared(session)
        text = registry.question_text(**fields | teams.visibility_fields(session, visible_to))
        question = registry.register(
            session,
            text,
            member=who,
            now=moment,
            slug=slug,
            sources=[] if article is None else [find_passage(session, article, source)],
        )
        if outcomes is not None:
            path = {"path": str(outcomes)}
            assignments.attach(session, question, "outcomes_file", path, member=who, now=moment)
        name = question.slug
        audience, became_admin = audience_label(session, text), not shared and is_shared(session)
    print_line(name)
    closing = to_minute(text.scheduled_close_time)
    bounds = format_bounds(text)
    limits = f", {bounds}" if bounds else ""
    print_note(f"Registered {text.title!r}{limits}; it closes at {closing}.")
    if audience:
        print_note(f"Visible only to {audience}.")
    if became_admin:
        print_now_shared(who.handle)
    if not criteria:
        step = next_step(f'revise {name} --criteria "…"', database=database, member=member)
        print_note(
            "Warning: it has no resolution criteria, so nobody else could decide it. "
            f"Add them: {step}"
        )


def _draft(
    article: int | None, number: int | None, quote: str, database: str | None, member: str | None
) -> Draft | None:
    """Return the named draft, if any; BadInput if the options do not fit together."""
    from forecasts.articles.drafting.drafts import find_draft
    from forecasts.articles.library import find_article

    if article is None and (quote or number is not None):
        raise BadInput(
            f"A {'--quote' if quote else '--draft'} needs its --article.",
            remedy="See: forecasts articles.",
        )
    if quote and number is not None:
        raise BadInput(
            "--draft and --quote both name the passage.", remedy="Leave one of them out."
        )
    if article is None:
        return None
    with reading_as(database, member) as (session, _, _):
        known = find_article(session, article)
        return None if number is None else find_draft(known, number)


def _last_moment(
    closes: str | None, drafted: Draft | None, number: int | None, moment: datetime
) -> datetime:
    """Return the scheduled close; BadInput if none is given or it has passed."""
    if closes is not None:
        last, named = read_time(closes, end_of_day=True, now=moment), f"--closes {closes}"
    elif drafted is None:
        raise BadInput(
            "A question needs a last day of forecasting.", remedy="Add it: --closes YYYY-MM-DD."
        )
    elif drafted.close_date is None:
        raise BadInput(
            f"Draft {number} gives no deadline: {shorten(drafted.quote, 120, placeholder=' …')!r}.",
            remedy="Add the last day of forecasting: --closes YYYY-MM-DD.",
        )
    else:
        day = drafted.close_date.isoformat()
        last, named = read_time(day, end_of_day=True), f"The deadline of draft {number}, {day},"
    if last <= moment:
        raise BadInput(
            f"{named} has passed: it is {moment:%Y-%m-%d %H:%M} UTC now.",
            remedy="Give a later day: --closes YYYY-MM-DD. To add questions that are over, use: "
            "forecasts import.",
        )
    return last
