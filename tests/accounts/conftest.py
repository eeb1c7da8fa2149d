"""A platform on this machine, whose answers a test decides, and a client that does not wait."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from pydantic import SecretStr

from forecasts.accounts.client import Client, Site
from forecasts.accounts.kept import Kept, keeping
from forecasts.platforms.record import Choices, PlatformRecord
from tests.common.test_web import sends, server
from tests.conftest import KINDS

TOKEN = "s3cret-t0ken"
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@dataclass(frozen=True)
class Reply:
    """An answer: a document is sent as JSON, bytes as they are. ``length``: the one declared."""

    content: Any = None
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    length: int | None = None


@dataclass(frozen=True)
class Request:
    """What was asked: the path below the base, the query, and the headers."""

    path: str
    query: dict[str, str]
    headers: dict[str, str]


@dataclass
class Platform:
    """The running server: ``answer`` decides each reply, ``asked`` has every request."""

    base: str
    answer: Callable[[Request], Reply] = lambda _request: Reply({})
    asked: list[Request] = field(default_factory=list)

    def replies(self, *replies: Reply) -> None:
        """Answer with these in turn, the last again and again."""
        left = list(replies)
        self.answer = lambda _request: left.pop(0) if len(left) > 1 else left[0]


@pytest.fixture
def platform() -> Iterator[Platform]:
    def answer(request: BaseHTTPRequestHandler) -> None:
        parts = urlsplit(request.path)
        headers = {name.lower(): value for name, value in request.headers.items()}
        query = dict(parse_qsl(parts.query))
        running.asked.append(Request(parts.path.removeprefix("/api/"), query, headers))
        reply = running.answer(running.asked[-1])
        body = reply.content
        if not isinstance(body, bytes):
            body = json.dumps(body).encode()
        length = str(reply.length or len(body))
        given = {"Content_Type": "application/json", "Content_Length": length}
        sends(body, reply.status, **given | reply.headers)(request)

    with server(answer) as address:
        running = Platform(f"{address}/api/")
        yield running


@dataclass
class Person:
    """What the person was told, and how long the command waited; only waits move the clock."""

    told: list[str] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)

    def wait(self, seconds: float) -> None:
        self.waits.append(seconds)

    def clock(self) -> datetime:
        return NOW + timedelta(seconds=sum(self.waits))


@pytest.fixture
def person() -> Person:
    return Person()


@pytest.fixture
def client_of(platform: Platform, person: Person) -> Callable[..., Client]:
    """Make a client of a site that runs on this machine."""

    def make(site: Site, token: str = TOKEN) -> Client:
        return Client(
            replace(site, base=platform.base),
            SecretStr(token),
            tell=person.told.append,
            wait=person.wait,
            clock=person.clock,
            allow_private=True,
        )

    return make


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Kept]:
    with keeping(tmp_path / "kept.jsonl", now=NOW) as one:
        yield one


@dataclass
class Pull:
    """A pull from the platform on this machine, and its answers."""

    platform: Platform
    client_of: Callable[..., Client]
    kept: Kept

    def fetch(self, account: Any, *known: Any) -> None:
        account.fetch(self.client_of(account.SITE), self.kept, *known)

    def read(self, account: Any) -> PlatformRecord:
        """Return the record that is fetched now."""
        self.fetch(account)
        record: PlatformRecord = account.read(self.kept, Choices("alice", now=NOW))
        return record


@pytest.fixture
def pull(platform: Platform, client_of: Callable[..., Client], kept: Kept) -> Pull:
    return Pull(platform, client_of, kept)


@pytest.fixture
def kind() -> str:
    """One database is enough: only ``settled`` asks one."""
    return KINDS[0]
