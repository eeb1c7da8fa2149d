"""Times at the head of an article, relative to the day of capture."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecasts.reading.page.dates import find_timestamp

DAY = datetime(2025, 7, 24, tzinfo=UTC)
MOMENT = datetime(2025, 7, 24, 1, 30, 15, tzinfo=UTC)


def day_of(line: str, captured_at: datetime = DAY) -> str | None:
    stamp = find_timestamp(line, captured_at)
    return stamp.when.date().isoformat() if stamp is not None else None


@pytest.mark.parametrize(
    ("line", "day"),
    [
        ("2 days ago", "2025-07-22"),
        ("a day ago", "2025-07-23"),
        ("yesterday", "2025-07-23"),
        ("last week", "2025-07-17"),
        ("3 weeks ago", "2025-07-03"),
        ("one month ago", "2025-06-24"),
        ("2 yrs ago", "2023-07-24"),
        ("2d", "2025-07-22"),
        ("Tuesday", "2025-07-22"),
        ("Jul 22, 2025", "2025-07-22"),
        ("Tuesday, 22nd July 2025", "2025-07-22"),
        ("2025-07-22", "2025-07-22"),
        ("22.07.2025", "2025-07-22"),
        ("07/22/2025", "2025-07-22"),
        ("22 July", "2025-07-22"),
        ("Dec. 30", "2024-12-30"),
    ],
)
def test_the_ways_in_which_pages_print_a_day(line: str, day: str) -> None:
    assert day_of(line) == day


@pytest.mark.parametrize("line", ["just now", "an hour ago", "2 hours ago", "23 hrs ago", "5h"])
def test_hours_before_a_capture_of_which_only_the_day_is_known_are_on_that_day(line: str) -> None:
    assert day_of(line) == "2025-07-24"


def test_hours_before_a_known_moment_may_reach_the_day_before() -> None:
    stamp = find_timestamp("2 hours ago", MOMENT)
    assert stamp is not None
    assert stamp.when == datetime(2025, 7, 23, 23, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("line", "before"),
    [
        ("Example Times2 days ago", "Example Times"),
        ("clockan hour ago", "clock"),
        ("Al Jazeeraan hour ago", "Al Jazeera"),
        ("CNNyesterday", "CNN"),
        ("Example Times22-07-2025", "Example Times"),
        ("France 242 days ago", "France 24"),
        ("News1812 hours ago", "News18"),
        ("USA Today2 days ago", "USA Today"),
    ],
)
def test_a_name_may_be_glued_to_the_time(line: str, before: str) -> None:
    stamp = find_timestamp(line, DAY)
    assert stamp is not None
    assert stamp.before == before


@pytest.mark.parametrize(
    ("line", "when"),
    [
        ("July 22, 2025 at 10:30 AM EDT", datetime(2025, 7, 22, 14, 30, tzinfo=UTC)),
        ("10:30 AM EDT, July 22, 2025", datetime(2025, 7, 22, 14, 30, tzinfo=UTC)),
        ("2025-07-22T23:05:00-05:00", datetime(2025, 7, 23, 4, 5, tzinfo=UTC)),
        ("Thu 17 Jul 2025 09.15 BST", datetime(2025, 7, 17, 8, 15, tzinfo=UTC)),
        ("20 Jul 2025 11:32 UTC+9", datetime(2025, 7, 20, 2, 32, tzinfo=UTC)),
        ("July 22, 2025 9:05 am", datetime(2025, 7, 22, tzinfo=UTC)),
        ("July 22, 2025 9:05 am ET", datetime(2025, 7, 22, tzinfo=UTC)),
    ],
)
def test_a_clock_time_counts_only_with_a_zone_that_is_certain(line: str, when: datetime) -> None:
    stamp = find_timestamp(line, DAY)
    assert stamp is not None
    assert stamp.when == when


def test_a_day_that_reads_two_ways_is_the_nearest_before_the_capture() -> None:
    assert day_of("05/07/2025") == "2025-07-05"
    assert day_of("03/08/2025") == "2025-03-08"


@pytest.mark.parametrize(
    "line",
    ["USA Today", "The Sun", "May", "5 min read", "Feb 30, 2025", "Jul 30, 2025", "July 2025", ""],
)
def test_other_times_are_not_the_time_of_publication(line: str) -> None:
    assert find_timestamp(line, DAY) is None


@given(st.text(max_size=320))
def test_no_line_trips_it_and_nothing_lies_in_the_future(line: str) -> None:
    stamp = find_timestamp(line, MOMENT)
    assert stamp is None or (stamp.when - MOMENT).days <= 1


@given(
    st.integers(0, 99_999),
    st.sampled_from(["seconds", "minutes", "hours", "days", "weeks", "months", "years"]),
)
def test_no_count_is_too_large_to_read(count: int, unit: str) -> None:
    stamp = find_timestamp(f"{count} {unit} ago", MOMENT)
    assert stamp is None or stamp.when <= MOMENT
