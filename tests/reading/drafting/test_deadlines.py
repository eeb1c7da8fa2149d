"""Deadlines: the meanings of phrases, phrases that are not deadlines, and rules for any text."""

from __future__ import annotations

from calendar import monthrange
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecasts.common.times import add_months
from forecasts.reading.drafting.deadlines import Deadline, find_deadlines
from forecasts.reading.drafting.intervals import HOLIDAYS
from forecasts.reading.drafting.periods import RULES, find_periods

TUESDAY = date(2025, 7, 22)


def last_days(text: str, anchor: date = TUESDAY) -> list[str]:
    return [deadline.last_day.isoformat() for deadline in find_deadlines(text, anchor=anchor)]


MEANINGS = {
    # days
    "on 2025-09-30": "2025-09-30",
    "by July 27": "2025-07-27",
    "on or before July 27": "2025-07-27",
    "on July 27 or thereabouts": "2025-07-27",
    "no later than 1 August": "2025-08-01",
    "on Aug. 3": "2025-08-03",
    "27 July": "2025-07-27",
    "the 27th of July": "2025-07-27",
    "July 27, 2026": "2026-07-27",
    "Monday, 27 July 2026": "2026-07-27",
    "on 7/27/2026": "2026-07-27",
    "on 27/7/2026": "2026-07-27",
    "by the 27th": "2025-07-27",
    "by the 15th, it said": "2025-08-15",
    "on the 15th of next month": "2025-08-15",
    "on February 29": "2028-02-29",
    "from 1 September": "2025-09-01",
    "on July 15 next year": "2026-07-15",
    # ranges end with their last day
    "between 3 and 5 September": "2025-09-05",
    "from 14 to 15 May": "2026-05-15",
    "July 28-30": "2025-07-30",
    "28–30 July 2026": "2026-07-30",
    "from July 28 to August 3": "2025-08-03",
    "between September and November": "2025-11-30",
    "between 2026 and 2028": "2028-12-31",
    "from Monday to Wednesday": "2025-07-30",
    "in March or April": "2026-04-30",
    "in 2026-27": "2027-12-31",
    # weekdays and weeks
    "until Friday": "2025-07-25",
    "by noon on Friday": "2025-07-25",
    "next Tuesday": "2025-07-29",
    "on Friday of next week": "2025-08-01",
    "on Thursday week": "2025-07-31",
    "a week on Saturday": "2025-08-02",
    "a fortnight today": "2025-08-05",
    "by midweek": "2025-07-23",
    "in the week of August 4": "2025-08-10",
    "in the week beginning 4 August": "2025-08-10",
    "over the weekend": "2025-07-27",
    "before noon on Friday": "2025-07-25",
    "ahead of Friday's vote": "2025-07-24",
    "on the last Friday in August": "2025-08-29",
    "the first Sunday of October": "2025-10-05",
    "this weekend": "2025-07-27",
    "later this week": "2025-07-27",
    "early next week": "2025-07-29",
    "at next week's summit": "2025-08-03",
    "later today": "2025-07-22",
    "tomorrow": "2025-07-23",
    "the day after tomorrow": "2025-07-24",
    # months
    "in July": "2025-07-31",
    "in March": "2026-03-31",
    "in March 2027": "2027-03-31",
    "in March next year": "2026-03-31",
    "next month": "2025-08-31",
    "early next month": "2025-08-10",
    "by mid-August": "2025-08-15",
    "by late October": "2025-10-31",
    "by the end of the month": "2025-07-31",
    "before the end of March": "2026-03-31",
    "in the second week of September": "2025-09-14",
    "ahead of the November election": "2025-11-30",
    "until at least October": "2025-10-31",
    "scheduled for October": "2025-10-31",
    # seasons and parts of a year
    "this summer": "2025-08-31",
    "this fall": "2025-11-30",
    "this autumn": "2025-11-30",
    "this winter": "2026-02-28",
    "next spring": "2026-05-31",
    "next summer": "2026-08-31",
    "by the spring": "2026-05-31",
    "in summer 2026": "2026-08-31",
    "by the end of the summer of 2027": "2027-08-31",
    "in the second quarter": "2026-06-30",
    "Q3 2026": "2026-09-30",
    "the first half of 2026": "2026-06-30",
    "in the final quarter of the year": "2025-12-31",
    "in the back half of 2026": "2026-12-31",
    "in the first three months of 2026": "2026-03-31",
    "in the last two weeks of August": "2025-08-31",
    "by the end of the first quarter of 2027": "2027-03-31",
    # years and longer
    "later this year": "2025-12-31",
    "by year-end": "2025-12-31",
    "before the year is out": "2025-12-31",
    "by the end of 2028": "2028-12-31",
    "end-2026": "2026-12-31",
    "before 2027": "2026-12-31",
    "by 2030": "2030-12-31",
    "by fiscal 2027": "2027-12-31",
    "by the early 2030s": "2033-12-31",
    "by the turn of the year": "2025-12-31",
    "early 2026": "2026-03-31",
    "mid-2027": "2027-06-30",
    "late 2025": "2025-12-31",
    "at the start of next year": "2026-01-01",
    "by the end of the decade": "2029-12-31",
    "by mid-century": "2050-12-31",
    "by Christmas": "2025-12-25",
    "before the new year": "2025-12-31",
    "by Thanksgiving": "2025-11-27",
    "by Memorial Day": "2026-05-25",
    "on Election Day": "2025-11-04",
    "before Easter": "2026-04-04",
    # lengths
    "within three months": "2025-10-22",
    "within a year": "2026-07-22",
    "within the year": "2025-12-31",
    "within 48 hours": "2025-07-24",
    "in a fortnight": "2025-08-05",
    "in a couple of weeks": "2025-08-05",
    "inside six months": "2026-01-22",
    "for another six weeks": "2025-09-02",
    "for two more years": "2027-07-22",
    "in three weeks’ time": "2025-08-12",
    "in six to eight weeks": "2025-09-16",
    "in the next six weeks": "2025-09-02",
    "over the coming decade": "2035-07-22",
    "for the next two years": "2027-07-22",
    "a year from now": "2026-07-22",
}


