"""The measures of a world, one row per tournament: 1 for an error, 0 for none.

Each function takes several tournaments side by side and returns a frame with one row each.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from itertools import combinations

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

import scoring
from benchmarks.worlds import SHOCKS, TEAMS, USUAL, Many, World, claims, lopsided, repeat
from scoring.chance import chance
from scoring.e_process import possibly_best
from scoring.inference import luck
from scoring.means import clustered_mean
from scoring.movement import excess_movement
from scoring.tournament import Team

Measure = Callable[[int, int], pd.DataFrame]

LEVEL = 0.05


def wrong(p_value: float) -> float:
    """Return 1 if a test rejects, 0 if not, NaN if there was nothing to test."""
    return math.nan if math.isnan(p_value) else float(p_value < LEVEL)


# --- everyone calibrated, all teams equally good ----------------------------------------------


def calibration(many: Many) -> pd.DataFrame:
    """Return the tests that reject for a calibrated team."""
    rows = []
    moved = _movements(many)
    for number, c in enumerate(claims(many, TEAMS[0].label).each(many.times)):
        pairs = (c.p, c.y, c.weight, c.family)
        line = scoring.recalibration(*pairs)
        rows.append(
            {
                "recalibration": wrong(line.p_value),
                "spiegelhalter": wrong(scoring.spiegelhalter(*pairs).p_value),
                "in the large": wrong(scoring.calibration_in_the_large(*pairs).p_value),
                "luck": wrong(luck(*pairs).p_value),
                "movement": wrong(moved[number]),
            }
        )
    return pd.DataFrame(rows)


def _movements(many: Many) -> list[float]:
    """Return the p-value of each tournament's excess movement, computed as `scoring.movement`."""
    paths = excess_movement(many.questions, many.of(TEAMS[0].label))
    each = paths.groupby("question_id")["excess"].mean()
    of = many.questions.loc[each.index]
    found = []
    for number in range(many.times):
        at = (of["repetition"] == number).to_numpy()
        found.append(_mean_of(each, of, at).p_value)
    return found


def curves(many: Many) -> pd.DataFrame:
    """Return the share of a calibrated team's curve outside its band, and the test of its MCB."""
    rows = []
    for c in claims(many, TEAMS[0].label).each(many.times):
        drawn = chance(c.p, c.y, c.weight, c.question, c.family, c.below)
        curve = drawn.curve
        outside = ~curve["recalibrated"].between(curve["lower"], curve["upper"])
        rows.append(
            {
                "band": float(np.average(outside, weights=curve["weight"])),
                "miscalibration": wrong(drawn.p_value),
            }
        )
    return pd.DataFrame(rows)


def comparisons(many: Many) -> pd.DataFrame:
    """Return the findings between equal teams: one pair, all pairs, the e-process at any time."""
    table = scoring.paired(many.questions, many.forecasts, many.teams)
    family = many.questions["family"]
    closes = many.questions["scheduled_close_time"]
    members = {team: list(rows.index) for team, rows in many.teams.groupby(many.teams)}
    repetition = many.questions["repetition"].to_numpy()[table["question_id"]]
    rows = []
    for number in range(many.times):
        own = table[repetition == number]
        found = scoring.compare(own, members, family)
        first = found.pairs[0]
        pair = own[(own["a"] == first.a) & (own["b"] == first.b)]
        steps = scoring.by_family(
            pair["difference"], family[pair["question_id"]], closes[pair["question_id"]]
        )
        rows.append(
            {
                "difference": wrong(math.nan if first.p_value is None else first.p_value),
                "all pairs": float(any(each.better is not None for each in found.pairs)),
                "e-process": float(scoring.e_process(steps["difference"]).reached is not None),
            }
        )
    return pd.DataFrame(rows)


def scores(many: Many) -> pd.DataFrame:
    """Return a team's mean Brier score with its interval, and the test that its skill is 0."""
    table = scoring.score(many.questions, many.forecasts, ["brier", "skill"])
    own = table[(many.teams == TEAMS[0].label)[table["forecaster"]].to_numpy()]
    brier, skill = (
        own[own["protocol"] == name].groupby("question_id")["score"].mean()
        for name in ("brier", "skill")
    )
    of = many.questions.loc[brier.index]
    rows = []
    for number in range(many.times):
        at = (of["repetition"] == number).to_numpy()
        found = _mean_of(brier, of, at)
        rows.append(
            {
                "mean": found.mean,
                "lower": found.lower,
                "upper": found.upper,
                "skill": wrong(_mean_of(skill, of, at, lopsided=False).p_value),
            }
        )
    return pd.DataFrame(rows)


