"""The numbers that a report takes from the forecasts of all groups together.

Everything else about a group comes from its own forecasts. So a ledger of any size is reported in
two steps: ``joint`` on parts of the questions, each with all of their forecasts, and then
``build.groups`` on some groups at a time, each with all of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from forecasts.reports import calibration
from forecasts.reports.report import Adjusted
from forecasts.reports.rows import Rows
from forecasts.reports.scope import Scope
from scoring.outcome_draws import link_of

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Joint:
    """The joint numbers of some questions, from all of their forecasts.

    ``question``: the number of each selected one; ``row``: that of each that counts (``Scope``).
    ``forecast``, ``in_group`` and ``scored``: whether a selected question has a forecast, belongs
    to a group, and has a score. ``sums``: from ``calibration.question_sums``, of those that count.
    ``scores`` (group, question, family, brier): of groups that are compared; a question is its row,
    and a family its cluster. ``people`` (group, forecaster): the members of each group with a
    score; in a report by tag or lead, everyone once.
    """

    question: npt.NDArray[np.intp]
    row: npt.NDArray[np.intp]
    forecast: Flags
    in_group: Flags
    scored: Flags
    sums: npt.NDArray[np.float64]
    scores: pd.DataFrame
    people: pd.DataFrame


def joint(rows: Rows) -> Joint:
    """Return the joint numbers of these questions; ``rows`` have all of their forecasts."""
    scope = rows.scope
    number, counting = scope.questions["question_id"], scope.counting
    places = np.flatnonzero(scope.counts)
    in_group, scored = (np.zeros(len(number), dtype=np.bool_) for _ in range(2))
    in_group[rows.in_groups["place"].to_numpy()] = True
    scored[places[rows.scores["question"].to_numpy(dtype=np.intp)]] = True
    row = counting["row"].to_numpy(dtype=np.intp)
    scores = rows.scores[["group", "question", "brier"]]
    at = scores["question"].to_numpy(dtype=np.intp)
    scores = scores.assign(question=row[at], family=counting["cluster"].to_numpy()[at])
    if not rows.compares:
        scores = scores.iloc[:0]
    people = rows.untagged[["group", "member"]].drop_duplicates()
    who = rows.entries.forecaster.to_numpy(dtype=object)[people["member"].to_numpy(dtype=np.intp)]
    return Joint(
        number.to_numpy(dtype=np.intp),
        row,
        number.isin(rows.frames.forecasts["question_id"]).to_numpy(),
        in_group,
        scored,
        calibration.question_sums(rows.every.values(), len(counting)),
        scores,
        people[["group"]].assign(forecaster=who),
    )


def together(parts: Sequence[Joint]) -> Joint:
    """Return the joint numbers of all questions, from those of parts of them."""
    if len(parts) == 1:
        return parts[0]
    question, row = (
        np.concatenate([getattr(p, name) for p in parts]) for name in ("question", "row")
    )
    by_number, by_row = np.argsort(question), np.argsort(row)
    forecast, in_group, scored = (
        np.concatenate([getattr(part, name) for part in parts])[by_number]
        for name in ("forecast", "in_group", "scored")
    )
    scores, people = (
        pd.concat([getattr(part, name) for part in parts], ignore_index=True)
        for name in ("scores", "people")
    )
    return Joint(
        question[by_number],
        row[by_row],
        forecast,
        in_group,
        scored,
        np.concatenate([part.sums for part in parts], axis=1)[:, by_row],
        scores,
        people.drop_duplicates(ignore_index=True),
    )


@dataclass(frozen=True)
class Shared:
    """The facts that the groups of a report share.

    ``people``: the members of each group with a score. ``link``: how closely the questions of a
    family are linked; ``family``: the cluster of every question that counts. ``otherwise``: why a
    selected question that counts has no score. ``scored``: which questions have one.
    """

    people: pd.Series
    link: float
    family: npt.NDArray[np.intp]
    adjusted: dict[str, Adjusted]
    otherwise: npt.NDArray[np.object_]
    scored: Flags


def shared(found: Joint, scope: Scope, adjusted: dict[str, Adjusted], *, follows: bool) -> Shared:
    """Return the facts that the groups share, from all questions of the report.

    ``adjusted``: the groups' scores from ``difficulty``.
    """
    elsewhere = found.forecast & ~found.in_group
    otherwise = np.where(elsewhere, "in_no_group", "never_live" if follows else "none_at_lead")
    return Shared(
        people=found.people.groupby("group").size(),
        link=link_of(found.sums, scope.family),
        family=scope.family,
        adjusted=adjusted,
        otherwise=otherwise.astype(object),
        scored=found.scored,
    )
