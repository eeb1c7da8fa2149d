"""forecast_data.csv of a Metaculus export: forecasts, and where they end, as the ledger's.

It is read by columns: a file can have millions of rows. A forecast's "End Time" is the start of the
next one, or a withdrawal where nothing follows; it can lie ahead, for a forecast that is to expire.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from forecasts.common.memory import release_memory
from forecasts.common.vocabulary import QuestionType
from forecasts.folder.blocks import csv_header
from forecasts.folder.frames import TIME_DTYPE
from forecasts.folder.tables import Table, read_table
from forecasts.platforms.metaculus_questions import Asked, own_id
from forecasts.platforms.python_literals import NumberLists, number_lists
from forecasts.platforms.record import nothing
from forecasts.values.distributions import first_faults, quantiles
from forecasts.values.value import SUM_TOLERANCE
from scoring.arrays import Floats

KINDS = {
    "Question ID": "text",
    "Forecaster ID": "text",
    "Forecaster Username": "text",
    "Forecaster (Anonymized)": "text",
    "Is Bot": "text",
    "Start Time": "time",
    "End Time": "time",
    "Probability Yes": "number",
    "Probability Yes Per Category": "text",
    "Continuous CDF": "text",
}
_P, _VECTOR, _CDF = "Probability Yes", "Probability Yes Per Category", "Continuous CDF"
_LAST = "PDF at Resolution"
_ROUNDED = 0.01  # how far from 1 the platform lets probabilities sum
Rows = npt.NDArray[np.intp]
UNKNOWN, DROPPED = -1, -2  # the question of a row: not in the file, or left out


@dataclass(frozen=True)
class Part:
    """The rows of the file to read.

    ``of_question``: the place of each row's question in ``questions``, UNKNOWN or DROPPED.
    ``who``: the place of each row's forecaster in ``handles``, below 0 for a row to skip.
    ``until``: the time of the export or import, None if it is unknown; a forecast that ends
    later has not ended.
    """

    table: Table
    questions: Sequence[Asked]
    of_question: Rows
    who: Rows
    handles: Sequence[str]
    until: datetime | None


@dataclass
class Forecasts:
    """The forecasts by columns, and the row of the file that each is from.

    ``scaled``: the number of vectors that were divided by their sum. ``empty``: the rows without a
    value. ``ahead``: the number of forecasts whose end lies ahead.
    """

    columns: dict[str, Any]
    rows: Rows
    empty: list[int]
    scaled: int
    ahead: int


class _Values:
    """The values of all rows: a probability, a vector or quantiles, and which rows have one."""

    def __init__(self, count: int) -> None:
        self.stated = np.zeros(count, dtype=bool)
        self.probability = np.full(count, np.nan)
        self.vectors: dict[int, list[float | None]] = {}
        self.quantiles: dict[int, dict[str, float | str]] = {}
        self.scaled = 0


def read_rows(path: Path) -> Table:
    """Return the file as a table.

    The platform writes one cell too few in the rows of unresolved questions, at their end. Those
    rows are read as if it were blank.
    """
    wide = len(header := csv_header(path))
    if header[-1] != _LAST or not any(cells == wide - 1 for _, cells in _lines(path)):
        return read_table(path, KINDS)
    with tempfile.TemporaryDirectory(prefix="platform-export-") as aside:
        whole = Path(aside) / path.name
        with whole.open("wb") as file:
            for line, cells in _lines(path):
                file.write(line.rstrip(b"\r\n") + b",\n" if cells == wide - 1 else line)
        table = read_table(whole, KINDS)
    table.path = path  # it has the same lines
    return table


def _lines(path: Path) -> Iterator[tuple[bytes, int]]:
    """Yield the rows as they are in the file, each with its number of cells."""
    with path.open("rb") as file:
        for line in file:
            if b'"' not in line:
                yield line, 1 + line.count(b",")
                continue
            while line.count(b'"') % 2 and (more := file.readline()):
                line += more
            outside = line.split(b'"')[::2]
            yield line, 1 + sum(part.count(b",") for part in outside)


def placed(frame: pd.DataFrame, asked: Mapping[str, Asked | None]) -> tuple[list[Asked], Rows]:
    """Return the questions with forecasts and, of each row, the place of its question there."""
    codes, distinct = pd.factorize(frame["Question ID"])
    questions: list[Asked] = []
    places = np.full(len(distinct), UNKNOWN, dtype=np.intp)
    for code, given in enumerate(distinct.tolist()):
        if (own := own_id(given)) not in asked:
            continue
        question = asked[own]
        places[code] = DROPPED if question is None else len(questions)
        if question is not None:
            questions.append(question)
    return questions, places[codes]


def read_forecasts(part: Part) -> Forecasts:
    """Return the forecasts in order of question, forecaster and time; bad cells are noted.

    Afterwards the table has no rows: the forecasts need the memory.
    """
    table, frame = part.table, part.table.frame
    rows = np.flatnonzero((part.of_question >= 0) & (part.who >= 0))
    for row in rows[frame["Start Time"].isna().to_numpy()[rows]].tolist():
        if row not in table.noted["Start Time"]:
            table.wrong(row, "Start Time", "", "required")
    start, end = _micros(frame["Start Time"]), _micros(frame["End Time"])
    for row in rows[(end[rows] != _NEVER) & (end[rows] < start[rows])].tolist():
        table.wrong(row, "End Time", frame["End Time"].iloc[row], "not before Start Time")
    values = _Values(len(frame))
    for reader, kinds in (
        (_read_binary, [QuestionType.binary]),
        (_read_vectors, [QuestionType.multiple_choice]),
        (_read_cdfs, [QuestionType.numeric, QuestionType.date]),
    ):
        fits = np.array([one.kind in kinds for one in part.questions], dtype=bool)
        reader(part, rows[fits[part.of_question[rows]]], values)
    noted = np.zeros(len(frame), dtype=bool)
    table.frame = frame = pd.DataFrame()
    release_memory()
    for column in (_P, _VECTOR, _CDF, "Start Time", "End Time"):
        noted[list(table.noted[column])] = True
    empty = rows[~values.stated[rows] & ~noted[rows]].tolist()
    rows = rows[values.stated[rows] & ~noted[rows]]
    rows = rows[np.lexsort((start[rows], part.who[rows], part.of_question[rows]))]
    ends, ahead = _ends(part, rows, start, end)
    # A withdrawal comes right after its forecast.
    both = np.repeat(rows, 1 + ends)
    gone = np.zeros(len(both), dtype=bool)
    gone[np.flatnonzero(ends) + np.cumsum(ends)[ends]] = True
    made_at = np.where(gone, end[both], start[both])
    columns = {
        "question_id": _named([one.id for one in part.questions], part.of_question[both]),
        "forecaster": _named(part.handles, part.who[both]),
        "made_at": pd.Series(made_at.view("datetime64[us]")).dt.tz_localize("UTC"),
        "probability": np.where(gone, np.nan, values.probability[both]),
        "probabilities": _objects(values.vectors, both, gone),
        "quantiles": _objects(values.quantiles, both, gone),
    }
    return Forecasts(columns, both, empty, values.scaled, ahead)


def _ends(
    part: Part, rows: Rows, start: npt.NDArray[np.int64], end: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.bool_], int]:
    """Return which of the ordered rows end and have no successor by then, and how many will."""
    question, who = part.of_question[rows], part.who[rows]
    last = np.iinfo(np.int64).max
    following = np.full(len(rows), last)
    same = (question[1:] == question[:-1]) & (who[1:] == who[:-1])
    following[:-1][same] = start[rows[1:]][same]
    ends = (end[rows] != _NEVER) & (following > end[rows])
    until = last if part.until is None else _micros(pd.Series([part.until], dtype=TIME_DTYPE))[0]
    return ends & (end[rows] <= until), int((ends & (end[rows] > until)).sum())


def _read_binary(part: Part, rows: Rows, values: _Values) -> None:
    """Read probabilities; some crowds are written as a pair, of no and yes."""
    table = part.table
    column = table.frame[_P]
    p = column.to_numpy()[rows]
    for row in rows[(p < 0) | (p > 1)].tolist():
        table.wrong(row, _P, column.iloc[row], "a probability from 0 to 1")
    values.probability[rows] = p + 0.0  # -0.0 is 0.0
    pairs = rows[np.isnan(p)]
    cells = table.frame[_VECTOR].iloc[pairs]
    lists = number_lists(table, _VECTOR, cells[cells != ""])
    for row, pair in zip(lists.rows.tolist(), lists.each(), strict=True):
        if len(pair) != 2 or not 0 <= pair[1] <= 1:
            table.wrong(row, _VECTOR, cells.loc[row], "the probabilities of no and yes")
        values.probability[row] = pair[-1]
    values.stated[rows] = ~np.isnan(values.probability[rows])


def _read_vectors(part: Part, rows: Rows, values: _Values) -> None:
    """Read the probabilities of options; None for an option that there was not at the time."""
    table = part.table
    cells = table.frame[_VECTOR].iloc[rows]
    lists = number_lists(table, _VECTOR, cells[cells != ""])
    if not len(lists.rows):
        return
    numbers = lists.numbers
    bad = np.add.reduceat((numbers < 0) | (numbers > 1), lists.starts) > 0
    sums = np.add.reduceat(np.nan_to_num(numbers), lists.starts)
    scaled = ~bad & (np.abs(sums - 1) > SUM_TOLERANCE / 2) & (np.abs(sums - 1) <= _ROUNDED)
    bad |= np.abs(sums - 1) > _ROUNDED
    numbers = numbers / np.where(scaled, sums, 1.0).repeat(lists.lengths)
    values.scaled = int(scaled.sum())
    listed = numbers.astype(object)
    listed[np.isnan(numbers)] = None
    entries: list[float | None] = listed.tolist()
    ends = lists.starts + lists.lengths
    starts = table.frame["Start Time"]
    for row, first, end, wrong in zip(
        lists.rows.tolist(), lists.starts.tolist(), ends.tolist(), bad.tolist(), strict=True
    ):
        asked, vector = part.questions[part.of_question[row]], entries[first:end]
        if not wrong and len(vector) != len(asked.options):
            vector = _aligned(vector, asked, starts.iloc[row])
        if wrong or (asked.options and not vector):
            count = len(asked.options)
            rule = f"{count} probabilities that sum to 1, None for options added later"
            table.wrong(row, _VECTOR, cells.loc[row], rule)
            continue
        values.vectors[row] = vector
        values.stated[row] = True


def _aligned(vector: list[float | None], asked: Asked, at: pd.Timestamp) -> list[float | None]:
    """Return a vector over the options of its time as one over all; empty if it fits no list."""
    lists = [options for since, options in asked.history if since <= at]
    if not lists or len(lists[-1]) != len(vector):
        return []
    known = dict(zip(lists[-1], vector, strict=True))
    return [known.get(option) for option in asked.options]


def _read_cdfs(part: Part, rows: Rows, values: _Values) -> None:
    """Read CDFs as quantiles, those of one question and length together."""
    table, column = part.table, part.table.frame[_CDF]
    cells = column.iloc[rows]
    lists = number_lists(table, _CDF, cells[cells != ""])
    if not len(lists.rows):
        return
    of = part.of_question[lists.rows]
    order = np.lexsort((lists.lengths, of))
    changes = np.flatnonzero(np.diff(of[order]) | np.diff(lists.lengths[order])) + 1
    for some in np.split(order, changes):
        asked, count = part.questions[of[some[0]]], int(lists.lengths[some[0]])
        if asked.scale is None:
            continue
        cdfs = _stacked(lists, some)
        faults = first_faults(cdfs) if count >= 3 else np.zeros(len(cdfs), dtype=np.intp)
        for row in lists.rows[some[faults >= 0]].tolist():
            rule = "at least three numbers that rise from 0 to 1 at most"
            table.wrong(row, _CDF, column.iloc[row], rule)
        sound = some[faults < 0]
        made = quantiles(cdfs[faults < 0], asked.scale.at(count), asked.kind)
        values.quantiles.update(zip(lists.rows[sound].tolist(), made, strict=True))
        values.stated[lists.rows[sound]] = True


def _stacked(lists: NumberLists, some: Rows) -> Floats:
    """Return lists of one length as rows."""
    count = int(lists.lengths[some[0]])
    found: Floats = lists.numbers[lists.starts[some][:, np.newaxis] + np.arange(count)]
    return found


def _objects(made: Mapping[int, Any], rows: Rows, gone: npt.NDArray[np.bool_]) -> Any:
    """Return the values of these rows, None for those that have none or are withdrawals."""
    if not made:
        return nothing(len(rows))
    found = np.full(len(rows), None, dtype=object)
    places = np.flatnonzero(~gone & np.isin(rows, np.fromiter(made, dtype=np.intp)))
    found[places] = [made[row] for row in rows[places].tolist()]
    return found


def _named(names: Sequence[str], places: Rows) -> pd.Categorical:
    """Return the names at these places, each kept once in memory."""
    codes, distinct = pd.factorize(np.array(names, dtype=object))
    return pd.Categorical.from_codes(codes[places], pd.Index(distinct, dtype=str))


_NEVER = np.iinfo(np.int64).min


def _micros(times: pd.Series[Any]) -> npt.NDArray[np.int64]:
    """Return times in microseconds since 1970; ``_NEVER`` for a blank."""
    micros: npt.NDArray[np.int64] = (
        times.dt.tz_localize(None).to_numpy("datetime64[us]").view(np.int64)
    )
    return micros
