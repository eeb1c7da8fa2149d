"""The documents as one page, made from the OpenAPI document; it loads nothing else."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from jinja2 import Environment
from markupsafe import Markup, escape

from forecasts.common.web_headers import OF_API

HEADERS = {
    "Content-Security-Policy": f"{OF_API['content-security-policy']}; style-src 'unsafe-inline'"
}
_ENVIRONMENT = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
_ENVIRONMENT.filters["code"] = lambda text: Markup(  # noqa: S704 - it is escaped
    re.sub("`([^`]+)`", r"<code>\1</code>", str(escape(text)))
)
_TEMPLATE = _ENVIRONMENT.from_string(
    Path(__file__).with_suffix(".html").read_text(encoding="utf-8")
)

# Left out of examples: fields of other types than yes or no, and those that exclude another.
_OTHERWISE = (
    *("options", "ordered", "lower", "upper", "unit", "probabilities", "quantiles"),
    *("text", "article", "quote", "opens"),
)
_Field = tuple[str, str, str, str]  # name, kind, the shape that the kind names or "", description


def page(document: Mapping[str, Any]) -> str:
    """Return the page of an OpenAPI document."""
    tags: dict[str, list[tuple[str, str, Any]]] = {}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            tags.setdefault(operation["tags"][0], []).append((method.upper(), path, operation))
    every = document["components"]["schemas"].items()
    shapes = {name: shape for name, shape in every if "properties" in shape}
    tables: dict[str, Callable[..., Any]] = {
        "parameters": _parameters,
        "body": _body,
        "fields": fields_of,
        "request": _request,
    }
    lists = {name: partial(table, document) for name, table in tables.items()}
    return _TEMPLATE.render(
        info=document["info"], tags=tags, shapes=shapes, answer=_answer, **lists
    )


def _answer(operation: Mapping[str, Any]) -> str:
    """Return the name of the shape that an operation answers with; "" for another document."""
    done = next(one for status, one in operation["responses"].items() if status.startswith("2"))
    return _shape(done["content"].get("application/json", {}).get("schema", {}))


def _request(
    document: Mapping[str, Any], method: str, path: str, operation: Mapping[str, Any]
) -> str:
    """Return an example of a request."""
    query = {}
    for one in operation.get("parameters", ()):
        [example, *_] = one["schema"]["examples"]
        if one["in"] == "path":
            path = path.replace(f"{{{one['name']}}}", quote(str(example)))
        elif one["in"] == "query" and one.get("required"):
            query[one["name"]] = example
    line = f"{method} {path}" + (f"?{urlencode(query, doseq=True)}" if query else "")
    fields = _body_schema(document, operation).get("properties")
    if fields is None:
        return line
    body = {name: of["examples"][0] for name, of in fields.items() if name not in _OTHERWISE}
    return f"{line}\n\n{json.dumps(body, indent=2, ensure_ascii=False)}"


def _parameters(document: Mapping[str, Any], operation: Mapping[str, Any]) -> Iterator[_Field]:
    for one in operation.get("parameters", ()):
        if one["in"] != "path":
            yield one["name"], kind_of(document, one["schema"]), "", one.get("description", "")


def _body_schema(document: Mapping[str, Any], operation: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the schema of an operation's body; {} without one."""
    content = operation.get("requestBody", {}).get("content", {}).get("application/json")
    return {} if content is None else _resolved(document, content["schema"])


def _body(document: Mapping[str, Any], operation: Mapping[str, Any]) -> Iterator[_Field]:
    schema = _body_schema(document, operation)
    required = schema.get("required", ())
    for name, of, shape, about in fields_of(document, schema):
        yield name, of + (", required" if name in required else ""), shape, about


def fields_of(document: Mapping[str, Any], schema: Mapping[str, Any]) -> Iterator[_Field]:
    """Yield the fields of a schema in an OpenAPI document."""
    for name, one in schema.get("properties", {}).items():
        shape = _shape(one)
        is_listed = "properties" in document["components"]["schemas"].get(shape, {})
        yield name, kind_of(document, one), shape if is_listed else "", one.get("description", "")


def _shape(schema: Mapping[str, Any]) -> str:
    """Return the name of the shape in a schema, or in the items of its list; "" without one."""
    items = schema.get("items", {})
    for one in (schema, *schema.get("anyOf", ()), items, *items.get("anyOf", ())):
        if "$ref" in one:
            return str(one["$ref"].split("/")[-1])
    return ""


def _resolved(document: Mapping[str, Any], schema: Mapping[str, Any]) -> Mapping[str, Any]:
    schema = schema.get("anyOf", [schema])[0]  # a body that may be left out
    while "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].split("/")[-1]]
    return schema


def kind_of(document: Mapping[str, Any], schema: Mapping[str, Any]) -> str:
    """Return a schema's type in a few words."""
    if "$ref" in schema:
        found = _resolved(document, schema)
        return " | ".join(found["enum"]) if "enum" in found else schema["$ref"].split("/")[-1]
    if "enum" in schema:
        return " | ".join(map(str, schema["enum"]))
    if several := schema.get("anyOf") or schema.get("oneOf"):
        return " or ".join(kind_of(document, one) for one in several if one.get("type") != "null")
    if isinstance(schema.get("type"), list):
        return kind_of(document, {**schema, "type": schema["type"][0]})
    if schema.get("type") == "array":
        return f"list of {kind_of(document, schema['items'])}"
    if "additionalProperties" in schema and isinstance(schema["additionalProperties"], dict):
        return f"object of {kind_of(document, schema['additionalProperties'])}"
    if "const" in schema:
        return str(schema["const"])
    names = {"date-time": "time", "date": "day"}
    return str(names.get(schema.get("format", ""), schema.get("type", "any")))
