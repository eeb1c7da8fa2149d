"""The commands for news articles: capture, articles."""

from __future__ import annotations

import re
import sys
from collections.abc import Collection, Sequence
from datetime import date, datetime
from typing import Annotated, Any

from forecasts.access import teams
from forecasts.articles import library
from forecasts.articles.capture import capture as capture_source
from forecasts.articles.capture import capture_bytes
from forecasts.articles.drafts import Draft, drafts_of, find_draft
from forecasts.articles.library import find_article, store
from forecasts.cli.console import now, zone
from forecasts.cli.dates import time_of
from forecasts.cli.options import DryRun, TextOrJson, VisibleTo, argument, flag, option
from forecasts.cli.printing import (
    WRAPPED,
    print_line,
    print_lines,
    print_note,
    print_table,
    printed_json,
)
from forecasts.cli.root import app
from forecasts.cli.session import acting, next_step, reading_as, settings, use_own_zone
from forecasts.common.errors import FILL_IN, BadInput
from forecasts.common.limits import TEXT_BYTES
from forecasts.common.text import count, on_one_line
from forecasts.common.times import iso_day_or_time
from forecasts.ledger.models import Article
from forecasts.questions import passages, registry, same_questions
from forecasts.reading.article import CapturedArticle, content_hash
from forecasts.reading.drafting.strength import Strength
from forecasts.updates.ask import Asked, ask
from forecasts.values.typed_dates import read_date
from forecasts.views import articles as views


@app.command()
def capture(
    source: Annotated[
        str, argument("URL|FILE|-", "A web address, a file, or - for standard input.")
    ],
    captured_at: Annotated[
        str | None,
        option(
            "DATE", 'When you saw the page; "2 days ago" on it counts from then. [default: now]'
        ),
    ] = None,
    dry_run: DryRun = False,
    format_: TextOrJson = "text",
) -> None:
    """Capture a page's articles and list possible questions."""
    use_own_zone()
    moment = now()
    seen = time_of(captured_at, past=True, moment=moment) or moment
    left_out: list[str] = []
    given: dict[str, Any] = {"captured_at": seen, "notify": left_out.append}
    if source == "-":
        captured = capture_bytes(sys.stdin.buffer.read(TEXT_BYTES + 1), **given)
    else:
        allow_private = settings().allow_private_addresses
        captured = capture_source(source, allow_private=allow_private, **given)
    if dry_run:
        found = [library.as_row(article, captured_at=seen) for article in captured]
    else:
        found = _store(captured, seen)
    print_note(*left_out)
    documents = views.captured(found, left_out)
    if printed_json(format_, documents):
        return
    for document, article in zip(documents.articles, found, strict=True):
        _print_article(document, article.captured_at, moment.date())
        print_line("")
    if dry_run:
        print_note("Dry run: nothing was stored.")
    else:
        _print_next(found, moment.date())


def _store(captured: list[CapturedArticle], seen: datetime) -> list[Article]:
    """Return the articles as stored, after printing which of them are new."""
    with acting(begin=True) as (session, who, _):
        stored = store(session, captured, member=who, captured_at=seen)
    for read, (article, new) in zip(captured, stored, strict=True):
        line = f"{'Stored' if new else 'Already there'}: article {article.id}, {article.title}"
        if article.content_hash != content_hash(read):
            line += " (its page has changed since; the first capture is kept)"
        print_note(line)
    return [article for article, _ in stored]


def _print_article(
    one: views.ArticleDocument, captured_at: datetime, today: date, *, weak: bool = False
) -> None:
    """Print the article with its numbered drafts, the ``weak`` ones if wanted or if all are."""
    words = f"{len(one.text.split()):,} words"
    known = (one.publisher, one.author, one.published_at or "no date", one.url, words)
    print_line(f"Article {one.number}: {one.title}" if one.number else one.title, style="bold")
    print_line(" · ".join(part for part in known if part), style="dim")
    if one.drafts and one.published_at is None:
        day = f"{captured_at:%Y-%m-%d}"
        print_line(f"  Deadlines count from the day of capture, {day}.", style="dim")
    strong = [draft for draft in one.drafts if draft.strength != Strength.weak]
    shown = one.drafts if weak or not strong else strong
    for draft in shown:
        title = draft.question or "(no wording: write your own)"
        print_line(f"  {draft.number}. {title} ({_closing(draft.close_date, today)})")
        if draft.options:
            print_line(f"     options: {', '.join(draft.options)}")
        elif draft.type.is_quantitative:
            unit = f" {draft.unit}" if draft.unit else ""
            print_line(f"     number: {draft.lower_bound} to {draft.upper_bound}{unit}")
        if draft.strength == Strength.weak:
            print_line(f"     weak: {draft.reason}", style="dim")
        if draft.told:
            print_line(f"     the article may tell the outcome: “{on_one_line(draft.told)}”")
        print_line(f"     “{' '.join(draft.quote.split())}”", style="dim")
        print_lines(f"     already asked: {slug}" for slug in draft.asked)
        if draft.like and draft.like not in draft.asked:
            print_line(f"     like an existing question: {draft.like}")
    if len(shown) < len(one.drafts):
        numbers = ", ".join(str(draft.number) for draft in one.drafts if draft not in shown)
        where = f": forecasts articles {one.number} --all" if one.number else ""
        print_line(f"  Weaker drafts not shown ({numbers}){where}", style="dim")
    if not one.text:
        print_line("  Only its address is stored; there is no text.", style="dim")
    elif not one.drafts:
        print_line("  No possible questions here. Ask one of your own.", style="dim")


def _cells(one: Article) -> tuple[str, ...]:
    published = iso_day_or_time(one.published_at) if one.published_at else ""
    return str(one.id), one.title, one.publisher or "", published


