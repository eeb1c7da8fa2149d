"""Comparisons of teams or forecasters: ledger frames in, a comparison as data out.

How a comparison is written is not here: ``reports.render`` writes every document, and
``reports.formats`` chooses the format.
"""

from forecasts.reports.comparison.build import build
from forecasts.reports.comparison.comparison import Comparison, Pair, Side

__all__ = ["Comparison", "Pair", "Side", "build"]
