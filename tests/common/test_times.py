"""Parsing and formatting of times."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from forecasts.common.errors import BadInput
from forecasts.common.times import local_day, read_time, to_minute


def test_a_word_is_not_a_time() -> None:
    with pytest.raises(BadInput, match="'today' is not a time"):
        read_time("today")


@pytest.mark.parametrize("text", ["2026-02-30", "2026-13-01", "2025-02-29"])
def test_a_day_that_no_calendar_has_is_said_to_be_none(text: str) -> None:
    with pytest.raises(BadInput, match=f"There is no day {text}"):
        read_time(text)


def test_a_time_is_told_to_the_minute_in_utc() -> None:
    west = timezone(timedelta(hours=-5))
    moment = datetime(2026, 11, 24, 14, 0, 59, 999_999, tzinfo=west)
    assert to_minute(moment) == "2026-11-24 19:00 UTC"


def test_the_ends_of_the_calendar_are_told_in_every_zone() -> None:
    first, last = datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, 30, tzinfo=UTC)
    for hours in (-12, 14):
        zone = timezone(timedelta(hours=hours))
        for moment in (first, last):
            assert to_minute(moment, zone)
            assert abs(local_day(moment, zone) - moment.date()) <= timedelta(days=1)
    assert to_minute(last, timezone(timedelta(hours=14))) == "9999-12-31 23:30 UTC"


@pytest.mark.parametrize("text", ["1 Dec 2026", "1 december 2026", "01 Dec 2026"])
def test_a_day_is_read_as_the_pages_write_it(text: str) -> None:
    assert read_time(text) == datetime(2026, 12, 1, tzinfo=UTC)


@pytest.mark.parametrize("text", ["31 Feb 2026", "1 Decem 2026", "Dec 2026", "1 Dec 26"])
def test_a_lookalike_of_such_a_day_is_refused(text: str) -> None:
    with pytest.raises(BadInput, match="is not a time"):
        read_time(text)
