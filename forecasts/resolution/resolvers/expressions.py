"""Threshold expressions over a series: ``max(value) >= 145 between open and close``.

    expression   one of max min mean sum first last count, and a column in parentheses;
                 for a binary question, a comparison with a number;
                 optionally a window (default: between open and close)
    window       between MOMENT and MOMENT, the first included, the second excluded
    moment       open, close, resolve, a day (2026-01-31) or a time with an offset

An expression is never evaluated as code.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from forecasts.common.errors import BadInput, CannotTell, Remedy
from forecasts.common.times import read_time
from forecasts.resolution.resolvers.protocol import Asked

FORM = "max(value) >= 145 between open and close"

_FORM = re.compile(
    r"(?P<function>max|min|mean|sum|first|last|count)\s*\(\s*(?P<column>[^()\s](?:[^()]*[^()\s])?)\s*\)"
    r"(?:\s*(?P<comparison>>=|<=|==|>|<)\s*(?P<bound>[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?))?"
    r"(?:\s+between\s+(?P<start>\S+)\s+and\s+(?P<end>\S+))?",
    re.IGNORECASE,
)
_COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    ">=": operator.ge, "<=": operator.le, "==": operator.eq, ">": operator.gt, "<": operator.lt,
}  # fmt: skip
_FUNCTIONS: dict[str, Callable[[Sequence[float]], float]] = {
    "count": lambda values: float(len(values)),
    "mean": lambda values: math.fsum(values) / len(values),
    "sum": math.fsum,
    "first": operator.itemgetter(0),
    "last": operator.itemgetter(-1),
    "max": max,
    "min": min,
}


@dataclass(frozen=True)
class Expression:
    """A parsed expression; ``comparison`` and ``bound`` are None if its value is a number."""

    function: str
    column: str
    comparison: str | None
    bound: float | None
    start: str
    end: str

    def window(self, asked: Asked) -> tuple[datetime, datetime]:
        """Return the start, included, and the end, excluded."""
        return _moment(self.start, asked), _moment(self.end, asked)

    def value(self, values: Sequence[float]) -> float:
        """Return the value of the function on the values in the window, oldest first."""
        return _FUNCTIONS[self.function](values)

    def compares(self, value: float) -> bool:
        """Return whether the comparison holds for that value."""
        assert self.comparison is not None
        assert self.bound is not None
        return _COMPARISONS[self.comparison](value, self.bound)

    @property
    def lasting(self) -> bool | None:
        """The comparison's result that no later value can change; None if any result can change.

        A maximum that has reached its bound stays there (True); one that has exceeded an upper
        bound stays above it (False).
        """
        if self.comparison in (None, "==") or self.function not in ("max", "count", "min"):
            return None
        return (self.comparison in (">=", ">")) is (self.function != "min")


def read_expression(text: str) -> Expression:
    """Return the parsed expression; BadInput shows the form of one.

    >>> read_expression("min(price) < 2.5").lasting
    True
    """
    found = _FORM.fullmatch(text.strip())
    if found is None:
        raise BadInput(f"{text!r} is not a series expression.", remedy=f"Example: {FORM}.")
    bound = None if found["bound"] is None else float(found["bound"])
    if bound is not None and not math.isfinite(bound):
        raise BadInput(f"{found['bound']!r} in {text!r} is too large a number.")
    start, end = found["start"] or "open", found["end"] or "close"
    for moment in (start, end):
        if moment not in ("open", "close", "resolve"):
            read_time(moment)
    return Expression(
        found["function"].lower(), found["column"], found["comparison"], bound, start, end
    )


def _moment(word: str, asked: Asked) -> datetime:
    if word == "open":
        return asked.open_time
    if word == "close":
        return asked.scheduled_close_time
    if word != "resolve":
        return read_time(word)
    if asked.scheduled_resolve_time is None:
        raise CannotTell(
            f"{asked.slug!r} has no scheduled resolve time, which its resolver needs.",
            remedy=Remedy("To set it: {}", "revise", asked.slug, resolves="TIME"),
        )
    return asked.scheduled_resolve_time
