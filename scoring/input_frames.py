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

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import chain, pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from scoring import input_columns
from scoring.arrays import Codes, Flags, Floats, Ints
from scoring.errors import Problems
from scoring.input_columns import (
    NO_TIME,
    NUMBERS,
    has_type,
    is_blank,
    parse_json,
    quantities,
    times,
)
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
    takes, NaN for a withdrawal.
    """

    kind: int
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
    input_columns.check_frame(questions, QUESTION_COLUMNS, problems, "questions")
    input_columns.check_frame(forecasts, FORECAST_COLUMNS, problems, "forecasts")
    problems.raise_any()
    known = _read_questions(questions, problems)
    ledger = _read_forecasts(forecasts, known, problems)
    problems.raise_any()
    return ledger


# --- questions ------------------------------------------------------------------------------


def _read_questions(frame: pd.DataFrame, problems: Problems) -> Questions:
    table = "questions"
    n = len(frame)
    if "question_id" not in frame.columns:
        if n:
            problems.add(table, "question_id", None, None, "the column is required")
        frame = frame.assign(question_id=np.arange(n))
    at, ids = input_columns.encode_ids(frame["question_id"])
    missing = input_columns.missing_ids(at, ids)
    problems.add_where(table, "question_id", missing, None, "a question needs an id")
    repeated = frame["question_id"].duplicated().to_numpy() & ~missing
    rule = "a question_id must be unique"
    problems.add_where(table, "question_id", repeated, frame["question_id"], rule)

    kind = _kinds(frame, problems)
    options = _options(frame, kind, problems)
    count = np.zeros(n, dtype=np.int32)
    count[list(options)] = [len(texts) for texts in options.values()]
    lower = _bounds(frame, "lower_bound", kind, problems)
    upper = _bounds(frame, "upper_bound", kind, problems)
    rule = "the upper bound must be above the lower bound"
    problems.add_where(table, "upper_bound", lower >= upper, upper, rule)

    open_us = times(frame, "open_time", problems, table, required=True)
    scheduled_us = times(frame, "scheduled_close_time", problems, table, required=True)
    early_us = times(frame, "actual_close_time", problems, table)
    spot_us = times(frame, "spot_time", problems, table)
    close_us = np.where(early_us == NO_TIME, scheduled_us, early_us)
    timed = (open_us != NO_TIME) & (scheduled_us != NO_TIME)
    name, rule = "scheduled_close_time", "the scheduled close must come after the open time"
    problems.add_where(table, name, timed & (scheduled_us <= open_us), frame.get(name), rule)
    name, rule = "actual_close_time", "the actual close must not come after the scheduled close"
    problems.add_where(table, name, timed & (close_us > scheduled_us), frame.get(name), rule)

    outcome = _outcomes(frame, kind, options, problems)
    outcome[close_us <= open_us] = np.nan
    # Invalid frames are refused in the end, but the forecasts are validated too, so each id
    # keeps one row.
    order = np.argsort(at, kind="stable")
    order = order[~(missing | repeated)[order]]
    return Questions(
        ids=ids[at[order]],
        kind=kind[order],
        options=count[order],
        ordered=input_columns.flags(frame, "ordered", problems, table)[order],
        lower=lower[order],
        upper=upper[order],
        open_us=open_us[order],
        scheduled_us=scheduled_us[order],
        close_us=close_us[order],
        spot_us=np.where(spot_us == NO_TIME, close_us, spot_us)[order],
        outcome=outcome[order],
    )


def _kinds(frame: pd.DataFrame, problems: Problems) -> Kinds:
    if "type" not in frame.columns:
        return np.zeros(len(frame), dtype=np.int8)
    at, distinct = input_columns.distinct_values(frame["type"])
    meant = [TYPES.index(v) if v in TYPES else -1 if str(v).strip() else BINARY for v in distinct]
    kind = np.array([*meant, BINARY], dtype=np.int8)[at]
    rule = f"must be one of {', '.join(TYPES)}"
    problems.add_where("questions", "type", kind < 0, frame["type"], rule)
    return kind


def _options(frame: pd.DataFrame, kind: Kinds, problems: Problems) -> dict[int, list[str]]:
    """Return the options of the multiple-choice questions by row.

    A question whose options are invalid gets kind −1, so that its forecasts are skipped.
    """
    options: dict[int, list[str]] = {}
    column = frame["options"].to_numpy(dtype=object) if "options" in frame.columns else None
    for row in np.flatnonzero(kind == MULTIPLE_CHOICE).tolist():
        value = None if column is None else column[row]
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
        problems.add("questions", "options", row, value, rule)
    return options


def _bounds(frame: pd.DataFrame, name: str, kind: Kinds, problems: Problems) -> Floats:
    bounds = np.full(len(frame), np.nan)
    column = frame[name].to_numpy(dtype=object) if name in frame.columns else bounds.astype(object)
    rows = np.flatnonzero(kind >= NUMERIC)
    bounds[rows] = quantities(column[rows], kind[rows] == DATE)
    rule = "a numeric question needs a number here, a date question a date"
    problems.add_where("questions", name, rows[np.isnan(bounds[rows])], column, rule)
    return bounds


def _outcomes(
    frame: pd.DataFrame,
    kind: Kinds,
    options: Mapping[int, list[str]],
    problems: Problems,
) -> Floats:
    outcomes = np.full(len(frame), np.nan)
    if "resolution" not in frame.columns:
        return outcomes
    column = frame["resolution"]
    given = ~is_blank(column)
    binary = np.flatnonzero(given & (kind == BINARY))
    at, distinct = input_columns.distinct_values(column.iloc[binary])
    outcomes[binary] = np.array([_binary_outcome(v) for v in distinct], dtype=np.float64)[at]
    rule = "must be yes, no, a number 0..1, annulled or ambiguous"
    problems.add_where("questions", "resolution", np.isinf(outcomes), column, rule)
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
            problems.add("questions", "resolution", row, value, rule)
        elif np.isnan(outcome := OUTSIDE.get(word, number)):
            rule = (
                "must be a number (on a date question a date), below_lower_bound, "
                "above_upper_bound, annulled or ambiguous"
            )
            problems.add("questions", "resolution", row, value, rule)
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


def _read_forecasts(frame: pd.DataFrame, questions: Questions, problems: Problems) -> Ledger:
    table = "forecasts"
    n = len(frame)
    values = Values(frame, problems)
    if n and not values.columns:
        rule = "one of probability, probabilities and quantiles is required"
        problems.add(table, "probability", None, None, rule)
    absent = [name for name in ("question_id", "forecaster") if name not in frame.columns]
    if absent:
        for name in absent if n else ():
            problems.add(table, name, None, None, "the column is required")
        return Ledger(questions, pd.Index([], dtype=object), ())
    question = input_columns.positions(frame["question_id"], questions.ids)
    unknown = bool(n) and question.min() < 0
    if unknown:
        rule = "must be the id of one of the questions"
        problems.add_where(table, "question_id", question < 0, frame["question_id"], rule)
    forecaster, forecasters = input_columns.encode_ids(frame["forecaster"])
    nobody = input_columns.missing_ids(forecaster, forecasters)
    problems.add_where(table, "forecaster", nobody, None, "a forecaster is required")
    time_us = times(frame, "made_at", problems, table, required=True)
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
            p = values.probability(rows)
        elif kind == MULTIPLE_CHOICE:
            p = values.probabilities(rows, options, questions.outcome[own])
        else:
            dates = questions.kind[own] == DATE
            p = values.quantiles(rows, dates, questions.lower[own], questions.upper[own])
        people, made = forecaster[rows], time_us[rows]
        blocks.append(Block(kind, bool(ordered), own, people, made, p, chosen))
    return Ledger(questions, forecasters, tuple(blocks))


def _shapes(questions: Questions) -> tuple[list[list[int]], npt.NDArray[np.intp]]:
    """Return the distinct (kind, options, ordered) of the questions, and the index of each one."""
    kind = np.minimum(questions.kind, NUMERIC).astype(np.int64)
    ordered = (kind == MULTIPLE_CHOICE) & questions.ordered
    each = (questions.options.astype(np.int64) * 2 + ordered) * 8 + kind + 1
    distinct, shape = np.unique(each, return_inverse=True)
    return [[code % 8 - 1, code // 16, code // 8 % 2] for code in distinct.tolist()], shape


# --- the values of forecasts ------------------------------------------------------------------


class Values:
    """The three value columns of a forecasts frame, one method for each.

    ``rows`` are the positions of the forecasts to read.
    """

    def __init__(self, frame: pd.DataFrame, problems: Problems) -> None:
        self.columns = {name: frame[name] for name in VALUE_COLUMNS if name in frame.columns}
        self.places = np.arange(len(frame))
        self.problems = problems

    def _refuse(self, name: str, rows: npt.NDArray[np.intp], rule: str) -> None:
        self.problems.add_where("forecasts", name, rows, self.columns[name], rule)

    def _refuse_others(self, name: str, rows: Rows, kind: str) -> None:
        for other, column in self.columns.items():
            if other != name:
                rule = f"a forecast on a {kind} question needs {name} instead"
                self._refuse(other, self.places[rows][~is_blank(column)[rows]], rule)

    def probability(self, rows: Rows) -> Floats:
        """Return the probabilities of "yes", (n,)."""
        self._refuse_others("probability", rows, "binary")
        if "probability" not in self.columns:
            return np.full(len(self.places[rows]), np.nan)
        column = self.columns["probability"]
        if isinstance(column.dtype, np.dtype) and column.dtype.kind in "fiu":
            p = column.to_numpy(dtype=np.float64)[rows]
            unread = np.zeros(0, dtype=np.intp)
        else:
            own = column.iloc[rows]
            read = pd.to_numeric(own.astype(object), errors="coerce")
            p = read.to_numpy(dtype=np.float64, na_value=np.nan)
            unread = np.flatnonzero((np.isnan(p) & ~is_blank(own)) | _truths(own))
        wrong = np.union1d(np.flatnonzero((p < 0) | (p > 1)), unread)
        self._refuse("probability", self.places[rows][wrong], OUT_OF_RANGE)
        return p

    def probabilities(self, rows: Rows, options: int, outcome: Floats) -> Floats:
        """Return vectors of probabilities, (n, options), NaN for an option that is null.

        ``outcome`` is the index of the option that came true, NaN if unresolved.
        """
        self._refuse_others("probabilities", rows, "multiple-choice")
        at = self.places[rows]
        p = np.full((len(at), options), np.nan)
        if "probabilities" not in self.columns:
            return p
        column = self.columns["probabilities"]
        given = np.flatnonzero(~is_blank(column)[at])
        lists = parse_json(column.to_numpy(dtype=object)[at[given]])
        fits = has_type(lists, list, tuple, np.ndarray)
        fits[fits] = np.fromiter(map(len, lists[fits]), np.intp) == options
        rule = f"must be a list of {options} numbers, one per option"
        self._refuse("probabilities", at[given[~fits]], rule)
        given, lists = given[fits], lists[fits]
        flat = np.fromiter(chain.from_iterable(lists), dtype=object, count=len(given) * options)
        number = has_type(flat, *NUMBERS, type(None)).reshape(-1, options).all(axis=1)
        self._refuse("probabilities", at[given[~number]], "must be a list of numbers and nulls")
        given = given[number]
        entries = flat.reshape(-1, options)[number]
        vectors = entries.astype(np.float64)
        invalid = np.isnan(vectors)
        invalid[invalid] = ~has_type(entries[invalid], type(None))
        outside = (invalid | (vectors < 0) | (vectors > 1)).any(axis=1)
        rule = f"{OUT_OF_RANGE}; an option that did not exist yet is null"
        self._refuse("probabilities", at[given[outside]], rule)
        off = ~outside & (np.abs(np.nansum(vectors, axis=1) - 1) > SUM_TOLERANCE)
        rule = "the probabilities of one forecast must sum to 1 within 1e-9"
        self._refuse("probabilities", at[given[off]], rule)
        known = ~np.isnan(outcome[given])
        option = np.where(known, outcome[given], 0).astype(np.intp)
        lacking = np.isnan(vectors[np.arange(len(given)), option]) & np.isnan(vectors[:, -1])
        rule = "lacks both the option that came true and the last option, which would stand for it"
        self._refuse("probabilities", at[given[known & lacking & ~off & ~outside]], rule)
        p[given] = vectors
        return p

    def quantiles(self, rows: Rows, dates: Flags, lower: Floats, upper: Floats) -> Floats:
        """Return distributions as knots, (n, 2, m), between the bounds of their questions."""
        self._refuse_others("quantiles", rows, "numeric or date")
        at = self.places[rows]
        if "quantiles" not in self.columns:
            return np.full((len(at), 2, 2), np.nan)
        column = self.columns["quantiles"]
        given = np.flatnonzero(~is_blank(column)[at])
        curves = distributions(
            column.to_numpy(dtype=object)[at[given]],
            dates[given],
            lower[given],
            upper[given],
            lambda bad, rule: self._refuse("quantiles", at[given[bad]], rule),
        )
        p = np.full((len(at), *curves.shape[1:]), np.nan)
        p[given] = curves
        return p


def _truths(column: pd.Series) -> Flags:
    """Return where a column holds booleans, which pandas would read as 1 and 0."""
    values = column.to_numpy(dtype=object)
    return ~has_type(values, object) | has_type(values, np.bool_)


def distributions(
    values: npt.NDArray[np.object_],
    dates: Flags,
    lower: Floats,
    upper: Floats,
    refuse: Callable[[Flags, str], None],
) -> Floats:
    """Return forecasts as knots (n, 2, m): levels and values, from bound to bound.

    ``values`` are objects of level: value, or such objects in JSON; ``dates`` flags those whose
    values are dates. ``refuse`` is called with the invalid forecasts, each one at most once, and
    the rule that they break.
    """
    refused = np.zeros(len(values), dtype=np.bool_)

    def note(bad: Flags, rule: str) -> None:
        refuse(bad & ~refused, rule)
        refused[bad] = True

    objects = parse_json(values)
    known = has_type(objects, dict)
    note(~known, "must be an object of level: value, or that object in JSON")
    objects[~known] = {}
    # The entries of all objects in order: the object's index, the key, the value.
    row = np.arange(len(objects)).repeat(np.fromiter(map(len, objects), np.intp, len(objects)))
    keys = np.fromiter(chain.from_iterable(objects), dtype=object, count=len(row))
    entries: chain[Any] = chain.from_iterable(map(dict.values, objects))
    stated = np.fromiter(entries, dtype=object, count=len(row))

    masses = np.zeros((2, len(values)))
    for mass, name in zip(masses, ("below", "above"), strict=True):
        here = keys == name
        mass[row[here]] = quantities(stated[here], np.zeros(len(row[here]), dtype=np.bool_))
    below, above = masses
    note(np.isnan(below + above), NOT_A_NUMBER)
    inside = (below >= 0) & (above >= 0) & (below + above <= 1 + SUM_TOLERANCE)
    note(~inside, "below and above must lie within 0..1, and so must their sum")

    quantile = (keys != "below") & (keys != "above")
    row, keys, stated = row[quantile], keys[quantile], stated[quantile]
    names, distinct = pd.factorize(keys)
    level = quantities(np.asarray(distinct, dtype=object), np.zeros(len(distinct), np.bool_))[names]
    at = quantities(stated, dates[row])

    def broken(entries: Flags | npt.NDArray[np.intp]) -> Flags:
        return np.bincount(row[entries], minlength=len(values)) > 0

    note(broken(np.isnan(level)), NOT_A_NUMBER)
    note(broken(np.isnan(at) & ~dates[row]), NOT_A_NUMBER)
    note(broken(np.isnan(at)), NOT_A_DATE)

    order = np.lexsort((at, level, row))
    level, at = level[order], at[order]
    low, high = below[row] - SUM_TOLERANCE, 1 - above[row] + SUM_TOLERANCE
    rule = "a level must lie within 0..1, and between below and 1 − above"
    note(broken((level < low) | (level > high)), rule)
    rule = "a value must lie within the question's bounds"
    note(broken((at < lower[row]) | (at > upper[row])), rule)
    falls = (row[1:] == row[:-1]) & ((at[1:] < at[:-1]) | (level[1:] <= level[:-1]))
    rule = "levels must differ, and values must not fall as levels rise"
    note(broken(np.flatnonzero(falls)), rule)

    sizes = np.bincount(row, minlength=len(values))
    place = np.arange(1, len(row) + 1) - (np.cumsum(sizes) - sizes)[row]
    # Repeating the last knot adds segments of width 0, which change nothing.
    knots = np.empty((len(values), 2, int(sizes.max(initial=0)) + 2))
    knots[:, 0, :], knots[:, 1, :] = (1 - above)[:, None], upper[:, None]
    knots[:, 0, 0], knots[:, 1, 0] = below, lower
    knots[row, 0, place], knots[row, 1, place] = level, at
    knots[refused] = np.nan
    return knots
