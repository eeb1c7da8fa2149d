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
from typing import Any, TypeAlias

from forecasts.common.errors import BadInput, Refused
from forecasts.common.times import read_time
from forecasts.common.vocabulary import QuestionType
from forecasts.values.outcomes import bounds, find_option
from forecasts.values.outline import HasOutline, Outline
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
# Nobody writes a decimal with three places of which the last is 0, but programs round to it.
_POINT_OF_THOUSANDS = re.compile(r"[1-9]\d{0,2}\.\d\d0")
_PAIR = re.compile(r"\s*([^=\s][^=]*)=([^=,;]+(?:(?<=\d),\d+\s*%?\s*(?=[,;]|$))?)(?:[,;]|$)")
# Of "Busan: 60%, Plan: B: 40%": the last colon of each.
_LAST_COLON = re.compile(r": (?=(?:(?!: )[^,;])*(?:[,;]|$))")
# In a field with a % sign.
PERCENT_FORMS = "Write 30, 30%, 0.3, odds such as 3:7, or a share such as 1/3."
_BARE = re.compile(r"-?(?:\d+(?:\.\d*)?|\.\d+)")
_CERTAIN_OR_ONE = re.compile(r"0*1\.0*")
# Of JSON: the field around a value, but not "probability_no"; the name of one of several; a level.
_AROUND = re.compile(
    r"(?i)(?:value|forecast|predictions?|probabilit(?:y|ies)|percentiles|quantiles)"
    r"(?:[ _](?:of[ _])?yes)?(?:_per_category)?"
)
_NAMES = ("option", "name", "percentile", "quantile", "level")
_LEVEL = re.compile(
    r"(?i)(?:p|percentile)?[ _]?(\d+(?:\.\d+)?|\.\d+)(?:[snrt][tdh])?(?: percentile)?"
)
_Pairs: TypeAlias = str | dict[str, Any]
_YES_OR_NO = Outline(QuestionType.multiple_choice, ("yes", "no"))
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
    given: object,
    question: HasOutline,
    current: Value | None = None,
    *,
    now: datetime | None = None,
    zone: tzinfo | None = None,
) -> Value:
    """Return the value that a text, or JSON as text or decoded, states for this question.

    binary: a probability, or an object, ``{"yes": 0.7}``. multiple_choice: ``Busan=60%,
    Beijing=0.3, Other=1:9``, an object, or a list in the order of the options. Options left out
    share the rest, in the proportions of the member's ``current`` value if it covers every option,
    otherwise equally. Numbers of JSON that sum to 100 are percentages.
    numeric and date: ``10%=120, 50%=140, 90%=170``, or an object of level to value. With ``now``,
    dates may be written as people type them, ``50%=in 3 weeks``, with the days of ``zone``; without
    it, in ISO 8601 only.
    BadInput for another form; Refused as in ``check_value``.
    """
    options = question.options or []
    if isinstance(given, str) and given.lstrip().startswith(("[", "{")):
        given = _decoded(given)
    given = _bare(given, options)
    if not isinstance(given, dict | list):
        given = str(given).strip()
    if question.type == QuestionType.binary:
        if isinstance(given, dict):
            [yes, _] = read_value(given, _YES_OR_NO).probabilities or ()
            return Value(probability=yes)
        return check_value(Value(probability=read_probability(str(given))), question)
    if question.type == QuestionType.multiple_choice:
        if isinstance(given, list):
            return check_value(Value(probabilities=tuple(_as_shares(given))), question)
        vector = None if current is None else current.over(options).probabilities
        return check_value(_read_vector(given, options, vector), question)
    given = given if isinstance(given, dict) else str(given)
    if question.type == QuestionType.date:
        date_of = _read_day if now is None else partial(iso_date, now=now, zone=zone)
        return check_value(_read_quantiles(given, "2027-03-01", date_of), question)
    if isinstance(given, dict) and _is_cumulative(given, question):
        number, share = next(pair for pair in given.items() if 0 < float(pair[1]) < 1)
        raise BadInput(
            f"{shown(given)} has probabilities by number, and a forecast has numbers by level.",
            remedy=f"Write the level first: a probability of {share} for {number} or less is "
            f"{{'{float(share) * 100:g}%': {number}}}.",
        )
    return check_value(_read_quantiles(given, "140", _read_number), question)


def _is_cumulative(given: dict[str, Any], question: HasOutline) -> bool:
    """Return whether an object has a rising probability for each number: ``{"20": 0.1}``.

    If the bounds lie within 0 to 1, those may be the numbers, and they are read as such.
    """
    try:
        numbers, shares = [float(key) for key in given], [float(one) for one in given.values()]
        low, high = bounds(question)
    except (TypeError, ValueError):
        return False
    rises = shares == sorted(shares) and all(0 <= share <= 1 for share in shares)
    rises = rises and any(0 < share < 1 for share in shares)
    return rises and any(number > 1 for number in numbers) and not (low >= 0 and high <= 1)


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


