"""Oversized and invalid files are refused with place, size, limit and remedy."""

from __future__ import annotations

import contextlib
import io
import json
import os
import random
import stat
import zipfile
import zlib
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from forecasts.common import limits
from forecasts.common.errors import BadInput
from forecasts.folder.archive import unpack
from forecasts.folder.folder import is_ledger_folder, read_folder
from forecasts.folder.tables import parquet_header
from forecasts.ledger.models import Resolver
from forecasts.parts.partition.sources import find_files
from forecasts.resolution.runs.sources import Sources
from tests.examples import examples
from tests.folder.test_tables import FORECASTS, QUESTIONS, folder, refused

QUESTION = (
    "question_id,title,type,options,tags,open_time,scheduled_close_time\n"
    "q,?,{kind},{options},{tags},2026-01-01T00:00:00Z,2026-01-11T00:00:00Z\n"
)


def quoted(value: Any) -> str:
    return '"' + json.dumps(value).replace('"', '""') + '"'


@pytest.mark.parametrize(
    ("limit", "most", "said"),
    [
        ("FILE_BYTES", 60, "questions.csv has 121 bytes; at most 60 bytes are read. Divide it."),
        ("COLUMNS", 3, "questions.csv has 4 columns; at most 3 are read."),
        ("ROWS", 0, "questions.csv has 1 rows; at most 0 are read."),
    ],
)
def test_a_file_beyond_a_limit_is_refused_by_name_size_limit_and_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str, most: int, said: str
) -> None:
    monkeypatch.setattr(limits, limit, most)
    assert str(refused(folder(tmp_path))).startswith(said)


def test_large_cells_are_named_by_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "TEXT_BYTES", 3_000)
    name, text = "ä" * 1_001, "é" * 1_501
    questions = QUESTIONS + f"{name},?,2026-01-01T00:00:00Z,2026-01-11T00:00:00Z\n"
    questions += f"long,{text},2026-01-01T00:00:00Z,2026-01-11T00:00:00Z\n"
    questions += f"fits,{text[:-1]},2026-01-01T00:00:00Z,2026-01-11T00:00:00Z\n"
    questions += "nul,a\0b,2026-01-01T00:00:00Z,2026-01-11T00:00:00Z\n"
    error = refused(folder(tmp_path, questions.encode()))
    assert [(problem.place, problem.rule) for problem in error.problems] == [
        ("questions.csv, line 3, column question_id", "at most 2,000 bytes; this has 2,002 bytes"),
        ("questions.csv, line 4, column title", "at most 3,000 bytes; this has 3,002 bytes"),
        (
            "questions.csv, line 6, column title",
            "without NUL (U+0000), which a ledger cannot store",
        ),
    ]
    assert len(str(error.problems[0])) < 500


@pytest.mark.parametrize(
    ("tags", "rule"),
    [
        ([[[[["x"]]]]], "at most 4 nested lists or objects"),
        ([str(n) for n in range(1_001)], "at most 1,000 entries; this has 1,001"),
        (["\ud800"], "without a lone surrogate (U+D800), which a ledger cannot store"),
        (["a\0"], "without NUL (U+0000), which a ledger cannot store"),
        ([{"\0": 1}], "without NUL (U+0000), which a ledger cannot store"),
    ],
)
def test_json_has_a_limit_of_depth_and_entries(tmp_path: Path, tags: Any, rule: str) -> None:
    text = QUESTION.format(kind="binary", options="", tags=quoted(tags))
    [problem] = refused(folder(tmp_path, text.encode(), FORECASTS.splitlines()[0] + "\n")).problems
    assert (problem.place, problem.rule) == ("questions.csv, line 2, column tags", rule)


@pytest.mark.parametrize("depth", [900, 100_000])
def test_json_without_an_end_to_its_depth_is_a_bad_cell(tmp_path: Path, depth: int) -> None:
    text = QUESTION.format(kind="binary", options="", tags="[" * depth + "]" * depth)
    [problem] = refused(folder(tmp_path, text.encode(), FORECASTS.splitlines()[0] + "\n")).problems
    assert problem.place == "questions.csv, line 2, column tags"


