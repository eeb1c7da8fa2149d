"""Serving the app on a free port, and stopping it cleanly."""

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from forecasts.cli import serve
from forecasts.samples import demonstration
from tests.access.test_oidc_settings import SECRETS, set_to
from tests.cli.conftest import Run


@pytest.fixture
def port() -> Iterator[int]:
    """A port in use."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        yield listening.getsockname()[1]


@pytest.mark.parametrize("command", ["app", "demo"])
def test_a_port_in_use_is_said_before_anything_is_built(
    forecasts: Run, port: int, command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.delenv("FORECASTS_DATABASE_URL")
    result = forecasts(command, "--port", str(port), exit_code=2)
    assert f"port {port}" in result.stderr
    assert f"--port {port + 1}" in result.stderr
    assert not (tmp_path / "forecasts").exists()


def test_an_address_or_sign_in_that_cannot_be_is_refused_before_anything_is_served(
    forecasts: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "--port" in forecasts("app", "--port", "65536", exit_code=2).stderr
    result = forecasts("app", "--address", "0.0.0.0", exit_code=2)
    assert "does not listen on the address 0.0.0.0 without sign-in" in result.stderr
    assert "FORECASTS_OIDC_" in result.stderr
    set_to(monkeypatch)
    result = forecasts("app", "--address", "256.1.1.1", exit_code=2)
    assert "cannot be served on the address 256.1.1.1" in result.stderr
    monkeypatch.delenv("FORECASTS_OIDC_CLIENT_ID")
    assert "FORECASTS_OIDC_CLIENT_ID" in forecasts("app", exit_code=2).stderr


def test_with_sign_in_it_is_served_on_any_address(
    forecasts: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    run: list[tuple[list[str], dict[str, str]]] = []
    monkeypatch.setattr(serve, "run_until_ended", lambda *given: run.append(given) or 0)
    monkeypatch.setattr(serve, "require_free", lambda *_: None)
    set_to(monkeypatch)
    result = forecasts("app", "--address", "0.0.0.0")
    [(command, environment)] = run
    assert "https://ledger.example.org" in result.stderr
    assert command[command.index("--server.address") + 1] == "0.0.0.0"
    assert environment["FORECASTS_OIDC_CLIENT_SECRET"] == SECRETS[0]
    assert not any(secret in " ".join(command) for secret in SECRETS)


@pytest.mark.slow
def test_streamlit_by_itself_is_refused_likewise(tmp_path: Path) -> None:
    app = Path(serve.__file__).parents[2] / "app" / "streamlit_app.py"
    command = [sys.executable, "-m", "streamlit", "run", str(app), "--server.headless", "true"]
    ended = subprocess.run(
        [*command, "--browser.serverAddress", "localhost"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 2
    assert "without sign-in" in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.slow
def test_the_browser_is_opened_once_the_server_answers(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    monkeypatch.setattr(serve.webbrowser, "open", opened.append)
    serve.open_browser("http://there", port)
    assert opened == ["http://there"]
    monkeypatch.setattr(serve, "PATIENCE", 0.05)
    serve.open_browser("http://nowhere", 1)
    assert opened == ["http://there"]


@pytest.mark.parametrize(
    ("terminal", "display", "screen"), [(True, ":0", True), (True, "", False), (False, ":0", False)]
)
def test_a_person_at_a_screen_is_one_in_a_terminal_with_a_display(
    monkeypatch: pytest.MonkeyPatch, terminal: bool, display: str, screen: bool
) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(sys, "stderr", SimpleNamespace(isatty=lambda: terminal))
    monkeypatch.setenv("DISPLAY", display)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    assert serve.has_screen() is screen


@pytest.mark.parametrize(("arguments", "opened"), [((), 1), (("--no-open",), 0)])
def test_the_browser_is_opened_unless_it_should_not_be(
    forecasts: Run, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], opened: int
) -> None:
    called = threading.Event()
    monkeypatch.setattr(serve, "run_until_ended", lambda *_: 0 if called.wait(2 * opened) else 1)
    monkeypatch.setattr(serve, "require_free", lambda *_: None)
    monkeypatch.setattr(serve, "has_screen", lambda: True)
    monkeypatch.setattr(serve, "open_browser", lambda *_: called.set())
    forecasts("app", *arguments, exit_code=1 - opened)


def test_the_demonstration_is_served_where_it_was_built(
    forecasts: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    served: list[Any] = []
    monkeypatch.setattr(serve, "require_free", lambda port: served.append(port))
    monkeypatch.setattr(demonstration, "build", lambda **_: "sqlite:////demonstration")
    monkeypatch.setattr(
        serve, "serve", lambda chosen, port, **_: served.append(chosen.database_url)
    )
    forecasts("demo", "--port", "9000")
    assert served == [9000, "sqlite:////demonstration"]
    forecasts("demo", "--no-serve")
    assert served == [9000, "sqlite:////demonstration"]


ENDLESS = """
import signal, sys
from forecasts.cli.serve import run_until_ended
# A shell starts commands in the background with SIGINT ignored, and they pass that on.
signal.signal(signal.SIGINT, signal.default_int_handler)
server = "print('up', flush=True); import time; time.sleep(60)"
sys.exit(run_until_ended([sys.executable, "-c", server], {}))
"""


@pytest.mark.slow
@pytest.mark.parametrize(("told", "words"), [(signal.SIGINT, "Stopped."), (signal.SIGTERM, "")])
def test_ending_the_command_ends_the_server(told: signal.Signals, words: str) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", ENDLESS], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as command:
        assert command.stdout is not None
        assert command.stdout.readline() == "up\n"
        command.send_signal(told)
        # Both ends of the pipe are closed only once the server has ended too.
        out, err = command.communicate(timeout=30)
    assert (command.returncode, out, err.strip()) == (0, "", words)


def test_a_server_that_fails_hands_on_its_exit_code() -> None:
    assert (
        serve.run_until_ended([sys.executable, "-c", "raise SystemExit(7)"], dict(os.environ)) == 7
    )
