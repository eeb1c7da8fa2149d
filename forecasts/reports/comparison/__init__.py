"""Comparisons of teams or forecasters: ledger frames in, a comparison as data out.

``document`` makes a document of it, and ``reports.formats`` writes that in a format.
"""

from forecasts.reports.comparison.build import build
from forecasts.reports.comparison.comparison import Comparison, Pair, Side

__all__ = ["Comparison", "Pair", "Side", "build"]
