"""The forecasts of an import: which are new, and what they cite."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import pandas as pd
from sqlalchemy import insert
from sqlmodel import Session, col, select

from forecasts.common.errors import BadInput, Problem
from forecasts.common.times import iso
from forecasts.ledger import chain
from forecasts.ledger.models import Citation, Evidence, Forecast, Member, Question
from forecasts.questions.standing import in_batches
from forecasts.scores.frames import Frames, forecast_frame, rows


def add_forecasts(
    session: Session,
    frames: Frames,
    members: dict[str, Member],
    *,
    new_only: bool,
    vouched_by: Member | None,
    now: datetime,
) -> list[int]:
    """Return the question's id of every new forecast; they and their citations are written.

    Those for whose times nobody vouches count as made ``now``.

    BadInput for one that is made ahead of ``now``: it would stand, later on, over what its
    forecaster says meanwhile.
    """
    slugs = frames.questions["question_id"].tolist()
    ids = {
        slug: id_
        for some in in_batches(slugs)
        for slug, id_ in session.exec(
            select(Question.slug, Question.id).where(col(Question.slug).in_(some))
        )
    }
    stored: set[str] = set()
    if not new_only:
        stored = set(_import_keys(forecast_frame(session, slugs))) | _imported(session, ids)
    new: list[dict[str, Any]] = []
    cited: list[tuple[str, list[dict[str, Any]]]] = []
    problems: list[Problem] = []
    keys = _import_keys(frames.forecasts)
    ahead = (frames.forecasts["made_at"] > now).tolist()
    for number, (key, row) in enumerate(zip(keys, rows(frames.forecasts), strict=True)):
        if vouched_by is None:
            key = f"{_CLAIMED}{key}"
        if key in stored or key.removeprefix(_CLAIMED) in stored:
            continue
        if ahead[number]:
            place = f"{frames.place('forecasts', number)}, column made_at"
            problems.append(Problem(place, iso(row.made_at), f"not ahead of now, {iso(now)}"))
            continue
        probability = None if pd.isna(row.probability) else row.probability
        new.append(
            {
                "question_id": ids[row.question_id],
                "member_id": members[row.forecaster].id,
                "made_at": now if vouched_by is None else row.made_at.to_pydatetime(),
                "claimed_at": row.made_at.to_pydatetime() if vouched_by is None else None,
                "vouched_by_id": None if vouched_by is None else vouched_by.id,
                "recorded_at": now,
                "probability": probability,
                "probabilities": row.probabilities,
                "quantiles": row.quantiles,
                "withdrawn": probability is None
                and row.probabilities is None
                and row.quantiles is None,
                "rationale": row.rationale,
                "origin": "import",
                "import_key": key,
            }
        )
        if row.evidence:
            cited.append((key, row.evidence))
    if problems:
        raise BadInput(
            "The import has forecasts that have not been made yet; nothing was imported.",
            problems=problems,
            remedy="Give each the time at which it was made.",
        )
    if new:
        _insert(session, Forecast, new)
        _citations(session, cited)
    return [row["question_id"] for row in new]


def _insert(
    session: Session, model: type[Forecast | Citation], rows: Sequence[dict[str, Any]]
) -> None:
    """Write the rows in bulk, around the unit of work, which would take minutes for so many."""
    ids = session.connection().scalars(insert(model).returning(col(model.id)), rows)
    chain.note(session, str(model.__tablename__), [id_ for id_ in ids if id_ is not None])


def _imported(session: Session, questions: dict[str, int | None]) -> set[str]:
    """Return the keys of what was imported on these questions, whatever its rows say by now."""
    return {
        key
        for some in in_batches(list(questions.values()))
        for key in session.exec(
            select(Forecast.import_key).where(
                col(Forecast.question_id).in_(some), col(Forecast.import_key).is_not(None)
            )
        )
        if key is not None
    }


# What the keys of those begin with that nobody vouches for: a later import can.
_CLAIMED = "claimed:"


def _import_keys(forecasts: pd.DataFrame) -> list[str]:
    """Return one key a row: the same row gives the same key, in any file and in the ledger.

    Rows that are the same to the last letter are told apart by how many went before.
    """
    keys: list[str] = []
    before: Counter[str] = Counter()
    for row in rows(forecasts):
        value = (
            row.probability
            if not pd.isna(row.probability)
            else row.probabilities
            if row.probabilities is not None
            else row.quantiles
        )
        # Nanoseconds, as integers of any size: pandas has them for the years 1677 to 2262 only.
        made_at = int(row.made_at.as_unit("us").asm8.view("i8")) * 1_000
        said = json.dumps(
            [row.question_id, row.forecaster, made_at, _floats(value), row.rationale],
            sort_keys=True,
        )
        before[said] += 1
        keys.append(hashlib.sha256(f"{said}\n{before[said]}".encode()).hexdigest()[:32])
    return keys


def _floats(value: Any) -> Any:
    """Return the figures of a value as floats: CSV can say 1 where Parquet has 1.0."""
    if isinstance(value, list):
        return [_floats(item) for item in value]
    if isinstance(value, dict):
        return {level: _floats(item) for level, item in value.items()}
    return float(value) if isinstance(value, int) else value


def _citations(session: Session, cited: Sequence[tuple[str, list[dict[str, Any]]]]) -> None:
    if not cited:
        return
    evidence = dict(session.exec(select(Evidence.key, Evidence.id)).all())
    unknown = {e["evidence_id"] for _, entries in cited for e in entries} - evidence.keys()
    if unknown:
        raise BadInput(
            "The import cites evidence that neither it nor this ledger has; nothing was imported.",
            problems=[
                Problem("forecasts, column evidence", key, "an evidence_id that is known")
                for key in sorted(unknown)
            ],
            remedy="Add it to evidence.csv.",
        )
    forecasts = {
        key: id_
        for some in in_batches([key for key, _ in cited])
        for key, id_ in session.exec(
            select(Forecast.import_key, Forecast.id).where(col(Forecast.import_key).in_(some))
        )
    }
    _insert(
        session,
        Citation,
        [
            {
                "forecast_id": forecasts[key],
                "evidence_id": evidence[entry["evidence_id"]],
                "stance": entry.get("stance", "supports"),
                "share": entry.get("share"),
            }
            for key, entries in cited
            for entry in entries
        ],
    )
