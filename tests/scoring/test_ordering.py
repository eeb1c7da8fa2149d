"""The order by group and time equals a plain stable sort."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoring import parallel
from scoring.ordering import PART_ROWS, THREAD_ROWS, in_order

pytestmark = pytest.mark.slow


groups_and_times = st.tuples(st.integers(0, 2**40), st.integers(-(2**40), 2**40))


@given(st.lists(groups_and_times, min_size=1, max_size=50))
def test_rows_are_in_order_of_group_time_and_row(rows: list[tuple[int, int]]) -> None:
    code, time = np.array(rows, dtype=np.int64).T
    order, ordered = in_order(code, time)
    assert order.tolist() == np.lexsort((time, code)).tolist()
    assert ordered.tolist() == time[order].tolist()


@pytest.mark.parametrize(
    ("groups", "times"), [(1, 2**50), (5, 1), (5, 300), (2**45, 300), (2**45, 2**50)]
)
def test_many_rows_are_in_the_same_order(groups: int, times: int) -> None:
    random = np.random.default_rng(1)
    code = random.integers(0, groups, 9 * PART_ROWS)
    time = random.integers(-times, times, 9 * PART_ROWS)
    order, ordered = in_order(code, time)
    np.testing.assert_array_equal(order, np.lexsort((time, code)))
    np.testing.assert_array_equal(ordered, time[order])


def test_several_threads_put_rows_in_the_same_order() -> None:
    code, time = np.random.default_rng(1).integers(0, 1000, (2, THREAD_ROWS + 1))
    with parallel.limited(4):
        order, ordered = in_order(code, time)
    np.testing.assert_array_equal(order, np.lexsort((time, code)))
    np.testing.assert_array_equal(ordered, time[order])


def test_no_rows_are_in_order() -> None:
    order, times = in_order(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64))
    assert order.tolist() == times.tolist() == []