@pytest.mark.parametrize(("phrase", "last_day"), MEANINGS.items())
def test_a_phrase_means_the_last_day_of_its_interval(phrase: str, last_day: str) -> None:
    text = f"The pact will be signed {phrase}."
    (deadline,) = find_deadlines(text, anchor=TUESDAY)
    assert deadline.last_day.isoformat() == last_day
    assert deadline.phrase == text[deadline.start : deadline.end]


def test_a_length_that_somebody_has_or_is_given_is_counted_from_now() -> None:
    assert last_days("Prosecutors have 30 days to appeal.") == ["2025-08-21"]
    assert last_days("The firm has been given a year to sell.") == ["2026-07-22"]
    assert last_days("It took three weeks to sell.") == []


def test_the_verb_of_the_clause_that_a_time_opens_is_the_one_that_counts() -> None:
    assert last_days("She said she would resign, and on Monday she did.") == []
    assert last_days("He met the mayor, and on Monday he will meet the king.") == ["2025-07-28"]


@pytest.mark.parametrize(
    "text",
    [
        "They met on Friday.",
        "The ministry said on July 15 that it had paid.",
        "The ministry announced its plans on July 2.",
        "On Monday, a judge sealed the file.",
        "Exports have fallen this year.",
        "Rates rose in March.",
        "He resigned earlier this month.",
        "It closed last fall.",
        "It has been shut since 2020.",
        "It opened in 2019.",
        "It will resume after July 27.",
        "It will not open before 2027 at the earliest.",
        "It ended three months ago.",
        "Police seek witnesses to Saturday's crash.",
        "It was signed on July 27, 1953.",
        "The bank cut its rate on July 24.",
        "The rate was cut on 24 July.",
        "They let it be known on July 24 that they had met.",
        "Will Smith quit the cast on Friday.",
        "That was fashionable in the 1990s.",
    ],
)
def test_a_time_that_is_past_or_open_is_no_deadline(text: str) -> None:
    assert last_days(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "Traders expect a rate cut on July 24.",
        "The board decides whether to raise or cut rates on July 24.",
        "The vote will, she said, be held on July 24.",
        "Will the bank cut its rate on July 24?",
    ],
)
def test_a_form_that_may_be_past_does_not_hide_a_time_to_come(text: str) -> None:
    assert last_days(text) == ["2025-07-24"]


@pytest.mark.parametrize(
    "text",
    [
        "The 2026 World Cup will be the largest.",
        "Next year's budget will be tight.",
        "The 27th president will be remembered.",
        "The 14th Dalai Lama will speak.",
        "It will last for three months.",
        "It must leave within three months of the ruling.",
        "It will be the first strike in ten years.",
        "It will happen soon, in the coming weeks.",
        "He may join the march if she will spring for the fare.",
        "Prices will fall by 20 per cent, to 2,030 dollars.",
        "Version 4.12 will ship, the score will be 2-1, tariffs 145%.",
        "The feud within the party will go on.",
        "Black Friday will be quiet.",
        "It opens every Friday.",
        "It meets on Fridays.",
        "The fall of the government will please them.",
        "On 05/06/2026 it will be decided.",
        "It will meet on June 31.",
    ],
)
def test_a_name_a_number_or_a_length_is_no_deadline(text: str) -> None:
    assert last_days(text) == []


