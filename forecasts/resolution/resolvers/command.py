"""Resolver kind ``command``: a program of the operator's own decides.

It must lie in the folder that the operator names (FORECASTS_COMMANDS_FOLDER); without that setting
there are none. It is started there without a shell, with nothing of the environment but the path
and the language, and a mark by which all that it starts is found, and ended with it. It gets one
JSON object on its standard input,

    {"question": {"slug": …, "title": …, "type": …, "options": […], "open_time": …,
     "close_time": …, "scheduled_close_time": …}, "now": …}

and answers with one on its standard output: {"outcome": …, "known_at": …, "source": …, "note": …},
or {"not_yet": true}, or {"cannot_tell": "why"}. Exit code 0 says that it means its answer.
"""

from __future__ import annotations

import json
import os
import secrets
import selectors
import subprocess
import time
from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import Field, field_validator

from forecasts.common.errors import BadInput, CannotTell, LedgerError
from forecasts.common.settings import Settings as ProcessSettings
from forecasts.common.times import iso, read_time
from forecasts.resolution.resolvers import documents, processes, protocol
from forecasts.resolution.resolvers.protocol import Asked, Fetch, Finding, Seen

MOST_BYTES = 1_000_000
_ANSWERS = {"outcome", "known_at", "source", "note", "not_yet", "cannot_tell"}


class Settings(protocol.Settings):
    """Which program, with what arguments, and for how long."""

    program: str = Field(min_length=1, description="its file name in FORECASTS_COMMANDS_FOLDER")
    arguments: tuple[str, ...] = Field(default=(), description="what it is started with")
    seconds: float = Field(default=30, gt=0, le=600, description="when it is stopped")

    @field_validator("program")
    @classmethod
    def _is_a_name(cls, name: str) -> str:
        if name in (".", "..") or set(name) & {"/", "\\", "\0"}:
            raise ValueError("is the name of a file in the folder of commands, and no path")
        return name


def fits(asked: Asked, settings: Settings) -> None:
    """Refuse a program that is not there."""
    _program(settings.program)


def look(asked: Asked, settings: Settings, now: datetime, fetch: Fetch) -> Finding | None:
    """Return what the program answers; CannotTell where it fails, hangs or talks too much."""
    path = _program(settings.program)
    question = {
        "slug": asked.slug,
        "title": asked.title,
        "type": str(asked.type),
        "options": list(asked.options),
        "open_time": iso(asked.open_time),
        "close_time": iso(asked.close_time),
        "scheduled_close_time": iso(asked.scheduled_close_time),
    }
    said = json.dumps({"question": question, "now": iso(now)}).encode()
    output = _run([str(path), *settings.arguments], said, path.parent, settings.seconds)
    seen = Seen(f"command:{settings.program}", output, now, "application/json")
    try:
        answer = documents.json_of(seen)
    except CannotTell as error:
        raise _failed(error.message) from None
    if not isinstance(answer, dict) or not set(answer) <= _ANSWERS:
        raise _failed(f"{settings.program} answered {output[:80]!r}, which is none of its answers.")
    if answer.get("cannot_tell"):
        raise CannotTell(
            f"{settings.program} cannot tell: {answer['cannot_tell']}",
            remedy="Resolve by hand, or mend what it names and let it look again.",
        )
    if answer.get("not_yet") is True:
        return None
    try:
        outcome, known_at = str(answer["outcome"]), read_time(str(answer["known_at"]))
    except KeyError as missing:
        raise _failed(f"{settings.program} answered without {missing}.") from None
    except LedgerError as error:
        raise _failed(f"{settings.program} answered: {error.message}") from None
    source, note = (str(answer.get(name) or "") for name in ("source", "note"))
    return None if known_at > now else Finding(outcome, known_at, source, note, (seen,))


def _program(name: str) -> Path:
    """Return the program's path; BadInput where the folder holds no such program."""
    folder = ProcessSettings().commands_folder
    if folder is None:
        raise BadInput(
            "No program may be run: no folder of commands is set.",
            remedy="The operator sets FORECASTS_COMMANDS_FOLDER to the folder that holds them.",
        )
    path = (folder / name).resolve()
    if path.parent != folder.resolve() or not path.is_file() or not os.access(path, os.X_OK):
        raise BadInput(
            f"{name!r} is no program in the folder of commands.",
            remedy="Put it there and make it executable; links may not lead out of the folder.",
        )
    return path


def _failed(said: str) -> CannotTell:
    """Return the error of a program that may do better the next time."""
    return CannotTell(
        said,
        remedy="It is started again later; start it by hand with such a question to see why, or "
        "resolve by hand.",
        passing=True,
    )


def _run(command: list[str], said: bytes, folder: Path, seconds: float) -> bytes:
    environment = {
        name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL") if name in os.environ
    }
    mark = secrets.token_hex(8)
    try:
        process = subprocess.Popen(  # noqa: S603 - the operator's own program, without a shell
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=folder,
            env=environment | {processes.MARK: mark},
            start_new_session=True,
        )
    except OSError as error:
        raise _failed(f"{command[0]} cannot be started: {error.strerror or error}.") from None
    with process:
        try:
            output, errors = _talk(process, said, time.monotonic() + seconds, seconds)
        finally:
            processes.end(process.pid, mark)  # and whatever it started
    if process.returncode != 0:
        words = errors.decode(errors="replace").strip().splitlines()
        last = f": {words[-1][:200]}" if words else ""
        raise _failed(f"{Path(command[0]).name} ended with code {process.returncode}{last}")
    return output


def _talk(
    process: subprocess.Popen[bytes], said: bytes, end: float, seconds: float
) -> tuple[bytes, bytes]:
    """Return all of standard output and the end of standard error, once both are closed."""
    name = Path(str(process.args[0])).name  # type: ignore[index]
    assert process.stdin is not None
    kept: dict[Any, bytearray] = {process.stdout: bytearray(), process.stderr: bytearray()}
    with selectors.DefaultSelector() as ready:
        os.set_blocking(process.stdin.fileno(), False)
        ready.register(process.stdin, selectors.EVENT_WRITE)
        for stream in kept:
            ready.register(stream, selectors.EVENT_READ)
        while len(ready.get_map()):
            left = end - time.monotonic()
            if left <= 0:
                raise _failed(f"{name} was stopped: it took more than {seconds:g} seconds.")
            for key, _ in ready.select(left):
                if key.fileobj is process.stdin:
                    said = _hand_over(process, said)
                    if not said:
                        ready.unregister(process.stdin)
                        process.stdin.close()
                    continue
                chunk = os.read(key.fd, 65_536)
                if not chunk:
                    ready.unregister(key.fileobj)
                kept[key.fileobj] += chunk
                if key.fileobj is process.stderr:
                    del kept[process.stderr][:-10_000]
                elif len(kept[process.stdout]) > MOST_BYTES:
                    raise _failed(f"{name} was stopped: it wrote more than {MOST_BYTES:,} bytes.")
        left = end - time.monotonic()
        try:
            process.wait(timeout=max(left, 0.001))
        except subprocess.TimeoutExpired:
            raise _failed(f"{name} was stopped: it took more than {seconds:g} seconds.") from None
    return bytes(kept[process.stdout]), bytes(kept[process.stderr])


def _hand_over(process: subprocess.Popen[bytes], said: bytes) -> bytes:
    """Return what is left to say; a program that does not listen is no fault."""
    assert process.stdin is not None
    try:
        return said[os.write(process.stdin.fileno(), said) :]
    except BlockingIOError:
        return said
    except BrokenPipeError:
        return b""
