"""Serving the app on a free port, and stopping it cleanly."""

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import Engine

from forecasts.cli import serve
from forecasts.common import guarded_server
from forecasts.common.extras import install_command
from forecasts.common.settings import Settings
from forecasts.samples import canned_model, demonstration
from tests.access.test_oidc_settings import SECRETS, WHOLE, set_to
from tests.cli.conftest import Run

pytestmark = pytest.mark.slow


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
    refused = forecasts.refused(command, "--port", str(port))
    assert f"port {port}" in refused
    assert f"--port {port + 1}" in refused
    assert not (tmp_path / "forecasts").exists()


def test_an_address_or_sign_in_that_cannot_be_is_refused_before_anything_is_served(
    forecasts: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "--port" in forecasts.refused("app", "--port", "65536")
    refused = forecasts.refused("app", "--address", "0.0.0.0")
    assert "does not listen on the address 0.0.0.0 without sign-in" in refused
    assert "FORECASTS_OIDC_" in refused
    set_to(monkeypatch)
    refused = forecasts.refused("app", "--address", "256.1.1.1")
    assert "cannot be served on the address 256.1.1.1" in refused
    monkeypatch.delenv("FORECASTS_OIDC_CLIENT_ID")
    assert "FORECASTS_OIDC_CLIENT_ID" in forecasts.refused("app")


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


def test_a_person_at_a_screen_is_one_in_a_terminal_with_a_display(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    for terminal, display, screen in ((True, ":0", True), (True, "", False), (False, ":0", False)):
        monkeypatch.setattr(sys, "stderr", SimpleNamespace(isatty=lambda here=terminal: here))
        monkeypatch.setenv("DISPLAY", display)
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


def test_the_demonstration_is_served_where_it_was_built_to_the_forecaster_with_a_record(
    forecasts: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    served: list[Any] = []
    monkeypatch.setattr(serve, "require_free", lambda port: served.append(port))
    monkeypatch.setattr(demonstration, "build", lambda **_: "sqlite:////demonstration")
    models: list[Any] = []

    def served_with(chosen: Settings, *_: Any, **__: Any) -> None:
        served.extend([chosen.database_url, chosen.member])
        models.append((chosen.model, chosen.model_url))

    monkeypatch.setattr(serve, "serve", served_with)
    forecasts("demo", "--port", "9000")
    assert served == [9000, "sqlite:////demonstration", demonstration.READER]
    [(model, address)] = models
    assert model == canned_model.NAME
    assert address.startswith("http://127.0.0.1:")
    forecasts("demo", "--no-serve")
    assert len(served) == 3
    monkeypatch.setenv("FORECASTS_MODEL_URL", "http://localhost:11434/v1")
    monkeypatch.setenv("FORECASTS_MODEL", "qwen3:8b")
    forecasts("demo")
    assert models[-1] == ("qwen3:8b", "http://localhost:11434/v1")


ENDLESS = """
import signal, sys
from forecasts.cli.serve import run_until_ended
# A shell starts commands in the background with SIGINT ignored, and they pass that on.
signal.signal(signal.SIGINT, signal.default_int_handler)
server = "print('up', flush=True); import time; time.sleep(60)"
sys.exit(run_until_ended([sys.executable, "-c", server], {}))
"""


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


SIGN_IN = {f"FORECASTS_OIDC_{name}": value for name, value in WHOLE.items()}
ON_A_SERVER = {"FORECASTS_DATABASE_URL": "postgresql://db.example.org/forecasts"}
SET = {"FORECASTS_RUN_EVERY": "5m"}


@pytest.mark.parametrize(
    ("arguments", "environment", "told"),
    [
        (("app",), {}, "15m"),
        (("app",), SET, "5m"),
        (("app", "--no-runs"), SET, None),
        (("api",), {}, "15m"),
        # On a server, each member's own machine leaves runs to the one that serves the team.
        (("app",), ON_A_SERVER, None),
        (("api",), ON_A_SERVER, None),
        (("app", "--runs"), ON_A_SERVER, "15m"),
        (("app",), ON_A_SERVER | SET, "5m"),
        (("app",), ON_A_SERVER | SIGN_IN, "15m"),
        (("api", "--name", "api.example.org"), ON_A_SERVER, "15m"),
    ],
)
def test_runs_start_on_a_ledger_of_ones_own_and_where_a_team_is_served(
    forecasts: Run,
    engine: Engine,
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
    environment: dict[str, str],
    told: str | None,
) -> None:
    every: list[str | None] = []
    pages: list[str] = []

    @contextmanager
    def started(_: object, chosen: Settings) -> Iterator[Event]:
        every.append(chosen.run_every)
        yield Event()

    monkeypatch.setattr(serve, "require_free", lambda *_: None)
    monkeypatch.setattr(serve, "ledger", lambda *_, **__: engine)
    monkeypatch.setattr(serve, "running_meanwhile", started)
    monkeypatch.setattr(guarded_server, "serve", lambda *_, **__: None)
    monkeypatch.setattr(
        serve,
        "run_until_ended",
        lambda _, names: pages.append(names["FORECASTS_RUNS_STARTED"]) or 0,
    )
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    forecasts(*arguments)
    assert every == [told]
    assert pages == ([told or ""] if arguments[0] == "app" else [])


def test_an_interval_that_cannot_be_is_said_before_anything_is_served(
    forecasts: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serve, "require_free", lambda *_: None)
    monkeypatch.setenv("FORECASTS_RUN_EVERY", "7m")
    for command in ("app", "api"):
        refused = forecasts.refused(command)
        assert "FORECASTS_RUN_EVERY must divide an hour or a day, got '7m'." in refused


def test_the_api_ends_cleanly_when_it_is_told_to(
    forecasts: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    # So does uvicorn, once it has answered its last request.
    monkeypatch.setattr(
        guarded_server, "serve", lambda *_, **__: signal.raise_signal(signal.SIGTERM)
    )
    monkeypatch.setattr(serve, "require_free", lambda *_: None)
    before = signal.getsignal(signal.SIGTERM)
    forecasts("api")
    assert signal.getsignal(signal.SIGTERM) is before


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the server of the API was started with."""
    found: dict[str, Any] = {}
    monkeypatch.setattr(guarded_server, "serve", lambda app, **given: found.update(given, app=app))
    monkeypatch.setattr(serve, "require_free", lambda *_: None)
    return found


def test_the_api_is_served_to_this_machine_and_to_others_only_under_a_name(
    forecasts: Run, served: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = forecasts.refused("api", "--host", "0.0.0.0")
    assert "--name forecasts.example.org" in refused
    assert not served
    said = forecasts("api")
    assert (served["host"], served["port"]) == ("127.0.0.1", 8000)
    assert not served["access_log"]
    assert "http://127.0.0.1:8000/api/v1/docs" in said.stderr
    forecasts("api", "--host", "0.0.0.0", "--name", "forecasts.example.org")
    assert served["host"] == "0.0.0.0"
    monkeypatch.setitem(sys.modules, "forecasts.api.server", None)
    assert install_command("api") in forecasts.refused("api")
