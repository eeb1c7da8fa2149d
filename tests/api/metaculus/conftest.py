"""What the façade's tests share: a served ledger, its accounts, and a question of each type."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine

from forecasts.access import roles, tokens
from forecasts.access.members import member_or_new
from forecasts.api.server import build
from forecasts.ledger import database
from forecasts.ledger.models import MemberKind, Question
from tests.conftest import ask, day

# By type, as the platform calls it: the fields of a question.
TYPES: dict[str, dict[str, Any]] = {
    "binary": {},
    "multiple_choice": {"type": "multiple_choice", "options": ["Busan", "Riyadh", "Other"]},
    "numeric": {"type": "numeric", "lower_bound": "0", "upper_bound": "300", "unit": "mm"},
    "date": {"type": "date", "lower_bound": "2026-01-01", "upper_bound": "2026-02-20"},
    "discrete": {"type": "numeric", "lower_bound": "-0.5", "upper_bound": "10.5"},
}


@dataclass
class Clock:
    """The machine's clock, which the test moves."""

    now: datetime = field(default_factory=lambda: day(1))

    def __call__(self) -> datetime:
        return self.now

    def pass_(self, **time: float) -> None:
        self.now += timedelta(**time)


@dataclass
class Bot:
    """An account: its number, and its client."""

    id: int
    client: TestClient

    def get(self, path: str, **parameters: Any) -> Any:
        """Return the answer to a request that succeeds."""
        answer = self.client.get(path, params=parameters)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def post(self, path: str, body: Any, status: int = 201) -> Any:
        """Return the answer with this status to a request."""
        answer = self.client.post(path, json=body)
        assert answer.status_code == status, answer.text
        return answer.json()

    def question(self, number: int) -> Any:
        """Return a question as the platform shows it."""
        return self.get(f"/posts/{number}/")["question"]


@dataclass
class Arena:
    """A served ledger, whose admin is the service alice, with its bot."""

    engine: Engine
    clock: Clock
    alice: Bot
    bot: Bot
    numbers: dict[str, int]  # of a question of each type

    def ask(self, **fields: Any) -> int:
        """Return the number of a new question by alice."""
        with database.writing(self.engine) as session:
            return ask(session, member_or_new(session, "alice", now=day(0)), **fields).id


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    server = "forecasts.ledger.clock.server_time"
    monkeypatch.setattr(server, lambda: f"timestamptz '{clock().isoformat()}'")
    return clock


@pytest.fixture
def arena(engine: Engine, clock: Clock) -> Arena:
    app = build(engine, clock=clock)

    def client(secret: str) -> TestClient:
        headers = {"Authorization": f"Token {secret}"}
        return TestClient(app, base_url="http://127.0.0.1:8000/api", headers=headers)

    with database.writing(engine) as session:
        alice = member_or_new(session, "alice", now=day(0), kind=MemberKind.service)
        roles.ensure_admin(session, alice, now=day(0))
        questions: dict[str, Question] = {
            kind: ask(session, alice, title=f"A {kind} one?", tags=["MiniBench"], **fields)
            for kind, fields in TYPES.items()
        }
        numbers = {kind: question.id for kind, question in questions.items()}
        bot = tokens.create(session, "bot", member=alice, now=day(0))
        own = tokens.create(session, "alice", member=alice, now=day(0))
        accounts = [Bot(one.member.id, client(one.secret)) for one in (own, bot)]
    return Arena(engine, clock, *accounts, numbers)
