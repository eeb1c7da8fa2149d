"""What an update would do, told before it is made: the score to expect, the implied density.

What a score is expected to be depends on what is true. Here that is what the new forecast says:
"if you are right about 80 %". A proper score is then expected to be best for the new forecast; by
how much it is better than the standing one is what the update is worth.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from forecasts.ledger.models import Forecast, QuestionText, QuestionType
from forecasts.questions.outcomes import figure_to_float
from forecasts.updates.values import Value, format_probability, value_of

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

_Knots = tuple[list[float], list[float]]  # levels and where they are reached, both rising


@dataclass(frozen=True)
class ExpectedScores:
    """The score (0..1, 0 is best) to expect if the new forecast is right.

    ``rule``: Brier, or CRPS on a number or a day. ``before``: of the standing forecast, None
    without one; ``after``: of the new one.
    """

    rule: str
    before: float | None
    after: float


@dataclass(frozen=True)
class Slice:
    """A stretch of what may come, and how likely it is that the answer lies in it.

    ``low`` and ``high`` are numbers, dates as seconds since 1970. ``density`` is the chance over
    the width, 1 where all that lies between the bounds is equally likely; None for a single point.
    """

    low: float
    high: float
    chance: float
    density: float | None


def expected_scores(text: QuestionText, standing: Forecast | None, value: Value) -> ExpectedScores:
    """Return what the update to ``value`` does to the score to expect, if the value is right."""
    before = None if standing is None else value_of(standing)
    if text.type in (QuestionType.numeric, QuestionType.date):
        old = None if before is None else _knots(before, text)
        new = _knots(value, text)
        return ExpectedScores("CRPS", None if old is None else _crps(old, new), _crps(new, new))
    new_vector = _vector(value, text)
    old_vector = None if before is None else _vector(before, text)
    return ExpectedScores(
        "Brier",
        None if old_vector is None else _brier(old_vector, new_vector),
        _brier(new_vector, new_vector),
    )


def format_expected_scores(text: QuestionText, standing: Forecast | None, value: Value) -> str:
    """Return ``expected`` in a sentence, with two decimals, or as many as tell the two apart."""
    found = expected_scores(text, standing, value)
    right = "you are right"
    if value.probability is not None:
        right += f" about {format_probability(value.probability)}"
    if found.before is None or standing is None:
        return f"Your expected {found.rule} is {found.after:.2f} if {right}."
    if value_of(standing) == value:
        return f"Your expected {found.rule} stays at {found.after:.2f} if {right}."
    digits = 2 if round(found.before, 2) != round(found.after, 2) else 4
    return (
        f"This moves your expected {found.rule} from {found.before:.{digits}f} to "
        f"{found.after:.{digits}f} if {right}."
    )


def _vector(value: Value, text: QuestionText) -> list[float | None]:
    """Return the probability of each outcome; None for an option that was not there yet."""
    if value.probability is not None:
        return [value.probability, 1 - value.probability]
    vector = list(value.probabilities or ())
    lacks = len(text.options or []) - len(vector)
    return [*vector[:-1], *[None] * lacks, *vector[-1:]]


def _brier(old: Sequence[float | None], new: Sequence[float | None]) -> float:
    """Return the mean Brier score of ``old`` over the outcomes, each as likely as ``new`` says."""
    mean = 0.0
    for outcome, chance in enumerate(new):
        # As in scoring: an option that was not there yet is read from the last one.
        read = list(old)
        if read[outcome] is None:
            read[outcome], read[-1] = read[-1], None
        score = sum((p - (i == outcome)) ** 2 for i, p in enumerate(read) if p is not None) / 2
        mean += (chance or 0.0) * score
    return mean


def _knots(value: Value, text: QuestionText) -> _Knots:
    """Return the distribution function as scoring reads it: straight from knot to knot."""
    quantiles = value.quantiles or {}
    low, high = (
        figure_to_float(bound, text.type) for bound in (text.lower_bound, text.upper_bound)
    )
    inside = sorted(
        (figure_to_float(figure, text.type), float(level))
        for level, figure in quantiles.items()
        if level not in ("below", "above")
    )
    ends = (low, float(quantiles.get("below", 0))), (high, 1 - float(quantiles.get("above", 0)))
    # A level stated for a value on a bound is the mass there and beyond, not a jump inside.
    first = [] if inside and inside[0][0] == low else [ends[0]]
    last = [] if inside and inside[-1][0] == high else [ends[1]]
    figures, levels = zip(*first, *inside, *last, strict=True)
    return list(levels), list(figures)


def _crps(old: _Knots, new: _Knots) -> float:
    """Return the mean CRPS of ``old`` over the range, if what comes is distributed as ``new``.

    That is the integral of (F − G)² + G (1 − G), and both are straight lines between any two
    neighbouring knots of either: two points of Gauss between them make it exact.
    """
    import numpy as np

    ends = np.unique([*old[1], *new[1]])
    left, width = ends[:-1], np.diff(ends)
    total = 0.0
    for share in (0.5 - 0.5 / np.sqrt(3), 0.5 + 0.5 / np.sqrt(3)):
        f, g = (_at(left + width * share, knots) for knots in (old, new))
        total += float((((f - g) ** 2 + g * (1 - g)) * width).sum()) / 2
    return total / float(ends[-1] - ends[0])


def _at(points: npt.NDArray[np.float64], knots: _Knots) -> npt.NDArray[np.float64]:
    import numpy as np

    return np.interp(points, knots[1], knots[0])


def implied_density(text: QuestionText, value: Value) -> list[Slice]:
    """Return what quantiles imply: how likely each stretch between two of them is, in order.

    Between two quantiles every value is as likely as any other, as in scoring. What lies beyond
    the bounds is not among them.
    """
    levels, figures = _knots(value, text)
    span = figures[-1] - figures[0]
    slices = []
    for (low, left), (high, right) in itertools.pairwise(zip(levels, figures, strict=True)):
        chance, width = high - low, right - left
        if width > 0 or chance > 0:
            even = chance / (width / span) if width > 0 else None
            slices.append(Slice(left, right, chance, even))
    return slices
