"""The sources of resolvers: files, web pages and other questions, each read once in a run.

A thousand questions with the same source see one version of it. A source that failed is not read
again either: they all get its error. A host that has wasted a minute gets no more requests, so that
it cannot delay a run for hours.

Documents are kept up to a total size. Beyond that, a source is read again.
"""

from __future__ import annotations

import json
import time
from collections import defaultdict
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

from forecasts.common import limits
from forecasts.common.errors import BadInput, CaptureError, LedgerError
from forecasts.common.ip_addresses import ALLOW_PRIVATE
from forecasts.common.times import iso
from forecasts.common.web import fetch
from forecasts.resolution.resolvers.files import SUFFIXES, allowed, is_page
from forecasts.resolution.resolvers.protocol import Seen
from forecasts.resolution.resolvers.question import ADDRESS

MOST_KEPT = 2 * limits.SOURCE_BYTES  # in memory, of one run
MOST_WASTED = 60.0  # seconds of failed requests to one host
MEDIA = {
    "application/json", "application/geo+json", "application/ld+json", "text/json",
    "text/csv", "application/csv", "text/plain", "text/tab-separated-values",
    "application/rss+xml", "application/atom+xml", "application/xml", "text/xml",
    "application/octet-stream", "application/vnd.ms-excel",
}  # fmt: skip

_AGAIN = "It is tried again later. If it stays so, set another source, or resolve by hand."

# Returns a question's outcome and when it became known, None while it has none.
Answers = Callable[[str], tuple[str, datetime] | None]


class Sources:
    """Call it with an address for its document, read once, or for the error it raised."""

    def __init__(
        self,
        now: datetime,
        answers: Answers,
        *,
        shared: bool,
        allow_private: bool = False,
        seconds: float = 20,
        most_bytes: int = limits.SOURCE_BYTES,
    ) -> None:
        self._now, self._answers, self._shared = now, answers, shared
        self._allow_private, self._seconds, self._most_bytes = allow_private, seconds, most_bytes
        self._read: dict[str, Seen | LedgerError] = {}
        self._kept = 0
        self._wasted: defaultdict[str, float] = defaultdict(float)

    def __call__(self, address: str) -> Seen:
        """Return the document at the address: http(s)://…, question:SLUG, or a file path."""
        if address not in self._read:
            try:
                self._read[address] = self._fetch(address)
            except LedgerError as error:
                self._read[address] = error
                error.__context__ = None
            self._make_room(address)
        read = self._read[address]
        if isinstance(read, LedgerError):
            # Without its traceback, whose frames would keep the documents in memory.
            raise read.with_traceback(None)
        return read

    def _make_room(self, newest: str) -> None:
        """Forget the oldest documents beyond ``MOST_KEPT``."""
        self._kept += self._size(newest)
        for address in [one for one in self._read if one != newest and self._size(one)]:
            if self._kept <= MOST_KEPT:
                return
            self._kept -= self._size(address)
            del self._read[address]

    def _size(self, address: str) -> int:
        read = self._read[address]
        return len(read.content) if isinstance(read, Seen) else 0

    def _fetch(self, address: str) -> Seen:
        if address.startswith(ADDRESS):
            answer = self._answers(address.removeprefix(ADDRESS))
            content = answer and {"outcome": answer[0], "known_at": iso(answer[1])}
            return Seen(address, json.dumps(content).encode(), self._now, "application/json")
        if is_page(address):
            return self._page(address)
        path = Path(address)
        media = SUFFIXES.get(path.suffix.lower(), "")
        return Seen(address, self._file(path), self._now, media)

    def _page(self, address: str) -> Seen:
        host = urlsplit(address).netloc
        if self._wasted[host] >= MOST_WASTED:
            raise CaptureError(
                f"{host} has wasted {self._wasted[host]:.0f} seconds of this run on failed "
                "requests, so it was not asked again.",
                remedy="The next run will ask it.",
            )
        began = time.monotonic()
        try:
            page = fetch(
                address,
                allow_private=self._allow_private,
                seconds=self._seconds,
                max_bytes=self._most_bytes,
                content_types=MEDIA,
            )
        except CaptureError as error:
            self._wasted[host] += time.monotonic() - began
            remedy = f"{_AGAIN} {ALLOW_PRIVATE}" if ALLOW_PRIVATE in error.remedy else _AGAIN
            raise CaptureError(error.message, remedy=remedy) from None
        return Seen(page.url, page.data, self._now, page.content_type or "")

    def _file(self, path: Path) -> bytes:
        # Checked again: a link may lead elsewhere since the resolver was set.
        found = allowed(path, shared=self._shared)
        try:
            limits.require_file(found, self._most_bytes)
            return found.read_bytes()
        except OSError as error:
            raise BadInput(
                f"The file {str(path)!r} cannot be read: {error.strerror or error}.",
                remedy="Put it there, or give the question another resolver.",
            ) from None
