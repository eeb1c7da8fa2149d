"""Data as JSON, a document with the name of its schema."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from itertools import islice
from typing import Any, ClassVar, Protocol

from forecasts.common.times import iso

# JSON tokens that are joined at a time.
_AT_ONCE = 1 << 14


class _Data(Protocol):
    __dataclass_fields__: ClassVar[dict[str, Any]]
    SCHEMA: ClassVar[str]


def as_json(made: _Data) -> str:
    """Return the data as one JSON document, numbers in full precision.

    null: there is nothing to compute it from. Every number is finite.
    """
    return "".join(json_pieces(made))


def json_pieces(made: _Data) -> Iterator[str]:
    """Yield the document of ``as_json`` in pieces: thousands of groups take hundreds of MB."""
    encoder = json.JSONEncoder(ensure_ascii=False, indent=2, allow_nan=False, default=_plain)
    tokens = encoder.iterencode({"schema": made.SCHEMA} | _plain(made))
    while piece := "".join(islice(tokens, _AT_ONCE)):
        yield piece
    yield "\n"


def _plain(value: Any) -> Any:
    if is_dataclass(value):
        return {field.name: getattr(value, field.name) for field in fields(value)}
    return iso(value)
