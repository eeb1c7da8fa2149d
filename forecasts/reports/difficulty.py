"""Brier scores of groups, adjusted for the difficulty of the questions that each forecast."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

import scoring
from forecasts.reports.estimates import known
from forecasts.reports.measures import Adjusted
from forecasts.scores.frames import rows


def adjusted_scores(scores: pd.DataFrame, family: npt.NDArray[np.integer]) -> dict[str, Adjusted]:
    """Return the adjusted score of each group that shares a question with another.

    ``scores`` have one row per group and question (``member_scores.question_scores``), ``family``
    is the cluster of each question.
    """
    table = scores[["group", "question", "brier"]]
    table = table.rename(columns={"question": "question_id", "brier": "score"})
    found = scoring.difficulty_adjusted(table, pd.Series(family))
    return {
        row.group: Adjusted(
            row.adjusted,
            None if known(row.lower) is None else (row.lower, row.upper),
            questions=row.questions,
            component=row.component,
        )
        for row in rows(found)
    }
