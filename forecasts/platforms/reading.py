"""The walk that all readers share: from a file's rows to questions and forecasts.

A reader declares the columns of its CSV (``Column``) or the fields of its JSON (``Field``). It
hands what it reads to a ``Reading``, which keeps each part's place, the faults, the omissions
and the notes, and returns them as a ``PlatformRecord``.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from forecasts.common import limits
from forecasts.common.errors import Advice, Problem
from forecasts.common.text import counted, unstorable_character
from forecasts.folder import cells
from forecasts.folder.cells import BadCell
from forecasts.folder.frames import (
    FORECAST_COLUMNS,
    MODEL_COLUMNS,
    QUESTION_COLUMNS,
    TIME_DTYPE,
    rows,
    typed_frame,
)
from forecasts.folder.tables import Table
from forecasts.platforms.handles import account_handles, apart
from forecasts.platforms.record import (
    ORIGIN_COLUMNS,
    PRINTED_COLUMNS,
    LeftOut,
    PlatformRecord,
    frames_of,
)
from forecasts.platforms.source import AS_WRITTEN, JSON_BYTES, Source
from forecasts.platforms.times import FORM, local_times, window_note, windows

NAMELESS = "required: it names the question"
_NO_PLACE = "a ledger has no place for these columns"
_REMEDIES = {
    FORM: "Format the dates as yyyy-mm-dd in your spreadsheet, and save it as CSV again.",
    NAMELESS: "If a cell is merged with those below, separate them and repeat it in each row.",
}


@dataclass
class Reading:
    """The findings of a reader so far.

    Rows of ``questions`` and ``forecasts`` have the ledger's columns, and their ``place``; those of
    questions have the columns of origins too.
    """

    platform: str
    problems: list[Problem] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)
    notes: list[Advice] = field(default_factory=list)
    questions: list[dict[str, Any]] = field(default_factory=list)
    forecasts: list[dict[str, Any]] = field(default_factory=list)
    printed: list[dict[str, Any]] = field(default_factory=list)
    bots: set[str] = field(default_factory=set)

    def entries(
        self, source: Source, lists: Collection[str] = (), *, most_bytes: int = JSON_BYTES
    ) -> Iterator[Entry]:
        """Yield the objects of the JSON files (see ``Source.records``), which share the faults."""
        for name in source.json_files:
            for number, fields in source.records(name, lists, most_bytes=most_bytes):
                yield Entry(f"{name}, record {number:,}", fields, self.problems)

    def question(self, place: str, cells: Mapping[str, Any]) -> None:
        """Add a question, with its origin: by default, its id without the platform's prefix."""
        own = str(cells["question_id"]).removeprefix(f"{self.platform}-")
        self.questions.append({"platform_id": own, **cells, "place": place})

    def forecast(self, place: str, cells: Mapping[str, Any]) -> None:
        """Add a forecast; its cells may be those of its model too."""
        self.forecasts.append({**cells, "place": place})

    def leave_out(self, place: str, value: str, reason: str) -> None:
        """Note a part of the file that is not imported."""
        self.left_out.append(LeftOut(place, value, reason))

    def note(self, text: Advice) -> None:
        """Add a sentence on a decision; '' adds none."""
        if text:
            self.notes.append(text)

    def name_forecasters(
        self, names: Mapping[str, str], title: str, owner: str, *, mine: str = ""
    ) -> None:
        """Replace the account of each forecast by its handle: the owner's if there is only one.

        ``names``: the name of each account on the platform; ``title``: the platform's name.
        ``mine``: the owner's account, if the file tells.
        """
        ids = dict.fromkeys(one["forecaster"] for one in self.forecasts)
        others = {id_: names.get(id_) or id_ for id_ in ids if id_ and id_ != mine}
        handles = {"": owner, mine: owner} | dict.fromkeys(others, owner)
        if mine or len(ids) > 1:
            handles |= account_handles(others, title, self.notes)
            unnamed = counted(
                sum(not one["forecaster"] for one in self.forecasts),
                "{n} forecast{s} {names} no account; imported as ",
            )
            self.note(unnamed and f"{unnamed}{owner}'s.")
        if mine:
            handles |= {id_: apart(handles[id_], owner, title) for id_ in others}
        for one in self.forecasts:
            one["forecaster"] = handles[one["forecaster"]]

    def close_when_due(self, zone: ZoneInfo) -> None:
        """Replace each question's ``due`` by its closes (see ``windows``), and note moved ones."""
        opened, due, resolved = (
            pd.Series([one.get(name) for one in self.questions], dtype=TIME_DTYPE)
            for name in ("open_time", "due", "resolved")
        )
        window, unusable = windows(opened, due, resolved, zone)
        for name, moments in window.items():
            for one, at in zip(self.questions, moments, strict=True):
                one[name] = at
        self.note(window_note(unusable))

    def require_sound(self, name: str) -> None:
        """Raise BadInput with every fault noted, if there are any."""
        require_sound(name, self.problems, AS_WRITTEN)

    def record(self, *, implied: bool = False, account: str = "") -> PlatformRecord:
        """Return the record of everything that was found."""
        places = {
            "questions": [one["place"] for one in self.questions],
            "forecasts": [one["place"] for one in self.forecasts],
        }
        return PlatformRecord(
            self.platform,
            frames_of(
                columns_of(self.questions, QUESTION_COLUMNS),
                columns_of(self.forecasts, FORECAST_COLUMNS),
                bots=self.bots,
                models=columns_of(self.forecasts, MODEL_COLUMNS),
                place=lambda table, row: places[table][row],
            ),
            typed_frame(columns_of(self.questions, ORIGIN_COLUMNS), ORIGIN_COLUMNS),
            typed_frame(columns_of(self.printed, PRINTED_COLUMNS), PRINTED_COLUMNS),
            implied=implied,
            left_out=self.left_out,
            notes=self.notes,
            account=account,
        )


