"""Reading the feeds that are due, each by one run at a time, and storing their new entries once.

Any number of runs may work at the same time, and each may be killed at any moment: a feed belongs
to one run at a time (``ledger.leases``), and everything that a run writes about a feed it writes in
one transaction, provided that it still holds the claim. Sources are read side by side, outside any
transaction, since most of that time is spent waiting for servers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Engine, and_
from sqlmodel import Session, col, select

from forecasts.access.roles import Action, is_shared_ledger, require
from forecasts.articles import library
from forecasts.common.errors import DatabaseError, LedgerError
from forecasts.common.permitted_sources import is_page
from forecasts.common.text import count, cut
from forecasts.common.web import Version
from forecasts.ledger.append import written
from forecasts.ledger.current import in_order
from forecasts.ledger.database import give_way, reading
from forecasts.ledger.leases import Leases, pause_after
from forecasts.ledger.models import Feed, FeedEntry, Member
from forecasts.news import matches, stories
from forecasts.news.feeds import find
from forecasts.news.sources import Read, read_source
from forecasts.reading.feed_files import Entry

EVERY = timedelta(minutes=30)  # between two readings of a feed
BATCH = 48  # feeds claimed at once
AT_ONCE = 12  # sources read side by side
MOST_ATTEMPTS = 8  # killed runs in a row, after which a feed waits a day


@dataclass(frozen=True)
class Result:
    """The result of reading one feed: its new entries, and of those the new articles.

    ``problem``: why it was not read, or which of its files were not, with the remedy; blank if all
    is well.
    """

    title: str
    entries: int = 0
    articles: int = 0
    problem: str = ""


@dataclass
class Summary:
    """The results of a run over the feeds that were ``due``."""

    due: int = 0
    results: list[Result] = field(default_factory=list)

    @property
    def articles(self) -> int:
        """The number of new articles."""
        return sum(one.articles for one in self.results)

    @property
    def problems(self) -> int:
        """The number of feeds that were not read, or not wholly."""
        return sum(bool(one.problem) for one in self.results)


def read_due(
    engine: Engine,
    *,
    now: datetime,
    clock: Callable[[], datetime] | None = None,
    on_start: Callable[[int], None] = lambda _: None,
    on_result: Callable[[Result], None] = lambda _: None,
    stop: Callable[[], bool] = lambda: False,
    allow_private: bool = False,
    member: Member | None = None,
) -> Summary:
    """Return the results of reading every due feed, each read once in this run.

    ``member``: only theirs, so that they see no others' addresses and wait for none.

    A failure is tried again later and later, at least daily. A DatabaseError ends the run, any
    other error only its feed. At the end the new articles' stories and matches are stored.
    """
    leases = Leases(engine, Feed, clock or (lambda: now))
    is_due = (
        _is_due(now) if member is None else and_(_is_due(now), col(Feed.member_id) == member.id)
    )
    with reading(engine) as session:
        due = len(session.exec(leases.free(is_due)).all())
        shared = is_shared_ledger(session)
    summary = Summary(due)
    if due:
        on_start(due)
    try:
        while due and not stop():
            ids = leases.claim(is_due, BATCH)
            if not ids:
                break
            with reading(engine) as session:
                batch = in_order(session, Feed, col(Feed.id).in_(ids))
            for result in _batch(leases, batch, now, allow_private, shared, stop):
                summary.results.append(result)
                on_result(result)
    finally:
        leases.release()
    stories.catch_up(engine, clock=leases.clock, now=now)
    matches.catch_up_apart(engine, clock=leases.clock, now=now)
    return summary


def make_due(session: Session, name: str | None, *, member: Member, now: datetime) -> int:
    """Return the number of the member's feeds that the next run reads: one by name, or all.

    A paused feed is left out, unless it is named. Forbidden for a member who may not store
    articles.
    """
    require(session, member, Action.capture, now=now)
    if name is not None:
        feeds = [find(session, name, member=member)]
    else:
        kept = col(Feed.removed_at).is_(None), col(Feed.paused_at).is_(None)
        feeds = list(session.exec(select(Feed).where(Feed.member_id == member.id, *kept)).all())
    for feed in feeds:
        feed.next_at, feed.paused_at = now, None
        written(session, feed)
    return len(feeds)


def _is_due(now: datetime) -> ColumnElement[bool]:
    gone, paused = col(Feed.removed_at), col(Feed.paused_at)
    return and_(col(Feed.next_at) <= now, gone.is_(None), paused.is_(None))


def _batch(
    leases: Leases[Feed],
    batch: Sequence[Feed],
    now: datetime,
    allow_private: bool,
    shared: bool,
    stop: Callable[[], bool],
) -> Iterator[Result]:
    known = _known(leases.engine, batch)

    def read(feed: Feed) -> Read | Exception:
        if stop():
            return _stopped()
        try:
            return read_source(
                feed.address,
                version=Version(feed.etag, feed.last_modified),
                known=known.get(feed.id, ()),
                now=now,
                allow_private=allow_private,
                shared=shared,
            )
        except Exception as error:  # one bad feed never stops the others
            return error

    with ThreadPoolExecutor(AT_ONCE) as pool:
        reads = {}
        for feed in batch:
            if feed.attempts >= MOST_ATTEMPTS and feed.claimed_by and _was_killed(feed):
                result = _record(leases, feed, _deadly(feed), now)
                if result is not None:
                    yield result
                continue
            reads[pool.submit(read, feed)] = feed
        for done in as_completed(reads):
            feed = reads.pop(done)  # with its document, which is no longer needed then
            answer = done.result()
            if isinstance(answer, _Stopped):
                continue
            result = _record(leases, feed, answer, now)
            give_way(leases.engine)
            if result is not None:
                yield result


class _Stopped(Exception):
    """The run was stopped before this feed was read."""


def _stopped() -> Exception:
    return _Stopped()


def _was_killed(feed: Feed) -> bool:
    return not feed.reason


def _deadly(feed: Feed) -> LedgerError:
    return LedgerError(
        f"{feed.attempts} runs ended while they read this feed.",
        remedy="Remove it, or open its address in a browser.",
    )


def _known(engine: Engine, batch: Sequence[Feed]) -> dict[int, set[str]]:
    """Return the keys of the entries so far, by feed, of the folders among these feeds."""
    folders = [feed.id for feed in batch if not is_page(feed.address)]
    found: dict[int, set[str]] = {}
    if folders:
        with reading(engine) as session:
            for id_, key in session.exec(
                select(FeedEntry.feed_id, FeedEntry.key).where(col(FeedEntry.feed_id).in_(folders))
            ):
                found.setdefault(id_, set()).add(key)
    return found


def _record(
    leases: Leases[Feed], feed: Feed, answer: Read | Exception, now: datetime
) -> Result | None:
    """Return the result, which is written; None if the feed was removed or claimed by another."""
    try:
        with leases.writing() as session:
            return _write(session, leases, feed, answer, now)
    except DatabaseError:
        raise
    except Exception as error:  # such as a member who may no longer store articles
        with leases.writing() as session:
            return _write(session, leases, feed, error, now)


def _write(
    session: Session, leases: Leases[Feed], feed: Feed, answer: Read | Exception, now: datetime
) -> Result | None:
    held = leases.held(session, [feed.id])
    if not held or held[0].removed_at is not None:
        return None
    [row] = held
    row.claimed_by = row.claimed_until = None
    if isinstance(answer, Exception):
        row.attempts += 1
        row.next_at = now + pause_after(row.attempts)
        row.reason = _in_words(answer)
        written(session, row)
        return Result(row.title, problem=row.reason)
    entries, articles = _store(session, row, answer.document.entries, now)
    row.etag, row.last_modified = answer.version.etag, answer.version.last_modified
    row.attempts, row.read_at, row.next_at = 0, now, now + EVERY
    row.reason = _of_files(answer.problems)
    written(session, row)
    return Result(row.title, entries, articles, row.reason)


def _store(
    session: Session, feed: Feed, entries: Sequence[Entry], now: datetime
) -> tuple[int, int]:
    """Return the number of new entries and of new articles, which are written."""
    keys = [entry.key for entry in entries]
    there = select(FeedEntry.key).where(FeedEntry.feed_id == feed.id, col(FeedEntry.key).in_(keys))
    known = set(session.exec(there).all())
    fresh = [entry for entry in entries if entry.key not in known]
    if not fresh:
        return 0, 0
    member = session.get(Member, feed.member_id)
    assert member is not None
    stored = library.store(session, [e.article for e in fresh], member=member, captured_at=now)
    session.add_all(
        FeedEntry(feed_id=feed.id, key=entry.key, article_id=article.id, recorded_at=now)
        for entry, (article, _) in zip(fresh, stored, strict=True)
    )
    session.flush()
    return len(fresh), sum(is_new for _, is_new in stored)


def _in_words(error: Exception) -> str:
    if isinstance(error, LedgerError):
        return cut(str(error), 500)
    return f"It could not be read ({type(error).__name__}). It is read again later."


def _of_files(problems: Sequence[str]) -> str:
    if not problems:
        return ""
    more = f" And {count(len(problems) - 1, 'more file')}." if len(problems) > 1 else ""
    return cut(problems[0], 400) + more
