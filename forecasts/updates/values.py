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

from forecasts.common.errors import BadInput, LedgerError, Refused
from forecasts.common.times import read_time
from forecasts.ledger.models import Forecast, QuestionText, QuestionType
from forecasts.questions.outcomes import figure_to_float, find_option, format_figure

SUM_TOLERANCE = 1e-9

_NUMBER = r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?"

_PERCENT = re.compile(rf"({_NUMBER})\s*%", re.IGNORECASE)

# However it is dressed up, a whole number could mean per cent.
_WHOLE = re.compile(r"[+]?[\d_]+\.?(e[+]?\d+)?", re.IGNORECASE)

_DECIMAL_COMMA = re.compile(r"[+-]?\d*,\d+\s*%?")

_PAIR = re.compile(r"\s*([^=]*[^=\s][^=]*)=([^=,;]+)(?:[,;]|$)")

_ODDS = re.compile(r"(\d+(?:\.\d+)?)\s*:\s*(\d+(?:\.\d+)?)")

_FORMS = "Write 71%, 0.71, or odds in favour such as 5:2."

_OUTSIDE = ("below", "above")

_SHOWN = 40  # signs of a wrong value that a message repeats


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


def value_of(forecast: Forecast) -> Value:
    """Return what the forecast says; all three are None for a withdrawal."""
    vector = forecast.probabilities
    return Value(
        forecast.probability, None if vector is None else tuple(vector), forecast.quantiles
    )


def read_probability(text: str) -> float:
    """Return the probability that ``text`` states.

    >>> read_probability("71%"), read_probability("0.71"), round(read_probability("5:2"), 3)
    (0.71, 0.71, 0.714)

    BadInput for anything that is not one of the three forms; Refused outside 0..1.
    """
    text = text.strip()
    if not text:
        raise BadInput("The probability is blank.", remedy=_FORMS)
    if match := _PERCENT.fullmatch(text):
        # Divided as decimals, so that 57 % is the float nearest to 0.57.
        try:
            p = float(Decimal(match[1]) / 100)
        except ArithmeticError:
            p = math.inf
        if not 0 <= p <= 1:
            raise Refused(f"A probability lies in 0..100 %; {_shown(text)} is outside.")
        return p
    if match := _ODDS.fullmatch(text):
        favour, against = float(match[1]), float(match[2])
        if favour + against == 0:
            raise BadInput("Odds of 0:0 say nothing.", remedy="Write odds in favour, as in 5:2.")
        return check_probability(favour / (favour + against))
    if _DECIMAL_COMMA.fullmatch(text):
        raise BadInput(
            f"{_shown(text)} has a comma, and the decimal sign is a point.",
            remedy=f"Write {text.replace(',', '.')[:_SHOWN]}.",
        )
    try:
        number = float(text)
    except ValueError:
        raise BadInput(f"{_shown(text)} is not a probability.", remedy=_FORMS) from None
    if _WHOLE.fullmatch(text) and 1 <= number <= 100:
        raise BadInput(
            f"{_shown(text)} is ambiguous: it could be {text[:_SHOWN]}% or a slip.",
            remedy=f"Write {text}% or {number / 100:g}"
            + (", or 1.0 if you are certain." if number == 1 else "."),
        )
    if not 0 <= number <= 1:
        raise Refused(f"A probability lies in 0..1; {_shown(text)} is outside.", remedy=_FORMS)
    return number


def check_probability(p: float) -> float:
    """Return ``p``; Refused when it is not a finite number in 0..1."""
    if not math.isfinite(p) or not 0 <= p <= 1:
        raise Refused(f"A probability lies in 0..1 and is finite; {p!r} is not.", remedy=_FORMS)
    return p


def stated_certainty(value: Value) -> float | None:
    """Return the 0 or 1 that the value states of an outcome; None where it leaves every chance.

    One surprise after it costs an infinite log score.
    """
    given = value.probabilities if value.probability is None else (value.probability,)
    return next((p for p in given or () if p is not None and p in (0, 1)), None)


def read_value(text: str, question: QuestionText, standing: Value | None = None) -> Value:
    """Return the value that ``text`` states for this question.

    binary: a probability. multiple_choice: ``Busan=60%, Beijing=0.3, Other=1:9`` or a JSON list in
    the order of the options. Options that are not named share what is left: in the proportions of
    the ``standing`` value, where there is one that says something of each; else equally.
    numeric and date: ``10%=120, 50%=140, 90%=170`` or a JSON object of level to value.
    BadInput or Refused as ``check_value`` says.
    """
    text = text.strip()
    if question.type == QuestionType.binary:
        return check_value(Value(probability=read_probability(text)), question)
    if text.startswith(("[", "{")):
        return check_value(_from_json(text), question)
    if question.type == QuestionType.multiple_choice:
        said = None if standing is None else standing.probabilities
        return check_value(_vector(text, question.options or [], said), question)
    return check_value(_quantiles(text, question.type), question)


