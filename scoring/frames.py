"""The two frames that come in, checked and turned into arrays.

Liberal at the edge, strict in meaning: ids may be texts, integers or categoricals; times are
tz-aware datetimes of any unit or ISO 8601 texts with an offset; lists may be JSON. Whatever the
frames hold, a value that breaks a rule is refused before anything is computed, and all of them
are reported together. The columns are those of the ledger folder; those that are not needed may
be left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from scoring import columns
from scoring.columns import NO_TIME, Codes, Flags, Floats, Ints
from scoring.errors import Problems
from scoring.values import Values

TYPES = ("binary", "multiple_choice", "numeric", "date")
BINARY, MULTIPLE_CHOICE, NUMERIC, DATE = range(4)
NO_SCORES = ("annulled", "ambiguous")


@dataclass(frozen=True)
class Questions:
    """Questions in order of their id. Times are integer microseconds since 1970 in UTC.

    ``outcome`` is NaN where there is nothing to score: the question is open, annulled or
    ambiguous, or it closed before it opened. Otherwise it is 0..1 for binary questions, the
    index of the option for multiple choice, and the outcome itself for numeric ones (dates in
    seconds since 1970). ``options`` is the number of options of a multiple-choice question.
    """

    ids: pd.Index
    kind: npt.NDArray[np.int8]
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
    """The forecasts on the questions of one shape, in the order of the input.

    ``question`` and ``forecaster`` are positions among the ordered ids, ``row`` the positions
    in the input frame (None: the block is the whole of it). ``p`` holds the forecasts as
    `scoring.rules` takes them, NaN for a withdrawal.
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


@dataclass(frozen=True)
class Ledger:
    """Both frames as arrays: questions, the forecasters' ids in order, and one block a shape."""

    questions: Questions
    forecasters: pd.Index
    blocks: tuple[Block, ...]


def read(questions: pd.DataFrame, forecasts: pd.DataFrame) -> Ledger:
    """Return both frames as arrays. Raises InputError naming every value that breaks a rule."""
    problems = Problems()
    asked = _read_questions(questions, problems)
    made = _read_forecasts(forecasts, asked, problems)
    problems.raise_any()
    return made


# --- questions ------------------------------------------------------------------------------


def _read_questions(frame: pd.DataFrame, problems: Problems) -> Questions:
    of = "questions"
    n = len(frame)
    nothing = np.full(n, None, dtype=object)
    if "question_id" not in frame.columns:
        if n:
            problems.add(of, "question_id", None, None, "the column is required")
        frame = frame.assign(question_id=np.arange(n))
    at, ids = columns.codes(frame["question_id"])
    missing = at < 0
    problems.add_rows(of, "question_id", np.flatnonzero(missing), nothing, "a question needs an id")
    repeated = frame["question_id"].duplicated().to_numpy() & ~missing
    problems.add_rows(
        of, "question_id", np.flatnonzero(repeated), frame["question_id"].to_numpy(dtype=object),
        "a question_id must be unique",
    )  # fmt: skip

    kind = _kinds(frame, problems)
    options = _options(frame, kind, problems)
    lower = _bounds(frame, "lower_bound", kind, problems)
    upper = _bounds(frame, "upper_bound", kind, problems)
    problems.add_rows(
        of, "upper_bound", np.flatnonzero(lower >= upper), upper,
        "the upper bound must be above the lower bound",
    )  # fmt: skip

    open_us = columns.times(frame, "open_time", problems, of, required=True)
    scheduled_us = columns.times(frame, "scheduled_close_time", problems, of, required=True)
    early_us = columns.times(frame, "actual_close_time", problems, of)
    spot_us = columns.times(frame, "spot_time", problems, of)
    close_us = np.where(early_us == NO_TIME, scheduled_us, early_us)
    timed = (open_us != NO_TIME) & (scheduled_us != NO_TIME)
    for name, bad, rule in (
        (
            "scheduled_close_time",
            timed & (scheduled_us <= open_us),
            "the scheduled close must come after the open time",
        ),
        (
            "actual_close_time",
            timed & (close_us > scheduled_us),
            "the actual close must not come after the scheduled close",
        ),
    ):
        shown = frame[name].to_numpy(dtype=object) if name in frame.columns else nothing
        problems.add_rows(of, name, np.flatnonzero(bad), shown, rule)

    outcome = _outcomes(frame, kind, options, problems)
    outcome[close_us <= open_us] = np.nan
    # A frame with problems is refused in the end; its forecasts are still read before that, to
    # name what is wrong there too, so each id keeps one row.
    order = np.argsort(at, kind="stable")
    order = order[~(missing | repeated)[order]]
    return Questions(
        ids=ids[at[order]],
        kind=kind[order],
        options=np.array([len(texts) for texts in options], dtype=np.int32)[order],
        ordered=columns.flags(frame, "ordered", problems, of)[order],
        lower=lower[order],
        upper=upper[order],
        open_us=open_us[order],
        scheduled_us=scheduled_us[order],
        close_us=close_us[order],
        spot_us=np.where(spot_us == NO_TIME, close_us, spot_us)[order],
        outcome=outcome[order],
    )


