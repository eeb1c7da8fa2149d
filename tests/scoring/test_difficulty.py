"""Scores adjusted for the difficulty of the questions."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

import scoring
from scoring.arrays import Floats
from scoring.means import clustered_mean


def table(**scores: dict[object, float]) -> pd.DataFrame:
    rows = [(name, on, score) for name, own in scores.items() for on, score in own.items()]
    return pd.DataFrame(rows, columns=["group", "question_id", "score"])


def random_scores(seed: int, share: float = 0.4) -> tuple[pd.DataFrame, Floats]:
    """Return scores of five groups on some of forty questions, and the groups' effects."""
    groups, questions = 5, 40
    random = np.random.default_rng(seed)
    effect, level = random.normal(0, 0.1, groups), random.normal(0.3, 0.2, questions)
    asked = random.random((groups, questions)) < share
    score = effect[:, None] + level + random.normal(0, 0.1, (groups, questions))
    group, question = np.nonzero(asked)
    frame = pd.DataFrame({"group": group, "question_id": question, "score": score[group, question]})
    return frame, effect


def test_the_effects_are_those_of_least_squares_with_a_dummy_for_each_question() -> None:
    frame, _ = random_scores(1)
    shared = frame[frame.groupby("question_id")["group"].transform("size") > 1]
    x = pd.get_dummies(shared[["group", "question_id"]].astype(str)).to_numpy(dtype=float)
    fit = np.linalg.lstsq(x, shared["score"].to_numpy())[0]
    found = scoring.difficulty_adjusted(frame).sort_values("group")
    assert_allclose(found["adjusted"] - found["adjusted"].mean(), fit[:5] - fit[:5].mean())
    # And every group on every question, by the model.
    every = fit[:5, None] + fit[5:]
    assert_allclose(found["adjusted"], every.mean(axis=1))


def test_harder_questions_are_not_a_fault() -> None:
    easy, hard = dict.fromkeys(range(20), 0.1), dict.fromkeys(range(20, 40), 0.3)
    found = scoring.difficulty_adjusted(
        table(ana=easy | {40: 0.2}, ben=hard | {40: 0.2}, eva=easy | hard | {40: 0.2})
    )
    assert_allclose(found["adjusted"], found["adjusted"].iloc[0])
    assert found.set_index("group")["raw"]["ana"] < found.set_index("group")["raw"]["ben"]


def test_of_two_the_adjusted_difference_is_the_paired_one() -> None:
    random = np.random.default_rng(2)
    a, b = random.random((2, 30))
    scores = table(a=dict(enumerate(a)), b=dict(enumerate(b)) | {99: 0.9})
    found = scoring.difficulty_adjusted(scores).set_index("group")
    difference = found["adjusted"]["a"] - found["adjusted"]["b"]
    assert difference == pytest.approx((a - b).mean())
    paired = clustered_mean((a - b) / 2)
    half = (found["upper"] - found["lower"])["a"] / 2
    assert half == pytest.approx((paired.upper - paired.lower) / 2)


def test_groups_that_nothing_connects_are_in_components_of_their_own() -> None:
    found = scoring.difficulty_adjusted(
        table(a={1: 0.1, 2: 0.2}, b={2: 0.4}, c={2: 0.3}, d={3: 0.1}, e={3: 0.2}, alone={4: 0.9})
    )
    components = [set(own["group"]) for _, own in found.groupby("component")]
    assert components == [{"a", "b", "c"}, {"d", "e"}]
    assert "alone" not in set(found["group"])
    assert found.set_index("group")["questions"]["a"] == 1


def test_nothing_shared_is_nothing_adjusted() -> None:
    assert scoring.difficulty_adjusted(table(a={1: 0.1}, b={2: 0.2})).empty


@pytest.mark.slow
def test_the_interval_covers_the_effect_and_counts_families() -> None:
    missed = total = 0
    for seed in range(40):
        frame, effect = random_scores(seed, share=0.7)
        found = scoring.difficulty_adjusted(frame).sort_values("group")
        off = found["adjusted"] - found["adjusted"].mean() - (effect - effect.mean())
        half = (found["upper"] - found["lower"]) / 2
        missed += int((off.abs() > half).sum())
        total += len(found)
    assert missed / total <= 0.085
    once = scoring.difficulty_adjusted(frame)
    copies = pd.concat([frame.assign(question_id=frame["question_id"] + k * 100) for k in range(3)])
    linked = scoring.difficulty_adjusted(copies, {n: n % 100 for n in copies["question_id"]})
    assert_allclose(linked[["lower", "upper"]], once[["lower", "upper"]])
