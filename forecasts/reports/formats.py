"""The formats of reports and comparisons; the ``*.schema.json`` beside this file fix their JSON."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from forecasts.documents.as_html import as_html
from forecasts.documents.as_json import as_json
from forecasts.documents.as_markdown import as_markdown
from forecasts.documents.as_pdf import as_pdf
from forecasts.documents.as_text import as_text
from forecasts.documents.document import Document
from forecasts.reports.comparison.comparison import Comparison
from forecasts.reports.comparison.document import comparison_document
from forecasts.reports.csv_columns import comparison_csv, report_csv
from forecasts.reports.report import Report
from forecasts.reports.report_document import report_document

Format = Literal["text", "json", "html", "pdf", "csv", "md"]

_WRITERS: dict[str, Callable[[Document], str | bytes]] = {
    "html": as_html,
    "pdf": as_pdf,
    "md": as_markdown,
}


def document(made: Report | Comparison) -> Document:
    """Return the document of a report or a comparison."""
    return report_document(made) if isinstance(made, Report) else comparison_document(made)


def rendered(made: Report | Comparison, form: Format, *, width: int = 100) -> str | bytes:
    """Return a report or a comparison in a format; a text has lines of at most ``width``."""
    if form == "text":
        return as_text(document(made), width=width)
    if form == "json":
        return as_json(made)
    if form == "csv":
        return report_csv(made) if isinstance(made, Report) else comparison_csv(made)
    return _WRITERS[form](document(made))