def _mean_of(
    each: pd.Series, of: pd.DataFrame, at: npt.NDArray[np.bool_], *, lopsided: bool = True
) -> scoring.Mean:
    """Return the mean over the questions of one tournament, as in a report."""
    family = of["family"].to_numpy()[at]
    return clustered_mean(each.to_numpy()[at], family, lopsided=lopsided)


def equal(world: World, seed: int, times: int) -> pd.DataFrame:
    """Return all measures of a world of calibrated forecasters and equal teams."""
    many = repeat(world.settings, seed, times)
    parts = [calibration(many), comparisons(many), scores(many)]
    if world.band:
        parts.append(curves(many))
    return pd.concat(parts, axis=1)


def shocks(name: str, seed: int, times: int) -> pd.DataFrame:
    """Return the findings between equals whose questions share a shock.

    ``below``: whether the tipping correlation of a false claim is below the true one.
    """
    world = SHOCKS[name]
    questions = world.schedule()
    ids = questions["question_id"].to_numpy()
    closes = questions["scheduled_close_time"]
    blocks = scoring.time_blocks(ids, questions["open_time"], closes)
    number = blocks.set_index("family")["block"].loc[ids].to_numpy()
    inside, order = number >= 0, np.argsort(closes.to_numpy(), kind="stable")
    rows = []
    for d in world.differences(seed, times):
        table = pd.DataFrame({"a": "a", "b": "b", "question_id": ids, "difference": d})
        [pair] = scoring.compare(table, {"a": ["a"], "b": ["b"]}, questions=questions).pairs
        tipping = math.inf if pair.tipping is None else pair.tipping
        steps = {
            "by block": np.bincount(number[inside], d[inside]) / np.bincount(number[inside]),
            "by family": d[order],
        }
        rows.append(
            {
                "claim": float(pair.better is not None),
                "below": float(tipping < world.latent) if pair.better else math.nan,
                **{
                    way: float(scoring.e_process(bets).reached is not None)
                    for way, bets in steps.items()
                },
            }
        )
    return pd.DataFrame(rows)


def lopsided_families(seed: int, times: int) -> pd.DataFrame:
    """Return the findings between four equal teams if one family holds half of the questions."""
    scores, family = lopsided(seed, times)
    names = [f"team {number}" for number in range(scores.shape[2])]
    ids = np.arange(len(family))
    pairs = list(combinations(range(len(names)), 2))
    rows = []
    for each in scores:
        table = pd.concat(
            pd.DataFrame(
                {
                    "a": names[a],
                    "b": names[b],
                    "question_id": ids,
                    "difference": each[:, a] - each[:, b],
                }
            )
            for a, b in pairs
        ).reset_index(drop=True)
        found = scoring.compare(table, {name: [name] for name in names}, pd.Series(family)).pairs
        rows.append(
            {
                "all pairs": float(any(pair.better is not None for pair in found)),
                "difference": wrong(found[0].p_value if found[0].p_value is not None else math.nan),
            }
        )
    return pd.DataFrame(rows)


def best_of_equals(seed: int, times: int) -> pd.DataFrame:
    """Return whether the evidence ever excludes one of four equal teams, after 400 blocks."""
    rng = np.random.default_rng([seed, 23])
    names = "abcd"
    rows = []
    for _ in range(times):
        score = np.clip(rng.normal(0.5, 0.3, (400, len(names))), 0, 1)
        against = {}
        for a, b in combinations(range(len(names)), 2):
            steps = scoring.e_process(score[:, a] - score[:, b])
            against[names[a], names[b]] = steps.log_b
            against[names[b], names[a]] = steps.log_a
        rows.append({"excluded": float(not possibly_best(against, names)["a"])})
    return pd.DataFrame(rows)


# --- teams and forecasters that differ --------------------------------------------------------


# Skill of the second of two teams; the first has 0.8.
POWER = {"teams 0.02 apart": 0.27, "teams 0.01 apart": 0.56}