def texts(rows: int, cell: str) -> pa.Table:
    day = ["2026-01-01T00:00:00Z", "2026-01-11T00:00:00Z"]
    columns = {"question_id": [f"q{n}" for n in range(rows)], "title": [cell] * rows}
    columns |= {"open_time": [day[0]] * rows, "scheduled_close_time": [day[1]] * rows}
    return pa.table(columns | {"tags": [[cell[:9]] * 3] * rows})


def test_a_parquet_bomb_is_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nearly two GB of one repeated text, in a dictionary of one entry."""
    folder(tmp_path)
    (tmp_path / "questions.csv").unlink()
    once = texts(2_000, "x")
    again = pa.DictionaryArray.from_arrays(pa.array([0] * 2_000, pa.int32()), ["x" * 900_000])
    bomb = once.set_column(1, "title", again)
    pyarrow.parquet.write_table(bomb, tmp_path / "questions.parquet")
    assert (tmp_path / "questions.parquet").stat().st_size < 100_000
    monkeypatch.setattr(pyarrow.parquet, "read_table", lambda _: pytest.fail("it was read"))
    error = refused(tmp_path)
    assert error.message.startswith("questions.parquet has 1,8")
    assert "MB unpacked; at most 1,073.7 MB are read" in error.message


@pytest.mark.parametrize(("limit", "most"), [("ROWS", 9), ("FILE_BYTES", 400)])
def test_parquet_is_refused_by_its_own_metadata(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str, most: int
) -> None:
    folder(tmp_path)
    (tmp_path / "questions.csv").unlink()
    pyarrow.parquet.write_table(texts(10, "x"), tmp_path / "questions.parquet")
    (tmp_path / "forecasts.csv").write_text(FORECASTS.splitlines()[0] + "\n")
    assert len(read_folder(tmp_path).questions) == 10
    monkeypatch.setattr(limits, limit, most)
    assert "; at most " in refused(tmp_path).message


@pytest.mark.parametrize("rows", [1, 100])
def test_one_long_text_in_parquet_is_refused_before_a_column_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rows: int
) -> None:
    folder(tmp_path)
    (tmp_path / "questions.csv").unlink()
    noise = random.Random(1).randbytes(6_000).hex()
    table = texts(rows, "x").set_column(
        1, "title", pa.array([noise] * (rows == 1) or ["x"] * 99 + [noise])
    )
    pyarrow.parquet.write_table(table, tmp_path / "questions.parquet")
    monkeypatch.setattr(limits, "TEXT_BYTES", 1_000)
    monkeypatch.setattr(pyarrow.parquet, "read_table", lambda _: pytest.fail("it was read"))
    if rows == 1:
        monkeypatch.setattr(
            pyarrow.parquet.ParquetFile, "iter_batches", lambda _: pytest.fail("it was read")
        )
        with pytest.raises(BadInput, match="has a text of"):
            find_files([tmp_path / "questions.parquet"])
    assert "or more; at most 1,000 bytes of one are read" in refused(tmp_path).message


def test_a_row_group_too_large_for_its_rows_is_refused_before_a_column_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "questions.parquet"
    noise = random.Random(1).randbytes(6_000).hex()
    table = texts(100, "x").set_column(1, "title", pa.array(["x"] * 99 + [noise]))
    monkeypatch.setattr(limits, "GROUP_BYTES", 5_000)
    monkeypatch.setattr(limits, "GROUP_ROW_BYTES", 100)
    pyarrow.parquet.write_table(table, path)
    assert parquet_header(path)
    monkeypatch.setattr(limits, "GROUP_ROW_BYTES", 50)
    monkeypatch.setattr(
        pyarrow.parquet.ParquetFile, "iter_batches", lambda _: pytest.fail("it was read")
    )
    for read in (find_files, lambda paths: read_folder(paths[0].parent)):
        with pytest.raises(BadInput, match="in 100 rows; at most 10,000 bytes are read"):
            read([path])


def test_a_header_without_an_end_is_not_read(tmp_path: Path) -> None:
    for header, said in (
        ('"' + "a,\n" * 500_000, "has a longer header; at most 1 MB of it are read"),
        ("a" * 3_000 + ",b\n", "a name of 3,000 characters; at most 2,000 are read"),
    ):
        error = refused(folder(tmp_path, header.encode()))
        assert said in error.message
        assert len(str(error)) < 500


def test_a_long_list_of_entries_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("forecasts.folder.archive._CHUNK", 1_000)
    path = tmp_path / "ledger.zip"
    path.write_bytes(of_entries(*(f"{n}.csv" for n in range(100))))
    monkeypatch.setattr(zipfile, "ZipInfo", lambda *_: pytest.fail("an entry was read"))
    for read in (read_folder, is_ledger_folder):
        with pytest.raises(
            BadInput, match=r"ledger\.zip has a list of entries of .* at most 1,000"
        ):
            read(path)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("questions.csv", "pipe"),
        ("questions.csv", "folder"),
        ("questions.parquet", "folder"),
        ("questions.csv", "device"),
        ("teams.csv", "device"),
        ("questions.csv", "link out"),
        ("questions.parquet", "link out"),
        ("teams.csv", "link out"),
        ("questions.parquet", "broken link"),
    ],
)
def test_only_files_within_the_folder_are_read(tmp_path: Path, kind: str, name: str) -> None:
    inside = tmp_path / "inside"
    inside.mkdir()
    folder(inside)
    (tmp_path / "secret").write_text(QUESTIONS)
    (inside / "questions.csv").unlink()
    place = inside / name
    if kind == "pipe":
        os.mkfifo(place)
    elif kind == "folder":
        place.mkdir()
    else:
        targets = {"device": "/dev/zero", "link out": tmp_path / "secret"}
        place.symlink_to(targets.get(kind, tmp_path / "nothing"))
    error = refused(inside)
    if "question" in name:
        assert error.message.startswith(name)
        assert error.remedy


@pytest.mark.slow
def test_a_link_within_the_folder_is_read(tmp_path: Path) -> None:
    folder(tmp_path)
    (tmp_path / "questions.csv").rename(tmp_path / "of-may.csv")
    (tmp_path / "questions.csv").symlink_to("of-may.csv")
    assert len(read_folder(tmp_path).questions) == 1


def packed(path: Path, files: dict[str, bytes], **how: Any) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, **how) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


GOOD = {"questions.csv": QUESTIONS.encode(), "forecasts.csv": FORECASTS.encode()}


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder for temporary files, which is empty."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    return tmp_path / "temporary"


@pytest.mark.slow
@pytest.mark.parametrize("top", ["", "my ledger/"])
def test_a_zip_of_a_folder_is_read_like_the_folder_and_leaves_nothing(
    tmp_path: Path, temporary: Path, top: str
) -> None:
    files = {f"{top}{name}": content for name, content in GOOD.items()}
    files |= {f"__MACOSX/{top}._questions.csv": b"\0\5", f"{top}.DS_Store": b"\0"}
    frames = read_folder(packed(tmp_path / "ledger.zip", files))
    assert frames.forecasts["probability"].tolist() == [0.4]
    assert frames.place("forecasts", 0) == "forecasts.csv, line 2"
    assert not list(temporary.iterdir())


def link() -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo("questions.csv")
    entry.external_attr = (stat.S_IFLNK | 0o777) << 16
    return entry


def of_entries(*names: str | zipfile.ZipInfo) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name in names:
            archive.writestr(name, "/etc/passwd")
    return content.getvalue()


def bomb() -> bytes:
    """A ZIP bomb: a GB of zeros in a MB, of which a 64th is packed and then repeated."""
    packer = zlib.compressobj(wbits=-15)
    part = packer.compress(bytes(1 << 24)) + packer.flush(zlib.Z_FULL_FLUSH)
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("questions.csv", part * 64 + packer.flush())
        [entry] = archive.infolist()
        entry.compress_type, entry.file_size = zipfile.ZIP_DEFLATED, 1 << 30
    return content.getvalue()


def lying(real: bytes) -> bytes:
    """Return an archive with an entry that states ten bytes but has more."""
    there = zipfile.ZipFile(io.BytesIO(real)).infolist()[0].file_size.to_bytes(4, "little")
    return real.replace(there, (10).to_bytes(4, "little"))


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (lambda: of_entries("../questions.csv"), "outside the folder: '../questions.csv'"),
        (lambda: of_entries("/etc/questions.csv"), "outside the folder"),
        (lambda: of_entries("..\\questions.csv"), "outside the folder"),
        (lambda: of_entries("C:\\questions.csv"), "outside the folder"),
        (lambda: of_entries(link()), "has a link instead of a file: 'questions.csv'"),
        (
            lambda: of_entries(*(f"{n}.csv" for n in range(1_001))),
            "has 1,001 entries; at most 1,000",
        ),
        (bomb, "unpacks to 1,073.7 MB out of 1 MB; the limit is 208.9 MB"),
        (lambda: lying(of_entries("questions.csv")), "cannot be unpacked"),
        (lambda: of_entries("questions.csv")[:-30], "is a file, not a ledger folder"),
        (lambda: b"question_id", "is a file, not a ledger folder"),
    ],
    ids=["up", "absolute", "backslash", "drive", "link", "many", "bomb", "lie", "cut", "no zip"],
)
def test_an_archive_that_would_do_harm_is_refused_and_leaves_nothing(
    tmp_path: Path, temporary: Path, made: Callable[[], bytes], said: str
) -> None:
    (tmp_path / "ledger.zip").write_bytes(made())
    error = refused(tmp_path / "ledger.zip")
    assert error.message.startswith("ledger.zip ")
    assert said in error.message
    assert error.remedy
    assert {*tmp_path.rglob("*")} == {tmp_path / "ledger.zip", temporary}


@pytest.mark.slow
@settings(max_examples=examples(60))
@given(data=st.data())
def test_a_damaged_archive_raises_nothing_but_our_own(tmp_path: Path, data: st.DataObject) -> None:
    whole = bytearray(packed(tmp_path / "whole.zip", GOOD).read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    (tmp_path / "damaged.zip").write_bytes(whole)
    into = tmp_path / "into"
    into.mkdir(exist_ok=True)
    for old in list(into.rglob("*")):
        if old.is_file():
            old.unlink()
    with contextlib.suppress(BadInput):
        unpack(tmp_path / "damaged.zip", into)


def test_a_file_of_outcomes_is_read_to_the_same_limits(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    sources = Sources(engine, now)
    os.mkfifo(tmp_path / "pipe.csv")
    with pytest.raises(BadInput, match=r"pipe\.csv is a pipe"):
        sources.fetch(Resolver(), str(tmp_path / "pipe.csv"))
    monkeypatch.setattr(limits, "SOURCE_BYTES", 5)
    (tmp_path / "outcomes.csv").write_text("123456")
    for _ in range(2):
        with pytest.raises(BadInput, match=r"outcomes\.csv has 6 bytes; at most 5 bytes are read"):
            sources.fetch(Resolver(), str(tmp_path / "outcomes.csv"))


@pytest.mark.slow
@pytest.mark.parametrize("beyond", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_a_time_outside_the_calendar_is_named_once(tmp_path: Path, beyond: str) -> None:
    forecasts = FORECASTS.replace("2026-01-02T00:00:00Z", beyond)
    problems = refused(folder(tmp_path, forecasts=forecasts)).problems
    assert [(problem.place, problem.value, problem.rule) for problem in problems] == [
        ("forecasts.csv, line 2, column made_at", beyond, "a time in the years 1 to 9999 in UTC")
    ]


@pytest.mark.parametrize("options", ["1e309", '"x"', "[" + "9" * 5_000 + "]", "{}"])
def test_only_the_options_of_a_bad_question_are_named(tmp_path: Path, options: str) -> None:
    text = QUESTION.format(
        kind="multiple_choice", options='"' + options.replace('"', '""') + '"', tags=""
    )
    forecasts = "question_id,forecaster,made_at,probabilities\n"
    forecasts += 'q,bob,2026-01-02T00:00:00Z,"[0.5, 0.5]"\n'
    problems = refused(folder(tmp_path, text.encode(), forecasts)).problems
    assert {problem.place for problem in problems} == {"questions.csv, line 2, column options"}


@pytest.mark.parametrize("name", ["9" * 400, "a\0b"])
def test_an_impossible_folder_name_is_refused(tmp_path: Path, name: str) -> None:
    assert "There is no folder" in refused(tmp_path / name).message


def test_nested_lists_in_parquet_are_refused(tmp_path: Path) -> None:
    folder(tmp_path)
    (tmp_path / "questions.csv").unlink()
    stored = texts(1, "x").set_column(4, "tags", pa.array([[["x", "y"], ["z"]]]))
    pyarrow.parquet.write_table(stored, tmp_path / "questions.parquet")
    problem, _ = refused(tmp_path).problems  # the other: a forecast on a question that is missing
    assert (problem.place, problem.rule) == (
        "questions.parquet, row 1, column tags",
        "a JSON list of texts",
    )
