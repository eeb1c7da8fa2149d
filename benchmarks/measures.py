"""The measures of a world, one row per tournament: 1 for an error, 0 for none.

Each function takes several tournaments side by side and returns a frame with one row each. Errors
are read from reports, as `forecasts.reports.build` returns them.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

import scoring
from benchmarks.comparing import LEVEL, comparisons, wrong
from benchmarks.worlds import (
    AS_OF,
    CONTRADICTING,
    NUMBERS,
    SPOKEN,
    TOGETHER,
    TRICKS,
    Many,
    World,
    faulty,
    repeat,
)
from forecasts.folder.folder import read_folder
from forecasts.folder.frames import Frames
from forecasts.reports import build
from forecasts.reports.build import LOG
from forecasts.reports.calibration import auc
from forecasts.reports.coherence import coherence
from forecasts.reports.cohort import as_scheduled, families
from forecasts.reports.comparison.coherence import differences
from forecasts.reports.comparison.coherence import prices as price_table
from forecasts.reports.estimates import BRIER, mean_over_questions
from forecasts.reports.groups import LEADS, by_account, group_entries
from forecasts.reports.member_scores import live_segments
from forecasts.reports.movement import movement, movements
from forecasts.reports.report import Estimate, Luck, Movement, Verdict, ZTest
from forecasts.reports.rows import Rows, by_group
from forecasts.reports.scope import numbered, scope_of
from forecasts.reports.selection import ALL
from forecasts.reports.verdict import FEWEST, verdict
from forecasts.reports.when_made import Forecasts, claims, forecasts_made, when_made
from forecasts.values.worlds import LEAST
from scoring.numeric_calibration import distributions
from scoring.shared_shocks import spans_of

Measure = Callable[[int, int], pd.DataFrame]

ACCUSED = ("overconfident", "underconfident", "too_high", "too_low")
NONE = ("too_few", "not_estimable")
STALE = ("grew_high", "grew_low")
REACTIONS = ("over_reacting", "under_reacting")


# --- everyone calibrated, all teams equally good ----------------------------------------------


def whole(many: Many) -> pd.DataFrame:
    """Return the errors in whole reports on the first team of each tournament."""
    rows, ledger = [], many.ledger()
    at_leads = leads(numbered(ledger))
    for group in build(ledger, by="team", as_of=AS_OF).groups:
        assert group.movement is not None
        outside = [not p.lower - 1e-6 <= p.recalibrated <= p.upper + 1e-6 for p in group.curve]
        bins = [
            float(not each.interval[0] <= each.forecast <= each.interval[1])
            for each in group.bins
            if each.forecast is not None and each.interval is not None
        ]
        tests = (group.calibration_in_the_large, group.spiegelhalter)
        scores = {
            "brier": group.brier,
            "log": group.log,
            "auc": Estimate(group.auc, group.auc_interval),
            "skill": group.skill,
        }
        rows.append(
            {
                **errors(group.verdict, group.movement, *tests, group.luck),
                "miscalibration": wrong(group.miscalibration.p_value),
                "lead": at_leads[group.name],
                "band": float(any(outside)),
                "stale": float(group.staleness is not None and group.staleness.kind in STALE),
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
    frames = as_scheduled(many.ledger(), ALL, AS_OF)
    scope = scope_of(frames, by="team", names=(), choice=ALL, as_of=AS_OF)
    found = Rows(numbered(frames), scope)
    family, moves_of, scores_of = scope.family, by_group(found.moved), by_group(found.scores)
    priced_of = by_group(found.priced)
    at_leads = leads(replace(found.frames, questions=scope.counting))
    rows = []
    for name in scope.wanted:
        made = when_made(found.made(name), found.waiting(name))
        own = scores_of(name)
        cluster = family[own["question"]]
        moved = movement(moves_of(name), scope.all_families, made.reaction, made.unsettled)
        means = {
            measure: mean_over_questions(
                own[measure].to_numpy(),
                cluster,
                scale,
                lopsided=True,
                least=getattr(made.least, measure),
            )
            for measure, scale in (("brier", BRIER), ("log", LOG))
        }
        if len(made.forecasts.rows):
            means["auc"] = Estimate(*auc(claims(made.forecasts)))
        price = coherence(priced_of(name), family)
        if price is not None:
            means["price"] = price.cost
        rows.append(
            errors(verdict(made, scope.spans), moved, made.level, made.sharpness, made.luck)
            | {"lead": at_leads[name]}
            | intervals(means)
        )
    return pd.DataFrame(rows)


def made_by(frames: Frames) -> Forecasts:
    """Return the forecasts of all groups when made."""
    return next(_made(frames, [None]))


def _made(frames: Frames, leads: Sequence[float | None]) -> Iterator[Forecasts]:
    entries = by_account(group_entries(frames, by="team"), frames.forecasts)
    live = live_segments(frames.questions, entries)
    return (forecasts_made(frames.questions, live, entries.group, days) for days in leads)


def leads(frames: Frames) -> dict[str, float]:
    """Return the share of each group's verdicts by lead that are wrong; NaN without any."""
    found = defaultdict(list)
    for every in _made(frames, LEADS):
        for name, own in every.rows.groupby("group", observed=False):
            if own["family"].nunique() >= FEWEST:
                p_value = scoring.when_made(every.of(own).ordered).p_value
                found[str(name)].append(wrong(p_value))
            else:
                found[str(name)].append(math.nan)
    return {name: _mean(each) for name, each in found.items()}


