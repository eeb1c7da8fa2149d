"""question_data.csv of a Metaculus export: its questions as the ledger's, and how CDFs are spaced.

"Question ID" is not the number in a question's address; that is "Post ID".
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache, partial
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from forecasts.common import limits
from forecasts.common.errors import BadInput, LedgerError
from forecasts.common.times import iso_day_or_time, read_time
from forecasts.common.vocabulary import QuestionType
from forecasts.folder.tables import Table
from forecasts.platforms.python_literals import literal, number_lists, texts, whole_number
from forecasts.platforms.record import LeftOut
from forecasts.values.outcomes import (
    NOT_SCORED,
    bounds_fault,
    figure_to_float,
    format_figure,
    read_outcome,
)
from forecasts.values.outline import Outline
from scoring.arrays import Floats

KINDS = {
    "Question ID": "text",
    "Question URL": "text",
    "Question Title": "text",
    "Post ID": "text",
    "Post Published Time": "time",
    "Default Project": "text",
    "Categories": "text",
    "Label": "text",
    "Question Type": "text",
    "MC Options": "text",
    "MC Options (Current)": "text",
    "MC Options (All)": "text",
    "MC Options History": "text",
    "Scaling": "text",
    "Lower Bound": "text",
    "Upper Bound": "text",
    "Continuous Range": "text",
    "Open Time": "time",
    "CP Reveal Time": "time",
    "Scheduled Close Time": "time",
    "Actual Close Time": "time",
    "Resolution": "text",
    "Resolution Known Time": "time",
}
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
_TOGETHER = 2_000  # rows that are texts of Python's at a time
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


@dataclass
class Questions:
    """The questions of a file.

    ``asked``: by the file's own id; None for one that is left out. ``columns``: those of the
    ledger's questions, aligned with ``origins``.
    """

    asked: dict[str, Asked | None]
    columns: dict[str, Any]
    origins: dict[str, list[str]]
    left_out: list[LeftOut] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def own_id(given: str) -> str:
    """Return an id of the file, written one way."""
    return whole_number(given) or given.strip()


def ledger_id(given: str, prefix: str = PREFIX) -> str:
    """Return the ledger's id for one of the file, which is a number or, if ours, a slug."""
    number = whole_number(given)
    return f"{prefix}{number}" if number else given.strip()


def read_questions(table: Table, first_forecasts: Callable[[], Mapping[str, Any]]) -> Questions:
    """Return the questions; bad cells are noted in the table.

    ``first_forecasts`` returns the time of each question's first forecast by the file's id. It is
    asked in a file without opening times, as old ones are.
    """
    frame = table.frame
    opens, closes, notes = _windows(table, first_forecasts)
    reasons = _never_open(opens, closes)
    scales = _scales(table)
    posts = Counter(post for post in frame["Post ID"].tolist() if post)
    columns: dict[str, Any] = {}
    kept: list[int] = []
    found = Questions({}, columns, {"question_id": [], "platform_id": [], "url": []}, notes=notes)
    for row, item in enumerate(_items(frame)):
        wrong = partial(table.wrong, row)
        own = own_id(item["Question ID"])
        kind = _TYPES.get(item["Question Type"].strip().lower())
        if not own or own in found.asked:
            wrong("Question ID", own, "given and unique")
            continue
        if kind is None:
            wrong("Question Type", item["Question Type"], "one of " + ", ".join(_TYPES))
            continue
        if reason := reasons[row]:
            found.asked[own] = None
            found.left_out.append(LeftOut(table.place(row), _title(item), reason))
            continue
        options, history = _options(table, row, item) if kind == "multiple_choice" else ([], [])
        scale = scales.get(row)
        limits.require_name(own, "The Question ID")
        asked = Asked(ledger_id(own), kind, options, history, scale)
        found.asked[own] = asked
        post = item["Post ID"].strip()
        of_group = post and (item["Label"].strip() or posts[item["Post ID"]] > 1)
        low, high = (item[name].strip() for name in ("Lower Bound", "Upper Bound"))
        cells = {
            "question_id": asked.id,
            "title": _title(item),
            "type": str(kind),
            "options": options or None,
            "lower_bound": "" if scale is None else _bound(low, scale.low, kind),
            "upper_bound": "" if scale is None else _bound(high, scale.high, kind),
            "resolution": _outcome(table, row, item["Resolution"], asked),
            "family": ledger_id(post, POST_PREFIX) if of_group else "",
            "tags": _tags(table, row, item) or None,
        }
        for name, value in cells.items():
            columns.setdefault(name, []).append(value)
        kept.append(row)
        number = whole_number(post)
        address = item["Question URL"].strip()
        found.origins["question_id"].append(asked.id)
        found.origins["platform_id"].append(own)
        found.origins["url"].append(f"{ADDRESS}{number}/" if number else address)
    actual, reveal = frame["Actual Close Time"], frame["CP Reveal Time"]
    times = {
        "open_time": opens,
        "scheduled_close_time": closes,
        "actual_close_time": actual.where(actual <= closes),
        "spot_time": reveal.where(reveal > opens),
        "known_at": frame["Resolution Known Time"].where(frame["Resolution"].str.strip() != ""),
    }
    columns |= {name: each.iloc[kept].reset_index(drop=True) for name, each in times.items()}
    return found


def _items(frame: pd.DataFrame) -> Iterator[dict[str, str]]:
    """Yield the texts of the rows one by one, without the long lists of the continuous ranges."""
    names = [name for name, kind in KINDS.items() if kind == "text" and name != "Continuous Range"]
    for start in range(0, len(frame), _TOGETHER):
        some = frame.iloc[start : start + _TOGETHER]
        cells = (some[name].array.to_numpy(object) for name in names)
        for row in zip(*cells, strict=True):
            yield dict(zip(names, row, strict=True))


