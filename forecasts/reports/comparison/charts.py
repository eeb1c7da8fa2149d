"""The charts of a comparison."""

from __future__ import annotations

import math
from collections.abc import Sequence

from forecasts.common.text import count
from forecasts.documents.charts import (
    QUARTERS,
    Axis,
    Chart,
    Forest,
    ForestRow,
    Series,
)
from forecasts.documents.numbers import p_value, percent, signed, signed_interval
from forecasts.reports.comparison import murphy as losses
from forecasts.reports.comparison import wording
from forecasts.reports.comparison.comparison import Comparison, EvidenceStep, Pair

_MOST_STEPS = 300
_LEAST_REACH = 0.02
_LEAST_EVIDENCE = 1e-6


def differences(comparison: Comparison) -> Forest:
    """Return the difference of each pair that is shown with its interval, about 0."""
    most = reach(comparison)
    return Forest(-most, most, 0.0, tuple(_row(pair) for pair in wording.shown(comparison)))


def _row(pair: Pair) -> ForestRow | None:
    if pair.difference is None:
        return None
    digits = wording.difference_decimals(pair)
    text = (
        f"Difference {signed(pair.difference, digits)}, 95% interval "
        f"{signed_interval(pair.interval, digits)}; "
        f"{count(pair.shared_questions, 'shared question')}, adjusted p {p_value(pair.p_adjusted)}"
    )
    if not pair.comparable:
        text += "; not comparable"
    return ForestRow(
        f"{pair.a} − {pair.b}", (pair.difference,), pair.interval, text, firm=pair.comparable
    )


def reach(comparison: Comparison) -> float:
    """Return how far the differences are drawn on either side of 0, in Brier points."""
    ends = [abs(end) for pair in comparison.pairs for end in pair.interval or ()]
    means = [abs(pair.difference) for pair in comparison.pairs if pair.difference is not None]
    most = max([*ends, *means, _LEAST_REACH])
    step = 10.0 ** math.floor(math.log10(most))
    return min(1.0, math.ceil(most / step * 1.02 * 2) * step / 2)


def ranks(comparison: Comparison) -> Forest:
    """Return the ranks that each group may have."""
    many = len(comparison.groups)
    return Forest(
        1.0,
        float(many),
        None,
        tuple(
            ForestRow(
                side.name,
                tuple(float(rank) for rank in range(side.rank_low, side.rank_high + 1)),
                (side.rank_low, side.rank_high),
                f"Rank {wording.rank_range(side)} of {many}",
            )
            for side in comparison.groups
        ),
    )


def murphy(pair: Pair) -> Chart:
    """Return the difference of the Murphy curves of a pair, and its band."""
    most = max(max(map(abs, point.band)) for point in pair.murphy) or _LEAST_REACH
    step = 10.0 ** math.floor(math.log10(most))
    end = math.ceil(most / step * 2) * step / 2
    ticks = (-end, 0.0, end)
    return Chart(
        Axis("Threshold for acting", 0.0, 1.0, QUARTERS, tuple(map(percent, QUARTERS))),
        Axis("Difference of losses", -end, end, ticks, tuple(signed(tick, 2) for tick in ticks)),
        (
            Series(
                "band",
                "band",
                tuple((point.threshold, *point.band) for point in pair.murphy),
                "95% band",
            ),
            Series("level", "reference", ((0.0,),), "no difference"),
            Series(
                "line",
                "curve",
                tuple((point.threshold, point.difference) for point in pair.murphy),
                f"{pair.a} − {pair.b}",
                tuple(losses.point_sentence(pair, point) for point in pair.murphy),
            ),
        ),
    )


def evidence(pair: Pair) -> Chart | None:
    """Return the e-process of a pair over time; None with fewer than two steps."""
    seen = pair.watched
    if seen is None or len(seen.path) < 2:
        return None
    steps = thinned(seen.path, _MOST_STEPS)
    values = [max(step.e_value, _LEAST_EVIDENCE) for step in steps]
    low = min(-1, math.floor(math.log10(min(values))))
    high = max(2, math.ceil(math.log10(max(values))))
    powers = range(low, high + 1, max(1, (high - low) // 5))
    times = [step.at.timestamp() for step in steps]
    end = max(times[-1], times[0] + 1.0)
    return Chart(
        Axis(
            "Scheduled close",
            times[0],
            end,
            (times[0], end),
            (f"{steps[0].at:%Y-%m-%d}", f"{steps[-1].at:%Y-%m-%d}"),
            scale="dates",
        ),
        Axis(
            "Evidence",
            10.0**low,
            10.0**high,
            tuple(10.0**power for power in powers),
            tuple(f"{10.0**at:g}" if -4 <= at <= 4 else f"1e{at}" for at in powers),
            scale="log",
        ),
        (
            Series("level", "reference", ((seen.enough,),), f"{seen.enough:.0f} is enough"),
            Series(
                "steps",
                "curve",
                tuple(zip(times, values, strict=True)),
                sentences=tuple(
                    f"{step.at:%Y-%m-%d}: {wording.e_value(step.e_value)}" for step in steps
                ),
            ),
        ),
        height=130.0,
    )


def thinned(path: Sequence[EvidenceStep], most: int) -> list[EvidenceStep]:
    """Return the path with about ``most`` steps, the first and the last among them."""
    every = max(1, len(path) // most)
    last = len(path) - 1
    return [step for place, step in enumerate(path) if place % every == 0 or place == last]
