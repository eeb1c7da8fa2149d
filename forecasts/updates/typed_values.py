"""A forecast's value as the fields of a form hold it.

The text is what counts and what is saved. A slider, the bars of the options and the fields of the
quantiles are other ways to write it: each is read from the text, and writes it anew when moved.
"""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from forecasts.common.errors import LedgerError, Refused
from forecasts.ledger.models import Forecast, QuestionText, QuestionType
from forecasts.questions.outcomes import figure_to_float, format_figure
from forecasts.updates.values import Value, check_value, format_probability, read_value, value_of

_LEVELS = ("10%", "50%", "90%")
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)  # the levels that have a field of their own
_DIGITS = 2  # decimals of a percentage that a bar writes


def typed_forecast(forecast: Forecast | None, question: QuestionText) -> str:
    """Return what somebody would type to say this forecast: '40%', 'Busan=60%, Other=40%'.

    Probabilities are rounded to six decimals, or two figures where they are smaller. Blank where
    there is no forecast, or options were added after it.
    """
    if forecast is None:
        return ""
    if forecast.probability is not None:
        return _percent(forecast.probability)
    if forecast.probabilities is not None:
        if forecast_percents(forecast, question) is None:
            return ""
        return _typed_options([p or 0.0 for p in forecast.probabilities], question)
    return ", ".join(
        f"{level}={_percent(float(figure))}"
        if level in ("below", "above")
        else f"{_percent(float(level))}={format_figure(figure)}"
        for level, figure in (forecast.quantiles or {}).items()
    )


def example_quantiles(question: QuestionText) -> str:
    """Return three quantiles within the question's bounds, as somebody would type them.

    ``10%=125, 50%=250, 90%=375`` between 0 and 500: a quarter of the way, half, three quarters.
    """
    low, high = (
        figure_to_float(bound, question.type)
        for bound in (question.lower_bound, question.upper_bound)
    )
    figures = (low * (1 - share) + high * share for share in (0.25, 0.5, 0.75))
    if question.type == QuestionType.date:
        whole = high - low > timedelta(days=8).total_seconds()
        moments = (datetime.fromtimestamp(figure, UTC) for figure in figures)
        said = [
            moment.date().isoformat() if whole else moment.strftime("%Y-%m-%dT%H:%MZ")
            for moment in moments
        ]
    else:
        digits = 2 - math.floor(math.log10(high / 2 - low / 2))
        said = [format_figure(round(figure, digits)) for figure in figures]
    return ", ".join(f"{level}={figure}" for level, figure in zip(_LEVELS, said, strict=True))


def _percent(p: float) -> str:
    return format_probability(p, fewest=4).replace(" ", "")


def read_typed(text: str, standing: Forecast | None, question: QuestionText) -> Value:
    """Return the value of a field that started as ``as_typed(standing)``.

    A text that was left as it was is the standing value to the last digit, which the text may
    have rounded. BadInput or Refused as ``read_value`` says.
    """
    if standing is not None and text.strip() == typed_forecast(standing, question):
        return check_value(value_of(standing), question)
    return read_value(text, question, None if standing is None else value_of(standing))


def require_offered_range(value: Value, lowest: float) -> Value:
    """Return ``value``; Refused where a probability lies outside ``lowest``..1 − ``lowest``.

    The ledger takes every probability in 0..1. Where people type, the extremes are refused all
    the same: one slip to certainty is a log score of infinity.
    """
    given = value.probabilities if value.probability is None else (value.probability,)
    for p in given or ():
        if p is not None and not lowest <= p <= 1 - lowest:
            raise Refused(
                f"Probabilities from {format_probability(lowest)} to {format_probability(1 - lowest)} "
                f"are offered here; {format_probability(p)} is outside.",
                remedy="Move a little away from certainty, or set FORECASTS_LOWEST_PROBABILITY=0.",
            )
    return value


def to_percent(p: float) -> float:
    """Return ``p`` as a percentage to edit, to six decimals."""
    return round(100 * p, 6)


def forecast_percents(
    standing: Forecast | None, question: QuestionText
) -> list[float | None] | None:
    """Return the percentage of each option that the standing forecast states, to edit.

    None without one, and where options were added after it: then its list is another one.
    """
    stated = None if standing is None else standing.probabilities
    if stated is None or None in stated or len(stated) != len(question.options or []):
        return None
    return [None if p is None else to_percent(p) for p in stated]


def read_percents(text: str, question: QuestionText) -> list[float] | None:
    """Return the percentage of each option that the text states; None where it states none."""
    try:
        vector = read_value(text, question).probabilities
    except LedgerError:
        return None
    return None if vector is None else [to_percent(p or 0.0) for p in vector]


def rebalanced(
    percents: Sequence[float], place: int, to: float, lowest: float = 0.0
) -> list[float]:
    """Return percentages that sum to 100, the one in that place set to ``to``.

    The others keep their proportions to one another, and share equally where they were all 0; each
    keeps ``lowest`` at least. They are rounded to two decimals, what that leaves going to those
    that it takes most from.
    """
    others = [i for i in range(len(percents)) if i != place]
    to = round(min(max(to, lowest), 100 - lowest * len(others)), _DIGITS)
    rest, shares = 100 - to, {i: max(percents[i], 0.0) for i in others}
    if not any(shares.values()):
        shares = dict.fromkeys(others, 1.0)
    # Those that would fall below the lowest stay there; the others divide what is left.
    held: set[int] = set()
    while True:
        free = [i for i in others if i not in held]
        left, total = rest - lowest * len(held), math.fsum(shares[i] for i in free)
        exact = {i: left * (shares[i] / total) for i in free if total}
        below = {i for i, share in exact.items() if share < lowest}
        if not below:
            break
        held |= below
    exact |= dict.fromkeys(held, lowest)
    return _in_steps([to if i == place else exact.get(i, 0.0) for i in range(len(percents))], place)


def _in_steps(exact: Sequence[float], fixed: int) -> list[float]:
    """Return these percentages with two decimals, so that they sum to 100 still."""
    steps = 10**_DIGITS
    whole = [math.floor(round(p * steps, 6)) for p in exact]
    most_lost = sorted(
        (i for i in range(len(exact)) if i != fixed),
        key=lambda i: (whole[i] - exact[i] * steps, i),
    )
    for i in itertools.islice(itertools.cycle(most_lost), 100 * steps - sum(whole)):
        whole[i] += 1
    return [number / steps for number in whole]


def typed_percents(percents: Sequence[float], question: QuestionText) -> str:
    """Return what somebody would type to give the options these percentages."""
    return _typed_options([p / 100 for p in percents], question)


def _typed_options(vector: Sequence[float], question: QuestionText) -> str:
    named = zip(question.options or [], vector, strict=True)
    typed = ", ".join(f"{option}={_percent(p)}" for option, p in named)
    try:
        read_value(typed, question)
    except LedgerError:
        # The name of an option can read like something else; in their order they need none.
        in_order = json.dumps([round(p, 6) for p in vector])
        return in_order if any("=" in option for option in question.options or []) else typed
    return typed


def read_quantiles(text: str, question: QuestionText) -> list[float | None]:
    """Return where the text puts each of ``QUANTILES``, dates as seconds since 1970.

    Read off between those that it states; None beyond them, and where it cannot be read.
    """
    try:
        stated = read_value(text, question).quantiles or {}
    except LedgerError:
        return [None] * len(QUANTILES)
    inside = sorted(
        (float(level), figure_to_float(figure, question.type))
        for level, figure in stated.items()
        if level not in ("below", "above")
    )
    return [_read_off(level, inside) for level in QUANTILES]


def _read_off(level: float, inside: Sequence[tuple[float, float]]) -> float | None:
    for (low, left), (high, right) in itertools.pairwise([*inside[:1], *inside]):
        if low <= level <= high:
            share = 1.0 if low == high else (level - low) / (high - low)
            return left + (right - left) * share
    return None


def typed_quantiles(
    figures: Sequence[float | str | None], text: str, question: QuestionText
) -> str:
    """Return what somebody would type to put ``QUANTILES`` there; None: nothing is said of one.

    What the ``text`` that they replace gives beyond the bounds is kept.
    """
    try:
        beyond = read_value(text, question).quantiles or {}
    except LedgerError:
        beyond = {}
    stated = [
        f"{_percent(level)}={format_figure(figure)}"
        for level, figure in zip(QUANTILES, figures, strict=True)
        if figure is not None
    ]
    stated += [
        f"{name}={_percent(float(beyond[name]))}" for name in ("below", "above") if name in beyond
    ]
    return ", ".join(stated)
