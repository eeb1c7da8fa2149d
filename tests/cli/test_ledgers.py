"""The ledger that a command opens or creates, and commands without a ledger."""

from itertools import cycle
from pathlib import Path

import pytest

from forecasts.common.settings import default_ledger
from tests.cli.conftest import Run

pytestmark = pytest.mark.slow

NAMES = ("questions", "articles", "report", "score", "crowd", "attribute")
READING = [*((name,) for name in NAMES), ("show", "rain")]
RAIN = [("update", "rain", "40%"), ("withdraw", "rain"), ("resolve", "rain", "yes")]
CHANGING = [*RAIN, ("run",), ("export", "out")]
BEGINNING = ("ask", "Will it rain?", "--closes", "2999-12-31", "--slug", "rain")


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Commands without a named ledger and without a default one."""
    monkeypatch.delenv("FORECASTS_DATABASE_URL", raising=False)
    monkeypatch.setenv("FORECASTS_MEMBER", "alice")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)
    return Run()


def test_reading_shows_an_empty_ledger_and_creates_none(run: Run, tmp_path: Path) -> None:
    for command in READING[:-1]:
        result = run(*command)
        assert "There is no ledger yet" in result.stderr
        assert str(default_ledger()) in result.stderr
        assert result.stdout != "", command
    assert list(tmp_path.iterdir()) == []


def test_a_missing_ledger_is_said_and_not_created(run: Run, tmp_path: Path) -> None:
    for command in (*READING, *CHANGING):
        refused = run.refused(*command, "--database", "mistyped.sqlite3")
        assert f"There is no ledger at '{tmp_path / 'mistyped.sqlite3'}'." in refused
        assert "forecasts ask" in refused
        assert "forecasts demo" in refused
    assert f"There is no ledger at '{default_ledger()}'." in run.refused(*CHANGING[0])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["why? #1 100%20.sqlite3", "new/folder/l.db", None])
def test_the_first_question_begins_the_ledger_that_is_named_or_that_of_the_data_folder(
    run: Run, tmp_path: Path, name: str | None
) -> None:
    place = default_ledger() if name is None else tmp_path / name
    named = () if name is None else ("--database", name)
    assert f"Created the ledger {place}." in run(*BEGINNING, *named).stderr
    assert place.is_file()
    again = run("questions", *named)
    assert again.stdout.split()[0] == "rain"
    assert again.stderr == ""


def test_migrate_says_which_schema_the_ledger_has(run: Run, tmp_path: Path) -> None:
    said = run("migrate", "--database", "new.sqlite3")
    assert "Created the ledger" in said.stderr
    assert said.stdout.startswith(f"The ledger {tmp_path / 'new.sqlite3'} has schema 0")


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
            assert words in run.refused(*command, "--database", name), command
    assert (tmp_path / "list.txt").read_bytes() == before
    assert {path.name for path in tmp_path.rglob("*")} == {"folder", "list.txt"}
