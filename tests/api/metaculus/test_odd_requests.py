"""Odd requests to the façade: each is answered or refused, and none breaks it."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import pytest
from fastapi.testclient import TestClient

from tests.api.metaculus.conftest import Arena

pytestmark = pytest.mark.slow

TEXTS = ["\x00", "\ud800", "a" * 5000, " ", "1e999", "9" * 40]
NUMBERS = [0, -1, 2**31, 10**30, 1.5, "x"]
FLOATS = [float("nan"), float("inf"), -1, 1e308]
BODIES: list[Any] = [None, [], {}, [1], [[]], {"a": 1}]
POSTED = [
    "/questions/forecast/", "/questions/withdraw/", "/questions/bulk-forecast-comment/",
    "/questions/bulk-forecast-read/", "/comments/create/", "/posts/create/",
    "/users/me/bots/create/", "/questions/1/resolve/", "/posts/1/approve/",
]  # fmt: skip
FILTERS = ["search", "order_by", "statuses", "tournaments", "ids", "published_at__gt", "offset"]


def new_post(kind: str, low: Any, high: Any = None, **fields: Any) -> dict[str, Any]:
    scaling = {"range_min": low, "range_max": low if high is None else high}
    question = {"title": "q", "type": kind, "scaling": scaling, "resolution_criteria": "x"}
    return {"question": question | {"scheduled_close_time": "2026-02-01"} | fields}


def requests(numbers: dict[str, int]) -> list[tuple[str, Any]]:
    """Return the addresses and bodies of the requests to post."""
    binary, numeric = numbers["binary"], numbers["numeric"]
    found: list[tuple[str, Any]] = [(path, body) for path in POSTED for body in BODIES]
    for text in TEXTS:
        options = {"options": [text, "x"], "title": f"x{text}"}
        chances = {"question": numbers["multiple_choice"]}
        found += [
            ("/users/me/bots/create/", {"username": text}),
            ("/comments/create/", {"on_post": binary, "text": text}),
            ("/questions/bulk-forecast-read/", {"acting_user": text, "question_ids": [binary]}),
            (f"/questions/{binary}/resolve/", {"resolution": text}),
            (f"/posts/{binary}/approve/", {"open_time": text}),
            ("/posts/create/", new_post("numeric", text)),
            ("/posts/create/", new_post("multiple_choice", None, **options)),
            ("/questions/forecast/", [chances | {"probability_yes_per_category": {text: 0.5}}]),
        ]
    for number in NUMBERS:
        found += [
            (f"/questions/{number}/resolve/", {"resolution": "yes"}),
            ("/questions/forecast/", [{"question": number, "probability_yes": 0.5}]),
            ("/questions/withdraw/", [{"question": number}]),
        ]
    for value in FLOATS:
        found += [
            ("/questions/forecast/", [{"question": binary, "probability_yes": value}]),
            ("/questions/forecast/", [{"question": numeric, "continuous_cdf": [value] * 201}]),
            ("/posts/create/", new_post("date", value)),
            ("/posts/create/", new_post("discrete", value, "5")),
            ("/posts/create/", new_post("numeric", value, scheduled_close_time=value)),
        ]
    return found


def test_no_request_breaks_the_server(arena: Arena) -> None:
    given = arena.alice.client
    client = TestClient(
        given.app, base_url=str(given.base_url), headers=given.headers,
        raise_server_exceptions=False,
    )  # fmt: skip
    broken: list[Any] = []
    for path, body in requests(arena.numbers):
        headers = {"Content-Type": "application/json"}
        if client.post(path, content=json.dumps(body), headers=headers).status_code >= 500:
            broken.append((path, body))
    read = [
        address.format(number)
        for number in NUMBERS
        for address in ("/posts/{}/", "/users/me/bots/{}/token/", "/comments/?post={}")
    ]
    texts = [text for text in TEXTS if text != "\ud800"]
    read += [f"/posts/?{name}={quote(text)}" for text in texts for name in FILTERS]
    broken += [path for path in read if client.get(path).status_code >= 500]
    assert broken == []
