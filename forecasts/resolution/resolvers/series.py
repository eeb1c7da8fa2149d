"""Resolver kind ``series``: evaluate an expression on a column of numbers over time.

The series is CSV with a header, or JSON, in a file or at a URL. An expression such as
``max(value) >= 145 between open and close`` gives yes or no for a binary question, and a number
without its comparison for a numeric one.

It is never decided early or on incomplete data (docs/resolving.md has the rules). A result that
later rows cannot change is decided by the row that made it so. Any other result, above all a "no",
has to wait until the window and ``settle_days`` have passed, a row at the end of the window or
later shows that the earlier ones are published, and no gap is longer than usual or than
``gap_days``. If the next row is long overdue, a person is needed.

    expression   one of max min mean sum first last count, and a column in parentheses;
                 for a binary question, a comparison with a number;
                 optionally a window (default: between open and close)
    window       between MOMENT and MOMENT, the first included, the second excluded
    moment       open, close, resolve, a day (2026-01-31) or a time with an offset

An expression is never evaluated as code.
"""

from __future__ import annotations

import math
import operator
import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field

from forecasts.common.errors import BadInput, CannotTell, LedgerError, Remedy
from forecasts.common.times import iso, read_time, utc
from forecasts.common.vocabulary import QuestionType
from forecasts.resolution.resolvers import parsing, protocol
from forecasts.resolution.resolvers.protocol import Asked, Fetch, Finding, Kind, Seen

_OVERDUE = 2  # times the longest pause between two rows
_USUAL = 6  # a pause is usual if one in six is as long: a weekend is one in five
_GAP = 1.75  # times the usual pause: more than Easter to weekends, less than a missing month


def _expression(text: str) -> str:
    try:
        read_expression(text)
    except LedgerError as error:
        raise ValueError(str(error)) from None
    return text


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        raise ValueError("is not a time zone such as UTC or America/New_York") from None
    return name


class Settings(protocol.Settings):
    """A series of numbers over time, and the expression that decides."""

    source: protocol.Source = Field(min_length=1, description="a file or an https address")
    expression: Annotated[str, AfterValidator(_expression)] = Field(
        description="what decides, for example: max(value) >= 145 between open and close"
    )
    time: str = Field(default="date", description="the column with the time")
    rows: Annotated[str, AfterValidator(parsing.checked_path)] | None = Field(
        default=None, description="JMESPath to the list of rows in a JSON document"
    )
    zone: Annotated[str, AfterValidator(_zone)] = Field(
        default="UTC", description="the time zone of times without an offset"
    )
    missing: tuple[str, ...] = Field(
        default=("", ".", "NA", "NaN", "null", "None"), description="the cells that mean: no value"
    )
    settle_days: protocol.Days = Field(
        default=0, description="days to wait after the window, for rows added or corrected late"
    )
    gap_days: protocol.Days = Field(
        default=0, description="days that may be missing within the window and at its end"
    )


def fits(asked: Asked, settings: Settings) -> None:
    """Refuse an expression whose result the question cannot have as its outcome."""
    expression = read_expression(settings.expression)
    yes_or_no = expression.comparison is not None
    if yes_or_no != (asked.type == QuestionType.binary) or (
        not yes_or_no and asked.type != QuestionType.numeric
    ):
        raise BadInput(
            f"{settings.expression!r} gives {'yes or no' if yes_or_no else 'a number'}, but "
            f"{asked.slug!r} is a {asked.type} question.",
            remedy="Use a comparison for a binary question, and none for a numeric one.",
        )
    start, end = expression.window(asked)
    if start >= end:
        raise BadInput(
            f"The window of {settings.expression!r} ends before it begins.",
            remedy="Put its start first.",
        )


def not_before(asked: Asked, settings: Settings) -> datetime:
    """Return the start of the window if a single row can decide, otherwise its end."""
    expression = read_expression(settings.expression)
    start, end = expression.window(asked)
    return start if expression.lasting is not None else end + timedelta(days=settings.settle_days)


def look(asked: Asked, settings: Settings, now: datetime, fetch: Fetch) -> Finding | None:
    """Return the result of the series, None while it can still change."""
    expression = read_expression(settings.expression)
    start, end = expression.window(asked)
    if start >= end:
        raise CannotTell(
            f"The window of {settings.expression!r} ends before it begins.",
            remedy="The question was reworded: set its resolver again.",
        )
    if now < start:
        return None
    seen = fetch(settings.source)
    # Parsed once in a run.
    how = (settings.rows, settings.time, expression.column, settings.zone, settings.missing)
    series = seen.once(how, lambda: _rows(seen, expression, settings))
    found = _decided(asked, settings, now, seen, series)
    if series.unfinished is not None:
        counted = _Series(sorted([*series.rows, series.unfinished]), series.blank)
        if _decided(asked, settings, now, seen, counted) != found:
            raise parsing.unfinished(seen.address, asked.slug)
    return found


