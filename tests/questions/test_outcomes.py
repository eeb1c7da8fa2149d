"""Outcomes: parsed, compared and formatted."""

import pytest

from forecasts.common.errors import BadInput
from forecasts.ledger.models import QuestionText
from forecasts.questions.registry import question_text
from forecasts.values.outcomes import outcome_value, read_outcome
from forecasts.values.value_parsing import read_value
from tests.conftest import day


def text(**fields: object) -> QuestionText:
    return question_text(title="?", open_time=day(0), scheduled_close_time=day(1), **fields)


CITIES = text(type="multiple_choice", options=["Busan", "Beijing, China", "Other"])


PRICE = text(type="numeric", lower_bound="0", upper_bound="200")


WHEN = text(type="date", lower_bound="2026-01-01", upper_bound="2027-01-01")


def test_options_may_differ_in_case_only() -> None:
    cases = text(type="multiple_choice", options=["us", "US", "Other"])
    assert read_value("us=60%, US=30%", cases).probabilities == pytest.approx((0.6, 0.3, 0.1))
    assert read_outcome("US", cases) == "US"


@pytest.mark.parametrize(
    ("question", "said", "kept"),
    [
        (text(), "YES", "yes"),
        (text(), "0.35", "0.35"),
        (text(), "Annulled", "annulled"),
        (CITIES, "beijing, china", "Beijing, China"),
        (PRICE, "145", "145"),
        (PRICE, "above_upper_bound", "above_upper_bound"),
        (WHEN, "2026-05-13", "2026-05-13"),
    ],
)
def test_outcomes_are_kept_in_one_form(question: QuestionText, said: str, kept: str) -> None:
    assert read_outcome(said, question) == kept


@pytest.mark.parametrize(
    ("question", "written", "likewise", "otherwise"),
    [
        (text(), "yes", "1.0", "no"),
        (text(), "0", "no", "0.5"),
        (CITIES, "Busan", "Busan", "Other"),
        (PRICE, "100", "100.0", "above_upper_bound"),
        (WHEN, "2026-11-20", "2026-11-20T00:00:00Z", "2026-11-21"),
        (WHEN, "2026-11-20T01:00:00+01:00", "2026-11-20", "annulled"),
    ],
)
def test_outcomes_that_say_the_same_are_seen_to(
    question: QuestionText, written: str, likewise: str, otherwise: str
) -> None:
    values = [outcome_value(said, question) for said in (written, likewise, otherwise)]
    assert values[0] == values[1] != values[2]


@pytest.mark.parametrize(
    ("question", "said"),
    [(text(), "maybe"), (text(), "2"), (CITIES, "Seoul"), (PRICE, "yes"), (WHEN, "soon")],
)
def test_an_outcome_that_is_none_of_the_possible_ones_is_refused_with_those(
    question: QuestionText, said: str
) -> None:
    with pytest.raises(BadInput, match="not an outcome"):
        read_outcome(said, question)
