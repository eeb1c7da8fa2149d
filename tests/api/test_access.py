"""Access through API, façade and tools: as in the verbs, for each role and visibility.

The cells and what is due in each are those of ``tests.access.test_visibility``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from httpx import Response
from sqlalchemy import Engine
from sqlmodel import Session, select

from forecasts.access.tokens import Held
from forecasts.access.visibility import read_as
from forecasts.api import caller
from forecasts.api.door import Here
from forecasts.common.errors import Forbidden, NotFound
from forecasts.common.settings import Settings
from forecasts.ledger import database
from forecasts.ledger.clock import TIME
from forecasts.ledger.models import Member, Token
from tests.access.test_visibility import CASES, NOW, RAIN, Cell, cells, expected
from tests.access.test_visibility import shared as shared
from tests.api.conftest import ADDRESS
from tests.api.mcp.conftest import Tools

pytestmark = pytest.mark.slow

Call = Callable[[TestClient, Cell], Response]


def on_question(method: str, path: str = "", body: Any = None) -> Call:
    def call(client: TestClient, cell: Cell) -> Response:
        return client.request(method, f"/api/v1/questions/{cell.question.slug}{path}", json=body)

    return call


def of_post(method: str, path: str, body: Any = None) -> Call:
    """Return a request to the façade, in which {} is the question's number."""

    def call(client: TestClient, cell: Cell) -> Response:
        number = str(cell.question.id)
        sent = json.loads(json.dumps(body).replace("{}", number)) if body else None
        return client.request(method, f"/api/{path.format(number)}", json=sent)

    return call


@dataclass(frozen=True)
class Inside:
    """The way to the ledger of one cell, in its transaction."""

    cell: Cell
    allow_private: bool = False

    @contextmanager
    def reading(self) -> Iterator[Here]:
        yield Here(self.cell.session, self.cell.member, NOW)

    acting = reading


def by_tool(name: str, *given: str, on_question: bool = True, **named: str) -> Call:
    """Return the call of a tool, by default with the question, as if it were a request."""

    def call(_: TestClient, cell: Cell) -> Response:
        read_as(cell.session, cell.member, now=NOW)
        undone, slug = cell.session.begin_nested(), cell.question.slug if on_question else ""
        try:
            said = getattr(Tools(Inside(cell)), name)(*filter(None, (slug, *given)), **named)
        except (Forbidden, NotFound) as error:
            return Response(403 if isinstance(error, Forbidden) else 404)
        finally:
            undone.rollback()
        return NOTHING if name == "find_questions" and f"- `{slug}`:" not in said else Response(200)

    return call


def listed(client: TestClient, cell: Cell) -> Response:
    slug = cell.question.slug
    found = client.get("/api/v1/questions", params={"tag": slug})
    return found if slug in [one["id"] for one in found.json()["questions"]] else NOTHING


def in_batch(client: TestClient, cell: Cell) -> Response:
    given = {"forecasts": [{"question": cell.question.slug, "probability": 0.4}]}
    return client.post("/api/v1/forecasts", json=given)


def in_partial_batch(client: TestClient, cell: Cell) -> Response:
    given = {"forecasts": [{"question": cell.question.slug, "probability": 0.4}], "partial": True}
    [row] = client.post("/api/v1/forecasts", json=given).json()["results"]
    return Response(201 if row["problem"] is None else row["problem"]["status"])


def asked_in_team(client: TestClient, cell: Cell) -> Response:
    given = {
        "title": "Snow?",
        "resolution_criteria": "White.",
        "scheduled_close_time": "2026-02-01T00:00:00Z",
        "visible_to": "Alder",
    }
    return client.post("/api/v1/questions", json=given)


def in_rows(path: str, **query: str) -> Call:
    def call(client: TestClient, cell: Cell) -> Response:
        found = client.get(f"/api/v1/{path}", params=query)
        return found if f'"{cell.question.slug}"' in found.text else NOTHING

    return call


def captured(client: TestClient, cell: Cell) -> Response:
    text = f"{RAIN.title}\n\n{' '.join([RAIN.text] * 20)}"
    return client.post("/api/v1/articles", json={"text": text})


