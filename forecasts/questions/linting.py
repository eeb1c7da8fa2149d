"""A question's fields for the linter (``reading.lint``): as stored, or as sent by a caller."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime, tzinfo
from datetime import time as clock
from typing import Any

from forecasts.common.errors import BadInput
from forecasts.common.text import cut
from forecasts.ledger.models import QuestionText, QuestionType
from forecasts.reading.lint import Written
from forecasts.values.asked_type import decided_type
from forecasts.values.typed_dates import read_date, typed_deadline

_FIELDS = (
    "title", "resolution_criteria", "fine_print", "background", "type", "options", "unit",
    "lower_bound", "upper_bound", "open_time", "scheduled_close_time",
)  # fmt: skip
_SHORT = {
    "criteria": "resolution_criteria",
    "opens": "open_time",
    "closes": "scheduled_close_time",
    "lower": "lower_bound",
    "upper": "upper_bound",
}


def as_written(text: QuestionText) -> Written:
    """Return the fields of a question's wording."""
    return read_written(
        {name: getattr(text, name) for name in _FIELDS}, now=text.open_time, zone=None
    )


def read_written(given: Mapping[str, Any], *, now: datetime, zone: tzinfo | None) -> Written:
    """Return the fields of a question from a caller; any may be missing, others are ignored.

    A time that cannot be read, as in a half-typed form, counts as missing. One in ISO 8601 without
    an offset is in UTC. Without a close, the title's day is it.
    """
    fields = {_SHORT.get(name, name): value for name, value in given.items() if value is not None}
    texts = ("title", "resolution_criteria", "fine_print", "background", "unit")
    words = {name: str(fields.get(name, "")).strip() for name in texts}
    if not words["title"]:
        raise BadInput("The question has no title.", remedy="Give it a title.")
    times = {
        name: _time(fields.get(name), now, zone) for name in ("open_time", "scheduled_close_time")
    }
    if times["scheduled_close_time"] is None:
        with suppress(BadInput, OverflowError):
            named = typed_deadline(words["title"], now=now, zone=zone)
            times["scheduled_close_time"] = None if named is None else _within(named.moment)
    bounds = {name: str(fields.get(name, "")) for name in ("lower_bound", "upper_bound")}
    options = fields.get("options") or []
    if not isinstance(options, list | tuple):
        raise BadInput(
            f"The field options is {cut(repr(options), 60)}, not a list.",
            remedy="Write the options as a list.",
        )
    options = [str(one) for one in options]
    kind = QuestionType.multiple_choice  # "Which party …?", without its options so far
    with suppress(BadInput, ValueError):
        kind = decided_type(
            words["title"], fields.get("type"), options=bool(options), bounds=any(bounds.values())
        )
    read: dict[str, Any] = {**words, **bounds, **times}
    return Written(type=kind, options=options, **read)


def _time(value: Any, now: datetime, zone: tzinfo | None) -> datetime | None:
    if isinstance(value, datetime) or not value:
        return _within(value) if value else None
    with suppress(ValueError):
        time = datetime.fromisoformat(str(value))
        if time.time() == clock.min and ":" not in str(value):
            time = datetime.combine(time, clock(23, 59, 59), zone or UTC)
        return _within(time if time.tzinfo else time.replace(tzinfo=UTC))
    with suppress(BadInput, OverflowError):
        return _within(read_date(str(value), now=now, zone=zone, end_of_day=True))
    return None


def _within(time: datetime) -> datetime | None:
    """Return the time in UTC; None near the first and last year, where days cannot be added."""
    return time.astimezone(UTC) if 2 < time.year < 9998 else None


def questions_of(content: str) -> Iterator[Mapping[str, Any]]:
    """Yield the questions of a file: JSON, one JSON object a line, or a title and its criteria."""
    if content.lstrip()[:1] not in ("{", "["):
        title, _, criteria = content.strip().partition("\n")
        yield {"title": title, "resolution_criteria": criteria}
        return
    try:
        read = json.loads(content)
    except ValueError:
        try:
            read = [json.loads(line) for line in content.splitlines() if line.strip()]
        except ValueError as error:
            raise BadInput(
                f"The file is not JSON: {error}.",
                remedy="Write an object, a list, or an object a line.",
            ) from None
    if isinstance(read, dict):
        read = read.get("questions", [read])
    for one in read if isinstance(read, list) else [read]:
        if not isinstance(one, dict):
            raise BadInput(
                f"{str(one)[:60]!r} is not a question.", remedy="Write each as an object."
            )
        yield one
