"""Reading forecasts from the database as columns: hundreds of thousands in a second or two."""

from __future__ import annotations

import gc
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import pandas as pd
from sqlalchemy import Text, type_coerce
from sqlmodel import Session, col, select, true

from forecasts.access.visibility import forecast_visible
from forecasts.ledger.current import is_newest_wording
from forecasts.ledger.models import (
    Citation,
    Evidence,
    Forecast,
    Member,
    ModelUse,
    Question,
    QuestionRevision,
)
from forecasts.questions.standing import in_batches
from forecasts.updates.values import Value


def columns(
    session: Session,
    only: Sequence[str] | None,
    *,
    rationales: bool,
    cited: bool,
    models: bool = False,
) -> dict[str, Any]:
    """Return the columns of ``frames.FORECAST_COLUMNS``, on all questions or those with the slugs.

    Ordered by question, forecaster, time and id. The rationale is blank without ``rationales``, the
    evidence without ``cited``. With ``models`` also those of ``frames.MODEL_COLUMNS``.
    """
    forecast = Forecast.__table__.c  # type: ignore[attr-defined]
    path = (forecast.question_id, forecast.member_id, forecast.made_at, forecast.id)
    # A query of its own for columns that are mostly blank: fetching a blank costs as much.
    vectors: Any = select(
        forecast.id,
        *(type_coerce(forecast[name], Text) for name in ("probabilities", "quantiles")),
    ).where(forecast.probabilities.is_not(None) | forecast.quantiles.is_not(None))
    several = {id_: both for id_, *both in _rows(session, vectors, only)}
    citations = _cited(session) if cited else {}
    used = _models(session, only) if models else {}
    wanted = {
        "question": forecast.question_id,
        "member": forecast.member_id,
        "probability": forecast.probability,
        # As text: converting half a million values one at a time takes seconds.
        "made_at": type_coerce(forecast.made_at, Text),
    }
    if several or citations or used:
        wanted["id"] = forecast.id
    if rationales:
        wanted["rationale"] = forecast.rationale
    every: Any = select(*wanted.values()).order_by(*path)
    with _garbage_collection_paused():
        rows = _rows(session, every, only)
        if only is not None:
            rows.sort(key=lambda row: row[0])  # a question's rows are in one batch, in order
        many = len(rows)
        read: list[Any] = list(zip(*rows, strict=True)) or [()] * len(wanted)
        del rows  # while garbage collection is paused
    got = dict(zip(wanted, read, strict=True))
    ids, blank = got.get("id", ()), [None] * many
    made_at = pd.Series(got["made_at"], dtype=object)
    probabilities, quantiles = blank, blank
    if several:
        both = [several.get(id_, (None, None)) for id_ in ids]
        probabilities, quantiles = (_parsed(column) for column in zip(*both, strict=True))
    found = {
        "question_id": _names_of(session, got["question"], Question.id, Question.slug),
        "forecaster": _names_of(session, got["member"], Member.id, Member.handle),
        "made_at": pd.to_datetime(made_at, format="ISO8601", utc=True),
        "probability": got["probability"],
        "probabilities": _over_options(session, got["question"], probabilities),
        "quantiles": quantiles,
        "rationale": got.get("rationale", pd.Series("", index=range(many), dtype=str)),
        "evidence": [citations.get(id_) for id_ in ids] if citations else blank,
    }
    if models:
        found |= _behind(used, ids, many)
    return found


def _behind(used: dict[int, tuple[Any, ...]], ids: Sequence[int], many: int) -> dict[str, Any]:
    """Return the columns of models; quickly where no forecast has one, as in most ledgers."""
    if not used:
        blank = pd.Series("", index=range(many), dtype=str)
        return {"model": blank, "version": blank, "cost": np.full(many, np.nan)}
    rows = [used.get(id_, (None,) * 3) for id_ in ids]
    return dict(zip(("model", "version", "cost"), zip(*rows, strict=True), strict=True))


def _models(session: Session, only: Sequence[str] | None) -> dict[int, tuple[Any, ...]]:
    """Return the name, version and cost of the model behind each forecast with one, by its id."""
    use = ModelUse.__table__.c  # type: ignore[attr-defined]
    behind: Any = select(use.forecast_id, use.name, use.version, use.cost).join(
        Forecast, col(Forecast.id) == use.forecast_id
    )
    return {id_: tuple(more) for id_, *more in _rows(session, behind, only)}


def _rows(session: Session, every: Any, only: Sequence[str] | None) -> list[tuple[Any, ...]]:
    """Return the visible rows, on all questions or those with the slugs, as the driver has them."""
    limits: list[Any] = [true()]
    if only is not None:
        of = [select(col(Question.id)).where(col(Question.slug).in_(s)) for s in in_batches(only)]
        limits = [col(Forecast.question_id).in_(some) for some in of]
    found: list[tuple[Any, ...]] = []
    for limit in limits:
        statement = every.where(forecast_visible(session), limit)
        with session.connection().execute(statement) as result:
            found += result.cursor.fetchall()
    return found


def _names_of(session: Session, ids: Sequence[int], id_: Any, name: Any) -> pd.Series[str]:
    """Return the names that belong to the ids; each one is read once."""
    code, own = pd.factorize(np.asarray(ids, dtype=np.int64))
    names: dict[int, str] = {}
    for some in in_batches(own.tolist()):
        names |= dict(session.exec(select(id_, name).where(col(id_).in_(some))).all())
    known = pd.Series([names[one] for one in own.tolist()], dtype=str)
    return known.take(code).reset_index(drop=True)


@contextmanager
def _garbage_collection_paused() -> Iterator[None]:
    """Pause garbage collection while hundreds of thousands of rows are read.

    The collector would scan all of them repeatedly and find nothing, which doubles the time.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _parsed(values: Sequence[Any]) -> list[Any]:
    """Return JSON as lists and mappings; PostgreSQL returns them parsed."""
    if not any(values):  # fast path: all blank
        return list(values)
    return [json.loads(value) if isinstance(value, str) else value for value in values]


def _over_options(session: Session, questions: Sequence[int], vectors: list[Any]) -> list[Any]:
    """Return the vectors aligned with the questions' newest options, None for those added since."""
    if not any(vectors):
        return vectors
    newest = select(QuestionRevision.question_id, QuestionRevision.options).where(
        is_newest_wording(), col(QuestionRevision.options).is_not(None)
    )
    options = dict(session.exec(newest).all())
    return [
        vector
        if vector is None or len(vector) >= len(options.get(question) or ())
        else list(Value(probabilities=tuple(vector)).over(options[question]).probabilities or ())
        for question, vector in zip(questions, vectors, strict=True)
    ]


def _cited(session: Session) -> dict[int, list[dict[str, Any]]]:
    cited: dict[int, list[dict[str, Any]]] = {}
    for forecast_id, key, stance, share in session.exec(
        select(Citation.forecast_id, Evidence.key, Citation.stance, Citation.share)
        .join(Evidence, col(Evidence.id) == col(Citation.evidence_id))
        .order_by(col(Citation.id))
    ):
        entry: dict[str, Any] = {"evidence_id": key, "stance": str(stance)}
        if share is not None:
            entry["share"] = share
        cited.setdefault(forecast_id, []).append(entry)
    return cited
