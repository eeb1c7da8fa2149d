"""A forecast's value as the fields of a form hold it: the text to start from, percentages."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from forecasts.errors import Refused
from forecasts.models import Forecast, QuestionText, QuestionType
from forecasts.values import (
    Value,
    check_value,
    figure_number,
    read_value,
    say_figure,
    say_probability,
    value_of,
)

_LEVELS = ("10%", "50%", "90%")


def as_typed(forecast: Forecast | None, question: QuestionText) -> str:
    """Return what somebody would type to say this forecast: '40%', 'Busan=60%, Other=40%'.

    Probabilities are rounded to six decimals, or two figures where they are smaller. Blank where
    there is no forecast, or options were added after it.
    """
    if forecast is None:
        return ""
    if forecast.probability is not None:
        return _percent(forecast.probability)
    if forecast.probabilities is not None:
        if start_percents(forecast, question) is None:
            return ""
        return ", ".join(
            f"{option}={_percent(p)}"
            for option, p in zip(question.options or [], forecast.probabilities, strict=True)
            if p is not None
        )
    return ", ".join(
        f"{level}={_percent(float(figure))}"
        if level in ("below", "above")
        else f"{_percent(float(level))}={say_figure(figure)}"
        for level, figure in (forecast.quantiles or {}).items()
    )


def example_quantiles(question: QuestionText) -> str:
    """Return three quantiles within the question's bounds, as somebody would type them.

    ``10%=125, 50%=250, 90%=375`` between 0 and 500: a quarter of the way, half, three quarters.
    """
    low, high = (
        figure_number(bound, question.type)
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
        said = [say_figure(round(figure, digits)) for figure in figures]
    return ", ".join(f"{level}={figure}" for level, figure in zip(_LEVELS, said, strict=True))


def _percent(p: float) -> str:
    return say_probability(p, fewest=4).replace(" ", "")


def read_typed(text: str, standing: Forecast | None, question: QuestionText) -> Value:
    """Return the value of a field that started as ``as_typed(standing)``.

    A text that was left as it was is the standing value to the last digit, which the text may
    have rounded. BadInput or Refused as ``read_value`` says.
    """
    if standing is not None and text.strip() == as_typed(standing, question):
        return check_value(value_of(standing), question)
    return read_value(text, question)


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


def from_percents(
    percents: Sequence[float | None], standing: Forecast | None, question: QuestionText
) -> Value:
    """Return the vector of these percentages; options left blank share what is left equally.

    Percentages that are those of the standing forecast are it, to the last digit. Those that sum
    to 100 to four decimals, such as three times 33.33333, are divided by their sum. Refused as
    ``check_value`` says, and where nothing is left for the blank ones.
    """
    if standing is not None and list(percents) == start_percents(standing, question):
        return check_value(value_of(standing), question)
    left, blank = left_over(percents), sum(p is None for p in percents)
    if left < 0 or (left > 0 and not blank):
        raise Refused(
            f"The percentages sum to {100 - left:g}, and they must sum to 100.",
            remedy="Change one of them, or leave an option blank: it gets what is left.",
        )
    filled = [left / blank if p is None else p for p in percents]
    total = math.fsum(filled)
    return check_value(Value(probabilities=tuple(p / total for p in filled)), question)


def start_percents(standing: Forecast | None, question: QuestionText) -> list[float | None] | None:
    """Return the percentage of each option that the standing forecast states, to edit.

    None without one, and where options were added after it: then its list is another one.
    """
    stated = None if standing is None else standing.probabilities
    if stated is None or None in stated or len(stated) != len(question.options or []):
        return None
    return [None if p is None else to_percent(p) for p in stated]
