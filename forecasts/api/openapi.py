"""The OpenAPI document: FastAPI's with the shapes of reports, and all fields explained.

``fields.json`` has the meaning and an example of each field by its name, or by ``Shape.field``
where it differs. A description in the code comes first. An example of an object is made of those of
its fields.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from fastapi import FastAPI

import forecasts.reports as reports
from forecasts.api.problems import EXAMPLES as FIELDS

_Schema = dict[str, Any]
_REF = "#/components/schemas/"
_PLAIN = {"number": 0.25, "integer": 3, "boolean": False, "string": "text"}


class Documented(FastAPI):
    """An app whose document explains each field."""

    def openapi(self) -> _Schema:
        """Return the document, which is made once."""
        if self.openapi_schema is None:
            document = super().openapi()
            schemas = document["components"]["schemas"]
            schemas |= _reported("report") | _reported("comparison")
            for name, schema in schemas.items():
                _explained(schemas, name, schema)
            for operation in (one for path in document["paths"].values() for one in path.values()):
                for one in operation.get("parameters", ()):
                    _complete(schemas, operation["operationId"], one["name"], one["schema"])
                    one.setdefault("description", one["schema"]["description"])
        assert self.openapi_schema is not None
        return self.openapi_schema


def _reported(kind: str) -> dict[str, _Schema]:
    """Return the shapes of a JSON Schema of reports: its objects by name, all else in its place."""
    text = Path(reports.__file__).with_name(f"{kind}.schema.json").read_text(encoding="utf-8")
    whole = json.loads(text)
    parts, *_ = [whole.pop(key) for key in ("$defs", "$schema", "title")]
    named = {
        name: name.title().replace("_", "")
        for name, part in {kind: whole, **parts}.items()
        if part.get("type") == "object"
    }

    def placed(node: Any) -> Any:
        if isinstance(node, list):
            return [placed(one) for one in node]
        if not isinstance(node, dict):
            return node
        own = {key: placed(value) for key, value in node.items() if key != "$ref"}
        part = node.get("$ref", "").rpartition("/")[2]
        if part in named:
            return own | {"$ref": _REF + named[part]}
        return placed(parts[part]) | own if part else own

    return {shape: placed(parts.get(name, whole)) for name, shape in named.items()}


def _complete(schemas: dict[str, _Schema], shape: str, field: str, schema: _Schema) -> Any:
    """Add the meaning of a field, and an example, which is returned."""
    about, *example = FIELDS.get(f"{shape}.{field}") or FIELDS.get(field) or ("",)
    made = _explained(schemas, shape, schema)
    schema.setdefault("description", about)
    return schema.setdefault("examples", example or [made])[0]


def _explained(schemas: dict[str, _Schema], shape: str, schema: _Schema) -> Any:
    """Return an example of a schema, whose fields are completed."""
    if "$ref" in schema:
        name = schema["$ref"].removeprefix(_REF)
        return _explained(schemas, name, schemas[name])
    if "properties" in schema:
        fields = schema["properties"].items()
        return {field: _complete(schemas, shape, field, of) for field, of in fields}
    for key in ("anyOf", "oneOf"):
        if key in schema:
            some = [one for one in schema[key] if one.get("type") != "null"]
            first, *_ = [_explained(schemas, shape, one) for one in some]
            return first
    if "enum" in schema or "const" in schema:
        return schema.get("enum", [schema.get("const")])[0]
    kind = schema.get("type")
    if kind == "array":
        items = _explained(schemas, shape, schema["items"])
        return [items] * schema.get("minItems", 1)
    if schema.get("format") == "date-time":
        return "2027-01-05T12:00:00Z"
    return _PLAIN.get(kind[0] if isinstance(kind, list) else kind or "", {})
