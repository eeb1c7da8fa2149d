"""The calibration of numeric and date forecasts: where in them outcomes lie (``scoring.pit``)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import numpy as np
import numpy.typing as npt
import pandas as pd

import scoring
from forecasts.common.text import count
from forecasts.common.times import utc
from forecasts.documents.numbers import percent
from forecasts.folder.frames import Frames
from forecasts.reports.cohort import families, only, quantitative, waits
from forecasts.reports.estimates import known
from forecasts.reports.groups import EVERYONE, group_entries, tagged
from forecasts.reports.report import By, Inside, Pit, ZTest
from forecasts.reports.selection import Choice
from forecasts.reports.verdict import FEWEST, SIGNIFICANCE, WHATEVER, chance, no_outcome
from scoring import numeric_calibration
from scoring.arrays import Floats

BINS = 10
# The middle shares of a distribution that forecasters know: quartiles, deciles, twentieths.
MIDDLES = (0.5, 0.8, 0.9)
# Outcomes within an interval that an end of a middle share divides are told in parts; if more than
# this share are, the sentence tells of a wider middle.
MOST_SPLIT = 0.1


def transforms(
    frames: Frames,
    questions: pd.DataFrame,
    reason: npt.NDArray[np.object_],
    *,
    by: By,
    choice: Choice,
    as_of: datetime,
) -> Callable[[str], Pit | None]:
    """Return a function from a group's name to the calibration of its numeric and date forecasts.

    None without any, and at a lead. ``questions`` are the selected ones, ``reason`` why each is
    left out of the rest of the report.
    """
    scored = reason == "numeric_or_date"
    if choice.cohort == "scheduled":
        closed = questions["scheduled_close_time"] <= pd.Timestamp(utc(as_of))
        scored &= closed.to_numpy()
    if by == "lead" or choice.lead is not None or not scored.any():
        return lambda _: None
    missing = waits(questions, reason, cohort=choice.cohort, as_of=as_of) & quantitative(questions)
    waiting = frozenset(questions["question_id"][missing])
    counting = questions[scored | missing].reset_index(drop=True)
    family = pd.Series(families(counting), index=counting["question_id"])
    own = frames.forecasts["question_id"].isin(counting["question_id"])
    entries = group_entries(only(frames, own.to_numpy()), by=by)
    group = entries.group.to_numpy(dtype=object)[entries.forecasts["forecaster"].to_numpy()]
    tags = tagged(counting) if by == "tag" else None

    def of(name: str) -> Pit | None:
        made = entries.forecasts[group == (EVERYONE if by == "tag" else name)]
        if tags is not None:
            made = made[made["question_id"].isin(tags["question_id"][tags["group"] == name])]
        asked = counting[counting["question_id"].isin(made["question_id"])]
        found = scoring.pit(asked, made, family, waiting)
        return None if found.table.empty else _pit(found, family)

    return of


def _pit(found: numeric_calibration.Pit, family: pd.Series) -> Pit:
    table = found.table
    below, upto, weight = (table[name].to_numpy() for name in ("below", "upto", "weight"))
    asked = table["question_id"].unique()
    many = len(asked), family[asked].nunique()
    enough = min(many) >= FEWEST

    def share(low: float, high: float) -> float:
        return _share(below, upto, weight, low, high)

    inside = tuple(Inside(level, share(0.5 - level / 2, 0.5 + level / 2)) for level in MIDDLES)
    above = share(0.5, 1.0)
    tested = enough and found.settled
    level, spread = (
        ZTest(known(test.statistic), known(test.p_value) if tested else None)
        for test in (found.level, found.spread)
    )
    p_value = known(found.p_value) if tested else None
    tenths = tuple(share(n / BINS, (n + 1) / BINS) for n in range(BINS))
    # The sentence tells of the narrowest middle whose ends most forecasts stated.
    stated = [one for one in inside if _split(below, upto, weight, one.level) <= MOST_SPLIT]
    middle = (*stated, inside[0])[0]
    said = sentence(
        many, middle, above, level, spread, p_value, found.waiting, settled=found.settled
    )
    return Pit(*many, len(table), tenths, inside, level, spread, p_value, said, found.waiting)


def _split(below: Floats, upto: Floats, weight: Floats, level: float) -> float:
    """Return the weighted share of the intervals that an end of a middle share divides."""
    ends = np.array([[0.5 - level / 2], [0.5 + level / 2]])
    divided = (below < ends - 1e-12) & (ends + 1e-12 < upto)
    return float(np.average(divided.any(axis=0), weights=weight))


def _share(below: Floats, upto: Floats, weight: Floats, low: float, high: float) -> float:
    """Return the weighted share of the transforms between two levels, each spread over its jump."""
    width = upto - below
    inside = np.clip(np.minimum(upto, high) - np.maximum(below, low), 0, None)
    # A point belongs to the range that begins there; 1 belongs to the last.
    point = (below >= low) & ((below < high) | ((high >= 1) & (below <= high)))
    share = np.divide(inside, width, out=point.astype(np.float64), where=width > 1e-12)
    return float(np.average(share, weights=weight))


def sentence(
    many: tuple[int, int],
    middle: Inside,
    above: float,
    level: ZTest,
    spread: ZTest,
    p: float | None,
    waiting: int = 0,
    *,
    settled: bool = True,
) -> str:
    """Return the finding: that of the statistic further from 0 if the test rejects.

    ``waiting``: how many lack an outcome; ``settled``: whether theirs cannot change the finding.
    """
    questions, families_ = many
    part = "half" if middle.level == 0.5 else percent(middle.level)
    where = (
        f"{percent(middle.share)} of outcomes lie in the middle {part} of the forecast "
        f"distributions, {percent(above)} above the median."
    )
    if min(many) < FEWEST:
        return (
            f"Too few to tell: {count(questions, 'numeric or date question')} in "
            f"{count(families_, 'family')}; below {FEWEST}, luck and error look alike. {where}"
        )
    if not settled:
        return f"No finding: {no_outcome(waiting)}, and could change it. {where}"
    if p is None or level.z is None or spread.z is None:
        return where
    luck = chance(p, families_)
    holds = f" {no_outcome(waiting)}; {WHATEVER}." if waiting else ""
    where += holds
    if p >= SIGNIFICANCE:
        return f"No fault found: without one, {luck} would look at least this bad. {where}"
    if abs(level.z) > abs(spread.z):
        fault = f"Forecasts were too {'low' if level.z > 0 else 'high'}"
        agrees = (level.z > 0) == (above > 0.5)
    else:
        fault = f"Distributions were too {'narrow' if spread.z > 0 else 'wide'}"
        agrees = (spread.z > 0) == (middle.share < middle.level)
    # Two shares are less than the whole distribution: those that tell another story stay out.
    found = f"{fault}. Luck alone would look like this in {luck}."
    return f"{found} {where}" if agrees else f"{found}{holds}"
