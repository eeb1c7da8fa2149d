"""The forecasts of the database as columns: read by the hundred thousand, in a second or two."""

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
from forecasts.ledger.models import Citation, Evidence, Forecast, Member, Question, QuestionRevision
from forecasts.questions.standing import in_batches

_NEITHER = (None, None)


def columns(
    session: Session,
    only: Sequence[str] | None,
    *,
    words: bool,
    cited: bool,
    by: Member | None = None,
) -> dict[str, Any]:
    """Return the columns of ``frames.FORECAST_COLUMNS``, on every question or on those slugs'.

    In the order of question, forecaster, time and writing. Without ``words`` the rationale, and
    without ``cited`` the evidence, stays blank. ``by``: the forecasts of that member alone.
    """
    forecast = Forecast.__table__.c  # type: ignore[attr-defined]
    whose = true() if by is None else forecast.member_id == by.id
    path = (forecast.question_id, forecast.member_id, forecast.made_at, forecast.id)
    # What most forecasts have not, by itself: to fetch a blank takes as long as a value.
    vectors: Any = select(
        forecast.id,
        *(type_coerce(forecast[name], Text) for name in ("probabilities", "quantiles")),
    ).where(whose, forecast.probabilities.is_not(None) | forecast.quantiles.is_not(None))
    several = {id_: both for id_, *both in _rows(session, vectors, only)}
    citations = _cited(session) if cited else {}
    wanted = {
        "question": forecast.question_id,
        "member": forecast.member_id,
        "probability": forecast.probability,
        # As the database has it: to convert half a million values one by one takes seconds.
        "made_at": type_coerce(forecast.made_at, Text),
    }
    if several or citations:
        wanted["id"] = forecast.id
    if words:
        wanted["rationale"] = forecast.rationale
    every: Any = select(*wanted.values()).where(whose).order_by(*path)
    with _uncollected():
        rows = _rows(session, every, only)
        if only is not None:
            rows.sort(key=lambda row: row[0])  # each question's rows are in one part, in order
        many = len(rows)
        read: list[Any] = list(zip(*rows, strict=True)) or [()] * len(wanted)
        del rows  # while nobody looks through them
    got = dict(zip(wanted, read, strict=True))
    ids, blank = got.get("id", ()), [None] * many
    probabilities, quantiles = blank, blank
    if several:
        probabilities, quantiles = (
            _parsed([several.get(id_, _NEITHER)[n] for id_ in ids]) for n in range(2)
        )
    return {
        "question_id": _named(session, got["question"], Question.id, Question.slug),
        "forecaster": _named(session, got["member"], Member.id, Member.handle),
        "made_at": pd.to_datetime(
            pd.Series(got["made_at"], dtype=object), format="ISO8601", utc=True
        ),
        "probability": got["probability"],
        "probabilities": _spread(session, got["question"], probabilities),
        "quantiles": quantiles,
        "rationale": got.get("rationale", pd.Series("", index=range(many), dtype=str)),
        "evidence": [citations.get(id_) for id_ in ids] if citations else blank,
    }


def _rows(session: Session, every: Any, only: Sequence[str] | None) -> list[tuple[Any, ...]]:
    """Return the rows that may be seen, on all questions or those slugs', as the driver does."""
    every = every.where(forecast_visible(session))
    statements = [every]
    if only is not None:
        of = [select(col(Question.id)).where(col(Question.slug).in_(s)) for s in in_batches(only)]
        statements = [every.where(col(Forecast.question_id).in_(some)) for some in of]
    found: list[tuple[Any, ...]] = []
    for statement in statements:
        with session.connection().execute(statement) as result:
            found += result.cursor.fetchall()
    return found


def _named(session: Session, ids: Sequence[int], id_: Any, name: Any) -> pd.Series[str]:
    """Return the names that go with the ids, each of which is read once."""
    code, own = pd.factorize(np.asarray(ids, dtype=np.int64))
    names: dict[int, str] = {}
    for some in in_batches(own.tolist()):
        names |= dict(session.exec(select(id_, name).where(col(id_).in_(some))).all())
    known = pd.Series([names[one] for one in own.tolist()], dtype=str)
    return known.take(code).reset_index(drop=True)


@contextmanager
def _uncollected() -> Iterator[None]:
    """Keep the garbage collector away from rows that come in by the hundred thousand.

    It would look through all of them again and again and find nothing, which takes as long as to
    read them.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _parsed(values: Sequence[Any]) -> list[Any]:
    """Return JSON as lists and mappings, which PostgreSQL hands over as such already."""
    if not any(values):  # of half a million blanks none is looked at by itself
        return list(values)
    return [json.loads(value) if isinstance(value, str) else value for value in values]


def _spread(session: Session, questions: Sequence[int], vectors: list[Any]) -> list[Any]:
    """Return the vectors over the options as they are now; null where one was not there yet.

    Options are only ever added, so the length of a vector tells which wording it belongs to.
    """
    if not any(vectors):
        return vectors
    lists: dict[int, dict[int, Sequence[str]]] = {}
    for question, options in session.exec(
        select(QuestionRevision.question_id, QuestionRevision.options)
        .where(col(QuestionRevision.options).is_not(None))
        .order_by(col(QuestionRevision.number))
    ):
        lists.setdefault(question, {})[len(options or [])] = options or []
    spread: list[Any] = []
    for question, vector in zip(questions, vectors, strict=True):
        known = lists.get(question, {})
        if vector is None or len(vector) == max(known, default=0) or len(vector) not in known:
            spread.append(vector)
            continue
        given = dict(zip(known[len(vector)], vector, strict=True))
        spread.append([given.get(option) for option in known[max(known)]])
    return spread


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
