"""The measures of comparisons, one row per tournament: 1 for an error, 0 for none."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import combinations

import numpy as np
import pandas as pd
from scipy import stats

import scoring
from benchmarks.differences import SHOCKS, TILTED, lopsided
from benchmarks.worlds import USUAL, Many, repeat
from forecasts.reports.comparison.abstention import checked, silences, spoken, without_silence
from forecasts.reports.groups import Entries
from scoring.e_processes import by_family, possibly_best
from scoring.simulation import Team

LEVEL = 0.05


def wrong(p_value: float | None) -> float:
    """Return 1 if a test rejects, 0 if not, NaN if there was nothing to test."""
    return math.nan if p_value is None or math.isnan(p_value) else float(p_value < LEVEL)


# --- equal teams ------------------------------------------------------------------------------


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
        asked = many.questions[many.questions["repetition"] == number]
        found = scoring.compare(own, members, family, questions=asked)
        first = found.pairs[0]
        pair = own[(own["a"] == first.a) & (own["b"] == first.b)]
        steps = by_family(
            pair["difference"], family[pair["question_id"]], closes[pair["question_id"]]
        )
        rows.append(
            {
                "difference": wrong(first.p_value),
                "by time": wrong(first.p_by_time),
                "all pairs": float(any(each.better is not None for each in found.pairs)),
                "e-process": float(scoring.e_process(steps["difference"]).reached is not None),
            }
        )
    return pd.DataFrame(rows)


# Of so many equals one withdraws when unsure.
WITHDRAWING = {
    f"one of {name} equals withdraws when unsure": many for name, many in (("two", 2), ("six", 6))
}


def withdrawing(name: str, seed: int, times: int) -> pd.DataFrame:
    """Return the claims between equals: P0 withdraws when unsure.

    ``first``: any two of them are called different where both forecast; ``better``: also with the
    silence filled, as reports do.
    """
    others = (Team(f"P{n}", 1) for n in range(1, WITHDRAWING[name]))
    teams = (Team("P0", 1, withdrawal=0.6), *others)
    settings = replace(USUAL, teams=teams, shared_noise=0.0, updates=10.0)
    many = repeat(settings, seed, times)
    family, repetition = many.questions["family"], many.questions["repetition"].to_numpy()
    entries = Entries(
        many.forecasts.assign(inside=True, undated=False, row=np.arange(len(many.forecasts))),
        many.teams,
        many.teams,
    )
    sides = list(many.teams)
    stood = spoken(many.questions, entries, None)
    table = scoring.paired(many.questions, many.forecasts, many.teams)
    filled = without_silence(many.questions, many.forecasts, entries, sides, None)
    members = {side: [side] for side in sides}
    rows = []
    for number in range(times):
        own, gaps = (each[repetition[each["question_id"]] == number] for each in (table, filled))
        found = scoring.compare(own, members, family)
        silent = silences(
            many.questions, stood[repetition[stood["question"]] == number], sides, None
        )
        final, _ = checked(found, silent, gaps.copy, members, family)
        rows.append(
            {
                "first": float(any(pair.better is not None for pair in found.pairs)),
                "better": float(any(pair.better is not None for pair in final.pairs)),
            }
        )
    return pd.DataFrame(rows)


def shocks(name: str, seed: int, times: int) -> pd.DataFrame:
    """Return the findings between equals whose questions share a shock.

    ``below``: whether the tipping correlation of a false claim is below the true one of outcomes
    near 50%, (2/π) arcsin of the latent one.
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
                "below": float(tipping < world.outcomes) if pair.better else math.nan,
                **{
                    way: float(scoring.e_process(bets).reached is not None)
                    for way, bets in steps.items()
                },
            }
        )
    return pd.DataFrame(rows)


def tilted(name: str, seed: int, times: int) -> pd.DataFrame:
    """Return the claims between two equals of opposite tilt."""
    sides = {"a": ["a"], "b": ["b"]}
    claims = [
        scoring.compare(known, sides, waiting=waiting).pairs[0].better is not None
        for known, waiting in TILTED[name].differences(seed, times)
    ]
    return pd.DataFrame({"claim": np.array(claims, dtype=np.float64)})


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
                "difference": wrong(found[0].p_value),
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
DIFFERENT = {"teams 0.02 apart": 0.27, "teams 0.01 apart": 0.56}


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
                "difference mean": pair.difference,
                "difference lower": pair.interval[0],
                "difference upper": pair.interval[1],
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
                f"{who} {name}": found[column][who]
                for name, column in (("mean", "mean"), ("lower", "skill_lower"),
                                     ("upper", "skill_upper"))
                for who in found.index
            }
        )  # fmt: skip
    return pd.DataFrame(rows)
