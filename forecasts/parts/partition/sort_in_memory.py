"""One part of a partition: its rows sorted, checked and written."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from forecasts.common.errors import LedgerError
from forecasts.ledger.models import QuestionText, QuestionType
from forecasts.parts.chunks import IDS, forecast_frame
from forecasts.parts.folder import PartFile, write_tables
from forecasts.parts.partition.spill import PLACE, Spill
from forecasts.parts.tables import schema_of, typed_table
from forecasts.values.outcomes import read_outcome
from scoring.errors import InputError
from scoring.input_frames import FORECAST_COLUMNS, QUESTION_COLUMNS, read_frames
from scoring.ordering import in_order


class Fault(NamedTuple):
    """A cell that breaks a rule, in a row of one of the sources."""

    source: int
    row: int
    column: str
    value: Any
    rule: str


class Places(Protocol):
    """Where the rows of a part came from."""

    def fault(self, row: int, column: str, value: Any, rule: str) -> Fault:
        """Return the fault of a cell in a row of the sorted part."""


class _InMemory:
    """The places of rows that were set aside in batches, and then sorted."""

    def __init__(self) -> None:
        self.batches: list[tuple[int, int, Any]] = []
        self.order: Any = None

    def fault(self, row: int, column: str, value: Any, rule: str) -> Fault:
        row = int(self.order[row])
        for source, base, places in self.batches:
            if row < len(places):
                return Fault(source, base + places[row].as_py(), column, value, rule)
            row -= len(places)
        raise IndexError(row)


def write_sorted(spill: Spill, folder: Path, part: int) -> tuple[dict[str, PartFile], list[Fault]]:
    """Return the files of a part, written from the rows that were set aside, or its faults."""
    questions, of_questions, faults = sorted_questions(spill, part)
    rows, of_forecasts = _rows(spill, "forecasts", part)
    spill.remove(part)
    forecasts = _sorted_forecasts(rows, of_forecasts)
    del rows
    add_faults(faults, questions, of_questions, forecasts, of_forecasts)
    return ({}, faults) if faults else (write_tables(folder, part, questions, forecasts), [])


def add_faults(
    faults: list[Fault],
    questions: pd.DataFrame,
    of_questions: Places,
    forecasts: Any,
    of_forecasts: Places,
) -> None:
    """Add the faults that the reader of ``scoring`` finds, and names that a ledger does not take.

    ``forecasts``: an Arrow table whose ids are dictionaries.
    """
    faults += _handle_faults(forecasts, of_forecasts)
    wanted = [name for name in FORECAST_COLUMNS if name in forecasts.column_names]
    try:
        read_frames(
            questions[[name for name in QUESTION_COLUMNS if name in questions]],
            forecast_frame(forecasts.select(wanted)),
        )
    except InputError as error:
        known = {fault[:3] for fault in faults}
        for each in error.problems:
            places = of_questions if each.frame == "questions" else of_forecasts
            fault = places.fault(each.row or 0, each.column, each.value, each.rule)
            faults += [fault] if fault[:3] not in known else []


def _rows(spill: Spill, table: str, part: int) -> tuple[Any, _InMemory]:
    """Return the rows of a part in the order of the input, and their places there."""
    places, tables = _InMemory(), []
    for rows, source, base in spill.read(table, part):
        places.batches.append((source, base, rows[PLACE]))
        rows = rows.drop_columns([PLACE]).replace_schema_metadata(None)
        tables.append(with_dictionaries(rows) if table == "forecasts" else rows)
    if not tables:
        return schema_of(table).empty_table(), places
    joined = pa.concat_tables(tables, promote_options="permissive")
    return joined.unify_dictionaries(), places


def with_dictionaries(rows: Any) -> Any:
    """Return forecasts whose ids are dictionaries."""
    for name in IDS:
        if not pa.types.is_dictionary(rows[name].type):
            place = rows.schema.get_field_index(name)
            rows = rows.set_column(place, name, rows[name].dictionary_encode())
    return rows


def _sorted_forecasts(rows: Any, places: _InMemory) -> Any:
    """Return forecasts in the order of a part; with a column of probabilities, even if blank."""
    if "probability" not in rows.column_names:
        rows = rows.append_column("probability", pa.nulls(len(rows), pa.float64()))
    if not len(rows):
        return rows
    columns = {name: rows[name].combine_chunks() for name in rows.column_names}
    ranks = {}
    for name in IDS:
        ranks[name], columns[name] = _ranked(columns[name])
    times = columns["made_at"].cast(pa.int64()).fill_null(0).to_numpy()
    code = ranks["question_id"].astype(np.int64)
    code *= len(columns["forecaster"].dictionary) + 1
    code += ranks["forecaster"]
    places.order, _ = in_order(code, times)
    del code, times, ranks
    order = pa.array(places.order)
    for name in list(columns):
        columns[name] = columns[name].take(order)
    return pa.table(columns)


def _ranked(ids: Any) -> tuple[Any, Any]:
    """Return the rank of each id among the sorted ids, 0 if null, and ids that refer to these."""
    sorted_ = pc.sort_indices(ids.dictionary)
    rank = np.zeros(len(sorted_) + 1, dtype=np.int32)
    rank[sorted_.to_numpy()] = np.arange(1, len(sorted_) + 1)
    ranks = rank[ids.indices.fill_null(len(sorted_)).to_numpy()]
    codes = pa.array(ranks - 1, mask=ranks == 0 if ids.null_count else None)
    return ranks, pa.DictionaryArray.from_arrays(codes, ids.dictionary.take(sorted_))


def _handle_faults(forecasts: Any, places: Places) -> list[Fault]:
    """Return a fault for each forecaster whose name a ledger does not take."""
    if not len(forecasts):
        return []
    handles = forecasts["forecaster"].combine_chunks()
    names = handles.dictionary.to_pylist()
    bad = [n for n, name in enumerate(names) if name != name.strip() or not name.isprintable()]
    rule = "printable, without white space before or after it"
    return [
        places.fault(pc.index(handles.indices, code).as_py(), "forecaster", names[code], rule)
        for code in bad
    ]


def sorted_questions(spill: Spill, part: int) -> tuple[pd.DataFrame, Places, list[Fault]]:
    """Return a part's questions in order, their places, and the outcomes that break a rule.

    Defaults are filled in, and outcomes are as a ledger has them.
    """
    rows, places = _rows(spill, "questions", part)
    ids = rows["question_id"].combine_chunks()
    places.order = pc.sort_indices(ids).to_numpy()
    frame = typed_table(rows.take(pa.array(places.order)), "questions")
    ids = frame["question_id"]
    faults: list[Fault] = []
    kinds = frame["type"] if "type" in frame else pd.Series("", index=ids.index, dtype=str)
    frame["type"] = kinds.where(kinds != "", "binary")
    titles = frame.get("title", ids)
    frame["title"] = titles.where(titles != "", ids)
    if "resolution" in frame:
        outcomes = frame["resolution"].tolist()
        options = frame["options"].tolist() if "options" in frame else [None] * len(frame)
        for row, kind in enumerate(frame["type"].tolist()):
            if not outcomes[row]:
                continue
            several = options[row] if kind == QuestionType.multiple_choice else None
            try:
                outcomes[row] = _outcome(outcomes[row], kind, tuple(several or ()))
            except LedgerError as error:
                rule = error.remedy
                faults.append(places.fault(row, "resolution", outcomes[row], rule))
            except (TypeError, ValueError):
                continue  # its type or options are refused by the reader of ``scoring``
        frame["resolution"] = pd.Series(outcomes, dtype=str)
    return frame, places, faults


@lru_cache(maxsize=10_000)
def _outcome(text: str, kind: str, options: tuple[str, ...]) -> str:
    outline = QuestionText.model_construct(title="", type=QuestionType(kind), options=list(options))
    return read_outcome(text, outline)