def power(worse: float, seed: int, times: int) -> pd.DataFrame:
    """Return how often a true difference is detected, also by two paired t tests over questions.

    ``same`` tests the same differences, ``plain`` each side's mean score.
    """
    teams = (Team("Heron", 4, skill=0.8), Team("Wren", 4, skill=worse))
    many = repeat(replace(USUAL, teams=teams, questions=300, families=300), seed, times)
    table = scoring.paired(many.questions, many.forecasts, many.teams)
    each = scoring.score(many.questions, many.forecasts)
    each["team"] = many.teams[each["forecaster"]].to_numpy()
    means = each.groupby(["question_id", "team"])["score"].mean().unstack().dropna()
    repetition = many.questions["repetition"].to_numpy()
    members = {team: list(rows.index) for team, rows in many.teams.groupby(many.teams)}
    rows = []
    for number in range(times):
        own = table[repetition[table["question_id"]] == number]
        [pair] = scoring.compare(own, members, many.questions["family"]).pairs
        both = means[repetition[means.index] == number]
        plain = stats.ttest_rel(both.iloc[:, 0], both.iloc[:, 1])
        same = stats.ttest_1samp(own["difference"], 0)
        assert pair.interval is not None
        rows.append(
            {
                "found": float(pair.better == pair.a),
                "same": float(same.pvalue < LEVEL and same.statistic < 0),
                "plain": float(plain.pvalue < LEVEL and plain.statistic < 0),
                "mean": pair.difference,
                "lower": pair.interval[0],
                "upper": pair.interval[1],
                "shared": pair.shared_questions,
            }
        )
    return pd.DataFrame(rows)


def people(seed: int, times: int) -> pd.DataFrame:
    """Return whether teams drawn from the same people differ, as a claim about people like them.

    Skills are drawn for each tournament, so these are simulated one by one.
    """
    rows = []
    for number in range(times):
        skill = np.random.default_rng([seed, number]).uniform(0.1, 0.95, 8)
        teams = tuple(Team(f"P{i}", 1, skill=float(k)) for i, k in enumerate(skill))
        settings = replace(USUAL, teams=teams, shared_noise=0.0, questions=150, families=100)
        many = repeat(settings, seed * 1000 + number, 1)
        sides = pd.Series(["a"] * 4 + ["b"] * 4, index=many.teams.index)
        frames = (many.questions, many.forecasts, sides)
        [pair] = scoring.compare(
            scoring.paired(*frames),
            {"a": range(4), "b": range(4, 8)},
            many.questions["family"],
            scoring.paired_people(*frames),
        ).pairs
        assert pair.p_value is not None
        rows.append({"people": wrong(pair.p_value)})
    return pd.DataFrame(rows)


def skills(seed: int, times: int) -> pd.DataFrame:
    """Return mean score and interval of shrunken skill for sixteen forecasters."""
    teams = tuple(Team(f"P{i:02d}", 1, skill=k) for i, k in enumerate(np.linspace(0.15, 0.9, 16)))
    many = repeat(replace(USUAL, teams=teams, shared_noise=0.0, late=0.3), seed, times)
    each = scoring.score(many.questions, many.forecasts, "skill")
    repetition = many.questions["repetition"].to_numpy()[each["question_id"]]
    rows = []
    for number in range(times):
        found = scoring.skills(each[repetition == number], many.questions["family"])
        found = found.set_index("forecaster").sort_index()
        rows.append(
            {
                f"{name} {who}": found[column][who]
                for name, column in (("mean", "mean"), ("lower", "skill_lower"),
                                     ("upper", "skill_upper"))
                for who in found.index
            }
        )  # fmt: skip
    return pd.DataFrame(rows)


# --- why the scheduled time is the denominator ------------------------------------------------

EARLY = {
    "none closes early": {"early_share": 0.0},
    "three in ten close early, whatever the answer": {"early_share": 0.3},
    "a yes closes four in ten, 6 updates": {"early_share": 0.0, "event_share": 0.4},
    "a yes closes four in ten, 40 updates": {
        "early_share": 0.0, "event_share": 0.4, "updates": 40.0,
    },
    "a yes closes every question, 40 updates": {
        "early_share": 0.0, "event_share": 1.0, "updates": 40.0,
    },
}  # fmt: skip


def weights(kind: str, seed: int, times: int) -> pd.DataFrame:
    """Return a calibrated forecaster's bias, mean y − p, by live time and by scheduled time."""
    settings = replace(
        USUAL, teams=TEAMS[:1], questions=150, families=100, **EARLY[kind]  # type: ignore[arg-type]
    )  # fmt: skip
    many = repeat(settings, seed, times)
    columns = {}
    for name, live in (("live", True), ("scheduled", False)):
        each = claims(many, TEAMS[0].label, live_weights=live).each(times)
        columns[f"{name} bias"] = [float(np.average(c.y - c.p, weights=c.weight)) for c in each]
        columns[f"{name} rejects"] = [
            wrong(scoring.calibration_in_the_large(c.p, c.y, c.weight, c.family).p_value)
            for c in each
        ]
    return pd.DataFrame(columns)
