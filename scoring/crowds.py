"""Crowd forecasts: aggregates of everyone's standing forecasts."""

from __future__ import annotations

import math
from bisect import bisect_left, insort
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pandas as pd

from scoring.arrays import Flags, Floats, Ints, Places
from scoring.errors import Problems, require
from scoring.input_columns import Table
from scoring.input_frames import Block, Questions, read_frames
from scoring.paths import segments

# Running weights carry rounding errors: within this share of the total, a tie is a tie.
TIE = 1e-12

Time = str | datetime | pd.Timestamp


@dataclass(frozen=True)
class Standing:
    """Standing forecasts at many moments (of one question each).

    ``p`` is (n, options), binary forecasts as no and yes, NaN for an option that a forecast does
    not have. Rows are grouped by moment, in the order they were made; ``first`` holds the first row
    of each moment.
    """

    p: Floats
    first: Places

    @property
    def size(self) -> Ints:
        """Number of forecasts at each moment."""
        return np.diff(self.first, append=len(self.p)).astype(np.int64)

    def sum(self, value: Floats) -> Floats:
        """Return the sum over the rows of each moment."""
        return np.add.reduceat(value, self.first, axis=0)


def crowd(
    questions: pd.DataFrame,
    forecasts: pd.DataFrame,
    method: str = "recency_weighted",
    at: Time | Sequence[Time] | None = None,
    pools: Mapping[str, str] | None = None,
) -> pd.DataFrame:
    """Return the crowd's forecast on every question at one or several times.

    Columns: ``question_id``; ``at``, the time in UTC; ``forecasters``, the number live at that
    time, a pool as one; ``p``, the crowd's probability of "yes" on a binary question; for multiple
    choice ``p0``, ``p1``, … for the options (NaN if not applicable). Sorted by question and time.
    ``at`` is one or several times with an offset; by default each question is read just before its
    actual close, or its scheduled close if it is open. Questions without a live forecast at the
    time have no row. Neither have numeric and date questions: no aggregate of distributions is
    defined here.

    - ``mean`` and ``median`` of the live forecasts.
    - ``recency_weighted``: weighted median; the i-th of n in the order made (ties by forecaster id)
      has weight e^(√i − √n), or 1 while n ≤ 2. An exact tie averages the two middle values.
    - ``geometric_odds``: geometric mean of the odds p / (1 − p). NaN if one forecast is 0 and
      another 1, or if no option is possible according to all forecasts.
    - ``extremized``: those odds to the power n (√(3n² − 3n + 1) − 2) / (n² − n − 1), which is 1 for
      one forecaster and tends to √3: forecasters with different information should be more
      confident together than each is alone. Neyman & Roughgarden (2022),
      doi:10.1145/3490486.3538243.

    For multiple choice each option is aggregated over the forecasts that have it, and the results
    are normalised to sum to one; recency weights count all live forecasts.

    ``pools`` maps forecasters to a pool, such as the owner of several bots. A pool counts once: as
    the mean of its live forecasts, made when the last of them was. Both frames are described at
    `score`. Raises InputError.

    >>> questions = pd.DataFrame({"question_id": ["q"], "open_time": ["2026-01-01T00:00:00Z"],
    ...                           "scheduled_close_time": ["2026-01-11T00:00:00Z"]})
    >>> forecasts = pd.DataFrame({"question_id": "q", "forecaster": ["ana", "ben", "eva"],
    ...     "probability": [0.2, 0.8, 0.6], "made_at": ["2026-01-02T00:00:00Z",
    ...     "2026-01-03T00:00:00Z", "2026-01-04T00:00:00Z"]})
    >>> crowd(questions, forecasts)[["question_id", "forecasters", "p"]]
      question_id  forecasters    p
    0           q            3  0.6
    >>> crowd(questions, forecasts, "mean", at="2026-01-03T00:00:00Z")["p"].tolist()
    [0.5]
    """
    require("method", method, method in METHODS, f"must be one of {', '.join(METHODS)}")
    moments = None if at is None else _moments(at)
    ledger = read_frames(questions, forecasts)
    units = None if pools is None else _units(ledger.forecasters, pools)
    parts = [
        _aggregates(block, ledger.questions, METHODS[method], moments, units)
        for block in ledger.blocks
        if block.p.ndim < 3
    ]
    names = ["question_id", "at", "forecasters", "p"]
    nothing = pd.DataFrame(columns=names, dtype=np.int64).astype({"p": np.float64})
    frame = pd.concat([part for part in parts if len(part)] or [nothing], ignore_index=True)
    options = sorted(set(frame.columns) - set(names), key=lambda name: int(name[1:]))
    frame = frame[names + options].sort_values(["question_id", "at"], ignore_index=True)
    return frame.assign(
        question_id=ledger.questions.ids.take(frame["question_id"].to_numpy()),
        at=pd.to_datetime(frame["at"], unit="us", utc=True),
    )


