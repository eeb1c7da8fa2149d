"""A report as one HTML page: no script, no network, light and dark, and it prints."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from jinja2 import Template

from forecasts.reports.render import diagram, tables, wording
from forecasts.reports.render.glossary import explained
from forecasts.reports.render.html_page import page_template
from forecasts.reports.report import Report

# Always saying 50 % earns this on a binary question; the forest plot reaches at least so far.
_COIN = 0.25


def as_html(report: Report) -> str:
    """Return the page. Every text is escaped: names are everyone's words."""
    ends = [group.brier.interval[1] for group in report.groups if group.brier.interval]
    means = [group.brier.mean for group in report.groups if group.brier.mean is not None]
    return _template().render(
        report=report,
        terms=explained(report),
        coin=_COIN,
        farthest=max([_COIN, *ends, *means]) * 1.04,
    )


@cache
def _template() -> Template:
    return page_template(
        Path(__file__).with_name("templates") / "report.html",
        wording=wording,
        tables=tables,
        charts=diagram,
    )
