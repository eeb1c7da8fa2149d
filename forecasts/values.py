"""How a forecast's value and a question's outcome are read and written by people.

A probability is read as ``71%``, ``0.71`` or odds in favour ``5:2`` (for : against, 71.4 %).
A bare ``71`` or ``1`` is refused: it could mean one per cent or certainty, and under a log score
that slip costs everything.
"""

from __future__ import annotations

import itertools
import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from forecasts.errors import BadInput, Refused
from forecasts.models import Forecast, QuestionText, QuestionType
from forecasts.times import read_time

SUM_TOLERANCE = 1e-9
NOT_SCORED = ("annulled", "ambiguous")

_NUMBER = r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?"
_PERCENT = re.compile(rf"({_NUMBER})\s*%", re.IGNORECASE)
# However it is dressed up, a whole number could mean per cent.
_WHOLE = re.compile(r"[+]?[\d_]+\.?(e[+]?\d+)?", re.IGNORECASE)
_PAIR = re.compile(r"\s*([^=]*[^=\s][^=]*)=([^=,;]+)(?:[,;]|$)")
_ODDS = re.compile(r"(\d+(?:\.\d+)?)\s*:\s*(\d+(?:\.\d+)?)")


@dataclass(frozen=True)
class Value:
    """What one forecast says: exactly one of the three is given."""

    probability: float | None = None
    probabilities: tuple[float | None, ...] | None = None
    quantiles: Mapping[str, float | str] | None = None

    def columns(self) -> dict[str, Any]:
        """Return the three columns of a ``Forecast`` row."""
        return {
            "probability": self.probability,
            "probabilities": None if self.probabilities is None else list(self.probabilities),
            "quantiles": None if self.quantiles is None else dict(self.quantiles),
        }


def read_probability(text: str) -> float:
    """Return the probability that ``text`` states.

    >>> read_probability("71%"), read_probability("0.71"), round(read_probability("5:2"), 3)
    (0.71, 0.71, 0.714)

    BadInput for anything that is not one of the three forms; Refused outside 0..1.
    """
    text = text.strip()
    if match := _PERCENT.fullmatch(text):
        # Divided as decimals, so that 57 % is the float nearest to 0.57.
        try:
            return check_probability(float(Decimal(match[1]) / 100))
        except ArithmeticError:
            raise Refused(f"A probability lies in 0..1 and is finite; {text!r} is not.") from None
    if match := _ODDS.fullmatch(text):
        favour, against = float(match[1]), float(match[2])
        if favour + against == 0:
            raise BadInput("Odds of 0:0 say nothing.", remedy="Write odds in favour, as in 5:2.")
        return check_probability(favour / (favour + against))
    try:
        number = float(text)
    except ValueError:
        raise BadInput(
            f"{text!r} is not a probability.",
            remedy="Write 71%, 0.71, or odds in favour such as 5:2.",
        ) from None
    if _WHOLE.fullmatch(text) and 1 <= number <= 100:
        raise BadInput(
            f"{text!r} is ambiguous: it could be {text}% or a slip.",
            remedy=f"Write {text}% or {number / 100:g}"
            + (", or 1.0 if you are certain." if number == 1 else "."),
        )
    return check_probability(number)


def check_probability(p: float) -> float:
    """Return ``p``; Refused when it is not a finite number in 0..1."""
    if not math.isfinite(p) or not 0 <= p <= 1:
        raise Refused(
            f"A probability lies in 0..1 and is finite; {p!r} is not.",
            remedy="Write 71%, 0.71, or odds in favour such as 5:2.",
        )
    return p


def read_value(text: str, question: QuestionText) -> Value:
    """Return the value that ``text`` states for this question.

    binary: a probability. multiple_choice: ``Busan=60%, Beijing=0.3, Other=1:9`` (options that
    are not named share what is left equally) or a JSON list in the order of the options.
    numeric and date: ``10%=120, 50%=140, 90%=170`` or a JSON object of level to value.
    BadInput or Refused as ``check_value`` says.
    """
    text = text.strip()
    if question.type == QuestionType.binary:
        return check_value(Value(probability=read_probability(text)), question)
    if text[:1] in "[{":
        try:
            given = json.loads(text)
        except json.JSONDecodeError as error:
            raise BadInput(f"{text!r} is not JSON: {error}.") from None
        if isinstance(given, list):
            if None in given:
                raise Refused(
                    "Every option of a new forecast needs a probability; null is for forecasts "
                    "that were made before an option was there."
                )
            return check_value(Value(probabilities=tuple(given)), question)
        return check_value(Value(quantiles=given), question)
    named = dict(_pairs(text))
    if question.type == QuestionType.multiple_choice:
        return check_value(_vector(named, question.options or []), question)
    quantiles = {
        level: read_probability(value)
        if level in ("below", "above")
        else _figure(value, question.type)
        for name, value in named.items()
        for level in [_level(name)]
    }
    return check_value(Value(quantiles=quantiles), question)