def _moments(at: Time | Sequence[Time]) -> Ints:
    """Return the requested times, sorted, as microseconds since 1970."""
    requested = [at] if isinstance(at, str | datetime) else list(at)
    problems = Problems()
    frame = pd.DataFrame({"at": pd.Series(requested, dtype=object)})
    moments = Table("", frame, ["at"], problems).times("at", required=True)
    problems.raise_any()
    return np.unique(moments)


def _units(forecasters: pd.Index, pools: Mapping[str, str]) -> Places:
    """Return the number of each forecaster's pool; without one, a number of their own."""
    keys = [(who in pools, pools.get(who, who)) for who in forecasters]
    return np.asarray(pd.factorize(pd.Series(keys, dtype=object))[0], dtype=np.intp)


def _aggregates(
    block: Block,
    questions: Questions,
    method: Callable[[Standing], Floats],
    moments: Ints | None,
    units: Places | None,
) -> pd.DataFrame:
    live = segments(block, questions, scored=False).live
    segment_question = live.per_segment(live.question)
    opened = questions.open_us[segment_question]
    if moments is None:
        close = questions.close_us[segment_question]
        row = np.flatnonzero(opened + live.end == close)
        moment = close[row]
    else:
        since = np.searchsorted(moments, opened + live.start)
        until = np.searchsorted(moments, opened + live.end)
        row = np.repeat(np.arange(len(live)), until - since)
        # The k-th repetition of a segment belongs to the k-th moment at which it is live.
        skipped = np.cumsum(until - since) - (until - since)
        moment = moments[np.arange(len(row)) + (since - skipped)[row]]
    if not len(row):
        return pd.DataFrame()
    question, made = segment_question[row], live.row[row]
    # Rows are sorted by forecaster, which breaks ties in time: a database and its exported folder
    # list rows in different orders but give the same crowd.
    order = np.lexsort((block.time_us[made], moment, question))
    question, moment, made = question[order], moment[order], made[order]
    changed = (question[1:] != question[:-1]) | (moment[1:] != moment[:-1])
    p = block.p[made]
    if block.p.ndim == 1:
        p = np.stack([1 - p, p], axis=1)
    first = np.flatnonzero(np.append(True, changed))
    question, moment = question[first], moment[first]
    standing = Standing(p, first)
    with np.errstate(invalid="ignore", divide="ignore"):
        if units is not None:
            standing = _pooled(standing, units[block.forecaster[made]])
        aggregate = method(standing)
        aggregate = aggregate / np.nansum(aggregate, axis=1, keepdims=True)
    found = {
        "question_id": question,
        "at": moment,
        "forecasters": standing.size,
        "p": aggregate[:, 1] if block.p.ndim == 1 else np.nan,
    }
    if block.p.ndim == 2:
        found |= {f"p{k}": option for k, option in enumerate(aggregate.T)}
    return pd.DataFrame(found)


def _pooled(standing: Standing, unit: Places) -> Standing:
    """Return the mean forecast of each unit at each moment, at the place of its last one."""
    moment = np.repeat(np.arange(len(standing.first)), standing.size)
    order = np.lexsort((unit, moment))
    many = int(unit.max()) + 1
    of_unit = Standing(standing.p[order], _starts((moment * many + unit)[order]))
    p = _mean_of(of_unit, of_unit.p)
    p /= np.nansum(p, axis=1, keepdims=True)
    last = order[np.append(of_unit.first[1:], len(order)) - 1]
    place = np.argsort(last)
    return Standing(p[place], _starts(moment[last[place]]))


# --- methods: one row per moment, options not yet normalised ---------------------------------


def _recency_weighted(standing: Standing) -> Floats:
    size = np.repeat(standing.size, standing.size)
    place = np.arange(len(size)) - np.repeat(standing.first, standing.size) + 1
    weight = np.where(size <= 2, 1.0, np.exp(np.sqrt(place) - np.sqrt(size)))
    return _weighted_median(standing, weight)


