"""A web server that strangers cannot fill: limits on connections, before any request is read.

The app and the API are served by uvicorn, which waits for ever for a request's headers, its body
and the reading of its answer, and accepts connections until the process has no descriptor left,
for the database neither. Here each of these has its time, and there are at most so many connections
that the rest of the process keeps its descriptors. If one more comes, the connection that has
waited longest without a whole request is closed for it: strangers push out strangers, and nobody
who is being answered. Errors that strangers cause are logged a few times a minute.

Rejected: a limit of uvicorn's own (``limit_concurrency`` answers 503 to everyone once strangers
have filled it).
"""

from __future__ import annotations

import asyncio
import logging
import socket
import sys
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from forecasts.common.ip_addresses import is_loopback
from forecasts.common.limits import descriptors
from forecasts.common.text import cut, printable

HEADERS_S = 10.0  # seconds for the headers of a request
SLOW_S = 20.0  # seconds that a body may be behind the lowest rate
LOWEST_RATE = 2_000  # bytes of a body in a second
REFUSED_S = 2.0  # seconds in which the answer can be read to a body that was refused
UNREAD_S = 60.0  # seconds that an answer may wait to be read
LOOKS_S = 1.0  # seconds between two looks at a connection
MOST = 1_000  # connections
RESERVED = 128  # descriptors for the database, for files and for connections to others
OF_ADDRESS = 0.25  # of the connections, from one address that is not this machine's (a proxy's)
OF_SOCKETS = 0.75  # of them, for WebSockets, which last as long as a page is open
BACKLOG = 32  # connections accepted before the first of them is counted
MESSAGE_BYTES = 20_000_000  # of a message over a WebSocket: uploads do not come this way
# After which a thread lets another one go on. Python's 5 ms make a request that waits for the
# database ten times take 50 ms longer while another thread computes.
SWITCH_S = 0.0005
LINES = 10  # of one kind, logged in a minute
LONGEST = 500  # characters of a text in a line
_log = logging.getLogger(__name__)


class FewLines(logging.Filter):
    """Lets ``LINES`` lines of a kind through in a minute, and one of this module's.

    Strangers' words in them are cut, and lose characters that act on a terminal.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock, self._since, self._said = clock, clock(), Counter[str]()

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether the line is logged; by all handlers, or by none."""
        kept = vars(record)
        if "is_logged" not in kept:
            kept["is_logged"] = self._counts(record)
        return bool(kept["is_logged"])

    def _counts(self, record: logging.LogRecord) -> bool:
        if self._clock() - self._since > 60:
            self._since, self._said = self._clock(), Counter()
        kind = str(record.msg)[:200]
        self._said[kind] += 1
        most = 1 if record.name == __name__ else LINES
        if self._said[kind] == most:
            record.msg = f"{record.msg} (not logged again within a minute)"
        if isinstance(record.args, tuple):
            record.args = tuple(
                cut(printable(one), LONGEST) if isinstance(one, str) else one for one in record.args
            )
        return self._said[kind] <= most


_FEW = FewLines()


