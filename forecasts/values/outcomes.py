"""Outcomes: parse one, compare it with the question's bounds, format it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from forecasts.common.errors import BadInput
from forecasts.common.times import read_time
from forecasts.common.vocabulary import QuestionType
from forecasts.values.outline import HasOutline

NOT_SCORED = ("annulled", "ambiguous")
_LARGEST = 1e100
_LEAST_RANGE = 1e-9  # relative to the larger bound: floats have 1e-16
_BEYOND = {"below": "below_lower_bound", "above": "above_upper_bound"}


def find_option(name: str, options: Sequence[str]) -> str | None:
    """Return the option with this name, by its exact text or else ignoring case; None if none."""
    if name in options:
        return name
    folded = name.casefold()
    return next((option for option in options if option.casefold() == folded), None)


def figure_to_float(figure: Any, kind: QuestionType | str) -> float:
    """Return a bound, quantile or outcome as a finite number, a date in seconds since 1970.

    ValueError or BadInput for anything else.
    """
    if kind == QuestionType.date and isinstance(figure, str):
        return read_time(figure).timestamp()
    number = float(figure)
    if not math.isfinite(number):
        raise ValueError(f"{figure!r} is not finite")
    return number


def bounds(question: HasOutline) -> tuple[float, float]:
    """Return the bounds of a numeric or date question; those of dates in seconds since 1970."""
    low = figure_to_float(question.lower_bound, question.type)
    return low, figure_to_float(question.upper_bound, question.type)


def bounds_fault(lower: float, upper: float) -> str:
    """Return the rule that a question's bounds break; '' if none.

    Numbers too close together or too large are not told apart, and would all score alike.

    >>> bounds_fault(0, 30), bounds_fault(-1e308, 1e308)
    ('', 'bounds must lie within ±1e+100')
    """
    most = max(abs(lower), abs(upper))
    if lower >= upper:
        return "the lower bound must be below the upper bound"
    if most > _LARGEST:
        return f"bounds must lie within ±{_LARGEST:g}"
    if most < 1 / _LARGEST or upper - lower < _LEAST_RANGE * most:
        return "the bounds are too close together for the numbers between them to differ"
    return ""


def read_outcome(text: str, question: HasOutline) -> str:
    """Return the outcome in the form of the ledger and of ``questions.csv``.

    yes · no · an option's text · a number · a date · below_lower_bound · above_upper_bound (short:
    below, above) · annulled · ambiguous · a number from 0 to 1 on a binary question (a fractional
    outcome). BadInput for anything else lists the possible outcomes.
    """
    text = text.strip()
    folded = text.casefold()
    if folded in NOT_SCORED:
        return folded
    if question.type == QuestionType.binary:
        if folded in ("yes", "no"):
            return folded
        try:
            if 0 <= float(text) <= 1:
                return text
        except ValueError:
            pass
        possible = "yes, no, or a number from 0 to 1 for a fractional outcome"
    elif question.type == QuestionType.multiple_choice:
        option = find_option(text, question.options or [])
        if option is not None:
            return option
        possible = ", ".join(question.options or [])
    else:
        beyond = _BEYOND.get(folded, folded)
        if beyond in _BEYOND.values():
            return beyond
        try:
            figure_to_float(text, question.type)
        except (ValueError, BadInput):
            kind = "a number" if question.type == QuestionType.numeric else "a date"
            possible = f"{kind}, {', '.join(_BEYOND.values())}"
        else:
            return text
    raise BadInput(
        f"{text!r} is not an outcome of this question.",
        remedy=f"Possible outcomes: {possible}; or annulled, ambiguous.",
    )


def outcome_value(outcome: str, question: HasOutline) -> float | str:
    """Return a stored outcome as a value that compares equal however it is written.

    Yes and no are 1 and 0, a number is a float ('100' and '100.0' are equal), a date is in seconds
    since 1970. An option, an outcome outside the bounds and an unscored outcome stay text.
    """
    if outcome in (*NOT_SCORED, *_BEYOND.values()):
        return outcome
    if question.type == QuestionType.multiple_choice:
        return outcome
    if outcome in ("yes", "no"):
        return float(outcome == "yes")
    return figure_to_float(outcome, question.type)


def bound_exceeded(outcome: str, question: HasOutline) -> str:
    """Return the name of the bound that a number or date lies outside of; '' if it lies inside."""
    is_bounded = question.lower_bound is not None and question.upper_bound is not None
    if not is_bounded or outcome in (*NOT_SCORED, *_BEYOND.values()):
        return ""
    low, high = bounds(question)
    figure = figure_to_float(outcome, question.type)
    return _BEYOND["below"] if figure < low else _BEYOND["above"] if figure > high else ""


def format_figure(figure: float | str) -> str:
    """Return a quantile's number in full precision, or its date: '120', '7.5'."""
    return figure if isinstance(figure, str) else repr(figure).removesuffix(".0")


def format_bounds(text: HasOutline) -> str:
    """Return the question's bounds and unit: '0 to 30 m'; '' if it has no bounds."""
    if text.lower_bound is None or text.upper_bound is None:
        return ""
    return f"{text.lower_bound} to {text.upper_bound} {text.unit or ''}".strip()
