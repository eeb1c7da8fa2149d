"""The times of a sheet: when its questions open and close, and when its forecasts were made.

Most sheets lack some of them. The close of an open question is then read from its title, and a
forecast of unknown time counts as made at the import. Times that a sheet does not give are marked
(``Assumed``), since the ledger's own times go before it in a later import. Below are the times
that any file gives without their zone, and the days between which forecasts count.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pandas as pd

from forecasts.common.text import counted
from forecasts.folder.frames import TIME_DTYPE
from forecasts.folder.tables import Table
from forecasts.platforms.column_guesses import Columns, day_first
from forecasts.platforms.record import Assumed, Choices
from forecasts.values.outcomes import NOT_SCORED
from forecasts.values.typed_dates import NamedDate, deadline_in_title

UNDATED = pd.Timestamp("2000-01-01", tz="UTC")  # of an outcome in a file without any date
_DATED = ("made_at", "open_time", "close_time", "resolved_at")
_ORDINAL = re.compile(r"\d\.\s*$")  # "15. November" is a day, of which the grammar reads the month


@dataclass(frozen=True)
class Times:
    """The columns of the questions that are times, and when each forecast was made.

    ``unusable``: questions without a usable close; ``late``: forecasts after the close.
    """

    window: Mapping[str, pd.Series[Any]]
    made_at: pd.Series[Any]
    assumed: Assumed
    unusable: int
    late: int


def dates_of(table: Table, columns: Columns, zone: ZoneInfo) -> dict[str, pd.Series[Any]]:
    """Return the times in each row; a close or a resolution on a day is at its end."""
    found = {}
    for field in _DATED:
        name, is_end = columns.one(field), field in ("close_time", "resolved_at")
        if name is None:
            found[field] = pd.Series(pd.NaT, index=table.frame.index, dtype=TIME_DTYPE)
        else:
            found[field] = local_times(table, table.frame[name], zone, end_of_day=is_end)
    return found


def require_dated(table: Table, columns: Columns, made: pd.DataFrame) -> None:
    """Note each forecast without any date, if the others have theirs in a column."""
    name = columns.one("made_at")
    if name is not None:
        dated = [column for field in _DATED if (column := columns.one(field))]
        rows = made["row"][made["made_at"].isna()]
        blank = (table.frame[dated].iloc[rows].map(str.strip) == "").all(axis=1)
        for row in rows[blank.to_numpy()].unique().tolist():
            table.wrong(row, name, "", "required, since other rows have it")


def timed(
    titles: pd.Series[Any],
    of_rows: npt.NDArray[np.intp],
    outcomes: pd.Series[Any],
    dates: Mapping[str, pd.Series[Any]],
    made: pd.DataFrame,
    choices: Choices,
) -> Times:
    """Return the times of the questions and the forecasts, those that the sheet lacks too.

    ``of_rows``: the question of each row. ``made``: the forecasts, some with blank times. A
    forecast of unknown time was made as its question opened, or a day before its close, or at the
    import if that is earlier.
    """
    many, codes, zone = len(titles), of_rows[made["row"]], choices.zone
    now: Any = pd.NaT if choices.now is None else pd.Timestamp(choices.now).as_unit("us")
    opened, due, resolved = (
        _of_each(dates[name], of_rows, which, many)
        for name, which in (("open_time", "min"), ("close_time", "max"), ("resolved_at", "max"))
    )
    own = made["made_at"]
    first = opened.fillna(_of_each(own, codes, "min", many))
    begins = opened.isna() & first.notna()
    is_stated, is_given = outcomes != "", due.notna() | resolved.notna()
    named = _named(titles, first.fillna(now), ~is_given & ~is_stated, first.isna(), zone)
    for number, limit in named.items():
        due[number] = pd.Timestamp(limit.moment)
    lacks = ~is_given & ~is_stated & due.isna()
    if choices.closes is not None:
        due = due.mask(lacks, pd.Timestamp(choices.closes))
    closeless = lacks & due.isna() & first.isna()
    # An outcome without a time was known by the import.
    is_undated = is_stated & ~outcomes.isin(NOT_SCORED) & resolved.isna()
    ends = due.where(~(resolved < due), resolved).fillna(resolved)
    ends = ends.mask(is_undated & (ends > now), now)
    before = day_earlier(ends, zone)
    guess = opened.fillna(before.mask(before > now, now)).fillna(UNDATED)
    if choices.now is not None:
        guess = guess.mask(opened.isna() & ends.isna() & ~is_stated, now)
    made_at = own.fillna(guess.take(codes).reset_index(drop=True))
    opened = opened.fillna(_of_each(made_at, codes, "min", many)).fillna(guess)
    last = _of_each(made_at, codes, "max", many)
    follows = due.isna() & resolved.isna() & last.notna()
    due = due.where(~follows, day_later(last, zone)).fillna(resolved)
    due = due.fillna(day_later(opened, zone))
    # A sheet that says when a question closes means it, however late the outcome was known.
    is_needed = (resolved < due) | ~(due > opened)
    ended = resolved.where(is_needed).mask(is_undated & (ends == now) & (due > now), now)
    window, unusable = windows(opened, due, ended, zone)
    closes = window["actual_close_time"].fillna(window["scheduled_close_time"])
    late = int((made_at >= closes.take(codes).reset_index(drop=True)).sum())
    known = _begun(resolved.where(is_stated), zone, choices.now)
    assumed = Assumed(
        opens=first.isna().to_numpy(),
        begins=begins.to_numpy(),
        closes=~is_given.to_numpy(),
        extends=(follows & first.notna()).to_numpy(),
        ends=is_undated.to_numpy(),
        closeless=closeless.to_numpy(),
        forecasts=own.isna().to_numpy(),
        phrases={number: limit.phrase for number, limit in named.items()},
    )
    return Times(window | {"resolved_at": known}, made_at, assumed, unusable, late)


def _named(
    titles: pd.Series[Any],
    anchors: pd.Series[Any],
    wanted: pd.Series[Any],
    may_have_passed: pd.Series[Any],
    zone: ZoneInfo,
) -> dict[int, NamedDate]:
    """Return the deadlines in the titles of the wanted questions, by number.

    Relative words count from the ``anchors``.
    """
    found = {}
    for number in np.flatnonzero(wanted & anchors.notna()).tolist():
        title, anchor = titles.iloc[number], anchors.iloc[number].to_pydatetime()
        limit = deadline_in_title(title, now=anchor, zone=zone)
        if limit is None and may_have_passed.iloc[number]:
            limit = deadline_in_title(title, now=anchor, zone=zone, passed=True)
        if limit is not None and not _ORDINAL.search(title[: limit.start]):
            found[number] = limit
    return found


def _begun(moments: pd.Series[Any], zone: ZoneInfo, now: datetime | None) -> pd.Series[Any]:
    """Return the times; for the end of the day of the import, the time of the import."""
    if now is None:
        return moments
    is_today = end_days(moments, zone) & (moments > now) & (day_earlier(moments, zone) <= now)
    return moments.mask(is_today, pd.Timestamp(now))


def _of_each(
    moments: pd.Series[Any], codes: npt.NDArray[np.intp], which: str, many: int
) -> pd.Series[Any]:
    """Return the first or the last time of each question."""
    return moments.groupby(codes).agg(which).reindex(range(many))


def time_notes(columns: Columns, found: Times, choices: Choices) -> Iterator[str]:
    """Yield a sentence on each decision about the times; a blank one on a case that has none."""
    dated = {field for field in _DATED if columns.one(field) or field == columns.kind}
    zone, assumed = choices.zone, found.assumed
    if dated:
        yield f"Days, and times without an offset, are in {zone.key}."
    guessed = found.made_at[assumed.forecasts]
    if not dated and (guessed == UNDATED).any():
        yield (
            "The file has no dates: each forecast on a question with an outcome is dated 1 January "
            "2000, for a day."
        )
    elif (
        dated and "made_at" not in dated and (choices.now is None or (guessed < choices.now).any())
    ):
        yield (
            "No column says when a forecast was made: it is the question's opening time, or a day "
            "before its close."
        )
    if choices.now is not None and (guessed == choices.now).any():
        today = choices.now.astimezone(zone).date()
        yield f"A new forecast without a date on an open question is dated by the import: {today}."
    yield counted(
        len(assumed.phrases),
        "{n} title{s} {names} a close that the sheet lacks. A new question closes then; check the "
        "day.",
    )
    if assumed.extends.any() and not dated & {"close_time", "resolved_at"}:
        rest = "other " if assumed.phrases else ""
        yield (
            f"No column says when a question closes: {rest}questions close a day after their last "
            "forecast."
        )
    yield window_note(found.unusable)
    yield counted(
        found.late, "{n} forecast{s} {was} made after the question closed, and will not count."
    )


_TIME = re.compile(
    r"\d{4}-\d{2}-\d{2}"
    r"([T ]\d{1,2}:\d{2}(:\d{1,2}(\.\d{1,6})?)?( ?([Zz]|[+-]\d{2}(:?\d{2})?))?)?",
    re.ASCII,
)
_ONE_DIGIT = re.compile(r"(?<=[T :])\d(?!\d)")
FORM = (
    "a day as in 2025-10-30 or 30.10.2025, or a time as in 2025-10-30 14:00:00, with or without an "
    "offset"
)
_YEARS = "a time in the years 1 to 9999 in UTC"
_SERIAL = re.compile(r"[2-6]\d{4}([.]\d+)?")  # a day of 1954 to 2091 as a spreadsheet counts them
_DAY, _SECOND = pd.Timedelta(days=1), pd.Timedelta(seconds=1)
# Times beyond these have no day before or after them in every zone.
_EARLIEST, _LATEST = (pd.Timestamp(day, tz="UTC") for day in ("0001-01-03", "9999-12-29"))


def local_times(
    table: Table, texts: pd.Series[Any], zone: ZoneInfo, *, end_of_day: bool = False
) -> pd.Series[Any]:
    """Return a column of texts as times; a text without an offset is in the zone.

    A day with dots is day first, as nobody writes months so: 15.03.2025.
    A day is read as its first second, or with ``end_of_day`` as its last. Hours and seconds may
    have one digit. If the clocks repeat an hour, the first one is meant.
    """
    read = {text: _read(day_first(text.strip()), end_of_day) for text in texts.unique()}
    local = {text: at for text, at in read.items() if isinstance(at, datetime) and not at.tzinfo}
    zoned = _in_utc(pd.Series(list(local.values()), dtype="datetime64[us]"), zone)
    beyond = ~zoned.dt.year.between(1, 9999)
    read |= dict(zip(local, zoned.astype(object).mask(beyond, _YEARS), strict=True))
    for row, text in enumerate(texts):
        if isinstance(rule := read[text], str):
            table.wrong(row, str(texts.name), text, rule)
    moments = [None if isinstance(at := read[text], str) else at for text in texts]
    return pd.Series(moments, dtype=TIME_DTYPE)


def _read(text: str, end_of_day: bool) -> Any:
    """Return the time in a text, aware if it has an offset; or the rule that it breaks."""
    if not text:
        return None
    if not _TIME.fullmatch(text):
        if _SERIAL.fullmatch(text):
            meant = date(1899, 12, 30) + timedelta(days=int(text[:5]))
            return f"{FORM}; a spreadsheet's number for {meant}, perhaps"
        return FORM
    day, clock = text[:10], _ONE_DIGIT.sub(r"0\g<0>", text[10:].upper())
    if not clock and end_of_day:  # by the clock: in the zone a day can have 23 or 25 hours
        clock = "T23:59:59"
    try:
        at = datetime.fromisoformat(day + clock[:1] + clock[1:].replace(" ", ""))
        return at if at.tzinfo is None else at.astimezone(UTC)
    except OverflowError:
        return _YEARS
    except ValueError:
        return "There is no such day or time."


def day_later(moments: pd.Series[Any], zone: ZoneInfo) -> Any:
    """Return the times a day later by the zone's clock; for a day's first second, its last."""
    local = _local(moments.mask(moments > _LATEST, _LATEST), zone)
    later = local + _DAY
    return _in_utc(later.mask(local == local.dt.normalize(), later - _SECOND), zone)


def day_earlier(moments: pd.Series[Any], zone: ZoneInfo) -> Any:
    """Return the times a day earlier by the zone's clock; for a day's last second, its first."""
    earlier = _local(moments.mask(moments < _EARLIEST, _EARLIEST), zone) - _DAY
    return _in_utc(earlier.mask(end_days(moments, zone), earlier + _SECOND), zone)


def end_days(moments: pd.Series[Any], zone: ZoneInfo) -> Any:
    """Return whether each time is the last second of a day in the zone."""
    following = _local(moments, zone) + _SECOND
    return following == following.dt.normalize()


def _local(moments: pd.Series[Any], zone: ZoneInfo) -> Any:
    return moments.dt.tz_convert(zone).dt.tz_localize(None)


def _in_utc(local: pd.Series[Any], zone: ZoneInfo) -> Any:
    """Return a zone's times; of an hour that its clock repeats, the first one is meant."""
    first = np.ones(len(local), dtype=bool)
    moments = local.dt.tz_localize(zone, ambiguous=first, nonexistent="shift_forward")
    return moments.dt.tz_convert("UTC").astype(TIME_DTYPE)


def windows(
    opened: pd.Series[Any], due: pd.Series[Any], resolved: pd.Series[Any], zone: ZoneInfo
) -> tuple[dict[str, pd.Series[Any]], int]:
    """Return the times between which forecasts count, and the number of unusable due times.

    A platform keeps a question open until it is resolved. So it closes when it is due or when it is
    resolved, whichever is later. If it is resolved before it is due, that is its actual close. A
    question that would close before it opens closes a day after it opens (``day_later``).
    """
    closes = due.where(~(resolved > due), resolved).fillna(resolved)
    unusable = ~(closes > opened)
    scheduled = closes.where(~unusable, day_later(opened, zone))
    actual = resolved.where((resolved > opened) & (resolved < scheduled))
    columns = {"open_time": opened, "scheduled_close_time": scheduled, "actual_close_time": actual}
    return columns, int(unusable.sum())


def window_note(unusable: int) -> str:
    """Return a sentence on the questions whose close ``windows`` moved; '' if there are none."""
    due = "{n} question{s} {was} due before the day they were asked; each closes a day after it "
    return counted(unusable, due + "was asked.")
