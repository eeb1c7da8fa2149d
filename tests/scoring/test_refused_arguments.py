"""Arguments that break a rule are refused, with the argument's name and the rule."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

import scoring
from scoring import InputError
from scoring.e_processes import by_family
from scoring.means import clustered_mean
from scoring.outcome_draws import outcome_draws
from scoring.skill_scores import base_rate_brier

DRAWS = outcome_draws([0, 1])
TWO_DAYS = ["2026-01-01", "2026-01-02"]


def rows(score: float | None = None, people: int = 5) -> pd.DataFrame:
    """Return scores of some forecasters on ten questions, random unless one is given."""
    who, on = np.repeat(range(people), 10), np.tile(range(10), people)
    random = np.random.default_rng(1).random(10 * people)
    values = random if score is None else np.full(10 * people, score)
    return pd.DataFrame({"forecaster": who, "group": who, "question_id": on, "score": values})


def families(difference: Any, family: Any, closes: Any) -> pd.DataFrame:
    return by_family(difference, family, pd.Series(pd.to_datetime(closes, utc=True)))


def positional(function: Callable[..., Any], names: str, **usual: Any) -> Callable[..., Any]:
    """Return the function with these arguments by position, and others as usual unless named."""

    def call(*values: Any, **more: Any) -> Any:
        return function(**usual | dict(zip(names.split(), values, strict=False)) | more)

    return call


made = positional(scoring.in_order_of_time, "p y path question family level")
crps = positional(scoring.crps_piecewise, "levels values outcome", outcome=1, lower=0, upper=10)
brier = positional(scoring.brier_score, "p y")
pairs = positional(scoring.decompose, "p y weight")
bins = positional(scoring.reliability_bins, "bins", p=[0.5], y=[1])
curve = positional(scoring.reliability_curve, "", p=[0.2, 0.8], y=[0, 1])
thresholds = positional(scoring.murphy_curve, "thresholds", p=[0.5], y=[1])
chance = positional(scoring.chance, "", p=[0.2, 0.8], y=[0, 1])
skill = positional(scoring.brier_skill, "score reference cluster")
stale = positional(scoring.staleness, "p left lasted family", y=[1])
HALVES = [[0.5, 0.5], [0.5, 0.5]]
CASES: list[tuple[Callable[[], Any], str]] = [
    # scoring rules
    (lambda: brier([0.5, 1.01], [1, 1]), r"^p, row 1: .*0\.\.1"),
    (lambda: brier([0.5, -0.1], [1, 1]), r"^p, row 1: .*0\.\.1"),
    (lambda: brier([0.5, math.nan], [1, 1]), "^p, row 1: nan"),
    (lambda: brier([0.5, 0.5], [1, 2]), r"^y, row 1: .*0\.\.1"),
    (lambda: brier([0.5, 0.5], [1, math.nan]), "^y, row 1: .*finite"),
    (lambda: brier([[0.5, 0.5], [0.5, 0.4]], [0, 1]), "^p, row 1: .*sum to 1"),
    (lambda: brier(HALVES, [0, 2]), "^y, row 1: .*index of an option"),
    (lambda: brier(HALVES, [[1, 0], [1, 1]]), "^y, row 1: .*sum to 1"),
    (lambda: brier([0.5, 0.5], [1, 0, 1]), "^p: .*one outcome per forecast"),
    (lambda: brier([0.5, 0.5, 0.5], [1, 0]), "^y: .*one outcome per forecast"),
    (lambda: brier([0.5, 0.5], [[1, 0], [0, 1]]), "^y: .*if the forecasts are"),
    (lambda: brier([[0.5, 0.5]], [0, 1]), "^y: .*one outcome per forecast"),
    (lambda: brier([[0.5, 0.5]], [[1, 0, 0]]), "^y: .*over the same options"),
    (lambda: brier([[[0.5, 0.5]]], [0]), "^p: .*one per row"),
    (lambda: brier([[0.5, 0.5], [1.0]], [0, 0]), "^p: .*of equal length"),
    (lambda: brier(["often"], [1]), "^p: .*numbers"),
    (lambda: brier([0.5], [None, "yes"]), "^y: .*numbers"),
    (lambda: crps([0.5, 0.4], [[1, 2]]), "^levels"),
    (lambda: crps([0.5, 1.4], [[1, 2]]), "^levels"),
    (lambda: crps([0.4, 0.5], [[2, 1]]), "^values"),
    (lambda: crps([0.4, 0.5], [[1, 12]]), "^values"),
    (lambda: crps([0.4, 0.5], [[1, math.nan]]), "^values"),
    (lambda: crps([0.4, 0.5], [[1, 2]], math.nan), "^outcome"),
    (lambda: crps([0.4, 0.5], [[1, 2]], lower=10), "^lower"),
    (lambda: crps([], []), "^values"),
    (lambda: crps([0.5], [[[1.0]]]), "^values"),
    (lambda: crps([0.4, 0.5, 0.6], [[1.0, 2.0]]), "^levels"),
    (lambda: crps([[0.4, 0.5]] * 2, [[1.0, 2.0]] * 3), "^levels"),
    (lambda: crps([0.5], [[1.0]] * 2, [1.0, 2.0, 3.0]), "^outcome"),
    (lambda: crps([0.5], [[1.0]] * 2, lower=[0.0] * 3), "^lower"),
    (lambda: crps([0.5], [[1.0]] * 2, upper=[10.0] * 3), "^upper"),
    (lambda: crps([0.5], [["low"]]), "^values"),
    (lambda: skill([], []), "^score"),
    (lambda: skill([0.1], [0.1, 0.2]), "^reference"),
    (lambda: skill([-0.1], [0.1]), "^score"),
    (lambda: skill([0.1], [math.inf]), "^reference"),
    (lambda: skill([0.0], [0.1], ["f", "g"]), "^cluster: .*one entry per score"),
    (lambda: skill([0.1], [0.0], ["f", "g"]), "^cluster: .*one entry per score"),
    (lambda: base_rate_brier([1, 0], ["x"]), "^family"),
    (lambda: base_rate_brier([2]), "^y"),
    # pairs, and what goes with them
    (lambda: pairs([], []), "^p: "),
    (lambda: pairs([0.5, 0.5], [1]), "^y: "),
    (lambda: pairs([[0.5]], [1]), "^p: "),
    (lambda: pairs([1.5], [1]), "^p, row 0"),
    (lambda: pairs([math.nan], [1]), "^p, row 0"),
    (lambda: pairs(["often"], [1]), "^p: "),
    *((lambda measure=measure: measure(p=[1.5], y=[1]), r"^p, row 0: 1\.5") for measure in (
        scoring.murphy, scoring.reliability_curve, scoring.reliability_bins,
        scoring.calibration_error, scoring.murphy_curve, scoring.roc_auc, scoring.recalibration,
        scoring.spiegelhalter, scoring.calibration_in_the_large,
    )),
    *((lambda rule=rule: rule(p=[0.5, math.nan], y=[1, 1]), "^p, row 1: nan") for rule in (
        scoring.brier_original, scoring.log_score, scoring.spherical_score,
        scoring.ranked_probability_score,
    )),
    (lambda: pairs([0.5], [2]), "^y, row 0"),
    (lambda: pairs([0.5], [1], [1, 1]), "^weight: "),
    (lambda: pairs([0.5], [1], [0]), "^weight: "),
    (lambda: pairs([0.5, 0.5], [1, 1], [2, -1]), "^weight, row 1"),
    (lambda: pairs([0.5, 0.5], [1, 1], [2, math.nan]), "^weight"),
    *((lambda given=given: bins(given), "^bins") for given in (
        0, -1, 2.5, [0.1, 1], [0, 0.5], [0, 0.6, 0.4, 1], [0.5], "ten"
    )),
    *((lambda seed=seed: curve(seed=seed), "^seed.* whole number, 0 or more") for seed in (
        -1, 1.5, 1.0, True, math.nan, "a", None
    )),
    *((lambda level=level: curve(level=level), "^level: .*0 < level < 1") for level in (
        0.0, 1.0, 1.2, math.nan
    )),
    (lambda: thresholds([1.5]), "^thresholds, row 0: .*threshold"),
    (lambda: thresholds(0.5), "^thresholds: .*one-dimensional"),
    (lambda: scoring.spiegelhalter(p=[0.5, 0.6], y=[1, 0], question=[1]), "one question per pair"),
    (lambda: chance(level=1.0), "^level"),
    (lambda: chance(level="most"), "^level"),
    (lambda: chance(below=[0.0]), "^below"),
    (lambda: chance(below=[0.3, 0.3]), "^below, row 1: 0.3"),
    (lambda: chance(below=[math.nan, 0.0]), "^below, row 0: nan"),
    (lambda: chance(below="none"), "^below: 'none'"),
    (lambda: chance(family=[0, 1, 2]), "^family"),
    (lambda: chance(question=[0]), "^question"),
    (lambda: chance(draws=DRAWS), "^question — must be whole numbers"),
    (lambda: chance(draws=DRAWS, question=[0, 2]), "^question, row 1: 2"),
    (lambda: chance(draws=DRAWS, question=[-1, 0]), "^question, row 0: -1"),
    (lambda: chance(draws=DRAWS[:, :0], question=[0, 1]), r"^draws: \(2, 0\)"),
    (lambda: chance(draws=[0.5, 0.5], question=[0, 1]), r"^draws: \(2,\)"),
    # forecasts in order of time, and how long they stood
    (lambda: made([0.2, 0.8], [[0, 1]], [0], [0]), "^p"),
    (lambda: made([[0.2, 0.8]], [[0, 1, 0]], [0], [0]), "^y"),
    (lambda: made([[0.2, 0.8]], [[0, 1]], [0, 1], [0]), "^path"),
    (lambda: made([[0.2, 0.8]], [[0, 1]], [0], [0], [1, 2]), "^family"),
    (lambda: made([[0.2, 0.8]], [[0, 1]], [0], [0], None, [[1]]), "^level"),
    (lambda: stale([1.2], [1], [1]), "^p"),
    (lambda: stale([0.5], [1, 1], [1]), "^left"),
    (lambda: stale([0.5], [1], [-0.1]), "^lasted"),
    (lambda: stale([0.5], [1], [1], [1, 2]), "^family"),
    # means, and differences by family
    (lambda: clustered_mean([]), "^value"),
    (lambda: clustered_mean([1.0, math.nan]), "^value"),
    (lambda: clustered_mean([1.0, 2.0], ["a"]), "^cluster"),
    (lambda: clustered_mean([1.0, 2.0], None, [1.0]), "^weight"),
    (lambda: clustered_mean([1.0, 2.0], None, [0.0, 0.0]), "^weight"),
    (lambda: clustered_mean([1.0, 2.0], None, [1.0, -1.0]), "^weight"),
    *((lambda given=given: scoring.e_process(given), "^difference") for given in (
        [0.2, 1.1], [math.nan], [[0.1]]
    )),
    (lambda: families([0.1], ["x", "y"], TWO_DAYS), "^difference"),
    (lambda: families([0.1, 0.2], ["x"], TWO_DAYS), "^difference"),
    (lambda: families([0.1, 0.2], ["x", "y"], TWO_DAYS[:1]), "^scheduled_close"),
    (lambda: families([0.1, math.nan], ["x", "y"], TWO_DAYS), "^difference"),
    (lambda: families([0.1, 0.2], ["x", None], TWO_DAYS), "^family"),
    (lambda: families([0.1, 0.2], ["x", "y"], ["2026-01-01", None]), "^scheduled_close"),
    (lambda: scoring.skills(rows(people=3)), "forecaster.* at least 4 forecasters"),
    (lambda: scoring.skills(rows(0.0)), "score.* must vary"),
    (lambda: scoring.skills(rows(np.inf)), "^score, row 0"),
    (lambda: scoring.difficulty_adjusted(rows().iloc[:0, :3]), "scores score — the column is"),
    (lambda: scoring.difficulty_adjusted(rows(np.inf)), "^score — must be finite"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "says"), CASES)
def test_an_argument_that_breaks_a_rule_is_named(call: Callable[[], Any], says: str) -> None:
    with pytest.raises(InputError, match=says):
        call()
