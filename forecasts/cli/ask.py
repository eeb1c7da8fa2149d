"""The commands that ask a question and change it: ask, revise, close, discard."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from textwrap import shorten
from typing import Annotated, Any

from sqlmodel import Session

from forecasts.access import teams, visibility
from forecasts.articles.drafts import Draft, find_draft
from forecasts.articles.library import find_article
from forecasts.cli.console import confirm, now, one_of, when, zone
from forecasts.cli.dates import time_of
from forecasts.cli.forecast import certainty_warning, typed_value
from forecasts.cli.options import (
    Because,
    DryRun,
    OutcomesFile,
    QuestionSlug,
    TakesNegativeValues,
    VisibleTo,
    Yes,
    argument,
    flag,
    option,
)
from forecasts.cli.printing import print_line, print_lines, print_note
from forecasts.cli.root import app
from forecasts.cli.session import (
    acting,
    acting_on,
    next_step,
    previewing,
    reading_as,
    use_own_zone,
)
from forecasts.cli.show import changed
from forecasts.common.errors import FILL_IN, BadInput, NotFound
from forecasts.common.text import count
from forecasts.common.times import iso
from forecasts.ledger.models import QuestionText, QuestionType
from forecasts.questions import discards, registry, revisions
from forecasts.questions.origins import platform_named
from forecasts.questions.passages import find_passage
from forecasts.reading.text_quotes import TextQuote
from forecasts.resolution import assignments
from forecasts.updates import updates
from forecasts.updates.ask import ask as ask_and_forecast
from forecasts.updates.ask import read_line, require_question_only
from forecasts.values.outcomes import format_bounds
from forecasts.values.typed_dates import iso_date, read_date, typed_deadline
from forecasts.values.value import Value, format_value
from forecasts.values.value_parsing import read_percent_field
from forecasts.views.ties import if_late


@app.command(cls=TakesNegativeValues)
def ask(
    title: Annotated[
        str | None,
        argument(
            "TITLE",
            "The question, in one sentence, with or without P: 'Will it rain tomorrow? 30%'. "
            "[default: the --draft's wording]",
        ),
    ] = None,
    value: Annotated[str | None, argument("P", "Your forecast, as for: forecasts update.")] = None,
    closes: Annotated[
        str | None,
        option(
            "TIME",
            "Last day (or time) to forecast: 2027-03-31, 'end of March', 'in 3 weeks'. "
            "[default: the date that the title or the --draft names]",
        ),
    ] = None,
    criteria: Annotated[
        str, option("TEXT", "Resolution criteria that a stranger could apply.")
    ] = "",
    background: Annotated[str, option("TEXT", "Context a forecaster needs.")] = "",
    fine_print: Annotated[str, option("TEXT", "Edge cases.")] = "",
    type_: Annotated[
        str | None,
        option(
            "binary|multiple_choice|numeric|date",
            "The question's type. [default: binary, or the --draft's]",
            "--type",
        ),
    ] = None,
    option: Annotated[
        list[str] | None, option("TEXT", "An option; repeat for each. Implies multiple_choice.")
    ] = None,
    ordered: Annotated[bool, flag("--ordered", "Treat the options as ordered.")] = False,
    lower: Annotated[str | None, option("VALUE", "Lower bound.")] = None,
    upper: Annotated[str | None, option("VALUE", "Upper bound.")] = None,
    unit: Annotated[str | None, option("TEXT", "Unit of a number.")] = None,
    opens: Annotated[str | None, option("TIME", "First time to forecast. [default: now]")] = None,
    resolves: Annotated[str | None, option("TIME", "When the outcome should be known.")] = None,
    family: Annotated[str, option("NAME", "Name shared by questions with related outcomes.")] = "",
    tag: Annotated[list[str] | None, option("TAG", "A tag; repeat for each.")] = None,
    slug: Annotated[
        str | None, option("ID", "ID for links and commands. [default: made from the title]")
    ] = None,
    article: Annotated[int | None, option("N", "Source article.")] = None,
    draft: Annotated[
        int | None, option("N", "Draft to use, as numbered by: forecasts articles N.")
    ] = None,
    quote: Annotated[str, option("TEXT", "Exact passage of the --article to cite.")] = "",
    outcomes: OutcomesFile = None,
    visible_to: VisibleTo = None,
    hide_crowd: Annotated[
        bool,
        flag(
            "--hide-crowd", "Hide others' forecasts from members until they forecast or it closes."
        ),
    ] = False,
) -> None:
    """Ask a question, or take an article's draft, and forecast it.

    forecasts ask "Will Trump and Xi meet by the end of March?" 30%
    """
    use_own_zone()
    moment = now()
    if option:
        type_ = QuestionType.multiple_choice
    if title is not None and type_ in (None, QuestionType.binary):
        title, value = _read_line(title, value, moment, is_binary=type_ is not None)
    elif title is not None:
        title = require_question_only(title)
    drafted = _draft(article, draft, quote)
    if not title and (drafted is None or title is not None):
        raise BadInput(
            "There is no question to register.",
            remedy='Write it, as in: forecasts ask "Will …?", or name the --draft of an --article.',
        )
    source = TextQuote(quote) if drafted is None else drafted.source
    close, phrase = _close(closes, title, drafted, draft, moment)
    kind: dict[str, Any] = {}
    if title is None and drafted is not None:
        title = drafted.question_by(close.date())
        kind = drafted.type_fields if type_ in (None, QuestionType.binary) else {}
    fields: dict[str, Any] = {
        "title": title,
        "type": type_ or QuestionType.binary,
        "options": option,
        "ordered": ordered,
        "lower_bound": _bound(lower, type_, moment, first=True),
        "upper_bound": _bound(upper, type_, moment),
        "unit": unit,
        "open_time": time_of(opens, moment=moment) or moment,
        "scheduled_close_time": close,
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
            assignments.attach(session, asked.question, "outcomes_file", path, member=who, now=at)
        name, audience = asked.question.slug, visibility.audience_label(session, asked.text)
    print_line(name)
    _note_if_missing(outcomes)
    after = next_step("update", name, "P") if given is None else next_step("show", name)
    print_note(f"{_understood(asked.text, given, phrase)} Next: {after}")
    if audience:
        print_note(f"Visible only to {audience}.")
    if given is not None and (extreme := certainty_warning(given)) is not None:
        print_note(f"Warning: {extreme}")
    if not asked.text.has_criteria:
        add = next_step("revise", name, criteria=FILL_IN)
        when = "Before others see it, write them" if asked.kept_private else "To write them"
        print_note(f"It has no resolution criteria. {when}: {add}")


def _note_if_missing(outcomes: Path | None) -> None:
    if outcomes is not None and not os.access(outcomes, os.R_OK):
        print_note(f"{outcomes} cannot be read yet. Runs need it to resolve the question.")


def _read_line(
    title: str, value: str | None, now: datetime, *, is_binary: bool
) -> tuple[str, str | None]:
    """Return the title and the forecast, which may follow it as in the app's one line.

    ``is_binary``: whatever the title seems to ask for.
    """
    line = read_line(title, now=now, zone=zone(), is_binary=is_binary)
    line.require_clear()
    if line.probability is None:
        return title, value
    if value is not None:
        raise BadInput(
            f"There are two forecasts: {line.probability} after the question, and {value}.",
            remedy="Leave one of them out.",
        )
    # A bare number is refused, as by itself; other forms are clear.
    is_bare = line.probability.isdecimal()
    return line.title, line.probability if is_bare else repr(read_percent_field(line.probability))


def _bound(
    typed: str | None, type_: str | None, now: datetime, *, first: bool = False
) -> str | None:
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
        raise BadInput("--draft and --quote both name the passage.", remedy="Use one of them.")
    if article is None:
        return None

    with reading_as() as (session, _, _):
        known = find_article(session, article)
        return None if number is None else find_draft(known, number)


def _close(
    closes: str | None, title: str | None, drafted: Draft | None, number: int | None, now: datetime
) -> tuple[datetime, str]:
    """Return the scheduled close, and the words of the title that it was read from, if it was.

    BadInput if none is given or named, or it has passed.
    """
    phrase = ""
    if closes is not None:
        found, named = read_date(closes, now=now, zone=zone()), f"--closes {closes}"
    elif title is not None and (limit := typed_deadline(title, now=now, zone=zone())):
        found, named, phrase = limit.moment, limit.phrase, limit.phrase
    elif drafted is None:
        raise BadInput(
            "The title names no last day of forecasting.",
            remedy="Add it: --closes 2027-03-31, or --closes 'in 3 weeks'.",
        )
    elif drafted.close_date is None:
        raise BadInput(
            f"Draft {number} gives no deadline: {shorten(drafted.quote, 120, placeholder=' …')!r}.",
            remedy="Add the last day of forecasting: --closes YYYY-MM-DD.",
        )
    else:
        day = drafted.close_date.isoformat()
        found, named = (
            read_date(day, now=now, zone=zone()),
            f"The deadline of draft {number}, {day},",
        )
    if found <= now:
        raise BadInput(
            f"{named} has passed: it is {when(now)} now.",
            remedy="Give a later day: --closes YYYY-MM-DD. To add questions that are over, use: "
            "forecasts import.",
        )
    return found, phrase


@app.command()
def revise(
    question: Annotated[
        str | None, argument("QUESTION", "The question's ID, or its number in the list.")
    ] = None,
    title: Annotated[str | None, option("TEXT", "New title.")] = None,
    criteria: Annotated[str | None, option("TEXT", "New resolution criteria.")] = None,
    background: Annotated[str | None, option("TEXT", "New background.")] = None,
    fine_print: Annotated[str | None, option("TEXT", "New fine print.")] = None,
    closes: Annotated[str | None, option("TIME", "New last day (or time) to forecast.")] = None,
    resolves: Annotated[
        str | None, option("TIME", "When the outcome should be known; '' clears it.")
    ] = None,
    option: Annotated[
        list[str] | None, option("TEXT", "Option to add before the last one; repeat for each.")
    ] = None,
    family: Annotated[str | None, option("NAME", "New family; '' for its own.")] = None,
    tag: Annotated[
        list[str] | None, option("TAG", "Replace the tags; repeat for each; '' for none.")
    ] = None,
    outcomes: OutcomesFile = None,
    visible_to: VisibleTo = None,
    team: Annotated[
        str | None, option("TEAM", "Give it to a team, whose resolvers resolve it; '' for none.")
    ] = None,
    hide_crowd: Annotated[
        bool | None,
        flag(
            "--hide-crowd/--show-crowd",
            "Hide or show others' forecasts before a member forecasts or the question closes.",
        ),
    ] = None,
    because: Because = "",
    all_of: Annotated[
        list[str] | None,
        option(
            "FIELD=VALUE",
            "Change all questions with this status, tag, family, team, type or platform: "
            "tag=trade, platform=spreadsheet. Repeat to narrow it down.",
            "--all-of",
        ),
    ] = None,
    replace: Annotated[
        bool, flag("--replace", "With --all-of and --criteria: also replace existing criteria.")
    ] = False,
    dry_run: DryRun = False,
) -> None:
    """Reword a question or change its dates. Earlier wordings are kept.

    forecasts revise --all-of tag=trade --visible-to Alder
    """
    given: dict[str, Any] = {
        "title": title,
        "resolution_criteria": criteria,
        "background": background,
        "fine_print": fine_print,
        "family": family,
        "crowd_hidden": hide_crowd,
    }
    fields = {name: value for name, value in given.items() if value is not None}
    if tag is not None:
        fields["tags"] = [word for word in tag if word] or None
    others = (closes, resolves, outcomes, visible_to, team)
    if not fields and not option and others == (None,) * len(others):
        raise BadInput("There is nothing to change.", remedy="See: forecasts revise --help.")
    if (question is None) == (all_of is None):
        raise BadInput(
            "A change is to one question, or to all questions of some kind.",
            remedy="Name a QUESTION, or give --all-of, as in --all-of tag=trade.",
        )
    if question is None and (title is not None or option or outcomes is not None):
        raise BadInput("--title, --option and --outcomes change one question only.")
    if question is not None and dry_run:
        raise BadInput("--dry-run belongs to --all-of.", remedy="Leave it out.")
    if replace and (question is not None or criteria is None):
        raise BadInput("--replace belongs to --all-of with --criteria.", remedy="Leave it out.")

    def chosen(session: Session, now: datetime) -> dict[str, Any]:
        given = fields | teams.visibility_fields(session, visible_to)
        if team is not None:
            owner = teams.team_fields(session, team)
            if given.get("team_id") not in (None, owner["team_id"]):
                raise BadInput(
                    f"A question that {visible_to} sees belongs to {visible_to}.",
                    remedy="Leave out --team, or name the same team twice.",
                )
            given |= owner
        if closes is not None:
            given["scheduled_close_time"] = time_of(closes, end_of_day=True, moment=now)
        if resolves is not None:
            resolved = time_of(resolves or None, end_of_day=True, moment=now)
            given["scheduled_resolve_time"] = resolved
        return given

    if question is None:
        _revise_all(all_of or [], chosen, because, replace=replace, dry_run=dry_run)
        return
    with acting() as (session, who, now):
        fields = chosen(session, now)
        found = registry.find(session, question)
        before = registry.newest_wording(session, found)
        if option:
            options = before.options or []
            fields["options"] = [*options[:-1], *option, *options[-1:]]
        if fields:
            after = revisions.revise(session, found, member=who, now=now, reason=because, **fields)
        lacking = updates.members_lacking_options(session, found, at=now) if option else []
        if outcomes is not None:
            path = {"path": str(outcomes)}
            assignments.attach(session, found, "outcomes_file", path, member=who, now=now)
        lines = list(changed(session, before, after)) if fields else []
        late = if_late(session, [found.slug], now=now) if family is not None else ""
    if fields:
        print_line(f"{question}: now wording {after.number}; earlier wordings are kept")
        print_lines((f"    {change}" for change in lines), style="dim")
        print_lines([late] if late else [])
    if lacking:
        forecasts = count(len(lacking), "current forecast predates", "current forecasts predate")
        last = (before.options or [""])[-1]
        print_line(
            f"{forecasts} a new option ({', '.join(lacking)}): until updated, the option has the "
            f"probability given to {last!r}."
        )
    if outcomes is not None:
        print_line(f"{question}: resolves from {outcomes}")
        _note_if_missing(outcomes)


_ALL_OF = ("status", "tag", "family", "team", "type", "platform")


def _revise_all(
    named: Sequence[str],
    chosen: Callable[[Session, datetime], dict[str, Any]],
    because: str,
    *,
    replace: bool,
    dry_run: bool,
) -> None:
    """Change all questions of some kind, or print the changes, and print each of them."""
    from forecasts.questions.search import STATUSES, Filter, find  # loads pandas

    conditions: dict[str, Any] = {}
    for pair in named:
        name, _, value = pair.partition("=")
        if name not in _ALL_OF or name in conditions or not value.strip():
            raise BadInput(
                f"--all-of {pair!r} does not name questions.",
                remedy=f"Write FIELD=VALUE; the fields, each at most once: {', '.join(_ALL_OF)}.",
            )
        conditions[name] = value.strip()
    if platform := conditions.get("platform"):
        conditions["platform"] = platform_named(platform)
    if status := conditions.get("status"):
        conditions["status"] = STATUSES[one_of("The status", status, list(STATUSES))]
    if type_ := conditions.get("type"):
        one_of("The type", type_, [str(known) for known in QuestionType])
    with previewing() if dry_run else acting() as (session, who, now):
        slugs, _ = find(session, Filter(**conditions), member=who, now=now)
        if not slugs:
            raise NotFound(f"No question has {' and '.join(named)}.")
        given = chosen(session, now)
        edit = (lambda _: given) if replace else revisions.keeping_criteria(given)
        filling = revisions.CRITERIA in given and not replace
        kept = revisions.criteria_kept(session, slugs, now=now) if filling else ""
        if dry_run:
            done = revisions.to_revise(session, slugs, edit, member=who, now=now)
        else:
            done = revisions.revise_all(session, slugs, edit, member=who, now=now, reason=because)
        lines = [(one.state.slug, list(changed(session, one.before, one.after))) for one in done]
    for slug, each in lines:
        print_line(f"{slug}:")
        print_lines((f"    {change}" for change in each), style="dim")
    would = "would be changed" if dry_run else "changed; earlier wordings are kept"
    print_line(f"{len(lines):,} of {count(len(slugs), 'question')} {would}")
    if kept:
        print_note(f"{kept} To replace them too: --replace")


@app.command()
def close(
    question: QuestionSlug,
    at: Annotated[
        str | None,
        option(
            "TIME",
            "Close as of this time: later forecasts do not count. A day means its start. "
            "[default: now]",
        ),
    ] = None,
    undo: Annotated[
        bool, flag("--undo", "Undo an early close and return to the schedule.")
    ] = False,
) -> None:
    """Close a question early. Resolve it once the outcome is known."""
    if undo and at is not None:
        raise BadInput("--at closes the question, and --undo reopens it; give only one of them.")
    with acting_on(question) as (session, found, who, now):
        if undo:
            text = revisions.reopen(session, found, member=who, now=now)
        else:
            time = time_of(at, past=True, moment=now) or now
            text = revisions.close(session, found, at=time, member=who, now=now)
    closes = "closed" if text.close_time <= now else "closes"
    print_line(f"{question}: {closes} at {when(text.close_time)}")


@app.command()
def discard(question: QuestionSlug, yes: Yes = False) -> None:
    """Discard your own question within a day of asking it.

    Only while nobody else has forecast it and it has no outcome. It disappears from every list,
    score and export; its rows stay in the history, which forecasts verify checks.
    """
    with reading_as() as (session, _, _):
        text = registry.newest_wording(session, registry.find(session, question))
    confirm(f"Discard {text.title!r}?", yes=yes)
    with acting_on(question) as (session, found, who, now):
        discards.discard(session, found, member=who, now=now)
        slug = found.slug
    print_line(f"{slug}: discarded")
    again = next_step("ask", text.title, closes=iso(text.scheduled_close_time))
    print_note(f"To ask it again: {again}")
