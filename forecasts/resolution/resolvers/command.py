"""Resolver kind ``command``: run one of the operator's own programs.

The program must be in the folder FORECASTS_COMMANDS_FOLDER; without that setting the kind is
disabled. It runs in that folder without a shell, with only the path and the language in its
environment, and under a process that ends everything it has started (``program_runner``). It reads
one JSON object from standard input,

    {"question": {"slug": …, "title": …, "type": …, "options": […], "open_time": …,
     "close_time": …, "scheduled_close_time": …}, "now": …}

and writes one to standard output: {"outcome": …, "known_at": …, "source": …, "note": …},
{"not_yet": true}, or {"cannot_tell": "reason"}. The answer counts only with exit code 0.
"""

from __future__ import annotations

import json
import os
import selectors
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import Field, field_validator

from forecasts.common.errors import BadInput, CannotTell, LedgerError
from forecasts.common.settings import Settings as ProcessSettings
from forecasts.common.times import iso, read_time
from forecasts.resolution.resolvers import parsing, program_runner, protocol
from forecasts.resolution.resolvers.protocol import Asked, Fetch, Finding, Kind, Seen

MOST_BYTES = 1_000_000
_ENDING = 5.0  # seconds for the program runner to end all processes
_TEXTS = ("slug", "title", "type", "options")
_TIMES = ("open_time", "close_time", "scheduled_close_time")
_ANSWERS = {"outcome", "known_at", "source", "note", "not_yet", "cannot_tell"}


class Settings(protocol.Settings):
    """A program of your own, its arguments and its time limit."""

    program: str = Field(min_length=1, description="its file name in FORECASTS_COMMANDS_FOLDER")
    arguments: tuple[str, ...] = Field(default=(), description="its arguments")
    seconds: float = Field(default=30, gt=0, le=600, description="its time limit")

    @field_validator("program")
    @classmethod
    def _is_a_name(cls, name: str) -> str:
        if name in (".", "..") or set(name) & {"/", "\\", "\0"}:
            raise ValueError("must be a file name in the folder of commands, not a path")
        return name


def fits(asked: Asked, settings: Settings) -> None:
    """Refuse a program that does not exist."""
    _program(settings.program)


def look(asked: Asked, settings: Settings, now: datetime, fetch: Fetch) -> Finding | None:
    """Return the program's answer; CannotTell if it fails, hangs or writes too much."""
    path = _program(settings.program)
    question: dict[str, Any] = {name: getattr(asked, name) for name in _TEXTS}
    question |= {name: iso(getattr(asked, name)) for name in _TIMES}
    message = json.dumps({"question": question, "now": iso(now)}).encode()
    output = _run([str(path), *settings.arguments], message, path.parent, settings.seconds)
    seen = Seen(f"command:{settings.program}", output, now, "application/json")
    try:
        answer = parsing.json_of(seen)
    except CannotTell as error:
        raise _failed(error.message) from None
    if not isinstance(answer, dict) or not set(answer) <= _ANSWERS:
        raise _failed(f"{settings.program} wrote {output[:80]!r}, which is not a valid answer.")
    if answer.get("cannot_tell"):
        raise CannotTell(
            f"{settings.program} cannot tell: {answer['cannot_tell']}",
            remedy="Correct the cause and retry, or resolve by hand.",
        )
    if answer.get("not_yet") is True:
        return None
    try:
        outcome, known_at = str(answer["outcome"]), read_time(str(answer["known_at"]))
    except KeyError as missing:
        raise _failed(f"The answer of {settings.program} has no {missing}.") from None
    except LedgerError as error:
        raise _failed(f"The answer of {settings.program}: {error.message}") from None
    source, note = (str(answer.get(name) or "") for name in ("source", "note"))
    return None if known_at > now else Finding(outcome, known_at, source, note, (seen,))


KIND = Kind(Settings, look, reads=False, fits=fits)


def _program(name: str) -> Path:
    """Return the program's path; BadInput if the folder has no such program."""
    folder = ProcessSettings().commands_folder
    if folder is None:
        raise BadInput(
            "Programs are disabled: no folder of commands is set.",
            remedy="The operator sets FORECASTS_COMMANDS_FOLDER to the folder with the programs.",
        )
    path = (folder / name).resolve()
    if path.parent != folder.resolve() or not path.is_file() or not os.access(path, os.X_OK):
        raise BadInput(
            f"The folder of commands has no program {name!r}.",
            remedy="Put it there and make it executable. Links must stay within the folder.",
        )
    return path


def _failed(message: str) -> CannotTell:
    """Return the error of a program that may succeed the next time."""
    return CannotTell(
        message,
        remedy="It is started again later. Run it by hand to find the cause, or resolve the "
        "question by hand.",
        temporary=True,
    )


def _run(command: list[str], message: bytes, folder: Path, seconds: float) -> bytes:
    passed = {"PATH", "LANG", "LC_ALL"} & os.environ.keys()
    name = Path(command[0]).name
    with tempfile.TemporaryFile() as given:  # not a pipe: a program need not read it
        given.write(message)
        given.seek(0)
        try:
            process = subprocess.Popen(  # noqa: S603 - the operator's own program, without a shell
                [sys.executable, "-I", "-S", program_runner.__file__, str(os.getpid()), *command],
                stdin=given,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                cwd=folder,
                env={name: os.environ[name] for name in passed},
                start_new_session=True,
            )
        except OSError as error:
            raise _failed(f"{command[0]} cannot be started: {error.strerror or error}.") from None
    with process:
        try:
            output, errors = _outputs(process, name, seconds)
        finally:
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(_ENDING)
            process.kill()
    if process.returncode != 0:
        words = errors.decode(errors="replace").strip().splitlines()
        last = f": {words[-1][:200]}" if words else ""
        raise _failed(f"{name} ended with code {process.returncode}{last}")
    return output


def _outputs(process: subprocess.Popen[bytes], name: str, seconds: float) -> tuple[bytes, bytes]:
    """Return standard output and the end of standard error, once both are closed."""
    end = time.monotonic() + seconds
    output, errors = bytearray(), bytearray()
    try:
        with selectors.DefaultSelector() as ready:
            ready.register(process.stdout, selectors.EVENT_READ, output)  # type: ignore[arg-type]
            ready.register(process.stderr, selectors.EVENT_READ, errors)  # type: ignore[arg-type]
            while len(ready.get_map()):
                if (left := end - time.monotonic()) <= 0:
                    raise TimeoutError
                for key, _ in ready.select(left):
                    chunk = os.read(key.fd, 65_536)
                    if not chunk:
                        ready.unregister(key.fileobj)
                    key.data.extend(chunk)
                del errors[:-10_000]
                if len(output) > MOST_BYTES:
                    raise _failed(f"{name} was stopped: it wrote more than {MOST_BYTES:,} bytes.")
        process.wait(timeout=max(end - time.monotonic(), 0.001))
    except (TimeoutError, subprocess.TimeoutExpired):
        raise _failed(f"{name} was stopped: it took more than {seconds:g} seconds.") from None
    return bytes(output), bytes(errors)
