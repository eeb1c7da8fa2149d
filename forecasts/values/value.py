"""Values of forecasts: a probability, a probability vector or quantiles; their rules and format.

Parsing what people type is in ``value_parsing``.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from forecasts.common.errors import LedgerError, Refused
from forecasts.common.text import cut
from forecasts.common.vocabulary import QuestionType
from forecasts.values.outcomes import figure_to_float, format_figure
from forecasts.values.outline import HasOutline

SUM_TOLERANCE = 1e-9
OUTSIDE_LEVELS = ("below", "above")
PROBABILITY_FORMS = "Write 71%, 0.71, odds in favour such as 5:2, or a share such as 1/3."

_MOST_QUANTILES = 9  # that a page shows
_SHOWN_OF_MANY = (0.05, 0.25, 0.5, 0.75, 0.95)
_SHOWN = 40  # characters of an invalid value that an error repeats


@dataclass(frozen=True)
class Value:
    """The value of a forecast: exactly one of the three is given, none for a withdrawal."""

    probability: float | None = None
    probabilities: tuple[float | None, ...] | None = None
    quantiles: Mapping[str, float | str] | None = None

    @property
    def stated(self) -> tuple[float, ...]:
        """The probabilities that the value states; none of an option added since."""
        vector = self.probabilities if self.probability is None else (self.probability,)
        return tuple(p for p in vector or () if p is not None)

    def columns(self) -> dict[str, Any]:
        """Return the three columns of a ``Forecast`` row."""
        return {
            "probability": self.probability,
            "probabilities": None if self.probabilities is None else list(self.probabilities),
            "quantiles": None if self.quantiles is None else dict(self.quantiles),
        }

    def over(self, options: Sequence[str] | None) -> Value:
        """Return the value aligned with the newest options, with None for each one added since.

        Options are only added, and always before the last one. A value without a probability
        vector is unchanged.
        """
        vector = self.probabilities
        added = len(options or ()) - len(vector or ())
        if not vector or added <= 0:
            return self
        return replace(self, probabilities=(*vector[:-1], *[None] * added, vector[-1]))


class Stated(Protocol):
    """A row that holds a value in three columns, as a ``Forecast`` does."""

    @property
    def probability(self) -> float | None:
        """The probability of yes."""

    @property
    def probabilities(self) -> Sequence[float | None] | None:
        """The probability of each option."""

    @property
    def quantiles(self) -> Mapping[str, float | str] | None:
        """The figure at each level."""


def value_of(stated: Stated) -> Value:
    """Return the value of a forecast."""
    if isinstance(stated, Value):
        return stated
    vector = stated.probabilities
    return Value(stated.probability, None if vector is None else tuple(vector), stated.quantiles)


def stated_certainty(value: Value) -> float | None:
    """Return a probability of exactly 0 or 1 in the value, None without one.

    If the outcome then contradicts it, the log score is infinite.
    """
    return next((p for p in value.stated if p in (0, 1)), None)


def check_value(value: Value, question: HasOutline) -> Value:
    """Return ``value`` if it fits the question; Refused names the rule and the value.

    The kind of value matches the question's type; every probability is finite and from 0 to 1; a
    vector has one entry per option and sums to 1 within 1e-9; quantiles rise with their levels,
    lie within the bounds, and leave the probability outside to ``below`` and ``above``.
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


def check_probability(p: float) -> float:
    """Return ``p``; Refused unless it is a finite number from 0 to 1."""
    if not math.isfinite(p) or not 0 <= p <= 1:
        raise Refused(
            f"A probability must be a finite number from 0 to 1; {p!r} is not.",
            remedy=PROBABILITY_FORMS,
        )
    return p


def _check_vector(vector: Sequence[float | None], options: Sequence[str]) -> None:
    if len(vector) != len(options):
        raise Refused(
            f"The question has {len(options)} options, but {len(vector)} probabilities were given.",
            remedy="Give one probability per option: " + ", ".join(options) + ".",
        )
    for option, p in zip(options, vector, strict=True):
        if p is None:
            continue
        if isinstance(p, bool) or not isinstance(p, int | float):
            raise Refused(f"The probability of {option!r}, {shown(p)}, is not a number.")
        if not 0 <= p <= 1:  # also true of NaN
            raise Refused(
                f"A probability must be from 0 to 1; that of {option!r}, {shown(p)}, is not."
            )
    total = math.fsum(p for p in vector if p is not None)
    if abs(total - 1) > SUM_TOLERANCE:
        raise wrong_sum(total)


