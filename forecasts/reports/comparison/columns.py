"""The columns of a comparison's CSV: one row a pair, with the ranks of both sides."""

from __future__ import annotations

from functools import partial

from forecasts.documents.as_csv import Columns, as_csv
from forecasts.reports.comparison.comparison import Comparison, Pair, Side
from forecasts.reports.selection import CHOICE

_PAIR = (
    "a", "b", "shared_questions", "families", "effective_families", "difference",
    "difference_lower", "difference_upper",
    "p_value", "p_adjusted", "detectable", "comparable", "reason", "better", "tipping",
    "periods", "p_by_time",
    "dominant_family", "dominant_share", "difference_without", "p_value_without",
    "difference_imputed", "p_adjusted_imputed", "better_imputed", "blocks", "e_value",
    "e_value_highest", "e_value_by_family", "e_value_by_family_highest", "sentence",
)  # fmt: skip
_PATHS = {
    "difference_lower": "interval.0",
    "difference_upper": "interval.1",
    "dominant_family": "dominant.family",
    "dominant_share": "dominant.share",
    "difference_without": "dominant.difference",
    "p_value_without": "dominant.p_value",
    "difference_imputed": "imputed.difference",
    "p_adjusted_imputed": "imputed.p_adjusted",
    "better_imputed": "imputed.better",
    "blocks": "watched.blocks",
    "e_value": "watched.e_value",
    "e_value_highest": "watched.highest",
    "e_value_by_family": "watched_by_family.e_value",
    "e_value_by_family_highest": "watched_by_family.highest",
}
_ABOUT = ("engine_version", "protocol", "of", "claims", *CHOICE, "as_of", "input_sha256")


def _adjusted(sides: dict[str, Side], letter: str, pair: Pair) -> float | None:
    own = sides[getattr(pair, letter)].adjusted
    return None if own is None else own.mean


def comparison_csv(comparison: Comparison) -> str:
    """Return the pairs as CSV, each with the metadata of the comparison."""
    sides = {side.name: side for side in comparison.groups}
    columns: Columns = {name: _PATHS.get(name, name) for name in _PAIR} | {
        "a_rank_low": lambda pair: sides[pair.a].rank_low,
        "a_rank_high": lambda pair: sides[pair.a].rank_high,
        "b_rank_low": lambda pair: sides[pair.b].rank_low,
        "b_rank_high": lambda pair: sides[pair.b].rank_high,
        "a_unanswered": lambda pair: sides[pair.a].unanswered,
        "a_silent": lambda pair: sides[pair.a].silent,
        "b_unanswered": lambda pair: sides[pair.b].unanswered,
        "b_silent": lambda pair: sides[pair.b].silent,
        **{f"{letter}_adjusted": partial(_adjusted, sides, letter) for letter in ("a", "b")},
    }
    return as_csv(comparison.pairs, columns, comparison.metadata, _ABOUT)
