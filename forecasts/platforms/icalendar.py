"""A calendar file (iCalendar) of the questions without an outcome, for any calendar program.

The app's calendar feed (``agenda.calendar_feed``) has the same events and keeps itself up to date.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pandas as pd

from forecasts.common.errors import BadInput, Refused, Remedy
from forecasts.folder.drafts import drafted_file
from forecasts.folder.frames import Frames, rows
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


_WIDTH = 75  # octets of a line, by RFC 5545
_TIME = "%Y%m%dT%H%M%SZ"
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f\u2028\u2029]")


@dataclass(frozen=True)
class Deadlines:
    """A question's times in UTC; ``recorded_at`` and ``number`` are those of its wording."""

    slug: str
    title: str
    resolution_criteria: str
    close_time: datetime
    scheduled_resolve_time: datetime | None
    recorded_at: datetime
    number: int = 1


def calendar(
    questions: Iterable[Deadlines], *, since: datetime | None = None, app_url: str = ""
) -> str:
    """Return the calendar: the close of each question, and the time to resolve it if it has one.

    Events before ``since`` are left out. ``app_url``: the app's address, for links to the
    questions; there are none without it.
    """
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//Forecast Ledger//EN",
        "CALSCALE:GREGORIAN",
        "METHOD:PUBLISH",
        "X-WR-CALNAME:Forecast Ledger",
        "REFRESH-INTERVAL;VALUE=DURATION:PT6H",
    ]
    for question in questions:
        lines += _events(question, since, app_url)
    lines.append("END:VCALENDAR")
    return "".join(folded(line) for line in lines)


def _events(question: Deadlines, since: datetime | None, app_url: str) -> Iterator[str]:
    slug = quote(question.slug, safe="")
    for kind, label, moment in (
        ("close", "Closes", question.close_time),
        ("resolve", "To be resolved", question.scheduled_resolve_time),
    ):
        if moment is None or (since is not None and moment < since):
            continue
        yield "BEGIN:VEVENT"
        yield f"UID:{slug}-{kind}@forecast-ledger"
        yield f"DTSTAMP:{question.recorded_at:{_TIME}}"
        yield f"SEQUENCE:{question.number - 1}"
        yield f"DTSTART:{moment:{_TIME}}"
        yield f"SUMMARY:{escaped(f'{label}: {question.title}')}"
        if question.resolution_criteria:
            yield f"DESCRIPTION:{escaped(question.resolution_criteria)}"
        if app_url:
            yield f"URL:{app_url}/question?slug={slug}"
        yield "TRANSP:TRANSPARENT"
        yield "END:VEVENT"


def escaped(words: str) -> str:
    r"""Return ``words`` escaped as the value of an iCalendar property.

    >>> escaped("Rain, snow; or\nhail?\x00")
    'Rain\\, snow\\; or\\nhail? '
    """
    plain = _CONTROL.sub(" ", words.replace("\r\n", "\n"))
    for character in "\\;,":
        plain = plain.replace(character, f"\\{character}")
    return plain.replace("\n", "\\n")


def folded(line: str) -> str:
    r"""Return the line with its end, folded into parts of up to 75 octets.

    A character is never split, however many octets it has.

    >>> folded("SUMMARY:" + 50 * "ü").split("\r\n")[1][:3]
    ' üü'
    """
    parts, length = [""], 0
    for character in line:
        size = len(character.encode())
        if length + size > _WIDTH:
            parts.append(" ")
            length = 1
        parts[-1] += character
        length += size
    return "\r\n".join(parts) + "\r\n"
