"""The forms of reports and comparisons, each made by a module of its own beside what it shows."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from forecasts.reports import Report
    from forecasts.reports.comparison import Comparison

# Each form, as commands and files' endings call it, and its module and function.
FORMS = {
    "text": "as_text",
    "json": "as_json",
    "html": "as_html",
    "pdf": "as_pdf",
    "csv": "as_csv",
    "md": "as_markdown",
}

_PACKAGES = {"Report": "forecasts.reports.render", "Comparison": "forecasts.reports.comparison"}


def renderer(made: Report | Comparison, form: str) -> Callable[..., str | bytes]:
    """Return the function that makes that form of a document like ``made``.

    Only its own module is imported: each takes its time.
    """
    package = _PACKAGES[type(made).__name__]
    render: Callable[..., str | bytes] = getattr(
        import_module(f"{package}.{FORMS[form]}"), FORMS[form]
    )
    return render
