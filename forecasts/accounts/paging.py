"""Lists that a platform sends a page at a time, read whole while they change.

Each page begins before the end of the last one, so that its first item is known already. Items
that come twice count once, in their newest version.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from forecasts.accounts.client import Client, Shape
from forecasts.accounts.kept import Kept
from forecasts.common.errors import CaptureError, Remedy

# Of one list, and pages in a row without a new item: more come from a server that never ends it.
MOST_ITEMS = 1_000_000
MOST_STALLED = 50

# The ids and items of a page. A platform may send one twice.
Items = Sequence[tuple[str, Any]]


def account(client: Client, kept: Kept, path: str, shape: type[Shape]) -> dict[str, Any]:
    """Return the account whose token the client has, which is fetched once."""
    if not kept.is_complete("account"):
        kept.add("account", {"me": client.get(path, {}, shape).model_dump()}, None)
    found: dict[str, Any] = kept.items("account")["me"]
    return found


def by_offset(kept: Kept, name: str, page: Callable[[int], Items], *, title: str) -> None:
    """Fetch a list whose pages are asked for by the number of items before them.

    ``page(offset)`` returns the items from there on, in the list's order; none after its end. If a
    page begins with an unknown item, items before it were removed meanwhile, so the list
    is read again from a page further back.
    """
    at, largest = kept.nexts.get(name, (0, 0)) or (None, 0)
    stalled = 0
    while at is not None:
        begin = max(at - 1, 0)
        items = page(begin)
        held = kept.items(name)
        is_new = any(one not in held for one, _ in items)
        stalled = 0 if is_new else stalled + 1
        largest = max(largest, len(items))
        if begin and (not items or items[0][0] not in held):
            at, items = max(begin - largest, 0), []  # the items in between are unknown yet
        elif not is_new and (len(items) <= 1 or len(items) < largest):
            at = None
        else:
            at = begin + len(items)
        _refuse_endless(title, len(held) + len(items), stalled)
        kept.add(name, dict(items), None if at is None else (at, largest))


def by_time(
    kept: Kept,
    name: str,
    page: Callable[[int], Items],
    time: Callable[[Any], int],
    *,
    size: int,
    title: str,
) -> None:
    """Fetch a list whose pages are asked for by a time, the earliest first.

    ``page(after)`` returns the items that are later than ``after``, at most ``size``. The last
    moment of a page is asked for again, since the page may have ended within it.
    """
    after = kept.nexts.get(name, -1)
    while after is not None:
        items = page(after)
        times = [time(one) for _, one in items]
        if times != sorted(times) or (times and times[0] <= after):
            raise CaptureError(f"{title} does not send its list in the order that was asked for.")
        held = kept.items(name)
        is_new = any(one not in held for one, _ in items)
        if not is_new and len(items) >= size:
            raise CaptureError(f"{title} has more than {size - 1:,} items of one moment.")
        _refuse_endless(title, len(held) + len(items), 0)
        after = times[-1] - 1 if is_new else None
        kept.add(name, dict(items), after)


def _refuse_endless(title: str, count: int, stalled: int) -> None:
    if stalled > MOST_STALLED:
        raise CaptureError(
            f"{title} sends the same page again and again.",
            remedy=Remedy(
                "Try again later. To begin from the first page: {}",
                "pull",
                title.lower(),
                fresh=True,
            ),
        )
    if count > MOST_ITEMS:
        raise CaptureError(
            f"{title} sent more than {MOST_ITEMS:,} items and does not end.",
            remedy=Remedy("Import the account's export instead: {}", "import", "FILE"),
        )
