"""What each update earned, and through its citations each piece of evidence, publisher and kind.

An update earned (score before − score after) × the share of the question's time that was left
(see ``scoring.attribution``). Those points are split over the evidence that it cites, by the shares
given: one that is not given counts as an equal part, and what is cited as context counts like the
rest. It is bookkeeping, not causation: whoever moved last gets the credit.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

import scoring
from forecasts.errors import BadInput
from forecasts.frames import Frames

GROUPINGS = ("update", "evidence", "publisher", "kind")
UNCITED = ""


def attribute(frames: Frames, by: str = "update", protocol: str = "brier") -> pd.DataFrame:
    """Return what was earned, most first; positive points are better, in the protocol's units.

    by update: question_id, forecaster, made_at, remaining, score_before, score, points, promised,
    surprise, evidence (the ids cited). First forecasts replaced none and have no points.
    by evidence, publisher or kind: that (blank: updates that cite none), for evidence also title,
    publisher and kind, then citations, updates, questions, points. BadInput for another grouping.
    """
    if by not in GROUPINGS:
        raise BadInput(
            f"There is no attribution by {by!r}.", remedy="Use " + ", ".join(GROUPINGS) + "."
        )
    earned = scoring.attribution(frames.questions, frames.forecasts, protocol)
    rows = frames.forecasts.iloc[earned["forecast"].to_numpy()].reset_index(drop=True)
    if by == "update":
        return _updates(earned, rows)
    moved = earned["points"].notna().to_numpy()
    shares = _shares(earned[moved].reset_index(drop=True), rows[moved].reset_index(drop=True))
    return _summed(shares, frames.evidence, by)


def _updates(earned: pd.DataFrame, rows: pd.DataFrame) -> pd.DataFrame:
    table = earned.assign(
        made_at=rows["made_at"],
        evidence=[
            " ".join(entry["evidence_id"] for entry in cited or []) for cited in rows["evidence"]
        ],
    )
    columns = ["question_id", "forecaster", "made_at", "remaining", "score_before", "score"]
    columns += ["points", "promised", "surprise", "evidence"]
    return table[columns].sort_values("points", ascending=False, kind="stable", ignore_index=True)


def _shares(earned: pd.DataFrame, rows: pd.DataFrame) -> pd.DataFrame:
    """Return one row a citation (or an update that cites nothing) with its part of the points."""
    parts: list[tuple[int, str, float]] = []
    for update, cited in enumerate(rows["evidence"]):
        if not cited:
            parts.append((update, UNCITED, 1.0))
            continue
        equal = 1 / len(cited)
        given = [entry.get("share") for entry in cited]
        weight = np.array([equal if share is None else share for share in given], dtype=float)
        if weight.sum() == 0:
            weight[:] = 1
        parts += [
            (update, entry["evidence_id"], part)
            for entry, part in zip(cited, weight / weight.sum(), strict=True)
        ]
    table = pd.DataFrame(parts, columns=["update", "evidence_id", "part"])
    table["question_id"] = earned["question_id"].to_numpy()[table["update"]]
    table["points"] = earned["points"].to_numpy()[table["update"]] * table["part"]
    return table


def _summed(shares: pd.DataFrame, evidence: pd.DataFrame, by: str) -> pd.DataFrame:
    known = evidence.set_index("evidence_id")[["title", "publisher", "kind"]]
    table = shares.join(known, on="evidence_id").fillna(
        {"title": "", "publisher": "", "kind": UNCITED}
    )
    keys: list[Any] = ["evidence_id", "title", "publisher", "kind"] if by == "evidence" else [by]
    table["cited"] = table["evidence_id"] != UNCITED
    return (
        table.groupby(keys, sort=True)
        .agg(
            citations=("cited", "sum"),
            updates=("update", "nunique"),
            questions=("question_id", "nunique"),
            points=("points", "sum"),
        )
        .reset_index()
        .sort_values("points", ascending=False, kind="stable", ignore_index=True)
    )
