"""A service on this machine that takes messages, and members who are told something."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlmodel import Session, select

from forecasts.access.members import member_or_new
from forecasts.agenda.notifications import channels
from forecasts.ledger import database
from forecasts.ledger.models import Channel, Member, Notice
from tests.common.test_web import posted, sends, server
from tests.conftest import ask, day, say


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
    def answer(request: BaseHTTPRequestHandler) -> None:
        running.got.append(json.loads(posted(request)) | {"path": request.path})
        sends(b"", running.answer(request.path))(request)

    with server(answer) as address:
        running = Service(int(address.rpartition(":")[2]))
        yield running


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
        say(session, rain, alice, 0.4, 1)
    return engine


def notices(engine: Engine) -> list[Notice]:
    with database.reading(engine) as session:
        return list(session.exec(select(Notice).order_by(Notice.id)))  # type: ignore[arg-type]


def states(engine: Engine) -> list[str]:
    return [f"{one.event} {one.state}" for one in notices(engine)]
