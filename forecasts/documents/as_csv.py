"""Rows as CSV, numbers in full precision."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from forecasts.common.text import without_formulas
from forecasts.common.times import iso

# Each heading with the path to its value (``brier.interval.0``), or with a function of the row.
Columns = Mapping[str, str | Callable[[Any], Any]]


def as_csv(
    rows: Iterable[Any], columns: Columns, about: Any = None, about_columns: Sequence[str] = ()
) -> str:
    """Return the rows as CSV with a header; each row ends with the same values of ``about``.

    Blank: there is nothing to compute it from. An apostrophe goes before a text that a spreadsheet
    would take for a formula.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*columns, *about_columns])
    last = [_cell(getattr(about, name)) for name in about_columns]
    for row in rows:
        values = (
            value(row) if callable(value) else value_at(row, value) for value in columns.values()
        )
        writer.writerow([*map(_cell, values), *last])
    return text.getvalue()


def value_at(row: Any, path: str) -> Any:
    """Return the value at the end of the path; None where a part of it is None."""
    value = row
    for name in path.split("."):
        if value is None:
            return None
        value = value[int(name)] if name.isdigit() else getattr(value, name)
    return value


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str | tuple):
        return without_formulas(value if isinstance(value, str) else ";".join(value))
    if isinstance(value, float):
        return repr(float(value))
    if isinstance(value, datetime):
        return iso(value)
    return str(value).lower() if isinstance(value, bool) else str(value)
