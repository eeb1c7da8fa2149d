"""The command that registers a question and forecasts it: ask."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import partial
from textwrap import shorten
from typing import Annotated, Any

from typer import Argument, Option

from forecasts.access import teams
from forecasts.access.roles import is_shared
from forecasts.access.visibility import audience_label
from forecasts.articles.drafts import Draft, find_draft
from forecasts.articles.library import find_article
from forecasts.cli.console import now, print_line, print_note, print_now_shared, when, zone
from forecasts.cli.dates import time_of
from forecasts.cli.forecast import certainty_warning, typed_value
from forecasts.cli.negative_values import TakesNegativeValues
from forecasts.cli.options import OutcomesFile, VisibleTo
from forecasts.cli.root import app
from forecasts.cli.session import acting, next_step, reading_as, use_own_zone
from forecasts.common.errors import FILL_IN, BadInput
from forecasts.ledger.models import QuestionText
from forecasts.questions import registry
from forecasts.questions.passages import find_passage
from forecasts.reading.text_quotes import TextQuote
from forecasts.resolution import assignments
from forecasts.updates.ask import ask as ask_and_forecast
from forecasts.updates.ask import read_line
from forecasts.values.outcomes import format_bounds
from forecasts.values.typed_dates import deadline_in_title, iso_date, read_date
from forecasts.values.value import Value, format_value
from forecasts.values.value_parsing import read_percent_field


@app.command(cls=TakesNegativeValues)
def ask(
    title: Annotated[
        str | None,
        Argument(
            metavar="TITLE",
            help="The question, in one sentence, with or without P: 'Will it rain tomorrow? 30%'. "
            "[default: the --draft's wording]",
        ),
    ] = None,
    value: Annotated[
        str | None, Argument(metavar="P", help="Your forecast, as for: forecasts update.")
    ] = None,
    closes: Annotated[
        str | None,
        Option(
            metavar="TIME",
            help="Last day (or time) to forecast: 2027-03-31, 'next friday', 'in 3 weeks'. "
            "[default: the date that the title or the --draft names]",
        ),
    ] = None,
    criteria: Annotated[
        str, Option(metavar="TEXT", help="Resolution criteria that a stranger could apply.")
    ] = "",
    background: Annotated[str, Option(metavar="TEXT", help="Context a forecaster needs.")] = "",
    fine_print: Annotated[str, Option(metavar="TEXT", help="Edge cases.")] = "",
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
    lower: Annotated[str | None, Option(metavar="VALUE", help="Lower bound.")] = None,
    upper: Annotated[str | None, Option(metavar="VALUE", help="Upper bound.")] = None,
    unit: Annotated[str | None, Option(metavar="TEXT", help="Unit of a number.")] = None,
    opens: Annotated[
        str | None, Option(metavar="TIME", help="First time to forecast. [default: now]")
    ] = None,
    resolves: Annotated[
        str | None, Option(metavar="TIME", help="When the outcome should be known.")
    ] = None,
    family: Annotated[
        str, Option(metavar="NAME", help="Name shared by questions with related outcomes.")
    ] = "",
    tag: Annotated[list[str] | None, Option(metavar="TAG", help="A tag; repeat for each.")] = None,
    slug: Annotated[
        str | None,
        Option(metavar="ID", help="ID for links and commands. [default: made from the title]"),
    ] = None,
    article: Annotated[int | None, Option(metavar="N", help="Source article.")] = None,
    draft: Annotated[
        int | None, Option(metavar="N", help="Draft to use, as numbered by: forecasts articles N.")
    ] = None,
    quote: Annotated[
        str, Option(metavar="TEXT", help="Exact passage of the --article to cite.")
    ] = "",
    outcomes: OutcomesFile = None,
    visible_to: VisibleTo = None,
    hide_crowd: Annotated[
        bool,
        Option(
            "--hide-crowd",
            help="Hide others' forecasts from members until they forecast, or until it closes.",
        ),
    ] = False,
) -> None:
    """Ask a question, or take an article's draft, and forecast it.

    forecasts ask "Will Trump and Xi meet this fall?" 30%
    """
    use_own_zone()
    moment = now()
    if title is not None and type_ == "binary" and not option:
        title, value = _read_line(title, value, moment)
    drafted = _draft(article, draft, quote)
    if title is None and drafted is None:
        raise BadInput(
            "There is no question to register.",
            remedy='Write it, as in: forecasts ask "Will …?", or name the --draft of an --article.',
        )
    source = TextQuote(quote) if drafted is None else drafted.source
    close = _close(closes, title, drafted, draft, moment)
    kind: dict[str, Any] = {}
    if title is None and drafted is not None:
        title = drafted.question_by(close.moment.date())
        kind = drafted.type_fields if type_ == "binary" and not option else {}
    fields: dict[str, Any] = {
        "title": title,
        "type": "multiple_choice" if option else type_,
        "options": option,
        "ordered": ordered,
        "lower_bound": _bound(lower, type_, moment, first=True),
        "upper_bound": _bound(upper, type_, moment),
        "unit": unit,
        "open_time": time_of(opens, moment=moment) or moment,
        "scheduled_close_time": close.moment,
        "scheduled_resolve_time": time_of(resolves, end_of_day=True, moment=moment),
        "family": family,
        "tags": tag,
        "background": background,
        "resolution_criteria": criteria,
        "fine_print": fine_print,
        "crowd_hidden": hide_crowd,
    } | kind
    # A bad question or forecast is refused before a ledger is created for it.
    text = registry.question_text(**fields)
    if criteria and not text.has_criteria:
        raise BadInput(
            f"--criteria {criteria!r} is a placeholder, not criteria.",
            remedy="Write resolution criteria that a stranger could apply.",
        )
    again = partial(next_step, "ask", text.title)
    given = None if value is None else typed_value(value, text, now=moment, again=again)
    with acting(begin=True) as (session, who, at):
        if opens is None:
            fields["open_time"] = at
        shared = is_shared(session)
        asked = ask_and_forecast(
            session,
            registry.question_text(**fields | teams.visibility_fields(session, visible_to)),
            given,
            member=who,
            now=at,
            slug=slug,
            sources=[] if article is None else [find_passage(session, article, source)],
            audience_chosen=visible_to is not None,
        )
        if outcomes is not None:
            path = {"path": str(outcomes)}
            question = asked.question
            assignments.attach(session, question, "outcomes_file", path, member=who, now=at)
        name, audience = asked.question.slug, audience_label(session, asked.text)
        became_admin = not shared and is_shared(session)
    print_line(name)
    after = next_step("update", name, "P") if given is None else next_step("show", name)
    print_note(f"{_understood(asked.text, given, close.phrase)} Next: {after}")
    if became_admin:
        print_now_shared(who.handle)
    if audience:
        print_note(f"Visible only to {audience}.")
    if given is not None and (extreme := certainty_warning(given)) is not None:
        print_note(f"Warning: {extreme}")
    if not asked.text.has_criteria:
        add = next_step("revise", name, criteria=FILL_IN)
        when = "Before others see it, write them" if asked.kept_private else "To write them"
        print_note(f"It has no resolution criteria. {when}: {add}")


def _read_line(title: str, value: str | None, now: datetime) -> tuple[str, str | None]:
    """Return the title and the forecast, which may follow it as in the app's one line."""
    line = read_line(title, now=now, zone=zone())
    line.require_clear()
    if line.probability is None:
        return title, value
    if value is not None:
        raise BadInput(
            f"There are two forecasts: {line.probability} after the question, and {value}.",
            remedy="Leave one of them out.",
        )
    # A bare number is refused, as by itself; other forms are clear.
    if line.probability.isdecimal():
        return line.title, line.probability
    return line.title, repr(read_percent_field(line.probability))


