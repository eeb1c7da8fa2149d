"""Every role, in every place and on every kind of question, over the façade: as in the verbs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine
from sqlmodel import select

from forecasts.access import tokens
from forecasts.access.roles import Action
from forecasts.api.server import build
from forecasts.ledger import database
from forecasts.ledger.models import Member
from tests.access.test_visibility import NOW, Case, cells, expected
from tests.access.test_visibility import shared as shared

pytestmark = pytest.mark.slow

# Each request with the action that its verb needs. Nothing is an outcome of the question, so that
# a resolver's request is refused for that, and the question stays open for the others.
REQUESTS: dict[str, tuple[Action, Callable[[int], tuple[str, str, Any]]]] = {
    "show": (Action.see, lambda id_: ("GET", f"/posts/{id_}/", None)),
    "forecast": (
        Action.forecast,
        lambda id_: ("POST", "/questions/forecast/", [{"question": id_, "probability_yes": 0.3}]),
    ),
    "comment": (
        Action.forecast,
        lambda id_: ("POST", "/comments/create/", {"on_post": id_, "text": "So."}),
    ),
    "resolve": (
        Action.resolve,
        lambda id_: ("POST", f"/questions/{id_}/resolve/", {"resolution": "nothing"}),
    ),
    "approve": (
        Action.revise,
        lambda id_: ("POST", f"/posts/{id_}/approve/", {"scheduled_close_time": "2026-01-02"}),
    ),
}
RESULTS = {200: "done", 201: "done", 409: "done", 422: "done", 403: "forbidden", 404: "unseen"}


@pytest.mark.hypothesis
def test_a_request_comes_to_what_its_verb_does(shared: Engine) -> None:
    with database.writing(shared) as session:
        secret = {
            member.id: tokens.issue(session, member, now=NOW).secret
            for member in session.exec(select(Member))
        }
        asked = [
            (where, role, seen, cell.member.id, cell.question.id)
            for where, role, seen, cell in cells(session, "open", pairs=True)
        ]
    client = TestClient(build(shared, clock=lambda: NOW), base_url="http://127.0.0.1/api")
    wrong = {}
    for name, (action, request) in REQUESTS.items():
        for where, role, seen, member, question in asked:
            method, path, body = request(question)
            headers = {"Authorization": f"Token {secret[member]}"}
            answer = client.request(method, path, json=body, headers=headers)
            came, due = (
                RESULTS[answer.status_code],
                expected(Case(action, lambda _: None), where, role, seen),
            )
            if came != due:
                wrong[name, where, str(role), str(seen)] = came, due
    assert wrong == {}