def _closing(close_date: date | None, today: date) -> str:
    if close_date is None:
        return "no deadline in the text"
    return f"closes {close_date}" if close_date >= today else f"deadline {close_date} has passed"


def _print_next(found: Sequence[Article], today: date, asked: Collection[str] = ()) -> None:
    """Print the command that registers a draft, if possible a strong one with a deadline.

    ``asked``: sentences that have a question already.
    """
    drafts = [
        (article.id, number, draft)
        for article in found
        for number, draft in enumerate(drafts_of(article), 1)
        if draft.is_complete and draft.quote not in asked
    ]
    ahead = [one for one in drafts if one[2].close_date and one[2].close_date >= today]
    ready = [one for one in ahead if one[2].strength is Strength.strong and not one[2].told]
    if drafts:
        article, number, _ = (ready or ahead or drafts)[0]
        title, options = [], {"article": str(article), "draft": str(number)}
    else:
        article = found[0].id
        title, options = ["Will …?"], {"article": str(article)}
    if not ahead:
        options["closes"] = "YYYY-MM-DD"
    print_note(f"Next: {next_step('ask', *title, **options, criteria=FILL_IN)}")
    several = [str(number) for of, number, _ in ready if of == article]
    if len(several) > 1:
        step = next_step("articles", str(article), register=",".join(several))
        print_note(f"Or several: {step}")


@app.command()
def articles(
    number: Annotated[int | None, argument("NUMBER", "Show this article and its drafts.")] = None,
    text: Annotated[bool, flag("--text", "Print the article's full text too.")] = False,
    everything: Annotated[bool, flag("--all", "Print weak drafts too.")] = False,
    register: Annotated[
        str | None,
        option(
            "1,3|all", "Register these drafts, or all strong ones that are new and have a deadline."
        ),
    ] = None,
    visible_to: VisibleTo = None,
    format_: TextOrJson = "text",
) -> None:
    """List captured articles, or show one and register its drafts."""
    if register is not None:
        made = _register(number, register, visible_to)
        names = [asked.question.slug for asked in made]
        if printed_json(format_, {"registered": names}):
            return
        print_lines(names)
        print_note(f"Registered {count(len(names), 'question')}.")
        if any(asked.kept_private for asked in made):
            add = next_step("revise", names[0], criteria=FILL_IN)
            print_note(f"Only you see a question until it has criteria: {add}")
        binary = [asked.question.slug for asked in made if asked.text.type == "binary"]
        words = ("update", binary[0], "30%") if binary else ("show", names[0])
        print_note(f"Next: {next_step(*words)}")
        return
    with reading_as() as (session, _, now):
        if number is None:
            rows = library.listing(session)
            articles = map(views.article, rows)
            if printed_json(format_, lambda: views.ArticleList(articles=list(articles))):
                return
            if not rows:
                print_line("No articles. Capture one with: forecasts capture URL|FILE")
                return
            columns = {"number": {}, "title": WRAPPED, "publisher": {}, "published": {}}
            print_table(columns, map(_cells, rows))
            return
        article = library.find_article(session, number)
        document = views.document(session, article, now=now)
    if printed_json(format_, views.Captured(articles=[document], left_out=[])):
        return
    _print_article(document, article.captured_at, now.date(), weak=everything)
    if text:
        print_line(f"\n{article.text}")
    asked = {one.quote for one in document.drafts if one.asked}
    _print_next([article], now.date(), asked)


def _register(number: int | None, wanted: str, visible_to: str | None) -> list[Asked]:
    """Return the new questions; all of them are registered or none."""
    if number is None:
        raise BadInput(
            "--register needs the number of an article.",
            remedy="List the articles: forecasts articles.",
        )
    with acting() as (session, who, now):
        article = find_article(session, number)
        numbers = _numbers(wanted) or same_questions.ready_drafts(session, article, now=now)
        audience = teams.visibility_fields(session, visible_to)
        made = []
        for draft, last_day in _complete(article, numbers):
            close = read_date(last_day.isoformat(), now=now, zone=zone())
            fields = {"title": draft.question, **draft.type_fields, **audience}
            text = registry.question_text(open_time=now, scheduled_close_time=close, **fields)
            passage = passages.find_passage(session, number, draft.source)
            chosen = visible_to is not None
            made.append(
                ask(session, text, member=who, now=now, sources=[passage], audience_chosen=chosen)
            )
        return made


def _numbers(wanted: str) -> list[int]:
    """Return the numbers in "1,3"; none for "all"."""
    if wanted == "all":
        return []
    if not re.fullmatch(r"\d+(\s*,\s*\d+)*", wanted):
        raise BadInput(
            f"--register {wanted!r} names no drafts.",
            remedy="Give their numbers, as in --register 1,3, or --register all.",
        )
    return list(dict.fromkeys(int(word) for word in wanted.split(",")))


def _complete(article: Article, numbers: Sequence[int]) -> list[tuple[Draft, date]]:
    """Return these drafts with their last days; BadInput if one of them lacks something."""
    if not numbers:
        raise BadInput(
            f"Article {article.id} has no new strong draft with a deadline.",
            remedy=f"Choose drafts by number: forecasts articles {article.id} --all.",
        )
    found = []
    for number in numbers:
        draft = find_draft(article, number)
        if draft.close_date is None or not draft.is_complete:
            lacks = "deadline" if draft.is_complete else "complete wording"
            raise BadInput(
                f"Draft {number} has no {lacks}.",
                remedy=f'Register it by itself: forecasts ask "Will …?" --article {article.id} '
                f"--draft {number} --closes YYYY-MM-DD.",
            )
        found.append((draft, draft.close_date))
    return found
