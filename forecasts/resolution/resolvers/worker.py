"""Ask a resolver in a child process, which is killed when a look exceeds its limits.

A document, or an expression on one, can be made to take hours or all memory: a JMESPath that
doubles its value 90 times, a feed in an encoding with quadratic time. No check finds them all, and
Python cannot interrupt its own C code. So every kind that reads others' documents looks in a child
process. One child serves a whole run, with its parsed documents; a new one is started only after
a look that was stopped.

The child parses and decides. This process sends it each document, since it keeps the rules on
permitted sources, and one version of each source for the whole run. Fetching has a limit of its
own, and does not count.

Rejected: a budget of steps (JMESPath, the XML parser and the decoders would each need one), and
``multiprocessing``: to fork is unsafe beside other threads, and its other ways run the main
module again, which may be a page.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from multiprocessing.connection import Connection
from typing import Any

from forecasts.common.errors import BadInput, CannotTell, LedgerError
from forecasts.common.limits import SOURCE_BYTES, format_bytes, limit_memory
from forecasts.resolution.resolvers import program_runner
from forecasts.resolution.resolvers.kinds import kind
from forecasts.resolution.resolvers.protocol import Asked, Fetch, Finding, Seen

SECONDS = 30.0  # of processor time for one look
WAITS = 4  # times as long, without fetching: for a look that sleeps, and on a busy machine
MEMORY_BYTES = 2_000_000_000  # of a child; a parsed document can take twenty times its size
_STARTING = 60.0  # seconds for a child to start on a busy machine; usually half a second
_OUT_OF_MEMORY = 77  # the child's exit code
MOST_CHARACTERS = 100_000  # of an outcome, a source or a note

# A finding or None, and the earliest time at which there can be one.
Looked = tuple[Finding | None, datetime | None]


class Stopped(CannotTell):
    """A look was stopped: it exceeded a limit, or ended its process."""

    def __init__(self, message: str) -> None:
        super().__init__(
            message,
            remedy="It is tried again later. If it stays so, simplify its expression, set a "
            "smaller source, or resolve by hand.",
            temporary=True,
        )


def look(
    name: str, settings: Mapping[str, Any], asked: Asked, now: datetime, fetch: Fetch
) -> Looked:
    """Return the answer of the resolver kind of that name, asked in this process.

    Raises whatever the kind raises, and BadInput for a malformed answer.
    """
    of_kind = kind(name)
    read = of_kind.read(name, settings)
    finding = of_kind.look(asked, read, now, fetch)
    if finding is not None:
        _require_finding(finding)
        return finding, None
    if of_kind.not_before is None:
        return None, None
    not_before = of_kind.not_before(asked, read)
    _require_time("not_before", not_before)
    return None, not_before


class Worker:
    """A child process that asks resolvers one after the other; it starts with the first look."""

    def __init__(self, seconds: float = SECONDS, memory_bytes: int = MEMORY_BYTES) -> None:
        self._seconds, self._memory_bytes = seconds, memory_bytes
        self._process: subprocess.Popen[bytes] | None = None
        self._looks = 0
        self._child: Connection

    def look(
        self, name: str, settings: Mapping[str, Any], asked: Asked, now: datetime, fetch: Fetch
    ) -> Looked:
        """Return the same as ``look``; Stopped if the child exceeded a limit or ended."""
        try:
            if self._process is None:
                self._start()
            self._looks += 1
            answer = self._answer((name, dict(settings), asked, now), fetch)
        except (EOFError, OSError):
            ended, is_first = self.close(), self._looks == 1
            if ended == -signal.SIGPROF:
                raise self._too_long() from None
            if ended != _OUT_OF_MEMORY:
                raise Stopped(f"The look ended its process, with code {ended}.") from None
            if is_first:
                most = format_bytes(self._memory_bytes)
                raise Stopped(
                    f"The look was stopped: it took more than {most} of memory."
                ) from None
            # The documents of earlier looks were in memory too.
            return self.look(name, settings, asked, now, fetch)
        except BaseException:
            self.close()
            raise
        if isinstance(answer, Exception):
            raise answer
        return answer

    def _answer(self, request: tuple[Any, ...], fetch: Fetch) -> Looked | Exception:
        """Return the child's answer or error; documents that it asks for are fetched meanwhile.

        A document of the digest that the child knows is not sent again.
        """
        documents: dict[str, Seen] = {}
        left = self._seconds * WAITS
        self._child.send(request)
        while True:
            began = time.monotonic()
            if not self._child.poll(left):
                raise self._too_long()
            asks, value = self._child.recv()
            left = max(left - (time.monotonic() - began), 0)
            if asks == _DONE:
                break
            address, known = value
            try:
                found = documents[address] = fetch(address)
                self._child.send(None if found.sha256 == known else found)
            except LedgerError as error:
                self._child.send(error)
        if isinstance(value, Exception):
            return value
        (finding, not_before), seen = value
        if finding is not None:
            read = tuple(documents[one] if isinstance(one, str) else one for one in seen)
            finding = replace(finding, seen=read)
        return finding, not_before

    def _too_long(self) -> Stopped:
        return Stopped(f"The look was stopped: it took more than {self._seconds:g} seconds.")

    def _start(self) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603 - this Python, with this module
                [
                    *(sys.executable, "-c", f"from {__name__} import serve; serve()"),
                    *(str(theirs.fileno()), str(self._seconds), str(self._memory_bytes)),
                    str(os.getpid()),
                ],
                stdin=subprocess.DEVNULL,
                stdout=2,  # standard output is the run's own
                env=os.environ
                | {"PYTHONPATH": os.pathsep.join(p or os.getcwd() for p in sys.path)},
                pass_fds=[theirs.fileno()],
                start_new_session=True,  # an interrupt on the terminal is for the run to handle
            )
        self._child, self._looks = Connection(ours.detach()), 0
        if not self._child.poll(_STARTING) or self._child.recv() != _READY:
            self.close()
            raise Stopped("The process for looks did not start.")

    def close(self) -> int:
        """Return the code with which the child ended, which is killed unless it has ended.

        So is everything that a kind has started in its process group.
        """
        process, self._process = self._process, None
        if process is None:
            return 0
        self._child.close()
        with suppress(OSError):  # all have ended
            os.killpg(process.pid, signal.SIGKILL)
        return process.wait()


_READY, _FETCH, _DONE = "ready", "fetch", "done"


def serve() -> None:
    """Answer the requests of the parent process until it closes the connection."""
    descriptor, seconds, memory_bytes, parent_id = sys.argv[1:]
    if not program_runner.end_with(int(parent_id), signal.SIGKILL):
        return
    limit_memory(int(memory_bytes) / 1e9)
    parent, kept = Connection(int(descriptor)), dict[str, Seen]()
    with suppress(EOFError, OSError):
        parent.send(_READY)
        while True:
            request = parent.recv()
            # Its signal ends the process, whatever it does.
            signal.setitimer(signal.ITIMER_PROF, float(seconds))
            parent.send((_DONE, _served(request, parent, kept)))


def _served(request: tuple[Any, ...], parent: Connection, kept: dict[str, Seen]) -> Any:
    """Return the answer to a request, or the error that it raised.

    ``kept``: the documents of earlier looks by address, with their parsed forms, up to a size.
    """
    read: list[tuple[str, Seen]] = []

    def fetch(address: str) -> Seen:
        known = kept.get(address)
        parent.send((_FETCH, (address, known and known.sha256)))
        reply = parent.recv()
        if isinstance(reply, LedgerError):
            raise reply
        if reply is not None:
            size = len(reply.content) + sum(len(one.content) for one in kept.values())
            if size > SOURCE_BYTES:
                kept.clear()
            kept[address] = reply
        read.append((address, kept[address]))
        return kept[address]

    try:
        name, settings, asked, now = request
        finding, not_before = look(name, settings, asked, now, fetch)
        if finding is None:
            return (None, not_before), ()
        seen = [next((a for a, seen in read if seen is one), one) for one in finding.seen]
        return (replace(finding, seen=()), not_before), seen
    except LedgerError as error:
        return error.with_traceback(None)
    except MemoryError:
        os._exit(_OUT_OF_MEMORY)
    except RecursionError:
        return CannotTell(
            "The document or the expression is nested too deeply.",
            remedy="Simplify the expression, set another source, or resolve by hand.",
        )
    except SystemExit as error:
        return BadInput(f"It ended the program, by exit({error.code!r}).")
    except Exception as error:  # a kind of another package may raise anything
        return BadInput(f"{type(error).__name__}: {error}")


def _require_finding(found: object) -> None:
    """Refuse, with BadInput, a malformed ``Finding``: kinds of other packages are not checked."""
    if not isinstance(found, Finding):
        raise BadInput(f"It answered with {found!r:.80}, which is neither a Finding nor None.")
    _require_time("known_at", found.known_at)
    for name in ("outcome", "source", "note"):
        text = getattr(found, name)
        if not isinstance(text, str):
            raise BadInput(f"Its {name}, {text!r:.80}, is not a text.")
        if len(text) > MOST_CHARACTERS:
            raise BadInput(
                f"Its {name} has {len(text):,} characters; at most {MOST_CHARACTERS:,} are kept.",
                remedy="Check the source, or resolve by hand.",
            )
    seen: object = found.seen
    if not isinstance(seen, tuple) or not all(isinstance(one, Seen) for one in seen):
        raise BadInput(f"Its seen, {seen!r:.80}, is not a tuple of Seen.")


def _require_time(name: str, time: object) -> None:
    if not isinstance(time, datetime) or time.utcoffset() is None:
        raise BadInput(f"Its {name}, {time!r:.80}, is not a datetime with an offset.")
