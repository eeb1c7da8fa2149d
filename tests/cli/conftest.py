"""The command line on a fresh ledger, at a time set by the test."""

from collections.abc import Callable

import pytest
from click.testing import Result
from typer.testing import CliRunner

from forecasts.cli.main import app
from tests.conftest import KINDS


@pytest.fixture
def kind() -> str:
    """One database is enough: commands only parse and call verbs, which are tested on both."""
    return KINDS[0]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Set the time at which the next command runs."""
    from forecasts.common.times import read_time

    def at(text: str) -> None:
        monkeypatch.setattr("forecasts.cli.console._clock", lambda: read_time(text))

    at("2026-01-05T12:00:00Z")
    return at


@pytest.fixture
def forecasts(ledger_url: str, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Run a command on a fresh ledger and check its exit code."""
    monkeypatch.setenv("FORECASTS_DATABASE_URL", ledger_url)
    monkeypatch.setenv("FORECASTS_MEMBER", "alice")

    def run(*arguments: str, exit_code: int = 0, input: str | None = None) -> Result:
        result = CliRunner().invoke(app, list(arguments), input=input)
        assert result.exit_code == exit_code, result.output + str(result.exception)
        return result

    return run
