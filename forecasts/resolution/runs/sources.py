"""The sources of a run: the files, pages and questions that resolvers may read, each read once.

A thousand questions with the same source see one version of it. A source that failed is not read
again either: they all get its error. A host that has wasted a minute gets no more requests, so that
it cannot delay a run for hours.

Documents are kept up to a total size. Beyond that, a source is read again.
"""

from __future__ import annotations

import json
import time
from collections import defaultdict
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

from sqlalchemy import Engine

from forecasts.access.roles import is_shared_ledger
from forecasts.access.visibility import read_as
from forecasts.common import limits
from forecasts.common.errors import BadInput, CaptureError, LedgerError
from forecasts.common.ip_addresses import ALLOW_PRIVATE
from forecasts.common.permitted_sources import SUFFIXES, allowed, is_page
from forecasts.common.times import iso
from forecasts.common.web import fetch
from forecasts.ledger.database import reading
from forecasts.ledger.models import Member, Resolver
from forecasts.questions.finality import provisional_outcome
from forecasts.questions.registry import find
from forecasts.questions.standing import current_state
from forecasts.resolution import model_witness
from forecasts.resolution.resolvers import model
from forecasts.resolution.resolvers.protocol import Seen, once
from forecasts.resolution.resolvers.question import ADDRESS
from forecasts.resolution.resolvers.worker import Worker

MOST_KEPT = 2 * limits.SOURCE_BYTES  # in memory, of one run
SECONDS = 20.0  # of a request
MOST_WASTED = 60.0  # seconds of failed requests to one host
MEDIA = {
    "application/json", "application/geo+json", "application/ld+json", "text/json",
    "text/csv", "application/csv", "text/plain", "text/tab-separated-values",
    "application/rss+xml", "application/atom+xml", "application/xml", "text/xml",
    "application/octet-stream", "application/vnd.ms-excel",
}  # fmt: skip

_AGAIN = "It is tried again later. If it stays so, set another source, or resolve by hand."


class Sources:
    """The sources of a run, and the ``worker`` that parses them until it is closed."""

    def __init__(self, engine: Engine, now: datetime, *, allow_private: bool = False) -> None:
        self._engine, self._now, self._allow_private = engine, now, allow_private
        self._read: dict[str, Seen | LedgerError] = {}
        self._wasted: defaultdict[str, float] = defaultdict(float)
        self.worker = Worker()

    def close(self) -> None:
        """End the worker."""
        self.worker.close()

    def fetch(self, resolver: Resolver, address: str) -> Seen:
        """Return the document at http(s)://…, question:SLUG, model:SLUG or a file path.

        Raises its error. NotFound for a question hidden from the resolver's owner.
        """
        if address.startswith((ADDRESS, model.ADDRESS)):
            with reading(self._engine) as session:
                owner = session.get(Member, resolver.member_id or 0)
                read_as(session, owner, now=self._now)
                question = find(session, address.partition(":")[2])
                if address.startswith(model.ADDRESS):
                    witness = model_witness.newest(session, question, resolver.member_id)
                    content = json.dumps(witness, ensure_ascii=False).encode()
                    return Seen(address, content, self._now, "application/json")
        return once(self._read, address, lambda: self._fetched(address))

    def _fetched(self, address: str) -> Seen:
        if address.startswith(ADDRESS):
            content = json.dumps(self._outcome(address.removeprefix(ADDRESS))).encode()
            found = Seen(address, content, self._now, "application/json")
        elif is_page(address):
            found = self._page(address)
        else:
            path = Path(address)
            media = SUFFIXES.get(path.suffix.lower(), "")
            found = Seen(address, self._file(path), self._now, media)
        kept = {a: one for a, one in self._read.items() if isinstance(one, Seen)}
        if sum(len(one.content) for one in (found, *kept.values())) > MOST_KEPT:
            for one in kept:
                del self._read[one]
        return found

    def _outcome(self, slug: str) -> dict[str, str] | None:
        """Return a question's outcome and when it became known; None while it is not final."""
        with reading(self._engine) as session:
            question = find(session, slug)
            resolution = current_state(session, question, now=self._now).resolution
            provisional = provisional_outcome(session, question, now=self._now)
        if resolution is None or provisional is not None:
            return None
        known_at = resolution.known_at or resolution.written_at
        return {"outcome": resolution.outcome, "known_at": iso(known_at)}

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
                seconds=SECONDS,
                max_bytes=limits.SOURCE_BYTES,
                content_types=MEDIA,
            )
        except CaptureError as error:
            self._wasted[host] += time.monotonic() - began
            remedy = f"{_AGAIN} {ALLOW_PRIVATE}" if ALLOW_PRIVATE in error.remedy else _AGAIN
            raise CaptureError(error.message, remedy=remedy) from None
        return Seen(page.url, page.data, self._now, page.content_type or "")

    def _file(self, path: Path) -> bytes:
        # Checked again: a link may lead elsewhere since the resolver was set.
        with reading(self._engine) as session:
            found = allowed(path, shared=is_shared_ledger(session))
        try:
            limits.require_file(found, limits.SOURCE_BYTES)
            return found.read_bytes()
        except OSError as error:
            raise BadInput(
                f"The file {str(path)!r} cannot be read: {error.strerror or error}.",
                remedy="Put it there, or give the question another resolver.",
            ) from None