def columns_of(rows: Sequence[Mapping[str, Any]], kinds: Mapping[str, str]) -> dict[str, list[Any]]:
    """Return the columns that some of the rows have; None in the others."""
    names = [name for name in kinds if any(name in row for row in rows)]
    return {name: [row.get(name) for row in rows] for name in names}


class Line(dict[str, Any]):
    """A row of a CSV file: its cells by column."""

    def __init__(self, table: Table, number: int, cells: Iterable[tuple[str, Any]]) -> None:
        super().__init__(cells)
        self.table, self.number = table, number

    @property
    def place(self) -> str:
        """Its place in the file."""
        return self.table.place(self.number)

    def wrong(self, column: str, rule: str, value: Any = None) -> None:
        """Note that a cell breaks a rule; ``value``: to be shown instead of the cell."""
        shown = self[column] if value is None else value
        self.table.wrong(self.number, column, shown, rule)


def lines(table: Table, frame: pd.DataFrame | None = None) -> Iterator[Line]:
    """Yield the rows of a table; ``frame``: with other cells than the table's own."""
    frame = table.frame if frame is None else frame
    names = list(map(str, frame))
    for number, row in enumerate(rows(frame)):
        yield Line(table, number, zip(names, row, strict=True))


def require_sound(name: str, problems: Collection[Problem], remedy: str = "") -> None:
    """Raise BadInput with the problems, each once, if there are any."""
    remedies = [
        each
        for rule, each in _REMEDIES.items()
        if any(one.rule.startswith(rule) for one in problems)
    ]
    subject = f"{name} breaks the format's rules"
    cells.require_sound(subject, problems, remedy=" ".join([remedy, *remedies]).strip())


PROBABILITY: Mapping[str, Any] = {"low": 0, "high": 1, "rule": "a probability from 0 to 1"}


@dataclass(frozen=True)
class Column:
    """A column of a CSV file, and the rules of its cells.

    ``kind``: one of ``folder.cells.READERS``, or "local" for a time that can lack an offset.
    ``needed``: the header must have it. ``required``: no cell is blank. ``low``, ``high``: of a
    number. ``words``: the ledger's word for each cell that it may have, in capitals. ``rule``: what
    another cell must be. ``agrees``: all rows of a question have the same.
    """

    name: str
    kind: str = "text"
    needed: bool = False
    required: bool = False
    low: float = -math.inf
    high: float = math.inf
    words: Mapping[str, str] | None = None
    rule: str = "required"
    agrees: bool = False


