"""A folder of parts: its manifest is checked, and a part is read as it was written."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

import scoring
from forecasts.common.errors import BadInput, Refused
from forecasts.parts.chunks import chunks
from forecasts.parts.files import part_file, part_of
from forecasts.parts.folder import (
    Parts,
    new_folder,
    open_parts,
    write_manifest,
    write_whole,
)
from forecasts.parts.manifest import MANIFEST, is_parts
from forecasts.parts.reports.plan import between
from tests.parts.work import write_part

TIMES = pd.to_datetime(["2026-01-01T00:00:00Z", "2026-01-11T00:00:00Z"]).as_unit("us")
QUESTIONS = pd.DataFrame(
    {
        "question_id": ["rain", "colour"],
        "type": ["binary", "multiple_choice"],
        "options": [None, ["red", "blue"]],
        "open_time": TIMES[0],
        "scheduled_close_time": TIMES[1],
        "resolution": ["yes", "blue"],
    }
)
FORECASTS = pd.DataFrame(
    {
        "question_id": pd.Categorical(["rain", "colour", "rain", "rain"]),
        "forecaster": ["zoe", "zoe", "ana", "zoe"],
        "made_at": TIMES[0],
        "probability": [0.5, np.nan, 0.4, 0.1],
        "probabilities": [None, [0.25, 0.75], None, None],
    }
)


@pytest.fixture
def parts(tmp_path: Path) -> Parts:
    folder = tmp_path / "parts"
    with new_folder(folder) as draft:
        write_manifest(draft, 1, write_part(draft, 0, QUESTIONS, FORECASTS), source="abc")
    return open_parts(folder)


def test_the_part_of_a_question_is_its_md5_modulo_the_number_of_parts() -> None:
    for question in ("rain", "Wird's regnen? ☔", ""):
        number = int.from_bytes(hashlib.md5(question.encode()).digest()[:4], "big")
        assert [part_of(question, parts) for parts in (1, 7, 64)] == [0, number % 7, number % 64]


def test_a_part_is_read_in_order_and_equal_times_keep_the_order_they_were_given_in(
    parts: Parts,
) -> None:
    _, forecasts = parts.read(0)
    assert forecasts["question_id"].tolist() == ["colour", "rain", "rain", "rain"]
    assert forecasts["forecaster"].tolist() == ["zoe", "ana", "zoe", "zoe"]
    assert forecasts["probability"].tolist()[1:] == [0.4, 0.5, 0.1]
    assert forecasts["probabilities"].tolist() == ["[0.25, 0.75]", None, None, None]


def test_ids_are_read_as_categoricals_and_columns_that_are_blank_throughout_are_left_out(
    parts: Parts,
) -> None:
    forecasts = parts.forecasts(0)
    ids = ["question_id", "forecaster"]
    assert [str(kind) for kind in forecasts[ids].dtypes] == ["category", "category"]
    assert list(forecasts) == [*ids, "made_at", "probability", "probabilities"]
    assert list(parts.forecasts(0, ["made_at"])) == ["made_at"]
    assert parts.questions(0)["options"].tolist() == [["red", "blue"], None]


def test_chunks_hold_whole_questions_in_order_and_the_last_one_read_waits_for_the_next(
    tmp_path: Path,
) -> None:
    ids = [f"question-{number:02d}" for number in range(29)]
    made = [id_ for id_ in ids if id_ != "question-13" for _ in range(2)]
    questions = QUESTIONS.iloc[[0] * len(ids)].assign(question_id=ids)
    write_part(tmp_path, 0, questions, FORECASTS.iloc[[0] * len(made)].assign(question_id=made))
    paths = [tmp_path / part_file(table, 0) for table in ("questions", "forecasts")]
    pq.write_table(pq.read_table(paths[1]), paths[1], row_group_size=1)
    for rows, sizes in ((56, [54, 2]), (40, [38, 16, 2]), (25, [24, 24, 6, 2])):
        found = list(chunks(*paths, rows=rows))
        assert [len(each.forecasts) for each in found] == sizes
        asked: list[str] = []
        said: list[str] = []
        for each in found:
            assert (each.questions_before, each.forecasts_before) == (len(asked), len(said))
            asked += each.questions["question_id"].tolist()
            said += each.forecasts["question_id"].tolist()
        assert (asked, said) == (ids, made)


def test_an_empty_part_is_read_as_empty_frames(tmp_path: Path) -> None:
    files = write_part(tmp_path, 0, QUESTIONS[:0], FORECASTS[:0])
    questions, forecasts = write_manifest(tmp_path, 1, files).read(0)
    assert questions.empty
    assert forecasts.empty
    assert scoring.score(questions, forecasts).empty


def test_teams_are_kept_whole_and_missing_evidence_is_empty(tmp_path: Path) -> None:
    teams = pd.DataFrame({"team": ["a"], "forecaster": ["zoe"], "joined_at": TIMES[:1]})
    files = write_part(tmp_path, 0, QUESTIONS, FORECASTS) | write_whole(tmp_path, "teams", teams)
    parts = write_manifest(tmp_path, 1, files)
    assert parts.whole("teams")["forecaster"].tolist() == ["zoe"]
    assert parts.whole("teams")["left_at"].isna().all()
    assert parts.whole("evidence").empty


def test_a_part_that_was_changed_is_refused(parts: Parts) -> None:
    before = parts.digest(0)
    write_part(parts.folder, 0, QUESTIONS, FORECASTS[:3])
    assert parts.digest(0) == before
    with pytest.raises(BadInput, match=r"forecasts/part-00000.parquet was changed"):
        parts.read(0)
    (parts.folder / part_file("questions", 0)).unlink()
    with pytest.raises(BadInput, match=r"has no file questions/part-00000.parquet"):
        parts.read(0)


def test_a_folder_without_a_manifest_is_not_one_of_parts(parts: Parts, tmp_path: Path) -> None:
    assert is_parts(parts.folder)
    assert not is_parts(tmp_path)
    with pytest.raises(BadInput, match="is not a folder of parts"):
        open_parts(tmp_path)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"format": "other"}, "is not valid: format"),
        ({"version": 2}, "has version 2"),
        ({"parts": 0}, "is not valid: parts"),
        ({"parts": 2}, "does not list the files of 2 parts"),
        ({"files": {"../secret": {"rows": 1, "sha256": ""}}}, "does not list the files"),
        ({"files": {"questions/part-00000.parquet": {}}}, "is not valid: files .* rows"),
        ({"files": []}, "is not valid: files"),
    ],
)
def test_a_manifest_that_breaks_the_format_is_refused_with_a_sentence(
    parts: Parts, changes: dict[str, object], message: str
) -> None:
    manifest = parts.folder / MANIFEST
    manifest.write_text(json.dumps(json.loads(manifest.read_text()) | changes))
    with pytest.raises(BadInput, match=message):
        open_parts(parts.folder)


def test_a_folder_with_content_is_refused_and_an_error_leaves_nothing(
    parts: Parts, tmp_path: Path
) -> None:
    with pytest.raises(Refused, match="an empty folder"), new_folder(parts.folder):
        pass

    def fail() -> None:
        with new_folder(tmp_path / "other") as draft:
            write_part(draft, 0, QUESTIONS, FORECASTS)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert [path.name for path in tmp_path.iterdir()] == ["parts"]


def test_an_empty_folder_that_is_there_is_filled(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    link = tmp_path / "link"
    link.symlink_to("disk")
    with new_folder(link) as draft:
        write_manifest(draft, 1, write_part(draft, 0, QUESTIONS, FORECASTS))
    assert open_parts(link).rows("forecasts") == 4
    assert link.is_symlink()
    names = sorted(path.name for path in (tmp_path / "disk").iterdir())
    assert names == ["forecasts", "parts.json", "questions"]


def abandoned(beside: Path) -> Path:
    """Return a folder that a killed run left there."""
    folder = beside / ".new-unfinished-k1ll3d__"
    (folder / ".rows").mkdir(parents=True)
    (folder / ".rows" / "forecasts").write_bytes(b"rows")
    return folder


@pytest.mark.parametrize("inside", [False, True])
def test_files_of_a_killed_run_are_removed_by_the_next(tmp_path: Path, inside: bool) -> None:
    folder = tmp_path / "new"
    if inside:
        folder.mkdir()
    abandoned(folder if inside else tmp_path)
    with new_folder(folder) as draft:
        write_manifest(draft, 1, write_part(draft, 0, QUESTIONS, FORECASTS))
    assert open_parts(folder).rows("forecasts") == 4
    assert [path.name for path in tmp_path.iterdir()] == ["new"]
    assert sorted(path.name for path in folder.iterdir()) == ["forecasts", MANIFEST, "questions"]


@pytest.mark.parametrize("inside", [False, True])
def test_of_two_runs_into_a_folder_the_second_is_refused_at_once(
    tmp_path: Path, inside: bool
) -> None:
    folder = tmp_path / "new"
    if inside:
        folder.mkdir()
    with new_folder(folder) as draft:
        with pytest.raises(Refused, match="Another command is writing"), new_folder(folder):
            pass
        with new_folder(tmp_path / "new-2") as other:
            write_manifest(other, 1, write_part(other, 0, QUESTIONS, FORECASTS))
        write_manifest(draft, 1, write_part(draft, 0, QUESTIONS, FORECASTS))
    assert open_parts(folder).rows("forecasts") == 4


def test_without_locks_a_folder_is_made_and_nothing_of_others_is_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_locks(*_: object) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr("fcntl.flock", no_locks)
    left = abandoned(tmp_path)
    with new_folder(tmp_path / "new") as draft:
        write_manifest(draft, 1, write_part(draft, 0, QUESTIONS, FORECASTS))
    assert open_parts(tmp_path / "new").rows("forecasts") == 4
    assert left.is_dir()


def test_several_reports_at_once_keep_their_files_and_remove_those_of_killed_ones(
    parts: Parts,
) -> None:
    killed = parts.folder.parent / ".parts-report-unfinished-k1ll3d__"
    killed.mkdir()
    with between(parts) as one, between(parts) as two:
        assert one.is_dir()
        assert two.is_dir()
        assert one != two
        assert not killed.exists()
    assert [path.name for path in parts.folder.parent.iterdir()] == ["parts"]
