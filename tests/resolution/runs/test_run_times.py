"""No question is resolved too early, and a run has one date."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Engine
from sqlmodel import select

from forecasts.ledger import database
from forecasts.ledger.models import Resolution
from forecasts.resolution.runs import run
from tests.conftest import day
from tests.resolution.conftest import attach, registered
from tests.resolution.runs.conftest import states

pytestmark = pytest.mark.slow

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


def test_a_run_across_midnight_sees_one_day(engine: Engine) -> None:
    for slug, close in (("before", 10), ("after", 10 + 1 / 86_400)):
        registered(engine, slug, scheduled_close_time=day(close))
        attach(engine, "deadline", slug, at=0)
    clock = iter(day(10) + timedelta(hours=number) for number in range(100))
    came = run.run(engine, now=day(10), clock=lambda: next(clock))
    assert states(came) == {"before": "confirmed", "after": "not_yet"}
