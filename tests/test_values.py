import contextlib
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecasts.errors import BadInput, LedgerError, Refused
from forecasts.models import QuestionText
from forecasts.questions import question_text
from forecasts.values import (
    read_outcome,
    read_probability,
    read_value,
    say_probability,
)
from tests.conftest import day


def text(**fields: object) -> QuestionText:
    return question_text(title="?", open_time=day(0), scheduled_close_time=day(1), **fields)


CITIES = text(type="multiple_choice", options=["Busan", "Beijing, China", "Other"])
PRICE = text(type="numeric", lower_bound="0", upper_bound="200")
WHEN = text(type="date", lower_bound="2026-01-01", upper_bound="2027-01-01")


@pytest.mark.parametrize(
    ("said", "p"),
    [
        ("71%", 0.71),
        (" 71 % ", 0.71),
        ("0.71", 0.71),
        (".5", 0.5),
        ("5:2", 5 / 7),
        ("1:1", 0.5),
        ("0", 0.0),
        ("1.0", 1.0),
        ("100%", 1.0),
        ("57%", 0.57),
        ("0.5%", 0.005),
        ("1e-3", 0.001),
    ],
)
def test_a_probability_is_read_as_per_cent_fraction_or_odds(said: str, p: float) -> None:
    assert read_probability(said) == p


@pytest.mark.parametrize("said", ["71", "1", "100", "5", "1.", "1e0", "0_5"])
def test_a_bare_whole_number_is_ambiguous_and_the_message_offers_both_readings(said: str) -> None:
    with pytest.raises(BadInput, match="ambiguous") as caught:
        read_probability(said)
    assert f"{said}%" in caught.value.remedy


@pytest.mark.parametrize("said", ["1.2", "1e99999999%", "-0.1", "150%", "nan", "inf", "-5%", "101"])
def test_a_probability_outside_0_to_1_is_refused_with_rule_and_value(said: str) -> None:
    with pytest.raises(Refused, match=r"0\.\.1"):
        read_probability(said)


@pytest.mark.parametrize("said", ["", "often", "5:2:1", "0:0", "7/10", "71 percent"])
def test_what_is_no_probability_is_refused_with_the_three_forms(said: str) -> None:
    with pytest.raises(BadInput):
        read_probability(said)


@given(st.text())
def test_whatever_is_typed_gives_a_probability_or_is_refused(said: str) -> None:
    with contextlib.suppress(LedgerError):
        assert 0 <= read_probability(said) <= 1


@given(st.floats(0, 1))
def test_only_certainty_is_shown_as_0_or_100_per_cent(p: float) -> None:
    shown = say_probability(p)
    if 1e-12 < p < 1 - 1e-12:
        assert shown not in ("0 %", "100 %")
        assert math.isclose(float(shown.removesuffix(" %")) / 100, p, rel_tol=0.06)


def test_options_that_are_not_named_share_what_is_left() -> None:
    assert read_value("busan=60%", CITIES).probabilities == (0.6, 0.2, 0.2)
    value = read_value("Busan=60%, Beijing, China=30%", CITIES)
    assert value.probabilities == pytest.approx((0.6, 0.3, 0.1))


def test_a_vector_may_be_json_in_the_order_of_the_options() -> None:
    assert read_value("[0.5, 0.25, 0.25]", CITIES).probabilities == (0.5, 0.25, 0.25)


@pytest.mark.parametrize(
    "said",
    [
        "Busan=60%, Other=60%",
        "[0.5, 0.5, 0.1]",
        "[0.5, 0.5]",
        "[0.5, 0.6, -0.1]",
        '[0.5, 0.5, "0"]',
        "[true, 0, 0]",
        "Seoul=50%",
        "60%",
        "[1",
        '{"0.5": 1}',
        "[null, null, 1.0]",
        "Busan=60%, busan=10%",
        f"[{'9' * 400}, 0, 0]",
    ],
)
def test_a_vector_that_does_not_fit_the_options_or_sum_to_1_is_refused(said: str) -> None:
    with pytest.raises(LedgerError):
        read_value(said, CITIES)


def test_the_sum_that_is_wrong_is_named() -> None:
    with pytest.raises(Refused, match=r"sum to 1\.1"):
        read_value("[0.5, 0.5, 0.1]", CITIES)


def test_mass_outside_the_bounds_is_stated_in_words() -> None:
    value = read_value("50%=140, above=10%", PRICE)
    assert value.quantiles == {"0.5": 140.0, "above": 0.1}


def test_quantiles_are_read_for_numbers_and_dates() -> None:
    value = read_value("10%=120, 50%=140, 90%=170", PRICE)
    assert value.quantiles == {"0.1": 120.0, "0.5": 140.0, "0.9": 170.0}
    value = read_value("50%=2026-03-01, 90%=2026-10-01", WHEN)
    assert value.quantiles == {"0.5": "2026-03-01", "0.9": "2026-10-01"}


@pytest.mark.parametrize(
    "said",
    ["10%=150, 50%=140", "50%=999", "50%=-1", "50%=1, 50%=2", "50%=often", "{}", '{"2": 1}', "140"],
)
def test_quantiles_that_cross_or_cannot_be_read_are_refused(said: str) -> None:
    with pytest.raises(LedgerError):
        read_value(said, PRICE)


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
    ("question", "said"),
    [(text(), "maybe"), (text(), "2"), (CITIES, "Seoul"), (PRICE, "yes"), (WHEN, "soon")],
)
def test_an_outcome_that_is_none_of_the_possible_ones_is_refused_with_those(
    question: QuestionText, said: str
) -> None:
    with pytest.raises(BadInput, match="not an outcome"):
        read_outcome(said, question)
