"""Evidence over time: e-processes of all pairs, and the groups that may be the best."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

import scoring
from forecasts.reports.comparison.comparison import EvidenceStep, Watched
from scoring.e_process import bets_needed, possibly_best

Key = tuple[str, str]


class Evidence(NamedTuple):
    """The evidence of each comparable pair, by blocks of time and by family, and who may be best.

    A pair without a block, or a family, has no entry.
    """

    by_block: dict[Key, Watched]
    by_family: dict[Key, Watched]
    best: dict[str, bool]


def watched(
    pairs: Sequence[scoring.Pair],
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
    in_time = np.full(len(of_each), True)
    if not pd.isna(awaited):
        in_time = (over[of_each] < awaited).to_numpy()
    rows = differences[in_time].assign(family=of_each[in_time])
    known = np.unique(rows["family"])
    blocks = scoring.time_blocks(known, began[known], over[known])
    parts = dict(iter(rows.groupby(["a", "b"], sort=False)))
    found = Evidence({}, {}, {})
    against = {}
    for pair in pairs:
        key = (pair.a, pair.b)
        sign = 1.0 if key in parts else -1.0
        shared = parts.get(key, parts.get((pair.b, pair.a)))
        bets = np.zeros(int(blocks["block"].max()) + 1 if len(blocks) else 0)
        if pair.comparable and shared is not None:
            difference = sign * shared["difference"].to_numpy()
            by_block = scoring.by_block(difference, shared["family"], blocks)
            bets[by_block["block"]] = by_block["difference"]
            by_family = scoring.by_family(difference, shared["family"], over[shared["family"]])
            if len(by_block):
                found.by_block[key] = _watched(pair, by_block, int(by_block["families"].sum()))
            found.by_family[key] = _watched(pair, by_family)
        steps = scoring.e_process(bets)
        against[pair.a, pair.b], against[pair.b, pair.a] = steps.log_b, steps.log_a
    names = list(dict.fromkeys(name for pair in pairs for name in (pair.a, pair.b)))
    found.best.update(possibly_best(against, names))
    return found


def _watched(pair: scoring.Pair, steps: pd.DataFrame, families: int | None = None) -> Watched:
    """Return the evidence from these bets, of blocks that have that many families, or of families.

    The names of the pair stand for the signs: negative differences favour a.
    """
    found = scoring.e_process(steps["difference"])
    e_values = np.exp(found.log_either)
    times = steps["scheduled_close"].dt.to_pydatetime()
    return Watched(
        e_value=float(e_values[-1]),
        highest=float(e_values.max()),
        enough=scoring.ENOUGH,
        families=len(steps) if families is None else families,
        blocks=None if families is None else len(steps),
        needed=bets_needed(pair.difference or 0.0),
        better=None if found.better is None else getattr(pair, found.better),
        path=tuple(map(EvidenceStep, times, e_values.tolist())),
    )
