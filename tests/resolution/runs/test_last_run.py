"""When runs take place, as the page Settings says it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlmodel import Session

from forecasts.resolution.progress import RunTimes, record_run, run_times
from tests.conftest import day


def after(session: Session, *minutes: float, by_hand: bool = False) -> RunTimes:
    """Return the times of runs after those that begin so many minutes after the first day."""
    for minute in minutes:
        record_run(session, now=day(1) + timedelta(minutes=minute), by_hand=by_hand)
    found = run_times(session)
    assert found is not None
    return found


def test_one_run_is_not_a_schedule(session: Session) -> None:
    assert run_times(session) is None
    found = after(session, 0)
    assert (found.last, found.every, found.next) == (day(1), None, None)
    assert not found.is_overdue(day(9))


@pytest.mark.parametrize(
    ("minutes", "every", "overdue_after"),
    [
        ((0, 60, 120), 60, 240),
        ((0, 5), 5, 25),  # at least a quarter of an hour late
        ((2 / 60, 15 + 20 / 60), 15, None),  # they may start some seconds late
    ],
)
def test_the_next_run_is_expected_after_the_interval_of_the_last_two(
    session: Session, minutes: tuple[float, ...], every: int, overdue_after: int | None
) -> None:
    found = after(session, *minutes)
    assert found.every == timedelta(minutes=every)
    assert found.next == found.last + found.every
    if overdue_after is not None:
        late = day(1) + timedelta(minutes=overdue_after)
        assert not found.is_overdue(late)
        assert found.is_overdue(late + timedelta(seconds=1))


@pytest.mark.parametrize("minutes", [0.4, 7, 90, 3 * 24 * 60, -15])
def test_an_odd_interval_is_not_a_schedule(session: Session, minutes: float) -> None:
    found = after(session, 0, minutes)
    assert (found.last, found.next) == (day(1) + timedelta(minutes=minutes), None)


def test_runs_by_hand_never_make_a_schedule(session: Session) -> None:
    assert after(session, 0, 15, 30, by_hand=True).every is None
    assert after(session, 45).every is None
    assert after(session, 60).every == timedelta(minutes=15)
    assert after(session, 75, by_hand=True).every is None


def test_the_interval_that_a_schedule_states_counts(session: Session) -> None:
    for hour in (11, 12):
        record_run(session, now=day(1) + timedelta(hours=hour), every=timedelta(hours=6))
        found = run_times(session)
        assert found is not None
        assert found.next == day(1) + timedelta(hours=hour + 6)
