"""A member's feeds: add, list, change, pause and remove. Nobody else sees or changes them.

Their articles are in the ledger's library, as if the member had captured them: everyone who may
read the ledger sees them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, func, select

from forecasts.access.roles import Action, require, require_scope
from forecasts.access.visibility import evidence_visible
from forecasts.common.errors import BadInput, CaptureError, LedgerError, NotFound, Refused
from forecasts.common.limits import require_name
from forecasts.common.permitted_sources import is_page
from forecasts.common.text import cut
from forecasts.common.web import checked_url
from forecasts.ledger.append import written
from forecasts.ledger.current import in_order
from forecasts.ledger.models import Evidence, Feed, FeedEntry, FeedKeep, Member
from forecasts.news.sources import Found

MOST_FEEDS = 1_000  # of one member


@dataclass(frozen=True)
class FeedInfo:
    """A feed as its member sees it.

    ``number``: its place in the list of their feeds, by which commands name it. ``articles``: the
    entries that became articles, of ``entries`` read so far. ``reason``: why the newest reading
    failed; blank if it did not.
    """

    number: int
    address: str
    title: str
    keep: FeedKeep
    paused: bool
    entries: int
    articles: int
    read_at: datetime | None
    next_at: datetime | None
    failures: int
    reason: str


def add(
    session: Session,
    address: str,
    *,
    title: str = "",
    keep: FeedKeep = FeedKeep.all,
    member: Member,
    now: datetime,
    allow_private: bool = False,
) -> tuple[Feed, bool]:
    """Return the member's feed and whether it is new; it is written, and due at once.

    ``address``: of a feed, or the path of a file or a folder (see ``sources.find_feeds``). Refused
    for more than ``MOST_FEEDS``; CaptureError for an address that must not be fetched; Forbidden
    for a member who may not store articles.
    """
    require(session, member, Action.capture, now=now)
    own = _own(session, member)
    return _added(session, own, address, title, keep, member, now, allow_private)


@dataclass(frozen=True)
class Added:
    """The feeds of a list that the member has now, each with whether it is new.

    ``refused``: the addresses of the others, each with the reason.
    """

    feeds: list[tuple[Feed, bool]]
    refused: list[tuple[str, LedgerError]]


def add_all(
    session: Session,
    found: Sequence[Found],
    *,
    title: str = "",
    member: Member,
    now: datetime,
    allow_private: bool = False,
) -> Added:
    """Return the member's feeds at these addresses, which are written, due at once.

    ``title``: of all, instead of their own. A bad address does not refuse the others. Forbidden as
    by ``add``.
    """
    require(session, member, Action.capture, now=now)
    own, added = _own(session, member), Added([], [])
    for one in found:
        try:
            # A document of the web may name a file of this machine; nobody has chosen that.
            if one.listed and not is_page(one.address):
                raise BadInput(
                    f"Only web addresses can be in a list of feeds, got {cut(one.address, 200)!r}.",
                    remedy="Add a file or a folder by itself.",
                )
            named = title or one.title
            how = FeedKeep.all, member, now, allow_private
            added.feeds.append(_added(session, own, one.address, named, *how))
        except (BadInput, CaptureError, Refused) as error:
            added.refused.append((one.address, error))
    return added


def _added(
    session: Session,
    own: list[Feed],
    address: str,
    title: str,
    keep: FeedKeep,
    member: Member,
    now: datetime,
    allow_private: bool,
) -> tuple[Feed, bool]:
    """Do as ``add`` does; a new feed is put into ``own``."""
    address = address.strip()
    require_name(address, "The address of the feed")
    if is_page(address):
        address = str(checked_url(address, allow_private=allow_private))
    for feed in own:
        if feed.address == address:
            return feed, False
    if len(own) >= MOST_FEEDS:
        raise Refused(
            f"You have {MOST_FEEDS:,} feeds, and no more are allowed.", remedy="Remove one."
        )
    feed = Feed(
        member_id=member.id,
        address=address,
        title=cut(" ".join(title.split()), 200) or address,
        keep=keep,
        next_at=now,
        recorded_at=now,
    )
    own.append(written(session, feed))
    return feed, True


def listing(session: Session, *, member: Member | None) -> list[FeedInfo]:
    """Return the member's feeds in the order they were added. Takes two SQL statements."""
    own = _own(session, member)
    counts = {
        id_: (entries, articles)
        for id_, entries, articles in session.exec(
            select(FeedEntry.feed_id, func.count(), func.count(col(FeedEntry.article_id)))
            .where(col(FeedEntry.feed_id).in_([feed.id for feed in own]))
            .group_by(col(FeedEntry.feed_id))
        )
    }
    return [
        FeedInfo(
            number,
            feed.address,
            feed.title,
            FeedKeep(feed.keep),
            feed.paused_at is not None,
            *counts.get(feed.id, (0, 0)),
            feed.read_at,
            None if feed.paused_at else feed.next_at,
            feed.attempts,
            feed.reason,
        )
        for number, feed in enumerate(own, start=1)
    ]


