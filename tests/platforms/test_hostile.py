"""Damaged and hostile files of every format: named, refused whole, and read in little memory."""

from __future__ import annotations

import json
import zipfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecasts.common.errors import BadInput, LedgerError
from forecasts.platforms.formats import FORMATS, read, recognised
from forecasts.platforms.record import Choices, check_record
from forecasts.platforms.source import Source, opened
from tests.conftest import day
from tests.platforms.metaculus_files import export, forecast, question

CHOICES = Choices(owner="alice", now=day(200))
HOSTILE = {
    "empty": b"",
    "not UTF-8": b"\xff\xfe\x00title,probability\n\x80,0.5\n",
    "cut JSON": b'[{"id": "a", "question": "Rain?", "createdTime": 17',
    "nested JSON": b"[" * 100_000,
    "JSON of other things": b'{"user": 7, "predictions": "none", "forecasts": {"a": []}}',
    "one long line": b"a" * 100_000,
    "NUL": b"title,probability\n\0,0.5\n",
    "unclosed quote": b'title,probability,outcome\n"Rain?,0.5,yes\n',
    "ragged": b"title,probability,outcome\nRain?,0.5\nSnow?,0.5,yes,no,no\n",
}


def refused(path: Path, name: str | None = None) -> str:
    """Return the message and the problems of files that are refused."""
    with pytest.raises(BadInput) as caught, opened(path) as files:
        check_record(read(files, CHOICES, name).frames)
    return "\n".join([str(caught.value), *map(str, caught.value.problems)])


@pytest.mark.parametrize("data", HOSTILE.values(), ids=HOSTILE)
def test_a_file_that_is_not_of_the_format_is_refused_by_a_message(
    data: bytes, tmp_path: Path
) -> None:
    for ending in ("csv", "jsonl"):
        path = tmp_path / f"given.{ending}"
        path.write_bytes(data)
        with suppress(LedgerError), opened(path) as files:
            recognised(files)
        for name in FORMATS:
            assert refused(path, name)


def test_an_unrecognised_file_gets_a_list_of_known_formats(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("Rain?", "utf-8")
    lines = refused(path).splitlines()
    assert lines[:3] == [
        "notes.txt has no format that can be imported. Looked for:",
        "  Ledger folder: questions.csv and forecasts.csv",
        "  Metaculus: a ZIP or CSVs with forecast_data.csv",
    ]
    assert max(map(len, lines[:-1])) < 80
    assert "--column" not in lines[-1]
    assert "Formats are: metaculus" in refused(path, "metacullus")


def test_of_several_spreadsheets_one_is_to_be_chosen(tmp_path: Path) -> None:
    for name in ("a.csv", "b.csv"):
        (tmp_path / name).write_text("question,probability,outcome\nRain?,0.3,no\n", "utf-8")
    assert "Spreadsheets are imported one at a time: choose one of them." in refused(tmp_path)


def test_files_of_several_exports_are_to_be_imported_by_themselves(tmp_path: Path) -> None:
    each = "Import the files of each export by themselves."
    folder = export(tmp_path / "mixed", [question(41)], [forecast(41)])
    (folder / "mine.json").write_text(
        '{"predictions": [{"description_with_group": "Rain"}]}', "utf-8"
    )
    said = refused(folder)
    assert "mixed could be from Metaculus and PredictionBook." in said
    assert f"{each} Choose one: --format metaculus" in said
    (tmp_path / "packed").mkdir()
    for name in ("old.zip", "new.zip"):
        with zipfile.ZipFile(tmp_path / "packed" / name, "w") as packed:
            packed.write(folder / "question_data.csv", "question_data.csv")
    assert each in refused(tmp_path / "packed")
    assert each not in refused(tmp_path / "mixed" / "mine.json")


def test_a_formula_is_text(tmp_path: Path) -> None:
    title = '=HYPERLINK("https://evil.example","Rain?")'
    folder = export(tmp_path / "export", [question(41, **{"Question Title": title})], [])
    with opened(folder) as files:
        assert read(files, CHOICES).frames.questions["title"].tolist() == [title]


def test_a_link_in_a_folder_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "secret.csv").write_text("title,probability\nRain?,0.5\n", "utf-8")
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "forecast_data.csv").symlink_to(tmp_path / "secret.csv")
    with opened(folder) as files:
        assert files.files == {}


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(st.text(), inside, max_size=3),
    max_leaves=5,
)
OBJECTS = st.lists(st.dictionaries(st.text(), VALUES, max_size=3), max_size=4)


def in_file(path: Path, text: str, **more: Any) -> list[dict[str, Any]]:
    file = path / "some.json"
    file.write_text(text, encoding="utf-8")
    return [value for _, value in Source("some", {file.name: file}).records(file.name, **more)]


@given(OBJECTS, st.sampled_from([None, 1]), st.booleans())
@settings(max_examples=25)
def test_lists_lines_and_pages_of_objects_are_read(
    tmp_path_factory: pytest.TempPathFactory,
    objects: list[dict[str, Any]],
    indent: int | None,
    ascii_only: bool,
) -> None:
    path = tmp_path_factory.mktemp("records")
    for text in (
        json.dumps(objects, indent=indent, ensure_ascii=ascii_only),
        "\n".join(json.dumps(one, indent=indent, ensure_ascii=ascii_only) for one in objects),
        json.dumps({"rows": objects, "page": 12}, indent=indent, ensure_ascii=ascii_only),
    ):
        assert in_file(path, text, lists=["rows"]) == objects


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("[{}, {}", "after record 2: it ends in the middle"),
        ("[{} {}]", "after record 1: it lacks a comma"),
        ('{"rows": [{}], "page"', "after record 0: Expecting"),
        ("[{}] []", "after record 1: it lacks a comma"),
        ("[{}, 7]", "after record 2: it is not an object"),
        ('{"a": 1}\n{"a": ', "after record 1"),
        ('[{"a": Infinity}]', "after record 0: Infinity is not a number in JSON"),
        ("[" + '{"a":' * 100_000, "after record 0: it is nested too deeply"),
        ("[" + "1" * 5_000 + "]", "after record 0"),
    ],
)
def test_a_broken_file_is_refused_with_the_last_good_record(
    tmp_path: Path, text: str, fault: str
) -> None:
    with pytest.raises(BadInput) as caught:
        in_file(tmp_path, text, lists=["rows"])
    assert f"some.json cannot be read {fault}" in caught.value.message


def test_a_file_above_the_limit_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="at most 5 bytes"):
        in_file(tmp_path, "[{}, {}]", most_bytes=5)
