"""The command line on a fresh ledger, at a time set by the test."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from forecasts.cli.main import app
from tests.conftest import KINDS
from tests.resolution.conftest import no_child  # noqa: F401 - a fixture for every test here

Run = Callable[..., Result]
Clock = Callable[[str], None]
Fill = Callable[[Callable[[], object]], None]


@pytest.fixture
def kind() -> str:
    """One database is enough: commands only parse and call verbs, which are tested on both."""
    return KINDS[0]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Set the time at which the next command runs."""
    from forecasts.common.times import read_time

    def at(text: str) -> None:
        monkeypatch.setattr("forecasts.cli.console.clock", lambda: read_time(text))
        server = f"timestamptz '{read_time(text).isoformat()}'"
        monkeypatch.setattr("forecasts.ledger.clock.server_time", lambda: server)

    at("2026-01-05T12:00:00Z")
    return at


@pytest.fixture
def forecasts(ledger_url: str, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command on a fresh ledger and check its exit code."""
    monkeypatch.setenv("FORECASTS_DATABASE_URL", ledger_url)
    monkeypatch.setenv("FORECASTS_MEMBER", "alice")
    monkeypatch.setenv("TZ", "UTC")

    def run(*arguments: str, exit_code: int = 0, input: str | None = None) -> Result:
        result = CliRunner().invoke(app, list(arguments), input=input)
        assert result.exit_code == exit_code, result.output + str(result.exception)
        return result

    return run


@pytest.fixture
def outcomes(forecasts: Run, tmp_path: Path) -> Path:
    """The file that is to give the outcome of the question ``rain``; it is not there yet."""
    path = tmp_path / "outcomes.csv"
    named = ("--slug", "rain", "--criteria", "so", "--outcomes", str(path))
    forecasts("ask", "Will it rain?", "40%", "--closes", "2026-02-01", *named)
    return path


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The place of a module's filled ledger."""
    return tmp_path_factory.mktemp("kept") / "ledger.sqlite3"


@pytest.fixture
def filled_once(kind: str, request: pytest.FixtureRequest, ledger_url: str, kept: Path) -> Fill:
    """Run the commands that fill a module's ledger for its first test, and copy it for the rest."""

    def fill(commands: Callable[[], object]) -> None:
        if kind != "sqlite":
            commands()
            return
        file = request.getfixturevalue("ledger_file")
        if not kept.exists():
            commands()
            shutil.copy(file, kept)
        shutil.copy(kept, file)

    return fill
