"""Reading forecasts from the database as columns: hundreds of thousands in a second.

ADBC drivers were measured: they read half a million rows from SQLite 0.3 s sooner, but through a
connection of their own, which sees another moment than the session.
"""

from __future__ import annotations

import gc
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
from sqlalchemy import Text, type_coerce
from sqlmodel import Session, col, func, select, true

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
from forecasts.scores import forecast_lines
from forecasts.scores.forecast_lines import Lines
from forecasts.values.value import Value
from scoring.ordering import in_order

# Rows that are read at a time where the whole is not kept.
BATCH = 1 << 15
_TIME = pa.timestamp("us", "UTC")
_OF_LINES = ("id", "question", "member", "made_at", "probability")
Ids = npt.NDArray[np.int64]


def columns(
    session: Session,
    only: Sequence[str] | None,
    *,
    rationales: bool,
    cited: bool,
    models: bool = False,
    lines: Callable[[], Lines] | None = None,
) -> dict[str, Any]:
    """Return the columns of ``frames.FORECAST_COLUMNS``, on all questions or those with the slugs.

    Ordered by question, forecaster, time and id. The rationale is blank without ``rationales``, the
    evidence without ``cited``. With ``models`` also those of ``frames.MODEL_COLUMNS``. ``lines``:
    the forecasts on all questions, without rationales, if ``forecast_lines.read_ahead`` reads them.
    """
    every = None if lines is None else lines()
    if lines is None and only is None and not rationales:
        with forecast_lines.read_ahead(session) as read_now:
            every = read_now and read_now()
    wanted = {"rationales": rationales, "cited": cited, "models": models}
    read = _read(session, only, None, **wanted, lines=every)
    parts = list(read) or [_nothing(models=models)]
    return {name: _joined([part.pop(name) for part in parts]) for name in list(parts[0])}


def batches(session: Session, only: Sequence[str] | None = None) -> Iterator[dict[str, Any]]:
    """Yield the columns of ``frames.FORECAST_COLUMNS``, ``BATCH`` rows at a time.

    The database keeps the rest, so that a ledger of any size needs little memory. Arrow arrays; the
    values of JSON columns are in lists, parsed, with None for blank.
    """
    yield from _read(session, only, BATCH, rationales=True, cited=True, models=False)


def _read(
    session: Session,
    only: Sequence[str] | None,
    size: int | None,
    *,
    rationales: bool,
    cited: bool,
    models: bool,
    lines: Lines | None = None,
) -> Iterator[dict[str, Any]]:
    """Yield the columns, ``size`` rows at a time; without one, all rows of a statement at once.

    ``lines``: all forecasts, if they are read already.
    """
    forecast = Forecast.__table__.c  # type: ignore[attr-defined]
    path: tuple[Any, ...] = (forecast.member_id, forecast.made_at, forecast.id)
    # In the order of the index of paths, each row is at another place of the file. Sorting all rows
    # takes half the time: in memory if all are kept, else in the database, where a sum prevents
    # the use of the index.
    unsorted = only is None and size is None
    if unsorted:
        path = (forecast.id,)
    else:
        path = (forecast.question_id + 0 if only is None else forecast.question_id, *path)
    wanted = {
        "id": forecast.id,
        "question": forecast.question_id,
        "member": forecast.member_id,
        # As text: converting half a million values one at a time takes seconds.
        "made_at": type_coerce(forecast.made_at, Text),
        "probability": forecast.probability,
        # A forecast has one of them: a list of probabilities or a mapping of quantiles.
        "several": type_coerce(func.coalesce(forecast.probabilities, forecast.quantiles), Text),
    }
    if rationales:
        wanted["rationale"] = forecast.rationale
    handles: dict[int, str] = {}

    for limit in _limits(session, only):

        def rows(statement: Any, *order: Any, limit: Any = limit) -> Iterator[list[Any]]:
            some = statement.where(forecast_visible(session), limit).order_by(*path, *order)
            return _rows(session, some, size)

        evidence = _Beside(rows(_CITATIONS, Citation.id) if cited else ())
        used = _Beside(rows(_MODELS) if models else ())
        every = rows(select(*wanted.values())) if lines is None else [lines] if lines.table else []
        for found in every:
            with _garbage_collection_paused():
                read: dict[str, Any]
                if isinstance(found, Lines):
                    read = _of_lines(found)
                else:
                    read = dict(zip(wanted, zip(*found, strict=True), strict=True))
                del found  # while garbage collection is paused
                for ids in ("question", "member"):
                    read[ids] = np.asarray(read[ids], dtype=np.int64)
                columns = _columns(session, read, handles, evidence.of(read["id"]))
                if models:
                    columns |= _behind(used.of(read["id"]), read["id"])
                if unsorted and lines is None:
                    columns = _in_order(columns, read["question"], read["member"])
            yield columns


def _of_lines(lines: Lines) -> dict[str, Any]:
    """Return the columns that ``_read`` reads of these forecasts."""
    read: dict[str, Any] = {name: lines.table[name].combine_chunks() for name in _OF_LINES}
    read["id"] = read["id"].to_numpy().tolist()
    read["several"] = [lines.several.get(id_) for id_ in read["id"]] if lines.several else []
    return read


def _in_order(columns: dict[str, Any], questions: Ids, members: Ids) -> dict[str, Any]:
    """Return rows in the order made as those of ``columns``."""
    time = columns["made_at"].cast(pa.int64()).to_numpy()
    question, member, later = (np.diff(of) for of in (questions, members, time))
    same = (question == 0) & ((member > 0) | ((member == 0) & (later >= 0)))
    if ((question > 0) | same).all():
        return columns
    order, _ = in_order(questions * (members.max() + 1) + members, time)
    places = order.tolist()

    def placed(values: Any) -> Any:
        if not isinstance(values, list):
            return values.take(pa.array(order))
        return [values[place] for place in places] if any(values) else values

    return {name: placed(values) for name, values in columns.items()}


def _limits(session: Session, only: Sequence[str] | None) -> list[Any]:
    """Return conditions on forecasts, one for each statement, whose rows follow in order."""
    if only is None:
        return [true()]
    of = [select(Question.id).where(col(Question.slug).in_(some)) for some in in_batches(only)]
    if len(of) == 1:
        return [col(Forecast.question_id).in_(of[0])]
    ids = sorted(id_ for some in of for id_ in session.exec(some))
    return [col(Forecast.question_id).in_(some) for some in in_batches(ids)]


def _rows(session: Session, statement: Any, size: int | None) -> Iterator[list[tuple[Any, ...]]]:
    """Yield rows as the driver has them, ``size`` at a time by a cursor of the database, or all."""
    connection = session.connection()
    # SQLite reads a file as rows are fetched, without being asked to.
    options = {"stream_results": size is not None and not is_embedded(connection)}
    with connection.execute(statement, execution_options=options) as result:
        while result.cursor is not None:  # it is closed after the last row
            with _garbage_collection_paused():
                # Not the cursor's own method: the first row of a stream is no longer in it.
                fetched = result.cursor_strategy
                found = (
                    fetched.fetchall(result, result.cursor)
                    if size is None
                    else fetched.fetchmany(result, result.cursor, size)
                )
            if found:
                yield found


class _Beside:
    """Rows that belong to some of the forecasts, in the order of the forecasts."""

    def __init__(self, rows: Iterable[list[tuple[Any, ...]]]) -> None:
        self._rows = chain.from_iterable(rows)
        self._next = next(self._rows, None)

    def of(self, ids: Sequence[int]) -> dict[int, list[tuple[Any, ...]]]:
        """Return the rows of the next forecasts, which have these ids, by id."""
        found: dict[int, list[tuple[Any, ...]]] = {}
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
    read: dict[str, Any],
    handles: dict[int, str],
    evidence: dict[int, list[tuple[Any, ...]]],
) -> dict[str, Any]:
    many = len(read["id"])
    blank: list[Any] = [None] * many
    probabilities, quantiles = blank, blank
    if any(several := read["several"]):
        values = _parsed(several)
        lists = [value if isinstance(value, list) else None for value in values]
        probabilities = _over_options(session, read["question"].tolist(), lists)
        quantiles = [value if isinstance(value, dict) else None for value in values]
    made_at = _array(read["made_at"])
    if not pa.types.is_timestamp(made_at.type):
        made_at = made_at.cast(pa.timestamp("us"))
    return {
        "question_id": _names_of(session, read["question"], Question.id, Question.slug, {}),
        "forecaster": _names_of(session, read["member"], Member.id, Member.handle, handles),
        "made_at": made_at.cast(_TIME),
        "probability": _array(read["probability"], pa.float64()),
        "probabilities": probabilities,
        "quantiles": quantiles,
        "rationale": pa.array(read["rationale"], pa.large_string())
        if "rationale" in read
        else pa.nulls(many, pa.large_string()),
        "evidence": [cited and _evidence(cited) for cited in map(evidence.get, read["id"])]
        if evidence
        else blank,
    }


def _array(values: Any, type_: Any = None) -> Any:
    return values if isinstance(values, pa.Array) else pa.array(values, type_)


def _names_of(
    session: Session, ids: Ids, id_: Any, name: Any, known: dict[int, str]
) -> pa.DictionaryArray:
    """Return the names that belong to the ids; each unknown one is read once."""
    code, own = pd.factorize(ids)
    for some in in_batches([one for one in own.tolist() if one not in known]):
        known |= dict(session.exec(select(id_, name).where(col(id_).in_(some))).all())
    names = pa.array([known[one] for one in own.tolist()], pa.large_string())
    return pa.DictionaryArray.from_arrays(code.astype(np.int32), names)


def _behind(used: dict[int, list[tuple[Any, ...]]], ids: Sequence[int]) -> dict[str, Any]:
    """Return the columns of models; quickly where no forecast has one, as in most ledgers."""
    text = pa.large_string()
    if not used:
        blank = pa.nulls(len(ids), text)
        return {"model": blank, "version": blank, "cost": pa.nulls(len(ids), pa.float64())}
    name, version, cost = zip(*(used.get(id_, _NO_MODEL)[0] for id_ in ids), strict=True)
    return {
        "model": pa.array(name, text),
        "version": pa.array(version, text),
        "cost": pa.array(cost, pa.float64()),
    }


_NO_MODEL: list[tuple[Any, ...]] = [(None,) * 3]


def _nothing(*, models: bool) -> dict[str, Any]:
    """Return the columns of no forecasts."""
    texts, numbers = pa.nulls(0, pa.large_string()), pa.nulls(0, pa.float64())
    columns = {
        **dict.fromkeys(("question_id", "forecaster", "rationale"), texts),
        "made_at": pa.nulls(0, _TIME),
        "probability": numbers,
        **{name: [] for name in ("probabilities", "quantiles", "evidence")},
    }
    return columns | ({"model": texts, "version": texts, "cost": numbers} if models else {})


def _joined(parts: list[Any]) -> Any:
    """Return the parts of a column as one: a list, or a series with blank for no text."""
    if isinstance(parts[0], list):
        return parts[0] if len(parts) == 1 else list(chain.from_iterable(parts))
    texts = pa.types.is_dictionary(parts[0].type) or pa.types.is_large_string(parts[0].type)
    if texts:
        parts = [part.cast(pa.large_string()).fill_null("") for part in parts]
    return pa.chunked_array(parts).to_pandas()


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


def _evidence(cited: list[tuple[Any, ...]]) -> list[dict[str, Any]]:
    """Return the evidence that a forecast cites as a ledger folder has it."""
    return [
        {"evidence_id": key, "stance": stance} | ({} if share is None else {"share": share})
        for key, stance, share in cited
    ]
