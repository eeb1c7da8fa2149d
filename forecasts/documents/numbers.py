"""Numbers as text, alike in every document, on every page and in every answer.

A score, a mean or a difference that a person reads is written here and nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

Interval = tuple[float, float]
Row = TypeVar("Row")

NOTHING, MINUS = "–", "−"
_DECIMALS = 4  # at most
_NOISE = 1e-12  # of sums of floats: zero


def number(value: float | None, digits: int | None = None) -> str:
    """Return a score with three significant digits but at most four decimals, or that many.

    Final zeros stay; zero has no sign. A score too small for four decimals says so.

    >>> number(0.25), number(-0.0076), number(0.00012), number(1.386), number(-1e-17)
    ('0.250', '−0.0076', '0.0001', '1.39', '0.0000')
    >>> number(0.00002), number(-0.00002)
    ('<0.0001', '>−0.0001')
    """
    if value is None:
        return NOTHING
    digits = decimals(value) if digits is None else digits
    if digits >= _DECIMALS and abs(value) > _NOISE and round(value, _DECIMALS) == 0:
        return "<0.0001" if value > 0 else f">{MINUS}0.0001"
    return f"{round(value, digits) + 0.0:.{digits}f}".replace("-", MINUS)


def signed(value: float | None, digits: int | None = None) -> str:
    """Return a difference with its sign: +0.0210, −0.0210, 0.0000."""
    text = number(value, digits)
    return f"+{text}" if text.strip("0.") and text[0].isdigit() else text


def interval(value: Interval | None, digits: int | None = None) -> str:
    """Return an interval of scores, both ends with the decimals of the larger."""
    if value is None:
        return NOTHING
    digits = decimals(*value) if digits is None else digits
    return f"{number(value[0], digits)} to {number(value[1], digits)}"


def signed_interval(value: Interval | None, digits: int | None = None) -> str:
    """Return an interval of differences, both ends with the decimals of the larger."""
    if value is None:
        return NOTHING
    digits = decimals(*value) if digits is None else digits
    return f"{signed(value[0], digits)} to {signed(value[1], digits)}"


def decimals(*values: float | None) -> int:
    """Return the decimals that give the largest of the numbers three significant digits.

    They are four at most.

    >>> decimals(0.042, -0.01), decimals(0.000123), decimals(0.0, 1e-17), decimals(12.3)
    (4, 4, 4, 1)
    """
    size = max((abs(value) for value in values if value is not None), default=0.0)
    power = int(f"{size:.2e}".partition("e")[2])  # after rounding: 0.9996 is 1.00
    return min(max(0, 2 - power), _DECIMALS) if size else _DECIMALS


def column(
    rows: Iterable[Row], value: Callable[[Row], Any], write: Callable[[Any, int], str] = number
) -> Callable[[Row], str]:
    """Return a table's column: the number or the interval of a row, all with the same decimals.

    >>> list(map(column([0.0076, -0.25], float, signed), [0.0076, -0.25]))
    ['+0.008', '−0.250']
    """
    found = map(value, rows)
    ends = (end for one in found for end in (one if isinstance(one, tuple) else (one,)))
    digits = decimals(*ends)
    return lambda row: write(value(row), digits)


def p_value(value: float | None) -> str:
    """Return a p-value: 0.42, 0.0042, < 0.0001."""
    if value is None:
        return NOTHING
    return "< 0.0001" if value < 1e-4 else number(value, 4) if value < 0.01 else f"{value:.2f}"


def percent(value: float | None, digits: int = 0) -> str:
    """Return a share as a percentage: 12%."""
    return NOTHING if value is None else f"{value * 100:.{digits}f}%"


def percents(value: Interval | None) -> str:
    """Return an interval of shares: 10 to 20%."""
    return NOTHING if value is None else f"{value[0] * 100:.0f} to {value[1] * 100:.0f}%"


def span(value: Interval) -> str:
    """Return a range of shares, one share if both ends are the same: 10 to 20%, 10%."""
    return percent(value[0]) if value[0] == value[1] else percents(value)