def _kinds(frame: pd.DataFrame, problems: Problems) -> npt.NDArray[np.int8]:
    if "type" not in frame.columns:
        return np.zeros(len(frame), dtype=np.int8)
    at, distinct = pd.factorize(frame["type"].astype(object))
    meant = [TYPES.index(v) if v in TYPES else -1 if str(v).strip() else BINARY for v in distinct]
    kind = np.array([*meant, BINARY], dtype=np.int8)[at]
    problems.add_rows(
        "questions", "type", np.flatnonzero(kind < 0), frame["type"].to_numpy(dtype=object),
        f"must be one of {', '.join(TYPES)}",
    )  # fmt: skip
    return kind


def _options(
    frame: pd.DataFrame, kind: npt.NDArray[np.int8], problems: Problems
) -> list[tuple[str, ...]]:
    """Return the options of each question, none for one that is not multiple choice.

    A question whose options cannot be read gets the kind −1, so that its forecasts are let be.
    """
    options: list[tuple[str, ...]] = [()] * len(frame)
    column = frame["options"].to_numpy(dtype=object) if "options" in frame.columns else None
    for row in np.flatnonzero(kind == MULTIPLE_CHOICE):
        value = None if column is None else column[row]
        texts = columns.listed(value) or []
        if len(texts) >= 2 and all(isinstance(t, str) for t in texts) and _differ(texts):
            options[row] = tuple(texts)
            continue
        kind[row] = -1
        problems.add(
            "questions", "options", int(row), value,
            "multiple choice needs a list of at least two different texts, or that list in JSON",
        )  # fmt: skip
    return options


def _differ(texts: Sequence[str]) -> bool:
    return len(set(texts)) == len(texts)


def _bounds(
    frame: pd.DataFrame, name: str, kind: npt.NDArray[np.int8], problems: Problems
) -> Floats:
    bounds = np.full(len(frame), np.nan)
    column = frame[name].to_numpy(dtype=object) if name in frame.columns else bounds
    for row in np.flatnonzero(kind >= NUMERIC):
        try:
            bounds[row] = columns.quantity(column[row], as_date=kind[row] == DATE)
        except ValueError:
            problems.add(
                "questions", name, int(row), column[row],
                "a numeric question needs a number here, a date question a date",
            )  # fmt: skip
    return bounds


