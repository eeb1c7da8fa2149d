"""The numbers and days in the cells of spreadsheets, as they are written outside of English.

A comma in a number is a decimal comma, since no probability has thousands. Days with dots begin
with the day everywhere. Days with slashes begin with the month in some countries: they are refused.
"""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

_SPACES = " \u00a0\u202f"  # before a percent character
_COMMA = r"^(-?\d{1,3}),(\d+)$"
# In a file with commas between its columns, 1,234 is more likely a number of thousands.
_SURE_COMMA = r"^(?:(-?0),(\d+)|(-?\d{1,3}),(\d{1,2}|\d{4,}))$"
_DOTTED = (
    (r"^(\d)\.", r"0\1."),
    (r"^(\d\d)\.(\d)\.", r"\1.0\2."),
    (r"^(\d\d)\.(\d\d)\.(\d{4})(\D.*)?$", r"\3-\2-\1\4"),
)


def without_percent(cells: Any) -> tuple[Any, Any]:
    """Return cells without a percent character at their end, and whether each had one."""
    bare = pc.utf8_trim_whitespace(cells)
    has_percent = pc.ends_with(bare, "%")
    return pc.utf8_rtrim(bare, characters=f"%{_SPACES}"), has_percent


def decimal_points(cells: Any, separator: str) -> Any:
    """Return cells with a point for a decimal comma; ``separator``: of the file's columns."""
    if not pc.any(pc.match_substring(cells, ",")).as_py():
        return cells
    if separator == ",":
        return pc.replace_substring_regex(cells, _SURE_COMMA, r"\1\3.\2\4")
    return pc.replace_substring_regex(cells, _COMMA, r"\1.\2")


def days_first(cells: Any) -> Any:
    """Return cells in which days such as 5.3.2025 are written 2025-03-05, also before a time."""
    dotted = pc.match_substring_regex(cells, r"^\d{1,2}\.\d{1,2}\.\d{4}(\D|$)")
    if not pc.any(dotted).as_py():
        return cells
    found = cells
    for pattern, form in _DOTTED:
        found = pc.replace_substring_regex(found, pattern, form)
    return pc.if_else(dotted, found, cells)


def day_first(text: str) -> str:
    """Return one text as ``days_first`` does.

    >>> day_first("5.3.2025 14:00"), day_first("5/3/2025")
    ('2025-03-05 14:00', '5/3/2025')
    """
    return str(days_first(pa.array([text], pa.large_string()))[0].as_py())
