"""Damaged exports of other platforms are read or refused with our own errors, never half."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine

from forecasts.access.members import member_or_new
from forecasts.importing.record import import_record
from forecasts.ledger import database
from forecasts.platforms.formats import FORMATS, read
from forecasts.platforms.record import Choices
from forecasts.platforms.source import opened
from tests.conftest import day
from tests.fuzz.fuzzing import CELLS, damaged, few_or, fuzz, our_own_or_nothing
from tests.platforms.metaculus_files import export, forecast, question
from tests.platforms.test_journeys import FILES

pytestmark = pytest.mark.slow

NOW = day(400)
POLL = {"Question Type": "multiple_choice", "MC Options (All)": "['a', 'b']"}
VALUES = st.sampled_from(
    [None, True, False, 0, -1, 1e308, 10**30, 0.5, "", "0.5", "NaN", [], {}, [None], {"id": 1}, "x"]
)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, bytes]]:
    """A sound export of each format: the bytes of its files by name."""
    folder = export(
        tmp_path_factory.mktemp("exports") / "metaculus",
        [question(41), question(42, **POLL)],
        [
            forecast(41, **{"Probability Yes": 0.25}),
            forecast(42, **{"Probability Yes Per Category": "[0.4, 0.6]"}),
        ],
    )
    made = {
        format_: {
            name: (content if isinstance(content, str) else json.dumps(content)).encode()
            for name, content in files.items()
        }
        for format_, (files, _) in FILES.items()
    }
    made["metaculus"] = {file.name: file.read_bytes() for file in folder.iterdir()}
    assert made.keys() == FORMATS.keys()
    return made


def taken(engine: Engine, folder: Path, files: dict[str, bytes], format_: str) -> None:
    """Read and import an export twice; it is refused by a message, or comes in whole."""
    for old in folder.iterdir():
        old.unlink()
    for name, content in files.items():
        (folder / name).write_bytes(content)
    with our_own_or_nothing(), opened(folder) as source:
        record = read(source, Choices("alice", now=NOW), format_)
        with database.writing(engine) as session:
            alice = member_or_new(session, "alice", now=NOW)
            import_record(session, record, member=alice, now=NOW)
            assert import_record(session, record, member=alice, now=NOW).changes_nothing
            session.rollback()  # each example finds the same ledger


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "export").mkdir()
    return tmp_path / "export"


def each_changed(
    engine: Engine,
    folder: Path,
    whole: dict[str, dict[str, bytes]],
    examples: int,
    change: Callable[[st.DataObject, str, bytes], bytes],
) -> None:
    """Take exports in which one file is changed."""

    @fuzz(examples)
    @given(data=st.data())
    def check(data: st.DataObject) -> None:
        format_ = data.draw(st.sampled_from(list(FORMATS)), label="format")
        files = dict(whole[format_])
        name = data.draw(st.sampled_from(sorted(files)), label="file")
        files[name] = change(data, name, files[name])
        taken(engine, folder, files, format_)

    check()


@few_or(30)
def test_an_export_with_damaged_bytes(
    engine: Engine, folder: Path, whole: dict[str, dict[str, bytes]], examples: int
) -> None:
    each_changed(engine, folder, whole, examples, lambda data, _, content: damaged(data, content))


@few_or(40)
def test_an_export_with_strange_values(
    engine: Engine, folder: Path, whole: dict[str, dict[str, bytes]], examples: int
) -> None:
    def strange(data: st.DataObject, name: str, content: bytes) -> bytes:
        change = _json if name.endswith(".json") else _csv
        return change(data, content.decode()).encode("utf-8", "surrogatepass")

    each_changed(engine, folder, whole, examples, strange)


def _csv(data: st.DataObject, text: str) -> str:
    rows = list(csv.reader(io.StringIO(text)))
    row = data.draw(st.integers(1, len(rows) - 1), label="row")
    column = data.draw(st.integers(0, len(rows[0]) - 1), label="column")
    rows[row][column] = data.draw(CELLS, label="cell")
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    return out.getvalue()


def _json(data: st.DataObject, text: str) -> str:
    document = json.loads(text)
    holder, key = data.draw(st.sampled_from(list(_places(document))), label="place")
    if isinstance(holder, dict) and data.draw(st.booleans(), label="without it"):
        del holder[key]
    else:
        holder[key] = data.draw(VALUES | CELLS, label="value")
    return json.dumps(document)


def _places(document: Any) -> Iterator[tuple[Any, Any]]:
    """Yield each list or object inside, with each of its places."""
    inside: Any = ()
    if isinstance(document, dict):
        inside = document
    elif isinstance(document, list):
        inside = range(len(document))
    for key in inside:
        yield document, key
        yield from _places(document[key])
