"""The ledger that a command opens or creates, and commands without a ledger."""

from itertools import cycle
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from forecasts.cli.main import app
from forecasts.common.settings import default_ledger
from tests.cli.conftest import Run

pytestmark = pytest.mark.slow

READING = [
    ("questions",),
    ("articles",),
    ("report",),
    ("score",),
    ("crowd",),
    ("attribute",),
    ("show", "rain"),
]
CHANGING = [
    ("update", "rain", "40%"),
    ("withdraw", "rain"),
    ("resolve", "rain", "yes"),
    ("run",),
    ("export", "out"),
]
BEGINNING = ("ask", "Will it rain?", "--closes", "2999-12-31", "--slug", "rain")


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command without a named ledger and without a default one."""
    monkeypatch.delenv("FORECASTS_DATABASE_URL", raising=False)
    monkeypatch.setenv("FORECASTS_MEMBER", "alice")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str, exit_code: int = 0) -> Result:
        result = CliRunner().invoke(app, list(arguments))
        assert result.exit_code == exit_code, result.output + str(result.exception)
        return result

    return run


def test_reading_shows_an_empty_ledger_and_creates_none(run: Run, tmp_path: Path) -> None:
    for command in READING[:-1]:
        result = run(*command)
        assert "There is no ledger yet" in result.stderr
        assert str(default_ledger()) in result.stderr
        assert result.stdout != "", command
    assert list(tmp_path.iterdir()) == []


def test_a_mistyped_ledger_is_said_and_not_created(run: Run, tmp_path: Path) -> None:
    for command in (*READING, *CHANGING):
        result = run(*command, "--database", "mistyped.sqlite3", exit_code=2)
        assert result.stdout == ""
        assert f"There is no ledger at '{tmp_path / 'mistyped.sqlite3'}'." in result.stderr
        assert "forecasts ask" in result.stderr
        assert "forecasts demo" in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_change_needs_a_ledger_with_its_target(run: Run, tmp_path: Path) -> None:
    for command in CHANGING:
        assert f"There is no ledger at '{default_ledger()}'." in run(*command, exit_code=2).stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["why? #1 100%20.sqlite3", "new/folder/l.db"])
def test_the_first_question_begins_the_ledger_that_is_named(
    run: Run, tmp_path: Path, name: str
) -> None:
    asked = run(*BEGINNING, "--database", name)
    assert f"Created the ledger {tmp_path / name}." in asked.stderr
    assert (tmp_path / name).is_file()
    again = run("questions", "--database", name)
    assert again.stdout.split()[0] == "rain"
    assert again.stderr == ""


def test_migrate_says_which_schema_the_ledger_has(run: Run, tmp_path: Path) -> None:
    said = run("migrate", "--database", "new.sqlite3")
    assert "Created the ledger" in said.stderr
    assert said.stdout.startswith(f"The ledger {tmp_path / 'new.sqlite3'} has schema 0")


def test_the_first_question_begins_the_ledger_of_the_data_folder(run: Run) -> None:
    run(*BEGINNING)
    assert run("questions").stdout.split()[0] == "rain"
    assert default_ledger().is_file()


WRONG = [
    ("folder", "is a folder"),
    ("list.txt", "is not a ledger"),
    ("list.txt/ledger.sqlite3", "list.txt/ledger.sqlite3"),
    ("nonsense://", "cannot be used"),
    ("sqlite://", "names no file"),
]


def test_a_file_that_is_not_a_ledger_is_refused_and_unchanged(run: Run, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "list.txt").write_text("milk, bread, more than the hundred bytes of a header" * 3)
    before = (tmp_path / "list.txt").read_bytes()
    for commands in (READING, [BEGINNING, ("migrate",), *CHANGING]):
        for command, (name, words) in zip(commands, cycle(WRONG), strict=False):
            result = run(*command, "--database", name, exit_code=2)
            assert words in result.stderr, command
            assert result.stdout == ""
    assert (tmp_path / "list.txt").read_bytes() == before
    assert {path.name for path in tmp_path.rglob("*")} == {"folder", "list.txt"}
