"""Serving the app: on a port that is free, and ended in order."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from forecasts import demonstration
from forecasts.cli import serve


@pytest.fixture
def port() -> Iterator[int]:
    """A port on which somebody listens."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        yield listening.getsockname()[1]


@pytest.mark.parametrize("command", ["app", "demo"])
def test_a_port_in_use_is_said_before_anything_is_built(
    forecasts: Callable[..., Result],
    port: int,
    command: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.delenv("FORECASTS_DATABASE_URL")
    result = forecasts(command, "--port", str(port), exit_code=2)
    assert f"port {port}" in result.stderr
    assert f"--port {port + 1}" in result.stderr
    assert not (tmp_path / "forecasts").exists()


@pytest.mark.parametrize("number", ["0", "65536", "x"])
def test_a_port_that_cannot_be_is_refused(forecasts: Callable[..., Result], number: str) -> None:
    assert "--port" in forecasts("app", "--port", number, exit_code=2).stderr


def test_the_demonstration_is_served_where_it_was_built(
    forecasts: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    served: list[Any] = []
    monkeypatch.setattr(serve, "require_free", lambda port: served.append(port))
    monkeypatch.setattr(demonstration, "build", lambda **_: "sqlite:////demonstration")
    monkeypatch.setattr(serve, "serve", lambda chosen, port: served.append(chosen.database_url))
    forecasts("demo", "--port", "9000")
    assert served == [9000, "sqlite:////demonstration"]
    forecasts("demo", "--no-serve")
    assert served == [9000, "sqlite:////demonstration"]


ENDLESS = """
import signal, sys
from forecasts.cli.serve import _run
server = "print('up', flush=True); import time; time.sleep(60)"
sys.exit(_run([sys.executable, "-c", server], {}))
"""


@pytest.mark.parametrize(
    ("told", "words"), [(signal.SIGINT, "Stopped."), (signal.SIGTERM, ""), (signal.SIGHUP, "")]
)
def test_what_ends_the_command_ends_the_server_without_a_trace(
    told: signal.Signals, words: str
) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", ENDLESS],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as command:
        assert command.stdout is not None
        assert command.stdout.readline() == "up\n"
        command.send_signal(told)
        # Both ends of the pipe are closed only when the server is gone as well.
        out, err = command.communicate(timeout=30)
    assert (command.returncode, out, err.strip()) == (0, "", words)


def test_a_server_that_fails_hands_on_its_exit_code() -> None:
    assert serve._run([sys.executable, "-c", "raise SystemExit(7)"], dict(os.environ)) == 7
