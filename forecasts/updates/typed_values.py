"""The value of a forecast in the fields of a form.

The text field is saved. A slider, bars for the options and fields for the quantiles are other ways
to edit it: each is read from the text and rewrites it when moved.
"""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta, tzinfo

from forecasts.common.errors import LedgerError, Refused
from forecasts.ledger.models import Forecast, QuestionText, QuestionType
from forecasts.values.outcomes import bounds, figure_to_float, format_figure
from forecasts.values.outline import HasOutline
from forecasts.values.value import OUTSIDE_LEVELS, Value, check_value, format_probability, value_of
from forecasts.values.value_parsing import read_percent_field, read_value

_LEVELS = ("10%", "50%", "90%")
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)  # the levels with a field
_DIGITS = 2  # decimals of a percentage set by a bar


def typed_forecast(forecast: Forecast | None, question: HasOutline) -> str:
    """Return the text that states this forecast: '40%', 'Busan=60%, Other=40%'.

    Probabilities are rounded to six decimals, or to two figures if smaller. Blank without a
    forecast, and if options were added since.
    """
    if forecast is None:
        return ""
    if forecast.probability is not None:
        return _percent(forecast.probability)
    if forecast.probabilities is not None:
        stated = value_of(forecast).over(question.options).probabilities or (None,)
        vector = [p for p in stated if p is not None]
        return _typed_options(vector, question) if len(vector) == len(stated) else ""
    return ", ".join(
        f"{level}={_percent(float(figure))}"
        if level in OUTSIDE_LEVELS
        else f"{_percent(float(level))}={format_figure(figure)}"
        for level, figure in (forecast.quantiles or {}).items()
    )


def example_quantiles(question: QuestionText) -> str:
    """Return three example quantiles within the question's bounds, as text.

    ``10%=125, 50%=250, 90%=375`` for bounds of 0 and 500: at a quarter, a half and three quarters.
    """
    low, high = bounds(question)
    figures = (low * (1 - share) + high * share for share in (0.25, 0.5, 0.75))
    if question.type == QuestionType.date:
        whole = high - low > timedelta(days=8).total_seconds()
        moments = (datetime.fromtimestamp(figure, UTC) for figure in figures)
        texts = [
            moment.date().isoformat() if whole else moment.strftime("%Y-%m-%dT%H:%MZ")
            for moment in moments
        ]
    else:
        digits = 2 - math.floor(math.log10(high / 2 - low / 2))
        texts = [format_figure(round(figure, digits)) for figure in figures]
    return ", ".join(f"{level}={figure}" for level, figure in zip(_LEVELS, texts, strict=True))


def example_value(question: QuestionText) -> str:
    """Return a value that the question takes, as text: ``Busan=60%, Other=40%``."""
    if question.is_quantitative:
        return example_quantiles(question)
    first, second, *others = question.options or ("", "")
    return f"{first}=60%, {second}={20 if others else 40}%" if first else "71%"


def _percent(p: float) -> str:
    return format_probability(p, digits=4)


def read_typed(
    text: str,
    current: Forecast | None,
    question: HasOutline,
    *,
    now: datetime | None = None,
    zone: tzinfo | None = None,
) -> Value:
    """Return the value of a text field that started as ``typed_forecast(current)``.

    An unchanged text returns the current value in full precision. A probability is read as
    ``read_percent_field`` does, since a field has a % sign beside it; the rest, with ``now`` and
    ``zone``, and errors, as in ``read_value``.
    """
    value = None if current is None else value_of(current)
    if value is not None and text.strip() == typed_forecast(current, question):
        return check_value(value, question)
    if question.type == QuestionType.binary:
        return Value(probability=read_percent_field(text))
    return read_value(text, question, value, now=now, zone=zone)


def require_offered_range(value: Value, lowest: float) -> Value:
    """Return ``value``; Refused unless its probabilities are from ``lowest`` to 1 − ``lowest``.

    The ledger accepts every probability from 0 to 1. Forms refuse the extremes, since one slip to
    certainty can cost an infinite log score.
    """
    for p in value.stated:
        if not lowest <= p <= 1 - lowest:
            raise Refused(
                f"Probabilities here must be from {format_probability(lowest)} to "
                f"{format_probability(1 - lowest)}; {format_probability(p)} is outside.",
                remedy="Move away from certainty, or change the lowest probability in Settings.",
            )
    return value


def read_percents(text: str, question: QuestionText) -> list[float] | None:
    """Return the percentage of each option that the text states; None if it is invalid.

    Rounded to six decimals for editing.
    """
    try:
        vector = read_value(text, question).probabilities
    except LedgerError:
        return None
    return None if vector is None else [round(100 * (p or 0.0), 6) for p in vector]


def rebalanced(
    percents: Sequence[float], changed: int, to: float, lowest: float = 0.0
) -> list[float]:
    """Return percentages that sum to 100, with the one at index ``changed`` set to ``to``.

    The others keep their proportions (equal shares if all were 0), and each at least ``lowest``.
    All are rounded to two decimals; the remainder goes to those that rounding reduces most.
    """
    others = [i for i in range(len(percents)) if i != changed]
    to = round(min(max(to, lowest), 100 - lowest * len(others)), _DIGITS)
    rest, shares = 100 - to, {i: max(percents[i], 0.0) for i in others}
    if not any(shares.values()):
        shares = dict.fromkeys(others, 1.0)
    # Those that would fall below the lowest stay at it; the others share the rest.
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
    new = [to if i == changed else exact.get(i, 0.0) for i in range(len(percents))]
    return _rounded(new, changed)


def _rounded(exact: Sequence[float], fixed: int) -> list[float]:
    """Return the percentages rounded to two decimals, with a sum of 100."""
    steps = 10**_DIGITS
    whole = [math.floor(round(p * steps, 6)) for p in exact]
    most_lost = sorted(
        (i for i in range(len(exact)) if i != fixed), key=lambda i: (whole[i] - exact[i] * steps, i)
    )
    for i in itertools.islice(itertools.cycle(most_lost), 100 * steps - sum(whole)):
        whole[i] += 1
    return [number / steps for number in whole]


def typed_percents(percents: Sequence[float], question: QuestionText) -> str:
    """Return the text that gives the options these percentages."""
    return _typed_options([p / 100 for p in percents], question)


def _typed_options(vector: Sequence[float], question: HasOutline) -> str:
    named = zip(question.options or [], vector, strict=True)
    typed = ", ".join(f"{option}={_percent(p)}" for option, p in named)
    try:
        read_value(typed, question)
    except LedgerError:
        # An option's name can be ambiguous; a JSON list needs no names.
        in_order = json.dumps([round(p, 6) for p in vector])
        return in_order if any("=" in option for option in question.options or []) else typed
    return typed


def read_quantiles(
    text: str, question: QuestionText, *, now: datetime | None = None, zone: tzinfo | None = None
) -> list[float | None]:
    """Return the text's figure for each of ``QUANTILES``, dates in seconds since 1970.

    Interpolated between the stated quantiles; None beyond them, and if the text is invalid.
    ``now`` and ``zone`` as in ``read_value``.
    """
    inside = sorted(
        (float(level), figure_to_float(figure, question.type))
        for level, figure in _quantiles(text, question, now, zone).items()
        if level not in OUTSIDE_LEVELS
    )
    if not inside:
        return [None] * len(QUANTILES)
    import numpy as np  # a tenth of a second, which only these figures need

    levels, figures = zip(*inside, strict=True)
    found = np.interp(QUANTILES, levels, figures, left=np.nan, right=np.nan).tolist()
    return [None if math.isnan(figure) else figure for figure in found]


def _quantiles(
    text: str, question: QuestionText, now: datetime | None = None, zone: tzinfo | None = None
) -> Mapping[str, float | str]:
    """Return the quantiles that the text states, none if it is invalid."""
    try:
        return read_value(text, question, now=now, zone=zone).quantiles or {}
    except LedgerError:
        return {}


def typed_quantiles(
    figures: Sequence[float | str | None],
    text: str,
    question: QuestionText,
    *,
    now: datetime | None = None,
    zone: tzinfo | None = None,
) -> str:
    """Return the text that states these figures for ``QUANTILES``; None leaves a level out.

    Probabilities outside the bounds are kept from the old ``text``.
    """
    old = _quantiles(text, question, now, zone)
    stated = [
        f"{_percent(level)}={format_figure(figure)}"
        for level, figure in zip(QUANTILES, figures, strict=True)
        if figure is not None
    ]
    stated += [f"{name}={_percent(float(old[name]))}" for name in OUTSIDE_LEVELS if name in old]
    return ", ".join(stated)