KIND = Kind(Settings, look, measured=True, fits=fits, not_before=not_before)


def _decided(
    asked: Asked, settings: Settings, now: datetime, seen: Seen, series: _Series
) -> Finding | None:
    """Return the result of the rows, None while it can still change."""
    expression = read_expression(settings.expression)
    start, end = expression.window(asked)
    known = [(at, value) for at, value in series.rows if at <= now]
    inside = [(at, value) for at, value in known if start <= at < end]
    lasting = expression.lasting
    if lasting is not None:
        for count, (at, value) in enumerate(inside, 1):
            # One row can move a maximum or a minimum; only a count needs the rows before it.
            if expression.compares(count if expression.function == "count" else value) is lasting:
                note = f"{expression.column} was {value!r} on {iso(at)}"
                return _answer(lasting, at, note, seen)
    if now < end + timedelta(days=settings.settle_days):
        return None
    newest = known[-1][0] if known else None
    if newest is None or newest < end - timedelta(days=settings.gap_days):
        pauses = (later - before for (before, _), (later, _) in pairwise(known))
        longest = max(pauses, default=timedelta())
        if newest is not None and now < newest + _OVERDUE * longest:
            return None
        ends = f"ends on {iso(newest)}" if newest else "has no row with a value up to now"
        raise CannotTell(
            f"The series {seen.address} {ends}, and the window ends on {iso(end)}: the missing "
            "rows could decide.",
            remedy="Wait for a row at the end or later, allow the gap by gap_days, or resolve by "
            "hand.",
            temporary=True,
        )
    gap = _gap([at for at, _ in known], series.blank, start, end, settings)
    if gap is not None:
        raise CannotTell(
            f"The series {seen.address} has no value between {iso(gap[0])} and {iso(gap[1])}: "
            "the missing rows could decide.",
            remedy="Wait until they are added, allow the gap by gap_days, or resolve by hand.",
            temporary=True,
        )
    values = [value for _, value in inside]
    if not values and expression.function not in ("count", "sum"):
        raise CannotTell(
            f"The series {seen.address} has no value between {iso(start)} and {iso(end)}.",
            remedy="Choose a window in which it has values, or resolve by hand.",
        )
    result = expression.value(values)
    note = f"{expression.function}({expression.column}) of {len(values)} rows is {result!r}"
    if expression.comparison is None:
        return Finding(repr(result), end, seen.address, note, (seen,))
    return _answer(expression.compares(result), end, note, seen)


def _answer(true: bool, known_at: datetime, note: str, seen: Seen) -> Finding:
    return Finding("yes" if true else "no", known_at, seen.address, note, (seen,))


