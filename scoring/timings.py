"""Timings: the parts of a forecaster's path that count, and their weights.

A timing puts live segments on its own clock: microseconds for the two averages, whole days for
`daily`, a single tick for instants (`final`, `spot`, `lead`). All averages, references included,
use that clock. To add a timing, write a function and add it to `TIMINGS`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from scoring.arrays import Floats, Ints
from scoring.errors import require
from scoring.input_frames import Questions
from scoring.paths import Paths

MICROSECONDS_A_DAY = 86_400_000_000


@dataclass(frozen=True)
class Timed:
    """Live segments on a timing's clock.

    Per path: ``divisor`` divides the forecaster's total on that clock, and ``coverage`` is the
    share of the question they covered.
    """

    paths: Paths
    divisor: Ints
    coverage: Floats


Timing = Callable[[Paths, Questions], Timed]


def live_average(live: Paths, questions: Questions) -> Timed:
    """Average over the time that the forecaster was live."""
    return Timed(live, live.total, live.total / _scheduled(live, questions))


def scheduled_average(live: Paths, questions: Questions) -> Timed:
    """Average over the question's scheduled time; time without a live forecast counts 0."""
    scheduled = _scheduled(live, questions)
    return Timed(live, scheduled, live.total / scheduled)


def daily(live: Paths, questions: Questions) -> Timed:
    """Average over the UTC calendar days with a standing forecast.

    The last standing forecast of a day scores the whole day, even if it is withdrawn later that
    day. Coverage is the share of the calendar days that the question was open.
    """
    opened = live.per_segment(questions.open_us[live.question])
    opening_day = opened // MICROSECONDS_A_DAY
    start = (opened + live.start) // MICROSECONDS_A_DAY - opening_day
    # The end is exclusive: a segment ending at midnight does not touch the next day.
    end = (opened + live.end - 1) // MICROSECONDS_A_DAY + 1 - opening_day
    same = np.ones(len(live), dtype=np.bool_)
    same[live.first] = False
    np.minimum(end[:-1], start[1:], out=end[:-1], where=same[1:])
    days = replace(live, start=start, end=end).only(start < end)
    last_day = (questions.close_us - 1) // MICROSECONDS_A_DAY
    all_days = last_day - questions.open_us // MICROSECONDS_A_DAY + 1
    return Timed(days, days.total, days.total / all_days[days.question])


def final(live: Paths, questions: Questions) -> Timed:
    """Take the forecast live just before the actual close."""
    return _at(live, questions, questions.close_us - questions.open_us - 1)


def spot(live: Paths, questions: Questions) -> Timed:
    """Take the forecast live at the question's spot time, or just before the close if earlier.

    A spot time at or before the opening is the opening. The coverage of a spot score is 1: the
    forecaster was live when it counted.
    """
    instant = np.minimum(np.maximum(questions.spot_us, questions.open_us), questions.close_us - 1)
    timed = _at(live, questions, instant - questions.open_us)
    return replace(timed, coverage=np.ones(len(timed.coverage)))


def lead(days: float) -> Timing:
    """Return the timing that takes the forecast live ``days`` before the scheduled close.

    A question closed by then, or a forecaster not live then, has no row.
    """
    before = round(days * MICROSECONDS_A_DAY)

    def at_lead(live: Paths, questions: Questions) -> Timed:
        return _at(live, questions, questions.scheduled_us - questions.open_us - before)

    return at_lead


# These depend on durations alone, so segments of length 0 are harmless.
AVERAGES = ("live_average", "scheduled_average")

TIMINGS: dict[str, Timing] = {
    "live_average": live_average,
    "scheduled_average": scheduled_average,
    "daily": daily,
    "final": final,
    "spot": spot,
}

SHORTEST_LEAD, LONGEST_LEAD = 1e-6, 3.65e6


def timing(name: str) -> Timing:
    """Return a timing by name, including ``lead(30)``.

    Raises InputError for an unknown name, and for a lead of less than a millionth of a day or more
    than 3,650,000 days (ten thousand years, the range of the calendar).
    """
    if name in TIMINGS:
        return TIMINGS[name]
    parts = re.fullmatch(r"lead\((\d+(?:\.\d+)?)\)", name)
    days = float(parts[1]) if parts else math.nan
    require("timing", name, parts, f"must be one of {', '.join(TIMINGS)} or lead(days)")
    rule = f"a lead must be {SHORTEST_LEAD:f} to {LONGEST_LEAD:,.0f} days"
    require("timing", name, SHORTEST_LEAD <= days <= LONGEST_LEAD, rule)
    return lead(days)


def _scheduled(live: Paths, questions: Questions) -> Ints:
    return (questions.scheduled_us - questions.open_us)[live.question]


def _at(live: Paths, questions: Questions, instant: Ints) -> Timed:
    """Return the forecasts live at an instant of each question, as one tick of a clock."""
    at = live.per_segment(instant[live.question])
    here = (live.start <= at) & (at < live.end)
    coverage = live.total / _scheduled(live, questions)
    stands = np.logical_or.reduceat(here, live.first) if len(here) else here
    zero, one = np.zeros_like(live.start), np.ones_like(live.end)
    tick = replace(live, start=zero, end=one).only(here)
    return Timed(tick, np.ones(len(tick), dtype=np.int64), coverage[stands])