class Config(uvicorn.Config):
    """Uvicorn's configuration, with the limits."""

    def __init__(self, app: Any, **given: Any) -> None:
        limits = {"http": Guarded, "backlog": BACKLOG, "ws_max_size": MESSAGE_BYTES}
        super().__init__(app, **given | limits)
        allowed = descriptors(2 * MOST + RESERVED)
        self.most = min(MOST, max(allowed // 4, allowed - RESERVED))
        # Each of Streamlit's loggers has a handler of its own.
        loggers = (logging.root, *logging.root.manager.loggerDict.values())
        handlers = [one for logger in loggers for one in getattr(logger, "handlers", ())]
        for one in (*handlers, logging.lastResort):
            if one is not None:
                one.addFilter(_FEW)

    def get_loop_factory(self) -> Callable[[], asyncio.AbstractEventLoop]:
        """Return a function that makes the event loop."""
        make = super().get_loop_factory() or asyncio.new_event_loop

        def made() -> asyncio.AbstractEventLoop:
            sys.setswitchinterval(SWITCH_S)
            loop = make()
            loop.set_exception_handler(_told)
            return loop

        return made


def serve(app: Any, **given: Any) -> None:
    """Serve an application until a signal ends it; ``given``: uvicorn's settings."""
    with suppress(KeyboardInterrupt):
        uvicorn.Server(Config(app, **given)).run()


def _told(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Log an error of the event loop; a connection that cannot be accepted without a traceback."""
    if isinstance(error := context.get("exception"), OSError) and "accept" in context["message"]:
        _log.error("No connection can be accepted: %s", error.strerror)
    else:
        loop.default_exception_handler(context)


class Guarded(H11Protocol):
    """A connection with limits."""

    config: Config
    _since = 0.0  # when the connection, or its last answer, ended
    _received = 0  # bytes since the last look
    _behind = 0.0  # seconds that the body is behind the lowest rate
    _unread = 0.0  # seconds that the answer waits to be read
    _next_look: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin; close a connection that waits if there are too many."""
        super().connection_made(transport)
        # asyncio does so only for sockets that it has made itself, not for Streamlit's. Without it,
        # the body of an answer waits 40 ms for the receipt of the headers.
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._since = self.loop.time()
        self._next_look = self.loop.call_later(LOOKS_S, self._look)
        address = "" if self.client is None else self.client[0]
        if len(self.connections) > self.config.most:
            self._make_room(self._all())
        elif not is_loopback(address):
            theirs = [one for one in self._all() if one.client and one.client[0] == address]
            if len(theirs) > OF_ADDRESS * self.config.most:
                self._make_room(theirs)

    def _all(self) -> list[Any]:
        return list(self.connections)

    def _make_room(self, among: list[Any]) -> None:
        """Close the connection that has waited longest for a request: this one, if none else."""
        waiting = [one for one in among if isinstance(one, Guarded) and one.waits]
        # Those that have sent a request before are more likely somebody's.
        oldest = min(waiting, key=lambda one: (one.cycle is not None, one._since), default=self)
        oldest.drop("Too many connections: those without a request are closed.")

    @property
    def waits(self) -> bool:
        """Whether no request is being received or answered."""
        return self.conn.their_state is h11.IDLE

    def drop(self, why: str) -> None:
        """Close the connection at once."""
        _log.warning(why)
        self.connections.discard(self)
        self.transport.abort()

    def data_received(self, data: bytes) -> None:
        """Pass the received bytes on."""
        self._received += len(data)
        super().data_received(data)

    def _look(self) -> None:
        """Close the connection if it is too slow; or look again later."""
        self._next_look = self.loop.call_later(LOOKS_S, self._look)
        received, self._received = self._received, 0
        if self.conn.their_state is h11.SEND_BODY and not self.flow.read_paused:
            self._behind = max(0.0, self._behind + LOOKS_S - received / LOWEST_RATE)
        else:
            self._behind = 0.0
        self._unread = self._unread + LOOKS_S if self.flow.write_paused else 0.0
        idle = self.loop.time() - self._since
        if self.waits and idle > HEADERS_S:
            self.drop("A connection without a request was closed.")
        elif self._behind > SLOW_S:
            self.drop("A request whose body came too slowly was closed.")
        elif self.conn.our_state is h11.DONE and idle > REFUSED_S:
            self.transport.abort()  # its client has been answered, and still sends
        elif self._unread > UNREAD_S:
            self.drop("An answer that nobody read was closed.")

    def on_response_complete(self) -> None:
        """Wait for the next request."""
        self._since = self.loop.time()
        super().on_response_complete()
        if self.conn.their_state is h11.SEND_BODY:  # it was refused: the rest is not worth reading
            self.flow.pause_reading()

    def handle_websocket_upgrade(self, event: h11.Request) -> None:
        """Let a WebSocket take the connection over, if there are not too many."""
        sockets = sum(not isinstance(one, Guarded) for one in self.connections)
        if sockets >= OF_SOCKETS * self.config.most:
            self.drop("Too many open pages: a new one was refused.")
            return
        self._end_looks()
        super().handle_websocket_upgrade(event)

    def connection_lost(self, exc: Exception | None) -> None:
        """End."""
        self._end_looks()
        super().connection_lost(exc)

    def _end_looks(self) -> None:
        if self._next_look is not None:
            self._next_look.cancel()
