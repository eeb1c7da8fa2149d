"""The arena: people, bots and models in one table, each with the ranks that it may have.

Ranks are those of the comparison on shared questions and times. Beside them: the advantage over the
crowd at the same times and its path, coverage, and the cost of a question where forecasts tell it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
import pandas as pd

from forecasts.documents.as_csv import Columns, as_csv
from forecasts.folder.frames import Frames
from forecasts.reports.build import skill_over
from forecasts.reports.cohort import as_scheduled, counted, made_in_time
from forecasts.reports.comparison import Comparison
from forecasts.reports.comparison import build as compare
from forecasts.reports.comparison.build import BY
from forecasts.reports.comparison.comparison import Of, Side
from forecasts.reports.own_scores import WINDOW
from forecasts.reports.report import LeftOut, Skill
from forecasts.reports.rows import Rows, by_group
from forecasts.reports.scope import numbered, scope_of
from forecasts.reports.selection import ALL, CHOICE, Choice

COLUMNS: Columns = {
    "name": "side.name",
    "rank_low": lambda one: one.side.rank_low if one.ranked else None,
    "rank_high": lambda one: one.side.rank_high if one.ranked else None,
    "kind": "kind",
    "owner": "owner",
    "crowd_skill_mean": "crowd_skill.mean",
    "crowd_skill_lower": "crowd_skill.interval.0",
    "crowd_skill_upper": "crowd_skill.interval.1",
    "crowd_skill_questions": "crowd_skill.questions",
    "questions": "side.questions",
    "coverage": "side.coverage",
    "brier_mean": "side.brier.mean",
    "brier_lower": "side.brier.interval.0",
    "brier_upper": "side.brier.interval.1",
    "cost_a_question": "cost",
    "coherence_cost": "side.coherence.cost.mean",
    "coherence_lower": "side.coherence.cost.interval.0",
    "coherence_upper": "side.coherence.cost.interval.1",
}
_ABOUT = ("engine_version", "of", *CHOICE, "as_of", "input_sha256")
MOST = 40  # compared: all pairs of more would take minutes


@dataclass(frozen=True)
class Contender:
    """One line of the arena. ``kind`` and ``owner`` are blank for models and for kinds.

    ``ranked``: it is comparable with another one; its ranks are among those ranked. ``path``: the
    means of ``crowd_skill`` over the last ``WINDOW`` questions, in the order of their scheduled
    closes, from half a window on. ``cost``: US dollars a question, over the questions with a cost,
    None without any. ``medal``: its rank if that is 1, 2 or 3, no one else can have it, and someone
    is ranked below.
    """

    side: Side
    kind: str
    owner: str
    ranked: bool
    crowd_skill: Skill
    path: tuple[float, ...]
    cost: float | None
    medal: int | None


@dataclass(frozen=True)
class Arena:
    """The contenders by their ranks, and the comparison that these come from.

    ``left_out``: those beyond the ``MOST`` with the most questions.
    """

    contenders: tuple[Contender, ...]
    left_out: int
    sentence: str
    comparison: Comparison


def arena(
    frames: Frames, *, of: Of = "forecasters", choice: Choice = ALL, as_of: datetime
) -> Arena | None:
    """Return the arena of all forecasters, models, kinds or teams; None with fewer than two.

    Those with a forecast on a question that counts are in it. BadInput as from ``compare``.
    """
    in_time = made_in_time(as_scheduled(frames, choice, as_of), choice)
    rows, made = _made(in_time, of, choice, as_of)
    made = made[made["question_id"].isin(rows.scope.counting["question_id"])]
    asked = made.groupby("group")["question_id"].nunique()
    names = sorted(asked.index[asked.index != ""], key=lambda name: (-asked[name], name))
    if len(names) < 2:
        return None
    comparison = compare(frames, between=names[:MOST], of=of, choice=choice, as_of=as_of)
    found = by_group(rows.skills)
    costs = _costs(made, in_time)
    compared = {name for pair in comparison.pairs if pair.comparable for name in (pair.a, pair.b)}
    kinds, owners = _told(frames) if of == "forecasters" else ({}, {})
    unranked = len(comparison.groups) - len(compared)
    contenders = []
    for side in comparison.groups:
        name, ranked = side.name, side.name in compared
        one = replace(side, rank_high=side.rank_high - unranked) if ranked else side
        skill = skill_over(found(name), "crowd_skill", rows.scope.family)
        path = _path(found(name), rows.scope.counting["scheduled_close_time"])
        kind, owner = kinds.get(name, ""), owners.get(name, "")
        is_alone = ranked and one.rank_low == one.rank_high < min(4, len(compared))
        medal = one.rank_low if is_alone else None
        contenders.append(Contender(one, kind, owner, ranked, skill, path, costs.get(name), medal))
    contenders.sort(key=_order)
    more = max(len(names) - MOST, 0)
    return Arena(tuple(contenders), more, _sentence(contenders), comparison)


def left_out(
    frames: Frames, *, of: Of = "forecasters", choice: Choice = ALL, as_of: datetime
) -> tuple[LeftOut, ...]:
    """Return the questions that two or more forecast and that do not count, by reason."""
    rows, made = _made(made_in_time(as_scheduled(frames, choice, as_of), choice), of, choice, as_of)
    sides = made.groupby("question_id")["group"].nunique()
    is_shared = rows.scope.questions["question_id"].isin(sides.index[sides > 1]).to_numpy()
    return counted(rows.scope.reason[is_shared & ~rows.scope.counts])


def arena_csv(arena: Arena) -> str:
    """Return the contenders as CSV, numbers in full precision, costs in US dollars."""
    return as_csv(arena.contenders, COLUMNS, arena.comparison.metadata, _ABOUT)


def _made(in_time: Frames, of: Of, choice: Choice, as_of: datetime) -> tuple[Rows, pd.DataFrame]:
    """Return the rows of all groups, and the forecasts made inside one, with its name."""
    scope = scope_of(in_time, by=BY[of], names=(), choice=choice, as_of=as_of)
    rows = Rows(numbered(in_time), scope)
    made = rows.entries.forecasts[rows.entries.forecasts["inside"]]
    group = rows.entries.group.to_numpy(dtype=object)[made["forecaster"]]
    return rows, made.assign(group=group)


def _path(rows: pd.DataFrame, closes: pd.Series) -> tuple[float, ...]:
    """Return the running means of a group's advantage over the crowd; ``rows``: from ``skills``."""
    close = closes.iloc[rows["question"]].to_numpy()
    ordered = rows["crowd_skill"].iloc[np.argsort(close, kind="stable")]
    return tuple(ordered.rolling(WINDOW, min_periods=WINDOW // 2).mean().dropna())


def _order(one: Contender) -> tuple[bool, int, int, float]:
    mean = one.crowd_skill.mean
    return (
        not one.ranked,
        one.side.rank_low,
        one.side.rank_high,
        math.inf if mean is None else -mean,
    )


def _costs(made: pd.DataFrame, frames: Frames) -> dict[str, float]:
    """Return the mean cost of a question, over the questions for which a group tells one."""
    if frames.models is None:
        return {}
    cost = frames.models["cost"].to_numpy()[made["row"].to_numpy()]
    told = made.assign(cost=cost)[~np.isnan(cost)]
    each = told.groupby(["group", "question_id"])["cost"].sum()
    return dict(each.groupby("group").mean())


def _told(frames: Frames) -> tuple[dict[str, str], dict[str, str]]:
    if frames.members is None:
        return {}, {}
    members = frames.members.set_index("forecaster")
    return dict(members["kind"]), dict(members["owner"])


def _sentence(contenders: Sequence[Contender]) -> str:
    """Return in words how much of the order is beyond chance."""
    ranked = [one for one in contenders if one.ranked]
    if not ranked:
        return "Too early for ranks: no two share 30 questions of 30 families yet."
    if all((one.side.rank_low, one.side.rank_high) == (1, len(ranked)) for one in ranked):
        return "Too early to say who is better: luck explains every difference."
    best = [one.side.name for one in ranked if one.side.rank_low == 1]
    if len(best) == 1:
        return f"{best[0]} is first, by more than luck explains."
    return f"Too early to say who is first: it may be any of {len(best):,}."
