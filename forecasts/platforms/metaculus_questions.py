"""question_data.csv of a Metaculus export: its questions as the ledger's, and how CDFs are spaced.

"Question ID" is not the number in a question's address; that is "Post ID".
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from forecasts.common import limits
from forecasts.common.errors import BadInput, LedgerError
from forecasts.common.times import iso_day_or_time, read_time
from forecasts.common.vocabulary import QuestionType
from forecasts.folder.tables import Table
from forecasts.platforms.python_literals import literal, numbers, texts, whole_number
from forecasts.platforms.reading import Reading, rows_of
from forecasts.values.outcomes import bounds_fault, figure_to_float, format_figure
from scoring.arrays import Floats

_OPENS, _CLOSES = "Open Time", "Scheduled Close Time"
_TIMES = (
    *("Post Published Time", _OPENS, "CP Reveal Time", _CLOSES, "Actual Close Time"),
    "Resolution Known Time",
)
# The lists of options, the most complete first.
_OPTIONS = ("MC Options (All)", "MC Options History", "MC Options (Current)", "MC Options")
_TEXTS = (
    *("Question ID", "Question URL", "Question Title", "Post ID", "Default Project"),
    *("Categories", "Label", "Question Type", *_OPTIONS, "Scaling", "Lower Bound", "Upper Bound"),
    *("Continuous Range", "Resolution"),
)
KINDS = dict.fromkeys(_TEXTS, "text") | dict.fromkeys(_TIMES, "time")
PREFIX, POST_PREFIX = "metaculus-", "metaculus-post-"
PROJECT = "Metaculus Community"  # of every question that is in no tournament
ADDRESS = "https://www.metaculus.com/questions/"
_TYPES = {
    "binary": QuestionType.binary,
    "multiple_choice": QuestionType.multiple_choice,
    "numeric": QuestionType.numeric,
    "discrete": QuestionType.numeric,
    "date": QuestionType.date,
}
_DAY = 86_400.0
# A middle this near to half the range is of an even scale; the platform rounds to 1e-10 and so.
_EVEN = 1e-6


@dataclass(frozen=True)
class Scale:
    """Where the numbers of CDFs lie between the bounds.

    ``ratio``: of the steps at the upper and the lower bound, 1 for equal steps. ``points``: the
    numbers that the file lists, always 201 and so not those of a discrete question's CDFs.
    """

    low: float
    high: float
    ratio: float = 1.0
    points: Floats | None = None

    def at(self, count: int) -> Floats:
        """Return the numbers of a CDF with so many points."""
        if self.points is not None and len(self.points) == count:
            return self.points
        share: Floats = np.linspace(0, 1, count)
        if self.ratio != 1.0:
            share = np.expm1(share * math.log(self.ratio)) / (self.ratio - 1)
        points = self.low + (self.high - self.low) * share
        points[-1] = self.high
        return points


class Asked(NamedTuple):
    """A question by which forecasts are read. ``history``: lists of options with their times."""

    id: str
    kind: QuestionType
    options: list[str]
    history: Sequence[tuple[pd.Timestamp, list[str]]]
    scale: Scale | None


def own_id(given: str) -> str:
    """Return an id of the file, written one way."""
    return whole_number(given) or given.strip()


def ledger_id(given: str, prefix: str = PREFIX) -> str:
    """Return the ledger's id for one of the file, which is a number or, if ours, a slug."""
    number = whole_number(given)
    return f"{prefix}{number}" if number else given.strip()


