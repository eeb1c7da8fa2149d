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
from forecasts.values.typed_dates import deadline_in_title, iso_date, read_date, read_typed_outcome

NOW = datetime(2026, 11, 27, 11, 10, tzinfo=UTC)  # a Friday
NEW_YORK = ZoneInfo("America/New_York")


def last_second(day: str) -> datetime:
    return datetime.combine(date.fromisoformat(day), time(23, 59, 59), UTC)


@pytest.mark.parametrize(
    ("typed", "day"),
    [
        ("2027-03-31", "2027-03-31"),
        ("31 Mar", "2027-03-31"),
        ("March 31", "2027-03-31"),
        ("march 31, 2028", "2028-03-31"),
        ("31.3.2027", "2027-03-31"),
        ("30 Oct 2025", "2025-10-30"),
        ("nov 27", "2026-11-27"),
        ("Nov 12", "2027-11-12"),  # this year's is over
        ("today", "2026-11-27"),
        ("  Tomorrow ", "2026-11-28"),
        ("yesterday", "2026-11-26"),
        ("friday", "2026-11-27"),
        ("mon", "2026-11-30"),
        ("next friday", "2026-12-04"),
        ("last friday", "2026-11-20"),
        ("monday week", "2026-12-07"),
        ("in 3 weeks", "2026-12-18"),
        ("3 weeks", "2026-12-18"),
        ("two weeks", "2026-12-11"),
        ("a fortnight", "2026-12-11"),
        ("3w", "2026-12-18"),
        ("+10d", "2026-12-07"),
        ("1mo", "2026-12-27"),
        ("2 years", "2028-11-27"),
        ("3 days ago", "2026-11-24"),
        ("last month", "2026-10-31"),
        ("march", "2027-03-31"),
        ("end of March", "2027-03-31"),
        ("by the end of march", "2027-03-31"),
        ("end of next month", "2026-12-31"),
        ("end of month", "2026-11-30"),
        ("end of the year", "2026-12-31"),
        ("EOY", "2026-12-31"),
        ("before Christmas", "2026-12-24"),
        ("christmas", "2026-12-25"),
        ("this fall", "2026-11-30"),
        ("spring", "2027-05-31"),
        ("mid december", "2026-12-15"),
        ("Q1 2027", "2027-03-31"),
        ("2028", "2028-12-31"),
    ],
)
def test_a_date_is_read_as_people_type_it(typed: str, day: str) -> None:
    assert read_date(typed, now=NOW) == last_second(day)


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
        ("now", "2026-11-27T11:10+00:00"),
        ("2027-03-31T14:00Z", "2027-03-31T14:00+00:00"),
        ("tomorrow 14:00 UTC", "2026-11-28T14:00+00:00"),
        ("tomorrow at 14:00", "2026-11-28T19:00+00:00"),
        ("2027-07-01 14:00", "2027-07-01T18:00+00:00"),
        ("tomorrow", "2026-11-29T04:59:59+00:00"),
        ("2027-07-01", "2027-07-02T03:59:59+00:00"),
    ],
)
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
        ("", "The date is blank"),
        ("soon", "'soon' is not a date"),
        ("31 feb", "'31 feb' is not a date"),
        ("2027-02-30", "no day 2027-02-30"),
        ("5/6/2027", "either of two days"),
        ("tomorrow 14:00", "no time zone"),
        ("2027-03-31T14:00", "no time zone"),
        ("tomorrow 25:00 UTC", "is not a date"),
        ("999999y", "is not a date"),
        ("9999 years", "is not a date"),
    ],
)
def test_what_is_not_a_date_is_named_with_a_remedy(typed: str, words: str) -> None:
    with pytest.raises(BadInput, match=words) as caught:
        read_date(typed, now=NOW)
    assert caught.value.remedy


