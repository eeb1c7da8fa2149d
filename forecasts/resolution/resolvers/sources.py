"""What resolvers read: files, web addresses, other questions; each once a run.

A thousand questions that look in one file or at one page see the same moment of it, and ask for it
once. What could not be read is not asked for again either: all of them are told why. A host that
took a minute to answer nothing of use is asked for nothing more, so that one cannot hold a run up
for hours.

What was read is kept up to a size in all, and so is what was made of it (``Made``); what is asked
for again after that is read again.
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
from forecasts.common.times import iso
from forecasts.common.web import ALLOW, fetch
from forecasts.resolution.resolvers.files import SUFFIXES, allowed, is_page
from forecasts.resolution.resolvers.protocol import Made, Seen
from forecasts.resolution.resolvers.question import ADDRESS

SECONDS = 20.0
MOST_KEPT = 2 * limits.SOURCE_BYTES  # in memory, of all that a run has read
MOST_LOST = 60.0  # seconds in vain, on one host
MEDIA = {
    "application/json", "application/geo+json", "application/ld+json", "text/json",
    "text/csv", "application/csv", "text/plain", "text/tab-separated-values",
    "application/rss+xml", "application/atom+xml", "application/xml", "text/xml",
    "application/octet-stream", "application/vnd.ms-excel",
}  # fmt: skip

_AGAIN = "It is asked again later. If it stays so, name another source, or resolve by hand."

# Returns the outcome of a question and when it was known, None while it has none.
Answers = Callable[[str], tuple[str, datetime] | None]


class Sources:
    """Reads each address once; call it with one to get a ``Seen``, or the error it ended in."""

    def __init__(
        self,
        now: datetime,
        answers: Answers,
        *,
        shared: bool,
        allow_private: bool = False,
        seconds: float = SECONDS,
        most_bytes: int = limits.SOURCE_BYTES,
    ) -> None:
        self._now = now
        self._answers = answers
        self._shared = shared
        self._allow_private = allow_private
        self._seconds = seconds
        self._most_bytes = most_bytes
        self._read: dict[str, Seen | LedgerError] = {}
        self._kept = 0
        self._made = Made()
        self._lost: defaultdict[str, float] = defaultdict(float)

    def __call__(self, address: str) -> Seen:
        """Return what stands at the address: http(s)://…, question:SLUG, or the path of a file."""
        if address not in self._read:
            try:
                self._read[address] = self._look(address)
            except LedgerError as error:
                self._read[address] = error
                error.__context__ = None
            self._make_room(address)
        read = self._read[address]
        if isinstance(read, LedgerError):
            # Anew: where it came from would keep all that was read there in memory.
            raise read.with_traceback(None)
        return read

    def _make_room(self, newest: str) -> None:
        """Forget what was read first, as far as there is too much of it."""
        self._kept += self._size(newest)
        for address in [one for one in self._read if one != newest and self._size(one)]:
            if self._kept <= MOST_KEPT:
                return
            self._kept -= self._size(address)
            del self._read[address]

    def _size(self, address: str) -> int:
        read = self._read[address]
        return len(read.content) if isinstance(read, Seen) else 0

    def _look(self, address: str) -> Seen:
        if address.startswith(ADDRESS):
            answer = self._answers(address.removeprefix(ADDRESS))
            said = answer and {"outcome": answer[0], "known_at": iso(answer[1])}
            return Seen(address, json.dumps(said).encode(), self._now, "application/json")
        if is_page(address):
            return self._page(address)
        path = Path(address)
        media = SUFFIXES.get(path.suffix.lower(), "")
        return Seen(address, self._file(path), self._now, media, self._made)

    def _page(self, address: str) -> Seen:
        host = urlsplit(address).netloc
        if self._lost[host] >= MOST_LOST:
            raise CaptureError(
                f"{host} took {self._lost[host]:.0f} seconds of this run for others in vain, so it "
                "was not asked.",
                remedy="The next run asks it again.",
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
            self._lost[host] += time.monotonic() - began
            remedy = f"{_AGAIN} {ALLOW}" if ALLOW in error.remedy else _AGAIN
            raise CaptureError(error.message, remedy=remedy) from None
        return Seen(page.url, page.data, self._now, page.content_type or "", self._made)

    def _file(self, path: Path) -> bytes:
        # As the links lead now: the file may have become another since the resolver was set.
        found = allowed(path, shared=self._shared)
        try:
            limits.require_file(found, self._most_bytes)
            return found.read_bytes()
        except OSError as error:
            raise BadInput(
                f"The file {str(path)!r} cannot be read: {error.strerror or error}.",
                remedy="Put it there, or give the question another resolver.",
            ) from None
