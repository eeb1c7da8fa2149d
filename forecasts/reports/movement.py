"""Over- and under-reaction of groups, over all questions that they forecast, resolved or open."""

from __future__ import annotations

import math
from datetime import datetime

import numpy as np
import pandas as pd

import scoring
from forecasts.common.text import count
from forecasts.documents.numbers import number
from forecasts.reports.estimates import known, mean_over_questions
from forecasts.reports.groups import Entries, of_members
from forecasts.reports.member_scores import on, places
from forecasts.reports.report import Movement, Reaction
from forecasts.reports.verdict import FEWEST, SIGNIFICANCE, chance, no_outcome
from scoring.arrays import Flags, Places
from scoring.movement import Reaction as ReactionTests


def movements(
    questions: pd.DataFrame, entries: Entries, as_of: datetime, counts: Flags
) -> pd.DataFrame:
    """Return one row a group and question with a step: the mean excess of its members' paths.

    ``counts``: the questions that count in the report's tests. Columns: group, question (a position
    among ``questions``), excess, revised (whether any of them changed a forecast), counts.
    Withdrawals, and forecasts made outside the team, are skipped; see
    ``scoring.excess_movement``.
    """
    paths = scoring.excess_movement(questions, on(questions, entries), as_of)
    paths = paths[paths["steps"] > 0]
    rows = pd.DataFrame(
        {
            "group": of_members(entries.group, paths["forecaster"]),
            "question": places(questions, paths["question_id"]),
            "excess": paths["excess"].to_numpy(),
            "revised": paths["revisions"].to_numpy() > 0,
        }
    )
    each = rows.groupby(["group", "question"], as_index=False).agg(
        excess=("excess", "mean"), revised=("revised", "any")
    )
    return each.assign(counts=counts[each["question"]])


def movement(
    moves: pd.DataFrame, family: Places, reaction: ReactionTests | None, waiting: int = 0
) -> Movement:
    """Return the mean excess movement of a group's questions, and what ``reaction`` finds.

    ``waiting``: how many questions lack an outcome, if their outcomes could change the finding.

    ``moves`` are the group's rows of ``movements``; ``family``: the cluster of every question.
    The mean describes every question, resolved or open. The finding is that of the recalibrated
    paths of the questions that count: an overconfident forecaster's path swings by itself. With few
    changes, the excess comes from the last steps, to the outcomes, which measure calibration rather
    than updating; so there is no claim if fewer than 30 of the families that count have a changed
    forecast, or fewer than half. Nor is there one if the mean leans the other way. Small swings
    that are not a fault are told with their size.
    """
    of = family[moves["question"].to_numpy()]
    estimate = mean_over_questions(moves["excess"].to_numpy(), of, lopsided=True)
    counts, revised = (moves[name].to_numpy(dtype=np.bool_) for name in ("counts", "revised"))
    tested, changed = (len(np.unique(of[where])) for where in (counts, counts & revised))
    p_value = None if reaction is None else known(reaction.p_value)
    over = reaction is not None and reaction.recalibrated.statistic > 0
    if p_value is not None and (estimate.mean is None or (estimate.mean > 0) != over):
        p_value = 1.0
    kind, sentence = _found(p_value, tested, changed, over=over, waiting=waiting)
    if kind == "neither" and reaction is not None and reaction.swing_p_value < SIGNIFICANCE:
        points = number(reaction.swing * 100, 1)
        kind = "swings"
        sentence = (
            f"Forecasts swing by about {points} points and come back: small moves without news."
        )
    families = len(np.unique(of))
    return Movement(len(moves), families, changed, estimate, p_value, kind, sentence)


def _found(
    p_value: float | None, families: int, changed: int, *, over: bool, waiting: int
) -> tuple[Reaction, str]:
    needed = max(FEWEST, math.ceil(families / 2))
    if changed < needed or p_value is None:
        return "too_few", (
            "Too few changes to tell whether updates were too large or too small: forecasts "
            f"changed in {changed:,} of {count(families, 'family')} of resolved questions; a "
            f"finding needs {needed}."
        )
    if waiting:
        return "waiting", f"No finding on updates: {no_outcome(waiting)}, and could change it."
    luck = chance(p_value, families)
    not_the_line = "This remains after correcting for over- or underconfidence."
    if p_value >= SIGNIFICANCE:
        return "neither", (
            "No fault found in the updates, as far as this record shows: without one, "
            f"{luck} would look at least this bad."
        )
    if over:
        return "over_reacting", (
            "Over-reacts: forecasts move more than the news justifies, and swing back. "
            f"{not_the_line} Luck alone would look like this in {luck}."
        )
    return "under_reacting", (
        "Under-reacts: forecasts drift in one direction, so each update could have been larger. "
        f"{not_the_line} Luck alone would look like this in {luck}."
    )
