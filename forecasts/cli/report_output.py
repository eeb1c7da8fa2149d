"""The output of a report or a comparison: its format, and the document in it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from typer import Option

from forecasts.cli.console import out
from forecasts.cli.table_output import format_of
from forecasts.common.errors import BadInput
from forecasts.common.text import printable

if TYPE_CHECKING:
    from forecasts.reports import Report
    from forecasts.reports.comparison import Comparison

# Each format of ``reports.formats``, whose import brings pandas, with its file extension.
_EXTENSIONS = {
    "text": ".txt",
    "json": ".json",
    "html": ".html",
    "pdf": ".pdf",
    "csv": ".csv",
    "md": ".md",
}

ReportFormat = Annotated[
    str | None,
    Option(
        "--format",
        metavar="|".join(_EXTENSIONS),
        help="Output format. [default: by the extension of --output, else text]",
    ),
]


def report_format(given: str | None, output: Path | None) -> str:
    """Return the format; BadInput for an unknown one, or a PDF to a terminal."""
    form = format_of(given, output, _EXTENSIONS, "text")
    if form == "pdf" and output is None and sys.stdout.isatty():
        raise BadInput(
            "A PDF cannot be printed to a terminal.", remedy="Name a file with --output."
        )
    return form


def rendered(document: Report | Comparison, form: Any) -> str | bytes:
    """Return the document in that format; text is as wide as the terminal."""
    from forecasts.reports import formats

    if form != "text":
        return formats.rendered(document, form)
    width = out().width if sys.stdout.isatty() else 100
    # Control characters in a name could command the terminal.
    return printable(str(formats.rendered(document, form, width=width)))
