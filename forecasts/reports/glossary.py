"""The words of reports and comparisons: each with its meaning, an example and its page in docs.

The foot of every document and every "?" on the pages read them here, from ``glossary.toml``. There
are at most 25, so that someone can read all of them: a term explains several fields.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from forecasts.documents.document import Term
from forecasts.reports.report import Report

_READ: dict[str, dict[str, Any]] = tomllib.loads(
    Path(__file__).with_name("glossary.toml").read_text(encoding="utf-8")
)
TERMS: Mapping[str, Term] = {
    name: Term(one["title"], one["sentence"], one["page"], one["example"], name)
    for name, one in _READ.items()
}


def _by_field(kind: str) -> dict[str, Term]:
    return {field: TERMS[name] for name, one in _READ.items() for field in one.get(kind, ())}


# The term that explains each field.
OF_REPORTS: Mapping[str, Term] = _by_field("reports")
OF_COMPARISONS: Mapping[str, Term] = _by_field("comparisons")


def explained(report: Report) -> list[Term]:
    """Return the terms of the statistics that the report shows, in their order."""
    shown = [
        one
        for name, one in OF_REPORTS.items()
        if any(getattr(group, name, one) not in (None, ()) for group in report.groups)
    ]
    return list(dict.fromkeys(shown))