def of_evidence(session: Session, *, member: Member | None) -> dict[str, str]:
    """Return the title of the member's feed that brought it, by the key of a piece of evidence.

    Of several feeds, the first one that did.
    """
    if member is None:
        return {}
    brought = (
        select(Evidence.key, Feed.title)
        .join(FeedEntry, col(FeedEntry.article_id) == col(Evidence.article_id))
        .join(Feed, col(Feed.id) == col(FeedEntry.feed_id))
        .where(Feed.member_id == member.id, col(Feed.removed_at).is_(None))
        .where(evidence_visible(session))
        .order_by(col(FeedEntry.id).desc())
    )
    return dict(session.exec(brought).all())


def pause(session: Session, name: str, *, member: Member, now: datetime) -> Feed:
    """Return the member's feed, which is not read until it is resumed."""
    feed = find(session, name, member=member)
    feed.paused_at = feed.paused_at or now
    return written(session, feed)


def resume(session: Session, name: str, *, member: Member, now: datetime) -> Feed:
    """Return the member's feed, which is read again, by the next run; Forbidden as by ``add``."""
    require(session, member, Action.capture, now=now)
    feed = find(session, name, member=member)
    feed.paused_at, feed.next_at, feed.attempts, feed.reason = None, now, 0, ""
    return written(session, feed)


def keep(session: Session, name: str, which: FeedKeep, *, member: Member, now: datetime) -> Feed:
    """Return the member's feed, with the articles to list in their inbox."""
    feed = find(session, name, member=member)
    feed.keep = which
    return written(session, feed)


def remove(session: Session, name: str, *, member: Member, now: datetime) -> str:
    """Return the title of the member's feed, which is removed with its address.

    Its articles stay, and the ledger still knows that they came by a feed.
    """
    feed = find(session, name, member=member)
    title = feed.title
    forget(feed, now=now)
    written(session, feed)
    return title


def forget(feed: Feed, *, now: datetime) -> None:
    """Mark a feed as removed, without its address and other words."""
    feed.removed_at, feed.next_at = now, None
    feed.address = feed.title = feed.reason = ""
    feed.etag = feed.last_modified = feed.claimed_by = feed.claimed_until = None


def find(session: Session, name: str, *, member: Member) -> Feed:
    """Return the member's feed by its number, address or title, to change it.

    NotFound without it; BadInput for a title that several have; Forbidden without the scope.
    """
    require_scope(session, Action.capture.scope)
    own = _own(session, member)
    name = name.strip()
    if name.isdecimal() and 0 < int(name[:9]) <= len(own):
        return own[int(name[:9]) - 1]
    named = [feed for feed in own if feed.address == name] or [
        feed for feed in own if feed.title.casefold() == name.casefold()
    ]
    if not named:
        raise NotFound(f"You have no feed {name!r}.", remedy="List them: forecasts feed list")
    if len(named) > 1:
        raise BadInput(
            f"{len(named)} of your feeds are called {name!r}.",
            remedy="Give its number: forecasts feed list",
        )
    return named[0]


def _own(session: Session, member: Member | None) -> list[Feed]:
    if member is None:
        return []
    kept = col(Feed.removed_at).is_(None)
    return in_order(session, Feed, Feed.member_id == member.id, kept)
