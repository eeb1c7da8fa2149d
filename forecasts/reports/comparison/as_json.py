"""A comparison as JSON; ``comparison.schema.json`` beside this file documents its shape."""

from __future__ import annotations

import json
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any

from forecasts.common.times import iso
from forecasts.reports.comparison.comparison import Comparison
from forecasts.reports.render.as_json import as_plain

SCHEMA = "forecast-ledger.comparison.1"


def as_dict(comparison: Comparison) -> dict[str, Any]:
    """Return the comparison in plain values, as they stand in JSON; null: nothing to compute."""
    plain = asdict(comparison)
    plain["metadata"] = as_plain(comparison.metadata)
    for pair in plain["pairs"]:
        if pair["watched"] is not None:
            pair["watched"]["path"] = [
                {"at": iso(at), "e_value": value} for at, value in pair["watched"]["path"]
            ]
    return {"schema": SCHEMA} | plain


def as_json(comparison: Comparison) -> str:
    """Return the comparison as one JSON document, numbers in full precision."""
    return json.dumps(as_dict(comparison), ensure_ascii=False, indent=2, allow_nan=False) + "\n"


@cache
def schema() -> dict[str, Any]:
    """Return the JSON Schema of the document."""
    text = Path(__file__).with_name("comparison.schema.json").read_text(encoding="utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded
