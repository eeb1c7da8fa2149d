"""The probability integral transform of numeric and date forecasts, and its test."""

from __future__ import annotations

import math
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import scoring
from benchmarks import gates, measures
from scoring.numeric_calibration import Pit, distributions, intervals, payoffs
from tests.scoring.ten_days import START, question


def asked(outcomes: list[Any], **more: object) -> pd.DataFrame:
    bounds = {"type": "numeric", "lower_bound": 0, "upper_bound": 100} | more
    many = question(**bounds).loc[[0] * len(outcomes)].reset_index(drop=True)
    return many.assign(question_id=many.index, resolution=[str(outcome) for outcome in outcomes])


def made(rows: list[tuple[int, str, int, dict[str, Any] | None]]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["question_id", "forecaster", "day", "quantiles"])
    return frame.assign(made_at=START + pd.to_timedelta(frame.pop("day"), unit="D"))


def normal(middle: float, spread: float) -> dict[str, float]:
    """Quantiles that are nearly those of a normal distribution."""
    from scipy.special import ndtri

    levels = np.linspace(0.01, 0.99, 33).round(4)
    return {str(level): float(middle + spread * ndtri(level)) for level in levels}


def slow(level: list[float], value: list[float], at: float) -> tuple[float, float]:
    """The stated levels below and above a point, by searching them; a jump's if it is on one."""
    on = [given for given, where in zip(level, value, strict=True) if where == at]
    if len(on) > 1 and on[-1] > on[0]:
        return on[0], on[-1]
    stated = zip([0.0, *level, 1.0], [-math.inf, *value, math.inf], strict=True)
    points = list(stated)
    low = [given for given, where in points if where < at] or [0.0]
    high = [given for given, where in points if where > at] or [1.0]
    inside = [given for given in level if 0 < given < 1]
    return (
        max(inside) if low[-1] == 1 else low[-1],
        min(inside) if high[0] == 0 else high[0],
    )


@given(
    st.lists(st.integers(0, 10), min_size=1, max_size=5).map(sorted),
    st.sampled_from([-1.0, 0.0, 2.0, 2.5, 3.0, 7.25, 10.0, 11.0, math.inf, -math.inf]),
)
def test_the_interval_of_a_point_is_between_the_stated_levels_around_it(
    values: list[int], at: float
) -> None:
    levels = np.linspace(0.1, 0.9, len(values))
    value = np.concatenate([[0.0], values, [10.0, 10.0]])  # the last knot may be repeated
    known = np.stack([np.concatenate([[0.0], levels, [1.0, 1.0]]), value])[None]
    below, upto, _ = (side[0, 0] for side in intervals(known, np.array([[at]])))
    assert (below, upto) == pytest.approx(slow(*known[0].tolist(), at))
    assert 0 <= below < upto <= 1


def found_in(questions: pd.DataFrame, stated: dict[str, Any]) -> list[list[float]]:
    """Return the intervals of the outcomes of these questions, if ana states the same on each."""
    rows = [(number, "ana", 0, stated) for number in range(len(questions))]
    table = scoring.pit(questions, made(rows)).table
    return table[["below", "upto"]].round(6).to_numpy().tolist()


def test_an_outcome_beyond_a_bound_has_the_interval_of_the_mass_there() -> None:
    stated = {"below": 0.2, "0.5": 40, "above": 0.1}
    outcomes = ["below_lower_bound", "above_upper_bound", 40]
    assert found_in(asked(outcomes), stated) == [[0.0, 0.2], [0.9, 1.0], [0.2, 0.9]]


def test_between_stated_levels_and_beyond_them_nothing_is_read_off_the_bounds() -> None:
    stated = {"0.25": 30, "0.5": 40, "0.75": 60}
    outcomes = [1, 31, 39.5, 60.5, "above_upper_bound"]
    found = [[0.0, 0.25], [0.25, 0.5], [0.25, 0.5], [0.75, 1.0], [0.75, 1.0]]
    for bounds in ((0, 100), (-1e6, 1e6)):
        asked_ = asked(outcomes, lower_bound=bounds[0], upper_bound=bounds[1])
        assert found_in(asked_, stated) == found


def test_an_outcome_on_a_jump_has_its_whole_interval() -> None:
    assert found_in(asked([30]), {"0.2": 30, "0.7": 30}) == [[0.2, 0.7]]


def test_dates_have_a_transform_too() -> None:
    bounds = {"lower_bound": "2026-01-01", "upper_bound": "2027-01-01"}
    asked_ = asked(["2026-03-01"], type="date", **bounds)
    assert found_in(asked_, {"0.5": "2026-04-01"}) == [[0.0, 0.5]]


def test_the_second_forecast_of_a_path_has_half_the_weight_and_a_withdrawal_none() -> None:
    rows = [(0, "ana", 0, normal(50, 5)), (0, "ana", 2, normal(52, 5)), (0, "ana", 3, None),
            (0, "ben", 1, normal(40, 5)), (0, "ana", 4, normal(51, 5))]  # fmt: skip
    table = scoring.pit(asked([50]), made(rows)).table
    assert table["forecaster"].tolist() == ["ana", "ben", "ana", "ana"]
    assert table["weight"].tolist() == [1, 1, 1 / 2, 1 / 3]


def test_questions_without_an_outcome_or_a_distribution_have_no_transform() -> None:
    found = one_each(["", "annulled"], 5)
    assert found.table.empty
    assert math.isnan(found.p_value)


def test_the_payoffs_have_mean_zero_and_are_means_over_the_interval() -> None:
    ends = np.array([0.0, 0.05, 0.25, 0.6, 0.95, 1.0])
    assert payoffs(ends[:-1], ends[1:]) @ np.diff(ends) == pytest.approx([0, 0], abs=1e-12)
    grid = np.linspace(0.2, 0.5, 20_001)
    over = payoffs(grid, grid).mean(axis=1)
    assert payoffs(np.array([0.2]), np.array([0.5]))[:, 0] == pytest.approx(over, abs=1e-4)


def one_each(outcomes: list[float], spread: float, middle: float = 50) -> Pit:
    rows = [(number, "ana", 0, normal(middle, spread)) for number in range(len(outcomes))]
    return scoring.pit(asked(outcomes), made(rows))


def test_of_single_forecasts_the_statistics_are_the_classical_sums() -> None:
    random = np.random.default_rng(1)
    outcomes = random.normal(50, 5, 400).tolist()
    found = one_each(outcomes, 5)
    u = (found.table["below"] + found.table["upto"]) / 2
    classical = math.sqrt(12 * len(u)) * (u.mean() - 0.5)
    assert found.level.statistic == pytest.approx(classical, abs=0.05)
    spread = (12 * (u - 0.5) ** 2 - 1).sum() / math.sqrt(len(u) * 0.8)
    assert found.spread.statistic == pytest.approx(spread, abs=0.05)


@pytest.mark.slow
def test_each_fault_is_found_by_its_own_statistic() -> None:
    outcomes = np.random.default_rng(2).normal(50, 6, 120).tolist()
    narrow, wide, high = one_each(outcomes, 3), one_each(outcomes, 14), one_each(outcomes, 6, 53)
    assert narrow.spread.statistic > 3
    assert wide.spread.statistic < -3
    assert high.level.statistic < -3  # outcomes were lower than forecast
    assert max(narrow.p_value, wide.p_value, high.p_value) < 0.01
    assert one_each(outcomes, 6).p_value > 0.05


def path(random: np.random.Generator, question: int, steps: int) -> tuple[list[Any], float]:
    """Calibrated forecasts of a sum that becomes known part by part, by two members in turn."""
    parts, rows = random.normal(0, 3, steps + 1), []
    for step in range(steps):
        said = normal(50 + parts[:step].sum(), 3 * math.sqrt(steps + 1 - step))
        rows.append((question, ("ana", "ben")[step % 2], step, said))
    return rows, float(50 + parts.sum())


@pytest.mark.slow
def test_a_calibrated_path_is_rejected_as_often_as_the_level_says() -> None:
    random, rejected, squares = np.random.default_rng(3), 0, []
    for _ in range(30):
        paths = [path(random, question, 1 + question % 5) for question in range(40)]
        rows = [row for own, _ in paths for row in own]
        found = scoring.pit(asked([outcome for _, outcome in paths]), made(rows))
        rejected += found.p_value < 0.05
        squares.append([found.level.statistic**2, found.spread.statistic**2])
    assert rejected <= 4  # 5% of 30, and two Monte Carlo errors
    assert np.mean(squares, axis=0) == pytest.approx([1, 1], abs=0.6)


