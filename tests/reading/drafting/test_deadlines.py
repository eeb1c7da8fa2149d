"""Deadlines: the meanings of phrases, phrases that are not deadlines, and rules for any text."""

from __future__ import annotations

from calendar import monthrange
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecasts.reading.drafting.deadlines import Deadline, find_deadlines
from forecasts.reading.drafting.intervals import HOLIDAYS
from forecasts.reading.drafting.periods import RULES, find_periods
from tests.reading.drafting.judged import corpus

TUESDAY = date(2025, 7, 22)


def last_days(text: str, anchor: date = TUESDAY) -> list[str]:
    return [deadline.last_day.isoformat() for deadline in find_deadlines(text, anchor=anchor)]


@pytest.mark.parametrize("row", corpus("deadlines"), ids=lambda row: row["text"])
def test_a_text_has_the_deadlines_that_it_names(row: dict[str, str]) -> None:
    assert last_days(row["text"], date.fromisoformat(row["published"])) == row["last_days"].split()


def test_deadlines_come_in_the_order_of_the_text() -> None:
    text = "The talks begin on Friday and must end by 2 August, or in a year at the latest."
    assert last_days(text) == ["2025-07-25", "2025-08-02", "2026-07-22"]


def test_the_last_days_of_the_calendar_do_not_overflow() -> None:
    assert last_days("They will meet next year, in 99 years.", date.max) == []
    assert last_days("They will meet on Friday, today.", date.min) != []


@pytest.mark.parametrize(
    ("year", "easter"),
    [(2024, (3, 31)), (2025, (4, 20)), (2026, (4, 5)), (2038, (4, 25)), (2285, (3, 22))],
)
def test_easter_is_on_its_day(year: int, easter: tuple[int, int]) -> None:
    assert HOLIDAYS["Easter"](year) == date(year, *easter)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.example)
def test_each_rule_reads_its_own_examples(rule: object) -> None:
    for example in rule.example.split(" (")[0].split("; "):  # type: ignore[attr-defined]
        periods = find_periods(example, TUESDAY)
        assert periods, example
        assert periods[0].start == 0, example


ANCHORS = st.dates(date(1990, 1, 1), date(2090, 12, 31))


def only(text: str, anchor: date) -> Deadline:
    (deadline,) = find_deadlines(text, anchor=anchor)
    return deadline


@given(ANCHORS, st.integers(1, 12))
def test_a_month_without_a_year_is_the_next_one_that_is_not_over(anchor: date, number: int) -> None:
    day = anchor
    while day.month != number:  # the slow way, day by day
        day += timedelta(days=1)
    last = day.replace(day=monthrange(day.year, day.month)[1])
    assert only(f"They will meet in {day:%B}.", anchor).last_day == last


@given(ANCHORS, st.integers(0, 6))
def test_a_weekday_is_the_next_one_from_today_on(anchor: date, ahead: int) -> None:
    day = anchor + timedelta(days=ahead)
    assert only(f"They will meet on {day:%A}.", anchor).last_day == day


@pytest.mark.slow
@given(ANCHORS, st.sampled_from(["week", "month", "quarter", "year", "decade"]))
def test_the_end_of_a_period_is_a_day_after_which_another_begins(anchor: date, unit: str) -> None:
    last_day = only(f"They will meet by the end of this {unit}.", anchor).last_day
    begins = last_day + timedelta(days=1)
    assert {
        "week": begins.weekday() == 0,
        "month": begins.day == 1,
        "quarter": (begins.day, begins.month % 3) == (1, 1),
        "year": (begins.day, begins.month) == (1, 1),
        "decade": (begins.day, begins.month, begins.year % 10) == (1, 1, 0),
    }[unit]
    before = only(f"They will meet by the end of this {unit}.", last_day).last_day
    assert before == last_day
