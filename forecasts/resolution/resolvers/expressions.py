"""Threshold expressions over a series: ``max(value) >= 145 between open and close``.

    expression   one of max min mean sum first last count, a column in parentheses,
                 then, for a yes/no question, a comparison with a number,
                 then, where it is not the whole time from open to close, a window
    window       between MOMENT and MOMENT, the first included, the second not
    moment       open, close, resolve, a day (2026-01-31) or a time with an offset

Nothing in it is ever run as code.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from forecasts.common.errors import BadInput, CannotTell
from forecasts.common.times import read_time
from forecasts.resolution.resolvers.protocol import Asked

FORM = "max(value) >= 145 between open and close"

_FORM = re.compile(
    r"(?P<what>max|min|mean|sum|first|last|count)\s*\(\s*(?P<column>[^()]+?)\s*\)"
    r"(?:\s*(?P<sign>>=|<=|==|>|<)\s*(?P<bound>[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?))?"
    r"(?:\s+between\s+(?P<start>\S+)\s+and\s+(?P<end>\S+))?",
    re.IGNORECASE,
)
_SIGNS: dict[str, Callable[[float, float], bool]] = {
    ">=": operator.ge, "<=": operator.le, "==": operator.eq, ">": operator.gt, "<": operator.lt,
}  # fmt: skip
_RISES, _FALLS = {"max", "count"}, {"min"}
_ABOVE, _BELOW = {">=", ">"}, {"<=", "<"}


@dataclass(frozen=True)
class Expression:
    """A read expression; ``sign`` and ``bound`` are None where it only names a number."""

    what: str
    column: str
    sign: str | None
    bound: float | None
    start: str
    end: str

    def window(self, asked: Asked) -> tuple[datetime, datetime]:
        """Return the first moment that counts and the first that does not any more."""
        return _moment(self.start, asked), _moment(self.end, asked)

    def value(self, values: Sequence[float]) -> float:
        """Return what the expression makes of the values in the window, oldest first."""
        if self.what == "count":
            return float(len(values))
        if self.what == "mean":
            return math.fsum(values) / len(values)
        if self.what == "sum":
            return math.fsum(values)
        if self.what in ("first", "last"):
            return values[0 if self.what == "first" else -1]
        return max(values) if self.what == "max" else min(values)

    def compares(self, value: float) -> bool:
        """Return whether the comparison is true of that value."""
        assert self.sign is not None
        assert self.bound is not None
        return _SIGNS[self.sign](value, self.bound)

    @property
    def lasting(self) -> bool | None:
        """What stays so once it is so, however the series goes on; None where nothing does.

        A maximum that has reached a bound has reached it for good (True), and one that has passed
        a bound can never stay below it (False).
        """
        for grows, reaches, fails in ((_RISES, _ABOVE, _BELOW), (_FALLS, _BELOW, _ABOVE)):
            if self.what in grows and self.sign is not None:
                return True if self.sign in reaches else False if self.sign in fails else None
        return None


def read_expression(text: str) -> Expression:
    """Return what ``text`` says; BadInput says what an expression looks like.

    >>> read_expression("min(price) < 2.5").lasting
    True
    """
    found = _FORM.fullmatch(text.strip())
    if found is None:
        raise BadInput(f"{text!r} is no expression over a series.", remedy=f"Write it so: {FORM}.")
    bound = None if found["bound"] is None else float(found["bound"])
    if bound is not None and not math.isfinite(bound):
        raise BadInput(f"{found['bound']!r} in {text!r} is too large a number.")
    start, end = found["start"] or "open", found["end"] or "close"
    for moment in (start, end):
        if moment not in ("open", "close", "resolve"):
            read_time(moment)
    return Expression(found["what"].lower(), found["column"], found["sign"], bound, start, end)


def _moment(word: str, asked: Asked) -> datetime:
    if word == "open":
        return asked.open_time
    if word == "close":
        return asked.scheduled_close_time
    if word == "resolve":
        if asked.scheduled_resolve_time is None:
            raise CannotTell(
                f"{asked.slug!r} has no scheduled time of resolution, which its resolver needs.",
                remedy="Set it: forecasts revise QUESTION --resolves TIME.",
            )
        return asked.scheduled_resolve_time
    return read_time(word)
