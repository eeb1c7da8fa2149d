"""Numbers as text, alike in every document, on every page and in every answer.

A score, a mean or a difference that a person reads is written here and nowhere else.
"""

from __future__ import annotations

Interval = tuple[float, float]

NOTHING, MINUS = "–", "−"
_NOISE = 5e-5  # smaller is 0 to a reader


def number(value: float | None, digits: int | None = None) -> str:
    """Return a score with three significant digits, or with that many decimals.

    Below 1 it has three decimals or more; zero has no sign.

    >>> number(0.25), number(-0.0123), number(0.0001), number(1.386), number(-1e-17)
    ('0.250', '−0.0123', '0.0001', '1.39', '0.000')
    """
    if value is None:
        return NOTHING
    least, digits = (3, decimals(value)) if digits is None else (4, digits)
    text = f"{round(value, digits) + 0.0:.{digits}f}"
    while digits > least and text.endswith("0"):
        text, digits = text[:-1], digits - 1
    return text.replace("-", MINUS)


def signed(value: float | None, digits: int | None = None) -> str:
    """Return a difference with its sign: +0.021, −0.021, 0.000."""
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

    They are three to six below 1.

    >>> decimals(0.042, -0.01), decimals(0.000123, 0.0000812), decimals(0.0, 1e-17), decimals(12.3)
    (4, 6, 3, 1)
    """
    size = max((abs(value) for value in values if value is not None), default=0.0)
    if size < _NOISE:
        return 3
    power = int(f"{size:.2e}".partition("e")[2])  # after rounding: 0.9996 is 1.00
    return max(0, 2 - power) if power >= 0 else min(max(3, 2 - power), 6)


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
