"""Read fetched documents: JSON, CSV, and values selected by JMESPath."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from typing import Any

import jmespath
from jmespath.exceptions import JMESPathError

from forecasts.common.errors import CannotTell
from forecasts.resolution.resolvers.protocol import Seen


def unreadable(message: str) -> CannotTell:
    """Return the error of a document that cannot be read, perhaps only for now."""
    return CannotTell(
        message,
        remedy="It is read again later. If it stays so, set another source, or resolve by hand.",
        temporary=True,
    )


def changed(message: str) -> CannotTell:
    """Return the error of a readable document whose form is not the expected one."""
    return CannotTell(
        message,
        remedy="Set the resolver again for its new form, have it corrected, or resolve by hand.",
    )


def text_of(seen: Seen) -> str:
    """Return the content as text; CannotTell if it is not UTF-8."""
    try:
        return seen.content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise unreadable(f"{seen.address} is not UTF-8 text: {error.reason}.") from None


def json_of(seen: Seen) -> Any:
    """Return the parsed JSON, parsed once in a run; CannotTell names the place of an error."""
    return seen.once("json", lambda: _json(seen))


def _json(seen: Seen) -> Any:
    text = text_of(seen)
    try:
        return json.loads(text, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        raise unreadable(
            f"{seen.address} is not JSON: {error.msg} in line {error.lineno}, column {error.colno}."
        ) from None
    except (ValueError, RecursionError) as error:
        raise unreadable(f"{seen.address} is not JSON: {error}.") from None


def _refuse_constant(word: str) -> float:
    raise ValueError(f"it contains {word}, which is not JSON")


def checked_path(path: str) -> str:
    """Return the JMESPath; ValueError (for a settings model) if it is invalid."""
    try:
        jmespath.compile(path)
    except JMESPathError as error:
        raise ValueError(f"is not a JMESPath: {str(error).splitlines()[0]}") from None
    except RecursionError:
        raise ValueError("is a JMESPath that is nested too deeply") from None
    return path


def select(document: Any, path: str, seen: Seen) -> Any:
    """Return the value at the JMESPath, None if there is none; CannotTell if it does not apply."""
    try:
        return jmespath.search(path, document)
    except (JMESPathError, ValueError, ArithmeticError, TypeError, RecursionError) as error:
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        raise changed(f"{path!r} does not apply to {seen.address}: {reason[:200]}.") from None


def split_unfinished(text: str) -> tuple[str, str]:
    r"""Return the complete lines, and the text after the last line end, which may go on.

    >>> split_unfinished("day,mm\n2026-01-05,1")
    ('day,mm\n', '2026-01-05,1')
    """
    end = max(text.rfind("\n"), text.rfind("\r")) + 1
    return text[:end], text[end:]


def unfinished(name: str, slug: str) -> CannotTell:
    """Return the error of a deciding last line without a line end."""
    return CannotTell(
        f"The last line of {name} decides {slug!r}, but has no line end: it may go on.",
        remedy="Wait until the file is complete. If it is, end the last line.",
        temporary=True,
    )


Row = tuple[str, list[Any]]


def rows_of(seen: Seen, rows: str | None, columns: Sequence[str]) -> tuple[list[Row], Row | None]:
    """Return the ``columns`` of each row of a CSV file with a header, or of a JSON list of objects.

    Each has its place; a last row without a line end comes apart. ``rows`` is the JMESPath to the
    list in a JSON document. CannotTell if a column is missing, or a CSV row does not have as many
    cells as the header.
    """
    if rows is not None or text_of(seen).lstrip()[:1] in ("[", "{"):
        return _objects(seen, rows, columns), None
    return _lines(seen, columns)


def _objects(seen: Seen, rows: str | None, columns: Sequence[str]) -> list[Row]:
    found = json_of(seen) if rows is None else select(json_of(seen), rows, seen)
    where = f"at {rows!r} of {seen.address}" if rows else f"in {seen.address}"
    if not isinstance(found, list) or not all(isinstance(row, dict) for row in found):
        raise changed(f"There is no list of objects {where}.")
    table = []
    for number, row in enumerate(found, 1):
        place = f"Entry {number} {where}"
        try:
            table.append((place, [row[column] for column in columns]))
        except KeyError as missing:
            raise changed(f"{place} has no {missing}.") from None
    return table


def _lines(seen: Seen, columns: Sequence[str]) -> tuple[list[Row], Row | None]:
    whole, rest = split_unfinished(text_of(seen))
    if not whole.strip():
        raise unreadable(f"{seen.address} is empty, or ends within its first line.")
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
            place = f"Line {reader.line_num} of {seen.address}"
            if not cells:
                continue
            if len(cells) != len(header):
                raise changed(f"{place} has {len(cells)} cells, but the header has {len(header)}.")
            table.append((place, [cells[column] for column in at]))
    except csv.Error as error:
        raise unreadable(f"{seen.address} is not CSV: {error}.") from None
    last = rest.split(",")
    if len(last) != len(header):
        return table, None
    return table, (f"The last line of {seen.address}", [last[column] for column in at])