def _decoded(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadInput(f"{shown(text)} is not JSON: {error}.") from None


def _bare(given: object, options: Sequence[str]) -> object:
    """Return the value in ``{"probability": …}``, and a list of objects of two fields as one."""
    while isinstance(given, dict) and len(given) == 1 and not given.keys() & set(options):
        [(name, inner)] = given.items()
        if not _AROUND.fullmatch(name):
            break
        given = inner
    if isinstance(given, list) and all(isinstance(one, dict) and len(one) == 2 for one in given):
        rows = [sorted(one.items(), key=lambda field: field[0] not in _NAMES) for one in given]
        found = {str(name): value for (_, name), (_, value) in rows}
        # If neither field is a name, either could be the level.
        named = all(first in _NAMES and second not in _NAMES for (first, _), (second, _) in rows)
        return found if named and len(found) == len(given) else given
    return given


def _as_shares(given: Sequence[Any]) -> list[Any]:
    """Return numbers that sum to 1 or 100 as fractions; others, and other values, as given."""
    if None in given:
        raise Refused(
            "Every option of a new forecast needs a probability; null is only for options added "
            "after an imported forecast."
        )
    if list(given) == [1]:  # 1% or 100%
        return list(given)
    if all(type(one) in (int, float) and 0 <= one <= 100 for one in given):
        for whole in (1, 100):
            if abs(math.fsum(given) - whole) <= whole * SUM_TOLERANCE:
                return [one / whole for one in given]
    return list(given)


def _percentages(levels: Sequence[str]) -> list[str]:
    """Return the levels of an object, ``10th percentile``, ``p10`` or ``10``, as ``10%``.

    Numbers without a % sign are percentages if one of them is above 1, or is ``p1``; a ``1`` alone
    stays ambiguous. BadInput for ``0.5`` beside such percentages.
    """
    found = [_LEVEL.fullmatch("p50" if level.casefold() == "median" else level) for level in levels]
    sizes = [(float(match[1]), match[1] == match[0]) for match in found if match]
    sign = "%" if any(size > 1 or (size == 1 and not is_bare) for size, is_bare in sizes) else ""
    for size, is_bare in sizes if sign else ():
        if is_bare and 0 < size < 1:
            raise BadInput(
                f"The level '{size:g}' beside percentages could be {size:g}% or {size * 100:g}%.",
                remedy=f"Write {size:g}% or {size * 100:g}%.",
            )
    return [
        f"{match[1]}{sign}" if match else level for level, match in zip(levels, found, strict=True)
    ]


def _read_pairs(given: _Pairs, form: str) -> tuple[list[str], list[Any]]:
    """Return the names and values of ``a=1, b=2``; names may contain commas, values may not."""
    if not given:
        raise BadInput("The forecast is blank.", remedy=form)
    if isinstance(given, dict):
        return list(given), list(given.values())
    has_colons = "=" not in given and not given.startswith("[")  # "Busan: 60%, Other: 40%"
    text = _LAST_COLON.sub("=", given) if has_colons else given
    names, values, end = list[str](), list[str](), 0
    while match := _PAIR.match(text, end):
        names.append(match[1].strip())
        values.append(match[2].strip())
        end = match.end()
    if not names or end < len(text):
        rest = text[end:].strip()
        raise BadInput(f"{rest!r} is not of the form name=value.", remedy=form)
    return names, values


def _read_vector(
    given: _Pairs, options: Sequence[str], current: Sequence[float | None] | None
) -> Value:
    form = f"Write option=probability, separated by commas: {options[0]}=60%, {options[1]}=40%."
    stated: dict[str, float] = {}
    names, values = _read_pairs(given, form)
    for name, value in zip(names, _as_shares(values), strict=True):
        option = find_option(name, options)
        if option is None:
            raise BadInput(
                f"{name!r} is not an option of this question.",
                remedy="The options are: "
                + ", ".join(options)
                + (f". {form}" if any(": " in one for one in options) else "."),
            )
        if option in stated:
            raise BadInput(f"{option!r} is named twice.", remedy="Name it once.")
        stated[option] = read_probability(str(value))
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


def _read_quantiles(given: _Pairs, example: str, read: Callable[[str], float | str]) -> Value:
    form = (
        f"Write level=value, separated by commas: 50%={example} gives that value or less one half."
    )
    if given and isinstance(given, str) and "=" not in given and ": " not in given:
        raise BadInput(f"{shown(given)} has no level, as in 50%={given[:_REPEATED]}.", remedy=form)
    quantiles: dict[str, float | str] = {}
    names, values = _read_pairs(given, form)
    names = _percentages(names) if isinstance(given, dict) else names
    for name, value in zip(names, map(str, values), strict=True):
        outside = name.casefold() in OUTSIDE_LEVELS
        level = name.casefold() if outside else _read_level(name, form)
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


def _read_level(name: str, form: str) -> str:
    try:
        return repr(read_probability(name))
    except BareNumber:
        raise
    except BadInput:
        raise BadInput(f"{shown(name)} is not a level, such as 10%.", remedy=form) from None


def _read_number(text: str) -> float:
    if _POINT_OF_THOUSANDS.fullmatch(text):
        raise BadInput(
            f"The point of {text!r} could be a decimal point or separate thousands.",
            remedy=f"Write {float(text):g} or {text.replace('.', '')}.",
        )
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
