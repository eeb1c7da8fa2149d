"""The OpenAPI document explains every field, and has one name for each shape and operation."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI
from jsonschema import Draft202012Validator

from forecasts.api.openapi import FIELDS

Schema = dict[str, Any]


@pytest.fixture(scope="module")
def document(one_app: FastAPI) -> Schema:
    return one_app.openapi()


def fields(shape: str, schema: Schema) -> Iterator[tuple[str, str, Schema]]:
    """Yield the fields of a schema, and of the objects within it."""
    for name, field in schema.get("properties", {}).items():
        yield shape, name, field
        yield from fields(shape, field)
    inside = (schema.get("items"), *schema.get("anyOf", ()), *schema.get("oneOf", ()))
    for one in filter(None, inside):
        yield from fields(shape, one)


def parameters(document: Schema) -> Iterator[tuple[str, str, Schema]]:
    for operations in document["paths"].values():
        for one in operations.values():
            for found in one.get("parameters", ()):
                schema = found["schema"] | {"description": found["description"]}
                yield one["operationId"], found["name"], schema


def test_every_field_has_a_meaning_and_an_example_of_its_kind(document: Schema) -> None:
    schemas = document["components"]["schemas"]
    every = [field for name, schema in schemas.items() for field in fields(name, schema)]
    every += parameters(document)
    assert len(every) > 500
    for shape, name, schema in every:
        assert schema["description"], (shape, name)
        whole = Draft202012Validator(schema | {"components": document["components"]})
        for example in schema["examples"]:
            assert whole.is_valid(example), (shape, name, example)
    known = {key for shape, name, _ in every for key in (name, f"{shape}.{name}")}
    assert set(FIELDS) - known == set()


def test_operations_and_shapes_have_one_readable_name_each(document: Schema) -> None:
    paths = document["paths"].values()
    names = [one["operationId"] for operations in paths for one in operations.values()]
    assert len(set(names)) == len(names)
    schemas = document["components"]["schemas"]
    for name in names:
        assert re.fullmatch(r"[a-z]+(_[a-z]+)+", name)
    for name in schemas:
        assert re.fullmatch(r"([A-Z][a-z]*)+", name)
    assert len({schema.get("title", name) for name, schema in schemas.items()}) == len(schemas)
    alike = defaultdict(list)
    for name, schema in schemas.items():
        alike[json.dumps(shape(schema), sort_keys=True)].append(name)
    assert [some for some in alike.values() if len(some) > 1] == []


def shape(schema: Any) -> Any:
    """Return a schema without its words."""
    if not isinstance(schema, dict):
        return schema
    words = {"title", "description", "examples"}
    kept = {key: shape(value) for key, value in schema.items() if key not in words}
    if "properties" in schema:
        kept["properties"] = {name: shape(of) for name, of in schema["properties"].items()}
    return kept


def test_errors_are_problems_in_the_document_as_in_answers(document: Schema) -> None:
    ref = {"schema": {"$ref": "#/components/schemas/ProblemDocument"}}
    for operations in document["paths"].values():
        for one in operations.values():
            errors = {s: found for s, found in one["responses"].items() if s >= "400"}
            assert {"401", "403", "404", "409", "422"} <= errors.keys()
            for found in errors.values():
                assert found["content"] == {"application/problem+json": ref}
