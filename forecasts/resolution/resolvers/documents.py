"""Bytes that were fetched, as the data they stand for: JSON, CSV, and what JMESPath picks."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import jmespath
from jmespath.exceptions import JMESPathError

from forecasts.common.errors import CannotTell
from forecasts.resolution.resolvers.protocol import Seen

# Deeper than any data that means something, and shallow enough to be read without recursion.
MOST_NESTED = 100


def unreadable(said: str) -> CannotTell:
    """Return the error of a document that cannot be read as it is, and perhaps the next time."""
    return CannotTell(
        said,
        remedy="It is read again later. If it stays so, name another source, or resolve by hand.",
        passing=True,
    )


def changed(said: str) -> CannotTell:
    """Return the error of a document that says something, and not what it was to say."""
    return CannotTell(
        said,
        remedy="Set the resolver anew for what it is now, have it put right, or resolve by hand.",
    )


def text_of(seen: Seen) -> str:
    """Return the content as text; CannotTell where it is no UTF-8."""
    try:
        return seen.content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise unreadable(f"{seen.address} is not UTF-8 text: {error.reason}.") from None


def json_of(seen: Seen) -> Any:
    """Return the JSON document, read once a run; CannotTell where it is none, with the place."""
    return seen.once("json", lambda: _json(seen))


def _json(seen: Seen) -> Any:
    text = text_of(seen)
    try:
        return json.loads(text, parse_constant=_no_number)
    except json.JSONDecodeError as error:
        raise unreadable(
            f"{seen.address} is no JSON: {error.msg} in line {error.lineno}, column {error.colno}."
        ) from None
    except (ValueError, RecursionError) as error:
        raise unreadable(f"{seen.address} is no JSON that can be read: {error}.") from None


def _no_number(word: str) -> float:
    raise ValueError(f"it holds {word}, which is no JSON")


def checked_path(path: str) -> str:
    """Return the JMESPath; ValueError (for a settings model) where it is none."""
    try:
        jmespath.compile(path)
    except JMESPathError as error:
        raise ValueError(f"is no JMESPath: {str(error).splitlines()[0]}") from None
    return path


def picked(document: Any, path: str, seen: Seen) -> Any:
    """Return what the JMESPath finds, None for nothing; CannotTell where it does not apply."""
    try:
        return jmespath.search(path, document)
    except (JMESPathError, RecursionError) as error:
        raise changed(
            f"{path!r} cannot be looked up in {seen.address}: {str(error).splitlines()[0]}."
        ) from None


def cut(text: str) -> tuple[str, str]:
    r"""Return the whole lines, and what follows the last line end: it may go on.

    >>> cut("day,mm\n2026-01-05,1")
    ('day,mm\n', '2026-01-05,1')
    """
    end = max(text.rfind("\n"), text.rfind("\r")) + 1
    return text[:end], text[end:]


def breaks_off(name: str, asked: str) -> CannotTell:
    """Return the error that what decides stands in a last line that has no end."""
    return CannotTell(
        f"What decides {asked!r} stands in the last line of {name}, which has no line end: it may "
        "go on.",
        remedy="Wait until it is written to its end; end the last line if it is.",
        passing=True,
    )


Row = tuple[str, list[Any]]


@dataclass(frozen=True)
class Rows:
    """Each row with its place; ``unfinished`` is the last one, where it may go on."""

    whole: list[Row]
    unfinished: Row | None = None


def rows_of(seen: Seen, rows: str | None, columns: Sequence[str]) -> Rows:
    """Return the rows, reduced to ``columns``; of CSV with a header, or of JSON.

    JSON is a list of objects, or ``rows`` is the JMESPath to one. CannotTell where a column is
    missing, or a row of CSV has not the cells of the header.
    """
    if rows is not None or text_of(seen).lstrip()[:1] in ("[", "{"):
        return Rows(_objects(seen, rows, columns))
    return _lines(seen, columns)


def _objects(seen: Seen, rows: str | None, columns: Sequence[str]) -> list[Row]:
    found = json_of(seen) if rows is None else picked(json_of(seen), rows, seen)
    where = f"at {rows!r} of {seen.address}" if rows else f"in {seen.address}"
    if not isinstance(found, list) or not all(isinstance(row, dict) for row in found):
        raise changed(f"There is no list of objects {where}.")
    table = []
    for number, row in enumerate(found, 1):
        place = f"entry {number} {where}"
        for column in columns:
            if column not in row:
                raise changed(f"The {place} has no {column!r}.")
        table.append((place, [row[column] for column in columns]))
    return table


def _lines(seen: Seen, columns: Sequence[str]) -> Rows:
    whole, rest = cut(text_of(seen))
    if not whole.strip():
        raise unreadable(f"{seen.address} is empty, or breaks off in its first line.")
    reader = csv.reader(io.StringIO(whole, newline=""), strict=True)
    try:
        header = next(reader, [])
        for column in columns:
            if header.count(column) != 1:
                many = "no column" if column not in header else "more than one column"
                raise changed(f"{seen.address} has {many} {column!r}.")
        at = [header.index(column) for column in columns]
        table = []
        for cells in reader:
            place = f"line {reader.line_num} of {seen.address}"
            if not cells:
                continue
            if len(cells) != len(header):
                raise changed(
                    f"The {place} has {len(cells)} cells, and the header has {len(header)}."
                )
            table.append((place, [cells[column] for column in at]))
    except csv.Error as error:
        raise unreadable(f"{seen.address} is no CSV: {error}.") from None
    last = rest.split(",")
    if len(last) != len(header):
        return Rows(table)
    place = f"last line of {seen.address}, which has no line end"
    return Rows(table, (place, [last[column] for column in at]))