def wrong_sum(total: float) -> Refused:
    """Return the error for probabilities that do not sum to 1."""
    return Refused(
        f"The probabilities sum to {100 * total:.12g}%, and they must sum to 100%.",
        remedy="Change one of them, or leave out an option: it gets the rest.",
    )


def shown(value: object) -> str:
    """Return an invalid value as an error repeats it, cut to 40 characters."""
    return cut(repr(value), _SHOWN)


def _check_quantiles(quantiles: Mapping[str, Any], question: HasOutline) -> None:
    if not quantiles:
        raise Refused("A forecast by quantiles needs at least one.")
    lowest, highest = (
        None if bound is None else figure_to_float(bound, question.type)
        for bound in (question.lower_bound, question.upper_bound)
    )
    outside = dict.fromkeys(OUTSIDE_LEVELS, 0.0)
    inside = []
    for level, figure in quantiles.items():
        try:
            if level in OUTSIDE_LEVELS:
                outside[level] = check_probability(float(figure))
            else:
                p = check_probability(float(level))
                inside.append((p, figure_to_float(figure, question.type), figure))
        except (ValueError, TypeError, OverflowError, LedgerError):
            raise Refused(f"The quantile {shown(level)}: {shown(figure)} is invalid.") from None
    inside.sort(key=lambda quantile: quantile[:2])
    for p, number, figure in inside:
        if (lowest is not None and number < lowest) or (highest is not None and number > highest):
            raise Refused(
                f"The {format_percentile(p)}, {format_figure(figure)}, is outside the question's "
                f"bounds, {question.lower_bound} to {question.upper_bound}.",
                remedy="Give the probability outside them as below=… and above=….",
            )
    for (p, a, first), (q, b, second) in itertools.pairwise(inside):
        if p == q or a > b:
            raise Refused(
                f"Quantiles must rise with their levels; the {format_percentile(p)}, "
                f"{format_figure(first)}, and the {format_percentile(q)}, {format_figure(second)}, "
                "do not."
            )
    below, above = outside["below"], outside["above"]
    if below + above > 1:
        raise Refused(
            f"The probabilities below and above the bounds sum to {below + above:.12g}, and they "
            "may sum to 1 at most."
        )
    for p, _, _ in inside:
        if not below <= p <= 1 - above:
            raise Refused(
                f"A quantile within the bounds needs a level from {format_probability(below)} "
                f"(below) to {format_probability(1 - above)} (all but above); "
                f"{format_probability(p)} is not."
            )


def format_probability(p: float, digits: int = 1) -> str:
    """Return ``p`` in percent, with two figures of the nearer end; 0% and 100% only if exact.

    ``digits``: the least number of decimals, before trailing zeros are removed.

    >>> [format_probability(p) for p in (0.71, 0.714, 0.004, 0.9997, 1.0)]
    ['71%', '71.4%', '0.4%', '99.97%', '100%']
    """
    near = min(p, 1 - p)
    if near > 0:
        digits = max(digits, 1 - math.floor(math.log10(near * 100)))
    return f"{p * 100:.{digits}f}".rstrip("0").rstrip(".") + "%"


def format_percentile(level: float) -> str:
    """Return the name of a quantile.

    >>> [format_percentile(level) for level in (0.1, 0.025, 0.01, 0.0496)]
    ['10th percentile', '2.5th percentile', '1st percentile', '5th percentile']
    """
    number = format_probability(level, 1).removesuffix("%")
    ends = {"1": "st", "2": "nd", "3": "rd"}
    special = "." in number or number[-2:] in ("11", "12", "13")
    return f"{number}{'th' if special else ends.get(number[-1], 'th')} percentile"


