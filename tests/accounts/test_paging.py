"""A list is fetched whole, once each item, while the platform adds and removes items."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecasts.accounts import paging
from forecasts.accounts.kept import Kept
from forecasts.accounts.paging import Items, by_offset, by_time
from forecasts.common.errors import CaptureError
from tests.accounts.conftest import NOW


def fresh() -> Kept:
    return Kept(None, NOW)


def pages_of(items: list[str], size: int, asked: list[int]) -> Callable[[int], Items]:
    def page(offset: int) -> Items:
        asked.append(offset)
        return [(one, one) for one in items[offset : offset + size]]

    return page


def test_every_item_of_a_list_comes_once() -> None:
    for count in (0, 1, 2, 3, 4, 6, 7, 10):
        items = [f"q{one}" for one in range(count)]
        kept, asked = fresh(), list[int]()
        by_offset(kept, "posts", pages_of(items, 3, asked), title="Metaculus")
        assert list(kept.items("posts")) == items
        assert kept.is_complete("posts")
        assert len(asked) <= count // 2 + 2


@pytest.mark.slow
@given(
    st.lists(
        st.tuples(st.integers(0, 12), st.sampled_from(["add", "remove"]), st.integers(0, 30)),
        max_size=12,
    ),
    st.integers(2, 5),
    st.booleans(),
)
def test_nothing_is_lost_while_the_list_changes(
    changes: list[tuple[int, str, int]], size: int, first: bool
) -> None:
    """Items are removed anywhere and added at one end, between any two pages."""
    items = [f"q{one}" for one in range(13)]
    there = set(items)
    asked = list[int]()

    def page(offset: int) -> Items:
        for at, change, place in changes:
            if at == len(asked) and change == "remove" and items:
                there.discard(items.pop(place % len(items)))
            elif at == len(asked) and change == "add":
                items.insert(0 if first else len(items), f"new{len(asked)}.{len(items)}")
        asked.append(offset)
        return [(one, one) for one in items[offset : offset + size]]

    kept = fresh()
    by_offset(kept, "posts", page, title="Metaculus")
    assert there <= set(kept.items("posts"))


def test_an_item_that_comes_twice_has_its_newest_version() -> None:
    kept = fresh()
    answers = iter([[("a", 1), ("b", 1), ("b", 1)], [("b", 2), ("c", 1)], [("c", 2)]])
    by_offset(kept, "posts", lambda _: next(answers), title="Metaculus")
    assert kept.items("posts") == {"a": 1, "b": 2, "c": 2}


def test_a_list_goes_on_where_an_earlier_command_stopped() -> None:
    items = [f"q{one}" for one in range(8)]
    kept, asked = fresh(), list[int]()

    def stops(offset: int) -> Items:
        if offset >= 4:
            raise KeyboardInterrupt
        return pages_of(items, 3, asked)(offset)

    with pytest.raises(KeyboardInterrupt):
        by_offset(kept, "posts", stops, title="Metaculus")
    assert asked == [0, 2]
    kept.nexts = {"posts": list(kept.nexts["posts"])}  # as JSON has it
    by_offset(kept, "posts", pages_of(items, 3, asked), title="Metaculus")
    assert asked[2] == 4
    assert list(kept.items("posts")) == items
    by_offset(kept, "posts", pages_of(items, 3, asked := []), title="Metaculus")
    assert asked == []


def test_a_list_that_never_ends_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def endless(offset: int) -> Items:
        return [(str(one), one) for one in range(offset, offset + 10)]

    monkeypatch.setattr(paging, "MOST_ITEMS", 50)
    with pytest.raises(CaptureError, match="Metaculus sends the same page again and again"):
        by_offset(fresh(), "posts", lambda _: [("a", 1), ("b", 1)], title="Metaculus")
    with pytest.raises(CaptureError, match="sent more than 50 items and does not end"):
        by_offset(fresh(), "posts", endless, title="Metaculus")


def bets_of(times: list[int], size: int) -> Callable[[int], Items]:
    def page(after: int) -> Items:
        later = [(f"bet{place}", at) for place, at in enumerate(times) if at > after]
        return later[:size]

    return page


def test_bets_of_one_moment_come_whole_unless_a_page_is_too_small() -> None:
    for times in ([], [5], [5, 5, 5, 6], [1, 2, 3, 3, 4, 4, 4, 9, 9, 10]):
        kept = fresh()
        by_time(kept, "bets", bets_of(times, 4), int, size=4, title="Manifold")
        assert list(kept.items("bets").values()) == times
        assert kept.is_complete("bets")
        with pytest.raises(CaptureError, match="more than 3 items of one moment"):
            by_time(fresh(), "bets", bets_of([*times, *[99] * 9], 4), int, size=4, title="Manifold")


def test_a_server_that_ignores_the_order_is_named() -> None:
    for page in ([("a", 9), ("b", 8)], [("a", 3)]):  # backwards, too early
        kept = fresh()
        kept.nexts["bets"] = 3
        with pytest.raises(CaptureError, match="the order that was asked for"):
            by_time(kept, "bets", lambda _, page=page: page, int, size=4, title="Manifold")
