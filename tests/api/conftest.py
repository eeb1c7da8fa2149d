"""The API on a ledger: a bot with a token, and a client that sends it."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

import pytest
import uvicorn
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import Engine, create_engine

from forecasts.access import tokens
from forecasts.access.members import member_or_new
from forecasts.api.caller import Ground
from forecasts.api.server import build
from forecasts.common.settings import Settings
from forecasts.ledger import database
from tests.conftest import KINDS, ask, day

ADDRESS = "http://127.0.0.1:8000"
Bot = Callable[..., dict[str, str]]  # makes a bot, and returns the headers of its token


@pytest.fixture
def kind() -> str:
    """One database is enough: handlers only call verbs; ``test_journey`` goes the other's way."""
    return KINDS[0]


class Clock:
    """The clock of the server, which a test sets."""

    def __init__(self) -> None:
        self.time = day(1)

    def __call__(self) -> datetime:
        return self.time

    def pass_(self, **time: float) -> None:
        self.time += timedelta(**time)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The server's clock, also where the database has its own."""
    made = Clock()
    monkeypatch.setattr("forecasts.ledger.clock.is_embedded", lambda _: True)
    return made


@contextmanager
def served(app: FastAPI) -> Iterator[str]:
    """Serve an app on a free port, which listens at once; yield its address."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning"))
        thread = threading.Thread(target=server.run, args=([listening],), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        server.should_exit = True
        thread.join()


@pytest.fixture(scope="session")
def one_app() -> FastAPI:
    """The API, whose document takes a third of a second to make; each test gives it a ledger."""
    return build(create_engine("sqlite://"), clock=Clock(), hosts=["ledger.example.org"])


@pytest.fixture
def app(one_app: FastAPI, engine: Engine, clock: Clock) -> FastAPI:
    """The API on the ledger of the test."""
    one_app.state.ground = Ground(engine, clock, Settings())
    return one_app


@pytest.fixture
def client(app: FastAPI) -> Iterator[TestClient]:
    """A client without a token."""
    with TestClient(app, base_url=ADDRESS) as made:
        yield made


@pytest.fixture
def make_bot(engine: Engine) -> Bot:
    def make(name: str = "bot", *scopes: str) -> dict[str, str]:
        with database.writing(engine) as session:
            alice = member_or_new(session, "alice", now=day(0))
            issued = tokens.create(
                session, name, member=None, owner=alice, now=day(0), scopes=scopes or None
            )
        return {"Authorization": f"Bearer {issued.secret}"}

    return make


@pytest.fixture
def api(client: TestClient, make_bot: Bot) -> TestClient:
    """A client that sends a bot's token, which has all scopes."""
    client.headers.update(make_bot())
    return client


def asked(engine: Engine, **fields: object) -> None:
    """Let alice ask a question."""
    with database.writing(engine) as session:
        ask(session, member_or_new(session, "alice", now=day(0)), **fields)
