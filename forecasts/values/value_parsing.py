"""Parse values as people type them.

A probability is ``71%``, ``0.71``, odds in favour, ``5:2`` (for : against, 71.4%), or a share,
``1/3``; two numbers that add up to 100 are odds, ``60/40``, but ``30-70`` is a range. A bare
``71`` or ``1`` is refused: it could mean one percent or certainty, and that slip can cost an
infinite log score. In a field with a % sign beside it, ``71`` is 71% and ``1`` is 1%
(``read_percent_field``).

A comma before digits is a decimal comma, ``12,5%``, unless it could separate thousands, ``1,500``.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Sequence
from datetime import datetime, tzinfo
from decimal import Decimal
from functools import partial

from forecasts.common.errors import BadInput, Refused
from forecasts.common.times import read_time
from forecasts.common.vocabulary import QuestionType
from forecasts.values.outcomes import find_option
from forecasts.values.outline import HasOutline
from forecasts.values.typed_dates import iso_date
from forecasts.values.value import (
    OUTSIDE_LEVELS,
    PROBABILITY_FORMS,
    SUM_TOLERANCE,
    Value,
    check_probability,
    check_value,
    shown,
    wrong_sum,
)

_NUMBER = r"-?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?"
_PERCENT = re.compile(rf"(?i)({_NUMBER})\s*(?:%|percent|per cent|pct)")
# A whole number in any notation could mean percent.
_WHOLE = re.compile(r"(?i)[\d_]+\.?(e[+]?\d+)?")
_PLAIN = r"(\d+(?:\.\d+)?)"
_ODDS = re.compile(rf"{_PLAIN}\s*:\s*{_PLAIN}")
_SHARE = re.compile(rf"{_PLAIN}\s*(?:(?P<mark>[/–-])|in|out of)\s*{_PLAIN}")
_THOUSANDS = re.compile(r"(?<![\d.,])[1-9]\d{0,2}(?:,\d{3})+(?![\d,])")
_PAIR = re.compile(r"\s*([^=\s][^=]*)=([^=,;]+(?:(?<=\d),\d+\s*%?\s*(?=[,;]|$))?)(?:[,;]|$)")
# In a field with a % sign.
PERCENT_FORMS = "Write 30, 30%, 0.3, odds such as 3:7, or a share such as 1/3."
_BARE = re.compile(r"-?(?:\d+(?:\.\d*)?|\.\d+)")
_CERTAIN_OR_ONE = re.compile(r"0*1\.0*")
_REPEATED = 40  # characters of the text that a remedy repeats


class BareNumber(BadInput):
    """A whole number without a % sign, which could be a slip.

    ``typed``: the number; ``readings``: the two probabilities it may mean, as typed.
    """

    def __init__(self, typed: str, *readings: str) -> None:
        self.typed, self.readings = typed, readings
        super().__init__(
            f"{shown(typed)} is ambiguous: it could be {readings[0]} or a slip.",
            remedy=f"Write {' or '.join(readings)}.",
        )


def read_value(
    text: str,
    question: HasOutline,
    current: Value | None = None,
    *,
    now: datetime | None = None,
    zone: tzinfo | None = None,
) -> Value:
    """Return the value that ``text`` states for this question.

    binary: a probability. multiple_choice: ``Busan=60%, Beijing=0.3, Other=1:9``, or a JSON list in
    the order of the options. Options left out share the rest, in the proportions of the member's
    ``current`` value if it covers every option, otherwise equally.
    numeric and date: ``10%=120, 50%=140, 90%=170``, or a JSON object of level to value. With
    ``now``, dates may be written as people type them, ``50%=in 3 weeks``, with the days of
    ``zone``; without it, in ISO 8601 only.
    BadInput for another form; Refused as in ``check_value``.
    """
    text = text.strip()
    if question.type == QuestionType.binary:
        return check_value(Value(probability=read_probability(text)), question)
    if text.startswith(("[", "{")):
        return check_value(_read_json(text), question)
    if question.type == QuestionType.multiple_choice:
        options = question.options or []
        vector = None if current is None else current.over(options).probabilities
        return check_value(_read_vector(text, options, vector), question)
    if question.type == QuestionType.date:
        date_of = _read_day if now is None else partial(iso_date, now=now, zone=zone)
        return check_value(_read_quantiles(text, "2027-03-01", date_of), question)
    return check_value(_read_quantiles(text, "140", _read_number), question)


def read_probability(text: str) -> float:
    """Return the probability that ``text`` states.

    >>> [round(read_probability(text), 3) for text in ("71%", "0.71", "5:2", "60/40", "1/3")]
    [0.71, 0.71, 0.714, 0.6, 0.333]

    BadInput for any other form; Refused outside 0 to 1.
    """
    typed, number = _tidy(text, PROBABILITY_FORMS)
    if (stated := _stated(typed, number)) is not None:
        return stated
    try:
        p = float(number)
    except ValueError:
        raise _no_probability(typed, PROBABILITY_FORMS) from None
    if _WHOLE.fullmatch(number) and 1 <= p <= 100:
        repeated = typed[:_REPEATED]
        raise BareNumber(repeated, f"{repeated}%", "100%" if p == 1 else f"{p / 100:g}")
    if not 0 <= p <= 1:
        raise Refused(
            f"A probability must be from 0 to 1; {shown(typed)} is not.", remedy=PROBABILITY_FORMS
        )
    return p


def read_percent_field(text: str) -> float:
    """Return the probability typed into a field with a % sign beside it.

    ``30``, ``30%``, ``0.3``, ``.3``, ``0,3``, ``3:7`` and ``3/10`` are all 30%. A number below 1
    with a point is a fraction; ``0.3%`` needs its sign. BadInput for anything else, as for
    ``1.0``, which could be 1% or certainty; Refused outside 0% to 100%.

    >>> [read_percent_field(text) for text in ("30", ".3", "3:7", "1/4", "0.5%", "1", "50/50")]
    [0.3, 0.3, 0.3, 0.25, 0.005, 0.01, 0.5]
    """
    typed, number = _tidy(text, PERCENT_FORMS)
    if _CERTAIN_OR_ONE.fullmatch(number):
        raise BadInput(f"{shown(typed)} could be 1% or 100%.", remedy="Write 1% or 100%.")
    if (stated := _stated(typed, number)) is not None:
        return stated
    if not _BARE.fullmatch(number):
        raise _no_probability(typed, PERCENT_FORMS)
    return float(number) if 0 <= float(number) < 1 else _percent(typed, number)


def _tidy(text: str, forms: str) -> tuple[str, str]:
    """Return the text without surrounding blanks, and the same with decimal points."""
    typed = text.strip()
    if not typed:
        raise BadInput("The probability is blank.", remedy=forms)
    if typed.startswith("+"):
        raise BadInput(
            f"{shown(typed)} could be a change.", remedy="Write the new probability itself."
        )
    return typed, _with_points(typed)


def _stated(typed: str, number: str) -> float | None:
    """Return a probability in a form that is clear everywhere: percentage, odds or share."""
    if match := _PERCENT.fullmatch(number):
        return _percent(typed, match[1])
    if match := _ODDS.fullmatch(number):
        favour, against = float(match[1]), float(match[2])
        if favour + against == 0:
            raise BadInput("Odds of 0:0 say nothing.", remedy="Write odds in favour, as in 5:2.")
        return check_probability(favour / (favour + against))
    if match := _SHARE.fullmatch(number):
        part, mark, whole = float(match[1]), match["mark"], float(match[3])
        if mark in ("-", "–") and (part, whole) != (50, 50):
            raise BadInput(f"{shown(typed)} is a range.", remedy="Write one probability in it.")
        if mark and part + whole == 100:
            return part / 100
        if whole == 0 or part > whole:
            odds = f"{match[1]}:{match[3]}"
            raise Refused(
                f"A probability must be from 0% to 100%; the share {shown(typed)} is not.",
                remedy=f"If you mean odds in favour, write {odds}."
                if len(odds) < _REPEATED
                else "",
            )
        return check_probability(part / whole)
    return None


def _percent(typed: str, number: str) -> float:
    """Return a percentage as a probability; Refused outside 0% to 100%."""
    try:
        # Decimal division, so that 57% is the float nearest to 0.57.
        p = float(Decimal(number) / 100)
    except ArithmeticError:
        p = math.inf
    if not 0 <= p <= 1:
        raise Refused(f"A probability must be from 0% to 100%; {shown(typed)} is not.")
    return p


def _with_points(typed: str) -> str:
    """Return a number with decimal points; BadInput if a comma could separate thousands."""
    if match := _THOUSANDS.search(typed):
        without = typed.replace(",", "")
        if match.group().count(",") > 1:
            remedy = f"Write it without commas: {without[:_REPEATED]}."
            raise BadInput(f"{shown(typed)} has commas that separate thousands.", remedy=remedy)
        decimal = typed.replace(",", ".")
        raise BadInput(
            f"The comma of {shown(typed)} could be a decimal comma or separate thousands.",
            remedy=f"Write {decimal[:_REPEATED]} or {without[:_REPEATED]}.",
        )
    return re.sub(r",(?=\d)", ".", typed)


def _no_probability(typed: str, forms: str) -> BadInput:
    return BadInput(f"{shown(typed)} is not a probability.", remedy=forms)


def _read_json(text: str) -> Value:
    try:
        given = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadInput(f"{shown(text)} is not JSON: {error}.") from None
    if isinstance(given, dict):
        return Value(quantiles=given)
    if None in given:
        raise Refused(
            "Every option of a new forecast needs a probability; null is only for options added "
            "after an imported forecast."
        )
    return Value(probabilities=tuple(given))


def _read_pairs(text: str, form: str) -> list[tuple[str, str]]:
    """Return the (name, value) pairs of ``a=1, b=2``; names may contain commas, values may not."""
    if not text:
        raise BadInput("The forecast is blank.", remedy=form)
    pairs, end = [], 0
    while match := _PAIR.match(text, end):
        pairs.append((match[1].strip(), match[2].strip()))
        end = match.end()
    if not pairs or end < len(text):
        rest = text[end:].strip()
        raise BadInput(f"{rest!r} is not of the form name=value.", remedy=form)
    return pairs


def _read_vector(
    text: str, options: Sequence[str], current: Sequence[float | None] | None
) -> Value:
    form = f"Write option=probability, separated by commas: {options[0]}=60%, {options[1]}=40%."
    stated: dict[str, float] = {}
    for name, value in _read_pairs(text, form):
        option = find_option(name, options)
        if option is None:
            raise BadInput(
                f"{name!r} is not an option of this question.",
                remedy="The options are: " + ", ".join(options) + ".",
            )
        if option in stated:
            raise BadInput(f"{option!r} is named twice.", remedy="Name it once.")
        stated[option] = read_probability(value)
    rest = 1 - math.fsum(stated.values())
    unstated = [option for option in options if option not in stated]
    if unstated and rest < -SUM_TOLERANCE:
        raise wrong_sum(1 - rest)
    weights = dict.fromkeys(unstated, 1.0)
    if current is not None and None not in current:
        known = {option: p or 0.0 for option, p in zip(options, current, strict=True)}
        if math.fsum(known[option] for option in unstated) > 0:
            weights = {option: known[option] for option in unstated}
    total = math.fsum(weights.values())
    shares = {option: max(rest, 0.0) * weight / total for option, weight in weights.items()}
    return Value(probabilities=tuple((shares | stated)[option] for option in options))


def _read_quantiles(text: str, example: str, read: Callable[[str], float | str]) -> Value:
    form = (
        f"Write level=value, separated by commas: 50%={example} gives that value or less one half."
    )
    if text and "=" not in text:
        raise BadInput(f"{shown(text)} has no level, as in 50%={text[:_REPEATED]}.", remedy=form)
    quantiles: dict[str, float | str] = {}
    for name, value in _read_pairs(text, form):
        outside = name.casefold() in OUTSIDE_LEVELS
        level = name.casefold() if outside else repr(read_probability(name))
        if level in quantiles:
            raise BadInput(f"The level {name!r} is named twice.", remedy="Name it once.")
        if outside:
            quantiles[level] = read_probability(value)
            continue
        try:
            quantiles[level] = read(value)
        except BadInput as error:
            raise BadInput(f"For {name}: {error.message}", remedy=error.advice) from None
    return Value(quantiles=quantiles)


def _read_number(text: str) -> float:
    try:
        return float(_with_points(text))
    except ValueError:
        raise BadInput(
            f"{text!r} is not a number.", remedy="Write it without a unit: 140.5."
        ) from None


def _read_day(text: str) -> str:
    """Return a date in ISO 8601 as it is written."""
    read_time(text)
    return text
