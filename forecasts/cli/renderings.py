"""The forms in which a report or a comparison is put out, and the choice between them."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from forecasts.cli.console import out, plain
from forecasts.cli.tables import format_of
from forecasts.errors import BadInput

if TYPE_CHECKING:
    from forecasts.comparisons import Comparison
    from forecasts.reports import Report

# Each form, the ending of a file that asks for it, and the function ``as_<name>`` that makes it.
_ENDINGS = {
    "text": ".txt",
    "json": ".json",
    "html": ".html",
    "pdf": ".pdf",
    "csv": ".csv",
    "md": ".md",
}
_NAMES = {"md": "markdown"}

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
    """Return the document, made by the module ``as_<form>`` beside what is rendered.

    Only that one is imported: each takes its time.
    """
    name = f"as_{_NAMES.get(form, form)}"
    package = type(made).__module__.rpartition(".")[0]
    render = getattr(import_module(f"{package}.{name}"), name)
    if form != "text":
        document: str | bytes = render(made)
        return document
    # Control signs in a name could command the terminal.
    return plain(render(made, width=out().width if sys.stdout.isatty() else 100))
