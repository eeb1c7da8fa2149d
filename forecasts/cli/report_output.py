"""The form in which a report or a comparison is put out: the choice, and the document."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from forecasts.cli.console import out, plain
from forecasts.cli.table_output import format_of
from forecasts.common.errors import BadInput
from forecasts.reports.render.formats import FORMS, renderer

if TYPE_CHECKING:
    from forecasts.reports import Report
    from forecasts.reports.comparison import Comparison

_ENDINGS = {form: f".{form}" for form in FORMS} | {"text": ".txt"}

Form = Annotated[
    str | None,
    typer.Option(
        "--format",
        metavar="|".join(_ENDINGS),
        help="[default: by the ending of --output, else text]",
    ),
]


def form_of(given: str | None, output: Path | None) -> str:
    """Return the form asked for; BadInput where there is none such, or none for a terminal."""
    form = format_of(given, output, _ENDINGS, "text")
    if form == "pdf" and output is None and sys.stdout.isatty():
        raise BadInput("A PDF is no text for a terminal.", remedy="Name a file with --output.")
    return form


def rendered(made: Report | Comparison, form: str) -> str | bytes:
    """Return the document; a text is as wide as the terminal."""
    render = renderer(made, form)
    if form != "text":
        return render(made)
    # Control signs in a name could command the terminal.
    return plain(str(render(made, width=out().width if sys.stdout.isatty() else 100)))