def test_copies_of_a_question_in_a_family_are_one_piece_of_evidence() -> None:
    outcomes = np.random.default_rng(4).normal(52, 6, 40)
    once = one_each(outcomes.tolist(), 6)
    rows = [(number, "ana", 0, normal(50, 6)) for number in range(120)]
    copies = np.repeat(outcomes, 3).tolist()
    linked = scoring.pit(asked(copies), made(rows), {n: n // 3 for n in range(120)})
    free = scoring.pit(asked(copies), made(rows))
    assert linked.level.statistic == pytest.approx(once.level.statistic, abs=0.15)
    assert abs(free.level.statistic) > 1.5 * abs(once.level.statistic)


def test_a_forecast_made_twice_tells_what_it_tells_once() -> None:
    outcomes = np.random.default_rng(4).normal(51, 6, 40).tolist()
    once = [(number, "ana", 0, normal(50, 6)) for number in range(40)]
    twice = once + [(number, "ana", 2, normal(50, 6)) for number in range(40)]
    first, both = (scoring.pit(asked(outcomes), made(rows)) for rows in (once, twice))
    for one, two in zip(first[1:3], both[1:3], strict=True):
        assert one.statistic == pytest.approx(two.statistic, abs=1e-3)


@pytest.mark.parametrize("seed", range(20))
def test_the_variance_is_no_smaller_than_with_any_shape_between_the_stated_levels(
    seed: int,
) -> None:
    """Two forecasts of 12 equally likely outcomes, which state some levels of what they think."""
    random = np.random.default_rng(seed)
    masses = random.dirichlet(np.ones(12), 2)
    stated = [np.sort(random.choice(np.arange(1, 12), 3, replace=False)) for _ in masses]
    rows = [
        (0, "ana", day, {f"{mass[:at].sum():.12f}": float(at) for at in own})
        for day, (mass, own) in enumerate(zip(masses, stated, strict=True))
    ]
    every = distributions(asked([3], lower_bound=0, upper_bound=12), made(rows))
    _, after, before, _ = found = every.sums()
    middles = np.arange(12) + 0.5
    low, high, _ = intervals(every.knots, np.broadcast_to(middles, (2, 12)))
    first, second = np.moveaxis(payoffs(low, high), 1, 0) * np.array([1, 0.5])[:, None, None]
    # Given the second forecast, whatever it thinks between its stated levels.
    covariance = (masses[1] * first * second).sum(axis=1)
    own = (masses[1] * second**2).sum(axis=1)
    earlier = (masses[0] * first**2).sum(axis=1)
    bound = (found[0] * (after**2 - before**2)).sum(axis=1)
    assert (bound >= earlier + own + 2 * covariance - 1e-9).all()


@pytest.mark.simulation
@pytest.mark.parametrize("name", [
    "quartiles, bounds ± 6", "5 quantiles, bounds ± 2.5, 10 updates",
    "5 quantiles of dates, bounds ± 2.5", "quartiles of dates, 50% of the high waiting",
])  # fmt: skip
def test_worlds_of_numbers_hold_in_two_hundred_records(name: str) -> None:
    found = pd.concat([measures.numbers(name, seed, 50) for seed in range(4)])
    assert [each for each in gates.gates_of(name, found) if not each.may_hold] == []


@pytest.mark.parametrize("seed", range(6))
def test_a_finding_is_settled_only_if_every_completion_has_it(seed: int) -> None:
    random = np.random.default_rng(seed)
    steps = [1 + number % 2 for number in range(30)]
    paths = [path(random, number, many) for number, many in enumerate(steps)]
    rows = [row for own, _ in paths for row in own]
    outcomes = [outcome + 4 * (seed % 3) for _, outcome in paths]
    found = scoring.pit(asked(["", "", *outcomes[2:]]), made(rows), waiting=[0, 1])
    possible = [*range(40, 61, 4), "below_lower_bound", "above_upper_bound"]
    every = [
        scoring.pit(asked([*missing, *outcomes[2:]]), made(rows))
        for missing in product(possible, repeat=2)
    ]
    findings = {
        (one.p_value < 0.05)
        * (abs(one.level.statistic) > abs(one.spread.statistic), one.level.statistic > 0)
        for one in every
    }
    assert found.waiting == 2
    assert len(findings) == 1 or not found.settled
