"""When runs take place, as the page Settings says it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlmodel import Session

from forecasts.resolution.runs.last_run import record_run, run_times
from tests.conftest import day


def test_before_the_first_run_nothing_is_known(session: Session) -> None:
    assert run_times(session) is None


def test_one_run_is_not_a_schedule(session: Session) -> None:
    record_run(session, now=day(1))
    found = run_times(session)
    assert found is not None
    assert (found.last, found.every, found.next) == (day(1), None, None)
    assert not found.is_overdue(day(9))


def test_the_next_run_is_expected_as_long_after_the_last_as_that_after_the_one_before(
    session: Session,
) -> None:
    for hour in (0, 1, 2):
        record_run(session, now=day(1 + hour / 24))
    found = run_times(session)
    assert found is not None
    assert found.every == timedelta(hours=1)
    assert found.next == day(1) + timedelta(hours=3)
    assert not found.is_overdue(day(1) + timedelta(hours=4))
    assert found.is_overdue(day(1) + timedelta(hours=4, seconds=1))


@pytest.mark.parametrize("minutes", [0.4, 7, 90, 3 * 24 * 60, -15])
def test_runs_at_an_interval_that_a_schedule_cannot_have_are_not_on_one(
    session: Session, minutes: float
) -> None:
    last = day(4) + timedelta(minutes=minutes)
    record_run(session, now=day(4))
    record_run(session, now=last)
    found = run_times(session)
    assert found is not None
    assert (found.last, found.next) == (last, None)


def test_scheduled_runs_may_start_some_seconds_late(session: Session) -> None:
    record_run(session, now=day(1) + timedelta(seconds=2))
    record_run(session, now=day(1) + timedelta(minutes=15, seconds=20))
    found = run_times(session)
    assert found is not None
    assert found.every == timedelta(minutes=15)


def test_a_run_of_frequent_ones_is_overdue_after_a_quarter_of_an_hour(session: Session) -> None:
    for minute in (0, 5):
        record_run(session, now=day(1) + timedelta(minutes=minute))
    found = run_times(session)
    assert found is not None
    assert found.next == day(1) + timedelta(minutes=10)
    assert not found.is_overdue(day(1) + timedelta(minutes=25))
    assert found.is_overdue(day(1) + timedelta(minutes=25, seconds=1))


def test_runs_by_hand_never_make_a_schedule(session: Session) -> None:
    def every(minute: int, *, by_hand: bool) -> timedelta | None:
        record_run(session, now=day(1) + timedelta(minutes=minute), by_hand=by_hand)
        found = run_times(session)
        assert found is not None
        return found.every

    assert [every(minute, by_hand=True) for minute in (0, 15, 30)] == [None] * 3
    assert [every(minute, by_hand=False) for minute in (45, 60)] == [None, timedelta(minutes=15)]
    assert every(75, by_hand=True) is None


def test_the_interval_that_a_schedule_states_counts(session: Session) -> None:
    for hour, every in ((11, timedelta(hours=6)), (12, timedelta(hours=6))):
        record_run(session, now=day(1) + timedelta(hours=hour), every=every)
        found = run_times(session)
        assert found is not None
        assert found.next == day(1) + timedelta(hours=hour + 6)