def read_questions(table: Table, made: Table, reading: Reading) -> dict[str, Asked | None]:
    """Return the questions by the file's own id, None for one that is left out, and add them.

    Bad cells are noted in the table. ``made``: the forecasts.
    """
    _fill_in_times(table, made, reading)
    posts = Counter(post for post in table.frame["Post ID"] if post)
    found: dict[str, Asked | None] = {}
    for row, item in enumerate(rows_of(table.frame)):
        wrong = partial(table.wrong, row)
        own = own_id(item["Question ID"])
        kind = _TYPES.get(item["Question Type"].strip().lower())
        if not own or own in found:
            wrong("Question ID", own, "given and unique")
            continue
        if kind is None:
            wrong("Question Type", item["Question Type"], "one of " + ", ".join(_TYPES))
            continue
        opens, closes = item[_OPENS], item[_CLOSES]
        if reason := _unusable(opens, closes):
            found[own] = None
            reading.leave_out(table.place(row), _title(item), reason)
            continue
        options, history = _options(table, row, item) if kind == "multiple_choice" else ([], [])
        scale = _scale(table, row, item, kind) if kind.is_quantitative else None
        limits.require_name(own, "The Question ID")
        found[own] = asked = Asked(ledger_id(own), kind, options, history, scale)
        post = item["Post ID"].strip()
        of_group = post and (item["Label"].strip() or posts[item["Post ID"]] > 1)
        low, high = (item[name].strip() for name in ("Lower Bound", "Upper Bound"))
        actual, reveal = item["Actual Close Time"], item["CP Reveal Time"]
        cells = {
            "question_id": asked.id,
            "title": _title(item),
            "type": str(kind),
            "options": options or None,
            "lower_bound": "" if scale is None else _bound(low, scale.low, kind),
            "upper_bound": "" if scale is None else _bound(high, scale.high, kind),
            "open_time": opens,
            "scheduled_close_time": closes,
            "actual_close_time": actual if actual <= closes else None,
            "spot_time": reveal if reveal > opens else None,
            "resolution": item["Resolution"],
            "known_at": item["Resolution Known Time"] if item["Resolution"].strip() else None,
            "family": ledger_id(post, POST_PREFIX) if of_group else "",
            "tags": _tags(table, row, item) or None,
        }
        number = whole_number(post)
        address = f"{ADDRESS}{number}/" if number else item["Question URL"].strip()
        reading.question(table.place(row), cells, platform_id=own, url=address)
    return found


def _fill_in_times(table: Table, made: Table, reading: Reading) -> None:
    """Fill in the times of a file that has no column for them, as old ones are."""
    frame = table.frame
    if _OPENS not in table.header:
        first = made.frame.groupby("Question ID")["Start Time"].min()
        frame[_OPENS] = frame["Post Published Time"].fillna(frame["Question ID"].map(first))
        reading.note(
            f"{table.path.name} has no opening times: each question opens when it was published, "
            "or else with its first forecast."
        )
    if _CLOSES not in table.header:
        frame[_CLOSES] = frame["Actual Close Time"].fillna(frame["Resolution Known Time"])
        reading.note(
            f"{table.path.name} has no scheduled close times: the actual close counts, or else the "
            "time at which the outcome was known."
        )


def _unusable(opens: Any, closes: Any) -> str:
    """Return why a question with these times cannot be scored; '' if it can."""
    if pd.isna(opens):
        return "it has no opening time, as a draft"
    if pd.isna(closes):
        return "it has no scheduled close, as a draft"
    return "it closes before it opens" if opens >= closes else ""


def _title(item: Mapping[str, Any]) -> str:
    """Return a question's title; one of a group has its label in it."""
    title, label = item["Question Title"].strip(), item["Label"].strip()
    if label and label.casefold() not in title.casefold():
        title = f"{title} ({label})"
    return title or ledger_id(item["Question ID"])


def _tags(table: Table, row: int, item: Mapping[str, Any]) -> list[str]:
    """Return the question's categories and its tournament."""
    tags = texts(table, row, "Categories", item["Categories"])
    project = item["Default Project"].strip()
    return tags + [project] * (project not in ("", PROJECT, *tags))


def _options(
    table: Table, row: int, item: Mapping[str, Any]
) -> tuple[list[str], list[tuple[pd.Timestamp, list[str]]]]:
    """Return every option there ever was, the catch-all last, and the lists over time."""
    history = _history(table, row, item["MC Options History"])
    column = next((name for name in _OPTIONS if item[name].strip()), "")
    if not column:
        table.wrong(row, _OPTIONS[0], "", "the options of a multiple_choice question")
    elif column != "MC Options History":
        return texts(table, row, column, item[column]), history
    each = dict.fromkeys(one for _, options in history for one in options[:-1])
    return [*each, *(history[0][1][-1:] if history else ())], history


