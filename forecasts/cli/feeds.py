"""The commands for feeds: feed add, list, pause, resume, keep, remove, read."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Annotated

import typer
from sqlalchemy import Engine

from forecasts.access.roles import is_shared_ledger
from forecasts.articles.library import require_capture
from forecasts.cli.console import now, one_of, when
from forecasts.cli.options import TextOrJson, argument, option
from forecasts.cli.outputs import progress_bar
from forecasts.cli.printing import print_line, print_note, printed_json
from forecasts.cli.root import group
from forecasts.cli.session import acting, ledger, reading_as, settings
from forecasts.common.errors import LedgerError
from forecasts.common.settings import Settings
from forecasts.common.text import count, cut
from forecasts.ledger.clock import ledger_clock
from forecasts.ledger.models import FeedKeep
from forecasts.news import feeds, reading, sources

feed = group("feed", help="Manage your feeds of articles. See docs/news.md.")

_LISTS = {FeedKeep.all: "all articles", FeedKeep.matched: "only articles on open questions"}
Named = Annotated[str, argument("FEED", "The feed's number in your list, its address or title.")]


@feed.command()
def add(
    places: Annotated[
        list[str],
        argument(
            "ADDRESS|PATH...",
            "A feed or a site, an OPML file of feeds, a folder of articles, a maildir, or a file.",
        ),
    ],
    title: Annotated[str | None, option("TITLE", "List it by this title.")] = None,
) -> None:
    """Add feeds. The next forecasts run reads them, or forecasts feed read at once.

    A site's address leads to its feed. A folder is watched for new files: PDF, text, HTML, e-mail.
    """
    chosen = settings()
    with acting(begin=True) as (session, who, moment):
        require_capture(session, who, now=moment)  # before anything is fetched
        shared = is_shared_ledger(session)
    problems: list[LedgerError] = []
    for place in places:
        try:
            found = sources.find_feeds(
                place,
                now=now(),
                allow_private=chosen.allow_private_addresses,
                shared=shared,
            )
            with acting() as (session, who, moment):
                added = feeds.add_all(
                    session,
                    found,
                    title=title or "",
                    member=who,
                    now=moment,
                    allow_private=chosen.allow_private_addresses,
                )
                lines = [
                    f"{one.title}{'' if is_new else ' (already added)'}"
                    for one, is_new in added.feeds
                ]
            if len(places) == len(found) == len(added.refused) == 1:
                raise added.refused[0][1]
        except LedgerError as error:
            if len(places) == 1:
                raise
            problems.append(error)
            print_note(f"{place}: {error}")
            continue
        for line in lines:
            print_line(line)
        for address, refused in added.refused:
            problems.append(refused)
            print_note(f"{cut(address, 200)}: {refused}")
    if problems:
        raise typer.Exit(problems[0].exit_code)
    print_note("Read them now: forecasts feed read")


@feed.command("list")
def list_(format_: TextOrJson = "text") -> None:
    """List your feeds, when they were read, and why one could not be."""
    with reading_as() as (session, who, _):
        listed = feeds.listing(session, member=who)
    if printed_json(format_, listed):
        return
    if not listed:
        print_note("You have no feeds. Add one: forecasts feed add ADDRESS")
    for one in listed:
        print_line(f"{one.number}. {one.title}")
        print_line(f"   {one.address}")
        read = "not read yet" if one.read_at is None else f"read {when(one.read_at)}"
        state = "paused, " if one.paused else ""
        only = ", lists only those on open questions" if one.keep is FeedKeep.matched else ""
        print_line(f"   {state}{read}, {count(one.articles, 'article')}{only}")
        if one.reason:
            print_line(f"   {one.reason}")


@feed.command()
def pause(name: Named) -> None:
    """Pause a feed: it is not read until you resume it."""
    with acting() as (session, who, moment):
        print_line(f"{feeds.pause(session, name, member=who, now=moment).title}: paused")


@feed.command()
def resume(name: Named) -> None:
    """Resume a paused feed, or try a failed one again in the next run."""
    with acting() as (session, who, moment):
        print_line(f"{feeds.resume(session, name, member=who, now=moment).title}: resumed")


@feed.command()
def keep(
    name: Named,
    which: Annotated[
        str, argument("all|matched", "List all of its articles, or only those on open questions.")
    ],
) -> None:
    """Choose the articles of a feed that the inbox lists. The others stay in the ledger."""
    chosen = FeedKeep(one_of("all|matched", which, [*FeedKeep]))
    with acting() as (session, who, moment):
        title = feeds.keep(session, name, chosen, member=who, now=moment).title
    print_line(f"{title}: lists {_LISTS[chosen]}")


@feed.command()
def remove(name: Named) -> None:
    """Remove a feed. Its articles are kept."""
    with acting() as (session, who, moment):
        print_line(f"{feeds.remove(session, name, member=who, now=moment)}: removed")


@feed.command()
def read(
    name: Annotated[
        str | None,
        argument("[FEED]", "Only this one of your feeds, by its number, address or title."),
    ] = None,
) -> None:
    """Read your feeds now, and other members' feeds that are due.

    A forecasts run reads each feed every half hour at most. Exit code 1 if one could not be read.
    """
    chosen = settings()
    with acting() as (session, who, moment):
        if not reading.make_due(session, name, member=who, now=moment):
            print_note("You have no feeds. Add one: forecasts feed add ADDRESS")
    engine = ledger(chosen)
    clock = ledger_clock(engine, now)
    if read_feeds(engine, chosen, clock(), clock, lambda: False).problems:
        raise typer.Exit(1)


def read_feeds(
    engine: Engine,
    chosen: Settings,
    moment: datetime,
    clock: Callable[[], datetime],
    stop: Callable[[], bool],
    *,
    shown: bool = True,
) -> reading.Summary:
    """Return the results of reading the due feeds; print the number of articles and problems."""
    with progress_bar("read", "feeds", shown=shown) as show:
        done = 0

        def on_result(result: reading.Result) -> None:
            nonlocal done
            done += 1
            show(done)
            if result.problem:
                print_note(f"{result.title}: {result.problem}")

        summary = reading.read_due(
            engine,
            now=moment,
            clock=clock,
            on_start=lambda due: show(0, due),
            on_result=on_result,
            stop=stop,
            allow_private=chosen.allow_private_addresses,
        )
    if summary.results and shown:
        read, new = count(len(summary.results), "feed"), count(summary.articles, "new article")
        print_line(f"{read} read, {new}")
    return summary
