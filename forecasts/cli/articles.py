"""The commands that begin the journey: capture, articles."""

from __future__ import annotations

import sys
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from forecasts.cli import app
from forecasts.cli.console import (
    Database,
    Member,
    json_text,
    ledger,
    messages,
    now,
    one_of,
    out,
    plain,
    settings,
)
from forecasts.times import iso_day_or_time, read_time

if TYPE_CHECKING:
    from forecasts.articles.capture import CapturedArticle


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
    format_: Annotated[
        str, typer.Option("--format", metavar="text|json", help="How to print it.")
    ] = "text",
    database: Database = None,
    member: Member = None,
) -> None:
    """Store the articles of a page, and show the sentences that could become questions."""
    from forecasts.articles.capture import capture as capture_source
    from forecasts.articles.capture import capture_bytes

    one_of("--format", format_, ("text", "json"))
    chosen = settings(database, member)
    moment = now()
    seen = moment if captured_at is None else read_time(captured_at)
    if source == "-":
        captured = capture_bytes(sys.stdin.buffer.read(), captured_at=seen)
    else:
        captured = capture_source(
            source, captured_at=seen, allow_private=chosen.allow_private_addresses
        )
    if not dry_run:
        _store(captured, chosen, seen)
    if format_ == "json":
        sys.stdout.write(
            json_text({"articles": [_captured(article, seen) for article in captured]})
        )
        return
    for article in captured:
        _print_captured(article, seen)
    if dry_run:
        messages().print("Dry run: nothing was stored.")


def _store(captured: list[CapturedArticle], chosen: Any, seen: datetime) -> None:
    from forecasts.access import member_or_new
    from forecasts.articles.library import store
    from forecasts.database import writing

    moment = now()
    with writing(ledger(chosen)) as session:
        who = member_or_new(session, chosen.member, now=moment)
        stored = store(session, captured, member=who, captured_at=seen)
        lines = [
            f"{'Stored' if new else 'Already there'}: article {article.id}, {article.title}"
            for article, new in stored
        ]
    for line in lines:
        messages().print(plain(line))


def _captured(article: CapturedArticle, seen: datetime) -> dict[str, Any]:
    from forecasts.articles.drafts import draft_questions

    published = article.published_at
    return {
        "title": article.title,
        "publisher": article.publisher,
        "author": article.author,
        "published_at": None if published is None else iso_day_or_time(published),
        "url": article.url,
        "text": article.text,
        "drafts": [
            {
                "quote": draft.quote,
                "start": draft.start,
                "end": draft.end,
                "question": draft.question,
                "close_date": None if draft.close_date is None else draft.close_date.isoformat(),
            }
            for draft in draft_questions(article.text, published_at=(published or seen).date())
        ],
    }


def _print_captured(article: CapturedArticle, seen: datetime) -> None:
    shown = _captured(article, seen)
    console = out()
    known = [article.publisher, article.author, shown["published_at"], article.url]
    console.print(plain(article.title), style="bold")
    console.print(plain(" · ".join(part for part in known if part)), style="dim")
    console.print(f"{len(article.text.split())} words", style="dim")
    for number, draft in enumerate(shown["drafts"], 1):
        closes = f" (closes {draft['close_date']})" if draft["close_date"] else ""
        console.print(f"  {number}. {plain(draft['question'])}{closes}")
        console.print(f"     “{plain(' '.join(draft['quote'].split()))}”", style="dim")
    if not shown["drafts"]:
        console.print("  No sentence here looks ahead.", style="dim")
    console.print()


@app.command()
def articles(database: Database = None) -> None:
    """List the captured articles with their numbers, newest first."""
    from forecasts.articles.library import listing
    from forecasts.database import reading

    with reading(ledger(settings(database))) as session:
        rows = listing(session)
    if not rows:
        out().print("No articles. Capture one with: forecasts capture URL|FILE")
        return
    table = Table("number", "title", "publisher", "published", box=None, pad_edge=False)
    for article in rows:
        table.add_row(
            str(article.id),
            plain(article.title),
            plain(article.publisher or ""),
            iso_day_or_time(article.published_at) if article.published_at else "",
        )
    out().print(table)
