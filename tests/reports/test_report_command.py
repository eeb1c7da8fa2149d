"""The command ``forecasts report``."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from forecasts.cli.main import app
from forecasts.folder.folder import write_folder
from tests.reports.small_ledgers import random_ledger

pytestmark = pytest.mark.slow

Run = Callable[..., Result]
AS_OF = ("--as-of", "2026-06-01T00:00:00Z")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("reports") / "ledger"
    write_folder(random_ledger(9), path)
    return path


@pytest.fixture
def run(folder: Path) -> Run:
    def run(*arguments: str, exit_code: int = 0) -> Result:
        result = CliRunner().invoke(app, ["report", str(folder), *AS_OF, *arguments])
        assert result.exit_code == exit_code, result.output + str(result.exception)
        return result

    return run


def test_a_database_and_its_folder_give_the_same_report(
    run: Run, folder: Path, ledger_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORECASTS_DATABASE_URL", str(ledger_file))
    assert CliRunner().invoke(app, ["import", str(folder)]).exit_code == 0
    wanted = ["--by", "team", "--format", "json", *AS_OF]
    stored = CliRunner().invoke(app, ["report", *wanted])
    assert stored.exit_code == 0, stored.output
    reports = json.loads(stored.stdout), json.loads(run(*wanted).stdout)
    # Only the ledger knows that they were imported.
    of_ledger, of_folder = (
        [group.pop("provenance")["imported"] for group in each["groups"]] for each in reports
    )
    assert min(of_ledger) > 0
    assert max(of_folder) == 0
    assert reports[0] == reports[1]


def test_the_ending_of_the_output_chooses_the_format(run: Run, tmp_path: Path) -> None:
    for ending, begins in ((".csv", b"name,"), (".pdf", b"%PDF-")):
        output = tmp_path / f"report{ending}"
        assert run("--output", str(output)).stdout == ""
        assert output.read_bytes().startswith(begins)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--by", "moon"), "Use all, forecaster, team, tag, lead, kind, model or owner."),
        (("--cohort", "some"), "Use scheduled or resolved."),
        (("--output", "report.docx"), "Name a format with --format"),
        (("--by", "team", "--name", "east"), "Use one of: north, south."),
        (("--since", "soon"), "'soon' is not a date."),
    ],
)
def test_a_wrong_option_is_explained_and_exits_with_2(run: Run, arguments: Any, said: str) -> None:
    result = run(*arguments, exit_code=2)
    assert said in " ".join(result.stderr.split())
    assert result.stdout == ""


def test_the_choice_of_questions_is_taken_and_stated(run: Run) -> None:
    chosen = ("--tag", "t0", "--tag", "t1", "--since", "2026-01-11", "--until", "2026-01-11")
    document = json.loads(run(*chosen, "--format", "json").stdout)
    about = document["metadata"]
    assert about["tags"] == ["t0", "t1"]
    assert (about["since"], about["until"]) == ("2026-01-11T00:00:00Z", "2026-01-11T23:59:59Z")
    assert document["groups"][0]["questions"] == 8
    result = run(*chosen)
    assert (result.stdout.partition("\n")[0], result.stderr) == ("Track record", "")
    text = " ".join(result.stdout.split())
    assert "Only those with the tag t0 or t1." in text
    assert "Only those scheduled to close from 2026-01-11 to 2026-01-11." in text
