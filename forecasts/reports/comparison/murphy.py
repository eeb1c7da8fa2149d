"""The difference of two sides' Murphy curves: for which decisions one was better than the other."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd

from forecasts.common.text import in_words
from forecasts.documents.numbers import percent
from forecasts.folder.frames import rows
from forecasts.reports.comparison.comparison import MurphyDifference, Pair
from forecasts.reports.wording import stretches
from scoring.murphy_curves import difference_curve
from scoring.parallel import map_threads

THRESHOLDS = np.linspace(0, 1, 51)


def murphy_differences(
    losses: Mapping[tuple[str, str], tuple[pd.Series, npt.NDArray[np.float64]]],
    family: pd.Series,
    curves: int,
) -> dict[tuple[str, str], tuple[MurphyDifference, ...]]:
    """Return the difference of the Murphy curves of each of these pairs.

    ``losses`` has their questions and the differences at each threshold; ``curves``: the number of
    all pairs. Pairs that few events decide have none, since a single threshold has even fewer.
    """

    def curve(names: tuple[str, str]) -> tuple[MurphyDifference, ...]:
        asked, difference = losses[names]
        return tuple(
            MurphyDifference(
                row.threshold,
                row.difference,
                (row.lower, row.upper),
                (row.band_lower, row.band_upper),
            )
            for row in rows(difference_curve(difference, asked, family, THRESHOLDS, curves))
        )

    return dict(zip(losses, map_threads(curve, losses), strict=True))


def sentence(pair: Pair) -> str:
    """Return in words at which thresholds one of a pair lost less, beyond chance."""
    parts = []
    thresholds = [point.threshold for point in pair.murphy]
    for name, sign in ((pair.a, -1), (pair.b, 1)):
        beyond = [sign * point.difference > 0 and _outside(point) for point in pair.murphy]
        if any(beyond):
            ranges = in_words(stretches(thresholds, beyond))
            parts.append(f"{name} lost less when acting above thresholds of {ranges}")
    if not parts:
        return "At no threshold is the difference of the losses beyond chance."
    return f"{'; '.join(parts)}. Elsewhere chance explains the difference."


def point_sentence(pair: Pair, point: MurphyDifference) -> str:
    """Return the difference of the losses at a threshold, as a sentence."""
    size = abs(point.difference)
    if size < 0.0005:
        return f"Acting above {percent(point.threshold)}, both lost the same on average."
    better = pair.a if point.difference < 0 else pair.b
    return (
        f"Acting above {percent(point.threshold)}, {better} lost {size:.3f} less on average, "
        f"{'beyond' if _outside(point) else 'within'} chance."
    )


def _outside(point: MurphyDifference) -> bool:
    return not point.band[0] <= 0 <= point.band[1]
