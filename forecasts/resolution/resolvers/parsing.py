"""Read fetched documents: JSON, CSV, and values selected by JMESPath."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

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


def unfinished(name: str, slug: str) -> CannotTell:
    """Return the error of a deciding last line without a line end."""
    return CannotTell(
        f"The last line of {name} decides {slug!r}, but has no line end: it may go on.",
        remedy="Wait until the file is complete. If it is, end the last line.",
        temporary=True,
    )


class Row(NamedTuple):
    """A row of a table, with its place, its cells by column, and the reason if it is unusable.

    A ``wrong`` one has its cells by number. ``unfinished``: the last line of a file, without a line
    end, so that it may go on.
    """

    place: str
    cells: Mapping[Any, Any]
    wrong: CannotTell | None = None
    unfinished: bool = False

    def text(self, column: str) -> str:
        """Return the cell as text; a missing one is blank."""
        value = self.cells.get(column)
        return "" if value is None else str(value).strip()


def rows_of(
    seen: Seen,
    name: str,
    columns: Sequence[str],
    rows: str | None = None,
    *,
    header_alone: bool = False,
) -> Iterator[Row]:
    """Yield the rows of a CSV file with a header, or of a JSON list of objects.

    ``name``: of the document, for messages. ``rows`` is the JMESPath to the list in a JSON
    document. CannotTell if a CSV file does not have each of the ``columns`` once, or, unless
    ``header_alone``, is only a header without a line end: more may follow.
    """
    text = text_of(seen)
    if rows is None and text.lstrip()[:1] not in ("[", "{"):
        one_line = "\n" not in text and "\r" not in text
        if not text.strip() or (one_line and not header_alone):
            raise unreadable(f"{name} is empty, or ends within its first line.")
        yield from _lines(name, text, columns)
        return
    found = json_of(seen) if rows is None else select(json_of(seen), rows, seen)
    where = f"{name} at {rows!r}" if rows else name
    if not isinstance(found, list) or not all(isinstance(cells, dict) for cells in found):
        raise changed(f"There is no list of objects in {where}.")
    for number, cells in enumerate(found, 1):
        yield Row(f"{where}, entry {number}", cells)


def _lines(name: str, text: str, columns: Sequence[str]) -> Iterator[Row]:
    lines = list(io.StringIO(text, newline=""))
    reader = csv.reader(lines, strict=True)
    try:
        header = next(reader, [])
    except csv.Error as error:
        raise unreadable(f"{name} is not CSV: {error}.") from None
    for column in columns:
        if header.count(column) != 1:
            many = "no column" if column not in header else "more than one column"
            raise changed(f"{name} has {many} {column!r}.")
    while (begin := reader.line_num) < len(lines):
        place, wrong = f"{name}, line {begin + 1}", None
        try:
            cells = next(reader)
            if cells and len(cells) != len(header):
                many_here = f"{len(cells)} cells, but the header has {len(header)}"
                wrong = changed(f"{place}: {many_here}.")
        except csv.Error as error:
            cells = re.split(r"[,\r\n]", "".join(lines[begin : reader.line_num]))
            wrong = unreadable(f"{place}: it cannot be read, {error}.")
        if cells:
            may_go_on = reader.line_num == len(lines) and not text.endswith(("\n", "\r"))
            names = header if wrong is None else range(len(cells))
            yield Row(place, dict(zip(names, cells, strict=True)), wrong, may_go_on)
