"""Staleness: the cost of forecasts that nobody revised while time passed.

While an event has not happened, each day without it makes it less likely: if a "yes" closes the
question, an unrevised forecast grows too high by itself, though it was right when made. Nobody
knows the revision that the forecaster did not make. But the forecaster's own record shows how
outcomes depended on the time that had passed since a forecast was made, on questions then open:

    logit P(yes) = a + b · logit p + c · ln(1 − u),

with u the share passed of the time that the question had left when the forecast was made. If the
events of a record come at a uniform time and each closes its question, c = 1; if nothing closes
early, or closes whatever the outcome, c = 0. Below 0, forecasts grow too low ("no" closes early).

The *cost* of a forecast is the Brier score of a + b · logit p less that with the drift c, over the
time that it stood: the saving if it had moved with the time alone. Level and slope, a and b,
are in both, so miscalibration is not counted as staleness. The line for a question is fitted to the
other families (five parts), so a cost above 0 is not an artefact of fitting; without staleness it
is slightly below 0. A normal prior of deviation 1 around (0, 1, 0) keeps lines of few outcomes near
"no fault".

Logistic recalibration: Cox (1958), doi:10.1093/biomet/45.3-4.562; cross-fitting: Chernozhukov et
al. (2018), doi:10.1111/ectj.12097. The drift in the time left is a definition of this package.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from scoring.arrays import Floats, Places
from scoring.errors import float_vector, refuse_where, require

FOLDS = 5
PRIOR = 1.0  # standard deviation of a, b − 1 and c
_MOST_ODDS, _STEP = 7.0, 0.2
_ODDS = np.arange(-_MOST_ODDS, _MOST_ODDS + _STEP / 2, _STEP)
_PARTS = 20  # of the time left
_LEFT = np.log(1 - (np.arange(_PARTS) + 0.5) / _PARTS)


class Staleness(NamedTuple):
    """The drift c of a record, and the cost of each forecast.

    ``drift`` above 0: forecasts grew too high while they stood. ``cost`` (n,) is the loss in Brier
    points times the share of the question's scheduled time.
    """

    drift: float
    cost: Floats


def staleness(
    *,
    p: npt.ArrayLike,
    y: npt.ArrayLike,
    left: npt.ArrayLike,
    lasted: npt.ArrayLike,
    weight: npt.ArrayLike | None = None,
    family: npt.ArrayLike | None = None,
) -> Staleness:
    """Return the cost of binary forecasts while they stood unrevised.

    ``p``, ``y`` (n,): probability of "yes", and outcome. ``left`` (n,): the share of the question's
    scheduled time that was left when the forecast was made; ``lasted`` (n,): the share of that for
    which it stood, both in 0..1. ``weight`` (n,), such as one over the number of forecasters on the
    question, is part of the cost. ``family`` (n,) identifies forecasts on linked questions. Raises
    InputError.

    >>> found = staleness(p=[0.5] * 40, y=[1, 0] * 20, left=[1.0] * 40, lasted=[0.3, 1.0] * 20)
    >>> round(found.drift, 2), round(float(found.cost.sum()), 2)
    (1.35, 1.7)
    """
    columns = {"p": p, "y": y, "left": left, "lasted": lasted}
    given = [float_vector(name, values) for name, values in columns.items()]
    for name, values in zip(columns, given, strict=True):
        require(name, values.shape, values.shape == given[0].shape, "needs one entry per forecast")
        refuse_where(name, ~((values >= 0) & (values <= 1)), values, "must lie within 0..1")
    forecast, outcome, remaining, share = given
    size = remaining / _PARTS
    if weight is not None:
        size = size * float_vector("weight", weight)
    names = np.arange(len(size)) if family is None else np.asarray(family)
    require("family", names.shape, names.shape == size.shape, "needs one entry per forecast")
    fold = pd.factorize(names)[0] % FOLDS
    with np.errstate(divide="ignore"):
        odds = np.log(forecast) - np.log1p(-forecast)
    level = np.rint((np.clip(odds, -_MOST_ODDS, _MOST_ODDS) + _MOST_ODDS) / _STEP).astype(np.intp)
    part = np.minimum((share * _PARTS).astype(np.intp), _PARTS - 1)
    begun = share * _PARTS - part
    cell = (fold * len(_ODDS) + level) * _PARTS + part
    yes, no = (_time(cell, size * of, begun) for of in (outcome, 1 - outcome))
    lines = [line_of(yes.sum(axis=0) - yes[out], no.sum(axis=0) - no[out]) for out in range(FOLDS)]
    # The saving in each part of the time, if the outcome is yes and if it is no.
    saved = np.stack([_saved(*line) for line in lines])
    before = np.cumsum(saved, axis=-1) - saved
    at = fold, level, part
    if_yes, if_no = (before[:, of][at] + begun * saved[:, of][at] for of in (1, 0))
    cost = size * (outcome * if_yes + (1 - outcome) * if_no)
    return Staleness(float(line_of(yes.sum(axis=0), no.sum(axis=0))[2]), cost)


def _time(cell: Places, size: Floats, begun: Floats) -> Floats:
    """Return the time stood in each fold, at each level, in each part of the time left."""
    shape = FOLDS, len(_ODDS), _PARTS
    many = FOLDS * len(_ODDS) * _PARTS
    last = np.bincount(cell, size * begun, many).reshape(shape)
    whole = np.bincount(cell, size, many).reshape(shape)
    # A forecast stood through the parts before its last.
    return np.asarray(last + whole[..., ::-1].cumsum(axis=-1)[..., ::-1] - whole)


def line_of(yes: Floats, no: Floats) -> Floats:
    """Return a, b, c by Newton's method, from the time of each level and part by outcome."""
    x = np.stack(np.broadcast_arrays(1.0, _ODDS[:, None], _LEFT[None, :]), axis=-1).reshape(-1, 3)
    total, came = (yes + no).ravel(), yes.ravel()
    seen = total > 0
    x, total, came = x[seen], total[seen], came[seen]
    prior = line = np.array([0.0, 1.0, 0.0])
    for _ in range(30):
        fitted = 0.5 + np.tanh(x @ line / 2) / 2
        gradient = x.T @ (came - total * fitted) - (line - prior) / PRIOR**2
        information = x.T @ (x * (total * fitted * (1 - fitted))[:, None]) + np.eye(3) / PRIOR**2
        step = np.linalg.solve(information, gradient)
        # A long step can overshoot.
        line = line + step / max(1.0, float(np.abs(step).max()))
        if float(np.abs(step).max()) < 1e-8:
            break
    return line


def _saved(level: float, slope: float, drift: float) -> Floats:
    """Return the saving at each level and part of the time, by outcome (2, levels, parts)."""
    odds = level + slope * _ODDS[:, None]
    made, moved = (0.5 + np.tanh(at / 2) / 2 for at in (odds + 0 * _LEFT, odds + drift * _LEFT))
    return np.stack([(made - moved) * (made + moved - 2 * y) for y in (0, 1)])
