"""Slow commands check their arguments first: names, outputs and numbers."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from forecasts.cli.main import app
from forecasts.cli.root import loaded
from forecasts.parts import folder as parts_folder
from tests.cli.conftest import Clock, Run
from tests.parts.work import write_part
from tests.reports.small_ledgers import random_ledger


def working(*_: Any, **__: Any) -> None:
    raise AssertionError("the work has begun")


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    frames = random_ledger(11, questions=20)
    folder = tmp_path_factory.mktemp("checked") / "parts"
    with parts_folder.new_folder(folder) as draft:
        files = write_part(draft, 0, frames.questions, frames.forecasts)
        files |= parts_folder.write_whole(draft, "teams", frames.teams)
        parts_folder.write_manifest(draft, 1, files)
    return folder


@pytest.fixture
def refused(monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Return a function that runs a command, which must fail before any work is handed out."""
    monkeypatch.setattr("forecasts.parts.execution.Processes.submit", working)

    def run(*arguments: str) -> str:
        result = CliRunner().invoke(app, arguments)
        assert result.exit_code == 2, result.output + repr(result.exception)
        return result.stderr

    return run


def test_a_comparison_of_teams_in_parts_names_them_before_it_reads_forecasts(
    refused: Callable[..., str], parts: Path
) -> None:
    for arguments, said in (
        ((), "Choose from: north, south."),
        (("--between", "north", "north"), "two or more teams, got 1"),
        (("--between", "north", "west"), "no team 'west'. Use one of: north, south."),
    ):
        assert said in " ".join(refused("compare", str(parts), *arguments).split())


def test_a_comparison_in_parts_without_teams_proposes_forecasters(
    refused: Callable[..., str], parts: Path, tmp_path: Path
) -> None:
    alone = shutil.copytree(parts, tmp_path / "alone")
    files = {**parts_folder.open_parts(parts).files}
    del files["teams.parquet"]
    parts_folder.write_manifest(alone, 1, files)
    said = " ".join(refused("compare", str(alone)).split())
    assert "There are no teams to compare. Compare forecasters instead." in said


def test_a_report_on_an_unknown_team_or_lead_is_refused_before_it_reads_forecasts(
    refused: Callable[..., str], parts: Path
) -> None:
    team = refused("report", str(parts), "--by", "team", "--name", "west")
    assert "no team 'west'" in team
    assert "not a lead time" in refused("report", str(parts), "--by", "lead", "--name", "soon")


@pytest.mark.parametrize("name", ["report", "compare"])
def test_an_output_that_cannot_be_written_is_refused_first(
    refused: Callable[..., str], parts: Path, tmp_path: Path, name: str
) -> None:
    pipe = tmp_path / "pipe.csv"
    os.mkfifo(pipe)
    for output, said in (
        (tmp_path, "is a folder"),
        (tmp_path / "none" / "out.csv", "There is no folder"),
        (pipe, "leave out --output"),
    ):
        assert said in refused(name, str(parts), "--output", str(output))


def test_a_simulation_names_the_option_that_is_wrong(
    refused: Callable[..., str], tmp_path: Path
) -> None:
    for option, value, said in (
        ("--updates", "0", "--updates"),
        ("--teams", "-1", "--teams"),
        ("--overconfident", "2", "--overconfident"),
        ("--parts", "100001", "--parts"),
        ("--types", "numeric=-0.1", "a share must be from 0 to 1"),
        ("--types", "numeric=0.7,multiple_choice=0.7", "add up to 1.4"),
    ):
        assert said in refused("simulate", str(tmp_path / "new"), option, value)


def test_a_simulation_needs_a_new_folder(refused: Callable[..., str], tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    assert "not an empty folder" in refused("simulate", str(tmp_path))
    assert "is not a folder" in refused("simulate", str(file / "new"))


def test_publish_checks_folder_address_and_questions_before_it_reads_the_record(
    forecasts: Run, clock: Clock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    forecasts("ask", "Will it rain?", "60%", "--closes", "2026-02-15", "--slug", "rain")
    monkeypatch.setattr("forecasts.publication.publish.publish", working)
    monkeypatch.setattr("forecasts.operations.stamps.stamps", working)
    full = tmp_path / "full"
    full.mkdir()
    (full / "note.txt").touch()
    new = str(tmp_path / "new")
    for arguments, said in (
        ((str(full),), "is not empty"),
        ((str(full / "note.txt" / "record"),), "is not a folder"),
        ((new, "--url", "record"), "not the address of a site"),
        ((new, "--question", "rian"), "rain"),
    ):
        assert said in forecasts("publish", *arguments, exit_code=2).stderr


def test_a_mistyped_folder_is_named_before_the_folder_for_its_scores(
    refused: Callable[..., str], tmp_path: Path
) -> None:
    for name in ("score", "report", "compare"):
        said = refused(name, str(tmp_path / "missing"))
        assert "There is no folder" in said
        assert "missing" in said
    (tmp_path / "scores").mkdir()
    said = refused("score", str(tmp_path / "missing"), "--output", str(tmp_path / "scores"))
    assert "missing'." in said.replace("\n", "")
    assert "Name a file" not in said


def test_a_value_with_a_slip_is_refused_with_the_one_that_was_meant(
    refused: Callable[..., str], parts: Path
) -> None:
    said = refused("report", str(parts), "--by", "teams")
    assert "--by 'teams' is not known.\nDid you mean team? Use all, forecaster, team" in said


def test_a_mistyped_number_is_refused_with_its_rule_and_remedy(
    refused: Callable[..., str],
) -> None:
    for option, value, rule in (
        ("--updates", "abc", "a valid integer"),
        ("--updates", "1.5", "a valid integer"),
        ("--updates", "0", "greater than or equal to 1"),
        ("--overconfident", "nan", "less than or equal to 1"),
    ):
        said = f"{option} '{value}' is not valid.\nIt must be {rule}.\n"
        assert refused("simulate", "new", option, value).startswith(said)


def numbers(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield the arguments that mistype each number of a command, and its name in errors."""
    for name, one in getattr(command, "commands", {}).items():
        yield from numbers(one, (*path, name))
    for parameter in command.params:
        if parameter.type_descriptor.annotation in (int, float):
            option = parameter.opts[:1] if parameter.param_type_name == "option" else []
            yield (*path, *option, "abc"), option[0] if option else parameter.metavar


def test_every_number_of_the_commands_is_refused_in_the_same_words(
    refused: Callable[..., str],
) -> None:
    every = dict(one for name, command in loaded().items() for one in numbers(command, (name,)))
    assert len(every) > 15
    for arguments, name in every.items():
        assert refused(*arguments).startswith(f"{name} 'abc' is not valid"), arguments
