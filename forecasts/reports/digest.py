"""The digest of a ledger: equal if everything that affects a report's numbers is equal."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from forecasts.questions.revisions import DECIDES_SCORES
from forecasts.reports.groups import forecast_groups
from forecasts.reports.report import By
from forecasts.scores.frames import (
    EVIDENCE_COLUMNS,
    FORECAST_COLUMNS,
    QUESTION_COLUMNS,
    TEAM_COLUMNS,
    Frames,
)

# The columns that affect the numbers, and how many of them, from the first, give the order of rows.
# Titles, background, rationales and other texts do not affect the numbers. Two forecasts at the
# same instant keep their order: the later row wins.
_QUESTIONS = ("question_id", *DECIDES_SCORES, "resolution", "family", "tags")
_FORECASTS = ("question_id", "forecaster", "made_at")
_FORECAST_VALUES = ("probability", "probabilities", "quantiles", "evidence")
_TABLES = {
    "questions": (QUESTION_COLUMNS, _QUESTIONS, 1),
    "forecasts": (FORECAST_COLUMNS, (*_FORECASTS, *_FORECAST_VALUES), len(_FORECASTS)),
    "teams": (TEAM_COLUMNS, ("team", "forecaster", "joined_at", "left_at"), 4),
    "evidence": (EVIDENCE_COLUMNS, ("evidence_id", "publisher", "kind"), 1),
}


def sha256(frames: Frames, by: By = "all") -> str:
    """Return the SHA-256, in hex, of questions, forecasts, teams and evidence, in canonical form.

    The order of the rows does not matter, nor does their source, folder or database. By kind, model
    or owner, the digest covers those of the forecasts too.
    """
    digest = hashlib.sha256()
    for name, (kinds, columns, keys) in _TABLES.items():
        frame: pd.DataFrame = getattr(frames, name)
        ordered = frame.iloc[_order([frame[key] for key in columns[:keys]])]
        digest.update(f"{name} {len(ordered)}\n".encode())
        for column in columns:
            digest.update(f"{column}\n".encode())
            for part in _bytes(ordered[column], kinds[column]):
                digest.update(part)
    if by in ("kind", "model", "owner"):
        order = _order([frames.forecasts[key] for key in _FORECASTS])
        digest.update(f"{by}\n".encode())
        for part in _bytes(forecast_groups(frames, by=by).iloc[order], "text"):
            digest.update(part)
    return digest.hexdigest()


def _order(keys: list[pd.Series[Any]]) -> npt.NDArray[np.intp]:
    """Return the order of the rows by the keys; equal rows keep theirs."""
    # Each distinct text is compared once; a blank time comes last.
    ranks = [
        pd.factorize(key, sort=True, use_na_sentinel=False)[0]
        if key.dtype == "str"
        else key.astype("int64").where(key.notna(), np.iinfo(np.int64).max).to_numpy()
        for key in keys
    ]
    order: npt.NDArray[np.intp] = np.lexsort(ranks[::-1])
    return order


def _bytes(column: pd.Series, kind: str) -> list[bytes]:
    if kind == "time":
        return [column.astype("int64").to_numpy().astype("<i8").tobytes()]
    if kind == "flag":
        return [column.to_numpy().astype("<u1").tobytes()]
    if kind == "number":
        values = column.to_numpy(dtype="<f8", copy=True)
        values[np.isnan(values)] = np.nan  # a missing number may come in more than one bit pattern
        return [(values + 0.0).tobytes()]
    if kind == "json":
        filled = np.flatnonzero(column.notna().to_numpy())
        cells = column.to_numpy(dtype=object)[filled].tolist()
        return [filled.astype("<i8").tobytes(), _json(cells)]
    # Each distinct text once, and then its number in each row.
    place, texts = pd.factorize(column, sort=True)
    return [_json(list(texts)), place.astype("<i8").tobytes()]


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, sort_keys=True).encode()