def _pairs(text: str) -> list[tuple[str, str]]:
    """Return the (name, value) pairs of ``a=1, b=2``; names may hold commas, values may not."""
    pairs, end = [], 0
    while match := _PAIR.match(text, end):
        pairs.append((match[1].strip(), match[2].strip()))
        end = match.end()
    names = [name.casefold() for name, _ in pairs]
    twice = next((name for name, _ in pairs if names.count(name.casefold()) > 1), None)
    if twice is not None:
        raise BadInput(f"{twice!r} is named twice.", remedy="Name it once.")
    if not pairs or end < len(text):
        raise BadInput(
            f"{text[end:].strip()!r} does not name what a number belongs to.",
            remedy="Write name=number, separated by commas: Busan=60%, Beijing=40%.",
        )
    return pairs


def _vector(named: Mapping[str, str], options: Sequence[str]) -> Value:
    by_folded = {option.casefold(): option for option in options}
    stated: dict[str, float] = {}
    for name, value in named.items():
        option = by_folded.get(name.casefold())
        if option is None:
            raise BadInput(
                f"{name!r} is not an option of this question.",
                remedy="The options are: " + ", ".join(options) + ".",
            )
        stated[option] = read_probability(value)
    rest = [option for option in options if option not in stated]
    left = 1 - math.fsum(stated.values())
    if rest and left < -SUM_TOLERANCE:
        raise Refused(f"The probabilities sum to {1 - left:.12g}, and they must sum to 1.")
    share = max(left, 0.0) / len(rest) if rest else 0.0
    return Value(probabilities=tuple(stated.get(option, share) for option in options))


def _level(text: str) -> str:
    if text.casefold() in ("below", "above"):
        return text.casefold()
    level = read_probability(text)
    return repr(level)


def _figure(text: str, kind: QuestionType | str) -> float | str:
    if kind == QuestionType.date:
        return text
    try:
        return float(text)
    except ValueError:
        raise BadInput(f"{text!r} is not a number.") from None


def check_value(value: Value, question: QuestionText) -> Value:
    """Return ``value`` if it fits the question; else Refused with the rule and the value.

    Rules: the kind of value belongs to the question's type; every probability is finite and in
    0..1; a vector has one entry an option and sums to 1 within 1e-9; quantiles rise with levels.
    """
    expected = {
        QuestionType.binary: "probability",
        QuestionType.multiple_choice: "probabilities",
    }.get(QuestionType(question.type), "quantiles")
    if getattr(value, expected) is None:
        raise Refused(f"A {question.type} question takes {expected}.")
    if value.probability is not None:
        check_probability(value.probability)
    if value.probabilities is not None:
        _check_vector(value.probabilities, question.options or [])
    if value.quantiles is not None:
        _check_quantiles(value.quantiles, question)
    return value


def _check_vector(vector: Sequence[float | None], options: Sequence[str]) -> None:
    if len(vector) != len(options):
        raise Refused(
            f"The question has {len(options)} options, and {len(vector)} probabilities were given.",
            remedy="Give one probability an option: " + ", ".join(options) + ".",
        )
    for p in vector:
        if p is not None:
            if isinstance(p, bool) or not isinstance(p, int | float):
                raise Refused(f"{p!r} is not a probability.")
            if abs(p) > 1:  # first, since an integer of any length may stand here
                raise Refused("A probability lies in 0..1; one of these does not.")
            check_probability(p)
    total = math.fsum(p for p in vector if p is not None)
    if abs(total - 1) > SUM_TOLERANCE:
        raise Refused(
            f"The probabilities sum to {total:.12g}, and they must sum to 1 (within 1e-9).",
            remedy="Change one of them, or leave an option out: it gets what is left.",
        )


def _check_quantiles(quantiles: Mapping[str, Any], question: QuestionText) -> None:
    kind = question.type
    lowest, highest = (
        None if bound is None else figure_number(bound, kind)
        for bound in (question.lower_bound, question.upper_bound)
    )
    if not quantiles:
        raise Refused("A forecast of quantiles needs at least one.")
    inside = []
    for level, figure in quantiles.items():
        try:
            number = figure_number(figure, kind)
            # Mass outside the bounds is stated as ``below`` and ``above``.
            if level in ("below", "above"):
                check_probability(float(figure))
            else:
                inside.append((check_probability(float(level)), number))
        except (ValueError, TypeError, OverflowError, BadInput):
            raise Refused(f"The quantile {level!r}: {figure!r} cannot be read.") from None
    inside.sort()
    for p, number in inside:
        if (lowest is not None and number < lowest) or (highest is not None and number > highest):
            raise Refused(
                f"The quantile {p!r}: {quantiles.get(repr(p), number)!r} lies outside the "
                f"question's bounds, {question.lower_bound} to {question.upper_bound}.",
                remedy="State the mass outside them as below=… and above=….",
            )
    if any(a[1] > b[1] for a, b in itertools.pairwise(inside)):
        raise Refused("Quantiles must rise with their levels; these cross.")