def _geometric_odds(standing: Standing) -> Floats:
    return _from_log_odds(_mean_of(standing, _log_odds(standing)))


def _extremized(standing: Standing) -> Floats:
    n = standing.sum((~np.isnan(standing.p)).astype(np.float64))
    power = n * (np.sqrt(3 * n * n - 3 * n + 1) - 2) / (n * n - n - 1)
    return _from_log_odds(power * _mean_of(standing, _log_odds(standing)))


METHODS: dict[str, Callable[[Standing], Floats]] = {
    "mean": lambda standing: _mean_of(standing, standing.p),
    "median": lambda standing: _weighted_median(standing, np.ones(len(standing.p))),
    "recency_weighted": _recency_weighted,
    "geometric_odds": _geometric_odds,
    "extremized": _extremized,
}


def _log_odds(standing: Standing) -> Floats:
    return np.asarray(np.log(standing.p) - np.log1p(-standing.p))


def _from_log_odds(value: Floats) -> Floats:
    """Return probabilities up to a factor per row; the largest is 1, to avoid underflow."""
    log_p = -np.logaddexp(0, -value)
    return np.asarray(np.exp(log_p - np.fmax.reduce(log_p, axis=1, keepdims=True)))


def _mean_of(standing: Standing, value: Floats) -> Floats:
    there = ~np.isnan(value)
    return standing.sum(np.where(there, value, 0.0)) / standing.sum(there.astype(np.float64))


def _weighted_median(standing: Standing, weight: Floats) -> Floats:
    moment = np.repeat(np.arange(len(standing.first)), standing.size)
    median = np.full((len(standing.first), standing.p.shape[1]), np.nan)
    for k, option in enumerate(standing.p.T):
        there = ~np.isnan(option)
        group = moment[there]
        if len(group):
            seen = group[_starts(group)]
            median[seen, k] = _median_of(option[there], weight[there], group)
    return median


def _starts(group: Places) -> Places:
    return np.flatnonzero(np.append(True, group[1:] != group[:-1]))


def _median_of(value: Floats, weight: Floats, group: Places) -> Floats:
    """Return the weighted median of each run of equal groups."""
    order = np.lexsort((value, group))
    value, weight, first = value[order], weight[order], _starts(group)
    size = np.diff(first, append=len(value))
    total = np.add.reduceat(weight, first)
    so_far = np.cumsum(weight)
    so_far -= np.repeat(so_far[first] - weight[first], size)
    over = so_far - np.repeat(total / 2, size)
    slack = np.repeat(total * TIE, size)
    below: Flags = over < -slack
    middle = first + np.add.reduceat(below, first, dtype=np.int64)
    tied = np.abs(over[middle]) <= slack[middle]
    after = np.minimum(middle + tied, len(value) - 1)
    return (value[middle] + value[after]) / 2


class RunningMedian:
    """The median of one current value per forecaster; a change costs one search of a sorted list.

    >>> crowd = RunningMedian()
    >>> for forecaster, value in (("alice", 0.2), ("bob", 0.6), ("alice", 0.4)):
    ...     crowd.update(forecaster, value)
    >>> crowd.median(), len(crowd)
    (0.5, 2)
    """

    def __init__(self) -> None:
        self._current: dict[Hashable, float] = {}
        self._sorted: list[float] = []
        self._pools: dict[Hashable, dict[Hashable, float]] = {}

    def __len__(self) -> int:
        return len(self._sorted)

    def update(self, forecaster: Hashable, value: float, pool: Hashable = None) -> None:
        """Replace the forecaster's value; NaN removes it.

        The values of a ``pool`` count once, as their mean.
        """
        if pool is not None:
            said = self._pools.setdefault(pool, {})
            said.pop(forecaster, None)
            if not math.isnan(value):
                said[forecaster] = value
            forecaster = ("pool", pool)
            value = math.fsum(said.values()) / len(said) if said else math.nan
        if forecaster in self._current:
            del self._sorted[bisect_left(self._sorted, self._current.pop(forecaster))]
        if not math.isnan(value):
            self._current[forecaster] = value
            insort(self._sorted, value)

    def median(self) -> float:
        """Return the median; NaN if no forecaster has a value."""
        n = len(self._sorted)
        return (self._sorted[(n - 1) // 2] + self._sorted[n // 2]) / 2 if n else math.nan