class Rows:
    """The rows of a CSV file, read and checked as its columns are declared.

    ``frame``: the values. ``table``: the texts as they are in the file, and the faults.
    """

    def __init__(
        self, source: Source, columns: Sequence[Column], zone: ZoneInfo | None = None
    ) -> None:
        self.columns, self._zone = columns, zone or ZoneInfo("UTC")
        kinds = {one.name: "text" if one.kind == "local" else one.kind for one in columns}
        self.table = source.table(
            source.csv_with([one.name for one in columns if one.needed]), kinds
        )
        self.frame = self.table.frame.copy(deep=False)
        for column in columns:
            self._check(column)

    def _check(self, column: Column) -> None:
        table, values = self.table, self.table.frame[column.name]
        if column.kind == "local":
            self.frame[column.name] = local_times(table, values, self._zone)
        bad = pd.Series(False, index=values.index)
        if column.kind == "number":
            bad = (values < column.low) | (values > column.high)
            if column.required:
                bad |= values.isna() & ~values.index.isin(table.noted[column.name])
        elif column.required:
            bad = values.str.strip() == ""
        elif column.words is not None:
            known = values.str.strip().str.upper()
            bad = ~known.isin(column.words)
            self.frame[column.name] = known.map(column.words)
        table.wrong_where(bad, values, column.rule)

    def require_agreement(self, keys: Sequence[str]) -> None:
        """Note rows that contradict the first one with their key."""
        for name in (one.name for one in self.columns if one.agrees):
            values = self.table.frame[name]
            first = values.groupby(pd.Series(keys), sort=False).transform("first")
            for row in np.flatnonzero(values != first).tolist():
                rule = f"{first.iloc[row]!r}, as in the first row of this question"
                self.table.wrong(row, name, values.iloc[row], rule)

    def require_sound(self) -> None:
        """Raise BadInput with every fault, in the order of the lines, if there are any."""
        require_sound(self.table.path.name, self.table.by_line())

    def __iter__(self) -> Iterator[Line]:
        """Yield the rows."""
        return lines(self.table, self.frame)

    def unused(self, *, but: Callable[[str], bool] = lambda _: False) -> list[LeftOut]:
        """Return the columns that are not read, as one omission."""
        known = {one.name for one in self.columns}
        names = [name for name in self.table.header if name not in known and not but(name)]
        return [LeftOut(self.table.path.name, ", ".join(names), _NO_PLACE)] if names else []


LAST_TIME = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
_MISSING = (None, "")
_ADDRESS = re.compile(r"https?://[^\s<>\"]+")


class Field(NamedTuple):
    """A field as a reader declares it: its name, its kind (a method of ``Entry``) and its rules."""

    name: str
    kind: str = "text"
    rules: Mapping[str, Any] = {}


REQUIRED = {"required": True}
TITLE = {"required": True, "most": limits.NAME_BYTES}
PROSE = {"most": limits.PROSE_BYTES}


