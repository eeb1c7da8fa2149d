"""A server that strangers cannot fill: each connection has its time, and there are so many."""

from __future__ import annotations

import io
import logging
import re
import resource
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send

from forecasts.common import guarded_server, limits
from forecasts.common.guarded_server import LINES, Config, FewLines

HALF = b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: "
GET = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 5000\r\n\r\n"
PATIENCE = 10.0
ENDED = re.compile(rb"\r\n\r\n(0|\d{4})$")


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer with the length of the body, once it is there; 413 to a path of that name at once."""
    size, more = 0, scope["path"] != "/413"
    while more:
        message = await receive()
        size += len(message.get("body", b""))
        more = message.get("more_body", False)
    status = 413 if scope["path"] == "/413" else 200
    headers = [(b"content-length", str(len(str(size))).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": str(size).encode()})


Connect = Callable[[bytes], socket.socket]


@contextmanager
def served() -> Iterator[Connect]:
    """Serve the application; yield a function that connects and sends."""
    opened: list[socket.socket] = []
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        server = uvicorn.Server(Config(echo, log_level="warning", lifespan="off"))
        thread = threading.Thread(target=server.run, args=([listening],), daemon=True)
        thread.start()

        def connect(sent: bytes) -> socket.socket:
            one = socket.create_connection(listening.getsockname(), timeout=PATIENCE)
            opened.append(one)
            one.sendall(sent)
            return one

        yield connect
        for one in opened:
            one.close()
        server.should_exit = True
        thread.join()


def answer(one: socket.socket) -> bytes:
    """Return the next answer; empty if the connection was cut."""
    found = b""
    with suppress(ConnectionError):
        while not (ENDED.search(found)) and (part := one.recv(10_000)):
            found += part
    return found


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every time is short."""
    for name in ("HEADERS_S", "SLOW_S", "REFUSED_S"):
        monkeypatch.setattr(guarded_server, name, 0.05)
    monkeypatch.setattr(guarded_server, "LOOKS_S", 0.02)


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(HALF, id="half of the headers"),
        pytest.param(POST + b"x", id="a part of the body"),
    ],
)
def test_a_request_that_does_not_come_is_not_waited_for(quick: None, sent: bytes) -> None:
    with served() as connect:
        assert answer(connect(sent)) == b""
        assert answer(connect(GET)).endswith(b"0")
        assert answer(connect(POST + b"x" * 5000)).endswith(b"5000")


def test_the_rest_of_a_refused_body_is_not_read_and_its_answer_comes(quick: None) -> None:
    with served() as connect:
        one = connect(POST.replace(b"/ ", b"/413 ", 1) + b"x" * 10)
        assert answer(one).startswith(b"HTTP/1.1 413")
        assert answer(one) == b""


def test_strangers_push_out_strangers_and_nobody_who_is_answered(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(guarded_server, "MOST", 4)
    with served() as connect:
        busy = connect(POST + b"x")  # its body is on its way
        known = connect(GET)
        assert answer(known).endswith(b"0")
        first, *others = [connect(HALF) for _ in range(3)]
        assert answer(first) == b""
        busy.sendall(b"x" * 4999)
        assert answer(busy).endswith(b"5000")
        known.sendall(GET)
        assert answer(known).endswith(b"0")
        for one in others:
            one.sendall(b"1\r\nContent-Length: 0\r\n\r\n")
            assert answer(one).endswith(b"0")
    [said] = {record.getMessage() for record in caplog.records}
    assert said.startswith("Too many connections")


def test_one_address_has_a_share_of_the_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guarded_server, "MOST", 8)
    monkeypatch.setattr(guarded_server, "is_loopback", lambda _: False)
    with served() as connect:
        first, *others = [connect(HALF) for _ in range(3)]
        assert answer(first) == b""
        for one in others:
            one.sendall(b"1\r\nContent-Length: 0\r\n\r\n")
            assert answer(one).endswith(b"0")


def test_descriptors_are_left_for_the_database(monkeypatch: pytest.MonkeyPatch) -> None:
    limit = [256, 256]
    monkeypatch.setattr(resource, "getrlimit", lambda _: tuple(limit))
    monkeypatch.setattr(resource, "setrlimit", lambda _, new: limit.__setitem__(0, new[0]))
    for allowed, most, connections in (
        ((256, 256), 256, 128),
        ((256, 100_000), 2_128, 1_000),
        ((256, resource.RLIM_INFINITY), 2_128, 1_000),
        ((resource.RLIM_INFINITY, resource.RLIM_INFINITY), 2_128, 1_000),
        ((64, 64), 64, 16),
    ):
        limit[:] = allowed
        assert Config(echo).most == connections
        assert limits.descriptors(2_128) == most


def test_a_line_is_logged_some_times_a_minute() -> None:
    now = [0.0]
    few = FewLines(lambda: now[0])

    def logged(name: str) -> int:
        made = [logging.LogRecord(name, 30, "", 0, "%s came", ("x",), None) for _ in range(50)]
        return sum(few.filter(one) for one in made)

    assert (logged("uvicorn.error"), logged("uvicorn.error")) == (LINES, 0)
    now[0] = 61
    assert logged(guarded_server.__name__) == 1


def test_a_stranger_s_words_in_a_line_are_cut_and_do_not_act_on_a_terminal() -> None:
    logger, written = logging.getLogger("made.before.the.server"), io.StringIO()
    logger.addHandler(logging.StreamHandler(written))  # of its own, as Streamlit's have
    logger.propagate = False
    Config(echo)
    for _ in range(50):
        logger.warning("Failed: %s, %d", "\x1b[2J" + "a" * 30_000, 4)
    lines = written.getvalue().splitlines()
    assert len(lines) == LINES
    assert lines[0] == f"Failed: [2J{'a' * 496}…, 4"
