"""forecasts compare: on a folder and a database, in every format, and its errors."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from forecasts.cli.main import app
from forecasts.folder.folder import write_folder
from tests.cli.conftest import Run
from tests.reports.small_ledgers import random_ledger

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("compared") / "ledger"
    write_folder(random_ledger(11, questions=60), path)
    return path


@pytest.fixture
def compare(folder: Path) -> Run:
    def run(*arguments: str, exit_code: int = 0) -> Result:
        result = CliRunner().invoke(
            app, ["compare", str(folder), "--as-of", "2026-06-01T00:00:00Z", *arguments]
        )
        assert result.exit_code == exit_code, result.output + str(result.exception)
        return result

    return run


def test_names_follow_one_another_after_between(compare: Run) -> None:
    names = ["--between", "ana", "bo", "cy", "--of", "forecasters", "--format", "json"]
    said = json.loads(compare(*names).stdout)
    assert [(pair["a"], pair["b"]) for pair in said["pairs"]] == [
        ("ana", "bo"),
        ("ana", "cy"),
        ("bo", "cy"),
    ]


def test_teams_are_the_default_and_the_first_name_may_be_tied_to_the_option(compare: Run) -> None:
    said = compare("--between=north", "south").stdout
    assert "north" in said
    assert "Comparison of teams" in said


@pytest.mark.parametrize("ending", ["json", "pdf", "txt"])
def test_the_form_follows_the_ending_of_the_file(compare: Run, tmp_path: Path, ending: str) -> None:
    file = tmp_path / f"out.{ending}"
    result = compare("--between", "north", "south", "--output", str(file))
    assert result.stdout == ""
    assert file.read_bytes()
    assert file.read_bytes().startswith(b"%PDF") == (ending == "pdf")


def test_a_database_says_the_same_as_the_folder(compare: Run, folder: Path, tmp_path: Path) -> None:
    database = str(tmp_path / "ledger.sqlite3")
    taken = CliRunner().invoke(app, ["import", str(folder), "--database", database])
    assert taken.exit_code == 0, taken.output
    names = ["--between", "north", "south", "--format", "json", "--lead", "3"]
    of_folder = json.loads(compare(*names).stdout)
    arguments = ["compare", "--as-of", "2026-06-01T00:00:00Z", *names, "--database", database]
    of_database = json.loads(CliRunner().invoke(app, arguments).stdout)
    assert of_database["pairs"] == of_folder["pairs"]
    assert of_database["groups"] == of_folder["groups"]
    assert of_database["metadata"]["protocol"] == of_folder["metadata"]["protocol"]
    assert of_folder["metadata"]["lead"] == 3


def test_an_impossible_comparison_is_refused_in_words(compare: Run) -> None:
    both = ("--between", "north", "south")
    for arguments, said in (
        ((), "two or more teams"),
        (("--between", "north", "west"), "no team 'west'"),
        ((*both, "--of", "people"), "--of 'people'"),
        ((*both, "--output", "x.doc"), ".doc"),
        ((*both, "--lead", "0"), "A lead must be above 0"),
    ):
        assert said in compare(*arguments, exit_code=2).stderr
