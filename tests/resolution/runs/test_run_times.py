"""When runs take place, as the page Settings says it, and by which process; none is early."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Engine
from sqlmodel import Session, select

from forecasts.ledger import database
from forecasts.ledger.models import Resolution
from forecasts.resolution.progress import (
    Begun,
    RunTimes,
    begin_run,
    forget_run,
    record_run,
    run_times,
)
from forecasts.resolution.runs import run
from tests.conftest import day, on_both
from tests.resolution.conftest import attach, registered
from tests.resolution.runs.conftest import states


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


def test_a_run_in_the_minute_of_another_leaves_its_interval(session: Session) -> None:
    quarter = timedelta(minutes=15)
    for minute in (0, 15):
        record_run(session, now=day(1) + timedelta(minutes=minute), every=quarter)
        found = after(session, minute + 0.5)  # cron's, which states no interval
        assert (found.last, found.every) == (day(1) + timedelta(minutes=minute + 0.5), quarter)


def begin(session: Session, minute: float) -> Begun | None:
    """Begin a run so many minutes after the first day, if none has begun in its quarter."""
    since = day(1) + timedelta(minutes=minute // 15 * 15)
    now = day(1) + timedelta(minutes=minute)
    return begin_run(session, now=now, every=timedelta(minutes=15), since=since)


@on_both
def test_at_each_time_one_process_begins_a_run(session: Session) -> None:
    assert begin(session, 0.1) is not None
    for later in (0.1, 0.2, 14.9):  # of a second process, and of one that has started again
        assert begin(session, later) is None
    found = run_times(session)
    assert found is not None
    assert (found.last, found.every) == (day(1) + timedelta(minutes=0.1), timedelta(minutes=15))
    # That run may have been killed, or may not have ended yet: nothing was recorded since.
    assert begin(session, 15) is not None
    record_run(session, now=day(1) + timedelta(minutes=31), by_hand=True)
    assert begin(session, 32) is None
    assert begin(session, 45) is not None


@on_both
def test_of_processes_that_begin_at_the_same_moment_one_runs(engine: Engine) -> None:
    together = Barrier(4)

    def process(_: int) -> Begun | None:
        own = database.open_engine(engine.url.render_as_string(hide_password=False))
        together.wait()
        try:
            with database.writing(own) as session:
                return begin(session, 3)
        finally:
            own.dispose()

    with ThreadPoolExecutor(4) as pool:
        assert sum(begun is not None for begun in pool.map(process, range(4))) == 1


@on_both
def test_a_run_that_failed_does_not_count(session: Session) -> None:
    first = begin(session, 0)
    assert first is not None
    forget_run(session, first)
    assert run_times(session) is None
    begin(session, 0)
    failed = begin(session, 15)
    assert failed is not None
    forget_run(session, failed)
    found = run_times(session)
    assert found is not None
    assert (found.last, found.every) == (day(1), timedelta(minutes=15))
    assert begin(session, 16) is not None
    forget_run(session, failed)  # when another has begun since
    assert begin(session, 17) is None


def test_a_run_of_a_clock_that_was_ahead_keeps_nobody_from_running(session: Session) -> None:
    record_run(session, now=day(2))
    assert begin(session, 0) is not None


BERLIN, NEW_YORK = ZoneInfo("Europe/Berlin"), ZoneInfo("America/New_York")
SYDNEY = ZoneInfo("Australia/Sydney")
# A deadline as somebody names it where they live, and when that is. They are asked in January, when
# Berlin is an hour ahead of UTC, Sydney eleven, New York five behind: for most that will not hold.
CLOSES = [
    (datetime(2028, 2, 29, 23, 59, 59, tzinfo=UTC), "2028-02-29T23:59:59Z"),
    (datetime(2026, 7, 1, 12, tzinfo=SYDNEY), "2026-07-01T02:00:00Z"),
    (datetime(2026, 12, 1, 12, tzinfo=BERLIN), "2026-12-01T11:00:00Z"),
    # The last second before the clock is set forward, and the first one after.
    (datetime(2026, 3, 29, 1, 59, 59, tzinfo=BERLIN), "2026-03-29T00:59:59Z"),
    (datetime(2026, 3, 29, 3, tzinfo=BERLIN), "2026-03-29T01:00:00Z"),
    # An hour that comes twice.
    (datetime(2026, 10, 25, 2, 30, tzinfo=BERLIN), "2026-10-25T00:30:00Z"),
    (datetime(2026, 10, 25, 2, 30, tzinfo=BERLIN, fold=1), "2026-10-25T01:30:00Z"),
    (datetime(2026, 12, 31, 23, 59, 59, tzinfo=NEW_YORK), "2027-01-01T04:59:59Z"),
]


@pytest.mark.slow
@pytest.mark.parametrize(("named", "moment"), CLOSES)
def test_nothing_is_resolved_too_early(engine: Engine, named: datetime, moment: str) -> None:
    end = datetime.fromisoformat(moment)  # no arithmetic on ``named``: it would count by the clock
    registered(engine, "rain", scheduled_close_time=named)
    attach(engine, "deadline", at=0)
    early = end - timedelta(seconds=1)
    for at in (end - timedelta(days=40), end - timedelta(hours=1), early):
        assert states(run.run(engine, now=at)) in ({}, {"rain": "not_yet"})
    # The clock is set back by an hour, and then it is an hour later after all.
    assert states(run.run(engine, now=early - timedelta(hours=1))) == {}
    assert states(run.run(engine, now=end)) == {"rain": "confirmed"}
    with database.reading(engine) as session:
        assert session.exec(select(Resolution.known_at)).one() == end


@pytest.mark.slow
def test_a_run_across_midnight_sees_one_day(engine: Engine) -> None:
    for slug, close in (("before", 10), ("after", 10 + 1 / 86_400)):
        registered(engine, slug, scheduled_close_time=day(close))
        attach(engine, "deadline", slug, at=0)
    clock = iter(day(10) + timedelta(hours=number) for number in range(100))
    came = run.run(engine, now=day(10), clock=lambda: next(clock))
    assert states(came) == {"before": "confirmed", "after": "not_yet"}
