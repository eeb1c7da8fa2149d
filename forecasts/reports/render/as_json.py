"""A report or a comparison as JSON; the ``*.schema.json`` beside this file fix its shape."""

from __future__ import annotations

import json
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any, ClassVar, Literal, Protocol

from forecasts.common.times import iso


class _Data(Protocol):
    __dataclass_fields__: ClassVar[dict[str, Any]]
    SCHEMA: ClassVar[str]


def as_json(made: _Data) -> str:
    """Return the data as one JSON document, numbers in full precision.

    null: there is nothing to compute it from. Every number is finite.
    """
    plain = {"schema": made.SCHEMA} | asdict(made)
    return json.dumps(plain, ensure_ascii=False, indent=2, allow_nan=False, default=iso) + "\n"


@cache
def schema(kind: Literal["report", "comparison"]) -> dict[str, Any]:
    """Return the JSON Schema of the document."""
    text = Path(__file__).with_name(f"{kind}.schema.json").read_text(encoding="utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded
