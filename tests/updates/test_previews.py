"""The preview of an update."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import scoring
from forecasts.updates.previews import (
    expected_scores,
    format_expected_scores,
    format_score_so_far,
    implied_density,
    score_so_far,
)
from forecasts.values.value import Value
from tests.conftest import day
from tests.values.questions import DEPTH, RAIN, standing, text

PORTS = text(type="multiple_choice", options=["a", "b", "c"])
CHANCES = st.floats(0.001, 0.999)
VECTORS = st.lists(st.floats(0.01, 1), min_size=3, max_size=3).map(
    lambda given: tuple(weight / sum(given) for weight in given)
)
QUANTILES = st.lists(st.floats(0.1, 29.9), min_size=3, max_size=3, unique=True).map(
    lambda given: dict(zip(("0.1", "0.5", "0.9"), sorted(given), strict=True))
)


@given(CHANCES, CHANCES)
def test_a_probabilitys_expected_score_follows_its_rule(p: float, q: float) -> None:
    before, after = expected_scores(RAIN, standing(probability=p), Value(probability=q))
    of_yes, of_no = scoring.brier_score(p=[p, p], y=[1, 0])
    assert before == pytest.approx(q * of_yes + (1 - q) * of_no)
    assert after == pytest.approx(q * (1 - q))
    assert after <= before + 1e-12


@given(VECTORS, VECTORS)
def test_the_expected_score_follows_the_rule(p: tuple[float, ...], q: tuple[float, ...]) -> None:
    before, after = expected_scores(PORTS, standing(probabilities=list(p)), Value(probabilities=q))
    each = scoring.brier_score(p=[p] * 3, y=[0, 1, 2])
    assert before == pytest.approx(float(np.dot(q, each)))
    assert after <= before + 1e-12


def test_an_option_that_was_not_there_yet_is_read_from_the_last_one() -> None:
    before, _ = expected_scores(
        PORTS, standing(probabilities=[0.6, 0.4]), Value(probabilities=(0, 1, 0))
    )
    # b has the 0.4 of the last option: ½ (0.6² + 0.6²).
    assert before == pytest.approx(0.36)


@given(QUANTILES, QUANTILES)
def test_quantiles_have_their_expected_crps(old: dict[str, float], new: dict[str, float]) -> None:
    before, after = expected_scores(DEPTH, standing(quantiles=old), Value(quantiles=new))
    # By brute force, over many equally spaced levels of the new distribution.
    levels = (np.arange(4000) + 0.5) / 4000
    outcomes = np.interp(levels, [0, 0.1, 0.5, 0.9, 1], [0, *new.values(), 30])
    rows = [list(old.values())] * len(outcomes)
    by_hand = scoring.crps_piecewise(
        levels=[0.1, 0.5, 0.9], values=rows, outcome=outcomes, lower=0, upper=30
    ).mean()
    assert before == pytest.approx(by_hand, abs=1e-4)
    assert after <= before + 1e-12


@given(QUANTILES, st.floats(0, 0.1), st.floats(0, 0.1))
def test_slices_sum_to_mass_inside(quantiles: dict[str, float], below: float, above: float) -> None:
    value = Value(quantiles=quantiles | {"below": below, "above": above})
    slices = implied_density(DEPTH, value)
    assert math.fsum(one.chance for one in slices) == pytest.approx(1 - below - above)
    for one in slices:
        assert one.density == pytest.approx(one.chance * 30 / (one.high - one.low))


def test_a_certain_number_has_a_probability_and_not_a_density() -> None:
    slices = implied_density(DEPTH, Value(quantiles={"0.0": 4.0, "1.0": 4.0}))
    assert [(one.low, one.chance, one.density) for one in slices if one.chance] == [(4, 1, None)]


def test_it_is_said_in_a_sentence() -> None:
    for before, now, said in (
        (None, 0.8, "Expected Brier 0.160 if right."),
        (0.8, 0.8, "Expected Brier 0.160 if right."),
        (0.58, 0.8, "Expected Brier 0.208 → 0.160 if right."),
        (0.79, 0.8, "Expected Brier 0.160 if right."),
    ):
        forecast = None if before is None else standing(probability=before)
        assert format_expected_scores(RAIN, forecast, Value(probability=now)) == said


def test_the_score_so_far_is_the_mean_over_the_time_that_each_forecast_was_current() -> None:
    forecasts = [standing(0.2, probability=0.5), standing(0.4, probability=0.8)]
    # Half of the time at (1 - 0.5)², half at (1 - 0.8)².
    assert score_so_far(RAIN, forecasts, "yes", now=day(0.6)) == pytest.approx(0.145)
    assert score_so_far(RAIN, forecasts, "no", now=day(0.6)) == pytest.approx(0.445)
    assert format_score_so_far(RAIN, forecasts, now=day(0.6)) == (
        "If it resolved yes today: 0.145; no: 0.445"
    )


def test_a_withdrawal_ends_the_time_that_counts_and_without_any_there_is_not_yet_a_score() -> None:
    forecast = standing(0.2, probability=0.8)
    withdrawn = [forecast, standing(0.4, withdrawn=True)]
    assert score_so_far(RAIN, withdrawn, "yes", now=day(0.9)) == pytest.approx(0.04)
    assert score_so_far(RAIN, [forecast], "yes", now=day(0.2)) is None
    assert score_so_far(RAIN, [forecast], "yes", now=day(-1)) is None
    assert score_so_far(RAIN, [], "yes", now=day(0.5)) is None
    for forecasts in (withdrawn, []):
        assert format_score_so_far(RAIN, forecasts, now=day(0.9)) == ""


def test_the_score_so_far_names_the_likeliest_option_or_the_median() -> None:
    ports = [standing(0.1, probabilities=[0.2, 0.7, 0.1])]
    assert format_score_so_far(PORTS, ports, now=day(0.5)) == "If it resolved b today: 0.0700"
    depth = [standing(0.1, quantiles={"0.1": 5.0, "0.5": 10.0, "0.9": 20.0})]
    found = format_score_so_far(DEPTH, depth, now=day(0.5))
    assert found.startswith("If it resolved 10 today: 0.0")
