"""Published numbers are reproduced, each with its source."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

import scoring
from scoring import score
from tests.scoring.ten_days import by_ana, question, said


@pytest.mark.parametrize(
    ("p", "came", "baseline"),
    [(0.5, 1, 0), (0.9, 1, 85), (0.9, 0, -232), (0.99, 1, 99), (0.01, 1, -564)],
)
def test_log_scores_as_baseline_points(p: float, came: int, baseline: int) -> None:
    # The baseline score of https://www.metaculus.com/help/scores-faq/, 100 · (log₂ p + 1).
    points = 100 - 100 * scoring.log_score(p=[p], y=[came]) / math.log(2)
    assert_allclose(points, [baseline], atol=0.5)


def test_the_spherical_score_of_sides_three_and_four() -> None:
    # p(outcome) / ‖p‖₂, Gneiting & Raftery (2007), section 4.1: probabilities of 3/7 and 4/7 make
    # a triangle of sides 3, 4 and 5.
    assert_allclose(scoring.spherical_score(p=[[3 / 7, 4 / 7]] * 2, y=[1, 0]), [1 / 5, 2 / 5])


def test_ranked_probability_scores_of_precipitation() -> None:
    # Wilks, Statistical Methods in the Atmospheric Sciences, "Multicategory Events": forecasts of
    # no, little and much precipitation, when none fell: 0.73 and 0.89, before dividing by K − 1.
    found = scoring.ranked_probability_score(p=[[0.2, 0.5, 0.3], [0.2, 0.3, 0.5]], y=[0, 0])
    assert_allclose(2 * found, [0.73, 0.89])


@pytest.mark.parametrize(("below", "above"), [(0.0, 0.0), (0.2, 0.1), (0.0, 0.6), (0.5, 0.5)])
def test_the_crps_of_a_uniform_with_mass_at_its_ends(below: float, above: float) -> None:
    # Jordan, Krüger & Lerch (2019), doi:10.18637/jss.v090.i12, appendix A: with L and U at the ends
    # of 0..1 it is z² (1 − L − U) − z (1 − 2 L) + (1 − L − U)² / 3 + (1 − L) U.
    z = np.linspace(0, 1, 11)
    inner = 1 - below - above
    published = z**2 * inner - z * (1 - 2 * below) + inner**2 / 3 + (1 - below) * above
    found = scoring.crps_piecewise(
        levels=[below, 1 - above], values=[[0.0, 1.0]] * 11, outcome=z, lower=0.0, upper=1.0
    )
    assert_allclose(found, published, atol=1e-15)


def crowd_of(*chances: float, method: str) -> float:
    made = said(*((f"{number:04}", 0, p) for number, p in enumerate(chances)))
    return float(scoring.crowd(question(), made, method)["p"].iloc[0])


def test_the_geometric_mean_of_odds_of_one_and_of_a_thousand() -> None:
    # Odds of 1:1000 and 1000:1 pool to even odds; 1:10 twice and 10:1 to their cube root.
    assert crowd_of(1 / 1001, 1000 / 1001, method="geometric_odds") == pytest.approx(0.5)
    odds = crowd_of(1 / 11, 1 / 11, 10 / 11, method="geometric_odds")
    assert odds / (1 - odds) == pytest.approx(0.1 ** (1 / 3))


def test_many_forecasters_are_extremized_by_the_root_of_three() -> None:
    # Neyman & Roughgarden (2022), doi:10.1145/3490486.3538243: the factor goes to √3 ≈ 1.73.
    p = crowd_of(*[0.6] * 2000, method="extremized")
    assert math.log(p / (1 - p)) / math.log(1.5) == pytest.approx(1.73, abs=0.005)


@pytest.mark.parametrize(
    ("chances", "crowd"), [((0.8, 0.6), 0.7), ((0.8, 0.7, 0.6), 0.7), ((0.8, 0.7, 0.5, 0.6), 0.6)]
)
def test_the_recency_weighted_crowds_of_metaculus(chances: tuple[float, ...], crowd: float) -> None:
    # The expected values in the platform's own tests, in the order made:
    # https://github.com/Metaculus/metaculus, tests/unit/test_utils/test_the_math. The plain median
    # of the last would be 0.65.
    assert crowd_of(*chances, method="recency_weighted") == pytest.approx(crowd)


def test_the_movement_of_a_fickle_forecaster() -> None:
    # https://github.com/EbTech/EbTech.github.io, "How fickle should a forecaster be?": 20%, 85%,
    # 5% and "no" have squared changes of 1.065, "a lot more than the expected 0.16".
    asked, made = question().assign(resolution="no"), by_ana((0, 0.2), (4, 0.85), (8, 0.05))
    [row] = scoring.excess_movement(asked, made).to_dict("records")
    assert [row["movement"], row["reduction"]] == pytest.approx([1.065, 0.16])
    assert row["excess"] == pytest.approx(1.065 - 0.16)


def test_points_of_updates_add_up_to_the_gain_in_score() -> None:
    # Unpublished: by hand from its definition. 40%, then 70% with 6 days of 10
    # left, then 90% with 2 left; "yes". 0.36 − 0.162 − 0.016 = 0.182, the score of the path.
    made = by_ana((0, 0.4), (4, 0.7), (8, 0.9))
    earned = scoring.attribution(question(), made)
    assert_allclose(earned["remaining"], [1.0, 0.6, 0.2])
    assert_allclose(earned["points"], [np.nan, 0.27 * 0.6, 0.08 * 0.2])
    assert_allclose(earned["promised"], [np.nan, 0.09 * 0.6, 0.04 * 0.2])
    assert_allclose(earned["surprise"], [np.nan, 0.18 * 0.6, 0.04 * 0.2])
    [score] = scoring.score(question(), made)["score"]
    assert score == pytest.approx(0.182)
    assert 0.36 - earned["points"].sum() == pytest.approx(score)


def test_the_decomposition_of_four_predictions() -> None:
    # The example of model_diagnostics.scoring.decompose: 0, 0, 1, 1 predicted as −1, 1, 1, 2 has
    # the parts 0.625, 0.125, 0.25 and the score 0.75. Moved into 0..1, all of them are a ninth.
    y, p = np.array([0, 0, 1, 1]), np.array([-1, 1, 1, 2])
    found = scoring.decompose(p=(p + 1) / 3, y=(y + 1) / 3)
    assert_allclose(9 * np.array(found), [0.75, 0.625, 0.125, 0.25])


def test_the_isotonic_curve_of_nine_values() -> None:
    # The first example of R's isoreg: 1, 0, 4, 3, 3, 5, 4, 2, 0 becomes 0.5 twice, then 3.
    y = np.array([1, 0, 4, 3, 3, 5, 4, 2, 0]) / 5
    curve = scoring.reliability_curve(p=np.arange(1, 10) / 10, y=y)
    assert_allclose(5 * curve["recalibrated"], [0.5, 0.5, *[3] * 7])


@pytest.mark.parametrize(
    ("came", "of", "lower", "upper"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0, 0.1611),
     (1, 29, 0.0061, 0.1718)],
)  # fmt: skip
def test_the_intervals_of_bins(came: int, of: int, lower: float, upper: float) -> None:
    # Newcombe (1998), doi:10.1002/(SICI)1097-0258(19980430)17:8<857::AID-SIM777>3.0.CO;2-E,
    # table I, method 3 (Wilson's).
    table = scoring.reliability_bins(p=[0.5] * of, y=[1] * came + [0] * (of - came), bins=1)
    assert_allclose(table[["observed_lower", "observed_upper"]], [[lower, upper]], atol=5e-5)


def test_the_area_under_the_roc_curve_of_a_rating() -> None:
    # Hanley & McNeil (1982), doi:10.1148/radiology.143.1.7063747: 109 tomograms rated on five steps
    # of suspicion, 58 of them of healthy patients: 0.893.
    healthy, ill = [33, 6, 6, 11, 2], [3, 2, 2, 11, 33]
    p = np.repeat(np.tile([0.1, 0.3, 0.5, 0.7, 0.9], 2), healthy + ill)
    assert scoring.roc_auc(p=p, y=[0] * 58 + [1] * 51) == pytest.approx(0.893, abs=5e-4)


def test_the_line_of_hours_of_study() -> None:
    # The example of https://en.wikipedia.org/wiki/Logistic_regression: twenty students, hours of
    # study, and who passed: intercept −4.1, coefficient 1.5 (−4.0777 and 1.5046).
    hours = [0.50, 0.75, 1.00, 1.25, 1.50, 1.75, 1.75, 2.00, 2.25, 2.50,
             2.75, 3.00, 3.25, 3.50, 4.00, 4.25, 4.50, 4.75, 5.00, 5.50]  # fmt: skip
    passed = [0, 0, 0, 0, 0, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 1, 1, 1, 1, 1]
    found = scoring.recalibration(p=1 / (1 + np.exp(-np.array(hours))), y=passed)
    assert_allclose([found.intercept, found.slope], [-4.0777, 1.5046], atol=5e-5)


def test_the_z_of_a_change_of_mind() -> None:
    # McNemar's test in Agresti, Categorical Data Analysis, 10.1: of those who changed their opinion
    # of a prime minister, 86 came to approve and 150 ceased to: z = −4.17.
    y = [1] * 86 + [0] * 150
    found = scoring.calibration_in_the_large(p=np.full(236, 0.5), y=y)
    assert found.statistic == pytest.approx(-4.17, abs=0.005)


def test_the_wealth_of_a_gambler_after_two_differences() -> None:
    # The capital Π (1 + λ (X − m)) of Waudby-Smith & Ramdas (2024), doi:10.1093/jrsssb/qkad009, for
    # X − m = 1 twice, by hand: the λ add up to 2.82 and their squares to 1.7254, over eight bets.
    # Equal weights on these eight λ are this package's choice. No published number for such a
    # mixture was found: the README of the R package eprob, of Henzi & Ziegel,
    # has other bets and data from R's generator; the tests and documents of confseq, comparecast
    # and SHANGRLA that could be found have one bet at a time; Shafer (2021),
    # doi:10.1111/rssa.12647, was available only in excerpts.
    found = scoring.e_process([1.0, 1.0])
    square, won = 1.7254 / 8, 2.82 / 8
    assert_allclose(np.exp(found.log_b), [1 + won, 1 + 2 * won + square])
    assert_allclose(np.exp(found.log_a), [1 - won, 1 - 2 * won + square])
    # A bet on both sides neither wins nor loses on the first difference.
    assert_allclose(np.exp(found.log_either), [1.0, 1 + square])


EXAMPLES = Path(__file__).parent / "examples"


@pytest.mark.parametrize("folder", ["metaculus", "gjo"])
def test_a_platforms_published_rules_give_the_same_rows_and_scores(folder: str) -> None:
    questions = pd.read_csv(EXAMPLES / folder / "questions.csv")
    forecasts = pd.read_csv(EXAMPLES / folder / "forecasts.csv")
    expected = pd.read_csv(EXAMPLES / folder / "expected.csv")
    names = expected["protocol"].unique().tolist()
    found = score(questions, forecasts, names)
    key = ["protocol", "question_id", "forecaster"]
    both = expected.merge(found, on=key, how="outer", suffixes=("_expected", ""), indicator=True)
    assert (both["_merge"] == "both").all(), both[both["_merge"] != "both"]
    for column in ("score", "coverage"):
        np.testing.assert_allclose(both[column], both[f"{column}_expected"], rtol=0, atol=1e-8)
    assert found[key].equals(found[key].sort_values(key, ignore_index=True))
