"""Over- and under-reaction of groups, over all questions that they forecast, resolved or open."""

from __future__ import annotations

from datetime import datetime

import numpy as np
import numpy.typing as npt
import pandas as pd

import scoring
from forecasts.reports.estimates import with_test
from forecasts.reports.groups import Entries
from forecasts.reports.member_scores import on, places
from forecasts.reports.numbers import chance, count
from forecasts.reports.report import Movement, Reaction

FEWEST = 30  # families
SIGNIFICANCE = 0.05


def movements(questions: pd.DataFrame, entries: Entries, as_of: datetime) -> pd.DataFrame:
    """Return one row a group and question with a step: the mean excess of its members' paths.

    Columns: group, question (a position among ``questions``), excess, revised (whether any of them
    changed a forecast). Withdrawals, and forecasts made outside the team, are skipped; see
    ``scoring.excess_movement``.
    """
    paths = scoring.excess_movement(questions, on(questions, entries), as_of)
    paths = paths[paths["steps"] > 0]
    rows = pd.DataFrame(
        {
            "group": entries.group.to_numpy(dtype=object)[paths["forecaster"].to_numpy(np.intp)],
            "question": places(questions, paths["question_id"]),
            "excess": paths["excess"].to_numpy(),
            "revised": paths["revisions"].to_numpy() > 0,
        }
    )
    return rows.groupby(["group", "question"], as_index=False).agg(
        excess=("excess", "mean"), revised=("revised", "any")
    )


def movement(
    excess: npt.NDArray[np.float64],
    revised: npt.NDArray[np.bool_],
    family: npt.NDArray[np.integer],
) -> Movement:
    """Return the mean excess movement of a group's questions, and its interpretation.

    ``revised``: the questions with a changed forecast; ``family``: the cluster of each question.
    The mean includes every question, because the outcome decides which ones are left with a single
    forecast. But with few changes, the excess comes from the last steps, to the outcomes, which
    measure calibration rather than updating; so there is no claim if fewer than 30 families have a
    changed forecast, or fewer than half.
    """
    estimate, p_value = with_test(excess, family, lopsided=True)
    families, changed = len(np.unique(family)), len(np.unique(family[revised]))
    kind = _kind(estimate.mean, p_value, families, changed)
    return Movement(
        questions=len(excess),
        families=families,
        revised=changed,
        excess=estimate,
        p_value=p_value,
        kind=kind,
        sentence=_sentence(kind, p_value, families, changed),
    )


def _kind(excess: float | None, p_value: float | None, families: int, changed: int) -> Reaction:
    if changed < max(FEWEST, families / 2) or excess is None or p_value is None:
        return "too_few"
    if p_value >= SIGNIFICANCE:
        return "neither"
    return "over_reacting" if excess > 0 else "under_reacting"


def _sentence(kind: Reaction, p_value: float | None, families: int, changed: int) -> str:
    if kind == "too_few" or p_value is None:
        return (
            "Too few changes to tell over-reaction from under-reaction: forecasts changed in "
            f"{changed:,} of {count(families, 'family')}."
        )
    luck = f"chance alone would do this in {chance(p_value, families)}"
    if kind == "over_reacting":
        return f"Over-reacts: forecasts move more than the news justifies and swing back; {luck}."
    if kind == "under_reacting":
        return (
            "Under-reacts: forecasts drift in one direction, so each update could have been "
            f"larger; {luck}."
        )
    return (
        "Updates match the news, as far as the record shows: a calibrated forecaster would be at "
        f"least this far off in {chance(p_value, families)}."
    )