def _history(table: Table, row: int, text: str) -> list[tuple[pd.Timestamp, list[str]]]:
    """Return the lists of options with the times from which they held."""
    column = "MC Options History"
    found = []
    try:
        for since, options in literal(table, row, column, text) or ():
            at = pd.Timestamp(read_time(since if len(since) > 19 else f"{since}+00:00"))
            if not options or not all(isinstance(one, str) for one in options):
                raise ValueError(options)
            found.append((at, list(options)))
    except (ValueError, TypeError, AttributeError, BadInput):
        table.wrong(row, column, text, "a list of times with the options from then on")
        return []
    return found


def _bound(stated: str, number: float, kind: QuestionType) -> str:
    """Return a bound as the file states it, without the '.0' of a whole number."""
    if stated:
        return stated.removesuffix(".0")
    if kind == QuestionType.date:
        return iso_day_or_time(pd.Timestamp(number, unit="s", tz="UTC").to_pydatetime())
    return format_figure(float(f"{number:.15g}"))


def _scale(table: Table, row: int, item: Mapping[str, Any], kind: QuestionType) -> Scale | None:
    """Return the scale of a question; None if it has none, or a bad one, which is noted."""
    column = "Continuous Range"
    is_numeric = kind == QuestionType.numeric
    listed = numbers(table, row, column, item[column]) if is_numeric else []
    bounds = _bounds(table, row, item, kind)
    if bounds is None:
        return None
    low, high, ratio = bounds
    if fault := bounds_fault(low, high):
        table.wrong(row, "Upper Bound", item["Upper Bound"], f"{fault}.")
        return None
    points = np.array(listed)
    if listed:
        ends_fit = np.allclose(points[[0, -1]], (low, high), rtol=0, atol=_EVEN * (high - low))
        if len(points) < 3 or not (np.diff(points) > 0).all() or not ends_fit:
            rule = "numbers that rise from the lower to the upper bound"
            table.wrong(row, column, item[column], rule)
            return None
        points[[0, -1]] = low, high
        ratio = _ratio(points[len(points) // 2], low, high, _EVEN) if len(points) % 2 else ratio
    elif kind == QuestionType.date and item[column]:
        days = texts(table, row, column, item[column])
        if len(days) % 2:
            # Days only, so a middle that is off by one is of an even scale.
            middle = figure_to_float(days[len(days) // 2], kind)
            ratio = _ratio(middle, low, high, 1.5 * _DAY / (high - low))
    return Scale(low, high, ratio, points if listed else None)


def _bounds(
    table: Table, row: int, item: Mapping[str, Any], kind: QuestionType
) -> tuple[float, float, float] | None:
    """Return the bounds and the ratio that old files state; None if there are none."""
    if item["Lower Bound"].strip() or not item["Scaling"].strip():
        numbers = []
        for column in ("Lower Bound", "Upper Bound"):
            try:
                numbers.append(figure_to_float(item[column].strip(), kind))
            except (ValueError, LedgerError):
                table.wrong(row, column, item[column], f"the bound of a {kind} question")
                return None
        return numbers[0], numbers[1], 1.0
    scaling = literal(table, row, "Scaling", item["Scaling"])
    try:
        low, high = float(scaling["Range Min"]), float(scaling["Range Max"])
        zero = scaling.get("Zero Point")
        return low, high, 1.0 if zero is None else (high - zero) / max(low - zero, 1e-7)
    except (TypeError, KeyError, ValueError, AttributeError):
        if row not in table.noted["Scaling"]:
            table.wrong(row, "Scaling", item["Scaling"], "an object with Range Min and Range Max")
        return None


def _ratio(middle: float, low: float, high: float, even: float) -> float:
    """Return the ratio of the steps of a scale from its middle, 1 for equal steps."""
    share = (middle - low) / (high - low)
    if abs(share - 0.5) <= even or not 0 < share < 1:
        return 1.0
    return float((1 / share - 1) ** 2)
