"""Columns that the CSV files of several platforms share: ids, times and the windows of scoring."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any
from unicodedata import normalize
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from forecasts.common.errors import BadInput
from forecasts.folder.frames import TIME_DTYPE
from forecasts.folder.tables import Table
from forecasts.platforms.record import ORIGIN_COLUMNS, frame_of
from forecasts.platforms.sheet_cells import days_first
from forecasts.platforms.source import Source

_TIME = r"^\d{4}-\d{2}-\d{2}([T ]\d{1,2}:\d{2}(:\d{1,2}([.]\d{1,6})?)?)?$"
_OFFSET = r" ?([Zz]|[+-]\d{2}(:?\d{2})?)$"
_AWARE = _TIME.replace(r")?$", f"){_OFFSET}")
_YEARS = (1, 9999)  # in UTC
_FORM = (
    "a day as in 2025-10-30 or 30.10.2025, or a time as in 2025-10-30 14:00:00, with or without an "
    "offset"
)
NAMELESS = "required: it names the question"
_REMEDIES = {
    _FORM: "Format the dates as yyyy-mm-dd in your spreadsheet, and save it as CSV again.",
    NAMELESS: "If a cell is merged with those below, separate them and repeat it in each row.",
}
_SERIAL = re.compile(r"[2-6]\d{4}([.]\d+)?")  # a day of 1954 to 2091 as a spreadsheet counts them
_DAY, _SECOND = pd.Timedelta(days=1), pd.Timedelta(seconds=1)
# Times beyond these have no day before or after them in every zone.
_EARLIEST, _LATEST = (pd.Timestamp(day, tz="UTC") for day in ("0001-01-03", "9999-12-29"))


def csv_with(source: Source, columns: Sequence[str]) -> str:
    """Return the only CSV file that has these columns; BadInput if there is none, or several."""
    found = [name for name, header in source.headers.items() if set(columns) <= set(header)]
    if len(found) == 1:
        return found[0]
    remedy = "Import one export at a time, as the platform wrote it."
    if len(source.headers) == 1:
        [(name, header)] = source.headers.items()
        missing = next(column for column in columns if column not in header)
        raise BadInput(f"{name} has no column {missing!r}.", remedy=remedy)
    have = f"{len(found)} files" if found else "no CSV file"
    raise BadInput(f"{source.name} has {have} with the columns of this format.", remedy=remedy)


def require_sound(table: Table) -> None:
    """Raise BadInput with every problem noted in the table, by line, if there are any."""
    if table.problems:
        many = len(table.problems)
        remedies = {
            remedy: None
            for problem in table.problems
            for rule, remedy in _REMEDIES.items()
            if problem.rule.startswith(rule)
        }
        raise BadInput(
            f"{table.path.name} breaks its rules in {many:,} place{'s' if many > 1 else ''}; "
            "nothing was read from it.",
            problems=table.by_line(),
            remedy=" ".join(remedies),
        )


def hashed_id(platform: str, *cells: str) -> str:
    """Return an id for a question without one in the file; equal cells give equal ids."""
    digest = hashlib.sha256("\x1f".join(cells).encode()).hexdigest()
    return f"{platform}-{digest[:16]}"


def handle(name: str) -> str:
    """Return a name as a handle: on one line, without invisible characters as in an emoji.

    An accent is joined to its letter, so that both encodings of "José" are one handle.
    """
    plain = normalize("NFC", " ".join(name.split()))
    return "".join(each for each in plain if each.isprintable())


def apart(name: str, owner: str, platform: str) -> str:
    """Return the handle of someone who is not the owner, even if they have that name elsewhere.

    >>> apart("kate", "kate", "Fatebook"), apart("bob", "kate", "Fatebook")
    ('kate (Fatebook)', 'bob')
    """
    return f"{name} ({platform})" if name == owner else name


def account_handles(names: Mapping[str, str], platform: str, notes: list[str]) -> dict[str, str]:
    """Return the handle of each account by its id, from its name on the platform.

    Among accounts with the same name, the lowest id keeps it, so that a newer file does not change
    it; ``notes`` gets a sentence on the others.

    >>> account_handles({"9": "kate", "5": "kate"}, "INFER", [])
    {'5': 'kate', '9': 'kate (INFER 9)'}
    """
    found: dict[str, str] = {}
    taken, others = set(), []
    for id_ in sorted(names, key=lambda one: (len(one), one)):
        own = name = handle(names[id_]) or id_
        while own in taken:  # again if someone has this one as their name
            own = f"{own} ({platform} {id_})"
        if own != name:
            others.append(own)
        taken.add(own)
        found[id_] = own
    if others:
        notes.append(
            f"Accounts with the same name on {platform} are different forecasters: "
            f"{', '.join(others)}."
        )
    return found


def times(
    table: Table, texts: pd.Series[Any], zone: ZoneInfo, *, end_of_day: bool = False
) -> pd.Series[Any]:
    """Return a column of texts as times; a text without an offset is in the zone.

    A day with dots is day first, as nobody writes months so: 15.03.2025.
    A day is read as its first second, or with ``end_of_day`` as its last. Hours and seconds may
    have one digit. If the clocks repeat an hour, the first one is meant.
    """
    cells = pc.utf8_trim_whitespace(pa.array(texts, pa.large_string()))
    cells = days_first(pc.if_else(pc.equal(cells, ""), pa.scalar(None, cells.type), cells))
    if end_of_day:  # by the clock: in the zone a day can have 23 or 25 hours
        cells = pc.replace_substring_regex(cells, r"^(\d{4}-\d{2}-\d{2})$", r"\1 23:59:59")
    try:
        moments = _utc(cells, None)
    except pa.ArrowInvalid:
        try:
            moments = _utc(cells, zone)
        except pa.ArrowInvalid:
            moments = _each_form(cells, zone)
    parsed = pd.Series(moments).dt.tz_localize("UTC").astype(TIME_DTYPE)
    bad = parsed.isna().to_numpy() & as_mask(cells.is_valid())
    for row in np.flatnonzero(bad).tolist():
        table.wrong(row, str(texts.name), texts.iloc[row], _time_rule(cells[row].as_py()))
    return parsed


def _time_rule(text: str) -> str:
    """Return the rule that a text broke which is not a time."""
    if _SERIAL.fullmatch(text):
        day = date(1899, 12, 30) + timedelta(days=int(text[:5]))
        return f"{_FORM}; a spreadsheet's number for {day}, perhaps"
    if not any(re.match(form, text, re.ASCII) for form in (_TIME, _AWARE)):
        return _FORM
    try:
        date.fromisoformat(text[:10])
    except ValueError:
        return "There is no such day."
    first, last = _YEARS
    if int(text[:4]) in _YEARS:  # the offset leads beyond them
        return f"a time in the years {first} to {last} in UTC"
    return "There is no such time."


def _utc(cells: Any, zone: ZoneInfo | None) -> Any:
    """Return times as NumPy has them, in UTC; without a zone every cell has an offset.

    ArrowInvalid if one has another form.
    """
    kind = pa.timestamp("us", "UTC") if zone is None else pa.timestamp("us")
    found = pd.Series(cells.cast(kind).to_numpy(zero_copy_only=False), dtype="datetime64[us]")
    if zone is not None and zone.key != "UTC":
        found = _in_utc(found, zone).dt.tz_localize(None)
    found = found.where(found.dt.year.between(*_YEARS))
    return found.to_numpy("datetime64[us]")


def _each_form(cells: Any, zone: ZoneInfo) -> Any:
    """Return the same, slower, for a column of several forms; NaT for any other text."""
    cells = pc.replace_substring_regex(cells, r"^(\S+)[T ](\d:)", r"\1 0\2")
    cells = pc.replace_substring_regex(cells, r"^(\S+[T ]\d\d:\d\d):(\d)(\D.*)?$", r"\1:0\2\3")
    moments = np.full(len(cells), "NaT", dtype="datetime64[us]")
    for form, has_offset in ((_AWARE, True), (_TIME, False)):
        mask = as_mask(pc.match_substring_regex(cells, form))
        some = pd.Series(pc.filter(cells, pa.array(mask)), dtype=str)
        found = pd.to_datetime(some, format="ISO8601", errors="coerce", utc=has_offset)
        exact = pa.array(found.dt.tz_localize(None) if has_offset else found, pa.timestamp("us"))
        moments[mask] = _utc(exact, ZoneInfo("UTC") if has_offset else zone)
    return moments


def origins_of(platform: str, ids: pd.Series[Any]) -> pd.DataFrame:
    """Return the origins of questions whose ids are made of the file, which has no addresses."""
    own = ids.str.removeprefix(f"{platform}-")
    return frame_of(ORIGIN_COLUMNS, {"question_id": ids, "platform_id": own})


def as_mask(flags: Any) -> Any:
    """Return Arrow's booleans as NumPy's; a missing one is false."""
    return pc.fill_null(flags, False).to_numpy(zero_copy_only=False)


def as_texts(values: Any) -> pd.Series[Any]:
    """Return texts as a column of a frame."""
    return pd.Series(values, dtype=pd.StringDtype(na_value=np.nan))


def repeated(text: str, count: int) -> pd.Series[Any]:
    """Return a column with one text in every row."""
    return as_texts(pa.repeat(pa.scalar(text, pa.large_string()), count))


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
    columns = {
        "open_time": opened,
        "scheduled_close_time": scheduled,
        "actual_close_time": actual,
    }
    return columns, int(unusable.sum())


def window_note(unusable: int) -> str:
    """Return a sentence on the questions whose close ``windows`` moved; '' if there are none."""
    if not unusable:
        return ""
    were = "1 question was" if unusable == 1 else f"{unusable:,} questions were"
    return f"{were} due before the day they were asked; each closes a day after it was asked."
