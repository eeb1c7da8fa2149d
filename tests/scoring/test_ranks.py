"""Order statistics of a changing multiset, against sorting it each time."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoring.ranks import nth_live, sum_by_rank

pytestmark = pytest.mark.slow


@given(st.lists(st.integers(0, 20), min_size=1, max_size=60), st.integers(0, 2**32 - 1))
def test_the_nth_live_item_is_the_nth_in_order(ranks: list[int], seed: int) -> None:
    random = np.random.default_rng(seed)
    live: list[int] = []
    changes: list[tuple[int, int]] = []
    asked: list[tuple[int, int, int]] = []
    for rank in ranks:
        if live and random.random() < 0.4:
            gone = live.pop(int(random.integers(len(live))))
            changes.append((gone, -1))
        live.append(rank)
        changes.append((rank, 1))
        nth = int(random.integers(len(live)))
        asked.append((len(changes), nth, sorted(live)[nth]))
    rank, sign = np.array(changes, dtype=np.int32).T
    until, nth_, expected = np.array(asked, dtype=np.int32).T
    found = nth_live(rank, sign, np.zeros_like(until), until, nth_)
    assert found.tolist() == expected.tolist()


@given(st.lists(st.integers(0, 9), max_size=40), st.integers(0, 2**32 - 1))
def test_each_item_of_a_range_counts_by_where_it_ranks(ranks: list[int], seed: int) -> None:
    random = np.random.default_rng(seed)
    n = len(ranks)
    rank = np.array(ranks, dtype=np.int32)
    above, equal, below = random.random((3, n))
    ends = np.sort(random.integers(0, n + 1, (25, 2)), axis=1).astype(np.int32)
    own = random.integers(0, 14, 25).astype(np.int32)
    found = sum_by_rank(rank, above, equal, below, ends[:, 0], ends[:, 1], own)
    for i, (start, end) in enumerate(ends):
        part = slice(start, end)
        value = np.where(rank > own[i], above, np.where(rank == own[i], equal, below))
        np.testing.assert_allclose(found[i], value[part].sum(), atol=1e-12)