def errors(
    verdict: Verdict, moved: Movement, level: ZTest, sharpness: ZTest, luck: Luck
) -> dict[str, float]:
    """Return the errors in the report on a calibrated group.

    ``accused``: by the verdict or for its movement.
    """
    accused, reacts = verdict.kind in ACCUSED, moved.kind in REACTIONS
    ends = luck.difference.interval
    return {
        "verdict": math.nan if verdict.kind in NONE else float(accused),
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


def errors_of(world: World, seed: int, times: int) -> pd.DataFrame:
    """Return all errors in a world of calibrated forecasters and equal teams."""
    many = repeat(world.settings, seed, times).without_outcomes(world.waiting, seed)
    many = many.with_later_closes() if world.postponed else many
    if world.kept is not None:
        many = replace(many, forecasts=world.kept(many.forecasts))
    many = many.asked_twice() if world.twice else many
    found = (whole if world.whole else tests)(many)
    if len(world.settings.teams) == 1:
        return found
    return pd.concat([found, comparisons(many)], axis=1)


def faults(name: str, seed: int, times: int) -> pd.DataFrame:
    """Return how often a fault is found: by the verdict, as a reaction, and by the F test.

    The F test is that of the recalibration line, with a variance observed between families.
    """
    every = made_by(numbered(repeat(faulty(name), seed, times).ledger()))
    rows = []
    for _, own in every.rows.groupby("group"):
        made = when_made(every.of(own))
        claimed = claims(made.forecasts)
        line = scoring.recalibration(
            p=claimed.p, y=claimed.y, weight=claimed.weight, question=claimed.family
        )
        reacts = made.reaction is not None and made.reaction.p_value < LEVEL
        over = reacts and made.reaction.recalibrated.statistic > 0
        rows.append(
            {
                "verdict": float(made.tests is not None and made.tests.p_value < LEVEL),
                "over": float(over),
                "under": float(reacts and not over),
                "f": wrong(line.p_value),
            }
        )
    return pd.DataFrame(rows)


def spoken(name: str, seed: int, times: int) -> pd.DataFrame:
    """Return the errors on calibrated people who round, or whose forecasts have noise."""
    frames = numbered(SPOKEN[name].repeat(seed, times).ledger())
    family, entries = families(frames.questions), group_entries(frames, by="team")
    spans = spans_of(frames.questions, pd.Series(family, index=frames.questions["question_id"]))
    counts = np.full(len(family), True)
    moves_of = by_group(movements(frames.questions, entries, AS_OF, counts))
    every, rows = made_by(frames), []
    for group, own in every.rows.groupby("group", observed=True):
        made = when_made(every.of(own))
        moved = movement(moves_of(str(group)), family, made.reaction)
        rows.append(errors(verdict(made, spans), moved, made.level, made.sharpness, made.luck))
    return pd.DataFrame(rows)


def together(name: str, seed: int, times: int) -> pd.DataFrame:
    """Return the errors on calibrated people whose questions hang together."""
    # A few records at a time: sets are found among all questions.
    parts = [TOGETHER[name].repeat(seed * times + first, few) for first, few in _few(times)]
    return pd.concat(map(tests, parts), ignore_index=True)


def contradicting(name: str, seed: int, times: int) -> pd.DataFrame:
    """Return whether two equals are said to differ in the cost of their contradictions.

    NaN where too few families have a contradiction for a claim.
    """
    rows = []
    for first, few in _few(times):
        many = CONTRADICTING[name].repeat(seed * times + first, few)
        frames = as_scheduled(many.ledger(teams=2), ALL, AS_OF)
        scope = scope_of(frames, by="team", names=(), choice=ALL, as_of=AS_OF)
        found = price_table(Rows(numbered(frames), scope))
        number = found["group"].str.partition(" ")[0]
        family = pd.Series(scope.family, index=scope.counting["question_id"])
        for _, own in found.groupby(number):
            sides = {side: [side] for side in sorted(own["group"].unique())}
            contradicted = own["question_id"][own["moved"] >= LEAST].unique()
            said = math.nan
            if family[contradicted].nunique() >= FEWEST:
                said = float(bool(differences(own, sides, family)))
            rows.append({"differ": said})
    return pd.DataFrame(rows)


def _few(times: int) -> list[tuple[int, int]]:
    return [(first, min(10, times - first)) for first in range(0, times, 10)]


def hidden(name: str, seed: int, times: int) -> pd.DataFrame:
    """Return how often overconfidence is found, with and without a trick to hide it."""
    fault, trick = TRICKS[name]
    many = repeat(faulty(fault), seed, times)
    found = {}
    for name, one in (("verdict", many), ("hidden", trick(many, seed))):
        every = made_by(numbered(one.ledger()))
        found[name] = [
            wrong(scoring.when_made(every.of(own).ordered).p_value)
            for _, own in every.rows.groupby("group")
        ]
    return pd.DataFrame(found)


# --- numbers and dates ------------------------------------------------------------------------


def numbers(name: str, seed: int, times: int) -> pd.DataFrame:
    """Return whether the PITs of records of numbers or dates are said not to be uniform."""
    world = NUMBERS[name]
    asked, made = world.frames(seed, times)
    every = distributions(asked, made, asked["question_id"][asked["resolution"] == ""])
    record = every.table["question_id"].to_numpy() // world.questions
    own = [every.of(record == number) for number in range(times)]
    found = [each.pit(np.arange(len(each.starts))) for each in own]
    return pd.DataFrame({"pit": [wrong(each.p_value) * each.settled for each in found]})


# --- real records -----------------------------------------------------------------------------


def verdicts(folder: Path) -> pd.Series:
    """Return the verdict on each record of 30 questions or more in a ledger folder, by name."""
    report = build(read_folder(folder), by="forecaster", as_of=AS_OF)
    return pd.Series(
        {g.name: g.verdict.kind for g in report.groups if g.questions >= FEWEST}, dtype=str
    )
