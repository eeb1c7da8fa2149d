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
    Doubtful,
    NamedDate,
    deadline_in_title,
    iso_date,
    read_date,
    read_typed_outcome,
    typed_deadline,
)
from tests.tables import each_row

NOW = datetime(2026, 11, 27, 11, 10, tzinfo=UTC)  # a Friday
NEW_YORK = ZoneInfo("America/New_York")


def last_second(day: str) -> datetime:
    return datetime.combine(date.fromisoformat(day), time(23, 59, 59), UTC)


LANDING = QuestionText(
    title="When will it land?",
    type=QuestionType.date,
    lower_bound="2026-01-01",
    upper_bound="2027-01-01",
    open_time=NOW,
    scheduled_close_time=last_second("2026-12-31"),
)


@each_row(__file__, "dates", by="text")
def test_a_date_is_read_as_people_type_it_or_name_it_in_a_title(row: dict[str, str]) -> None:
    text, day, phrase = row["text"], row["day"], row["phrase"]
    match row["where"]:
        case "typed":
            assert read_date(text, now=NOW) == last_second(day)
        case "past":
            found = read_date(text, now=NOW, past=True, end_of_day=False)
            assert found == datetime.combine(date.fromisoformat(day), time(), UTC)
        case "in New York":
            found = read_date(text, now=NOW, zone=NEW_YORK)
            assert found == datetime.fromisoformat(day)
        case "written":
            assert iso_date(text, now=NOW, zone=NEW_YORK) == day
        case "outcome":
            assert read_typed_outcome(text, LANDING, now=NOW) == day
        case "title" if phrase:
            start = text.index(phrase)
            named = NamedDate(last_second(day), phrase, start, start + len(phrase))
            assert deadline_in_title(text, now=NOW) == named
        case "title":
            assert deadline_in_title(text, now=NOW) is None
        case other:
            pytest.fail(f"a case of no test: {other}")


@each_row(__file__, "typed_deadlines", by="text")
def test_the_day_of_a_typed_title_is_read_or_asked_for(row: dict[str, str]) -> None:
    """``day``: its last day, two days to choose from, none, or the reason why it is not read."""
    now = datetime.fromisoformat(f"{row['today']}T12:00Z")
    text, day = row["text"], row["day"]
    title = text if text.endswith("?") or text.startswith("Will ") else f"Will it happen {text}?"
    if day == "none":
        assert typed_deadline(title, now=now) is None
    elif day[:4].isdigit() and " or " not in day:
        named = typed_deadline(title, now=now)
        assert named is not None
        assert named.moment == last_second(day)
        assert title[named.start : named.end] == named.phrase
    else:
        with pytest.raises(BadInput) as caught:
            typed_deadline(title, now=now)
        assert caught.value.remedy
        if not isinstance(caught.value, Doubtful):
            assert caught.value.message.startswith(day)
            return
        assert [moment for _, moment in caught.value.readings] == [
            *map(last_second, day.split(" or "))
        ]
        for words, moment in caught.value.readings:  # each is clear if it is written
            again = title.replace(caught.value.phrase, words)
            clear = typed_deadline(again, now=now)
            assert clear is not None, again
            assert clear.moment == moment


def test_a_doubtful_date_in_a_field_is_asked_for_unless_it_is_past() -> None:
    for typed, words in (
        ("friday", "'friday' could mean '27 November 2026' or '4 December 2026'."),
        ("3/4/2027", "'3/4/2027' could mean '3 April 2027' or '4 March 2027'."),
        ("by 2030", "'by 2030' could mean 'before 2030' or 'by the end of 2030'."),
    ):
        with pytest.raises(Doubtful, match=words):
            read_date(typed, now=NOW)
    assert read_date("friday", now=NOW, past=True) == last_second("2026-11-27")
    assert read_date("2030", now=NOW) == last_second("2030-12-31")


def test_29_february_is_that_of_the_next_leap_year() -> None:
    after = datetime(2028, 3, 5, tzinfo=UTC)
    assert read_date("29 Feb", now=after) == last_second("2032-02-29")


def test_days_are_those_of_the_zone_in_a_title_too() -> None:
    late = datetime(2026, 11, 28, 2, tzinfo=UTC)  # still Friday in New York
    friday = datetime(2026, 11, 28, 4, 59, 59, tzinfo=UTC)
    assert read_date("friday", now=late, zone=NEW_YORK, past=True) == friday
    found = deadline_in_title("Will it rain on Friday?", now=late, zone=NEW_YORK)
    assert found is not None
    assert found.moment == friday


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("", "The date is blank"), ("soon", "'soon' is not a date"),
        ("31 feb", "There is no '31 feb': February 2027 has 28 days"),
        ("32 January", "There is no '32 January': January has 31 days"),
        ("Friday 5 December", "5 December 2026 is a Saturday, not a Friday"),
        ("2027-02-30", "There is no '2027-02-30'"), ("5/6/2027", "could mean '5 June 2027'"),
        ("tomorrow 14:00", "no time zone"),
        ("2027-03-31T14:00", "no time zone"), ("tomorrow 25:00 UTC", "is not a date"),
        ("999999y", "is not a date"), ("9999 years", "is not a date"),
    ],
)  # fmt: skip
def test_an_invalid_date_is_named_with_a_remedy(typed: str, words: str) -> None:
    with pytest.raises(BadInput, match=words) as caught:
        read_date(typed, now=NOW)
    assert caught.value.remedy


WORDS = st.sampled_from((
    "by", "before", "this", "next", "the", "fall", "winter", "weekend", "Monday", "March", "of",
    "Christmas", "recess", "30", "February", "2030", "3/4/2027", "31/12/27", "2027-02-29", "end",
))  # fmt: skip


@given(st.lists(WORDS, max_size=7).map(" ".join), st.dates(date(2020, 1, 1), date(2060, 1, 1)))
def test_any_words_of_a_title_name_a_day_or_none_or_are_refused(title: str, today: date) -> None:
    now = datetime.combine(today, time(12), UTC)
    with contextlib.suppress(BadInput):
        named = typed_deadline(title, now=now)
        assert named is None or named.moment > now


@pytest.mark.slow
@given(st.text(max_size=40))
def test_any_text_is_a_date_or_bad_input(typed: str) -> None:
    with contextlib.suppress(BadInput):
        assert read_date(typed, now=NOW, zone=NEW_YORK).utcoffset() is not None


def test_of_a_period_the_first_day_is_written_where_it_is_meant() -> None:
    assert iso_date("january 2027", now=NOW, first=True) == "2027-01-01"


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("last week", "'last week' is more than one day: 2026-11-16 to 2026-11-22."),
        ("soon", "'soon' is not a date."),
        ("5/6/2026", "'5/6/2026' could mean '5 June 2026' or '6 May 2026'."),
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


@pytest.mark.parametrize(
    ("words", "remedy"),
    [
        ("by 31 December", "Write 31 December 2027, or another later day."),
        ("before Dec 31", "Write before 31 December 2027, or another later day."),
        ("by 2 January", "Write 2 January 2028, or another later day."),
        ("before today", "Write a later day."),
    ],
)
def test_a_day_that_has_passed_is_offered_in_the_year_in_which_it_is_next(
    words: str, remedy: str
) -> None:
    for today in ("2027-01-03", "2027-01-15"):
        with pytest.raises(BadInput, match="has passed") as caught:
            typed_deadline(f"Will it open {words}?", now=datetime.fromisoformat(f"{today}T12:00Z"))
        assert caught.value.remedy == remedy
