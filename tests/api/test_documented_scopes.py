"""The table of docs/api.md has every operation, each with the scope that it needs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine

from forecasts.access.roles import Scope
from tests.api.conftest import Bot, asked

pytestmark = pytest.mark.slow

PAGE = (Path(__file__).parents[2] / "docs" / "api.md").read_text(encoding="utf-8")
V1 = "/api/v1"
BODIES: dict[str, Any] = {
    "forecasts": {"probability": 0.3},
    "propose": {"outcome": "yes", "note": "x"},
    "resolve": {"outcome": "yes"},
    "reject": {"reason": "x"},
    "dispute": {"reason": "x"},
    "unresolve": {"reason": "x"},
    "groups": {
        "title": "Who opens?",
        "members": [{"label": label, "closes": "2026-02-01"} for label in ("Rye", "Ulm")],
    },
    "add": {"question": "rain", "label": "Rain"},
    "conditional": {"title": "Will it hail?", "closes": "2026-02-01"},
    "link": {"other": "rain", "kind": "implies"},
    "unlink": {"other": "rain", "kind": "implies"},
    "lint": {"title": "Will it snow soon?"},
    "accept": {"question": "rain", "probability": 0.3},
    "dismiss": {"question": "rain"},
    "reopen": {"question": "rain"},
    "feeds": {"url": "https://news.example"},
    "remove": {"feed": "1"},
    "articles": {"text": "The harbour will reopen by 31 March 2026. " * 20},
    "questions": {"title": "Will it snow?", "scheduled_close_time": "2026-02-01T00:00:00Z"},
    "ID": {"background": "Wet."},
}


def documented() -> Iterator[tuple[str, str, str]]:
    """Yield the method, the path and the scope of each operation in the table."""
    for cell, scope in re.findall(r"^\| (`[A-Z]+ /[^|]*) \| `(\w+)` \|", PAGE, re.M):
        method = path = ""
        for piece in re.findall(r"`([^`]+)`", cell):
            *named, place = piece.split(" ")
            method = named[0] if named else method
            siblings = not named and place.count("/") == 1
            path = path.rpartition("/")[0] + place if siblings else place
            yield method, path, scope


def test_every_operation_is_in_the_table(client: TestClient) -> None:
    paths = client.get(f"{V1}/openapi.json").json()["paths"]
    served = {
        (method.upper(), re.sub(r"{(\w+)}", lambda name: name[1].upper(), path.removeprefix(V1)))
        for path, methods in paths.items()
        for method in methods
    }
    assert {(method, path) for method, path, _ in documented()} == served


def test_an_operation_needs_its_scope(client: TestClient, engine: Engine, make_bot: Bot) -> None:
    asked(engine, slug="rain")
    every = make_bot("every")
    client.post(f"{V1}/questions/rain/forecasts", json={"probability": 0.4}, headers=every)
    client.post(f"{V1}/questions/rain/propose", json={"outcome": "no", "note": "x"}, headers=every)
    allowed = {str(scope): make_bot(f"with {scope}", scope) for scope in Scope}
    refused = {
        str(scope): make_bot(f"without {scope}", *(one for one in Scope if one is not scope))
        for scope in Scope
    }
    for method, path, scope in documented():
        body = BODIES.get(path.rpartition("/")[2], {})
        if path == "/forecasts":
            body = {"forecasts": [body | {"question": "rain"}]}
        address = V1 + path.replace("ID", "rain").replace("NUMBER", "1")
        for name, headers in (("without", refused[scope]), ("with", allowed[scope])):
            given = {"params": {"between": ["a", "b"]}} if path == "/compare" else {}
            sent = None if method == "GET" else body
            answer = client.request(method, address, json=sent, headers=headers, **given)
            refused_for_it = f"no scope {scope};" in answer.text, answer.status_code == 403
            assert refused_for_it == (name == "without",) * 2, (method, path, name)
