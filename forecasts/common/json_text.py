"""JSON as the command line prints it and the API answers."""

from __future__ import annotations

import json
from dataclasses import fields, is_dataclass
from datetime import date, datetime
from typing import Any

from pydantic import BaseModel

from forecasts.common.times import iso


def json_text(value: Any, *, indent: int | None = 2) -> str:
    """Return ``json_ready(value)`` as one JSON document."""
    return json.dumps(json_ready(value), ensure_ascii=False, indent=indent) + "\n"


def json_ready(value: Any) -> Any:
    """Return the value for JSON: infinite numbers as "inf" and "-inf", NaN as null, times as text.

    Dictionaries, dataclasses, models and lists are converted throughout.
    """
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if isinstance(value, float):
        if value != value:
            return None
        return value if abs(value) != float("inf") else ("inf" if value > 0 else "-inf")
    if is_dataclass(value) and not isinstance(value, type):
        value = {field.name: getattr(value, field.name) for field in fields(value)}
    if isinstance(value, dict):
        return {key: json_ready(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [json_ready(item) for item in value]
    if isinstance(value, datetime):
        return iso(value)
    return value.isoformat() if isinstance(value, date) else value


def no_constant(name: str) -> None:
    """Raise ValueError: NaN and infinities, which Python reads, are not JSON."""
    raise ValueError(f"{name} is not a number in JSON")
