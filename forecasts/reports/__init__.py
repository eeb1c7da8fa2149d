"""Track records and calibration reports: ledger frames in, a report as data out, then renderings.

``build`` makes a ``Report`` of frozen dataclasses; ``as_text``, ``as_json``, ``as_html``,
``as_pdf``, ``as_csv`` and ``as_markdown`` each turn one into a document and compute nothing. The
same ledger and the same ``as_of`` give the same bytes. ``tables`` and ``diagram`` hold what the
documents show, and ``wording`` how it is said.
"""

from forecasts.reports.build import build
from forecasts.reports.report import Group, Report

__all__ = ["Group", "Report", "build"]