def figure_number(figure: Any, kind: QuestionType | str) -> float:
    """Return a bound, quantile or outcome as a finite number; dates as seconds since 1970."""
    if kind == QuestionType.date and isinstance(figure, str):
        return read_time(figure).timestamp()
    number = float(figure)
    if not math.isfinite(number):
        raise ValueError(f"{figure!r} is not finite")
    return number


def read_outcome(text: str, question: QuestionText) -> str:
    """Return the outcome in the form that the ledger keeps (that of ``questions.csv``).

    yes · no · an option's text · a number · a date · annulled · ambiguous · a number 0..1 on a
    binary question (a fractional outcome). BadInput for anything else, naming what is possible.
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
        # The exact text first: two options may differ in case only.
        for option in question.options or []:
            if option == text:
                return option
        for option in question.options or []:
            if option.casefold() == folded:
                return option
        possible = ", ".join(question.options or [])
    else:
        if folded in ("below_lower_bound", "above_upper_bound"):
            return folded
        try:
            figure_number(text, question.type)
        except (ValueError, BadInput):
            possible = "a number" if question.type == QuestionType.numeric else "a date"
        else:
            return text
    raise BadInput(
        f"{text!r} is not an outcome of this question.",
        remedy=f"Possible are: {possible}; or annulled, ambiguous.",
    )


def check_offered(value: Value, lowest: float) -> Value:
    """Return ``value``; Refused where a probability lies outside ``lowest``..1 − ``lowest``.

    The ledger takes every probability in 0..1. Where people type, the extremes are refused all
    the same: one slip to certainty is a log score of infinity.
    """
    given = value.probabilities if value.probability is None else (value.probability,)
    for p in given or ():
        if p is not None and not lowest <= p <= 1 - lowest:
            raise Refused(
                f"Probabilities from {say_probability(lowest)} to {say_probability(1 - lowest)} "
                f"are offered here; {say_probability(p)} is outside.",
                remedy="Move a little away from certainty, or set FORECASTS_LOWEST_PROBABILITY=0.",
            )
    return value


def to_percent(p: float) -> float:
    """Return ``p`` as a percentage to edit, to six decimals."""
    return round(100 * p, 6)


def left_over(percents: Sequence[float | None]) -> float:
    """Return what is missing to 100 % (negative: given too much), to four decimals."""
    return round(100 - math.fsum(p for p in percents if p is not None), 4)


def from_percents(percents: Sequence[float | None], question: QuestionText) -> Value:
    """Return the vector of these percentages; options left blank share what is left equally.

    Percentages that sum to 100 to four decimals, such as three times 33.33333, are divided by
    their sum. Refused as ``check_value`` says, and where nothing is left for the blank ones.
    """
    left, blank = left_over(percents), sum(p is None for p in percents)
    if left < 0 or (left > 0 and not blank):
        raise Refused(
            f"The percentages sum to {100 - left:g}, and they must sum to 100.",
            remedy="Change one of them, or leave an option blank: it gets what is left.",
        )
    filled = [left / blank if p is None else p for p in percents]
    total = math.fsum(filled)
    return check_value(Value(probabilities=tuple(p / total for p in filled)), question)


def say_probability(p: float) -> str:
    """Return ``p`` for a person, with two figures of the nearer end; 0 % and 100 % only if exact.

    >>> [say_probability(p) for p in (0.71, 0.714, 0.004, 0.9997, 1.0)]
    ['71 %', '71.4 %', '0.4 %', '99.97 %', '100 %']
    """
    near = min(p, 1 - p)
    digits = 1 if near >= 0.1 or near <= 0 else 1 - math.floor(math.log10(near * 100))
    return f"{p * 100:.{digits}f}".rstrip("0").rstrip(".") + " %"


def say_value(forecast: Forecast | Value, options: Sequence[str] | None = None) -> str:
    """Return a forecast's value for a person: '71 %', 'Busan 60 %, Other 40 %', 'withdrawn'."""
    if forecast.probability is not None:
        return say_probability(forecast.probability)
    if forecast.probabilities is not None:
        names = options or [f"option {i + 1}" for i in range(len(forecast.probabilities))]
        return ", ".join(
            f"{name} {say_probability(p)}"
            for name, p in zip(names, forecast.probabilities, strict=False)
            if p is not None
        )
    if forecast.quantiles is not None:
        return ", ".join(
            f"{say_probability(float(level))} ≤ {figure}"
            if level not in ("below", "above")
            else f"{level} {say_probability(float(figure))}"
            for level, figure in forecast.quantiles.items()
        )
    return "withdrawn"
