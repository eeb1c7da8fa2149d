"""A forecast's value in the fields of a form."""

from __future__ import annotations

import math
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecasts.common.errors import Refused
from forecasts.updates.typed_values import (
    example_quantiles,
    read_percents,
    read_quantiles,
    read_typed,
    rebalanced,
    require_offered_range,
    typed_forecast,
    typed_percents,
    typed_quantiles,
)
from forecasts.values.value import Value, value_of
from forecasts.values.value_parsing import read_value
from tests.values.questions import CITIES, DEPTH, RAIN, WHEN, standing, text


def test_fields_show_current_values() -> None:
    for forecast, question, typed in (
        (None, RAIN, ""),
        (standing(probability=0.4), RAIN, "40%"),
        (standing(probability=5 / 7), RAIN, "71.4286%"),
        (standing(probability=0.0), RAIN, "0%"),
        (standing(probability=1e-9), RAIN, "0.0000001%"),
        (standing(probabilities=[0.5, 0.3, 0.2]), CITIES,
         "Busan=50%, Beijing, China=30%, Other=20%"),
        (standing(probabilities=[0.5, 0.5]), CITIES, ""),
        (standing(quantiles={"0.1": 3.0, "0.5": 8.5, "above": 0.01}), DEPTH,
         "10%=3, 50%=8.5, above=1%"),
        (standing(quantiles={"0.5": "2026-03-01"}), WHEN, "50%=2026-03-01"),
    ):  # fmt: skip
        assert typed_forecast(forecast, question) == typed


@given(st.floats(0, 1))
def test_a_fields_initial_text_can_be_typed(p: float) -> None:
    typed = typed_forecast(standing(probability=p), RAIN)
    assert read_value(typed, RAIN).probability == pytest.approx(p, abs=5e-7, rel=0.06)


@given(st.floats(0, 1))
def test_a_field_left_as_it_was_is_the_standing_value_to_the_last_digit(p: float) -> None:
    forecast = standing(probability=p)
    assert read_typed(f" {typed_forecast(forecast, RAIN)} ", forecast, RAIN).probability == p


def test_a_field_that_was_changed_is_read() -> None:
    assert read_typed("30%", standing(probability=1 / 3), RAIN).probability == 0.3
    assert read_typed("30%", None, RAIN).probability == 0.3


@given(st.lists(st.floats(0.001, 1), min_size=3, max_size=3))
def test_options_left_as_they_were_are_the_standing_vector(weights: list[float]) -> None:
    forecast = standing(probabilities=[weight / sum(weights) for weight in weights])
    assert read_typed(typed_forecast(forecast, CITIES), forecast, CITIES) == value_of(forecast)


BARS = st.lists(st.floats(0, 100), min_size=2, max_size=12)


@given(BARS, st.data())
def test_moved_bars_sum_to_100_and_can_be_typed(bars: list[float], data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(bars) - 1))
    lowest = data.draw(st.sampled_from([0.0, 0.1]))
    to = data.draw(st.floats(0, 100))
    moved = rebalanced(bars, place, to, lowest)
    assert math.fsum(moved) == pytest.approx(100, abs=1e-9)
    assert min(moved) >= lowest
    assert moved[place] == pytest.approx(
        min(max(to, lowest), 100 - lowest * (len(bars) - 1)), abs=0.01
    )
    options = [f"option {number}" for number in range(len(bars))]
    question = text(type="multiple_choice", options=options)
    typed = typed_percents(moved, question)
    assert read_percents(typed, question) == pytest.approx(moved)


def test_bars_that_give_way_keep_their_proportions() -> None:
    assert rebalanced([50, 30, 20], 0, 60) == [60, 24, 16]
    assert rebalanced([100, 0, 0], 0, 40) == [40, 30, 30]
    # An option at the lowest value stays there, and the others give way.
    assert rebalanced([10, 89, 1], 0, 95, lowest=0.5) == [95, 4.5, 0.5]


def test_options_with_an_equals_sign_are_typed_in_their_order() -> None:
    question = text(type="multiple_choice", options=["x = 1", "x = 2"])
    typed = typed_percents([60, 40], question)
    assert typed == "[0.6, 0.4]"
    assert read_percents(typed, question) == [60, 40]


def test_quantiles_are_read_off_between_those_that_are_stated() -> None:
    assert read_quantiles("10%=3, 50%=8, 90%=20", DEPTH) == [None, 4.875, 8, 15.5, None]
    assert read_quantiles("50%=9, 25%=10", DEPTH) == [None] * 5
    first, *_ = read_quantiles("5%=2026-03-01", WHEN)
    assert first == datetime(2026, 3, 1, tzinfo=UTC).timestamp()
    # Once they are moved, the mass beyond the bounds is kept.
    typed = typed_quantiles([None, 3.0, 8.0, 9.5, None], "50%=3, above=1%", DEPTH)
    assert typed == "25%=3, 50%=8, 75%=9.5, above=1%"
    assert read_value(typed, DEPTH).quantiles is not None


def test_certainty_is_not_offered_unless_the_settings_say_so() -> None:
    for value in (Value(probability=1.0), Value(probabilities=(0.9995, 0.0005, 0.0))):
        with pytest.raises(Refused, match="outside"):
            require_offered_range(value, 0.001)
        assert require_offered_range(value, 0) == value


def test_an_example_lies_in_its_bounds() -> None:
    for kind, lowest, highest, said in (
        ("numeric", "0", "500", "10%=125, 50%=250, 90%=375"),
        ("numeric", "0.0", "1", "10%=0.25, 50%=0.5, 90%=0.75"),
        ("numeric", "-1e100", "1e100", "10%=-5e+99, 50%=0, 90%=5e+99"),
        ("date", "2027-01-01", "2027-12-31", "10%=2027-04-02, 50%=2027-07-02, 90%=2027-10-01"),
    ):
        question = text(type=kind, lower_bound=lowest, upper_bound=highest)
        assert example_quantiles(question) == said
        assert read_value(said, question).quantiles is not None


def test_fields_of_quantiles_follow_dates_as_people_type_them() -> None:
    now = datetime(2026, 11, 27, 11, 10, tzinfo=UTC)
    typed = "50%=next friday, above=10%"
    assert read_typed(typed, None, WHEN, now=now).quantiles == {"0.5": "2026-12-04", "above": 0.1}
    median = read_quantiles(typed, WHEN, now=now)[2]
    assert median == datetime(2026, 12, 4, tzinfo=UTC).timestamp()
    moved = typed_quantiles([None, None, "2026-12-05", None, None], typed, WHEN, now=now)
    assert moved == "50%=2026-12-05, above=10%"
