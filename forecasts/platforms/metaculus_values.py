"""The values of forecasts as Metaculus exports them, and the numbers that it derives from them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pandas as pd

from forecasts.common.vocabulary import QuestionType
from forecasts.folder.frames import rows
from forecasts.values.distributions import STEPS, grid, outcome_count, spaced, to_cdf
from forecasts.values.outcomes import NOT_SCORED, figure_to_float
from forecasts.values.outline import Outline
from forecasts.values.value import Value

_PERCENTILES = {
    "5th Percentile": 0.05,
    "25th Percentile": 0.25,
    "Median": 0.5,
    "75th Percentile": 0.75,
    "95th Percentile": 0.95,
}
COLUMNS = (
    "Probability Yes",
    "Probability Yes Per Category",
    "Continuous CDF",
    "Probability Below Lower Bound",
    "Probability Above Upper Bound",
    *_PERCENTILES,
    "Probability of Resolution",
    "PDF at Resolution",
)


def outline(question: Any) -> Outline:
    """Return a row of the questions frame with the fields that its values depend on."""
    return Outline(
        type=QuestionType(question.type),
        options=question.options,
        lower_bound=question.lower_bound or None,
        upper_bound=question.upper_bound or None,
    )


def bound_columns(questions: Sequence[Outline]) -> dict[str, list[str]]:
    """Return each question's type, its bounds, and the 201 numbers between them."""
    found: dict[str, list[str]] = {
        "Question Type": [],
        "Lower Bound": [],
        "Open Lower Bound": [],
        "Upper Bound": [],
        "Open Upper Bound": [],
        "Continuous Range": [],
    }
    for text in questions:
        kind = "discrete" if text.is_quantitative and outcome_count(text) else str(text.type)
        points = spaced(text, STEPS + 1).tolist() if text.is_quantitative else []
        if text.type == QuestionType.date:
            points = [_day(number) for number in points]
        is_open = str(text.is_quantitative)  # every bound of a ledger is open
        cells = (kind, text.lower_bound or "", is_open, text.upper_bound or "", is_open)
        for column, cell in zip(
            found.values(), (*cells, repr(points) if points else ""), strict=True
        ):
            column.append(cell)
    return found


def value_columns(
    forecasts: pd.DataFrame, outlines: Mapping[str, Outline], outcomes: Mapping[str, str]
) -> dict[str, Iterable[str]]:
    """Return the columns of the forecasts' values; ``outcomes`` has each question's resolution."""
    found: dict[str, list[str]] = {name: [] for name in COLUMNS}
    for row in rows(forecasts[["question_id", "probability", "probabilities", "quantiles"]]):
        text, outcome = outlines[row.question_id], outcomes[row.question_id]
        cells = dict.fromkeys(COLUMNS, "")
        if text.type == QuestionType.binary:
            cells["Probability Yes"] = repr(float(row.probability))
            pmf: list[float] = [1 - row.probability, row.probability]
        elif text.type == QuestionType.multiple_choice:
            vector = Value(probabilities=tuple(row.probabilities)).over(text.options).probabilities
            cells["Probability Yes Per Category"] = repr(list(vector or ()))
            pmf = [np.nan if p is None else p for p in vector or ()]
        else:
            cdf = to_cdf(Value(quantiles=row.quantiles), text)
            cells |= _curve(cdf, text)
            pmf = [cdf[0], *np.diff(cdf).tolist(), 1 - cdf[-1]]
        cells |= _at_resolution(pmf, outcome, text)
        for name, cell in cells.items():
            found[name].append(cell)
    return dict(found)


def _curve(cdf: Sequence[float], text: Outline) -> dict[str, str]:
    """Return a CDF with the probabilities outside the bounds and its percentiles."""
    at = grid(text)
    below, above = round(cdf[0], 10), round(1 - cdf[-1], 10)
    percentiles = {name: float(np.interp(level, cdf, at)) for name, level in _PERCENTILES.items()}
    return {
        "Continuous CDF": repr(list(cdf)),
        "Probability Below Lower Bound": repr(below),
        "Probability Above Upper Bound": repr(above),
        **{
            name: _day(number) if text.type == QuestionType.date else repr(number)
            for name, number in percentiles.items()
        },
    }


def _at_resolution(pmf: Sequence[float], outcome: str, text: Outline) -> dict[str, str]:
    """Return the probability of the outcome, and the density of a number or date there."""
    place = _place(pmf, outcome, text)
    if place is None:
        return {}
    p = pmf[-1] if np.isnan(pmf[place]) else pmf[place]
    cells = {"Probability of Resolution": repr(float(p))}
    if text.is_quantitative:
        cells["PDF at Resolution"] = repr(float(p * (len(pmf) - 2)))
    return cells


def _place(pmf: Sequence[float], outcome: str, text: Outline) -> int | None:
    """Return the outcome's place in the probabilities; None without one, or between no and yes."""
    if not outcome or outcome in NOT_SCORED:
        return None
    if text.type == QuestionType.binary:
        return {"no": 0, "yes": 1}.get(outcome)
    if text.type == QuestionType.multiple_choice:
        return (text.options or []).index(outcome)
    beyond = {"below_lower_bound": 0, "above_upper_bound": len(pmf) - 1}
    if outcome in beyond:
        return beyond[outcome]
    # A number on the border of two steps belongs to the lower one, the lower bound to the first.
    at, number = grid(text), figure_to_float(outcome, text.type)
    if number == at[0]:
        return 1
    return int(np.searchsorted(at, number, side="left"))


def _day(number: float) -> str:
    return datetime.fromtimestamp(number, UTC).strftime("%Y-%m-%d")
