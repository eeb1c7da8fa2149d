"""Resolver kind ``feed``: watch an RSS or Atom feed for words. It only proposes.

Words in an article do not prove an event, so each finding needs a person, with the matching
articles in its note.
"""

from __future__ import annotations

import re
from calendar import timegm
from datetime import UTC, datetime
from operator import itemgetter

from pydantic import Field, model_validator

from forecasts.common.errors import CannotTell
from forecasts.common.times import to_minute
from forecasts.reading.feed_files import FEED_BYTES, parsed_feed
from forecasts.resolution.resolvers import parsing, protocol
from forecasts.resolution.resolvers.protocol import Asked, Fetch, Finding, Kind

Words = tuple[str, ...]
_MOST_NAMED = 10
MOST_BYTES = FEED_BYTES


class Settings(protocol.Settings):
    """A feed, the words to watch for, and the outcome they indicate."""

    url: protocol.Source = Field(min_length=1, description="the address of the feed, or a file")
    outcome: str = Field(min_length=1, description="the outcome to propose")
    all_of: Words = Field(default=(), description="words or phrases, all of which must occur")
    any_of: Words = Field(default=(), description="words or phrases, one of which must occur")
    none_of: Words = Field(default=(), description="words or phrases that must not occur")

    @model_validator(mode="after")
    def _require_words(self) -> Settings:
        if not any(word.strip() for word in (*self.all_of, *self.any_of)):
            raise ValueError("needs words to watch for, in all_of or any_of")
        if any(not word.strip() for word in (*self.all_of, *self.any_of, *self.none_of)):
            raise ValueError("has an empty word, which would match everything")
        return self


def fits(asked: Asked, settings: Settings) -> None:
    """Refuse an outcome that the question cannot have."""
    asked.require_outcome(settings.outcome)


def look(asked: Asked, settings: Settings, now: datetime, fetch: Fetch) -> Finding | None:
    """Return the outcome with the matching entries since the question opened, or None."""
    seen = fetch(settings.url)
    if len(seen.content) > MOST_BYTES:
        raise CannotTell(
            f"A feed may have up to {MOST_BYTES:,} bytes, got {len(seen.content):,} bytes from "
            f"{seen.address}.",
            remedy="Use a feed of recent entries.",
        )
    feed = seen.once("feed", lambda: parsed_feed(seen.content))
    if not feed.get("version") and not feed.entries:
        raise parsing.unreadable(f"{seen.address} is neither RSS nor Atom.")
    matches = []
    for entry in feed.entries:
        when = entry.get("published_parsed") or entry.get("updated_parsed")
        at = None if when is None else datetime.fromtimestamp(timegm(when), UTC)
        if at is not None and not asked.open_time <= at <= now:
            continue
        text = f"{_plain(entry.get('title', ''))}\n{_plain(entry.get('summary', ''))}"
        if _matches(text, settings):
            day = "undated" if at is None else to_minute(at)
            title, link = _plain(entry.get("title", "?")), entry.get("link", "no link")
            matches.append((at or now, f"{day}: {title} ({link})"))
    if not matches:
        return None
    matches.sort(key=itemgetter(0))
    lines = ["Matches:", *(line for _, line in matches[:_MOST_NAMED])]
    if len(matches) > _MOST_NAMED:
        lines.append(f"and {len(matches) - _MOST_NAMED} more")
    return Finding(settings.outcome, matches[0][0], seen.address, "\n".join(lines), (seen,))


KIND = Kind(Settings, look, only_proposes=True, fits=fits)


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
