"""Distributions of forecasting-tools: declared percentiles, to and from a ledger's quantiles."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import numpy as np

from forecasts.common.times import iso
from forecasts.platforms.entries import Entry
from forecasts.values.distributions import quantiles
from forecasts.values.outcomes import figure_to_float
from forecasts.values.value import OUTSIDE_LEVELS

_DECLARED = 50  # points; more are a whole CDF, of which only the corners are kept


def read_percentiles(prediction: Entry, kind: str, lower: str, upper: str) -> dict[str, Any]:
    """Return the quantiles within the bounds, and the probability below and above them.

    Faults are noted in the entry's problems. Values of dates are seconds since 1970.
    """
    low, high = (figure_to_float(one, kind) for one in (lower, upper))
    points = [
        (
            point.number("value", required=True),
            point.number("percentile", low=0, high=1, required=True),
        )
        for point in prediction.entries("declared_percentiles")
    ]
    if any(math.isnan(number) for point in points for number in point):
        return {}
    if not points or any(a > b or p >= q for (a, p), (b, q) in itertools.pairwise(points)):
        prediction.wrong("declared_percentiles", "percentiles and values that rise")
        return {}
    values, levels = (np.array(column) for column in zip(*points, strict=True))
    below = float(np.interp(low, values, levels)) if values[0] <= low else 0.0
    above = _rest(float(np.interp(high, values, levels))) if values[-1] >= high else 0.0
    inside = (values > low) & (values < high)
    if inside.sum() > _DECLARED:
        at = np.array([low, *values[inside], high])
        return quantiles(np.array([[below, *levels[inside], 1 - above]]), at, kind)[0]
    found: dict[str, Any] = {
        repr(float(level)): iso(datetime.fromtimestamp(value, UTC))
        if kind == "date"
        else float(value)
        for value, level in zip(values[inside], levels[inside], strict=True)
        if 0 < level < 1
    }
    outside = zip(OUTSIDE_LEVELS, (below, above), strict=True)
    return found | {name: p for name, p in outside if p > 0 or not found}


def declared_percentiles(
    value: Mapping[str, float | str], kind: str, lower: str, upper: str
) -> list[dict[str, float]]:
    """Return quantiles as points that rise from bound to bound."""
    low, high = (figure_to_float(one, kind) for one in (lower, upper))
    inside = sorted(
        (float(level), figure_to_float(figure, kind))
        for level, figure in value.items()
        if level not in OUTSIDE_LEVELS
    )
    below, above = (float(value.get(name, 0)) for name in OUTSIDE_LEVELS)
    points = [(below, low), *inside, (_rest(above), high)]
    rising = [
        one for place, one in enumerate(points) if place == 0 or one[0] > points[place - 1][0]
    ]
    return [{"percentile": level, "value": figure} for level, figure in rising]


def _rest(p: float) -> float:
    """Return one minus a probability, without the noise of the last digit."""
    return float(f"{1 - p:.15g}")
