"""A report as JSON; ``report.schema.json`` beside this file documents and fixes its shape."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from forecasts.common.times import iso
from forecasts.reports.report import Report
from forecasts.reports.selection import Choice

SCHEMA = "forecast-ledger.report.1"


def as_dict(report: Report) -> dict[str, Any]:
    """Return the report in plain values, as they stand in JSON.

    null: there is nothing to compute it from. Only finite numbers occur.
    """
    plain = asdict(report)
    for group in plain["groups"]:
        moved = group["moved"] or {"most": (), "least": ()}
        for update in (*moved["most"], *moved["least"]):
            update["made_at"] = iso(update["made_at"])
    return {"schema": SCHEMA} | plain | {"metadata": as_plain(report.metadata)}


def as_plain(metadata: Choice) -> dict[str, Any]:
    """Return the metadata of a report or a comparison in plain values, its times as texts."""
    return {
        name: iso(value) if isinstance(value, datetime) else value
        for name, value in asdict(metadata).items()
    }


def as_json(report: Report) -> str:
    """Return the report as one JSON document, numbers in full precision."""
    return json.dumps(as_dict(report), ensure_ascii=False, indent=2, allow_nan=False) + "\n"


@cache
def schema() -> dict[str, Any]:
    """Return the JSON Schema of the document."""
    text = Path(__file__).with_name("report.schema.json").read_text(encoding="utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded
