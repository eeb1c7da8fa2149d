"""When runs take place, as the page Settings says it."""

from __future__ import annotations

from datetime import timedelta

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


def test_runs_days_apart_are_not_on_a_schedule(session: Session) -> None:
    record_run(session, now=day(1))
    record_run(session, now=day(4))
    found = run_times(session)
    assert found is not None
    assert (found.last, found.next) == (day(4), None)
