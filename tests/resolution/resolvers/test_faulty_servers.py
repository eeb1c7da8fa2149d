"""Whatever a server does wrong, nothing is resolved by it, and what is parked names the fault."""

from __future__ import annotations

import gzip
import json
import resource
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from http.server import BaseHTTPRequestHandler
from threading import Event

import pytest
from sqlalchemy import Engine
from sqlmodel import select

from forecasts.access.members import member_or_new
from forecasts.common import connections, ip_addresses, limits
from forecasts.common import web as fetching
from forecasts.ledger import database
from forecasts.ledger.models import Resolution
from forecasts.resolution import assignments, progress
from forecasts.resolution.runs import claiming, run, sources
from tests.common.test_web import server
from tests.conftest import ask, day

pytestmark = pytest.mark.slow

Handler = BaseHTTPRequestHandler
SECONDS, MOST_BYTES = 0.6, 10_000_000
OVER = Event()  # so that no answer outlasts its test


def send(handler: Handler, body: bytes, *, status: int = 200, **headers: str) -> None:
    given = {"content_type": "application/json", "content_length": str(len(body))} | headers
    handler.send_response(status)
    for name, value in given.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.end_headers()
    handler.wfile.write(body)


def never(handler: Handler) -> None:
    OVER.wait(20)


def slow(handler: Handler) -> None:
    OVER.wait(SECONDS / 2)
    send(handler, GOOD, status=500)


def drip(handler: Handler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Type", "application/json")
    handler.end_headers()
    while not OVER.wait(0.05):
        handler.wfile.write(b" ")
        handler.wfile.flush()


def endless(handler: Handler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Type", "application/json")
    handler.end_headers()
    for _ in range(100):
        handler.wfile.write(b" " * 1_000_000)


def bomb(handler: Handler) -> None:
    send(handler, gzip.compress(b" " * 2 * MOST_BYTES), content_encoding="gzip")


def document(**fields: object) -> Callable[[Handler], None]:
    return lambda handler: send(handler, json.dumps(fields).encode())


GOOD = json.dumps({"status": "done"}).encode()
# What a server does, and what is said of it.
FAULTS: dict[str, tuple[Callable[[Handler], None], str]] = {
    "never": (never, "did not answer within 0.6 seconds"),
    "drip": (drip, "did not answer within 0.6 seconds"),
    "slow": (slow, "cannot answer now (HTTP status 500)"),
    "error": (partial(send, body=GOOD, status=500), "cannot answer now (HTTP status 500)"),
    "gone": (partial(send, body=GOOD, status=404), "has no such page (HTTP status 404)"),
    "html": (
        partial(send, body=GOOD, content_type="text/html"),
        "sent 'text/html' instead of data",
    ),
    "endless": (endless, "sent more than 10 MB"),
    "bomb": (bomb, "sent more than 10 MB"),
    "inside": (
        partial(send, body=b"", status=302, location="http://127.0.0.2/status"),
        "127.0.0.2 is a private address",
    ),
    "words": (partial(send, body=b'{"status": "don'), "is not JSON"),
    "nothing": (partial(send, body=b""), "is not JSON"),
    "latin": (partial(send, body='{"é": 1}'.encode("latin-1")), "is not UTF-8"),
    "other": (document(state={"name": "done"}), "The value of 'status' in http"),
    "list": (document(status=["done"]), 'is ["done"], which has no meaning'),
    "value": (document(status="cancelled"), "is cancelled, which has no meaning"),
    "later": (document(status="done", at="soon"), "'soon' is not a time"),
}


@pytest.fixture
def address(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Serve every fault, at an address that counts as public; nothing else does."""
    OVER.clear()

    def answer(handler: Handler) -> None:
        name = handler.path.strip("/").split("-")[0]
        FAULTS[name][0](handler)

    with server(answer) as address:
        port = int(address.rstrip("/").rsplit(":", 1)[1])
        monkeypatch.setattr(fetching, "PORTS", {80, 443, port})
        for module in (connections, ip_addresses):
            monkeypatch.setattr(module, "is_public", lambda one: str(one) == "127.0.0.1")
        monkeypatch.setattr(sources, "SECONDS", SECONDS)
        monkeypatch.setattr(limits, "SOURCE_BYTES", MOST_BYTES)
        yield address.rstrip("/").replace("localhost", "127.0.0.1")
        OVER.set()


def carry(engine: Engine, address: str, *names: str) -> None:
    with database.writing(engine) as session:
        alice = member_or_new(session, "alice", now=day(0))
        for name in names:
            question = ask(session, alice, slug=name)
            settings = {
                "url": f"{address}/{name}",
                "outcome": "status",
                "outcomes": {"done": "yes"},
                "known_at": "at",
            }
            assignments.attach(session, question, "http_json", settings, member=alice, now=day(0))


def test_every_fault_is_parked_with_its_name_and_resolves_nothing(
    engine: Engine, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    carry(engine, address, *FAULTS)
    began, before = time.monotonic(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    at = day(4)
    monkeypatch.setattr(claiming, "MOST_ATTEMPTS", 2)
    for _ in range(2):
        summary = run.run(engine, now=at)
        assert {str(result.state) for result in summary.results} <= {"failed", "parked"}
        at += timedelta(days=1)
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1_000
    with database.reading(engine) as session:
        parked = {one.slug: one.reason for one in progress.parked(session)}
        assert session.exec(select(Resolution.id)).all() == []
    assert {
        name: parked[name] for name, (_, said) in FAULTS.items() if said not in parked[name]
    } == {}
    assert not any("paste" in words.casefold() for words in parked.values())
    assert all("by hand" in parked[name] for name in FAULTS)
    assert summary.waiting == len(FAULTS)
    assert grown < 100  # MB, of some hundred that were sent: what is read of one is 10
    assert time.monotonic() - began < 30


@pytest.mark.parametrize(
    ("fault", "words", "most"), [("never", "did not answer", 3), ("slow", "cannot answer now", 6)]
)
def test_a_host_that_lets_everyone_wait_holds_no_run_up(
    engine: Engine, address: str, monkeypatch: pytest.MonkeyPatch, fault: str, words: str, most: int
) -> None:
    monkeypatch.setattr(sources, "MOST_WASTED", 3 * SECONDS)
    carry(engine, address, *(f"{fault}-{number}" for number in range(40)))
    began = time.monotonic()
    said = [result.message for result in run.run(engine, now=day(4)).results]
    assert time.monotonic() - began < 11 * SECONDS
    waited = [one for one in said if words in one]
    assert 0 < len(waited) <= most
    assert all("so it was not asked again" in one for one in said if one not in waited)


def test_a_recovered_server_resolves_the_waiting_questions(
    engine: Engine, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    carry(engine, address, "error")
    [failed] = run.run(engine, now=day(4)).results
    assert failed.state == "failed"
    known = document(status="done", at="2026-01-03T00:00:00Z")
    monkeypatch.setitem(FAULTS, "error", (known, ""))
    [result] = run.run(engine, now=day(5)).results
    assert (result.state, result.message) == ("confirmed", "yes, known on 3 January 2026")