def format_odds(p: float) -> str:
    """Return odds in favour, the smaller side 1; '' for certainty.

    >>> format_odds(0.8), format_odds(0.5), format_odds(0.02)
    ('4:1', '1:1', '1:49')
    """
    if not 0 < p < 1:
        return ""
    ratio = max(p, 1 - p) / min(p, 1 - p)
    larger = f"{ratio:.0f}" if ratio >= 10 else f"{ratio:.1f}".removesuffix(".0")
    return f"{larger}:1" if p >= 0.5 else f"1:{larger}"


def format_origin(origin: str) -> str:
    """Return that a forecast was imported, and how; or ''.

    >>> format_origin("implied"), format_origin("app"), format_origin("undated:bob")
    ('imported: price after a trade', '', 'imported: without a time, from the account bob')
    """
    kind, _, account = origin.partition(":")
    said = _ORIGINS.get(kind, "")
    if account and said:
        said += f"{',' if ':' in said else ':'} from the account {account}"
    return said


# The origin of an imported forecast whose time is not that of its making.
UNDATED = "undated"
_ORIGINS = {
    "import": "imported",
    "implied": "imported: price after a trade",
    UNDATED: "imported: without a time",
}


def format_value(value: Stated, options: Sequence[str] | None = None) -> str:
    """Return a value for a page: '71%', 'Busan 60%, Other 40%', '10th percentile: 60', 'withdrawn'.

    Of several percentiles, only the first has the whole word: '10th percentile: 60, 90th: 80'. Of
    many, as bots give, five are shown.

    ``options``: the newest list; those added since the forecast are left out. Without a list,
    options are numbered.
    """
    value = value_of(value)
    if value.probability is not None:
        return format_probability(value.probability)
    if value.probabilities is not None:
        vector = value.over(options).probabilities or ()
        names = options or []
        if len(names) != len(vector):
            names = [f"option {number}" for number in range(1, len(vector) + 1)]
        return ", ".join(
            f"{name} {format_probability(p)}"
            for name, p in zip(names, vector, strict=True)
            if p is not None
        )
    if value.quantiles is not None:
        levels = [level for level in value.quantiles if level not in OUTSIDE_LEVELS]
        if len(levels) > _MOST_QUANTILES:
            levels = [
                min(levels, key=lambda level: abs(float(level) - near)) for near in _SHOWN_OF_MANY
            ]
        inside = [
            f"{format_percentile(float(level))}: {_rounded(value.quantiles[level])}"
            for level in dict.fromkeys(levels)
        ]
        outside = [
            f"{level} the range: {format_probability(float(value.quantiles[level]))}"
            for level in OUTSIDE_LEVELS
            if level in value.quantiles
        ]
        later = [one.replace(" percentile", "", 1) for one in inside[1:]]
        return ", ".join([*inside[:1], *later, *outside])
    return "withdrawn"


def _rounded(figure: float | str) -> str:
    """Return a quantile's number with two decimals, or four figures if it is small, or its date."""
    if isinstance(figure, str):
        return figure
    return format_figure(round(figure, 2) if abs(figure) >= 1 else float(f"{figure:.4g}"))


def format_leaders(
    value: Stated, options: Sequence[str] | None = None, most: int | None = None
) -> str:
    """Return ``format_value`` with the likeliest option first, and without impossible ones.

    ``most``: the largest number of options to list; '…' stands for the others.
    """
    value = value_of(value)
    vector = value.over(options).probabilities
    if not vector or len(options or ()) != len(vector):
        return format_value(value, options)
    named = [(p, name) for p, name in zip(vector, options or (), strict=True) if p]
    shown = [
        f"{name} {format_probability(p)}" for p, name in sorted(named, key=lambda one: -one[0])
    ]
    return ", ".join([*shown[:most], *["…"] * (most is not None and len(shown) > most)])


def format_change(before: Stated | None, after: Value, options: Sequence[str] | None = None) -> str:
    """Return an update for a page: '40% → 71%', 'still 71%', or '71%' for a first forecast."""
    new = format_value(after, options)
    if before is None:
        return new
    if value_of(before) == after:
        return f"still {new}"
    return f"{format_value(before, options)} → {new}"
