"""The contents of another platform's file, in the ledger's terms and ready to import.

Each module of this package has two functions:

    recognises(source: Source) -> bool
    read(source: Source, choices: Choices) -> PlatformRecord

``read`` is pure: no session, no clock, no network. BadInput lists every bad cell by file, row,
column, value and rule. Sound parts without a place in a ledger are in ``left_out``, with a reason.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pandas as pd

from forecasts.folder.frames import FRAME_COLUMNS, MEMBER_COLUMNS, TIME_DTYPE, Frames, row_number

Mask = npt.NDArray[np.bool_]
ORIGIN_COLUMNS = {"question_id": "text", "platform_id": "text", "url": "text"}
PRINTED_COLUMNS = {
    "question_id": "text",
    "forecaster": "text",
    "name": "text",
    "score": "number",
    "coverage": "number",
}
_DTYPES: Mapping[str, Any] = {
    "text": pd.StringDtype(na_value=float("nan")),
    "time": TIME_DTYPE,
    "number": "float64",
    "flag": "bool",
    "json": "object",
}


@dataclass(frozen=True)
class Choices:
    """Facts that the file lacks, from the person who imports it.

    ``owner``: the handle for the person whose account a personal export is of. ``zone``: of times
    without one. ``alias``: the handle for an anonymised id. ``aggregates``: import the platform's
    crowds, as bots. ``columns``: the file's column for each of ours, in spreadsheets. ``closes``:
    the close of open questions for which the sheet names none. ``now``: the time of the import, if
    the format has events that are still ahead.
    """

    owner: str
    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("UTC"))
    alias: Callable[[str], str] = str
    aggregates: bool = False
    columns: Mapping[str, str] = field(default_factory=dict)
    closes: datetime | None = None
    now: datetime | None = None


class Advice(str):
    """A note that ends with a remedy, in which a page names its fields for the command's options.

    The words before the remedy may quote the file; they are shown as they are.
    """

    remedy: str

    def __new__(cls, said: str, remedy: str = "") -> Advice:
        """Return both as one text."""
        made = super().__new__(cls, f"{said} {remedy}".strip())
        made.remedy = remedy
        return made


@dataclass(frozen=True)
class LeftOut:
    """A part of the file that is not imported: its place, its value, and the reason."""

    place: str
    value: str
    reason: str


@dataclass(frozen=True)
class Assumed:
    """The times that a sheet does not give, as masks over its questions and its forecasts.

    ``opens``, ``closes``: when a question opens or closes; ``begins``: it opens with its first
    forecast; ``extends``: it closes a day after its last one; ``ends``: it has an outcome of
    unknown time; ``closeless``: it is open, and nothing says when it closes. ``forecasts``: when
    one was made. ``phrases``: the words of a title that name the close, by the question's number.
    """

    opens: Mask
    begins: Mask
    closes: Mask
    extends: Mask
    ends: Mask
    closeless: Mask
    forecasts: Mask
    phrases: Mapping[int, str]


@dataclass(frozen=True)
class PlatformRecord:
    """The questions and forecasts of an account or a tournament elsewhere.

    ``platform``: its name in lower case, which begins every question_id ("metaculus-3672"), so
    that a newer export of the same questions has the same ids. ``frames``: as a ledger folder's,
    with ``members`` for the kinds of the forecasters (and ``models`` where the file names them);
    its ``place`` names the line in the platform's file. ``origins``: each question's id and
    address there. ``printed``: the scores that the platform printed, as it named them. ``implied``:
    the forecasts are prices after trades, which nobody stated as a probability. ``notes``: a
    sentence on each decision in reading the file, such as its time zone (``Advice`` if it names
    options). ``account``: the name in
    the file of the account whose forecasts are the owner's, if the file tells. ``assumed``: the
    times that a sheet does not give.
    """

    platform: str
    frames: Frames
    origins: pd.DataFrame
    printed: pd.DataFrame
    implied: bool = False
    left_out: Sequence[LeftOut] = ()
    notes: Sequence[str] = ()
    account: str = ""
    assumed: Assumed | None = None


def frame_of(columns: Mapping[str, str], values: Mapping[str, Any]) -> pd.DataFrame:
    """Return a frame with these columns and kinds (see ``Frames``); missing ones are blank.

    The values of a column are a sequence, or a Series whose index counts from 0. Names given as a
    Categorical stay one.
    """
    count = len(next(iter(values.values()), ()))
    blank = {"text": "", "time": pd.NaT, "number": float("nan"), "flag": False}
    # One blank column of a kind serves for all.
    blanks = {
        kind: pd.Series([blank[kind]] * count if kind in blank else nothing(count), dtype=dtype)
        for kind, dtype in _DTYPES.items()
        if any(name not in values for name, one in columns.items() if one == kind)
    }
    return pd.DataFrame(
        {
            name: _column(values[name], kind) if name in values else blanks[kind]
            for name, kind in columns.items()
        },
        copy=False,
    )


def nothing(count: int) -> Any:
    """Return a column of objects without any: one None, repeated, takes no memory."""
    return np.broadcast_to(np.array(None), count)


def _column(values: Any, kind: str) -> pd.Series[Any]:
    return pd.Series(values, dtype=None if isinstance(values, pd.Categorical) else _DTYPES[kind])


def frames_of(
    questions: Mapping[str, Any],
    forecasts: Mapping[str, Any],
    *,
    evidence: Mapping[str, Any] | None = None,
    bots: Sequence[str] = (),
    place: Callable[[str, int], str] = row_number,
) -> Frames:
    """Return the frames of tables given as columns; missing columns are blank.

    ``bots``: the forecasters that are bots.
    """
    tables = {"questions": questions, "forecasts": forecasts, "evidence": evidence or {}}
    made = {
        name: frame_of(columns, tables.get(name, {})) for name, columns in FRAME_COLUMNS.items()
    }
    who, some_bots = made["forecasts"]["forecaster"].unique().tolist(), frozenset(bots)
    kinds = ["bot" if one in some_bots else "human" for one in who]
    return Frames(
        made["questions"],
        made["forecasts"],
        made["teams"],
        made["evidence"],
        made["articles"],
        place=place,
        members=frame_of(MEMBER_COLUMNS, {"forecaster": who, "kind": kinds}),
    )