def _gap(
    times: Sequence[datetime],
    blank: Sequence[datetime],
    start: datetime,
    end: datetime,
    settings: Settings,
) -> tuple[datetime, datetime] | None:
    """Return the start and end of the first gap in the window, or None.

    A usual pause takes at least three rows: with two, the only pause would be its own measure.
    """
    pauses = list(pairwise(times))
    lengths = sorted((later - before for before, later in pauses), reverse=True)
    usual = lengths[max(1, len(lengths) // _USUAL)] if len(lengths) > 1 else timedelta()
    allowed = timedelta(days=settings.gap_days)
    if times[0] - start > allowed and times[0] - start >= usual:
        return start, times[0]
    blank = [at for at in blank if start <= at < end]
    for before, later in [(start, times[0]), *pauses]:
        if later <= start or before >= end:
            continue
        without_value = bisect_right(blank, before) < bisect_left(blank, later)
        if later - before > (allowed if without_value else max(allowed, _GAP * usual)):
            return before, later
    return None


@dataclass(frozen=True)
class _Series:
    """The rows with a value as (time, value), and the times of those without one; both sorted.

    ``unfinished``: a last row without a line end, which may go on.
    """

    rows: list[tuple[datetime, float]]
    blank: list[datetime]
    unfinished: tuple[datetime, float] | None = None


def _rows(seen: Seen, expression: Expression, settings: Settings) -> _Series:
    zone, columns = ZoneInfo(settings.zone), (settings.time, expression.column)
    found: dict[datetime, float] = {}
    blank: set[datetime] = set()
    unfinished = None
    for row in parsing.rows_of(seen, seen.address, columns, settings.rows):
        if row.unfinished:
            with suppress(CannotTell, KeyError):
                at, cell = (row.cells[column] for column in columns)
                unfinished = _time(at, zone, row.place), _number(cell, row.place, columns[1])
            continue
        if row.wrong:
            raise row.wrong
        try:
            at, cell = (row.cells[column] for column in columns)
        except KeyError as missing:
            raise parsing.changed(f"{row.place} has no {missing}.") from None
        if str(cell).strip() in settings.missing:
            with suppress(CannotTell):  # a note below the rows has no time
                blank.add(_time(at, zone, row.place))
            continue
        moment, value = _time(at, zone, row.place), _number(cell, row.place, columns[1])
        if found.setdefault(moment, value) != value:
            raise parsing.changed(
                f"{row.place} has {value!r} for {iso(moment)}, another row has {found[moment]!r}."
            )
    return _Series(sorted(found.items()), sorted(blank.difference(found)), unfinished)


def _time(cell: Any, zone: ZoneInfo, place: str) -> datetime:
    try:
        read = datetime.fromisoformat(str(cell).strip())
        return utc(read if read.tzinfo is not None else read.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise parsing.changed(
            f"{place} has {str(cell)[:40]!r} as its time, which is not a time."
        ) from None


def _number(cell: Any, place: str, column: str) -> float:
    try:
        value = math.nan if isinstance(cell, bool) else float(cell)
    except (TypeError, ValueError, OverflowError):
        value = math.nan
    if not math.isfinite(value):
        raise parsing.changed(
            f"{place} has {str(cell)[:40]!r} as {column!r}, which is not a number."
        )
    return value


FORM = "max(value) >= 145 between open and close"

_FORM = re.compile(
    r"(?P<function>max|min|mean|sum|first|last|count)\s*\(\s*(?P<column>[^()\s](?:[^()]*[^()\s])?)\s*\)"
    r"(?:\s*(?P<comparison>>=|<=|==|>|<)\s*(?P<bound>[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?))?"
    r"(?:\s+between\s+(?P<start>\S+)\s+and\s+(?P<end>\S+))?",
    re.IGNORECASE,
)
_COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    ">=": operator.ge, "<=": operator.le, "==": operator.eq, ">": operator.gt, "<": operator.lt,
}  # fmt: skip
_FUNCTIONS: dict[str, Callable[[Sequence[float]], float]] = {
    "count": lambda values: float(len(values)),
    "mean": lambda values: math.fsum(values) / len(values),
    "sum": math.fsum,
    "first": operator.itemgetter(0),
    "last": operator.itemgetter(-1),
    "max": max,
    "min": min,
}


@dataclass(frozen=True)
class Expression:
    """A parsed expression; ``comparison`` and ``bound`` are None if its value is a number."""

    function: str
    column: str
    comparison: str | None
    bound: float | None
    start: str
    end: str

    def window(self, asked: Asked) -> tuple[datetime, datetime]:
        """Return the start, included, and the end, excluded."""
        return _moment(self.start, asked), _moment(self.end, asked)

    def value(self, values: Sequence[float]) -> float:
        """Return the value of the function on the values in the window, oldest first."""
        return _FUNCTIONS[self.function](values)

    def compares(self, value: float) -> bool:
        """Return whether the comparison holds for that value."""
        assert self.comparison is not None
        assert self.bound is not None
        return _COMPARISONS[self.comparison](value, self.bound)

    @property
    def lasting(self) -> bool | None:
        """The comparison's result that no later value can change; None if any result can change.

        A maximum that has reached its bound stays there (True); one that has exceeded an upper
        bound stays above it (False).
        """
        if self.comparison in (None, "==") or self.function not in ("max", "count", "min"):
            return None
        return (self.comparison in (">=", ">")) is (self.function != "min")


def read_expression(text: str) -> Expression:
    """Return the parsed expression; BadInput shows the form of one.

    >>> read_expression("min(price) < 2.5").lasting
    True
    """
    found = _FORM.fullmatch(text.strip())
    if found is None:
        raise BadInput(f"{text!r} is not a series expression.", remedy=f"Example: {FORM}.")
    bound = None if found["bound"] is None else float(found["bound"])
    if bound is not None and not math.isfinite(bound):
        raise BadInput(f"{found['bound']!r} in {text!r} is too large a number.")
    start, end = found["start"] or "open", found["end"] or "close"
    for moment in (start, end):
        if moment not in ("open", "close", "resolve"):
            read_time(moment)
    return Expression(
        found["function"].lower(), found["column"], found["comparison"], bound, start, end
    )


def _moment(word: str, asked: Asked) -> datetime:
    if word == "open":
        return asked.open_time
    if word == "close":
        return asked.scheduled_close_time
    if word != "resolve":
        return read_time(word)
    if asked.scheduled_resolve_time is None:
        raise CannotTell(
            f"{asked.slug!r} has no scheduled resolve time, which its resolver needs.",
            remedy=Remedy("To set it: {}", "revise", asked.slug, resolves="TIME"),
        )
    return asked.scheduled_resolve_time
