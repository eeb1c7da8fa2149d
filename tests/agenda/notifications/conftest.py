"""A service on this machine that takes messages, and members who are told something."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlmodel import Session, select

from forecasts.access.members import member_or_new
from forecasts.agenda.notifications import channels
from forecasts.ledger import database
from forecasts.ledger.models import Channel, Member, Notice
from forecasts.updates import updates
from forecasts.values.value import Value
from tests.conftest import ask, day


@dataclass
class Service:
    """What has come in; ``answer`` says with which status, and may do something first."""

    port: int
    got: list[dict[str, Any]] = field(default_factory=list)
    answer: Callable[[str], int] = lambda _path: 200

    def address(self, path: str = "") -> str:
        return f"json://127.0.0.1:{self.port}/{path}"

    @property
    def bodies(self) -> list[str]:
        return [one["message"] for one in self.got]


@pytest.fixture
def service() -> Iterator[Service]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            said = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            running.got.append(said | {"path": self.path})
            self.send_response(running.answer(self.path))
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    running = Service(server.server_port)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield running
    server.shutdown()
    server.server_close()
    thread.join()


def tell(
    session: Session, member: Member, address: str, name: str = "phone", **how: Any
) -> Channel:
    """Add a channel of the member's on the first day, allowed to lead to this machine."""
    given: dict[str, Any] = {"now": day(0), "allow_private": True} | how
    return channels.add(session, name, address, member=member, **given)


@pytest.fixture
def ledger(engine: Engine) -> Engine:
    """A question of root's, open for ten days, on which alice has forecast and bob has not."""
    with database.writing(engine) as session:
        root, alice, _ = (
            member_or_new(session, who, now=day(0)) for who in ("root", "alice", "bob")
        )
        rain = ask(session, root, slug="rain")
        updates.update(session, rain, Value(probability=0.4), member=alice, now=day(1))
    return engine


def notices(engine: Engine) -> list[Notice]:
    with database.reading(engine) as session:
        return list(session.exec(select(Notice).order_by(Notice.id)))  # type: ignore[arg-type]


def states(engine: Engine) -> list[str]:
    return [f"{one.event} {one.state}" for one in notices(engine)]