@dataclass(frozen=True)
class Entry:
    """An object of a file, by its place there: 'bets.json, record 12'.

    A field that is missing, null or blank is '', NaN, None or []; ``required`` ones are then noted.
    Faults go to ``problems``, which the entries of a file share.
    """

    place: str
    fields: dict[str, Any]
    problems: list[Problem] = field(default_factory=list, repr=False)

    def __contains__(self, name: str) -> bool:
        return self.fields.get(name) not in _MISSING

    def cells(self, fields: Mapping[str, Field]) -> dict[str, Any]:
        """Return the declared fields, by the ledger's names."""
        return {
            ours: getattr(self, one.kind)(one.name, **one.rules) for ours, one in fields.items()
        }

    def wrong(self, name: str, rule: str, shown: str = "") -> None:
        """Note that a field breaks a rule."""
        value = self.fields.get(name)
        if not shown and value is not None:
            shown = value if isinstance(value, str) else repr(value)
        self.problems.append(BadCell(f"{self.place}, field {name}", shown, rule))

    def _given(self, name: str, required: bool) -> Any:
        """Return the value of a field; None for a missing one, which is noted if required."""
        if name in self:
            return self.fields[name]
        if required:
            self.wrong(name, "required")
        return None

    def text(self, name: str, *, required: bool = False, most: int = limits.TEXT_BYTES) -> str:
        """Return a text; a number is taken as its digits, since ids are either."""
        value = self._given(name, required)
        if value is None:
            return ""
        if isinstance(value, int) and not isinstance(value, bool):
            value = str(value)
        if not isinstance(value, str):
            self.wrong(name, "a text")
        elif character := unstorable_character(value):
            self.wrong(name, f"without {character}, which a ledger cannot store")
        elif len(value) * 4 > most and (size := len(value.encode())) > most:
            at_most = limits.format_bytes(most)
            self.wrong(name, f"at most {at_most}; this has {limits.format_bytes(size)}")
        else:
            return value
        return ""

    def name(self, name: str, *, required: bool = False) -> str:
        """Return an id or a handle: one line, short enough to be indexed."""
        text = self.text(name, required=required, most=limits.NAME_BYTES).strip()
        if not text.isprintable():
            self.wrong(name, "printable characters on one line")
            return ""
        return text

    def address(self, name: str) -> str:
        """Return a web address."""
        text = self.text(name, most=limits.NAME_BYTES)
        if text and not _ADDRESS.fullmatch(text):
            self.wrong(name, "an address that begins with https://")
            return ""
        return text

    def number(
        self, name: str, *, low: float = -math.inf, high: float = math.inf, required: bool = False
    ) -> float:
        """Return a finite number from ``low`` to ``high``; a text of digits is one too."""
        value = self._given(name, required)
        if value is None:
            return math.nan
        try:
            number = math.nan if isinstance(value, bool) else float(value)
        except (TypeError, ValueError, OverflowError):
            number = math.nan
        if math.isfinite(number) and low <= number <= high:
            return number + 0.0
        rule = f"from {low:g} to {high:g}" if math.isfinite(number) else "a number"
        self.wrong(name, rule)
        return math.nan

    def flag(self, name: str) -> bool:
        """Return true or false; missing is false."""
        value = self.fields.get(name)
        if value is not None and not isinstance(value, bool):
            self.wrong(name, "true, false or null")
        return value is True

    def time(
        self, name: str, *, required: bool = False, zone: ZoneInfo | None = None
    ) -> datetime | None:
        """Return an ISO 8601 time in UTC; one without an offset needs a ``zone``."""
        text = self.text(name, required=required).strip()
        if not text:
            return None
        try:
            found = datetime.fromisoformat(text)
            if found.tzinfo is None and zone is not None:
                found = found.replace(tzinfo=zone)
            if found.tzinfo is not None:
                return found.astimezone(UTC)
            rule = "a time with an offset or Z"
        except OverflowError:
            rule = "a time in the years 1 to 9999 in UTC"
        except ValueError:
            rule = "an ISO 8601 time with an offset or Z, as in 2025-10-30T14:00:00Z"
        self.wrong(name, rule)
        return None

    def values(self, name: str, kind: type, *, short: bool = True) -> list[Any]:
        """Return a list of texts, if ``short`` each as a name may be, or of objects."""
        value = self._given(name, required=False)
        if value is None:
            return []
        if not isinstance(value, list) or not all(isinstance(one, kind) for one in value):
            self.wrong(name, f"a list of {'texts' if kind is str else 'objects'}")
        elif kind is str and any(map(unstorable_character, value)):
            self.wrong(name, "texts that a ledger can store")
        elif kind is str and short and any(len(one.encode()) > limits.NAME_BYTES for one in value):
            self.wrong(name, f"texts of at most {limits.format_bytes(limits.NAME_BYTES)}")
        else:
            return value
        return []

    def entry(self, name: str) -> Entry:
        """Return the object in a field; an empty one if it is missing."""
        value = self.fields.get(name)
        if not isinstance(value, dict):
            if value is not None:
                self.wrong(name, "an object")
            value = {}
        return Entry(f"{self.place}, {name}", value, self.problems)

    def entries(self, name: str, most: int = limits.ENTRIES) -> list[Entry]:
        """Return the objects of a list in a field, at most ``most``."""
        found = self.values(name, dict)
        if len(found) > most:
            self.wrong(name, f"at most {most:,}", f"{len(found):,} entries")
            return []
        return [
            Entry(f"{self.place}, {name} {number}", value, self.problems)
            for number, value in enumerate(found, 1)
        ]


def plain_words(text: str) -> str:
    """Return the words of HTML, with a line for each paragraph; other text as it is."""
    if "<" not in text or not text.strip():
        return text.strip()
    import lxml.html  # type: ignore[import-untyped]  # slow to import

    tree = lxml.html.fromstring(f"<div>{text}</div>")
    for block in tree.iter("p", "br", "li", "div"):
        block.tail = "\n" + (block.tail or "")
    return "\n".join(filter(None, map(str.strip, tree.text_content().splitlines())))
