"""The Brier skill score and its reference, the base rate."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.testing import assert_allclose

import scoring
from scoring.skill_scores import base_rate_brier


def test_the_base_rate_of_a_question_is_that_of_the_other_families() -> None:
    y, family = [1, 1, 0, 0, 0.4], ["x", "x", "x", "y", "z"]
    # The others of x: 0 and 0.4; of y: four with a total of 2.4; of z: four with a total of 2.
    expected = [(0.2 - 1) ** 2, (0.2 - 1) ** 2, 0.2**2, 0.6**2, (0.5 - 0.4) ** 2]
    assert_allclose(base_rate_brier(y, family), expected)
    assert_allclose(base_rate_brier([1, 0], ["x", "x"]), [0.25, 0.25])


def test_a_published_skill_score() -> None:
    # Wilks, Statistical Methods in the Atmospheric Sciences, 3rd ed., section 8.4.2: a Brier score
    # of 0.076 against the climatology's 0.135 is a skill of 0.44.
    found = scoring.brier_skill(score=[0.076], reference=[0.135]).value
    assert found == pytest.approx(0.44, abs=0.005)


def test_a_perfect_record_or_reference_has_no_interval() -> None:
    perfect = scoring.brier_skill(score=[0.0, 0.0], reference=[0.25, 0.25])
    assert (perfect.value, math.isnan(perfect.lower)) == (1.0, True)
    assert math.isnan(scoring.brier_skill(score=[0.1, 0.2], reference=[0.0, 0.0]).value)
    linked = scoring.brier_skill(score=[0.1, 0.2], reference=[0.3, 0.2], cluster=["f", "f"])
    assert math.isnan(linked.lower)


def test_copies_of_a_question_do_not_narrow_the_interval_of_a_skill() -> None:
    random = np.random.default_rng(1)
    own, other = random.random(40), random.random(40)
    once = scoring.brier_skill(score=own, reference=other)
    copied = scoring.brier_skill(
        score=np.repeat(own, 3), reference=np.repeat(other, 3), cluster=np.repeat(range(40), 3)
    )
    assert_allclose(copied, once)


@pytest.mark.parametrize("rate", [0.05, 0.4])
def test_the_interval_of_the_skill_against_the_base_rate_covers_it(rate: float) -> None:
    random, missed = np.random.default_rng(3), 0
    p = random.beta(2 * rate, 2 * (1 - rate), 200_000)
    truth = 1 - float(np.mean(p * (1 - p))) / (p.mean() * (1 - p.mean()))
    for _ in range(200):
        own = random.beta(2 * rate, 2 * (1 - rate), 90)
        y = (random.random(90) < own) * 1.0
        found = scoring.brier_skill(score=(own - y) ** 2, reference=base_rate_brier(y))
        missed += not found.lower <= truth <= found.upper
    assert missed <= 18  # 6% of 200, and two Monte Carlo errors


def test_a_family_of_nearly_all_questions_leaves_no_interval() -> None:
    random = np.random.default_rng(2)
    own, other = random.random(101), random.random(101)
    found = scoring.brier_skill(score=own, reference=other, cluster=np.arange(101) // 100)
    assert not math.isnan(found.value)
    assert math.isnan(found.lower)
