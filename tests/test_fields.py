"""A forecast's value in the fields of a form."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecasts.errors import Refused
from forecasts.fields import (
    as_typed,
    check_offered,
    example_quantiles,
    from_percents,
    left_over,
    read_typed,
    start_percents,
)
from forecasts.models import Forecast
from forecasts.questions import question_text
from forecasts.values import Value, read_value, value_of
from tests.conftest import day

TIMES = {"open_time": day(0), "scheduled_close_time": day(1)}
RAIN = question_text(title="?", **TIMES)
PORTS = question_text(
    title="?", type="multiple_choice", options=["Busan", "Beijing, China", "Other"], **TIMES
)
DEPTH = question_text(title="?", type="numeric", lower_bound="0", upper_bound="30", **TIMES)
WHEN = question_text(
    title="?", type="date", lower_bound="2026-01-01", upper_bound="2027-01-01", **TIMES
)


def standing(**value: Any) -> Forecast:
    return Forecast(question_id=1, member_id=1, made_at=day(0), recorded_at=day(0), **value)


@pytest.mark.parametrize(
    ("forecast", "question", "typed"),
    [
        (None, RAIN, ""),
        (standing(probability=0.4), RAIN, "40%"),
        (standing(probability=5 / 7), RAIN, "71.4286%"),
        (standing(probability=0.0), RAIN, "0%"),
        (standing(probability=1e-9), RAIN, "0.0000001%"),
        (standing(probabilities=[0.5, 0.3, 0.2]), PORTS,
         "Busan=50%, Beijing, China=30%, Other=20%"),
        (standing(probabilities=[0.5, 0.5]), PORTS, ""),
        (standing(quantiles={"0.1": 3.0, "0.5": 8.5, "above": 0.01}), DEPTH,
         "10%=3, 50%=8.5, above=1%"),
        (standing(quantiles={"0.5": "2026-03-01"}), WHEN, "50%=2026-03-01"),
    ],
)  # fmt: skip
def test_a_field_starts_from_what_would_be_typed_to_say_what_stands(
    forecast: Forecast | None, question: Any, typed: str
) -> None:
    assert as_typed(forecast, question) == typed


@given(st.floats(0, 1))
def test_what_a_field_starts_from_can_be_typed(p: float) -> None:
    typed = as_typed(standing(probability=p), RAIN)
    assert read_value(typed, RAIN).probability == pytest.approx(p, abs=5e-7, rel=0.06)


@given(st.floats(0, 1))
def test_a_field_left_as_it_was_is_the_standing_value_to_the_last_digit(p: float) -> None:
    forecast = standing(probability=p)
    assert read_typed(f" {as_typed(forecast, RAIN)} ", forecast, RAIN).probability == p


def test_a_field_that_was_changed_is_read() -> None:
    assert read_typed("30%", standing(probability=1 / 3), RAIN).probability == 0.3
    assert read_typed("30%", None, RAIN).probability == 0.3


@given(st.lists(st.floats(0.001, 1), min_size=3, max_size=3))
def test_percentages_left_as_they_were_are_the_standing_vector(weights: list[float]) -> None:
    forecast = standing(probabilities=[weight / sum(weights) for weight in weights])
    start = start_percents(forecast, PORTS)
    assert start is not None
    assert from_percents(start, forecast, PORTS) == value_of(forecast)


def test_options_that_are_left_blank_share_what_is_left_equally() -> None:
    assert from_percents([60, None, None], None, PORTS).probabilities == (0.6, 0.2, 0.2)
    assert left_over([60, None, None]) == 40


@pytest.mark.parametrize("percents", [[60, 20, 10], [60, 50, None], [60, 50, 0]])
def test_percentages_that_do_not_sum_to_100_are_refused_with_their_sum(
    percents: list[float | None],
) -> None:
    with pytest.raises(Refused, match=f"sum to {sum(p or 0 for p in percents)}"):
        from_percents(percents, None, PORTS)


def test_options_that_were_added_later_start_blank() -> None:
    assert start_percents(standing(probabilities=[0.5, 0.5]), PORTS) is None
    assert start_percents(None, PORTS) is None


def test_certainty_is_not_offered_unless_the_settings_say_so() -> None:
    for value in (Value(probability=1.0), Value(probabilities=(0.9995, 0.0005, 0.0))):
        with pytest.raises(Refused, match="outside"):
            check_offered(value, 0.001)
        assert check_offered(value, 0) == value


@pytest.mark.parametrize(
    ("kind", "lowest", "highest", "said"),
    [
        ("numeric", "0", "500", "10%=125, 50%=250, 90%=375"),
        ("numeric", "0.0", "1", "10%=0.25, 50%=0.5, 90%=0.75"),
        ("numeric", "-1e308", "1e308", "10%=-5e+307, 50%=0, 90%=5e+307"),
        ("date", "2027-01-01", "2027-12-31", "10%=2027-04-02, 50%=2027-07-02, 90%=2027-10-01"),
    ],
)
def test_the_example_lies_within_the_questions_own_bounds_and_can_be_typed(
    kind: str, lowest: str, highest: str, said: str
) -> None:
    question = question_text(title="?", type=kind, lower_bound=lowest, upper_bound=highest, **TIMES)
    assert example_quantiles(question) == said
    assert read_value(said, question).quantiles is not None
