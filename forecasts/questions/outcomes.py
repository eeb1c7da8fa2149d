"""Outcomes of a question: reading one, comparing it with the bounds, saying it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from forecasts.common.errors import BadInput
from forecasts.common.times import read_time
from forecasts.ledger.models import QuestionText, QuestionType

NOT_SCORED = ("annulled", "ambiguous")


_BEYOND = {"below": "below_lower_bound", "above": "above_upper_bound"}


def find_option(name: str, options: Sequence[str]) -> str | None:
    """Return the option of that name: its exact text, else whatever the case of its letters."""
    if name in options:
        return name
    folded = name.casefold()
    return next((option for option in options if option.casefold() == folded), None)


def figure_to_float(figure: Any, kind: QuestionType | str) -> float:
    """Return a bound, quantile or outcome as a finite number; dates as seconds since 1970."""
    if kind == QuestionType.date and isinstance(figure, str):
        return read_time(figure).timestamp()
    number = float(figure)
    if not math.isfinite(number):
        raise ValueError(f"{figure!r} is not finite")
    return number


def read_outcome(text: str, question: QuestionText) -> str:
    """Return the outcome in the form that the ledger keeps (that of ``questions.csv``).

    yes · no · an option's text · a number · a date · below_lower_bound · above_upper_bound (below
    and above are short for them) · annulled · ambiguous · a number 0..1 on a binary question (a
    fractional outcome). BadInput for anything else, naming what is possible.
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
        possible = "yes, no, or a number in 0..1 for a fractional outcome"
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
        remedy=f"Possible are: {possible}; or annulled, ambiguous.",
    )


def outcome_value(outcome: str, question: QuestionText) -> float | str:
    """Return what an outcome that the ledger keeps says, however it is written.

    '100' and '100.0' are one number; yes and no are 1 and 0, a date is seconds since 1970; an
    option, and what is no number, is itself.
    """
    if outcome in (*NOT_SCORED, *_BEYOND.values()):
        return outcome
    if question.type == QuestionType.multiple_choice:
        return outcome
    if outcome in ("yes", "no"):
        return float(outcome == "yes")
    return figure_to_float(outcome, question.type)


def bound_exceeded(outcome: str, question: QuestionText) -> str:
    """Return what a number or a day outside the question's bounds is called; '' within them."""
    low, high = question.lower_bound, question.upper_bound
    if low is None or high is None or outcome in (*NOT_SCORED, *_BEYOND.values()):
        return ""
    figure = figure_to_float(outcome, question.type)
    if figure < figure_to_float(low, question.type):
        return _BEYOND["below"]
    return _BEYOND["above"] if figure > figure_to_float(high, question.type) else ""


def format_figure(figure: float | str) -> str:
    """Return a quantile's number to its last digit, or its day, for a person: '120', '7.5'."""
    return figure if isinstance(figure, str) else repr(figure).removesuffix(".0")


def format_bounds(text: QuestionText) -> str:
    """Return a number's or a day's bounds, and the unit: '0 to 30 m'; '' where there are none."""
    if text.lower_bound is None or text.upper_bound is None:
        return ""
    return f"{text.lower_bound} to {text.upper_bound} {text.unit or ''}".strip()
