"""A calendar file (iCalendar) of the questions without an outcome, for any calendar program.

The app's calendar feed (``agenda.calendar_feed``) has the same events and keeps itself up to date.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pandas as pd

from forecasts.common.errors import BadInput, Refused, Remedy
from forecasts.folder.drafts import drafted_file
from forecasts.folder.frames import Frames, rows
from forecasts.platforms.icalendar import Deadlines, calendar
from forecasts.platforms.written import Written, each_counted, omitted


def write(frames: Frames, path: Path, *, overwrite: bool = False) -> Written:
    """Return the file, which is written (see ``written``): ``path``, ending in .ics."""
    if path.suffix.lower() != ".ics":  # by which calendar programs know it
        path = path.with_name(f"{path.name}.ics")
    questions = frames.questions
    open_ = questions[questions["resolution"] == ""].sort_values(
        ["scheduled_close_time", "question_id"]
    )
    text = calendar(map(_deadlines, rows(open_)))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with drafted_file(path) as file:
            if path.exists() and not overwrite:
                raise Refused(
                    f"The file {str(path)!r} exists.",
                    remedy=Remedy("Name a new one, or replace it: {}", "", overwrite=True),
                )
            file.write(text.encode())
    except OSError as error:
        raise BadInput(
            f"The file {str(path)!r} cannot be written: {error.strerror or error}.",
            remedy="Name a file in a folder that you may write to, such as questions.ics.",
        ) from error
    left_out = Counter({"resolved question{s}": len(questions) - len(open_)})
    left_out["forecast{s}"] = len(frames.forecasts)
    return Written([path], each_counted(left_out + omitted(frames)))


def _deadlines(row: Any) -> Deadlines:
    close, resolve = row.actual_close_time, row.scheduled_resolve_time
    return Deadlines(
        slug=row.question_id,
        title=row.title,
        resolution_criteria=row.resolution_criteria,
        close_time=row.scheduled_close_time if pd.isna(close) else close,
        scheduled_resolve_time=None if pd.isna(resolve) else resolve,
        # A folder has no times of wordings; the same ledger makes the same file.
        recorded_at=row.open_time,
    )
