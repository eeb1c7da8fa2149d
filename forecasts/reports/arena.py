"""The arena: people, bots and models in one table, each with the ranks that it may have.

Ranks are those of the comparison on shared questions and times. Beside them: the advantage over the
crowd at the same times, coverage, and the cost of a question where forecasts tell it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
import numpy.typing as npt
import pandas as pd

from forecasts.documents.as_csv import Columns, as_csv
from forecasts.folder.frames import Frames
from forecasts.reports.build import skill_over
from forecasts.reports.cohort import COUNTS, counted, families, made_in_time, reasons, selected
from forecasts.reports.comparison import Comparison
from forecasts.reports.comparison import build as compare
from forecasts.reports.comparison.build import BY
from forecasts.reports.comparison.comparison import Of, Side
from forecasts.reports.groups import Entries, group_entries, group_names
from forecasts.reports.report import LeftOut, Skill
from forecasts.reports.rows import by_group
from forecasts.reports.scope import numbered
from forecasts.reports.selection import ALL, CHOICE, Choice
from forecasts.reports.skills import skills

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
}
_ABOUT = ("engine_version", "of", *CHOICE, "as_of", "input_sha256")
MOST = 40  # compared: all pairs of more would take minutes


@dataclass(frozen=True)
class Contender:
    """One line of the arena. ``kind`` and ``owner`` are blank for models and for kinds.

    ``ranked``: it is comparable with another one; its ranks are among those ranked. ``cost``: US
    dollars a question, over the questions with a cost, None without any.
    """

    side: Side
    kind: str
    owner: str
    ranked: bool
    crowd_skill: Skill
    cost: float | None


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
    by = BY[of]
    in_time = made_in_time(frames, choice)
    ordered = numbered(in_time)
    questions, reason = _chosen(ordered, choice, as_of)
    counting = questions[reason == COUNTS].reset_index(drop=True)
    entries = group_entries(ordered, by=by)
    made = _counted(entries, counting)
    asked = made.groupby("group")["question_id"].nunique()
    names = [name for name in group_names(in_time, by=by) if name in asked.index]
    names = sorted(names, key=lambda name: (-asked[name], name))
    if len(names) < 2:
        return None
    comparison = compare(frames, between=names[:MOST], of=of, choice=choice, as_of=as_of)
    found = by_group(skills(counting, ordered, entries, choice.lead))
    family = families(counting)
    costs = _costs(made, in_time)
    compared = {name for pair in comparison.pairs if pair.comparable for name in (pair.a, pair.b)}
    kinds, owners = _told(frames) if of == "forecasters" else ({}, {})
    unranked = len(comparison.groups) - len(compared)
    contenders = [
        Contender(
            side=replace(side, rank_high=side.rank_high - unranked)
            if side.name in compared
            else side,
            kind=kinds.get(side.name, ""),
            owner=owners.get(side.name, ""),
            ranked=side.name in compared,
            crowd_skill=skill_over(found(side.name), "crowd_skill", family),
            cost=costs.get(side.name),
        )
        for side in comparison.groups
    ]
    contenders.sort(key=_place)
    return Arena(
        contenders=tuple(contenders),
        left_out=max(len(names) - MOST, 0),
        sentence=_sentence(contenders),
        comparison=comparison,
    )


def left_out(
    frames: Frames, *, of: Of = "forecasters", choice: Choice = ALL, as_of: datetime
) -> tuple[LeftOut, ...]:
    """Return the questions that two or more forecast and that do not count, by reason."""
    ordered = numbered(made_in_time(frames, choice))
    questions, reason = _chosen(ordered, choice, as_of)
    made = _counted(group_entries(ordered, by=BY[of]), questions)
    sides = made.groupby("question_id")["group"].nunique()
    is_shared = questions["question_id"].isin(sides.index[sides > 1]).to_numpy()
    return counted(reason[is_shared & (reason != COUNTS)])


def arena_csv(arena: Arena) -> str:
    """Return the contenders as CSV, numbers in full precision, costs in US dollars."""
    return as_csv(arena.contenders, COLUMNS, arena.comparison.metadata, _ABOUT)


def _chosen(
    ordered: Frames, choice: Choice, as_of: datetime
) -> tuple[pd.DataFrame, npt.NDArray[np.object_]]:
    """Return the questions that the choice selects, and why each does not count."""
    questions = ordered.questions[selected(ordered.questions, choice)].reset_index(drop=True)
    return questions, reasons(questions, cohort=choice.cohort, as_of=as_of)


def _counted(entries: Entries, questions: pd.DataFrame) -> pd.DataFrame:
    """Return the forecasts made inside a group on these questions, with the group's name."""
    inside = entries.forecasts[entries.forecasts["inside"]]
    made = inside[inside["question_id"].isin(questions["question_id"])]
    return made.assign(group=entries.group.to_numpy(dtype=object)[made["forecaster"]])


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


def _place(one: Contender) -> tuple[bool, int, int, float]:
    skill = one.crowd_skill.mean
    return (
        not one.ranked,
        one.side.rank_low,
        one.side.rank_high,
        math.inf if skill is None else -skill,
    )


def _sentence(contenders: Sequence[Contender]) -> str:
    """Return in words how much of the order is beyond chance."""
    ranked = [one for one in contenders if one.ranked]
    if not ranked:
        return "No ranks yet: no two share 30 questions of 30 families."
    if all((one.side.rank_low, one.side.rank_high) == (1, len(ranked)) for one in ranked):
        return "The ranks cannot be told apart: no difference is clearer than chance."
    best = [one.side.name for one in ranked if one.side.rank_low == 1]
    if len(best) == 1:
        return f"Only {best[0]} may be first; chance does not explain the lead."
    return f"{len(best):,} may be first: their ranks cannot be told apart."
