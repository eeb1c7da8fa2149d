"""The two input frames, validated and converted to arrays.

Ids may be texts, integers or categoricals; times are aware datetimes of any unit or ISO 8601 texts
with an offset; lists may be JSON. Invalid values are refused before anything is computed, and all
of them are reported together. The columns are those of the ledger folder; columns that are not
needed may be left out.

A forecast fills the one value column that its question's type requires: a probability, a vector of
probabilities, or quantiles. With all three empty it is a withdrawal, which is NaN here. Quantiles
are read as a piecewise-linear distribution, from the question's lower bound through the stated
quantiles to its upper bound; the probability outside the bounds is stated as mass, `below` and
`above`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import chain, pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from scoring import input_columns
from scoring.arrays import Codes, Flags, Floats, Ints
from scoring.errors import Problems
from scoring.input_columns import NUMBERS, Table, has_type, is_blank, parse_json, quantities
from scoring.rules import SUM_TOLERANCE

Rows = slice | npt.NDArray[np.intp]
Kinds = npt.NDArray[np.int8]

QUESTION_COLUMNS = (
    "question_id", "type", "options", "ordered", "lower_bound", "upper_bound", "open_time",
    "scheduled_close_time", "actual_close_time", "spot_time", "resolution",
)  # fmt: skip
VALUE_COLUMNS = ("probability", "probabilities", "quantiles")
FORECAST_COLUMNS = ("question_id", "forecaster", "made_at", *VALUE_COLUMNS)
TYPES = ("binary", "multiple_choice", "numeric", "date")
BINARY, MULTIPLE_CHOICE, NUMERIC, DATE = range(4)
NO_SCORES = ("annulled", "ambiguous")
# Outcomes of numeric and date questions known only to lie outside the bounds.
OUTSIDE = {"below_lower_bound": -np.inf, "above_upper_bound": np.inf}
OUT_OF_RANGE = "a probability must be finite and lie within 0..1"
NOT_A_NUMBER = "must be a finite number"
NOT_A_DATE = "must be a date, or a time with an offset"
# Few enough rows for a processor's caches, and enough that threads seldom wait for each other.
BATCH_ROWS = 1 << 18


@dataclass(frozen=True)
class Questions:
    """Questions, sorted by id. Times are integer microseconds since 1970 in UTC.

    ``outcome`` is NaN if there is nothing to score: the question is open, annulled or ambiguous, or
    it closed before it opened. Otherwise it is 0..1 for binary questions, the index of the option
    for multiple choice, and the outcome itself for numeric ones (dates in seconds since 1970).
    ``options`` is the number of options of a multiple-choice question.
    """

    ids: pd.Index
    kind: Kinds
    options: Codes
    ordered: Flags
    lower: Floats
    upper: Floats
    open_us: Ints
    scheduled_us: Ints
    close_us: Ints
    spot_us: Ints
    outcome: Floats

    def __len__(self) -> int:
        return len(self.ids)


@dataclass(frozen=True)
class Block:
    """The forecasts on all questions of the same shape, in the order of the input.

    ``question`` and ``forecaster`` are positions among the sorted ids, ``row`` the rows of the
    input frame (None: all of them). ``p`` holds the forecasts in the shape that `scoring.rules`
    takes: of one dimension for binary questions, two for multiple choice, three for numbers and
    dates; NaN for a withdrawal.
    """

    ordered: bool
    question: Codes
    forecaster: Codes
    time_us: Ints
    p: Floats
    row: npt.NDArray[np.intp] | None

    def __len__(self) -> int:
        return len(self.question)

    def batches(self) -> Iterator[Rows]:
        """Yield the rows in batches of whole questions, of about `BATCH_ROWS` each.

        Sorting and scoring batch by batch passes over the memory only twice, and needs little
        memory beyond the input.
        """
        if len(self) <= BATCH_ROWS or (self.question[1:] >= self.question[:-1]).all():
            near = self.question[BATCH_ROWS::BATCH_ROWS]
            cuts = np.unique(np.searchsorted(self.question, near)).tolist()
            for start, end in pairwise(dict.fromkeys([0, *cuts, len(self)])):
                yield slice(start, end)
            return
        counts = np.bincount(self.question)
        until = np.cumsum(counts)
        size = max(BATCH_ROWS, len(self) // 60_000)
        batch = ((until - counts) // size).astype(np.uint16)
        ends = np.unique(np.cumsum(np.bincount(batch, counts).astype(np.int64)))
        # Sixteen-bit integers are sorted by counting, which is stable.
        order = np.argsort(batch[self.question], kind="stable")
        for start, end in pairwise([0, *ends[ends > 0].tolist()]):
            yield order[start:end]

    def part(self, rows: Rows) -> Block:
        """Return a block of some of the rows."""
        if isinstance(rows, slice) and (rows.start, rows.stop) == (0, len(self)):
            return self
        places = np.arange(rows.start, rows.stop) if isinstance(rows, slice) else rows
        return replace(
            self,
            question=_taken(self.question, rows),
            forecaster=_taken(self.forecaster, rows),
            time_us=_taken(self.time_us, rows),
            p=_taken(self.p, rows),
            row=places if self.row is None else _taken(self.row, rows),
        )


def _taken(column: npt.NDArray[Any], rows: Rows) -> npt.NDArray[Any]:
    # take, unlike indexing, releases the interpreter lock.
    return column[rows] if isinstance(rows, slice) else column.take(rows, axis=0)


@dataclass(frozen=True)
class Ledger:
    """Both frames as arrays: questions, the sorted ids of forecasters, and one block per shape."""

    questions: Questions
    forecasters: pd.Index
    blocks: tuple[Block, ...]


def read_frames(questions: pd.DataFrame, forecasts: pd.DataFrame) -> Ledger:
    """Return both frames as arrays. Raises InputError listing every invalid value."""
    problems = Problems()
    asked = Table("questions", questions, QUESTION_COLUMNS, problems)
    made = Table("forecasts", forecasts, FORECAST_COLUMNS, problems)
    problems.raise_any()
    ledger = _read_forecasts(made, _read_questions(asked))
    problems.raise_any()
    return ledger


# --- questions ------------------------------------------------------------------------------


def _read_questions(table: Table) -> Questions:
    n = len(table)
    if not table.require("question_id"):
        table.frame = table.frame.assign(question_id=np.arange(n))
    at, ids = input_columns.encode_ids(table.frame["question_id"])
    missing = input_columns.missing_ids(at, ids)
    table.refuse_blank("question_id", missing, "a question needs an id")
    repeated = table.frame["question_id"].duplicated().to_numpy() & ~missing
    table.refuse("question_id", repeated, "a question_id must be unique")

    kind = _kinds(table)
    options = _options(table, kind)
    count = np.zeros(n, dtype=np.int32)
    count[list(options)] = [len(texts) for texts in options.values()]
    lower, upper = (_bounds(table, name, kind) for name in ("lower_bound", "upper_bound"))
    rule = "the upper bound must be above the lower bound"
    table.problems.add_where(table.name, "upper_bound", lower >= upper, upper, rule)

    open_us = table.times("open_time", required=True)
    scheduled_us = table.times("scheduled_close_time", required=True)
    early_us, spot_us = table.times("actual_close_time"), table.times("spot_time")
    close_us = np.where(early_us == input_columns.NO_TIME, scheduled_us, early_us)
    timed = (open_us != input_columns.NO_TIME) & (scheduled_us != input_columns.NO_TIME)
    rule = "the scheduled close must come after the open time"
    table.refuse("scheduled_close_time", timed & (scheduled_us <= open_us), rule)
    rule = "the actual close must not come after the scheduled close"
    table.refuse("actual_close_time", timed & (close_us > scheduled_us), rule)

    outcome = _outcomes(table, kind, options)
    outcome[close_us <= open_us] = np.nan
    # Invalid frames are refused in the end, but the forecasts are validated too, so each id
    # keeps one row.
    order = np.argsort(at, kind="stable")
    order = order[~(missing | repeated)[order]]
    return Questions(
        ids=ids[at[order]],
        kind=kind[order],
        options=count[order],
        ordered=table.flags("ordered")[order],
        lower=lower[order],
        upper=upper[order],
        open_us=open_us[order],
        scheduled_us=scheduled_us[order],
        close_us=close_us[order],
        spot_us=np.where(spot_us == input_columns.NO_TIME, close_us, spot_us)[order],
        outcome=outcome[order],
    )


def _kinds(table: Table) -> Kinds:
    at, distinct = input_columns.distinct_values(table.column("type"))
    meant = [TYPES.index(v) if v in TYPES else -1 if str(v).strip() else BINARY for v in distinct]
    kind = np.array([*meant, BINARY], dtype=np.int8)[at]
    table.refuse("type", kind < 0, f"must be one of {', '.join(TYPES)}")
    return kind


def _options(table: Table, kind: Kinds) -> dict[int, list[str]]:
    """Return the options of the multiple-choice questions by row.

    A question whose options are invalid gets kind −1, so that its forecasts are skipped.
    """
    options: dict[int, list[str]] = {}
    column = table.column("options").to_numpy(dtype=object)
    for row in np.flatnonzero(kind == MULTIPLE_CHOICE).tolist():
        value = column[row]
        read = input_columns.from_json(value) if isinstance(value, str) else value
        texts = list(read) if isinstance(read, list | tuple | np.ndarray) else []
        rule = "multiple choice needs a list of at least two different texts, or that list in JSON"
        differ = all(isinstance(text, str) for text in texts) and len(set(texts)) == len(texts)
        if differ and len(texts) >= 2:
            if not any(text.strip().lower() in NO_SCORES for text in texts):
                options[row] = texts
                continue
            rule = f"no option may be named {' or '.join(NO_SCORES)}: these are resolutions"
        kind[row] = -1
        table.problems.add(table.name, "options", row, value, rule)
    return options


def _bounds(table: Table, name: str, kind: Kinds) -> Floats:
    bounds, rows = np.full(len(table), np.nan), np.flatnonzero(kind >= NUMERIC)
    column = table.column(name).to_numpy(dtype=object)
    bounds[rows] = quantities(column[rows], kind[rows] == DATE)
    rule = "a numeric question needs a number here, a date question a date"
    table.problems.add_where(table.name, name, rows[np.isnan(bounds[rows])], column, rule)
    return bounds


def _outcomes(table: Table, kind: Kinds, options: Mapping[int, list[str]]) -> Floats:
    outcomes = np.full(len(table), np.nan)
    column = table.column("resolution")
    given = ~is_blank(column)
    binary = np.flatnonzero(given & (kind == BINARY))
    at, distinct = input_columns.distinct_values(column.iloc[binary])
    outcomes[binary] = np.array([_binary_outcome(v) for v in distinct], dtype=np.float64)[at]
    rule = "must be yes, no, a number 0..1, annulled or ambiguous"
    table.refuse("resolution", np.isinf(outcomes), rule)
    others = np.flatnonzero(given & (kind > BINARY))
    values = column.iloc[others].to_numpy(dtype=object)
    numbers = quantities(values, kind[others] == DATE)
    for row, value, number in zip(others.tolist(), values, numbers.tolist(), strict=True):
        word = value.strip().lower() if isinstance(value, str) else ""
        if value in options.get(row, ()):
            outcomes[row] = options[row].index(value)
        elif word in NO_SCORES:
            continue
        elif kind[row] == MULTIPLE_CHOICE:
            rule = "must be one of the question's options, annulled or ambiguous"
            table.problems.add(table.name, "resolution", row, value, rule)
        elif np.isnan(outcome := OUTSIDE.get(word, number)):
            rule = "must be a number (on a date question a date), below_lower_bound, "
            rule += "above_upper_bound, annulled or ambiguous"
            table.problems.add(table.name, "resolution", row, value, rule)
        else:
            outcomes[row] = outcome
    return outcomes


def _binary_outcome(value: object) -> float:
    """Return 0..1, NaN if nothing is scored, infinity if it is not an outcome."""
    text = str(value).strip().lower()
    if text in NO_SCORES:
        return np.nan
    words = {"yes": 1.0, "true": 1.0, "no": 0.0, "false": 0.0}
    try:
        number = words[text] if text in words else float(text)
    except ValueError:
        return np.inf
    return number if 0 <= number <= 1 else np.inf


# --- forecasts ------------------------------------------------------------------------------


def _read_forecasts(table: Table, questions: Questions) -> Ledger:
    n = len(table)
    if n and not any(name in table for name in VALUE_COLUMNS):
        rule = "one of probability, probabilities and quantiles is required"
        table.problems.add(table.name, "probability", None, None, rule)
    if [name for name in ("question_id", "forecaster") if not table.require(name)]:
        return Ledger(questions, pd.Index([], dtype=object), ())
    question = input_columns.positions(table.frame["question_id"], questions.ids)
    unknown = bool(n) and question.min() < 0
    if unknown:
        table.refuse("question_id", question < 0, "must be the id of one of the questions")
    forecaster, forecasters = input_columns.encode_ids(table.frame["forecaster"])
    nobody = input_columns.missing_ids(forecaster, forecasters)
    table.refuse_blank("forecaster", nobody, "a forecaster is required")
    time_us = table.times("made_at", required=True)
    if not n or not len(questions):
        return Ledger(questions, forecasters, ())

    blocks = []
    shapes, shape = _shapes(questions)
    alone = len(shapes) == 1 and not unknown
    for number, (kind, options, ordered) in enumerate(shapes):
        chosen = None if alone else np.flatnonzero((question >= 0) & (shape[question] == number))
        rows = slice(None) if chosen is None else chosen
        own = question[rows]
        if kind < 0 or not len(own):
            continue
        if kind == BINARY:
            p = _probability(table, rows)
        elif kind == MULTIPLE_CHOICE:
            p = _probabilities(table, rows, options, questions.outcome[own])
        else:
            dates = questions.kind[own] == DATE
            p = _quantiles(table, rows, dates, questions.lower[own], questions.upper[own])
        people, made = forecaster[rows], time_us[rows]
        blocks.append(Block(bool(ordered), own, people, made, p, chosen))
    return Ledger(questions, forecasters, tuple(blocks))


def _shapes(questions: Questions) -> tuple[list[list[int]], npt.NDArray[np.intp]]:
    """Return the distinct (kind, options, ordered) of the questions, and the index of each one."""
    kind = np.minimum(questions.kind, NUMERIC).astype(np.int64)
    ordered = (kind == MULTIPLE_CHOICE) & questions.ordered
    each = (questions.options.astype(np.int64) * 2 + ordered) * 8 + kind + 1
    distinct, shape = np.unique(each, return_inverse=True)
    return [[code % 8 - 1, code // 16, code // 8 % 2] for code in distinct.tolist()], shape


# --- the values of forecasts: of the rows at some positions ---------------------------------------


def _values(
    table: Table, name: str, rows: Rows, kind: str
) -> tuple[pd.Series, npt.NDArray[np.intp]]:
    """Return the column for this kind of question, and the rows' positions.

    Refuses values in the other columns.
    """
    at = np.arange(len(table))[rows]
    for other in VALUE_COLUMNS:
        if other != name and other in table:
            rule = f"a forecast on a {kind} question needs {name} instead"
            table.refuse(other, at[~is_blank(table.frame[other])[rows]], rule)
    return table.column(name), at


def _probability(table: Table, rows: Rows) -> Floats:
    """Return the probabilities of "yes", (n,)."""
    column, at = _values(table, "probability", rows, "binary")
    if isinstance(column.dtype, np.dtype) and column.dtype.kind in "fiu":
        p = column.to_numpy(dtype=np.float64)[rows]
        unread = np.zeros(0, dtype=np.intp)
    else:
        own = column.iloc[rows]
        read = pd.to_numeric(own.astype(object), errors="coerce")
        p = read.to_numpy(dtype=np.float64, na_value=np.nan)
        unread = np.flatnonzero((np.isnan(p) & ~is_blank(own)) | _truths(own))
    wrong = np.union1d(np.flatnonzero((p < 0) | (p > 1)), unread)
    table.refuse("probability", at[wrong], OUT_OF_RANGE)
    return p


def _probabilities(table: Table, rows: Rows, options: int, outcome: Floats) -> Floats:
    """Return vectors of probabilities, (n, options), NaN for an option that is null.

    ``outcome`` is the index of the option that came true, NaN if unresolved.
    """
    column, at = _values(table, "probabilities", rows, "multiple-choice")
    p = np.full((len(at), options), np.nan)
    given = np.flatnonzero(~is_blank(column)[at])

    def refuse(bad: Flags, rule: str) -> None:
        table.refuse("probabilities", at[given[bad]], rule)

    lists = parse_json(column.to_numpy(dtype=object)[at[given]])
    fits = has_type(lists, list, tuple, np.ndarray)
    fits[fits] = np.fromiter(map(len, lists[fits]), np.intp) == options
    refuse(~fits, f"must be a list of {options} numbers, one per option")
    given, lists = given[fits], lists[fits]
    flat = np.fromiter(chain.from_iterable(lists), dtype=object, count=len(given) * options)
    kinds = has_type(flat, *NUMBERS, type(None)).reshape(-1, options)
    number = np.asarray(kinds.all(axis=1))
    refuse(~number, "must be a list of numbers and nulls")
    given = given[number]
    entries = flat.reshape(-1, options)[number]
    vectors = entries.astype(np.float64)
    invalid = np.isnan(vectors)
    invalid[invalid] = ~has_type(entries[invalid], type(None))
    outside = np.asarray((invalid | (vectors < 0) | (vectors > 1)).any(axis=1))
    refuse(outside, f"{OUT_OF_RANGE}; an option that did not exist yet is null")
    off = ~outside & (np.abs(np.nansum(vectors, axis=1) - 1) > SUM_TOLERANCE)
    refuse(off, "the probabilities of one forecast must sum to 1 within 1e-9")
    known = ~np.isnan(outcome[given])
    option = np.where(known, outcome[given], 0).astype(np.intp)
    lacking = np.isnan(vectors[np.arange(len(given)), option]) & np.isnan(vectors[:, -1])
    rule = "lacks both the option that came true and the last option, which would stand for it"
    refuse(np.asarray(known & lacking & ~off & ~outside), rule)
    p[given] = vectors
    return p


def _quantiles(table: Table, rows: Rows, dates: Flags, lower: Floats, upper: Floats) -> Floats:
    """Return distributions as knots (n, 2, m): levels and values, from bound to bound.

    ``dates`` flags the forecasts whose values are dates; ``lower`` and ``upper`` are the bounds
    of their questions. A forecast that breaks several rules is refused for the first one.
    """
    column, at = _values(table, "quantiles", rows, "numeric or date")
    given = np.flatnonzero(~is_blank(column)[at])
    many, dates, lower, upper = len(given), dates[given], lower[given], upper[given]
    refused = np.zeros(many, dtype=np.bool_)

    def refuse(bad: Flags, rule: str) -> None:
        table.refuse("quantiles", at[given[bad & ~refused]], rule)
        refused[bad] = True

    objects = parse_json(column.to_numpy(dtype=object)[at[given]])
    known = has_type(objects, dict)
    refuse(~known, "must be an object of level: value, or that object in JSON")
    objects[~known] = {}
    # The entries of all objects in order: the object's index, the key, the value.
    row = np.arange(many).repeat(np.fromiter(map(len, objects), np.intp, many))
    keys = np.fromiter(chain.from_iterable(objects), dtype=object, count=len(row))
    entries: chain[Any] = chain.from_iterable(map(dict.values, objects))
    stated = np.fromiter(entries, dtype=object, count=len(row))

    below, above = masses = np.zeros((2, many))
    for mass, name in zip(masses, ("below", "above"), strict=True):
        mass[row[keys == name]] = quantities(stated[keys == name])
    refuse(np.isnan(below + above), NOT_A_NUMBER)
    inside = (below >= 0) & (above >= 0) & (below + above <= 1 + SUM_TOLERANCE)
    refuse(~inside, "below and above must lie within 0..1, and so must their sum")

    quantile = (keys != "below") & (keys != "above")
    row, keys, stated = row[quantile], keys[quantile], stated[quantile]
    names, distinct = pd.factorize(keys)
    level = quantities(np.asarray(distinct, dtype=object))[names]
    value = quantities(stated, dates[row])

    def broken(entries: Flags | npt.NDArray[np.intp]) -> Flags:
        return np.bincount(row[entries], minlength=many) > 0

    refuse(broken(np.isnan(level)), NOT_A_NUMBER)
    refuse(broken(np.isnan(value) & ~dates[row]), NOT_A_NUMBER)
    refuse(broken(np.isnan(value)), NOT_A_DATE)

    order = np.lexsort((value, level, row))
    level, value = level[order], value[order]
    low, high = below[row] - SUM_TOLERANCE, 1 - above[row] + SUM_TOLERANCE
    rule = "a level must lie within 0..1, and between below and 1 − above"
    refuse(broken((level < low) | (level > high)), rule)
    rule = "a value must lie within the question's bounds"
    refuse(broken((value < lower[row]) | (value > upper[row])), rule)
    falls = (row[1:] == row[:-1]) & ((value[1:] < value[:-1]) | (level[1:] <= level[:-1]))
    rule = "levels must differ, and values must not fall as levels rise"
    refuse(broken(np.flatnonzero(falls)), rule)

    sizes = np.bincount(row, minlength=many)
    place = np.arange(1, len(row) + 1) - (np.cumsum(sizes) - sizes)[row]
    # Repeating the last knot adds segments of width 0, which change nothing.
    knots = np.empty((many, 2, int(sizes.max(initial=0)) + 2))
    knots[:, 0, :], knots[:, 1, :] = (1 - above)[:, None], upper[:, None]
    knots[:, 0, 0], knots[:, 1, 0] = below, lower
    knots[row, 0, place], knots[row, 1, place] = level, value
    knots[refused] = np.nan
    p = np.full((len(at), *knots.shape[1:]), np.nan)
    p[given] = knots
    return p


def _truths(column: pd.Series) -> Flags:
    """Return where a column holds booleans, which pandas would read as 1 and 0."""
    values = column.to_numpy(dtype=object)
    return ~has_type(values, object) | has_type(values, np.bool_)
