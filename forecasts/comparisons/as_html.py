"""A comparison as one HTML page: no script, no network, light and dark, and it prints."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from forecasts import reports
from forecasts.comparisons import drawing, wording
from forecasts.comparisons.comparison import Comparison
from forecasts.reports import wording as words


def as_html(comparison: Comparison) -> str:
    """Return the page. Every text is escaped: names are everyone's words."""
    return _template().render(comparison=comparison, most=drawing.reach(comparison))


@cache
def _template() -> Template:
    environment = Environment(
        # The page looks like a report's: it takes its style from there.
        loader=FileSystemLoader(
            [
                Path(__file__).with_name("templates"),
                Path(reports.__file__).with_name("templates"),
            ]
        ),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    # A number and its sign of per cent stay on one line.
    environment.filters["tied"] = lambda text: text.replace(" %", "\u00a0%")
    environment.globals |= {"wording": wording, "words": words, "drawing": drawing}
    return environment.get_template("comparison.html")