@pytest.mark.slow
@given(st.text(max_size=40))
def test_any_text_is_a_date_or_bad_input(typed: str) -> None:
    with contextlib.suppress(BadInput):
        assert read_date(typed, now=NOW, zone=NEW_YORK).utcoffset() is not None


@pytest.mark.parametrize(
    ("title", "phrase", "day"),
    [
        ("Will Trump and Xi meet this fall?", "this fall", "2026-11-30"),
        ("will it snow by end of march?", "by end of march", "2027-03-31"),
        ("Will it snow before christmas", "before christmas", "2026-12-24"),
        ("Will rates be cut by EOY?", "by EOY", "2026-12-31"),
        ("Will rates be cut by end of year?", "by end of year", "2026-12-31"),
        ("May he resign in may?", "in may", "2027-05-31"),
        ("Will they march on friday?", "on friday", "2026-11-27"),
        ("Will the bill pass by 31 Mar?", "by 31 Mar", "2027-03-31"),
        ("Will December inflation exceed 3% by the end of January?", "by the end of January",
         "2027-01-31"),
        ("Will she say by Tuesday that she runs in 2028?", "by Tuesday", "2026-12-01"),
        # "Cut" is not a past form here, and what will be held is not over.
        ("Will the bank cut at its meeting on 11 December?", "on 11 December", "2026-12-11"),
        ("Will the bank, which met in May, cut on December 11", "on December 11", "2026-12-11"),
        ("Bank cut on 11 December?", "on 11 December", "2026-12-11"),
        ("Bank cut on 11 December", "on 11 December", "2026-12-11"),
        ("Will they quit on Christmas?", "on Christmas", "2026-12-25"),
        ("Will the rate be left unchanged on 11 December?", "on 11 December", "2026-12-11"),
        ("Will the panel led by Ida Holm vote on 3 March?", "on 3 March", "2027-03-03"),
        ("Will they say on 11 December that they met?", "on 11 December", "2026-12-11"),
    ],
)  # fmt: skip
def test_a_title_names_its_deadline(title: str, phrase: str, day: str) -> None:
    found = deadline_in_title(title, now=NOW)
    assert found is not None
    assert (found.phrase, found.moment) == (phrase, last_second(day))
    assert title[found.start : found.end] == phrase


@pytest.mark.parametrize(
    "title",
    ["Will Spain win the 2026 World Cup?", "Will X win the 2028 election?", "Will it snow?", "",
     "Will they march to the sea?", "Did it rain by 2020?",
     # A day in a report of the past.
     "Was the rate cut on 11 December?", "Which rate was cut on 11 December?",
     "The rate was cut on 11 December",
     "Will the truce signed on 11 December hold?", "Will the bank that cut on 3 March cut again?",
     "Will they cut on 12 November?"],
)  # fmt: skip
def test_a_title_without_a_deadline_to_come_names_none(title: str) -> None:
    assert deadline_in_title(title, now=NOW) is None


@pytest.mark.parametrize(
    ("typed", "written"),
    [
        ("next friday", "2026-12-04"),
        ("end of March", "2027-03-31"),
        ("30 Oct 2025", "2025-10-30"),
        ("2027-03-31", "2027-03-31"),
        ("2027-03-31T14:00Z", "2027-03-31T14:00Z"),
        ("2027-03-31T14:00", "2027-03-31T18:00:00Z"),
        ("tomorrow 14:00", "2026-11-28T19:00:00Z"),
        ("tomorrow", "2026-11-28"),
    ],
)
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
        ("yesterday", "2026-11-26"),
        ("4 March", "2026-03-04"),
        ("friday", "2026-11-27"),
        ("2026-11-20", "2026-11-20"),
        ("2026-11-20T10:00Z", "2026-11-20T10:00Z"),
        ("above", "above_upper_bound"),
        ("Annulled", "annulled"),
    ],
)
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
def test_an_outcome_that_is_not_a_day_is_refused_with_what_else_it_may_be(
    typed: str, words: str
) -> None:
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