NOTHING = Response(404)
OUTCOME = {"outcome": "no", "note": "x", "known_at": "2026-01-02T00:00:00Z"}
# The requests that call a verb, by its name in the matrix of verbs.
REQUESTS: dict[str, tuple[str, Call]] = {
    "show": ("questions.standing.current_state", on_question("GET")),
    "list": ("questions.search.find", listed),
    "forecasts": ("updates.updates.history", on_question("GET", "/forecasts")),
    "evidence": ("updates.updates.evidence_of", on_question("GET", "/evidence")),
    "crowd": ("scores.ledger_frames.ledger_frames", in_rows("crowd", limit="10000")),
    "forecast": ("updates.updates.update", on_question("POST", "/forecasts", {"probability": 0.4})),
    "batch": ("updates.updates.update_all", in_batch),
    "partial batch": ("updates.updates.refusals", in_partial_batch),
    "propose": ("resolution.proposals.propose", on_question("POST", "/propose", OUTCOME)),
    "resolve": ("resolution.confirmation.confirm", on_question("POST", "/resolve", OUTCOME)),
    "reject": ("resolution.proposals.reject", on_question("POST", "/reject", {"reason": "no"})),
    "dispute": ("resolution.disputes.dispute", on_question("POST", "/dispute", {"reason": "no"})),
    "revise": ("questions.revisions.revise", on_question("PATCH", "", {"background": "Wet."})),
    "close": (
        "questions.revisions.close",
        on_question("POST", "/close", {"at": "2026-01-02T12:00:00Z"}),
    ),
    "ask": ("updates.ask.ask", asked_in_team),
    "find tool": ("questions.search.find", by_tool("find_questions", status="any")),
    "read tool": ("questions.registry.find", by_tool("read_question")),
    "resource": ("questions.registry.find", by_tool("question_resource")),
    "prompt": ("questions.registry.find", by_tool("forecast_this_question")),
    "forecast tool": ("updates.updates.update", by_tool("forecast", "60%", "why")),
    "propose tool": (
        "resolution.proposals.propose",
        by_tool("propose_outcome", "no", "why", "https://example.org"),
    ),
    "ask tool": (
        "questions.registry.require_can_ask",
        by_tool("ask_question", "Snow by 1 February 2027?", "White.", on_question=False),
    ),
    "capture tool": (
        "articles.library.store",
        by_tool("capture_article", text=f"{RAIN.title}\n\n{RAIN.text * 9}", on_question=False),
    ),
    "post": ("api.metaculus.posts.post", of_post("GET", "posts/{}/")),
    "forecast of a bot": (
        "updates.updates.update",
        of_post("POST", "questions/forecast/", [{"question": "{}", "probability_yes": 0.4}]),
    ),
    "comment": (
        "updates.comments.comment",
        of_post("POST", "comments/create/", {"on_post": "{}", "text": "So."}),
    ),
    "outcome of a bot": (
        "resolution.confirmation.confirm",
        of_post("POST", "questions/{}/resolve/", {"resolution": "no"}),
    ),
    "approval": (
        "questions.revisions.revise",
        of_post("POST", "posts/{}/approve/", {"scheduled_close_time": "2026-01-30"}),
    ),
    "capture": ("articles.library.store", captured),
}


@pytest.fixture
def served(
    shared: Engine, one_app: FastAPI, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Session, TestClient]]:
    """The ledger of the matrix, where a member's handle is their token and each act is undone."""
    with database.writing(shared) as session:
        session.info[TIME] = NOW

        @contextmanager
        def undone(*_: object) -> Iterator[Session]:
            nested = session.begin_nested()
            try:
                yield session
            finally:
                nested.rollback()

        def by_handle(_: Session, secret: str, **__: object) -> Held:
            found = session.exec(select(Member).where(Member.handle == secret)).one()
            token = Token(member_id=found.id, key="k", digest="d", recorded_at=NOW)
            return Held(token, found, None)

        monkeypatch.setattr(caller.database, "reading", undone)
        monkeypatch.setattr(caller.database, "writing", undone)
        monkeypatch.setattr(caller.tokens, "held", by_handle)
        unlimited = Settings(
            api_requests_per_minute=10**9, api_rows=10**9, api_processor_seconds=10**9
        )
        one_app.state.ground = caller.Ground(shared, lambda: NOW, unlimited)
        yield session, TestClient(one_app, base_url=ADDRESS)
        session.rollback()


@pytest.mark.hypothesis
@pytest.mark.parametrize("name", REQUESTS)
def test_requests_are_allowed_as_verbs_are(served: tuple[Session, TestClient], name: str) -> None:
    session, client = served
    verb, call = REQUESTS[name]
    case = CASES[verb]
    came: dict[tuple[str, str], object] = {}
    for where, role, seen, cell in cells(session, case.on, pairs=True):
        due = expected(case, where, role, seen)
        if (where, due) not in came:  # the verb itself is tested in every cell
            client.headers["Authorization"] = f"Bearer {cell.member.handle}"
            status = call(client, cell).status_code
            result = {200: "done", 201: "done", 403: "forbidden", 404: "unseen"}.get(status)
            came[where, due] = result or status
    assert came == {(where, due): due for where, due in came}
    assert {due for _, due in came} - {"done"}