def _windows(
    table: Table, first_forecasts: Callable[[], Mapping[str, Any]]
) -> tuple[pd.Series[Any], pd.Series[Any], list[str]]:
    """Return the opening and the scheduled close of each row, and a note on each guess."""
    frame, notes = table.frame, []
    opens, closes = frame["Open Time"], frame["Scheduled Close Time"]
    if "Open Time" not in table.header:
        first = first_forecasts()
        opens = frame["Post Published Time"].fillna(
            pd.Series([first.get(one, pd.NaT) for one in frame["Question ID"]], dtype=opens.dtype)
        )
        notes.append(
            f"{table.path.name} has no opening times: each question opens when it was published, "
            "or else with its first forecast."
        )
    if "Scheduled Close Time" not in table.header:
        closes = frame["Actual Close Time"].fillna(frame["Resolution Known Time"])
        notes.append(
            f"{table.path.name} has no scheduled close times: the actual close counts, or else the "
            "time at which the outcome was known."
        )
    return opens, closes, notes


def _never_open(opens: pd.Series[Any], closes: pd.Series[Any]) -> list[str]:
    """Return why each question has no time to be scored; '' if it has."""
    rules = {
        "it has no opening time, as a draft": opens.isna(),
        "it has no scheduled close, as a draft": closes.isna(),
        "it closes before it opens": opens >= closes,
    }
    return list(np.select(list(rules.values()), list(rules), "").tolist())


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
    for column in ("MC Options (All)", "MC Options History", "MC Options (Current)", "MC Options"):
        if not item[column].strip():
            continue
        if column == "MC Options History":
            each = dict.fromkeys(one for _, options in history for one in options[:-1])
            options = [*each, *(history[0][1][-1:] if history else ())]
        else:
            options = texts(table, row, column, item[column])
        if row in table.noted[column]:
            return [], []
        if len(options) < 2 or len(set(options)) < len(options):
            table.wrong(row, column, item[column], "at least two options, all different")
            return [], []
        if any(option.strip().casefold() in NOT_SCORED for option in options):
            rule = f"without an option named {' or '.join(NOT_SCORED)}, outcomes of any question"
            table.wrong(row, column, item[column], rule)
            return [], []
        return options, history
    table.wrong(row, "MC Options (All)", "", "the options of a multiple_choice question")
    return [], []


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


def _outcome(table: Table, row: int, text: str, asked: Asked) -> str:
    """Return the resolution as the ledger stores it; '' without one."""
    if not text.strip() or (asked.kind == QuestionType.multiple_choice and not asked.options):
        return ""
    try:
        return read_outcome(text, _outline(asked.kind, tuple(asked.options)))
    except LedgerError as error:
        table.wrong(row, "Resolution", text, error.remedy)
        return ""


@lru_cache
def _outline(kind: QuestionType, options: tuple[str, ...]) -> Outline:
    return Outline(type=kind, options=list(options))


def _bound(stated: str, number: float, kind: QuestionType) -> str:
    """Return a bound as the file states it, without the '.0' of a whole number."""
    if stated:
        return stated.removesuffix(".0")
    if kind == QuestionType.date:
        return iso_day_or_time(pd.Timestamp(number, unit="s", tz="UTC").to_pydatetime())
    return format_figure(float(f"{number:.15g}"))


def _scales(table: Table) -> dict[int, Scale]:
    """Return the scale of each row with bounds; bad ones are noted."""
    frame, column = table.frame, "Continuous Range"
    found: dict[int, Scale] = {}
    kinds = [_TYPES.get(kind.strip().lower()) for kind in frame["Question Type"]]
    is_numeric = np.array([kind == QuestionType.numeric for kind in kinds], dtype=bool)
    listed = number_lists(table, column, frame[column][is_numeric & (frame[column] != "")])
    points = dict(zip(listed.rows.tolist(), listed.each(), strict=True))
    wanted = [row for row, kind in enumerate(kinds) if kind is not None and kind.is_quantitative]
    for row, item in zip(wanted, _items(frame.iloc[wanted]), strict=True):
        kind = kinds[row]
        assert kind is not None
        bounds = _bounds(table, row, item, kind)
        if bounds is None:
            continue
        low, high, ratio = bounds
        if fault := bounds_fault(low, high):
            table.wrong(row, "Upper Bound", item["Upper Bound"], f"{fault}.")
            continue
        own = points.get(row)
        if own is not None:
            ends_fit = np.allclose(own[[0, -1]], (low, high), rtol=0, atol=_EVEN * (high - low))
            if len(own) < 3 or not (np.diff(own) > 0).all() or not ends_fit:
                rule = "numbers that rise from the lower to the upper bound"
                table.wrong(row, column, frame[column].iloc[row], rule)
                continue
            own[[0, -1]] = low, high
            ratio = _ratio(own[len(own) // 2], low, high, _EVEN) if len(own) % 2 else ratio
        elif kind == QuestionType.date and frame[column].iloc[row]:
            days = texts(table, row, column, frame[column].iloc[row])
            if len(days) % 2:
                # Days only, so a middle that is off by one is of an even scale.
                middle = figure_to_float(days[len(days) // 2], kind)
                ratio = _ratio(middle, low, high, 1.5 * _DAY / (high - low))
        found[row] = Scale(low, high, ratio, own)
    return found


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
