"""Dates as people type them, and the deadline that a title names."""

from __future__ import annotations

import contextlib
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecasts.common.errors import BadInput
from forecasts.ledger.models import QuestionText, QuestionType
from forecasts.values.typed_dates import (
    NamedDate,
    deadline_in_title,
    iso_date,
    read_date,
    read_typed_outcome,
)
from tests.values.questions import table

NOW = datetime(2026, 11, 27, 11, 10, tzinfo=UTC)  # a Friday
NEW_YORK = ZoneInfo("America/New_York")


def last_second(day: str) -> datetime:
    return datetime.combine(date.fromisoformat(day), time(23, 59, 59), UTC)


@pytest.mark.parametrize("row", table("dates"), ids=lambda row: row["text"])
def test_a_date_is_read_as_people_type_it_or_name_it_in_a_title(row: dict[str, str]) -> None:
    text, phrase = row["text"], row["phrase"]
    if row["where"] == "typed":
        assert read_date(text, now=NOW) == last_second(row["day"])
    elif not phrase:
        assert deadline_in_title(text, now=NOW) is None
    else:
        start = text.index(phrase)
        named = NamedDate(last_second(row["day"]), phrase, start, start + len(phrase))
        assert deadline_in_title(text, now=NOW) == named


@pytest.mark.parametrize(
    ("typed", "day"),
    [("friday", "2026-11-27"), ("monday", "2026-11-23"), ("Nov 12", "2026-11-12"),
     ("31 Dec", "2025-12-31"), ("yesterday", "2026-11-26"), ("2026-11-01", "2026-11-01"),
     # Of a period, the first day.
     ("last week", "2026-11-16"), ("last month", "2026-10-01"), ("march", "2026-03-01"),
     ("2025", "2025-01-01"), ("this month", "2026-11-01"), ("Q1", "2026-01-01"),
     # Not of every year, nor on the same day of each.
     ("29 Feb", "2024-02-29"), ("Easter", "2026-04-05")],
)  # fmt: skip
def test_a_day_in_the_past_is_the_latest_one(typed: str, day: str) -> None:
    found = read_date(typed, now=NOW, past=True, end_of_day=False)
    assert found == datetime.combine(date.fromisoformat(day), time(), UTC)


def test_29_february_is_that_of_the_next_leap_year() -> None:
    after = datetime(2028, 3, 5, tzinfo=UTC)
    assert read_date("29 Feb", now=after) == last_second("2032-02-29")


@pytest.mark.parametrize(
    ("typed", "moment"),
    [
        ("now", "2026-11-27T11:10+00:00"), ("2027-03-31T14:00Z", "2027-03-31T14:00+00:00"),
        ("tomorrow 14:00 UTC", "2026-11-28T14:00+00:00"),
        ("tomorrow at 14:00", "2026-11-28T19:00+00:00"),
        ("2027-07-01 14:00", "2027-07-01T18:00+00:00"), ("tomorrow", "2026-11-29T04:59:59+00:00"),
        ("2027-07-01", "2027-07-02T03:59:59+00:00"),
    ],
)  # fmt: skip
def test_days_and_times_are_those_of_the_zone(typed: str, moment: str) -> None:
    assert read_date(typed, now=NOW, zone=NEW_YORK) == datetime.fromisoformat(moment)


def test_days_are_those_of_the_zone_in_a_title_too() -> None:
    late = datetime(2026, 11, 28, 2, tzinfo=UTC)  # still Friday in New York
    friday = datetime(2026, 11, 28, 4, 59, 59, tzinfo=UTC)
    assert read_date("friday", now=late, zone=NEW_YORK) == friday
    found = deadline_in_title("Will it rain on Friday?", now=late, zone=NEW_YORK)
    assert found is not None
    assert found.moment == friday


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("", "The date is blank"), ("soon", "'soon' is not a date"),
        ("31 feb", "'31 feb' is not a date"), ("2027-02-30", "no day 2027-02-30"),
        ("5/6/2027", "either of two days"), ("tomorrow 14:00", "no time zone"),
        ("2027-03-31T14:00", "no time zone"), ("tomorrow 25:00 UTC", "is not a date"),
        ("999999y", "is not a date"), ("9999 years", "is not a date"),
    ],
)  # fmt: skip
def test_an_invalid_date_is_named_with_a_remedy(typed: str, words: str) -> None:
    with pytest.raises(BadInput, match=words) as caught:
        read_date(typed, now=NOW)
    assert caught.value.remedy


