"""The contents of another platform's file, in the ledger's terms and ready to import.

Each format's module has one function:

    read(source: Source, choices: Choices) -> PlatformRecord

``read`` is pure: no session, no clock, no network. BadInput lists every bad cell by file, row,
column, value and rule. Sound parts without a place in a ledger are in ``left_out``, with a reason.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pandas as pd

from forecasts.common.errors import Advice
from forecasts.folder.cells import require_sound
from forecasts.folder.frames import (
    FRAME_COLUMNS,
    MEMBER_COLUMNS,
    MODEL_COLUMNS,
    Frames,
    complete,
    row_number,
    typed_frame,
)
from forecasts.folder.rules import check_folder
from forecasts.folder.tables import Table

Mask = npt.NDArray[np.bool_]
ORIGIN_COLUMNS = dict.fromkeys(("question_id", "platform_id", "url", "visible_to"), "text")
PRINTED_COLUMNS = {
    "question_id": "text",
    "forecaster": "text",
    "name": "text",
    "score": "number",
    "coverage": "number",
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
    address there, and its audience if a sheet names one. ``printed``: the scores that the platform
    printed, as it named them. ``implied``: the forecasts are prices after trades, which nobody
    stated as a probability. ``notes``: a sentence on each decision in reading the file, such as its
    time zone (``Advice`` if it names options). ``account``: the name in the file of the account
    whose forecasts are the owner's, if the file tells. ``assumed``: the
    times that a sheet does not give.
    """

    platform: str
    frames: Frames
    origins: pd.DataFrame
    printed: pd.DataFrame
    implied: bool = False
    left_out: Sequence[LeftOut] = ()
    notes: Sequence[Advice] = ()
    account: str = ""
    assumed: Assumed | None = None


def frames_of(
    questions: Mapping[str, Any],
    forecasts: Mapping[str, Any],
    *,
    bots: Collection[str] = (),
    models: Mapping[str, Any] = {},
    place: Callable[[str, int], str] = row_number,
) -> Frames:
    """Return the frames of tables given as columns; missing columns are blank.

    ``bots``: the forecasters that are bots. ``models``: the columns of the models behind the
    forecasts, if the file names them.
    """
    frames = complete(questions, forecasts)
    who = frames.forecasts["forecaster"].unique().tolist()
    kinds = ["bot" if one in bots else "human" for one in who]
    return replace(
        frames,
        place=place,
        members=typed_frame({"forecaster": who, "kind": kinds}, MEMBER_COLUMNS),
        models=typed_frame(models, MODEL_COLUMNS) if models else None,
    )


def check_record(frames: Frames) -> None:
    """Fill in the frames' defaults; BadInput lists each value that breaks a rule, and its place."""
    tables = {name: Table(Path(name), placed=partial(frames.place, name)) for name in FRAME_COLUMNS}
    check_folder(tables, {name: getattr(frames, name) for name in FRAME_COLUMNS})
    require_sound(
        "The file breaks the rules of a ledger",
        chain.from_iterable(table.problems for table in tables.values()),
        then="nothing was imported",
    )
