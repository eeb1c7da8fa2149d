"""The measures of a world, one row per tournament: 1 for an error, 0 for none.

Each function takes several tournaments side by side and returns a frame with one row each. What a
report says is read from a report, as `forecasts.reports.build` returns it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import combinations

import numpy as np
import pandas as pd
from scipy import stats

import scoring
from benchmarks.worlds import AS_OF, SHOCKS, USUAL, Many, World, faulty, lopsided, repeat
from forecasts.reports import build
from forecasts.reports.build import BRIER, LOG
from forecasts.reports.cohort import families
from forecasts.reports.comparison.build import build as compare
from forecasts.reports.estimates import mean_over_questions
from forecasts.reports.groups import group_entries
from forecasts.reports.member_scores import live_segments, member_scores, question_scores
from forecasts.reports.movement import movement, movements
from forecasts.reports.report import Estimate, Luck, Movement, Verdict, ZTest
from forecasts.reports.verdict import verdict
from forecasts.reports.when_made import Forecasts, claims, forecasts_made, when_made
from forecasts.scores.frames import Frames
from scoring.e_process import possibly_best
from scoring.tournament import Team

Measure = Callable[[int, int], pd.DataFrame]

LEVEL = 0.05
ACCUSED = ("overconfident", "underconfident", "too_high", "too_low")
REACTIONS = ("over_reacting", "under_reacting")


def wrong(p_value: float | None) -> float:
    """Return 1 if a test rejects, 0 if not, NaN if there was nothing to test."""
    return math.nan if p_value is None or math.isnan(p_value) else float(p_value < LEVEL)


# --- everyone calibrated, all teams equally good ----------------------------------------------


def whole(many: Many) -> pd.DataFrame:
    """Return the errors in whole reports on the first team of each tournament."""
    rows = []
    for group in build(many.ledger(), by="team", as_of=AS_OF).groups:
        assert group.movement is not None
        outside = [not p.lower - 1e-6 <= p.recalibrated <= p.upper + 1e-6 for p in group.curve]
        bins = [
            float(not each.interval[0] <= each.forecast <= each.interval[1])
            for each in group.bins
            if each.forecast is not None and each.interval is not None
        ]
        tests = (group.calibration_in_the_large, group.spiegelhalter)
        scores = {"brier": group.brier, "log": group.log, "skill": group.skill}
        rows.append(
            {
                **errors(group.verdict, group.movement, *tests, group.luck),
                "miscalibration": wrong(group.miscalibration.p_value),
                "lead": _mean([wrong(lead.p_value) for lead in group.leads]),
                "band": float(any(outside)),
                "bins": _mean(bins),
                **intervals(scores),
                **intervals({"points": group.moved and group.moved.per_question}),
            }
        )
    return pd.DataFrame(rows)


def tests(many: Many) -> pd.DataFrame:
    """Return the errors of the tests and scores in the same reports, in a third of the time.

    The functions are called as by `build`.
    """
    frames = many.ledger()
    questions, family = frames.questions, families(frames.questions)
    entries = group_entries(frames, by="team")
    every = made_by(frames)
    moves = movements(questions, entries, AS_OF)
    scores = question_scores(member_scores(questions, entries))
    rows = []
    for name in np.unique(entries.group):
        made = when_made(every.of(every.rows[every.rows["group"] == name]))
        own = scores[scores["group"] == name]
        cluster = family[own["question"]]
        moved = movement(moves[moves["group"] == name], family, made.reaction)
        found = {
            measure: mean_over_questions(
                own[measure].to_numpy(),
                cluster,
                scale,
                lopsided=True,
                least=getattr(made.least, measure),
            )
            for measure, scale in (("brier", BRIER), ("log", LOG))
        }
        rows.append(
            errors(verdict(made), moved, made.level, made.sharpness, made.luck) | intervals(found)
        )
    return pd.DataFrame(rows)


def made_by(frames: Frames) -> Forecasts:
    """Return the forecasts of all groups when made."""
    entries = group_entries(frames, by="team")
    live = live_segments(frames.questions, entries)
    return forecasts_made(frames.questions, live, entries.group.to_numpy(dtype=object))


def errors(
    verdict: Verdict, moved: Movement, level: ZTest, sharpness: ZTest, luck: Luck
) -> dict[str, float]:
    """Return the errors in the report on a calibrated group.

    ``accused``: by the verdict or for its movement.
    """
    accused, reacts = verdict.kind in ACCUSED, moved.kind in REACTIONS
    ends = luck.difference.interval
    return {
        "verdict": float(accused) if accused or verdict.kind == "calibrated" else math.nan,
        "movement": math.nan if moved.kind == "too_few" else float(reacts),
        "accused": float(accused or reacts),
        "level": wrong(level.p_value),
        "sharpness": wrong(sharpness.p_value),
        "luck": math.nan if ends is None else float(not ends[0] <= 0 <= ends[1]),
    }


def _mean(values: list[float]) -> float:
    known = [value for value in values if not math.isnan(value)]
    return sum(known) / len(known) if known else math.nan


def intervals(found: Mapping[str, Estimate | None]) -> dict[str, float]:
    """Return the mean and the ends of intervals, NaN for one that is missing."""
    rows = {}
    for name, each in found.items():
        numbers = (math.nan,) * 3
        if each is not None and each.mean is not None and each.interval is not None:
            numbers = (each.mean, *each.interval)
        rows |= dict(zip((f"{name} mean", f"{name} lower", f"{name} upper"), numbers, strict=True))
    return rows


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


def errors_of(world: World, seed: int, times: int) -> pd.DataFrame:
    """Return all errors in a world of calibrated forecasters and equal teams."""
    many = repeat(world.settings, seed, times)
    found = (whole if world.whole else tests)(many)
    if len(world.settings.teams) == 1:
        return found
    return pd.concat([found, comparisons(many)], axis=1)


def faults(name: str, seed: int, times: int) -> pd.DataFrame:
    """Return how often a fault is found: by the verdict, as a reaction, and by the F test.

    The F test is that of the recalibration line, with a variance observed between families.
    """
    every = made_by(repeat(faulty(name), seed, times).ledger())
    rows = []
    for group in np.unique(every.rows["group"]):
        made = when_made(every.of(every.rows[every.rows["group"] == group]))
        claimed = claims(made.forecasts)
        line = scoring.recalibration(claimed.p, claimed.y, claimed.weight, claimed.family)
        reacts = made.reaction is not None and made.reaction.p_value < LEVEL
        over = reacts and made.reaction.recalibrated.statistic > 0
        rows.append(
            {
                "verdict": float(verdict(made).kind in ACCUSED),
                "over": float(over),
                "under": float(reacts and not over),
                "f": wrong(line.p_value),
            }
        )
    return pd.DataFrame(rows)


def withdrawing(seed: int, times: int) -> pd.DataFrame:
    """Return the claims between equals of whom one withdraws when unsure.

    ``better``: one is called better, ``unnoted``: without the note that it was silent for longer.
    """
    teams = (Team("Heron", 1, withdrawal=0.6), Team("Kestrel", 1))
    frames = repeat(replace(USUAL, teams=teams, shared_noise=0.0), seed, times).ledger(teams=2)
    rows = []
    for number in range(times):
        names = [f"{number:03d} {team.label}" for team in teams]
        own = frames.forecasts["forecaster"].str.startswith(f"{number:03d} ")
        asked = frames.questions["question_id"].isin(frames.forecasts["question_id"][own])
        part = replace(
            frames,
            questions=frames.questions[asked].reset_index(drop=True),
            forecasts=frames.forecasts[own].reset_index(drop=True),
        )
        [pair] = compare(part, between=names, as_of=AS_OF).pairs
        better = pair.better is not None
        rows.append({"better": float(better), "unnoted": float(better and pair.imputed is None)})
    return pd.DataFrame(rows)


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
