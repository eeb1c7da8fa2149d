"""Numbers as text, alike in every document and on every page."""

from __future__ import annotations

import math

Interval = tuple[float, float]

NOTHING = "–"
_NOISE = 5e-7  # of rounding


def number(value: float | None, digits: int = 3) -> str:
    """Return a score with that many decimals; zero has no sign.

    >>> number(-0.0123), number(-1e-17)
    ('−0.012', '0.000')
    """
    if value is None:
        return NOTHING
    return f"{round(value, digits) + 0.0:.{digits}f}".replace("-", "−")


def signed(value: float | None, digits: int = 3) -> str:
    """Return a difference with its sign: +0.021, −0.021, 0.000."""
    text = number(value, digits)
    return text if value is None or round(value, digits) <= 0 else f"+{text}"


def interval(value: Interval | None, digits: int = 3) -> str:
    """Return an interval of scores."""
    if value is None:
        return NOTHING
    return f"{number(value[0], digits)} to {number(value[1], digits)}"


def signed_interval(value: Interval | None, digits: int = 3) -> str:
    """Return an interval of differences."""
    return NOTHING if value is None else f"{signed(value[0], digits)} to {signed(value[1], digits)}"


def decimals(*values: float | None, least: int = 3) -> int:
    """Return the decimals for small numbers: three significant digits of the largest, or ``least``.

    >>> decimals(0.042, -0.01), decimals(0.000123, 0.0000812), decimals(0.0, 1e-17)
    (3, 6, 3)
    """
    size = max((abs(value) for value in values if value is not None), default=0.0)
    if size < _NOISE or size >= 10.0 ** (1 - least):
        return least
    return 2 - math.floor(math.log10(size))


def p_value(value: float | None) -> str:
    """Return a p-value: 0.42, 0.0042, < 0.0001."""
    if value is None:
        return NOTHING
    return "< 0.0001" if value < 1e-4 else f"{value:.4f}" if value < 0.01 else f"{value:.2f}"


def percent(value: float | None, digits: int = 0) -> str:
    """Return a share as a percentage: 12%."""
    return NOTHING if value is None else f"{value * 100:.{digits}f}%"


def percents(value: Interval | None) -> str:
    """Return an interval of shares: 10 to 20%."""
    return NOTHING if value is None else f"{value[0] * 100:.0f} to {value[1] * 100:.0f}%"


def span(value: Interval) -> str:
    """Return a range of shares, one share if both ends are the same: 10 to 20%, 10%."""
    return percent(value[0]) if value[0] == value[1] else percents(value)