def _bound(typed: str | None, type_: str, now: datetime, *, first: bool = False) -> str | None:
    """Return a bound; that of dates may be written as people type it: "january 2027"."""
    if typed is None or type_ != "date":
        return typed
    return iso_date(typed, now=now, zone=zone(), first=first)


def _understood(text: QuestionText, given: Value | None, phrase: str) -> str:
    """Return the new question as it was understood, in a line."""
    bounds = format_bounds(text)
    read_from = f" (from {phrase!r})" if phrase else ""
    forecast = "" if given is None else f" Your forecast: {format_value(given, text.options)}."
    return (
        f"Registered {text.title!r}{f', {bounds}' if bounds else ''}; it closes at "
        f"{when(text.scheduled_close_time)}{read_from}.{forecast}"
    )


def _draft(article: int | None, number: int | None, quote: str) -> Draft | None:
    """Return the named draft, if any; BadInput if the options do not fit together."""
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

    with reading_as() as (session, _, _):
        known = find_article(session, article)
        return None if number is None else find_draft(known, number)


@dataclass(frozen=True)
class _Close:
    """The scheduled close, and the words of the title that it was read from ('' if given)."""

    moment: datetime
    phrase: str = ""


def _close(
    closes: str | None, title: str | None, drafted: Draft | None, number: int | None, now: datetime
) -> _Close:
    """Return the scheduled close; BadInput if none is given or named, or it has passed."""
    if closes is not None:
        found, named = _Close(read_date(closes, now=now, zone=zone())), f"--closes {closes}"
    elif title is not None and (limit := deadline_in_title(title, now=now, zone=zone())):
        found, named = _Close(limit.moment, limit.phrase), limit.phrase
    elif drafted is None:
        raise BadInput(
            "The title names no last day of forecasting.",
            remedy="Add it: --closes 2027-03-31, or --closes 'next friday'.",
        )
    elif drafted.close_date is None:
        raise BadInput(
            f"Draft {number} gives no deadline: {shorten(drafted.quote, 120, placeholder=' …')!r}.",
            remedy="Add the last day of forecasting: --closes YYYY-MM-DD.",
        )
    else:
        day = drafted.close_date.isoformat()
        last = read_date(day, now=now, zone=zone())
        found, named = _Close(last), f"The deadline of draft {number}, {day},"
    if found.moment <= now:
        raise BadInput(
            f"{named} has passed: it is {when(now)} now.",
            remedy="Give a later day: --closes YYYY-MM-DD. To add questions that are over, use: "
            "forecasts import.",
        )
    return found
