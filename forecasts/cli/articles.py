"""The commands that begin the journey: capture, articles."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from forecasts.cli.console import (
    Database,
    Member,
    acting,
    json_text,
    ledger,
    messages,
    now,
    one_of,
    out,
    printable,
    reading_as,
    settings,
)
from forecasts.cli.next_step import next_step
from forecasts.cli.root import app
from forecasts.common.times import iso_day_or_time, read_time

if TYPE_CHECKING:
    from forecasts.articles.article import CapturedArticle
    from forecasts.ledger.models import Article

Format = Annotated[str, typer.Option("--format", metavar="text|json", help="How to print it.")]


@app.command()
def capture(
    source: Annotated[
        str, typer.Argument(metavar="URL|FILE|-", help="A web address, a file, or - for input.")
    ],
    captured_at: Annotated[
        str | None,
        typer.Option(
            "--captured-at",
            metavar="DATE",
            help='When the page was seen; "2 days ago" counts from it. [default: now]',
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Store nothing; show what would be stored.")
    ] = False,
    format_: Format = "text",
    database: Database = None,
    member: Member = None,
) -> None:
    """Store the articles of a page, and show the sentences that could become questions."""
    from forecasts.articles import library
    from forecasts.articles.capture import capture as capture_source
    from forecasts.articles.capture import capture_bytes
    from forecasts.common.limits import TEXT_BYTES

    one_of("--format", format_, ("text", "json"))
    chosen = settings(database, member)
    moment = now()
    seen = moment if captured_at is None else read_time(captured_at, now=moment)
    left_out: list[str] = []
    if source == "-":
        captured = capture_bytes(
            sys.stdin.buffer.read(TEXT_BYTES + 1), captured_at=seen, tell=left_out.append
        )
    else:
        captured = capture_source(
            source,
            captured_at=seen,
            allow_private=chosen.allow_private_addresses,
            tell=left_out.append,
        )
    if dry_run:
        found = [library.row_of(article, captured_at=seen) for article in captured]
    else:
        found = _store(captured, chosen, seen)
    for sentence in left_out:
        messages().print(printable(sentence))
    if format_ == "json":
        sys.stdout.write(json_text({"articles": [_as_json(article) for article in found]}))
        return
    for article in found:
        _print_article(article, moment.date())
        out().print()
    if dry_run:
        messages().print("Dry run: nothing was stored.")
    else:
        _print_next(found, moment.date(), database, member)


def _store(captured: list[CapturedArticle], chosen: Any, seen: datetime) -> list[Article]:
    """Return the articles as they stand in the ledger, after saying which of them are new."""
    from forecasts.articles.article import content_hash
    from forecasts.articles.library import store
    from forecasts.ledger.database import writing

    moment = now()
    with writing(ledger(chosen, begin=True)) as session:
        who = acting(session, chosen, now=moment)
        stored = store(session, captured, member=who, captured_at=seen)
    for read, (article, new) in zip(captured, stored, strict=True):
        line = f"{'Stored' if new else 'Already there'}: article {article.id}, {article.title}"
        if article.content_hash != content_hash(read):
            line += " (its page has changed since; the first capture stays)"
        messages().print(printable(line))
    return [article for article, _ in stored]


def _as_json(article: Article) -> dict[str, Any]:
    from forecasts.articles.library import drafts_of

    published = article.published_at
    return {
        "number": article.id,
        "title": article.title,
        "publisher": article.publisher,
        "author": article.author,
        "published_at": None if published is None else iso_day_or_time(published),
        "url": article.url,
        "text": article.text,
        "drafts": [
            {
                "number": number,
                "quote": draft.quote,
                "start": draft.start,
                "end": draft.end,
                "question": draft.question,
                "close_date": None if draft.close_date is None else draft.close_date.isoformat(),
            }
            for number, draft in enumerate(drafts_of(article), 1)
        ],
    }


def _print_article(
    article: Article, today: date, asked: dict[str, list[str]] | None = None
) -> None:
    """Print the article with its numbered drafts; ``asked`` holds the slugs of each quote."""
    from forecasts.articles.library import drafts_of

    console = out()
    published = article.published_at
    known = [
        article.publisher,
        article.author,
        iso_day_or_time(published) if published else "no date",
        article.url,
        f"{len(article.text.split()):,} words",
    ]
    title = article.title if article.id is None else f"Article {article.id}: {article.title}"
    console.print(printable(title), style="bold")
    console.print(printable(" · ".join(part for part in known if part)), style="dim")
    drafts = drafts_of(article)
    if drafts and published is None:
        console.print(
            f"  Deadlines count from the day of capture, {article.captured_at:%Y-%m-%d}.",
            style="dim",
        )
    for number, draft in enumerate(drafts, 1):
        closes = _closing(draft.close_date, today)
        console.print(f"  {number}. {printable(draft.question)} ({closes})")
        console.print(f"     “{printable(' '.join(draft.quote.split()))}”", style="dim")
        for slug in (asked or {}).get(draft.quote, ()):
            console.print(f"     asked already: {printable(slug)}")
    if not article.text:
        console.print("  Only its address is known: there is no text to read.", style="dim")
    elif not drafts:
        console.print("  No sentence here looks ahead; ask a question of your own.", style="dim")


def _closing(close_date: date | None, today: date) -> str:
    if close_date is None:
        return "no deadline in the text"
    ahead = close_date >= today
    return f"closes {close_date}" if ahead else f"its deadline {close_date} has passed"


def _print_next(
    found: Sequence[Article], today: date, database: str | None, member: str | None
) -> None:
    """Print the command that makes a question, of the first draft that needs no more if any."""
    from forecasts.articles.library import drafts_of

    drafts = [
        (article.id, number, draft.close_date)
        for article in found
        for number, draft in enumerate(drafts_of(article), 1)
    ]
    ready = [(a, n, day) for a, n, day in drafts if day is not None and day >= today]
    if drafts:
        article, number, _ = (ready or drafts)[0]
        step = f"ask --article {article} --draft {number}"
        closes = "" if ready else " --closes YYYY-MM-DD"
    else:
        step, closes = f'ask "Will …?" --article {found[0].id}', " --closes YYYY-MM-DD"
    step += f'{closes} --criteria "…"'
    messages().print(printable(f"Next: {next_step(step, database=database, member=member)}"))


@app.command()
def articles(
    number: Annotated[
        int | None,
        typer.Argument(metavar="[NUMBER]", help="Show this article with its drafts."),
    ] = None,
    text: Annotated[
        bool, typer.Option("--text", help="Print the whole text of that article as well.")
    ] = False,
    database: Database = None,
) -> None:
    """List the captured articles, newest first, or show one with its numbered drafts."""
    from forecasts.articles import library
    from forecasts.questions import sources

    moment = now()
    with reading_as(settings(database)) as (session, _):
        if number is None:
            _print_list(library.listing(session))
            return
        article = library.article_numbered(session, number)
        asked: dict[str, list[str]] = {}
        for source, state in sources.questions_from(session, article, now=moment):
            asked.setdefault(source.quote, []).append(state.slug)
    _print_article(article, moment.date(), asked)
    if text:
        out().print(printable(f"\n{article.text}"))
    _print_next([article], moment.date(), database, None)


def _print_list(rows: Sequence[Article]) -> None:
    if not rows:
        out().print("No articles. Capture one with: forecasts capture URL|FILE")
        return
    table = Table("number", "title", "publisher", "published", box=None, pad_edge=False)
    for article in rows:
        table.add_row(
            str(article.id),
            printable(article.title),
            printable(article.publisher or ""),
            iso_day_or_time(article.published_at) if article.published_at else "",
        )
    out().print(table)
