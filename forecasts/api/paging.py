"""Cursors: where the next page of a list begins, whatever has left the list or moved in it.

A client works on the rows of a page before it asks for the next one, so they may be gone by then,
or be elsewhere in the order. A cursor therefore has marks of the rows that follow the page: the
next page begins at the first of them in the list. If all of them have gone, it begins again at the
top: a row may be seen twice, but none is left out.

Rejected: an offset (each row that leaves the list takes another one along), and the values by which
a list is sorted (each order has its own, databases sort texts differently, and they change).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, TypeVar

from fastapi import Query

from forecasts.common.errors import BadInput

Key = TypeVar("Key", str, int)

PAGE_SIZE, MOST, MOST_OF_TABLE = 50, 200, 10_000
Limit = Annotated[int, Query(ge=1, le=MOST, description="Rows of a page.")]
# The whole table is computed for each of its pages.
TableLimit = Annotated[int, Query(ge=1, le=MOST_OF_TABLE, description="Rows of a page.")]
Cursor = Annotated[
    str | None, Query(max_length=5_000, description="`next` of the page before this one.")
]
_VERSION = b"\x02"  # a cursor of version 1 was JSON
MARKED = 40  # rows that follow a page
_MARK = 8  # bytes


@dataclass(frozen=True)
class Place:
    """The place in a list where a page begins.

    ``began``: when the first page was read. ``following``: the marks of the rows from the place
    on, at most ``MARKED``; None for the first page.
    """

    began: datetime
    following: frozenset[bytes] | None = None

    def page(self, keys: Sequence[Key], limit: int) -> tuple[list[Key], str | None]:
        """Return the keys of the page that begins here, and the cursor of the next page.

        ``keys``: those of the whole list, in order.
        """
        start = self._start(keys)
        end = start + limit
        return list(keys[start:end]), self._cursor(keys[end : end + MARKED])

    def _start(self, keys: Sequence[Key]) -> int:
        if self.following is None:
            return 0
        for index, key in enumerate(keys):
            if _mark(key) in self.following:
                return index
        return 0 if len(self.following) == MARKED else len(keys)

    def _cursor(self, following: Sequence[Key]) -> str | None:
        if not following:
            return None
        began = struct.pack(">d", self.began.timestamp())
        marks = b"".join(_mark(key) for key in following)
        return base64.urlsafe_b64encode(_VERSION + began + marks).decode()


def place(cursor: str | None, now: datetime) -> Place:
    """Return the place that a cursor names, without one the first; BadInput for any other text."""
    if cursor is None:
        return Place(now)
    try:
        data = base64.b64decode(cursor, altchars=b"-_", validate=True)
        if not data.startswith(_VERSION) or len(data) <= 9 or (len(data) - 9) % _MARK:
            raise ValueError
        [seconds] = struct.unpack_from(">d", data, 1)
        began = min(datetime.fromtimestamp(seconds, UTC), now)
    except (binascii.Error, ValueError, OverflowError, OSError):
        raise BadInput(
            "The cursor is not one of this list, or from an earlier version.",
            remedy="Read the first page again, without a cursor, and follow its `next`.",
        ) from None
    marks = frozenset(data[at : at + _MARK] for at in range(9, len(data), _MARK))
    return Place(began, marks)


def _mark(key: str | int) -> bytes:
    return hashlib.blake2b(str(key).encode("utf-8", "replace"), digest_size=_MARK).digest()
