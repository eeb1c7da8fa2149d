"""What the façade's tests share: a served ledger, its accounts, and a question of each type."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from shutil import copy
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import Engine

from forecasts.access import roles, tokens
from forecasts.access.members import member_or_new
from forecasts.api.caller import Ground
from forecasts.common.settings import Settings, sqlite_url
from forecasts.ledger import database
from forecasts.ledger.models import MemberKind
from tests.api.conftest import Clock
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


@dataclass(frozen=True)
class Filled:
    """A ledger in a file: its accounts (alice and bot) with their tokens, and its questions."""

    file: Path
    accounts: list[tuple[int, str]]
    numbers: dict[str, int]


@pytest.fixture(scope="session")
def filled(empty_ledger: Path, tmp_path_factory: pytest.TempPathFactory) -> Filled:
    """The ledger of the arena, made once and copied for each test."""
    file = Path(copy(empty_ledger, tmp_path_factory.mktemp("arena") / "ledger.sqlite3"))
    engine = database.open_engine(sqlite_url(file))
    with database.writing(engine) as session:
        alice = member_or_new(session, "alice", now=day(0), kind=MemberKind.service)
        roles.ensure_admin(session, alice, now=day(0))
        numbers = {
            kind: ask(session, alice, title=f"A {kind} one?", tags=["MiniBench"], **fields).id
            for kind, fields in TYPES.items()
        }
        bot = tokens.create(session, "bot", member=alice, now=day(0))
        own = tokens.create(session, "alice", member=alice, now=day(0))
        accounts = [(one.member.id, one.secret) for one in (own, bot)]
    engine.dispose()
    return Filled(file, accounts, numbers)


@pytest.fixture
def arena(filled: Filled, one_app: FastAPI, tmp_path: Path) -> Iterator[Arena]:
    engine = database.open_engine(sqlite_url(Path(copy(filled.file, tmp_path / "arena.sqlite3"))))
    clock = Clock()
    one_app.state.ground = Ground(engine, clock, Settings())

    def account(id_: int, secret: str) -> Bot:
        headers = {"Authorization": f"Token {secret}"}
        return Bot(id_, TestClient(one_app, base_url="http://127.0.0.1:8000/api", headers=headers))

    yield Arena(engine, clock, *(account(*one) for one in filled.accounts), filled.numbers)
    engine.dispose()
