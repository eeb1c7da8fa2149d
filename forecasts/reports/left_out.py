"""The questions that a group has no score on, and the reasons."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from forecasts.reports.cohort import COUNTS, counted
from forecasts.reports.groups import Entries, tagged
from forecasts.reports.report import By, LeftOut


def group_questions(
    entries: Entries, questions: pd.DataFrame, by: By, wanted: Sequence[str]
) -> pd.DataFrame:
    """Return the questions of each group, scored or not: group, place among all questions.

    By tag, those with the tag; else those that the group's members forecast; all for everyone.
    """
    if by in ("all", "lead"):
        place = np.tile(np.arange(len(questions)), len(wanted))
        return pd.DataFrame({"group": np.repeat(wanted, len(questions)), "place": place})
    if by == "tag":
        rows = tagged(questions)
    else:
        inside = entries.forecasts.loc[entries.forecasts["inside"], ["forecaster", "question_id"]]
        rows = inside.drop_duplicates()  # numbers, so that fewer texts are compared
        group = entries.group.to_numpy(dtype=object)[rows["forecaster"].to_numpy()]
        rows = rows.assign(group=group)[["group", "question_id"]].drop_duplicates()
    place = pd.Index(questions["question_id"]).get_indexer(rows["question_id"])
    found = pd.DataFrame({"group": rows["group"].to_numpy(), "place": place})
    return found[found["place"] >= 0]


def left_out(
    reason: npt.NDArray[np.object_],
    otherwise: npt.NDArray[np.object_],
    in_groups: pd.DataFrame,
    scores: pd.DataFrame,
) -> dict[Any, tuple[LeftOut, ...]]:
    """Return for each group the number of its questions without a score, by reason.

    ``reason`` is why each question has none; ``otherwise`` is the reason if it counts.
    """
    counts = reason == COUNTS
    place_of = np.flatnonzero(counts)
    scored_at = pd.MultiIndex.from_arrays(
        [scores["group"], place_of[scores["question"].to_numpy(dtype=np.intp)]]
    )
    without = ~pd.MultiIndex.from_frame(in_groups).isin(scored_at)
    why = np.where(counts, otherwise, reason)[in_groups["place"].to_numpy()[without]]
    by_group = pd.Series(why).groupby(in_groups["group"].to_numpy()[without])
    return {name: counted(part) for name, part in by_group}


def never_scored(
    reason: npt.NDArray[np.object_],
    otherwise: npt.NDArray[np.object_],
    scored: npt.NDArray[np.bool_],
) -> tuple[LeftOut, ...]:
    """Return the number of questions without a score, by reason; ``scored`` are the others."""
    return counted(np.where(reason == COUNTS, otherwise, reason)[~scored])
