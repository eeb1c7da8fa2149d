"""Empirical-Bayes skill of many forecasters."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy import integrate, stats

import scoring
from scoring.shrinkage import shrink
from tests.examples import examples

# Rubin (1981): effects of coaching in eight schools, with their standard errors.
SCHOOLS = ([28.0, 8, -3, 7, -1, 1, 18, 12], [15.0, 10, 16, 11, 9, 11, 10, 18])


def test_the_eight_schools_come_out_as_published() -> None:
    # Gelman et al., Bayesian Data Analysis, table 5.3, from 200 draws: medians and 95% intervals.
    found = shrink(*SCHOOLS)
    medians = [10, 8, 7, 8, 5, 6, 10, 8]
    lower = [-2, -5, -11, -7, -9, -7, -1, -6]
    upper = [31, 23, 19, 21, 18, 28, 26, 33]
    assert_allclose(found.estimate, medians, atol=1.6)
    assert_allclose(found.lower, lower, atol=2.5)
    assert np.abs(found.upper - upper).mean() < 4


def test_the_average_over_the_spread_is_the_integral() -> None:
    x, e = np.array([0.3, -1.0, 2.0, 0.5, 4.0]), np.array([0.5, 1.0, 0.7, 2.0, 1.5])

    def parts(tau: float) -> tuple[float, float]:
        weight = 1 / (e**2 + tau**2)
        centre = weight @ x / weight.sum()
        likelihood = np.prod(stats.norm.pdf(x, centre, weight**-0.5)) * weight.sum() ** -0.5
        return likelihood, x[4] + e[4] ** 2 * weight[4] * (centre - x[4])

    whole = integrate.quad(lambda tau: parts(tau)[0], 0, np.inf)[0]
    mean = integrate.quad(lambda tau: parts(tau)[0] * parts(tau)[1], 0, np.inf)[0] / whole
    assert shrink(x, e).estimate[4] == pytest.approx(mean, rel=1e-3)


@settings(max_examples=examples(50))
@given(st.integers(0, 1000), st.floats(-100, 100), st.floats(0.01, 100))
def test_another_origin_or_unit_changes_nothing(seed: int, origin: float, unit: float) -> None:
    random = np.random.default_rng(seed)
    x, e = random.normal(0, 2, 7), random.uniform(0.2, 2, 7)
    first, second = shrink(x, e), shrink(origin + unit * x, unit * e)
    assert_allclose(second.estimate, origin + unit * first.estimate, rtol=1e-6, atol=1e-6)
    assert_allclose(second.upper, origin + unit * first.upper, rtol=1e-6, atol=1e-6)
    backwards = shrink(x[::-1], e[::-1])
    assert_allclose(backwards.estimate, first.estimate[::-1], rtol=1e-9)


@pytest.mark.slow
@pytest.mark.long
@pytest.mark.simulation
@pytest.mark.parametrize("spread", [0.0, 1.0])
def test_the_intervals_cover_on_average_over_the_values(spread: float) -> None:
    random = np.random.default_rng(3)
    covered, better = [], []
    for _ in range(100):
        error = np.exp(random.normal(0, 0.5, 20))
        true = random.normal(0, spread, 20)
        seen = true + error * random.normal(0, 1, 20)
        found = shrink(seen, error)
        covered.append(np.mean((found.lower <= true) & (true <= found.upper)))
        better.append(((seen - true) ** 2).sum() - ((found.estimate - true) ** 2).sum())
    # 2000 values, in groups of 20 that share a centre: 94% minus three standard errors.
    assert np.mean(covered) > 0.94 - 3 * np.std(covered) / np.sqrt(100)
    assert np.mean(better) > 0


def scored(people: int, questions: int, spread: float, seed: int = 0) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    skill = random.normal(0, spread, people)
    who, on = np.divmod(np.arange(people * questions), questions)
    score = skill[who] + random.normal(0, 1, len(who))
    names = [f"p{number}" for number in who]
    return pd.DataFrame({"question_id": on, "forecaster": names, "score": score})


def test_skill_is_the_mean_score_drawn_towards_the_others() -> None:
    scores = scored(10, 50, 0.3)
    found = scoring.skills(scores).set_index("forecaster")
    means = scores.groupby("forecaster")["score"].mean()
    assert_allclose(found["mean"].sort_index(), means)
    assert found["skill"].is_monotonic_decreasing
    assert np.ptp(found["skill"]) < np.ptp(found["mean"])
    assert (found["skill_lower"] < found["skill"]).all()
    assert (found["skill"] < found["skill_upper"]).all()


def test_the_error_of_a_mean_is_its_own_and_everybodys_together() -> None:
    scores = scored(5, 12, 0.3)
    families = {question: question // 2 for question in range(12)}
    found = scoring.skills(scores, families).set_index("forecaster")
    squares, varies = {}, 0.0
    for who, rows in scores.groupby("forecaster"):
        off = rows["score"] - rows["score"].mean()
        sums = off.groupby(rows["question_id"].map(families)).sum()
        squares[who] = float((sums**2).sum())
        varies += 12 - 6 * 2**2 / 12
    pooled = sum(squares.values()) / varies
    for who, own in squares.items():
        variance = (5 * (6 / 5) * own + 30 * pooled * 12) / 35 / 12**2
        row = found.loc[who]
        reach = stats.t.ppf(0.975, 35) * np.sqrt(variance)
        assert row["mean_upper"] - row["mean"] == pytest.approx(reach)
    assert (found["families"] == 6).all()


def test_one_question_is_enough_to_be_placed_and_says_little() -> None:
    scores = scored(6, 40, 0.5)
    scores = scores[(scores["forecaster"] != "p0") | (scores["question_id"] == 7)]
    found = scoring.skills(scores).set_index("forecaster")
    width = found["skill_upper"] - found["skill_lower"]
    assert found.loc["p0", "questions"] == 1
    assert width.idxmax() == "p0"
