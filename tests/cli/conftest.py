"""The command line on a fresh ledger, at a time set by the test."""

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from forecasts.cli.main import app
from tests.conftest import KINDS
from tests.operations.timestamping import Authority, served
from tests.resolution.conftest import no_child  # noqa: F401 - a fixture for every test here

PAGE = """\
Harbour town votes on its old ferry

The Coast Courier

3 days ago

The council of Brenholt met on Monday to talk about the ferry that has crossed the bay since 1952.
Two of its engines failed last winter, and the yard may not repair the ferry again.
The council will decide by the end of March 2026 whether the ferry is replaced by a bridge.
The mayor said that she would not stand in the way of either answer.
"""
Clock = Callable[[str], None]
Fill = Callable[[Callable[[], object]], None]


class Run:
    """Run commands in this process, all with these first words, and check their exit codes."""

    def __init__(self, *first: str) -> None:
        self.first = first

    def __call__(self, *arguments: str, exit_code: int = 0, input: str | None = None) -> Result:
        result = CliRunner().invoke(app, [*self.first, *arguments], input=input)
        assert result.exit_code == exit_code, result.output + str(result.exception)
        return result

    def refused(self, *arguments: str, input: str | None = None) -> str:
        """Return the words of a command that is refused, on one line."""
        result = self(*arguments, exit_code=2, input=input)
        assert result.stdout == ""
        return " ".join(result.stderr.split())

    def printed(self, *arguments: str, **how: Any) -> Any:
        """Return the JSON document that a command prints."""
        return json.loads(self(*arguments, "--format", "json", **how).stdout)


@pytest.fixture
def kind() -> str:
    """One database is enough: commands only parse and call verbs, which are tested on both."""
    return KINDS[0]


# For tests of files beside the ledger, of its copies and of restored ones.
in_a_file = pytest.mark.parametrize("kind", ["sqlite"])


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Set the time at which the next command runs: noon on 5 January 2026 until it is set."""
    from forecasts.common.times import read_time

    def at(text: str) -> None:
        monkeypatch.setattr("forecasts.cli.console.clock", lambda: read_time(text))
        server = f"timestamptz '{read_time(text).isoformat()}'"
        monkeypatch.setattr("forecasts.ledger.clock.server_time", lambda: server)

    at("2026-01-05T12:00:00Z")
    return at


@pytest.fixture
def forecasts(ledger_url: str, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Commands on a fresh ledger."""
    monkeypatch.setenv("FORECASTS_DATABASE_URL", ledger_url)
    monkeypatch.setenv("FORECASTS_MEMBER", "alice")
    monkeypatch.setenv("TZ", "UTC")
    return Run()


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


@pytest.fixture
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Authority]:
    """A server of stamps that the settings name."""
    made = Authority()
    with served(made) as address:
        monkeypatch.setenv("FORECASTS_STAMP_URL", address)
        monkeypatch.setenv("FORECASTS_STAMP_ROOTS", str(made.pem(tmp_path / "root.pem")))
        monkeypatch.setenv("FORECASTS_ALLOW_PRIVATE_ADDRESSES", "true")
        yield made
