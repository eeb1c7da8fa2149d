"""Slow commands check their arguments first: names, outputs and numbers."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from forecasts.cli.outputs import require_file, require_folder
from forecasts.cli.root import loaded
from forecasts.common.errors import BadInput
from forecasts.folder.drafts import require_empty
from forecasts.parts import folder as parts_folder
from tests.cli.conftest import Run
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
    """The words of a command that must fail before any work is handed out."""
    monkeypatch.setattr("forecasts.parts.execution.Processes.submit", working)
    return Run().refused


def test_a_comparison_of_teams_in_parts_names_them_before_it_reads_forecasts(
    refused: Callable[..., str], parts: Path
) -> None:
    for arguments, said in (
        ((), "Choose from: north, south."),
        (("--between", "north", "north"), "two or more teams, got 1"),
        (("--between", "north", "west"), "no team 'west'. Use one of: north, south."),
    ):
        assert said in refused("compare", str(parts), *arguments)


def test_a_comparison_in_parts_without_teams_proposes_forecasters(
    refused: Callable[..., str], parts: Path, tmp_path: Path
) -> None:
    alone = shutil.copytree(parts, tmp_path / "alone")
    files = {**parts_folder.open_parts(parts).files}
    del files["teams.parquet"]
    parts_folder.write_manifest(alone, 1, files)
    said = refused("compare", str(alone))
    assert "There are no teams to compare. Compare forecasters instead." in said


def test_a_report_on_an_unknown_team_lead_or_group_is_refused_before_it_reads_forecasts(
    refused: Callable[..., str], parts: Path
) -> None:
    for by, said in (
        (("team", "--name", "west"), "no team 'west'"),
        (("lead", "--name", "soon"), "not a lead time"),
        (("teams",), "--by 'teams' is not known. Did you mean team? Use all, forecaster, team"),
    ):
        assert said in refused("report", str(parts), "--by", *by)


def test_a_folder_or_output_that_cannot_be_is_refused_first(
    refused: Callable[..., str], parts: Path, tmp_path: Path
) -> None:
    pipe, missing = tmp_path / "pipe.csv", str(tmp_path / "missing")
    os.mkfifo(pipe)
    for name in ("report", "compare"):
        for output, said in (
            (tmp_path, "is a folder"),
            (tmp_path / "none" / "out.csv", "There is no folder"),
            (pipe, "leave out --output"),
        ):
            assert said in refused(name, str(parts), "--output", str(output))
    for name in ("score", "report", "compare"):
        assert f"There is no folder '{missing}'." in refused(name, missing)
    # The first one mistyped is named, not the folder for the scores.
    assert "missing'." in refused("score", missing, "--output", str(tmp_path))


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
    file = tmp_path / "file"
    file.touch()
    assert "not an empty folder" in refused("simulate", str(tmp_path))
    assert "is not a folder" in refused("simulate", str(file / "new"))


def test_publish_checks_folder_address_and_questions_before_it_reads_the_record(
    forecasts: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
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
        assert said in forecasts.refused("publish", *arguments)


def test_a_mistyped_number_is_refused_with_its_rule_and_remedy(
    refused: Callable[..., str],
) -> None:
    for option, value, rule in (
        ("--updates", "abc", "a valid integer"),
        ("--updates", "1.5", "a valid integer"),
        ("--updates", "0", "greater than or equal to 1"),
        ("--overconfident", "nan", "less than or equal to 1"),
    ):
        said = f"{option} '{value}' is not valid. It must be {rule}."
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


def test_a_name_that_is_too_long_is_refused_with_a_remedy(forecasts: Run, tmp_path: Path) -> None:
    too_long = tmp_path / ("a" * 300)
    forecasts("ask", "Will it rain?", "60%", "--closes", "2026-02-15")
    for arguments in (("score", "--format", "csv", "--output"), ("publish",)):
        said = forecasts.refused(*arguments, str(too_long))
        assert "cannot be written" in said
        assert "Name a f" in said
    with pytest.raises(BadInput, match="cannot be written"), parts_folder.new_folder(too_long):
        pass


def test_a_place_that_cannot_be_looked_at_is_not_an_unexpected_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def shut(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    shut_folder = tmp_path / "shut"
    monkeypatch.setattr("os.stat", shut)
    monkeypatch.setattr(Path, "stat", shut)
    for require in (require_file, require_folder, require_empty):
        with pytest.raises(BadInput):
            require(shut_folder)
