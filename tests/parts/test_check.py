"""The check of a folder of parts: every byte is compared, also in old files."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from forecasts.cli.main import app
from forecasts.parts.files import part_file
from forecasts.parts.folder import Parts, files_that_differ
from tests.parts import work


@pytest.fixture
def parts(tmp_path: Path) -> Parts:
    return work.written(tmp_path / "parts", work.tournament())


def run(*arguments: str | Path, exit_code: int = 0) -> Result:
    result = CliRunner().invoke(app, ["partition", *map(str, arguments)])
    assert result.exit_code == exit_code, result.output + str(result.exception)
    return result


def test_a_changed_byte_is_found_in_a_file_older_than_the_manifest(parts: Parts) -> None:
    path = parts.folder / part_file("forecasts", 2)
    content = bytearray(path.read_bytes())
    content[50] ^= 1
    path.write_bytes(content)
    os.utime(path, ns=(0, 0))
    assert files_that_differ(parts) == ["forecasts/part-00002.parquet"]


def test_progress_counts_forecasts_and_nothing_differs_in_new_parts(parts: Parts) -> None:
    seen: list[tuple[int, int]] = []
    assert files_that_differ(parts, progress=lambda done, of: seen.append((done, of))) == []
    assert seen == sorted(seen)
    assert seen[-1] == (200, 200)


def test_the_command_says_that_all_files_match_or_names_those_that_differ(parts: Parts) -> None:
    checked = run("--check", parts.folder)
    assert checked.stdout == f"{parts.folder}: all 8 files match parts.json\n"
    (parts.folder / part_file("questions", 1)).unlink()
    checked = run("--check", parts.folder, exit_code=1)
    assert f"{parts.folder}: 1 of 8 files changed or missing:" in checked.stderr
    assert "  questions/part-00001.parquet" in checked.stderr
    assert "Make the parts again" in checked.stderr


def test_a_check_writes_nothing_and_a_partition_needs_a_new_folder(parts: Parts) -> None:
    refused = run("--check", parts.folder, "--into", "new", exit_code=2)
    assert "Leave out --into" in refused.stderr
    refused = run(parts.folder, exit_code=2)
    assert "--into PARTS" in refused.stderr
