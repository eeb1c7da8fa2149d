"""Resolver kind ``series``: a column of numbers over time, a window, and a threshold.

The series is CSV with a header, or JSON, in a file or at a URL. An expression such as
``max(value) >= 145 between open and close`` makes the answer: yes or no of a binary question, a
number of a numeric one.

Never early and never from half of the data. What cannot change any more, such as a maximum that has
reached its bound, is decided by the row that did it, as soon as it is seen; that row then says when
the outcome became known. All else can still change, a "no" above all, and waits until

- the window is over, and ``settle_days`` more, for what is filled in or corrected later; and
- the series has gone past it: there is a row at its end or after it. A row of the last day says
  nothing of the rest of that day, and who publishes the next one has published those before it.
  ``gap_days`` lets a row do that is so much older, for a series that ends with the window; and
- it is whole: it begins with the window or before it, and leaves out no more than it usually does,
  or than ``gap_days``. A cell without a value is left out as well.

Until then it is not known; where the next row is long overdue, as the pauses between the others
go, somebody is told. A row that is dated by a day counts from the first instant of that day, in the
series' zone, so that no forecast made on it counts.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field

from forecasts.common.errors import BadInput, CannotTell, LedgerError
from forecasts.common.times import iso, utc
from forecasts.ledger.models import QuestionType
from forecasts.resolution.resolvers import documents, protocol
from forecasts.resolution.resolvers.expressions import Expression, read_expression
from forecasts.resolution.resolvers.protocol import Asked, Fetch, Finding, Seen

_OVERDUE = 2  # times the longest pause between two rows
_USUAL = 6  # a pause is usual where one of so many is as long: a weekend is one of five
_HOLE = 1.75  # times the usual pause: Easter is shorter beside weekends, a month left out is longer


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
        raise ValueError("is no time zone such as UTC or America/New_York") from None
    return name


class Settings(protocol.Settings):
    """Where the series is, what its columns are called, and what is asked of it."""

    source: protocol.Source = Field(min_length=1, description="a file or an https address")
    expression: Annotated[str, AfterValidator(_expression)] = Field(
        description="what is asked, as in: max(value) >= 145 between open and close"
    )
    time: str = Field(default="date", description="the column of the time")
    rows: Annotated[str, AfterValidator(documents.checked_path)] | None = Field(
        default=None, description="JMESPath to the list of rows, in JSON that holds more"
    )
    zone: Annotated[str, AfterValidator(_zone)] = Field(
        default="UTC", description="the zone of times that have none"
    )
    missing: tuple[str, ...] = Field(
        default=("", ".", "NA", "NaN", "null", "None"), description="what stands for no value"
    )
    settle_days: float = Field(
        default=0,
        ge=0,
        le=3650,
        description="wait so long after the window, for rows that are filled in or corrected late",
    )
    gap_days: float = Field(
        default=0,
        ge=0,
        le=3650,
        description="so much may be missing: rows within the window, and up to its end",
    )


def fits(asked: Asked, settings: Settings) -> None:
    """Refuse an expression whose answer is none that the question can have."""
    expression = read_expression(settings.expression)
    yes_or_no = expression.sign is not None
    if yes_or_no != (asked.type == QuestionType.binary) or (
        not yes_or_no and asked.type != QuestionType.numeric
    ):
        raise BadInput(
            f"{settings.expression!r} gives {'yes or no' if yes_or_no else 'a number'}, and "
            f"{asked.slug!r} is a {asked.type} question.",
            remedy="A comparison goes with a binary question, none with a numeric one.",
        )
    start, end = expression.window(asked)
    if start >= end:
        raise BadInput(
            f"The window of {settings.expression!r} ends before it begins.",
            remedy="Name its ends in the order in which they come.",
        )


def not_before(asked: Asked, settings: Settings) -> datetime:
    """Return when the first row can decide, or the last one where they are taken together."""
    expression = read_expression(settings.expression)
    start, end = expression.window(asked)
    return start if expression.lasting is not None else end + timedelta(days=settings.settle_days)


def look(asked: Asked, settings: Settings, now: datetime, fetch: Fetch) -> Finding | None:
    """Return what the series says, None while it may still say otherwise."""
    expression = read_expression(settings.expression)
    start, end = expression.window(asked)
    if start >= end:
        raise CannotTell(
            f"The window of {settings.expression!r} ends before it begins.",
            remedy="The question was reworded: set its resolver anew.",
        )
    if now < start:
        return None
    seen = fetch(settings.source)
    series = _series(seen, expression, settings)
    found = _decided(asked, settings, now, seen, series)
    if series.unfinished is not None:
        counted = _Series(sorted([*series.rows, series.unfinished]), series.blank)
        if _decided(asked, settings, now, seen, counted) != found:
            raise documents.breaks_off(seen.address, asked.slug)
    return found


def _decided(
    asked: Asked, settings: Settings, now: datetime, seen: Seen, series: _Series
) -> Finding | None:
    """Return what the rows decide, None while it may still be otherwise."""
    expression = read_expression(settings.expression)
    start, end = expression.window(asked)
    known = [(at, value) for at, value in series.rows if at <= now]
    inside = [(at, value) for at, value in known if start <= at < end]
    lasting = expression.lasting
    if lasting is not None:
        for many, (at, value) in enumerate(inside, 1):
            # One row alone moves a maximum or a minimum; only a count needs those before it.
            if expression.compares(many if expression.what == "count" else value) is lasting:
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
            f"The series {seen.address} {ends}, and the window ends on {iso(end)}: what is missing "
            "could decide.",
            remedy="Wait for a row at the end or after it, or resolve by hand; where none comes, "
            "gap_days says how much may be missing.",
            passing=True,
        )
    hole = _hole([at for at, _ in known], series.blank, start, end, settings)
    if hole is not None:
        raise CannotTell(
            f"The series {seen.address} has no value between {iso(hole[0])} and {iso(hole[1])}: "
            "what is missing could decide.",
            remedy="Wait until it is filled in, or resolve by hand; where nothing is missing, "
            "gap_days says how long it may pause.",
            passing=True,
        )
    values = [value for _, value in inside]
    if not values and expression.what not in ("count", "sum"):
        raise CannotTell(
            f"The series {seen.address} has no value between {iso(start)} and {iso(end)}.",
            remedy="Name a window in which it has some, or resolve by hand.",
        )
    result = expression.value(values)
    note = f"{expression.what}({expression.column}) of {len(values)} rows is {result!r}"
    if expression.sign is None:
        return Finding(repr(result), end, seen.address, note, (seen,))
    return _answer(expression.compares(result), end, note, seen)


def _answer(true: bool, known_at: datetime, note: str, seen: Seen) -> Finding:
    return Finding("yes" if true else "no", known_at, seen.address, note, (seen,))


def _hole(
    times: Sequence[datetime],
    blank: Sequence[datetime],
    start: datetime,
    end: datetime,
    settings: Settings,
) -> tuple[datetime, datetime] | None:
    """Return the first two moments of the window between which rows are missing, or None.

    One pause alone is no measure of itself, so that of two rows nothing is usual.
    """
    pauses = list(pairwise(times))
    lengths = sorted((later - before for before, later in pauses), reverse=True)
    usual = lengths[max(1, len(lengths) // _USUAL)] if len(lengths) > 1 else timedelta()
    gap = timedelta(days=settings.gap_days)
    if times[0] - start > gap and times[0] - start >= usual:
        return start, times[0]
    blank = [at for at in blank if start <= at < end]
    for before, later in [(start, times[0]), *pauses]:
        if later <= start or before >= end:
            continue
        without_value = bisect_right(blank, before) < bisect_left(blank, later)
        if later - before > (gap if without_value else max(gap, _HOLE * usual)):
            return before, later
    return None


@dataclass(frozen=True)
class _Series:
    """(time, value) of the rows that have a value, and when those are that have none; sorted.

    ``unfinished``: what stands so far in a last line that may go on.
    """

    rows: list[tuple[datetime, float]]
    blank: list[datetime]
    unfinished: tuple[datetime, float] | None = None


def _series(seen: Seen, expression: Expression, settings: Settings) -> _Series:
    """Return the series, read once a run."""
    how = (settings.rows, settings.time, expression.column, settings.zone, settings.missing)
    return seen.once(how, lambda: _rows(seen, expression, settings))


def _rows(seen: Seen, expression: Expression, settings: Settings) -> _Series:
    zone = ZoneInfo(settings.zone)
    found: dict[datetime, float] = {}
    blank: set[datetime] = set()
    table = documents.rows_of(seen, settings.rows, [settings.time, expression.column])
    for place, (at, cell) in table.whole:
        if str(cell).strip() in settings.missing:
            with suppress(CannotTell):  # a note below the rows has no time
                blank.add(_time(at, zone, place))
            continue
        moment, value = _time(at, zone, place), _number(cell, place, expression.column)
        if found.setdefault(moment, value) != value:
            raise documents.changed(
                f"The {place} says {value!r} for {iso(moment)}, and another row {found[moment]!r}."
            )
    unfinished = None
    if table.unfinished is not None:
        place, (at, cell) = table.unfinished
        with suppress(CannotTell):
            unfinished = _time(at, zone, place), _number(cell, place, expression.column)
    return _Series(sorted(found.items()), sorted(blank.difference(found)), unfinished)


def _time(cell: Any, zone: ZoneInfo, place: str) -> datetime:
    try:
        read = datetime.fromisoformat(str(cell).strip())
        return utc(read if read.tzinfo is not None else read.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise documents.changed(
            f"The {place} has the time {str(cell)[:40]!r}, which is none."
        ) from None


def _number(cell: Any, place: str, column: str) -> float:
    try:
        value = math.nan if isinstance(cell, bool) else float(cell)
    except (TypeError, ValueError, OverflowError):
        value = math.nan
    if not math.isfinite(value):
        raise documents.changed(
            f"The {place} has {str(cell)[:40]!r} as {column!r}, which is no number."
        )
    return value
