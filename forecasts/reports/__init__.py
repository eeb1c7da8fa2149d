"""Track records and calibration reports: ledger frames in, a report as data out.

``build`` makes a ``Report``, ``comparison`` compares groups, ``render`` writes both as text, HTML,
PDF, Markdown, CSV and JSON, and ``formats`` chooses. Nothing here reads the database.
"""

from forecasts.reports.build import build
from forecasts.reports.report import Group, Report

__all__ = ["Group", "Report", "build"]
