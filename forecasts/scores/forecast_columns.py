"""Reading forecasts from the database as columns.

ADBC drivers were measured: they read half a million rows from SQLite 0.3 s sooner, but through a
connection of their own, which sees another moment than the session.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from sqlalchemy import Text, case, type_coerce
from sqlmodel import Session, col, func, null, select, true

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
from forecasts.ledger.urls import is_embedded
from forecasts.questions.standing import in_batches
from forecasts.values.value import UNDATED, Value

BATCH = 1 << 15  # rows that become columns at a time
# Rows fetched at a time: few, so that none is alive when Python looks for garbage.
_FETCHED = 1 << 10
_WANTED = 10  # columns of a forecast
_TEXT, _TIME = pa.large_string(), pa.timestamp("us", "UTC")
_Rows = list[tuple[Any, ...]]


def columns(
    session: Session,
    only: Sequence[str] | None,
    *,
    which: Any = None,
    rationales: bool,
    cited: bool,
    models: bool = False,
) -> dict[str, Any]:
    """Return the columns of ``frames.FORECAST_COLUMNS``, on all questions or those with the slugs.

    ``which``: an SQL condition on the forecasts. Ordered by question, forecaster, time
    and id. The rationale is blank without ``rationales``, the evidence without ``cited``. With
    ``models`` also those of ``frames.MODEL_COLUMNS``, and ``imported`` (see ``frames.Frames``).
    """
    which = true() if which is None else which
    parts = list(_read(session, only, which, rationales=rationales, cited=cited, models=models))
    if not parts:
        parts = [_columns(session, [[]] * _WANTED, {}, {}, {} if models else None)]
    return {name: _joined([part[name] for part in parts]) for name in parts[0]}


def batches(session: Session, only: Sequence[str] | None = None) -> Iterator[dict[str, Any]]:
    """Yield the columns of ``frames.FORECAST_COLUMNS``, ``BATCH`` rows at a time.

    The database keeps the rest, so that a ledger of any size needs little memory. Arrow arrays; the
    values of JSON columns are in lists, parsed, with None for blank.
    """
    yield from _read(session, only, true(), rationales=True, cited=True, models=False)


def _read(
    session: Session,
    only: Sequence[str] | None,
    which: Any,
    *,
    rationales: bool,
    cited: bool,
    models: bool,
) -> Iterator[dict[str, Any]]:
    forecast = Forecast.__table__.c  # type: ignore[attr-defined]
    # All rows are sorted by the database: in the order of the index of paths, which the sum keeps
    # it from using, each row is at another place of the file, and that takes twice as long.
    question = forecast.question_id + 0 if only is None else forecast.question_id
    path = (question, forecast.member_id, forecast.made_at, forecast.id)
    wanted: tuple[Any, ...] = (
        *(forecast.id, forecast.question_id, forecast.member_id),
        # As text: converting half a million values one at a time takes seconds.
        type_coerce(forecast.made_at, Text),
        forecast.probability,
        # A forecast has one of them: a list of probabilities or a mapping of quantiles.
        type_coerce(func.coalesce(forecast.probabilities, forecast.quantiles), Text),
        forecast.rationale if rationales else null(),
        case((forecast.origin.like("%:%"), forecast.origin)),
        forecast.claimed_at.is_not(None) | forecast.origin.like(f"{UNDATED}%"),
        forecast.vouched_by_id if models else null(),
    )
    handles: dict[int, str] = {}
    for limit in _limits(session, only):

        def rows(statement: Any, *order: Any, limit: Any = limit) -> Iterator[_Rows]:
            some = statement.where(forecast_visible(session), limit, which).order_by(*path, *order)
            return _rows(session, some)

        evidence = _Beside(rows(_CITATIONS, Citation.id) if cited else ())
        used = _Beside(rows(_MODELS) if models else ())
        for found in _in_columns(rows(select(*wanted))):
            ids = found[0]
            of_rows = evidence.of(ids), used.of(ids) if models else None
            yield _columns(session, found, handles, *of_rows)


def _limits(session: Session, only: Sequence[str] | None) -> list[Any]:
    """Return conditions on forecasts, one for each statement, whose rows follow in order."""
    if only is None:
        return [true()]
    of = [select(Question.id).where(col(Question.slug).in_(some)) for some in in_batches(only)]
    if len(of) == 1:
        return [col(Forecast.question_id).in_(of[0])]
    ids = sorted(id_ for some in of for id_ in session.exec(some))
    return [col(Forecast.question_id).in_(some) for some in in_batches(ids)]


def _rows(session: Session, statement: Any) -> Iterator[_Rows]:
    """Yield the rows of a statement, ``_FETCHED`` at a time, by a cursor of the database."""
    connection = session.connection()
    # SQLite reads a file as rows are fetched, without being asked to.
    options = {"stream_results": not is_embedded(connection)}
    with connection.execute(statement, execution_options=options) as result:
        while found := result.fetchmany(min(_FETCHED, BATCH)):
            yield [tuple(row) for row in found]


def _in_columns(rows: Iterable[_Rows]) -> Iterator[list[list[Any]]]:
    """Yield the values of ``BATCH`` rows, and of the rest, by column."""
    columns: list[list[Any]] = [[] for _ in range(_WANTED)]
    for some in rows:
        for column, values in zip(columns, zip(*some, strict=True), strict=True):
            column.extend(values)
        if len(columns[0]) >= BATCH:
            yield columns
            columns = [[] for _ in range(_WANTED)]
    if columns[0]:
        yield columns


class _Beside:
    """Rows that belong to some of the forecasts, in the order of the forecasts."""

    def __init__(self, rows: Iterable[_Rows]) -> None:
        self._rows = chain.from_iterable(rows)
        self._next = next(self._rows, None)

    def of(self, ids: Sequence[int]) -> dict[int, _Rows]:
        """Return the rows of the next forecasts, which have these ids, by id."""
        found: dict[int, _Rows] = {}
        own = set(ids) if self._next else ()
        while self._next and self._next[0] in own:
            found.setdefault(self._next[0], []).append(self._next[1:])
            self._next = next(self._rows, None)
        return found


_CITATIONS: Any = (
    select(Citation.forecast_id, Evidence.key, Citation.stance, Citation.share)
    .join(Evidence, col(Evidence.id) == col(Citation.evidence_id))
    .join(Forecast, col(Forecast.id) == col(Citation.forecast_id))
)
_MODELS: Any = select(ModelUse.forecast_id, ModelUse.name, ModelUse.version, ModelUse.cost).join(
    Forecast, col(Forecast.id) == col(ModelUse.forecast_id)
)


def _columns(
    session: Session,
    read: Sequence[list[Any]],
    handles: dict[int, str],
    evidence: Mapping[int, _Rows],
    models: Mapping[int, _Rows] | None,
) -> dict[str, Any]:
    ids, questions, members, times, p, several, rationales, origins, undated, vouched = read
    values = _parsed(several)
    made_at = pa.array(times)
    if not pa.types.is_timestamp(made_at.type):
        made_at = made_at.cast(pa.timestamp("us"))
    columns = {
        "question_id": _names_of(session, questions, Question.id, Question.slug, {}),
        "forecaster": _names_of(session, members, Member.id, Member.handle, handles),
        "made_at": made_at.cast(_TIME),
        "probability": pa.array(p, pa.float64()),
        "probabilities": _over_options(
            session, questions, [one if isinstance(one, list) else None for one in values]
        ),
        "quantiles": [one if isinstance(one, dict) else None for one in values],
        "rationale": pa.array(rationales, _TEXT),
        "evidence": [cited and _evidence(cited) for cited in map(evidence.get, ids)],
        "account": pa.array([one and one.partition(":")[2] for one in origins], _TEXT),
        "undated": pa.array(map(bool, undated), pa.bool_()),
    }
    if models is not None:
        used = [models[id_][0] if id_ in models else (None,) * 3 for id_ in ids]
        kinds = {"model": _TEXT, "version": _TEXT, "cost": pa.float64()}
        for at, (name, kind) in enumerate(kinds.items()):
            columns[name] = pa.array([one[at] for one in used], kind)
        columns["imported"] = pa.array([by is not None for by in vouched], pa.bool_())
    return columns


def _names_of(
    session: Session, ids: Sequence[int], id_: Any, name: Any, known: dict[int, str]
) -> pa.DictionaryArray:
    """Return the names that belong to the ids; each unknown one is read once."""
    code, own = pd.factorize(np.array(ids, dtype=np.int64))
    for some in in_batches([one for one in own.tolist() if one not in known]):
        known |= dict(session.exec(select(id_, name).where(col(id_).in_(some))).all())
    names = pa.array([known[one] for one in own.tolist()], _TEXT)
    return pa.DictionaryArray.from_arrays(code.astype(np.int32), names)


def _joined(parts: list[Any]) -> Any:
    """Return the parts of a column as one: a list, or a series with blank for no text."""
    if isinstance(parts[0], list):
        return parts[0] if len(parts) == 1 else list(chain.from_iterable(parts))
    texts = pa.types.is_dictionary(parts[0].type) or pa.types.is_large_string(parts[0].type)
    if texts:
        parts = [part.cast(pa.large_string()).fill_null("") for part in parts]
    return pa.chunked_array(parts).to_pandas()


def _parsed(values: Sequence[Any]) -> list[Any]:
    """Return JSON as lists and mappings; PostgreSQL returns them parsed."""
    return [json.loads(value) if isinstance(value, str) else value for value in values]


def _over_options(session: Session, questions: Sequence[int], vectors: list[Any]) -> list[Any]:
    """Return the vectors aligned with the questions' newest options, None for those added since."""
    own = dict.fromkeys(
        question for question, vector in zip(questions, vectors, strict=True) if vector
    )
    options: dict[int, Any] = {}
    for some in in_batches(list(own)):
        newest = select(QuestionRevision.question_id, QuestionRevision.options).where(
            is_newest_wording(), col(QuestionRevision.question_id).in_(some)
        )
        options |= dict(session.exec(newest).all())
    return [
        vector
        if vector is None or len(vector) >= len(options.get(question) or ())
        else list(Value(probabilities=tuple(vector)).over(options[question]).probabilities or ())
        for question, vector in zip(questions, vectors, strict=True)
    ]


def _evidence(cited: _Rows) -> list[dict[str, Any]]:
    """Return the evidence that a forecast cites as a ledger folder has it."""
    return [
        {"evidence_id": key, "stance": stance} | ({} if share is None else {"share": share})
        for key, stance, share in cited
    ]