def _outcomes(
    frame: pd.DataFrame,
    kind: npt.NDArray[np.int8],
    options: Sequence[tuple[str, ...]],
    problems: Problems,
) -> Floats:
    outcomes = np.full(len(frame), np.nan)
    if "resolution" not in frame.columns:
        return outcomes
    values = frame["resolution"].to_numpy(dtype=object)
    given = ~columns.blank(frame["resolution"])
    binary = np.flatnonzero(given & (kind == BINARY))
    at, distinct = pd.factorize(values[binary])
    outcomes[binary] = np.array([_binary_outcome(v) for v in distinct], dtype=np.float64)[at]
    problems.add_rows(
        "questions", "resolution", binary[np.isinf(outcomes[binary])], values,
        "must be yes, no, a number 0..1, annulled or ambiguous",
    )  # fmt: skip
    for row in np.flatnonzero(given & (kind > BINARY)).tolist():
        value = values[row]
        if value in options[row]:
            outcomes[row] = options[row].index(value)
        elif isinstance(value, str) and value.strip().lower() in NO_SCORES:
            continue
        elif kind[row] == MULTIPLE_CHOICE:
            rule = "must be one of the question's options, annulled or ambiguous"
            problems.add("questions", "resolution", row, value, rule)
        else:
            try:
                outcomes[row] = columns.quantity(value, as_date=kind[row] == DATE)
            except ValueError:
                rule = "must be a number (on a date question a date), annulled or ambiguous"
                problems.add("questions", "resolution", row, value, rule)
    return outcomes


def _binary_outcome(value: object) -> float:
    """Return 0..1, NaN where nothing is scored, infinity for what is not an outcome."""
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
    of = "forecasts"
    n = len(frame)
    values = Values(frame, problems)
    if n and not values.columns:
        rule = "one of probability, probabilities and quantiles is required"
        problems.add(of, "probability", None, None, rule)
    absent = [name for name in ("question_id", "forecaster") if name not in frame.columns]
    if absent:
        for name in absent if n else ():
            problems.add(of, name, None, None, "the column is required")
        return Ledger(questions, pd.Index([], dtype=object), ())
    question = columns.positions(frame["question_id"], questions.ids)
    if n and question.min() < 0:
        problems.add_rows(
            of, "question_id", np.flatnonzero(question < 0),
            frame["question_id"].to_numpy(dtype=object), "must be the id of one of the questions",
        )  # fmt: skip
    forecaster, forecasters = columns.codes(frame["forecaster"])
    if n and forecaster.min() < 0:
        nobody = np.flatnonzero(forecaster < 0)
        problems.add_rows(of, "forecaster", nobody, np.full(n, None), "a forecaster is required")
    time_us = columns.times(frame, "made_at", problems, of, required=True)
    if not n or not len(questions):
        return Ledger(questions, forecasters, ())

    blocks = []
    shapes, shape = _shapes(questions)
    alone = len(shapes) == 1 and question.min() >= 0
    for number, (kind, options, ordered) in enumerate(shapes):
        rows = None if alone else np.flatnonzero((question >= 0) & (shape[question] == number))
        if kind < 0 or (rows is not None and not len(rows)):
            continue
        own = question if rows is None else question[rows]
        if kind == BINARY:
            p = values.probability(rows)
        elif kind == MULTIPLE_CHOICE:
            p = values.probabilities(rows, options, questions.outcome[own])
        else:
            p = values.quantiles(
                rows, questions.kind[own] == DATE, questions.lower[own], questions.upper[own]
            )
        blocks.append(
            Block(
                kind=kind,
                ordered=bool(ordered),
                question=own,
                forecaster=forecaster if rows is None else forecaster[rows],
                time_us=time_us if rows is None else time_us[rows],
                p=p,
                row=rows,
            )
        )
    return Ledger(questions, forecasters, tuple(blocks))


def _shapes(questions: Questions) -> tuple[list[list[int]], npt.NDArray[np.intp]]:
    """Return the distinct (kind, options, ordered) of the questions, and which one each has."""
    choice = questions.kind == MULTIPLE_CHOICE
    kind = np.minimum(questions.kind, NUMERIC)
    each = np.column_stack([kind, questions.options, choice & questions.ordered])
    distinct, shape = np.unique(each, axis=0, return_inverse=True)
    return distinct.tolist(), shape.ravel()
