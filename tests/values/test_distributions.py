"""CDFs: the ledger's quantiles and back."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import scoring
from forecasts.common.errors import BadInput
from forecasts.common.vocabulary import QuestionType
from forecasts.values.distributions import from_cdf, grid, knots, outcome_count, to_cdf, zero_point
from forecasts.values.outcomes import bounds
from forecasts.values.outline import Outline
from forecasts.values.value import Value, check_value


def text(kind: str, low: str, high: str) -> Outline:
    return Outline(QuestionType(kind), lower_bound=low, upper_bound=high)


PRICE = text("numeric", "-3", "207.5")
DATE = text("date", "2026-02-01", "2031-07-15T12:00:00Z")
COUNT = text("numeric", "-0.5", "10.5")
WIDE = text("numeric", "2", "5e6")
QUESTIONS = pytest.mark.parametrize(
    "question", [PRICE, DATE, COUNT, WIDE], ids=["price", "date", "count", "wide"]
)


def crps(value: Value, question: Outline, outcomes: np.ndarray) -> np.ndarray:
    levels, figures = knots(value, question)
    rows = np.broadcast_to(figures, (len(outcomes), len(figures)))
    lower, upper = bounds(question)
    return scoring.crps_piecewise(
        levels=levels, values=rows, outcome=outcomes, lower=lower, upper=upper
    )


@st.composite
def cdfs(draw: st.DrawFn, points: int) -> list[float]:
    """Return a CDF whose mass lies in few places, so that much of it is flat, or in many."""
    places = st.dictionaries(st.integers(0, points), st.floats(0.001, 1), min_size=1, max_size=12)
    mass = np.zeros(points + 1)
    for place, weight in draw(places).items():
        mass[place] = weight
    if draw(st.booleans()):
        mass += 0.01  # flat nowhere
    if draw(st.booleans()):
        mass[0] = mass[-1] = 0.0  # closed bounds
    if mass.sum() == 0:
        mass[points // 2] = 1.0
    return [float(p) for p in np.minimum(np.cumsum(mass / mass.sum())[:-1], 1.0)]


@pytest.mark.slow
@QUESTIONS
@given(data=st.data())
def test_a_cdf_has_the_same_crps_as_its_forecast(question: Outline, data: st.DataObject) -> None:
    at = grid(question)
    cdf = data.draw(cdfs(len(at)))
    value = check_value(from_cdf(cdf, question), question)
    low, high = bounds(question)
    outcomes = np.array([low - 1, *np.linspace(low, high, 23), high + 1])
    rows = np.broadcast_to(at, (25, len(at)))
    exact = scoring.crps_piecewise(levels=cdf, values=rows, outcome=outcomes, lower=low, upper=high)
    assert abs(crps(value, question, outcomes) - exact).max() < 1e-6
    assert abs(np.array(to_cdf(value, question)) - cdf).max() < 2e-7


@QUESTIONS
def test_a_smooth_cdf_is_read_back_as_it_was_sent(question: Outline) -> None:
    place = np.linspace(-2.5, 2.2, len(grid(question)))
    cdf = np.round(1 / (1 + np.exp(-2 * place)), 10)
    back = np.array(to_cdf(from_cdf(cdf.tolist(), question), question))
    assert abs(back - cdf).max() <= 2e-10
    assert (np.diff(back) > 0).all()


def test_a_gently_curved_cdf_is_kept_to_ten_digits() -> None:
    # Each point is within 1e-10 of the line between its neighbours, the middle 5e-7 off the whole.
    at = np.linspace(0, 1, 201)
    cdf = 0.1 + 0.8 * at + 2e-6 * at**2
    found = to_cdf(from_cdf(cdf.tolist(), PRICE), PRICE)
    assert abs(np.array(found) - cdf).max() < 1e-9


def test_a_cdf_of_few_lines_is_kept_as_few_quantiles() -> None:
    cdf = np.interp(grid(PRICE), [-3, 50, 60, 207.5], [0.01, 0.2, 0.9, 0.98]).round(10)
    quantiles = from_cdf(cdf.tolist(), PRICE).quantiles or {}
    assert quantiles["below"] == 0.01
    assert quantiles["above"] == pytest.approx(0.02)
    assert len(quantiles) <= 6


def test_a_uniform_cdf_has_a_median() -> None:
    assert from_cdf(np.linspace(0, 1, 201).tolist(), PRICE) == Value(quantiles={"0.5": 102.25})


@pytest.mark.parametrize("outside", [0.0, 0.3, 1.0])
def test_all_of_a_cdf_can_lie_outside_the_bounds(outside: float) -> None:
    value = check_value(from_cdf([outside] * 201, PRICE), PRICE)
    assert value.quantiles == {"below": outside, "above": 1 - outside}
    assert to_cdf(value, PRICE) == pytest.approx([outside] * 201)


def test_a_forecast_by_few_quantiles_rises_throughout_as_a_cdf() -> None:
    for quantiles in ({"0.1": 20.0, "0.5": 20.0}, {"0.5": -3.0}, {"1.0": 100.0}):
        cdf = to_cdf(Value(quantiles=quantiles), PRICE)
        assert (np.diff(cdf) > 0).all()
        assert cdf[0] >= 0
        assert cdf[-1] <= 1


def test_a_wide_range_is_given_at_equal_ratios() -> None:
    assert (zero_point(WIDE), zero_point(PRICE), zero_point(DATE)) == (0, None, None)
    at = grid(WIDE)
    # The platform's formula, with the zero point that the question is listed with.
    ratio, place = 5e6 / 2, np.linspace(0, 1, 201)
    assert at == pytest.approx(2 + (5e6 - 2) * (ratio**place - 1) / (ratio - 1))


def test_bounds_halfway_between_whole_numbers_make_a_question_discrete() -> None:
    assert outcome_count(COUNT) == 11
    assert len(grid(COUNT)) == 12
    assert outcome_count(text("numeric", "-0.5", "10")) is None
    assert outcome_count(text("numeric", "-0.5", "500.5")) is None
    assert outcome_count(DATE) is None


@pytest.mark.parametrize(
    ("cdf", "words"),
    [
        ([0.5] * 200, "has 200 numbers; this question needs 201"),
        ([0.5] * 100 + [0.4] * 101, "number 101, 0.4, does not"),
        ([float("nan")] * 201, "number 1, nan, does not"),
        ([0.0] * 200 + [1.1], "number 201, 1.1, does not"),
    ],
)
def test_a_refused_cdf_names_the_rule_and_the_number(cdf: list[float], words: str) -> None:
    with pytest.raises(BadInput, match=words):
        from_cdf(cdf, PRICE)


def test_quantiles_on_a_line_parallel_to_the_whole_are_read_back_unchanged() -> None:
    """All points from 9 to 21 are equally far from the line between the bounds."""
    question, stated = text("numeric", "0", "30"), {"0.1": 3.0, "0.5": 9.0, "0.9": 21.0}
    assert from_cdf(to_cdf(Value(quantiles=stated), question), question).quantiles == stated