@pytest.mark.slow
@given(st.text(max_size=40))
def test_any_text_is_a_date_or_bad_input(typed: str) -> None:
    with contextlib.suppress(BadInput):
        assert read_date(typed, now=NOW, zone=NEW_YORK).utcoffset() is not None


@pytest.mark.parametrize(
    ("typed", "written"),
    [
        ("next friday", "2026-12-04"), ("end of March", "2027-03-31"),
        ("30 Oct 2025", "2025-10-30"), ("2027-03-31", "2027-03-31"),
        ("2027-03-31T14:00Z", "2027-03-31T14:00Z"), ("2027-03-31T14:00", "2027-03-31T18:00:00Z"),
        ("tomorrow 14:00", "2026-11-28T19:00:00Z"), ("tomorrow", "2026-11-28"),
    ],
)  # fmt: skip
def test_a_date_is_written_in_iso_8601_and_kept_if_it_is(typed: str, written: str) -> None:
    assert iso_date(typed, now=NOW, zone=NEW_YORK) == written


def test_of_a_period_the_first_day_is_written_where_it_is_meant() -> None:
    assert iso_date("january 2027", now=NOW, first=True) == "2027-01-01"


LANDING = QuestionText(
    title="When will it land?",
    type=QuestionType.date,
    lower_bound="2026-01-01",
    upper_bound="2027-01-01",
    open_time=NOW,
    scheduled_close_time=last_second("2026-12-31"),
)


@pytest.mark.parametrize(
    ("typed", "outcome"),
    [
        ("yesterday", "2026-11-26"), ("4 March", "2026-03-04"), ("friday", "2026-11-27"),
        ("2026-11-20", "2026-11-20"), ("2026-11-20T10:00Z", "2026-11-20T10:00Z"),
        ("above", "above_upper_bound"), ("Annulled", "annulled"),
    ],
)  # fmt: skip
def test_the_outcome_of_a_date_question_is_read_as_people_type_it(typed: str, outcome: str) -> None:
    assert read_typed_outcome(typed, LANDING, now=NOW) == outcome


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("last week", "'last week' is more than one day: 2026-11-16 to 2026-11-22."),
        ("soon", "'soon' is not a date."),
        ("5/6/2026", "could be either of two days"),
    ],
)
def test_an_outcome_other_than_a_day_is_refused_with_the_choices(typed: str, words: str) -> None:
    with pytest.raises(BadInput, match=words) as caught:
        read_typed_outcome(typed, LANDING, now=NOW)
    assert "Other outcomes: below, above, annulled, ambiguous." in caught.value.remedy


def test_other_outcomes_are_left_as_they_are() -> None:
    rain = QuestionText(
        title="Rain?", open_time=NOW, scheduled_close_time=last_second("2027-01-01")
    )
    assert read_typed_outcome("yesterday", rain, now=NOW) == "yesterday"
    assert read_typed_outcome("", LANDING, now=NOW) == ""


@pytest.mark.parametrize("typed", ["jan 1 ", "by the end of ", "in 3 ", "1"])
def test_a_text_too_long_for_a_date_is_refused(typed: str) -> None:
    """Anyone may type one: reading time must not grow with the square of its length."""
    with pytest.raises(BadInput, match="is not a date"):
        read_date(typed * 20_000, now=NOW)