def _from_json(text: str) -> Value:
    try:
        given = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadInput(f"{_shown(text)} is not JSON: {error}.") from None
    if isinstance(given, dict):
        return Value(quantiles=given)
    if None in given:
        raise Refused(
            "Every option of a new forecast needs a probability; null is for forecasts that were "
            "made before an option was there."
        )
    return Value(probabilities=tuple(given))


def _pairs(text: str, form: str) -> list[tuple[str, str]]:
    """Return the (name, value) pairs of ``a=1, b=2``; names may hold commas, values may not."""
    if not text:
        raise BadInput("The forecast is blank.", remedy=form)
    pairs, end = [], 0
    while match := _PAIR.match(text, end):
        pairs.append((match[1].strip(), match[2].strip()))
        end = match.end()
    if not pairs or end < len(text):
        left = text[end:].strip()
        if pairs and left[:1].isdigit():
            form += " The decimal sign is a point."
        raise BadInput(f"{left!r} does not name what a number belongs to.", remedy=form)
    return pairs


def _vector(text: str, options: Sequence[str], standing: Sequence[float | None] | None) -> Value:
    form = f"Write option=probability, separated by commas: {options[0]}=60%, {options[1]}=40%."
    stated: dict[str, float] = {}
    for name, value in _pairs(text, form):
        option = find_option(name, options)
        if option is None:
            raise BadInput(
                f"{name!r} is not an option of this question.",
                remedy="The options are: " + ", ".join(options) + ".",
            )
        if option in stated:
            raise BadInput(f"{option!r} is named twice.", remedy="Name it once.")
        stated[option] = read_probability(value)
    rest = [option for option in options if option not in stated]
    left = 1 - math.fsum(stated.values())
    if rest and left < -SUM_TOLERANCE:
        raise _wrong_sum(1 - left)
    weights = _weights(rest, options, standing)
    total = math.fsum(weights.values())
    shares = {option: max(left, 0.0) * weight / total for option, weight in weights.items()}
    return Value(probabilities=tuple((shares | stated)[option] for option in options))


def _weights(
    rest: Sequence[str], options: Sequence[str], standing: Sequence[float | None] | None
) -> dict[str, float]:
    """Return by what proportions the options that are not named share what is left."""
    if standing is not None and len(standing) == len(options):
        known = dict(zip(options, standing, strict=True))
        weights = {option: known[option] or 0.0 for option in rest if known[option] is not None}
        if len(weights) == len(rest) and math.fsum(weights.values()) > 0:
            return weights
    return dict.fromkeys(rest, 1.0)


def _quantiles(text: str, kind: QuestionType | str) -> Value:
    example = "2027-03-01" if kind == QuestionType.date else "140"
    form = f"Write level=value, separated by commas: 50%={example} gives one half to it or less."
    quantiles: dict[str, float | str] = {}
    for name, value in _pairs(text, form):
        outside = name.casefold() in _OUTSIDE
        level = name.casefold() if outside else repr(read_probability(name))
        if level in quantiles:
            raise BadInput(f"The level {name!r} is named twice.", remedy="Name it once.")
        quantiles[level] = read_probability(value) if outside else _figure(name, value, kind)
    return Value(quantiles=quantiles)


def _figure(level: str, text: str, kind: QuestionType | str) -> float | str:
    """Return the number, or the day as it is written, that stands for the level as it is typed."""
    try:
        if kind == QuestionType.date:
            read_time(text)
            return text
        return float(text)
    except (ValueError, BadInput):
        what, form = (
            ("day", f"Write YYYY-MM-DD: {level}=2027-03-31.")
            if kind == QuestionType.date
            else ("number", f"Write one with a point, and no unit: {level}=140.5.")
        )
        raise BadInput(f"{text!r}, for {level}, is not a {what}.", remedy=form) from None