@pytest.mark.parametrize(
    "sentence",
    [
        "The council will vote on 12 November.",
        "The council votes on November 12.",
        "The firm has until 12 November to appeal.",
        "The vote could come on the first Sunday of November.",
        "It opens in the week beginning 2 November.",
        "The treaty will be signed on 25 September.",
    ],
)
def test_a_day_without_a_year_that_has_just_passed_is_not_taken_for_next_year_s(
    sentence: str,
) -> None:
    assert last_days(sentence, date(2026, 11, 24)) == []


def test_a_day_of_last_december_read_in_january_has_passed() -> None:
    assert last_days("The treaty will be signed on 20 December.", date(2027, 1, 10)) == []
    assert last_days("The treaty will be signed on 20 January.", date(2027, 1, 10)) == [
        "2027-01-20"
    ]


@pytest.mark.parametrize(
    ("phrase", "day"),
    [
        ("on 12 November next year", "2027-11-12"),
        ("on 12 November 2027", "2027-11-12"),
        ("by 24 November", "2026-11-24"),
        ("by 24 September", "2027-09-24"),
        ("in October", "2027-10-31"),
        ("on 3 March", "2027-03-03"),
    ],
)
def test_a_day_is_next_year_s_where_the_text_says_so_or_the_last_one_is_long_over(
    phrase: str, day: str
) -> None:
    assert last_days(f"The treaty will be signed {phrase}.", date(2026, 11, 24)) == [day]


def test_a_day_that_is_long_over_means_next_year_where_the_verb_looks_ahead() -> None:
    assert last_days("The treaty will be signed on May 15.") == ["2026-05-15"]
    assert last_days("The treaty was signed on May 15.") == []


def test_the_first_days_of_the_calendar_have_no_days_before_them() -> None:
    assert last_days("The treaty will be signed on 15 May.", date(1, 1, 2)) == ["0001-05-15"]


def test_this_fall_is_to_come_even_after_a_verb_in_the_past() -> None:
    assert last_days("They focused on the visit this fall.") == ["2025-11-30"]


def test_deadlines_come_in_the_order_of_the_text() -> None:
    text = "The talks begin on Friday and must end by 2 August, or in a year at the latest."
    assert last_days(text) == ["2025-07-25", "2025-08-02", "2026-07-22"]


def test_winter_ends_in_the_year_after_the_one_it_begins_in() -> None:
    assert last_days("They will meet this winter.", date(2027, 12, 5)) == ["2028-02-29"]
    assert last_days("They will meet this winter.", date(2026, 1, 5)) == ["2026-02-28"]
    assert last_days("They will meet next winter.", date(2026, 1, 5)) == ["2027-02-28"]


def test_a_month_from_the_31st_is_the_end_of_a_shorter_month() -> None:
    assert last_days("They will meet in a month.", date(2026, 1, 31)) == ["2026-02-28"]
    assert last_days("They will meet in a year.", date(2024, 2, 29)) == ["2025-02-28"]


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
WORDS = st.sampled_from(
    [phrase for phrases in MEANINGS for phrase in phrases.split()]
    + ["it", "will", "said", "met", "has", "may", "march", "31", "29", "9999", "1953"]
    + [".", ",", ";", "'s", "“", "’", "–", "\n", "to", "and", "-", "%", "ago", "last"]
)


@pytest.mark.slow
@given(st.one_of(st.text(), st.lists(WORDS, max_size=25).map(" ".join)), st.dates())
def test_any_text_gives_deadlines_that_stand_in_it_and_are_not_past(
    text: str, anchor: date
) -> None:
    deadlines = find_deadlines(text, anchor=anchor)
    end = 0
    for deadline in deadlines:
        assert end <= deadline.start < deadline.end <= len(text)
        assert deadline.phrase == text[deadline.start : deadline.end]
        assert deadline.last_day >= anchor
        end = deadline.end
    assert find_deadlines(text, anchor=anchor) == deadlines


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
@given(ANCHORS, ANCHORS)
def test_a_full_date_is_read_in_every_order_or_is_past(anchor: date, day: date) -> None:
    for written in (
        f"{day.day} {day:%B %Y}",
        f"{day:%B} {day.day}, {day.year}",
        f"{day:%A}, {day:%B} {day.day}, {day.year}",
        f"the {day.day}th of {day:%B %Y}",
        day.isoformat(),
    ):
        found = last_days(f"They will meet on {written}.", anchor)
        assert found == ([day.isoformat()] if day >= anchor else [])


@given(ANCHORS, st.integers(1, 99))
def test_so_many_months_end_on_that_day_or_with_a_shorter_month(anchor: date, count: int) -> None:
    last_day = only(f"They will meet within {count} months.", anchor).last_day
    assert last_day == add_months(anchor, count)
    months = (last_day.year - anchor.year) * 12 + last_day.month - anchor.month
    assert months == count
    assert last_day.day == min(anchor.day, monthrange(last_day.year, last_day.month)[1])


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
