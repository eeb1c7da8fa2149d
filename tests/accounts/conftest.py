"""A platform on this machine, whose answers a test decides, and a client that does not wait."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from pydantic import SecretStr

from forecasts.accounts.client import Client, Site
from forecasts.accounts.kept import Kept, keeping
from forecasts.platforms.record import Choices, PlatformRecord
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
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            request = Request(
                parts.path.removeprefix("/api/"),
                dict(parse_qsl(parts.query)),
                {name.lower(): value for name, value in self.headers.items()},
            )
            running.asked.append(request)
            reply = running.answer(request)
            body = reply.content
            if not isinstance(body, bytes):
                body = json.dumps(body).encode()
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                self.send_response(reply.status)
                for name, value in ({"Content-Type": "application/json"} | reply.headers).items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(reply.length or len(body)))
                self.end_headers()
                self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        running = Platform(f"http://127.0.0.1:{server.server_port}/api/")
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield running
        server.shutdown()
        thread.join()


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
