"""Resolver kind ``outcomes_file``: look up the question in a file of outcomes.

The file is CSV with a header, or a JSON list of objects, with the columns ``question`` (the slug),
``outcome``, ``known_at`` (a time with an offset, or a day: its first instant, so that no forecast
made that day counts), and optionally ``source`` and ``note``. The outcome is not known yet if the
question or its outcome is missing, or ``known_at`` is in the future.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from pydantic import Field

from forecasts.common.errors import BadInput
from forecasts.common.times import read_time
from forecasts.resolution.resolvers import documents, protocol
from forecasts.resolution.resolvers.protocol import Asked, Fetch, Finding


class Settings(protocol.Settings):
    """A file with the outcomes of many questions."""

    path: protocol.Source = Field(
        min_length=1, description="the CSV or JSON file, or its https address"
    )


def look(asked: Asked, settings: Settings, now: datetime, fetch: Fetch) -> Finding | None:
    """Return the question's outcome in the file; None if it has none yet.

    BadInput if the file cannot be read, has two different outcomes of the question, or a row of it
    with another number of cells than the header.
    """
    slug, found = asked.slug, None
    seen = fetch(settings.path)
    rows = seen.once("outcomes", lambda: _by_question(settings.path, seen.content))
    for row in rows.get(slug, []):
        place = row.place
        if row.unfinished and (row.wrong or row["outcome"]):
            raise documents.unfinished(Path(settings.path).name, slug)
        if row.wrong:
            raise BadInput(
                f"{place}: {row.wrong}.", remedy="Correct that row. Text with commas needs quotes."
            )
        if not row["outcome"]:
            continue
        if not row["known_at"]:
            raise BadInput(
                f"{place}: the outcome has no known_at.",
                remedy="Add the time when it became known: with an offset, or a day.",
            )
        outcome, known_at = row["outcome"], read_time(row["known_at"])
        if found is not None and (found.outcome, found.known_at) != (outcome, known_at):
            raise BadInput(
                f"{place}: {slug!r} has two outcomes, {found.outcome!r} and {outcome!r}.",
                remedy="Remove one of the two rows.",
            )
        found = Finding(outcome, known_at, row["source"], row["note"], (seen,))
    return None if found is None or found.known_at > now else found


@dataclass(frozen=True)
class _Row:
    """A row with its place in the file; ``wrong`` is the reason that it cannot be used.

    ``unfinished``: the last line of the file, without a line end, so that it may go on.
    """

    place: str
    cells: Mapping[str, str] = field(default_factory=dict)
    wrong: str = ""
    unfinished: bool = False

    def __getitem__(self, column: str) -> str:
        return self.cells.get(column, "").strip()


def _by_question(path: str, content: bytes) -> dict[str, list[_Row]]:
    """Return the rows of each question."""
    name, rows = Path(path).name, defaultdict[str, list[_Row]](list)
    try:
        text = content.decode("utf-8-sig")
        read = _entries if text.lstrip()[:1] in ("[", "{") else _lines
        for slug, row in read(name, text):
            rows[slug].append(row)
    # A ValueError is also a number with too many digits.
    except (ValueError, csv.Error, RecursionError) as error:
        raise BadInput(
            f"{name} cannot be read: {error}.",
            remedy="It must be UTF-8 CSV with a header, or a JSON list of objects.",
        ) from None
    return rows


def _entries(name: str, text: str) -> Iterator[tuple[str, _Row]]:
    """Yield each entry of a JSON file with the question it is about."""
    items = json.loads(text)
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise BadInput(
            f"{name} is not a list of objects.", remedy='Write [{"question": …, "outcome": …}, …].'
        )
    for number, item in enumerate(items, 1):
        cells = {key: "" if value is None else str(value) for key, value in item.items()}
        row = _Row(f"{name}, entry {number}", cells)
        yield row["question"], row


def _lines(name: str, text: str) -> Iterator[tuple[str, _Row]]:
    """Yield each row of a CSV file with the question it is about.

    In a row with the wrong number of cells, or a stray quote, any cell may be the question: it is
    yielded as wrong for every question named in it.
    """
    lines = list(io.StringIO(text, newline=""))
    ended = not documents.split_unfinished(text)[1]
    reader = csv.reader(lines, strict=True)
    header = next(reader, [])
    for column in ("question", "outcome", "known_at"):
        if header.count(column) != 1:
            raise BadInput(
                f"{name} has {'no column' if column not in header else 'more than one column'} "
                f"{column!r}.",
                remedy="Its first line must have question, outcome and known_at once each.",
            )
    while True:
        begin = reader.line_num
        place = f"{name}, line {begin + 1}"
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            bad = "".join(lines[begin : reader.line_num])
            cells, wrong = re.split(r"[,\r\n]", bad), f"it cannot be read, {error}"
        else:
            if not cells:
                continue
            wrong = ""
            if len(cells) != len(header):
                wrong = f"{len(cells)} cells, but the header has {len(header)}"
        unfinished = not ended and reader.line_num == len(lines)
        if not wrong:
            row = _Row(place, dict(zip(header, cells, strict=True)), unfinished=unfinished)
            yield row["question"], row
            continue
        for named in dict.fromkeys(cell.strip(' \t"') for cell in cells):
            yield named, _Row(place, wrong=wrong, unfinished=unfinished)
