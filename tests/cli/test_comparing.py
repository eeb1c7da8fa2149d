"""forecasts compare: on a folder and a database, in every format, and its errors."""

from __future__ import annotations

from pathlib import Path

import pytest

from forecasts.folder.folder import write_folder
from tests.cli.conftest import Clock, Run
from tests.reports.small_ledgers import random_ledger

pytestmark = pytest.mark.slow

AS_OF = ("--as-of", "2026-06-01T00:00:00Z")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("compared") / "ledger"
    write_folder(random_ledger(11, questions=30), path)
    return path


@pytest.fixture
def compare(folder: Path) -> Run:
    return Run("compare", str(folder), *AS_OF)


def test_names_follow_one_another_after_between(compare: Run) -> None:
    said = compare.printed("--between", "ana", "bo", "cy", "--of", "forecasters")
    pairs = [(pair["a"], pair["b"]) for pair in said["pairs"]]
    assert pairs == [("ana", "bo"), ("ana", "cy"), ("bo", "cy")]


def test_teams_are_the_default_and_the_first_name_may_be_tied_to_the_option(compare: Run) -> None:
    said = compare("--between=north", "south").stdout
    assert "north" in said
    assert "Comparison of teams" in said


def test_the_form_follows_the_ending_of_the_file(compare: Run, tmp_path: Path) -> None:
    for ending, begins in (("json", b"{"), ("md", b"# Comparison")):
        file = tmp_path / f"out.{ending}"
        assert compare("--between", "north", "south", "--output", str(file)).stdout == ""
        assert file.read_bytes().startswith(begins)


def test_a_database_says_the_same_as_the_folder(
    compare: Run, clock: Clock, folder: Path, tmp_path: Path
) -> None:
    clock("2026-12-01")
    database = ("--database", str(tmp_path / "ledger.sqlite3"))
    Run("import", str(folder))(*database)
    names = ["--between", "north", "south", "--lead", "3"]
    of_folder = compare.printed(*names)
    of_database = Run("compare", *AS_OF).printed(*names, *database)
    for part in ("pairs", "groups"):
        assert of_database[part] == of_folder[part]
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
        assert said in compare.refused(*arguments)
