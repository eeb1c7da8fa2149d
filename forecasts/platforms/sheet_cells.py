"""The numbers and days in the cells of spreadsheets, as they are written outside of English.

A comma in a number is a decimal comma, since no probability has thousands. Days with dots begin
with the day everywhere. Days with slashes begin with the month in some countries: they are refused.
"""

from __future__ import annotations

import re

_SPACES = " \u00a0\u202f"  # before a percent character
_COMMA = re.compile(r"(-?\d{1,3}),(\d+)")
# In a file with commas between its columns, 1,234 is more likely a number of thousands.
_SURE_COMMA = re.compile(r"(-?0|-?\d{1,3}(?=,\d{1,2}$|,\d{4,}$)),(\d+)")
_DOTTED = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})(\D.*)?", re.ASCII | re.DOTALL)


def without_percent(cell: str) -> tuple[str, bool]:
    """Return a cell without a percent character at its end, and whether it had one."""
    bare = cell.strip()
    return bare.rstrip(f"%{_SPACES}"), bare.endswith("%")


def decimal_point(cell: str, separator: str) -> str:
    """Return a cell with a point for a decimal comma; ``separator``: of the file's columns."""
    found = (_SURE_COMMA if separator == "," else _COMMA).fullmatch(cell)
    return cell if found is None else f"{found[1]}.{found[2]}"


def day_first(text: str) -> str:
    """Return a text in which a day such as 5.3.2025 is written 2025-03-05, also before a time.

    >>> day_first("5.3.2025 14:00"), day_first("5/3/2025")
    ('2025-03-05 14:00', '5/3/2025')
    """
    found = _DOTTED.fullmatch(text)
    if found is None:
        return text
    day, month, year, rest = found.groups()
    return f"{year}-{month:0>2}-{day:0>2}{rest or ''}"
