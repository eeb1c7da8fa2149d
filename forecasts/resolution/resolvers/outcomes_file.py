"""Resolver kind ``outcomes_file``: somebody keeps a file of outcomes; questions look in it.

CSV with a header, or JSON (a list of objects), with the columns ``question`` (the slug),
``outcome``, ``known_at`` (a time with an offset, or a day: its first instant, so that no forecast
made that day counts), and optionally ``source``, ``note``.
A question that is not in the file, or whose outcome is blank there, is not known yet. So is one
whose ``known_at`` lies ahead. Settings: ``path``.
"""

from __future__ import annotations

import csv
import io
import json
import re
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
    """Where the file is."""

    path: protocol.Source = Field(
        min_length=1, description="the CSV or JSON file with the outcomes, or its https address"
    )


def look(asked: Asked, settings: Settings, now: datetime, fetch: Fetch) -> Finding | None:
    """Return what the file says of the question; None when it says nothing yet.

    BadInput when the file cannot be read, gives the question two different outcomes, or names it
    in a row that does not have the cells that the header has.
    """
    slug, found = asked.slug, None
    seen = fetch(settings.path)
    rows = seen.once("outcomes", lambda: _by_question(settings.path, seen.content))
    for row in rows.get(slug, []):
        place = row.place
        if row.unfinished and (row.wrong or row["outcome"]):
            raise documents.breaks_off(Path(settings.path).name, slug)
        if row.wrong:
            raise BadInput(
                f"{place}: {row.wrong}.",
                remedy="Set that row right; text with commas takes quotes.",
            )
        if not row["outcome"]:
            continue
        if not row["known_at"]:
            raise BadInput(
                f"{place}: the outcome has no known_at.",
                remedy="Say there since when it is known: a time with an offset, or a day.",
            )
        says = Finding(
            outcome=row["outcome"],
            known_at=read_time(row["known_at"]),
            source=row["source"],
            note=row["note"],
            seen=(seen,),
        )
        if found is not None and (found.outcome, found.known_at) != (says.outcome, says.known_at):
            raise BadInput(
                f"{place}: {slug!r} stands there twice, as {found.outcome!r} and as "
                f"{says.outcome!r}.",
                remedy="Leave one of the two rows.",
            )
        found = says
    return None if found is None or found.known_at > now else found


@dataclass(frozen=True)
class _Row:
    """What one row says, where it stands in the file, and in ``wrong`` why it says nothing.

    ``unfinished``: it is the last line and has no line end, so that it may go on.
    """

    place: str
    cells: Mapping[str, str] = field(default_factory=dict)
    wrong: str = ""
    unfinished: bool = False

    def __getitem__(self, column: str) -> str:
        return self.cells.get(column, "").strip()


def _by_question(path: str, content: bytes) -> dict[str, list[_Row]]:
    """Return the rows of each question."""
    name = Path(path).name
    rows: dict[str, list[_Row]] = {}
    try:
        text = content.decode("utf-8-sig")
        named = _entries(name, text) if text.lstrip()[:1] in ("[", "{") else _lines(name, text)
        for slug, row in named:
            rows.setdefault(slug, []).append(row)
    except (ValueError, csv.Error, RecursionError) as error:  # also a number of too many digits
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

    Of a row with too many cells or too few, or with a stray quote, nobody knows which cell is
    which: it is yielded, as wrong, for every question that one of its cells names.
    """
    lines = list(io.StringIO(text, newline=""))
    ended = not documents.cut(text)[1]
    reader = csv.reader(lines, strict=True)
    header = next(reader, [])
    for column in ("question", "outcome", "known_at"):
        if header.count(column) != 1:
            raise BadInput(
                f"{name} has {'no column' if column not in header else 'twice the column'} "
                f"{column!r}.",
                remedy="Its first line names each of question, outcome and known_at once.",
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
            wrong = f"{len(cells)} cells, and the header has {len(header)}"
            if not cells:
                continue
            if len(cells) == len(header):
                wrong = ""
        unfinished = not ended and reader.line_num == len(lines)
        if not wrong:
            row = _Row(place, dict(zip(header, cells, strict=True)), unfinished=unfinished)
            yield row["question"], row
            continue
        for named in dict.fromkeys(cell.strip(' \t"') for cell in cells):
            yield named, _Row(place, wrong=wrong, unfinished=unfinished)
