"""The meaning of each number of a report or a comparison, in one sentence, with its page in docs.

The foot of every document and the help on the pages both read it here, from ``glossary.toml``.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path

from forecasts.documents.document import Term
from forecasts.reports.report import Report

_READ = tomllib.loads(Path(__file__).with_name("glossary.toml").read_text(encoding="utf-8"))
OF_REPORTS: Mapping[str, Term] = {name: Term(**term) for name, term in _READ["reports"].items()}
# A term without a sentence of its own is that of reports.
OF_COMPARISONS: Mapping[str, Term] = {
    name: Term(**term) if term else OF_REPORTS[name] for name, term in _READ["comparisons"].items()
}


def explained(report: Report) -> list[Term]:
    """Return the statistics that the report shows, in their order."""
    return [
        one
        for name, one in OF_REPORTS.items()
        if any(getattr(group, name, one) not in (None, ()) for group in report.groups)
    ]
