"""Serving the API: what is refused before it starts, and what the command line need not load."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
import uvicorn

from forecasts.common.extras import install_command
from tests.cli.conftest import Run


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the server was started with."""
    found: dict[str, Any] = {}
    monkeypatch.setattr(uvicorn, "run", lambda app, **given: found.update(given, app=app))
    monkeypatch.setattr("forecasts.cli.serve.require_free", lambda *_: None)
    return found


def test_it_is_served_to_this_machine_and_to_others_only_under_a_name(
    forecasts: Run, clock: object, served: dict[str, Any]
) -> None:
    refused = forecasts("api", "--host", "0.0.0.0", exit_code=2)
    assert "--name forecasts.example.org" in refused.stderr
    assert not served
    said = forecasts("api")
    assert (served["host"], served["port"]) == ("127.0.0.1", 8000)
    assert not served["access_log"]
    assert "http://127.0.0.1:8000/api/v1/docs" in said.stderr
    forecasts("api", "--host", "0.0.0.0", "--name", "forecasts.example.org")
    assert served["host"] == "0.0.0.0"


def test_without_its_packages_it_says_how_to_install_them(
    forecasts: Run, clock: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    said = forecasts("api", exit_code=2).stderr
    assert install_command("api") in " ".join(said.split())


@pytest.mark.slow
def test_no_other_command_loads_the_api() -> None:
    script = (
        "import sys; sys.argv = ['forecasts', '--help']\n"
        "from forecasts.cli.main import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "found = {'fastapi', 'starlette', 'mcp', 'uvicorn', 'httpx'} & set(sys.modules)\n"
        "assert not found, found\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True, capture_output=True)
