"""Resolver kind ``feed``: RSS or Atom watched for words. It may only propose.

That words stand in an article does not say that what they name has happened: whatever it finds
waits for a person, with the articles that matched in the note.

A feed is a stranger's, and of no more than 1 MB. feedparser does not sanitize its HTML, which took
time by the square of its length: it is read as words here, and nowhere shown as anything else.
"""

from __future__ import annotations

import re
from calendar import timegm
from datetime import UTC, datetime
from typing import Any

from pydantic import Field, model_validator

from forecasts.common.errors import CannotTell
from forecasts.common.times import to_minute
from forecasts.resolution.resolvers import documents, protocol
from forecasts.resolution.resolvers.protocol import Asked, Fetch, Finding

_MOST_NAMED = 10
MOST_BYTES = 1_000_000


class Settings(protocol.Settings):
    """Which feed, which words, and what outcome they speak for."""

    url: protocol.Source = Field(min_length=1, description="the address of the feed, or a file")
    outcome: str = Field(min_length=1, description="the outcome that is proposed")
    all_of: tuple[str, ...] = Field(default=(), description="words or phrases that must all occur")
    any_of: tuple[str, ...] = Field(default=(), description="of these one must occur")
    none_of: tuple[str, ...] = Field(default=(), description="none of these may occur")

    @model_validator(mode="after")
    def _watches_for_something(self) -> Settings:
        if not any(word.strip() for word in (*self.all_of, *self.any_of)):
            raise ValueError("needs words to watch for, in all_of or any_of")
        if any(not word.strip() for word in (*self.all_of, *self.any_of, *self.none_of)):
            raise ValueError("has a blank among its words, which would match everything")
        return self


def fits(asked: Asked, settings: Settings) -> None:
    """Refuse an outcome that the question cannot have."""
    asked.require_outcome(settings.outcome)


def look(asked: Asked, settings: Settings, now: datetime, fetch: Fetch) -> Finding | None:
    """Return the outcome with the entries that matched since the question opened, or None."""
    seen = fetch(settings.url)
    if len(seen.content) > MOST_BYTES:
        raise CannotTell(
            f"{seen.address} is larger than a feed may be: {len(seen.content):,} bytes, and "
            f"{MOST_BYTES:,} are read.",
            remedy="Name a feed of what is new alone.",
        )
    feed = seen.once("feed", lambda: _read(seen.content))
    if not feed.get("version") and not feed.entries:
        raise documents.unreadable(f"{seen.address} is neither RSS nor Atom.")
    matches = []
    for entry in feed.entries:
        at = _published(entry)
        if at is not None and not asked.open_time <= at <= now:
            continue
        said = (_plain(entry.get(part, "")) for part in ("title", "summary"))
        if _matches("\n".join(said), settings):
            matches.append((at or now, at is not None, entry))
    if not matches:
        return None
    matches.sort(key=lambda match: match[0])
    lines = [
        f"{to_minute(at) if dated else 'undated'}: {_plain(entry.get('title', '?'))} "
        f"({entry.get('link', 'no link')})"
        for at, dated, entry in matches[:_MOST_NAMED]
    ]
    if len(matches) > _MOST_NAMED:
        lines.append(f"and {len(matches) - _MOST_NAMED} more")
    return Finding(
        settings.outcome, matches[0][0], seen.address, "\n".join(["Matches:", *lines]), (seen,)
    )


def _read(content: bytes) -> Any:
    # Imported here: not every command that starts needs it.
    import feedparser

    # Bytes in memory: a text could be taken for an address, which feedparser would fetch.
    return feedparser.parse(content, sanitize_html=False, resolve_relative_uris=False)


def _published(entry: Any) -> datetime | None:
    when = entry.get("published_parsed") or entry.get("updated_parsed")
    return None if when is None else datetime.fromtimestamp(timegm(when), UTC)


def _plain(text: str) -> str:
    return " ".join(re.sub(r"<[^<>]*>", " ", text).split())


def _matches(text: str, settings: Settings) -> bool:
    words = " ".join(text.split()).casefold()

    def occurs(term: str) -> bool:
        phrase = r"\s+".join(re.escape(word) for word in term.casefold().split())
        return re.search(rf"(?<!\w){phrase}(?!\w)", words) is not None

    return (
        all(map(occurs, settings.all_of))
        and (not settings.any_of or any(map(occurs, settings.any_of)))
        and not any(map(occurs, settings.none_of))
    )
