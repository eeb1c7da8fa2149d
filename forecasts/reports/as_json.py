"""A report as JSON; ``report.schema.json`` beside this file documents and fixes its shape."""

from __future__ import annotations

import json
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any

from forecasts.reports.report import Report
from forecasts.times import iso

SCHEMA = "forecast-ledger.report.1"


def as_dict(report: Report) -> dict[str, Any]:
    """Return the report in plain values, as they stand in JSON.

    null: there is nothing to compute it from. Only finite numbers occur.
    """
    plain = asdict(report)
    about = plain["metadata"]
    about |= {
        name: None if about[name] is None else iso(about[name])
        for name in ("since", "until", "as_of")
    }
    return {"schema": SCHEMA} | plain


def as_json(report: Report) -> str:
    """Return the report as one JSON document, numbers in full precision."""
    return json.dumps(as_dict(report), ensure_ascii=False, indent=2, allow_nan=False) + "\n"


@cache
def schema() -> dict[str, Any]:
    """Return the JSON Schema of the document."""
    text = Path(__file__).with_name("report.schema.json").read_text(encoding="utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded
