"""A calendar file (iCalendar) of the questions without an outcome, for any calendar program.

The app's calendar feed (``agenda.calendar_feed``) has the same events and keeps itself up to date.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from forecasts.common.errors import BadInput, Refused
from forecasts.common.text import count
from forecasts.folder.drafts import drafted_file
from forecasts.folder.frames import Frames, rows
from forecasts.platforms.icalendar import Deadlines, calendar
from forecasts.platforms.written import Written


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
                    remedy="Name a new one, or add --overwrite to replace it.",
                )
            file.write(text.encode())
    except OSError as error:
        raise BadInput(
            f"The file {str(path)!r} cannot be written: {error.strerror or error}.",
            remedy="Name a file in a folder that you may write to, such as questions.ics.",
        ) from error
    resolved = len(questions) - len(open_)
    left_out = {
        "resolved question": resolved,
        "forecast": len(frames.forecasts),
        "piece of evidence": len(frames.evidence),
        "article": len(frames.articles),
        "team membership": len(frames.teams),
    }
    return Written([path], [_counted(many, noun) for noun, many in left_out.items() if many])


def _counted(many: int, noun: str) -> str:
    first, space, rest = noun.partition(" of ")
    return f"{count(many, first)}{space}{rest}"


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
