"""Cursors: where the next page of a list begins, also after rows were added or have gone."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Hashable, Sequence
from typing import Annotated, TypeVar

from fastapi import Query

from forecasts.common.errors import BadInput

Key = TypeVar("Key", bound=Hashable)

PAGE_SIZE, MOST = 50, 200
Limit = Annotated[int, Query(ge=1, le=MOST, description="Rows of a page.")]
Cursor = Annotated[
    str | None, Query(max_length=5_000, description="`next` of the page before this one.")
]


def after(keys: Sequence[Key], cursor: str | None, limit: int) -> tuple[list[Key], str | None]:
    """Return the keys of the page at the cursor, and the cursor of the next page.

    ``keys``: those of the whole list, in order. If the last row of the page before has gone, the
    page begins at its place.
    """
    start = 0 if cursor is None else _start(keys, cursor)
    page = list(keys[start : start + limit])
    end = start + len(page)
    return page, _cursor(end, page[-1]) if page and end < len(keys) else None


def _cursor(place: int, key: Hashable) -> str:
    return base64.urlsafe_b64encode(json.dumps([place, key]).encode()).decode()


def _start(keys: Sequence[Key], cursor: str) -> int:
    try:
        place, key = json.loads(base64.b64decode(cursor, altchars=b"-_", validate=True))
        if type(place) is not int or not isinstance(key, str | int) or place < 0:
            raise ValueError
    except (binascii.Error, ValueError, TypeError, RecursionError):
        raise BadInput(
            "The cursor is not one of this list.", remedy="Send `next` of the page before."
        ) from None
    for index, known in enumerate(keys):
        if known == key:
            return index + 1
    return min(place, len(keys))
