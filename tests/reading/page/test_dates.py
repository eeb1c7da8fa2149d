"""Times at the head of an article, relative to the day of capture."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from forecasts.reading.page.dates import find_timestamp
from tests.tables import each_row

DAY = datetime(2025, 7, 24, tzinfo=UTC)
MOMENT = datetime(2025, 7, 24, 1, 30, 15, tzinfo=UTC)


@each_row(__file__, "stamps", by="line")
def test_a_line_has_the_time_and_the_name_that_the_table_says(row: dict[str, str]) -> None:
    stamp = find_timestamp(row["line"], DAY)
    if row["when"] == "none":
        assert stamp is None, row["about"]
    else:
        assert stamp is not None, row["about"]
        assert stamp.when.isoformat().startswith(row["when"]), row["about"]
        assert stamp.before == row["name"]


def test_a_blank_line_has_no_time() -> None:
    assert find_timestamp("", DAY) is None


def test_hours_before_a_known_moment_may_reach_the_day_before() -> None:
    stamp = find_timestamp("2 hours ago", MOMENT)
    assert stamp is not None
    assert stamp.when == datetime(2025, 7, 23, 23, 30, tzinfo=UTC)


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
