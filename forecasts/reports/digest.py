"""The digest of a ledger: equal if everything that affects a report's numbers is equal.

It is made from a digest of each question with its forecasts. So parts of a ledger that hold whole
questions have, together, the digest of the ledger.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from forecasts.folder.frames import EVIDENCE_COLUMNS, QUESTION_COLUMNS, TEAM_COLUMNS, Frames
from forecasts.questions.revisions import DECIDES_SCORES
from forecasts.reports.groups import forecast_groups
from forecasts.reports.member_scores import places
from forecasts.reports.report import By
from scoring.ordering import in_order

# The columns that affect the numbers. Titles, background, rationales and other texts do not. Two
# forecasts at the same instant keep their order: the later row wins.
_QUESTIONS = ("question_id", *DECIDES_SCORES, "resolution", "family", "tags")
_JSON = ("probabilities", "quantiles", "evidence")
# The other tables, and how many of the columns, from the first, give the order of rows.
_TABLES = {
    "teams": (TEAM_COLUMNS, ("team", "forecaster", "joined_at", "left_at"), 4),
    "evidence": (EVIDENCE_COLUMNS, ("evidence_id", "publisher", "kind"), 1),
}


def sha256(frames: Frames, by: By = "all") -> str:
    """Return the SHA-256, in hex, of questions, forecasts, teams and evidence, in canonical form.

    The order of the rows does not matter, nor does their source, folder or database. By kind, model
    or owner, the digest covers those of the forecasts too.
    """
    return of_questions(question_digests(frames, by), frames)


def of_questions(digests: Iterable[bytes], frames: Frames) -> str:
    """Return the digest of a ledger from those of all its questions, in any order.

    ``frames`` has its teams and evidence.
    """
    digest = hashlib.sha256()
    every = sorted(digests)
    digest.update(f"questions {len(every)}\n".encode())
    digest.update(b"".join(every))
    for name, (kinds, columns, keys) in _TABLES.items():
        frame: pd.DataFrame = getattr(frames, name)
        ordered = frame.iloc[_order([frame[key] for key in columns[:keys]])]
        digest.update(f"{name} {len(ordered)}\n".encode())
        for column in columns:
            digest.update(f"{column}\n".encode())
            for part in _bytes(ordered[column], kinds[column]):
                digest.update(part)
    return digest.hexdigest()


def question_digests(frames: Frames, by: By = "all") -> list[bytes]:
    """Return the SHA-256 of each question with its forecasts, in the order of the questions."""
    questions, forecasts = frames.questions, frames.forecasts
    columns = [
        (questions[name].astype("int64") if kind == "time" else questions[name]).tolist()
        for name, kind in ((name, QUESTION_COLUMNS[name]) for name in _QUESTIONS)
    ]
    asked = places(questions, forecasts["question_id"])
    member, names = pd.factorize(forecasts["forecaster"], sort=True)
    time = forecasts["made_at"].to_numpy(dtype=np.int64)
    order, made_at = in_order((asked + 1) * len(names) + member, time)
    ends = np.cumsum(np.bincount(asked + 1, minlength=len(questions) + 1))
    p = forecasts["probability"].to_numpy(dtype="<f8")[order]
    rows = {
        "forecaster": _hashes(names)[member[order]],
        "made_at": made_at,
        # A missing number may come in more than one bit pattern, and so does 0.
        "probability": np.where(np.isnan(p), np.nan, p + 0.0),
    }
    if by in ("kind", "model", "owner"):
        place, texts = pd.factorize(forecast_groups(frames, by=by))
        rows[by] = _hashes(texts)[place][order]
    # The rows one after another, each with its columns side by side.
    data = np.rec.fromarrays(list(rows.values()), formats=None, names=list(rows)).tobytes()
    size = len(data) // max(len(order), 1)
    cells = {name: forecasts[name].to_numpy(dtype=object)[order] for name in _JSON}
    filled = {name: np.asarray(pd.notna(values)) for name, values in cells.items()}
    some = [name for name in _JSON if filled[name].any()]
    found = []
    for start, end, *row in zip(ends[:-1], ends[1:], *columns, strict=True):
        digest = hashlib.sha256(_json(row))
        digest.update(data[start * size : end * size])
        for name in some:
            own = np.flatnonzero(filled[name][start:end])
            if len(own):
                digest.update(_json([name, own.tolist(), cells[name][start:end][own].tolist()]))
        found.append(digest.digest())
    return found


def _hashes(texts: Iterable[Any]) -> npt.NDArray[np.void]:
    """Return the first half of the SHA-256 of each text, which has the same size for all."""
    hashes = [hashlib.sha256(str(text).encode()).digest()[:16] for text in texts]
    return np.array(hashes or [b""], dtype="V16")


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
    # Each distinct text once, and then its number in each row.
    place, texts = pd.factorize(column, sort=True)
    return [_json(list(texts)), place.astype("<i8").tobytes()]


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, sort_keys=True).encode()
