"""A comparison's pairs as CSV: one row a pair, numbers in full precision."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from typing import Any

from forecasts.common.times import iso
from forecasts.reports.comparison.comparison import About, Comparison, Pair
from forecasts.reports.render.as_csv import CHOICE, cell


def as_csv(comparison: Comparison) -> str:
    """Return the pairs as CSV with a header. Blank: there is nothing to compute it from.

    Each end of a pair has its ranks beside it. A text that a spreadsheet would take for a formula
    has an apostrophe put before it.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*COLUMNS, *_RANKS, *ABOUT])
    about = [cell(read(comparison.metadata)) for read in ABOUT.values()]
    sides = {side.name: side for side in comparison.groups}
    for pair in comparison.pairs:
        ranks = [
            rank
            for name in (pair.a, pair.b)
            for rank in (sides[name].rank_low, sides[name].rank_high)
        ]
        row = [cell(read(pair)) for read in COLUMNS.values()]
        writer.writerow([*row, *ranks, *about])
    return text.getvalue()


COLUMNS: dict[str, Callable[[Pair], Any]] = {
    "a": lambda pair: pair.a,
    "b": lambda pair: pair.b,
    "shared_questions": lambda pair: pair.shared_questions,
    "families": lambda pair: pair.families,
    "difference": lambda pair: pair.difference,
    "difference_lower": lambda pair: pair.interval and pair.interval[0],
    "difference_upper": lambda pair: pair.interval and pair.interval[1],
    "p_value": lambda pair: pair.p_value,
    "p_adjusted": lambda pair: pair.p_adjusted,
    "detectable": lambda pair: pair.detectable,
    "comparable": lambda pair: "true" if pair.comparable else "false",
    "reason": lambda pair: pair.reason,
    "better": lambda pair: pair.better,
    "e_value": lambda pair: pair.watched and pair.watched.e_value,
    "e_value_highest": lambda pair: pair.watched and pair.watched.highest,
    "sentence": lambda pair: pair.sentence,
}
_RANKS = ("a_rank_low", "a_rank_high", "b_rank_low", "b_rank_high")
ABOUT: dict[str, Callable[[About], Any]] = {
    "engine_version": lambda about: about.engine_version,
    "protocol": lambda about: about.protocol,
    "of": lambda about: about.of,
    "claims": lambda about: about.claims,
    **CHOICE,
    "as_of": lambda about: iso(about.as_of),
    "input_sha256": lambda about: about.input_sha256,
}
