"""Comparisons of teams or forecasters: ledger frames in, a comparison as data, then renderings.

``build`` makes a ``Comparison`` of frozen dataclasses; ``as_text``, ``as_json``, ``as_html``,
``as_pdf``, ``as_csv`` and ``as_markdown`` each turn one into a document and compute nothing. The
same ledger and the same ``as_of`` give the same bytes.
"""

from forecasts.reports.comparison.build import build
from forecasts.reports.comparison.comparison import Comparison, Pair, Side

__all__ = ["Comparison", "Pair", "Side", "build"]
