"""Evidence over time: e-processes of all pairs, and the groups that may be the best."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

import scoring
from forecasts.reports.comparison.comparison import EvidenceStep, Watched
from scoring.comparison import Pair
from scoring.e_processes import ENOUGH, bets_needed, by_family, possibly_best

Key = tuple[str, str]
Floats = npt.NDArray[np.float64]
Places = npt.NDArray[np.intp]


class Evidence(NamedTuple):
    """The evidence of each comparable pair, by blocks of time and by family, and who may be best.

    A pair without a block, or a family, has no entry.
    """

    by_block: dict[Key, Watched]
    by_family: dict[Key, Watched]
    best: dict[str, bool]


def watched(
    pairs: Sequence[Pair],
    differences: pd.DataFrame,
    family: pd.Series,
    began: pd.Series,
    over: pd.Series,
    awaited: pd.Timestamp,
) -> Evidence:
    """Return the evidence from the families before the first with an outcome still unknown.

    ``began`` and ``over`` have the opening and the scheduled end of each family, ``awaited`` that
    of the first unknown one (NaT: none). Skipping only that family would select by outcome: a "yes"
    is often known sooner than a "no", and two equals would seem to differ.

    All pairs share the blocks of time, so that the evidence against a group is one e-process.
    """
    of_each = family[differences["question_id"]].to_numpy()
    known_by_then = np.full(len(of_each), True)
    if not pd.isna(awaited):
        known_by_then = (over[of_each] < awaited).to_numpy()
    shared = differences[known_by_then]
    families = of_each[known_by_then]
    known = np.unique(families)
    blocks = scoring.time_blocks(known, began[known], over[known])
    by_sides = shared.groupby(["a", "b"], sort=True)
    code, keys = by_sides.ngroup().to_numpy(), list(by_sides.groups)
    values = (shared["difference"].to_numpy(), families)
    in_time = dict(iter(scoring.by_block(*values, blocks, code).groupby("pair")))
    by_close = dict(iter(by_family(*values, over[families], code).groupby("pair")))
    place = {key: number for number, key in enumerate(keys)}
    found = Evidence({}, {}, {})
    against = {}
    for pair in pairs:
        key = (pair.a, pair.b)
        sign = 1.0 if key in place else -1.0
        at = place.get(key, place.get((pair.b, pair.a)))
        bets = np.zeros(int(blocks["block"].max()) + 1 if len(blocks) else 0)
        if pair.comparable and at is not None:
            needed = bets_needed(pair.difference or 0.0)
            if at in in_time:
                steps = in_time[at]
                bets[steps["block"]] = sign * steps["difference"]
                found.by_block[key] = _watched(pair, sign, steps, needed)
            if at in by_close:
                found.by_family[key] = _watched(pair, sign, by_close[at], needed)
        process = scoring.e_process(bets)
        against[pair.a, pair.b], against[pair.b, pair.a] = process.log_b, process.log_a
    names = list(dict.fromkeys(name for pair in pairs for name in (pair.a, pair.b)))
    found.best.update(possibly_best(against, names))
    return found


def _watched(pair: Pair, sign: float, steps: pd.DataFrame, needed: int | None) -> Watched:
    """Return the evidence from these bets, on blocks of time, or on families.

    The names of the pair stand for the signs: negative differences favour a.
    """
    found = scoring.e_process(sign * steps["difference"].to_numpy())
    e_values = np.exp(found.log_either)
    in_time = "block" in steps
    closes = [at.to_pydatetime() for at in steps["scheduled_close"]]
    return Watched(
        e_value=float(e_values[-1]),
        highest=float(e_values.max()),
        enough=ENOUGH,
        families=int(steps["families"].sum()) if in_time else len(steps),
        blocks=len(steps) if in_time else None,
        needed=needed,
        better=None if found.better is None else getattr(pair, found.better),
        path=tuple(map(EvidenceStep, closes, e_values.tolist())),
    )
