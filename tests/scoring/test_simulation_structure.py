"""Families, teams, choice of questions, options and withdrawals in the simulator."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from scoring.simulation import Team, Tournament, simulate
from tests.scoring.test_simulation import LARGE, NO_ACCIDENT, joined, z

# --- families and teams


@pytest.mark.slow
@pytest.mark.parametrize("rho", [0.0, 0.5, 0.9])
def test_outcomes_of_one_family_agree_as_often_as_their_correlation_implies(rho: float) -> None:
    settings = replace(LARGE, questions=9000, families=3000, family_correlation=rho,
                       prior_spread=0.0)  # fmt: skip
    questions = simulate(settings).questions
    yes = (questions["resolution"] == "yes").astype(float)
    family = yes.groupby(questions["family"])
    n, k = family.size(), family.sum()
    agreeing = (k * (k - 1) + (n - k) * (n - k - 1)).sum() / (n * (n - 1)).sum()
    # Two standard normals of correlation ρ have the same sign this often (Sheppard 1899).
    assert agreeing == pytest.approx(0.5 + math.asin(rho) / math.pi, abs=0.03)


def test_questions_of_one_family_open_and_close_together() -> None:
    questions = simulate(replace(LARGE, questions=300, families=100)).questions
    times = questions.groupby("family")[["open_time", "scheduled_close_time"]].nunique()
    assert (times == 1).all(axis=None)


# --- several options, and withdrawals


def with_options(**changes: object) -> Tournament:
    team = (Team("Wren", members=1),)
    return replace(LARGE, teams=team, choice_share=1.0, questions=4000, families=4000, **changes)  # type: ignore[arg-type]


def test_each_of_several_options_comes_true_as_often_as_it_says_and_one_of_them_does() -> None:
    simulated = simulate(with_options(options=4))
    questions = simulated.questions.set_index("question_id")
    assert (questions["type"] == "multiple_choice").all()
    of = questions.loc[simulated.forecasts["question_id"]]
    vectors = np.array(simulated.forecasts["probabilities"].to_list())
    np.testing.assert_allclose(vectors.sum(axis=1), 1, atol=1e-12)
    came = of["resolution"].map(lambda name: int(name[-1]) - 1).to_numpy()
    question = simulated.forecasts["question_id"]
    for option in range(4):
        p, y = pd.Series(vectors[:, option]), pd.Series(came == option).astype(float)
        for _, rows in (p - y).groupby((p * 4).astype(int)):
            assert abs(z(rows, question[rows.index])) < NO_ACCIDENT


@pytest.mark.slow
def test_questions_with_options_leave_the_others_as_they_are() -> None:
    plain, mixed = simulate(LARGE), simulate(replace(LARGE, choice_share=0.3))
    binary = (mixed.questions["type"] == "binary").to_numpy()
    assert 0.65 < binary.mean() < 0.75
    assert (mixed.questions["resolution"] == plain.questions["resolution"])[binary].all()
    rows = mixed.forecasts["question_id"].isin(mixed.questions["question_id"][binary])
    assert (mixed.forecasts["probability"] == plain.forecasts["probability"])[rows].all()


@pytest.mark.slow
def test_simulated_withdrawals_come_near_even_and_never_first() -> None:
    teams = tuple(replace(team, withdrawal=1.0) for team in LARGE.teams)
    simulated = simulate(replace(LARGE, teams=teams))
    plain = simulate(LARGE).forecasts
    withdrawn = simulated.forecasts["probability"].isna()
    assert 0.2 < withdrawn.mean() < 0.8
    path = simulated.forecasts.groupby(["question_id", "forecaster"]).cumcount()
    assert not withdrawn[path == 0].any()
    assert (simulated.forecasts["probability"] == plain["probability"])[~withdrawn].all()
    even = (plain["probability"] - 0.5).abs()
    assert even[withdrawn].mean() < even[~withdrawn].mean() - 0.1
    again = simulated.forecasts.groupby(["question_id", "forecaster"])["probability"].shift(1)
    assert (again.isna() & ~withdrawn & (path > 0)).any()


# --- families of given sizes, base rates, fractional outcomes


def test_families_have_the_sizes_that_are_given() -> None:
    settings = replace(LARGE, questions=9, families=3, sizes=(5, 3, 1))
    family = simulate(settings).questions["family"]
    assert list(family.value_counts().sort_index()) == [5, 3, 1]


def test_prior_means_set_the_base_rate() -> None:
    settings = replace(LARGE, prior_means=(-2.0, 2.0), prior_spread=0.0)
    frame = joined(simulate(replace(settings, teams=LARGE.teams[:1])))
    first = frame.groupby("question_id").first()
    # Φ(±2), forecast at a time when little is known.
    assert set((first["probability"] > 0.5).unique()) == {False, True}
    rare = first[first["probability"] < 0.1]
    assert rare["y"].mean() == pytest.approx(rare["probability"].mean(), abs=0.01)


def test_a_fractional_outcome_equals_the_calibrated_forecast_on_average() -> None:
    settings = replace(LARGE, unknown=0.6, teams=LARGE.teams[:1])
    simulated = simulate(settings)
    outcome = simulated.questions.set_index("question_id")["resolution"].astype(float)
    assert outcome.between(0, 1).all()
    assert 0.3 < ((outcome > 0.1) & (outcome < 0.9)).mean() < 0.9
    question = simulated.forecasts["question_id"]
    left = question.map(outcome) - simulated.forecasts["probability"]
    assert abs(z(left, question)) < NO_ACCIDENT
    high = simulated.forecasts["probability"] > 0.7
    assert abs(z(left[high], question[high])) < NO_ACCIDENT
