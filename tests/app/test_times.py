"""Times on pages: in the reader's zone, from their settings or else their browser."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from app import times
from app.times import day, published, when
from forecasts.access.preferences import Preferences

EVENING = datetime(2026, 1, 5, 20, 30, tzinfo=UTC)
CLOSE = datetime(2026, 1, 5, 23, 59, 59, tzinfo=UTC)


@pytest.fixture(autouse=True)
def zone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    name = getattr(request, "param", None)
    monkeypatch.setattr(times, "my_preferences", lambda: Preferences(time_zone=name))


def test_without_a_known_zone_times_are_utc() -> None:
    assert when(EVENING) == "5 Jan 2026, 20:30 UTC"
    assert times.zone_name() == "UTC"


@pytest.mark.parametrize(
    ("zone", "shown"),
    [
        ("America/New_York", "5 Jan 2026, 15:30 EST"),
        ("Asia/Tokyo", "6 Jan 2026, 05:30 JST"),
        ("America/Sao_Paulo", "5 Jan 2026, 17:30 UTC-03"),
        ("Asia/Kathmandu", "6 Jan 2026, 02:15 UTC+0545"),
    ],
    indirect=["zone"],
)
def test_a_time_is_shown_in_the_readers_zone_which_it_names(shown: str) -> None:
    assert when(EVENING) == shown


@pytest.mark.parametrize("zone", ["Asia/Tokyo"], indirect=True)
def test_a_day_is_the_readers_unless_a_whole_day_is_meant() -> None:
    assert day(EVENING) == "6 Jan 2026"
    assert day(CLOSE) == day(CLOSE.replace(hour=0, minute=0, second=0)) == "5 Jan 2026"
    assert day(date(2026, 1, 5)) == "5 Jan 2026"


@pytest.mark.parametrize("zone", ["Asia/Tokyo"], indirect=True)
def test_an_article_has_the_day_it_was_published_or_the_time_if_known() -> None:
    assert published(datetime(2026, 1, 5, tzinfo=UTC)) == "5 Jan 2026"
    assert published(EVENING) == "6 Jan 2026, 05:30 JST"
    assert published(None) == ""


@pytest.mark.parametrize("zone", ["Mars/Olympus"], indirect=True)
def test_a_zone_that_this_machine_does_not_know_is_shown_as_utc() -> None:
    assert when(EVENING) == "5 Jan 2026, 20:30 UTC"
