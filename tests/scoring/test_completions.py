"""Bounds over missing outcomes: no completion of them is beyond, as a list of all of them shows."""

from __future__ import annotations

from itertools import product

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import scoring
from scoring.calibration_when_made import Forecasts, in_order_of_time, when_made
from scoring.completions import Bounds, completions, largest_claim, reaction_settled
from scoring.means import mean_and_error
from scoring.movement import line_of

TWO = {"x": ["ana"], "y": ["ben"]}


def record(seed: int, options: int, linked: int) -> tuple[Forecasts, np.ndarray, np.ndarray]:
    """Return forecasts on 16 questions, the question of each, and four questions that wait.

    The first questions are linked by twos; without links there is one forecast a question.
    """
    random = np.random.default_rng(seed)
    question = np.repeat(np.arange(16), random.integers(1, 4 if linked else 2, 16))
    family = np.where(np.arange(16) < linked, np.arange(16) // 2, np.arange(16))
    p = random.dirichlet(np.ones(options), len(question))
    y = np.eye(options)[random.integers(0, options, 16)[question]]
    names = {"path": question, "question": question, "family": family[question]}
    return in_order_of_time(p=p, y=y, **names), question, random.choice(16, 4, replace=False)


@settings(max_examples=12)
@given(st.integers(0, 500), st.integers(2, 3), st.sampled_from([0, 8]))
def test_the_bounds_hold_every_completion(seed: int, options: int, linked: int) -> None:
    made, question, missing = record(seed, options, linked)
    waits = np.isin(question, missing)[:, None]
    bounds = completions(made, waits & np.full(options, True))
    every = []
    for outcomes in product(range(options), repeat=len(missing)):
        came = np.zeros(16, dtype=np.intp)
        came[missing] = outcomes
        every.append(
            when_made(made._replace(y=np.where(waits, np.eye(options)[came[question]], made.y)))
        )
    assert bounds.waiting == 4
    for name in ("level", "slope", "middle"):
        found = np.nan_to_num([getattr(one, name).statistic for one in every])
        low, high = getattr(bounds, name)
        assert low - 1e-6 <= found.min() <= found.max() <= high + 1e-6
        if not linked:  # then the ends are reached
            assert (found.min(), found.max()) == pytest.approx((low, high), abs=1e-6)
    p_values = [one.p_value for one in every]
    assert bounds.p_value[0] <= min(p_values) + 1e-9
    assert max(p_values) <= bounds.p_value[1] + 1e-9


def test_an_outcome_that_was_called_impossible_may_come() -> None:
    p, y = [[0.4, 0.6]] * 9 + [[0.0, 1.0]], [[0, 1]] * 10
    made = in_order_of_time(p=p, y=y, path=range(10), question=range(10))
    possible = np.arange(10)[:, None] == [9, 9]
    assert completions(made, possible).p_value[0] == 0.0


def test_a_finding_is_settled_if_every_completion_has_it() -> None:
    def settled(level: tuple[float, float], slope: tuple[float, float], *p: float) -> bool:
        # Without forecasts beyond 95% the middle is all.
        return Bounds(3, level, slope, slope, (p[0], p[1])).settled

    assert settled((-1, 1), (-0.5, 0.5), 0.2, 1)
    assert settled((-1, 1), (-4, -3), 1e-4, 0.01)
    assert not settled((-1, 1), (-4, -2), 1e-4, 0.2)
    # Rejected by each, as too high by some and as overconfident by others, or by both of a sign.
    assert not settled((-4, -3), (-4, -3), 1e-6, 1e-3)


@settings(max_examples=25)
@given(st.integers(0, 500), st.booleans())
def test_no_completion_makes_a_larger_claim(seed: int, linked: bool) -> None:
    random = np.random.default_rng(seed)
    family = random.integers(0, 8, 14) if linked else np.arange(14)
    low = random.normal(-0.1, 0.1, 14)
    high = low + np.where(np.arange(14) < 6, random.uniform(0, 0.3, 14), 0)
    claims = []
    for up in product([False, True], repeat=6):
        found = mean_and_error(np.where([*up, *[False] * 8], high, low), family)
        claims.append(found.value / found.error)
    bound = largest_claim(low, high, family, 0.0)
    assert bound <= 0
    assert min(max(claims), 0.0) <= bound + 1e-6


def test_without_missing_outcomes_the_claim_is_the_statistic() -> None:
    d, family = np.random.default_rng(1).normal(-0.1, 0.1, 40), np.arange(40) // 2
    found = mean_and_error(d, family)
    assert largest_claim(d, d, family, 0.0) == pytest.approx(found.value / found.error)
    assert largest_claim(d, d, family, 2 * found.error) == pytest.approx(
        found.value / found.error / 2
    )


def table(d: np.ndarray, a: str = "x", b: str = "y", first: int = 0) -> pd.DataFrame:
    ids = np.arange(first, first + len(d))
    return pd.DataFrame({"a": a, "b": b, "question_id": ids, "difference": d})


def test_a_claim_waits_for_the_outcomes_that_could_undo_it() -> None:
    known = table(np.random.default_rng(2).normal(-0.1, 0.1, 60))
    few, many = (table(np.zeros(n), first=60).assign(low=-0.3, high=0.5) for n in (2, 12))
    [alone], [sure], [undecided] = (
        scoring.compare(known, TWO, waiting=waiting).pairs for waiting in (None, few, many)
    )
    assert (alone.better, alone.waiting, alone.p_waiting) == ("x", 0, None)
    assert (sure.better, sure.waiting) == ("x", 2)
    assert (undecided.better, undecided.waiting) == (None, 12)
    assert alone.p_adjusted == sure.p_adjusted == undecided.p_adjusted < sure.p_waiting < 0.05
    # The other way round, all is the same.
    turned = {"y": ["ben"], "x": ["ana"]}
    [other] = scoring.compare(known, turned, waiting=many).pairs
    assert (other.better, other.p_waiting) == (None, pytest.approx(undecided.p_waiting))


def test_holm_counts_the_largest_of_each_pair() -> None:
    random = np.random.default_rng(3)
    known = pd.concat([table(random.normal(m, 0.1, 60), *ab) for m, ab in
                       ((-0.04, "xy"), (-0.03, "xz"), (0.0, "yz"))])  # fmt: skip
    waiting = table(np.zeros(3), "y", "z", first=60).assign(low=-0.1, high=0.1)
    three = {name: [name] for name in "xyz"}
    pairs = scoring.compare(known, three, waiting=waiting).pairs
    assert [pair.waiting for pair in pairs] == [0, 0, 3]
    assert all(pair.p_waiting >= pair.p_adjusted for pair in pairs)


def test_a_reaction_that_is_settled_is_found_by_every_completion() -> None:
    settled = []
    for seed in range(8):
        random = np.random.default_rng(seed)
        question = np.repeat(np.arange(40), 4)
        # Too large moves on the even seeds, none that matter on the odd ones.
        p = np.clip(0.5 + random.choice([-0.4, 0.4], 160) * (seed % 2 == 0), 0.05, 0.95)
        p += random.uniform(-0.02, 0.02, 160)
        y = np.eye(2)[(random.random(40) < 0.5).astype(np.intp)[question]]
        names = {"path": question, "question": question}
        made = in_order_of_time(p=np.column_stack([1 - p, p]), y=y, **names)
        waits = (question < 2)[:, None]
        found = set()
        for outcomes in product(range(2), repeat=2):
            came = np.array([*outcomes, *[0] * 38])[question]
            one = scoring.reaction(made._replace(y=np.where(waits, np.eye(2)[came], made.y)))
            found.add(
                (one.p_value < 0.05, one.recalibrated.statistic > 0)[: 1 + (one.p_value < 0.05)]
            )
        known = in_order_of_time(
            p=made.p[8:], y=made.y[8:], path=question[8:], question=question[8:]
        )
        settled.append(reaction_settled(made, waits & np.full(2, True), line_of(known)))
        assert len(found) == 1 or not settled[-1]
    assert any(settled)
    many = (question < 30)[:, None] & np.full(2, True)
    assert not reaction_settled(made, many, line_of(known))