def check_value(value: Value, question: QuestionText) -> Value:
    """Return ``value`` if it fits the question; else Refused with the rule and the value.

    Rules: the kind of value belongs to the question's type; every probability is finite and in
    0..1; a vector has one entry an option and sums to 1 within 1e-9; quantiles rise with levels,
    lie within the bounds, and leave the mass outside those to ``below`` and ``above``.
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
    for option, p in zip(options, vector, strict=True):
        if p is None:
            continue
        if isinstance(p, bool) or not isinstance(p, int | float):
            raise Refused(f"The probability of {option!r}, {_shown(p)}, is not a number.")
        if not 0 <= p <= 1:  # NaN does not either
            raise Refused(f"A probability lies in 0..1; that of {option!r}, {_shown(p)}, does not.")
    total = math.fsum(p for p in vector if p is not None)
    if abs(total - 1) > SUM_TOLERANCE:
        raise _wrong_sum(total)


def _wrong_sum(total: float) -> Refused:
    return Refused(
        f"The probabilities sum to {100 * total:.12g} %, and they must sum to 100 %.",
        remedy="Change one of them, or leave an option out: it gets what is left.",
    )


def _shown(value: object) -> str:
    words = repr(value)
    return words if len(words) <= _SHOWN else words[:_SHOWN] + "…"


def _check_quantiles(quantiles: Mapping[str, Any], question: QuestionText) -> None:
    if not quantiles:
        raise Refused("A forecast of quantiles needs at least one.")
    lowest, highest = (
        None if bound is None else figure_to_float(bound, question.type)
        for bound in (question.lower_bound, question.upper_bound)
    )
    outside = dict.fromkeys(_OUTSIDE, 0.0)
    inside = []
    for level, figure in quantiles.items():
        try:
            if level in _OUTSIDE:
                outside[level] = check_probability(float(figure))
            else:
                p = check_probability(float(level))
                inside.append((p, figure_to_float(figure, question.type), figure))
        except (ValueError, TypeError, OverflowError, LedgerError):
            raise Refused(
                f"The quantile {_shown(level)}: {_shown(figure)} cannot be read."
            ) from None
    inside.sort(key=lambda quantile: quantile[:2])
    for p, number, figure in inside:
        if (lowest is not None and number < lowest) or (highest is not None and number > highest):
            raise Refused(
                f"The quantile {format_probability(p)} ≤ {format_figure(figure)} lies outside the "
                f"question's bounds, {question.lower_bound} to {question.upper_bound}.",
                remedy="State the mass outside them as below=… and above=….",
            )
    for (p, a, first), (q, b, second) in itertools.pairwise(inside):
        if p == q or a > b:
            raise Refused(
                f"Quantiles must rise with their levels; {format_probability(p)} ≤ "
                f"{format_figure(first)} and {format_probability(q)} ≤ {format_figure(second)} do not."
            )
    _check_mass_outside(outside["below"], outside["above"], [p for p, _, _ in inside])


def _check_mass_outside(below: float, above: float, levels: Sequence[float]) -> None:
    if below + above > 1:
        raise Refused(
            f"The mass below and above the bounds sums to {below + above:.12g}, and it may be 1 "
            "at most."
        )
    for p in levels:
        if not below <= p <= 1 - above:
            raise Refused(
                f"A quantile within the bounds has a level from {format_probability(below)} (below "
                f"them) to {format_probability(1 - above)} (all but above them); {format_probability(p)} "
                "has not."
            )


def format_probability(p: float, fewest: int = 1) -> str:
    """Return ``p`` for a person, with two figures of the nearer end; 0 % and 100 % only if exact.

    ``fewest``: how many decimals there are at least, before the zeros at the end go.

    >>> [say_probability(p) for p in (0.71, 0.714, 0.004, 0.9997, 1.0)]
    ['71 %', '71.4 %', '0.4 %', '99.97 %', '100 %']
    """
    near = min(p, 1 - p)
    digits = fewest if near <= 0 else max(fewest, 1 - math.floor(math.log10(near * 100)))
    return f"{p * 100:.{digits}f}".rstrip("0").rstrip(".") + " %"


def format_odds(p: float) -> str:
    """Return odds in favour for a person, the smaller side 1; '' where there are none.

    >>> say_odds(0.8), say_odds(0.5), say_odds(0.02)
    ('4:1', '1:1', '1:49')
    """
    if not 0 < p < 1:
        return ""
    more = max(p, 1 - p) / min(p, 1 - p)
    said = f"{more:.0f}" if more >= 10 else f"{more:.1f}".removesuffix(".0")
    return f"{said}:1" if p >= 0.5 else f"1:{said}"


def format_value(forecast: Forecast | Value, options: Sequence[str] | None = None) -> str:
    """Return a forecast's value for a person: '71 %', 'Busan 60 %, Other 40 %', 'withdrawn'.

    ``options`` is the newest list, or that of the time: of a forecast that is older than some of
    them it names those that were there. Without any they are numbered.
    """
    if forecast.probability is not None:
        return format_probability(forecast.probability)
    vector = forecast.probabilities
    if vector is not None:
        names = _names(len(vector), options or [])
        return ", ".join(
            f"{name} {format_probability(p)}"
            for name, p in zip(names, vector, strict=True)
            if p is not None
        )
    if forecast.quantiles is not None:
        return ", ".join(
            f"{format_probability(float(level))} ≤ {format_figure(figure)}"
            if level not in _OUTSIDE
            else f"{level} {format_probability(float(figure))}"
            for level, figure in forecast.quantiles.items()
        )
    return "withdrawn"


def _names(count: int, options: Sequence[str]) -> Sequence[str]:
    """Return the names of so many options; those that a longer list has more are the newer ones."""
    if len(options) == count:
        return options
    if len(options) > count > 0:
        return [*options[: count - 1], options[-1]]  # added before the last one, and only there
    return [f"option {number + 1}" for number in range(count)]


def format_change(
    before: Forecast | None, after: Value, options: Sequence[str] | None = None
) -> str:
    """Return what an update does, for a person: '40 % → 71 %', 'still 71 %', '71 %' if first."""
    said = format_value(after, options)
    if before is None:
        return said
    if value_of(before) == after:
        return f"still {said}"
    return f"{format_value(before, options)} → {said}"
