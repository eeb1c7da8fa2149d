"""A comparison as one HTML page: no script, no network, light and dark, and it prints."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from jinja2 import Template

from forecasts.reports.comparison import drawing, wording
from forecasts.reports.comparison.comparison import Comparison
from forecasts.reports.render import wording as words
from forecasts.reports.render.glossary import OF_COMPARISONS
from forecasts.reports.render.html_page import page_template


def as_html(comparison: Comparison) -> str:
    """Return the page. Every text is escaped: names are everyone's words."""
    return _template().render(
        comparison=comparison,
        most=drawing.reach(comparison),
        terms=wording.explained(comparison),
        watched=OF_COMPARISONS["watched"].help,
    )


@cache
def _template() -> Template:
    return page_template(
        Path(__file__).with_name("templates") / "comparison.html",
        wording=wording,
        words=words,
        drawing=drawing,
    )
