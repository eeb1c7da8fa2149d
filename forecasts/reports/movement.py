"""Over- and under-reaction of groups, over every question that they forecast, resolved or open."""

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


def movements(questions: pd.DataFrame, made: Entries, as_of: datetime) -> pd.DataFrame:
    """Return one row a group and question with a step: the mean excess of its members' paths.

    Columns: group, question (a position among ``questions``), excess, revised (whether any of them
    changed a forecast). Withdrawals, and what a
    member says outside of the team, are passed over; see ``scoring.excess_movement``.
    """
    paths = scoring.excess_movement(questions, on(questions, made), as_of)
    paths = paths[paths["steps"] > 0]
    rows = pd.DataFrame(
        {
            "group": made.group.to_numpy(dtype=object)[paths["forecaster"].to_numpy(np.intp)],
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
    """Return what the excess movements of a group's questions show.

    ``revised`` says on which a forecast was changed, and ``family`` which hang together. Every
    question is in the mean, since who is left with one forecast is decided by how questions end.
    But where few forecasts were changed, the steps to the outcomes make the excess, which tell of
    calibration and not of updates; so nothing is said of these below 30 families in which one was,
    or where they are fewer than half.
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
            "Too few to tell over- from under-reaction: forecasts were changed in "
            f"{changed:,} of {count(families, 'family')}."
        )
    luck = f"chance alone would do this in {chance(p_value, families)}"
    if kind == "over_reacting":
        return f"Over-reacts: forecasts swing back, they move more than is learned; {luck}."
    if kind == "under_reacting":
        return (
            "Under-reacts: forecasts creep on in one direction, so that each update could have "
            f"been larger; {luck}."
        )
    return (
        "Moves about as much as is learned, as far as can be told: chance alone moves a calibrated "
        f"forecaster this far off in {chance(p_value, families)}."
    )
