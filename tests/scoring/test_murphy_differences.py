"""The difference of two sides' Murphy curves, on shared questions and times."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

import scoring
from scoring.means import clustered_mean
from scoring.murphy_curves import difference_curve
from scoring.simulation import Team, Tournament, simulate
from tests.scoring.ten_days import question, said

FINE = (np.arange(2000) + 0.5) / 2000


@pytest.mark.parametrize("lead", [None, 3.0])
def test_the_area_under_the_difference_is_the_paired_difference(lead: float | None) -> None:
    teams = (Team("one", members=3), Team("two", members=2))
    made = simulate(Tournament(teams=teams, seed=1, questions=40, families=20, choice_share=0.3))
    frames = made.questions, made.forecasts, made.teams.set_index("forecaster")["team"]
    [((a, b), curve)] = scoring.murphy_differences(*frames, None, lead, FINE).items()
    pairs = scoring.paired(*frames, lead)
    assert (a, b) == (pairs["a"].iloc[0], pairs["b"].iloc[0])
    assert curve["difference"].mean() == pytest.approx(pairs["difference"].mean(), abs=1e-4)


def test_at_one_moment_it_is_the_difference_of_the_two_curves() -> None:
    questions = pd.concat([question(question_id="p"), question(resolution="no")])
    of_p = said(("ana", 0, 0.9), ("ben", 0, 0.6), ("cy", 0, 0.4)).assign(question_id="p")
    forecasts = pd.concat([of_p, said(("ana", 0, 0.2), ("ben", 0, 0.7))])
    group = {"ana": "a", "ben": "b", "cy": "b"}
    at = [0.1, 0.3, 0.5, 0.65, 0.8, 0.95]
    found = scoring.murphy_differences(questions, forecasts, group, thresholds=at)["a", "b"]
    own = scoring.murphy_curve(p=[0.9, 0.2], y=[1, 0], thresholds=at)["score"]
    # Two members share a side's half of the weight on the first question.
    p, y, weight = [0.6, 0.4, 0.7], [1, 1, 0], [0.5, 0.5, 1.0]
    other = scoring.murphy_curve(p=p, y=y, weight=weight, thresholds=at)["score"]
    assert_allclose(found["difference"], own - other, atol=1e-12)


def test_the_intervals_at_a_threshold_are_those_of_a_clustered_mean() -> None:
    random = np.random.default_rng(5)
    difference, thresholds = random.normal(0, 0.1, (30, 3)), np.array([0.2, 0.5, 0.8])
    question = pd.Series(np.arange(30))
    found = difference_curve(difference, question, {n: n // 3 for n in range(30)}, thresholds)
    for place in range(3):
        one = clustered_mean(difference[:, place], np.arange(30) // 3)
        assert_allclose(found.iloc[place][["lower", "upper"]], [one.lower, one.upper])
    assert (found["band_lower"] <= found["lower"] + 1e-9).all()
    assert (found["band_upper"] >= found["upper"] - 1e-9).all()


@pytest.mark.slow
def test_the_band_holds_the_whole_difference_between_equals() -> None:
    random, left = np.random.default_rng(6), 0
    thresholds = np.linspace(0, 1, 51)
    for _ in range(100):
        truth = random.beta(1, 3, 80)
        y = (random.random(80) < truth) * 1.0
        odds = np.log(truth / (1 - truth))
        rows = []
        for _ in range(2):
            p = 1 / (1 + np.exp(-odds - random.normal(0, 0.7, 80)))
            low, high = np.minimum(p, y)[:, None], np.maximum(p, y)[:, None]
            between = (low <= thresholds) & (thresholds < high)
            rows.append(np.where(between, 2 * np.abs(y[:, None] - thresholds), 0))
        found = difference_curve(rows[0] - rows[1], pd.Series(np.arange(80)), None, thresholds)
        left += bool(((found["band_lower"] > 1e-12) | (found["band_upper"] < -1e-12)).any())
    assert left <= 10  # 5% of 100, and two Monte Carlo errors


def test_the_bands_of_several_curves_are_wider_than_that_of_one() -> None:
    difference = np.random.default_rng(7).normal(0, 0.1, (60, 5))
    of = difference, pd.Series(np.arange(60)), None, np.linspace(0.1, 0.9, 5)
    one, ten = difference_curve(*of), difference_curve(*of, 10)
    assert_allclose(one["upper"], ten["upper"])
    half, wider = (found["band_upper"] - found["difference"] for found in (one, ten))
    assert (wider > 1.15 * half).all()
    assert (wider < 1.6 * half).all()


def test_one_family_has_no_interval() -> None:
    rows, family = np.ones((3, 1)), dict.fromkeys(range(3), "f")
    found = difference_curve(rows, pd.Series(range(3)), family, np.array([0.5]))
    assert np.isnan(found["band_lower"]).all()
