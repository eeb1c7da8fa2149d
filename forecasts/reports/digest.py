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

from forecasts.folder.frames import QUESTION_COLUMNS, Frames
from forecasts.questions.revisions import DECIDES_SCORES
from forecasts.reports.groups import forecast_groups
from forecasts.reports.member_scores import places
from forecasts.reports.report import By

# The columns that affect the numbers. Titles, background, rationales and other texts do not.
_QUESTIONS = ("question_id", *DECIDES_SCORES, "earlier_closes", "resolution", "family", "tags")
_CELLS = ("forecaster", "probabilities", "quantiles", "evidence")
_TABLES = {
    "teams": ["team", "forecaster", "joined_at", "left_at"],
    "evidence": ["evidence_id", "publisher", "kind"],
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
    digest = hashlib.sha256(b"".join(sorted(digests)))
    for name, columns in _TABLES.items():
        rows = getattr(frames, name)[columns].astype(str).fillna("").to_numpy().tolist()
        digest.update(_json([name, sorted(rows)]))
    return digest.hexdigest()


def question_digests(frames: Frames, by: By = "all") -> list[bytes]:
    """Return the SHA-256 of each question with its forecasts, in the order of the questions."""
    questions, forecasts = frames.questions, frames.forecasts
    asked = [
        (questions[name].astype("int64") if kind == "time" else questions[name]).tolist()
        for name, kind in ((name, QUESTION_COLUMNS[name]) for name in _QUESTIONS)
    ]
    table = forecasts[list(_CELLS)].assign(
        question=places(questions, forecasts["question_id"]),
        made_at=forecasts["made_at"].astype("int64"),
        # Zero, and a missing number, come in several bit patterns.
        probability=(forecasts["probability"] + 0.0).where(forecasts["probability"].notna()),
    )
    if by in ("kind", "model", "owner"):
        table[by] = forecast_groups(frames, by=by)
    # Two forecasts at the same instant keep their order: the later row wins.
    table = table.sort_values(["question", "forecaster", "made_at"], kind="stable")
    ends = np.cumsum(np.bincount(table.pop("question") + 1, minlength=len(questions) + 1)).tolist()
    made_at, probability = (table.pop(name).to_numpy() for name in ("made_at", "probability"))
    columns = {
        name: column.astype(object).where(column.notna(), None).tolist()
        for name, column in table.items()
        if column.notna().any()
    }

    def digest(start: int, end: int, *row: Any) -> bytes:
        cells = {name: column[start:end] for name, column in columns.items()}
        filled = {name: own for name, own in cells.items() if own.count(None) < len(own)}
        numbers = made_at[start:end].tobytes() + probability[start:end].tobytes()
        return hashlib.sha256(_json([*row, filled]) + numbers).digest()

    return list(map(digest, ends[:-1], ends[1:], *asked))


_ENCODER = json.JSONEncoder(ensure_ascii=False, sort_keys=True)


def _json(value: Any) -> bytes:
    return _ENCODER.encode(value).encode()
