"""Damaged ledger folders are read or refused with our own errors, and never half imported."""

from __future__ import annotations

import io
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine

import scoring
from forecasts.access.members import member_or_new
from forecasts.common.errors import LedgerError
from forecasts.folder.folder import read_folder, write_folder
from forecasts.folder.frames import Frames
from forecasts.importing.frames import import_frames
from forecasts.ledger import database
from forecasts.reports import build
from forecasts.scores.ledger_frames import ledger_frames
from tests.conftest import day
from tests.folder.sound import TEXTS, laid_out, table, text_of
from tests.folder.test_folder import cells as plain_cells
from tests.fuzz.fuzzing import CELLS, damaged, few_or, fuzz, our_own_or_nothing

pytestmark = pytest.mark.slow


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "folder"


def contents(engine: Engine) -> list[str]:
    """Return the contents of the ledger's file, read without the ledger's code."""
    with sqlite3.connect(engine.url.database or "") as connection:
        return list(connection.iterdump())


def taken(engine: Engine, folder: Path, before: list[str], *, whole: bool = False) -> None:
    """Import the folder: afterwards the ledger is unchanged, or has all of it.

    The result can be exported and scored; with ``whole`` also reported on, which takes longer.
    """
    frames: Frames | None = None
    with our_own_or_nothing():
        frames = read_folder(folder)
    if frames is None:
        return
    with our_own_or_nothing():
        scoring.score(frames.questions, frames.forecasts, ["brier", "brier_final"])
    if whole:
        with our_own_or_nothing():
            build(frames, as_of=day(400))
    again = folder.parent / "again"
    shutil.rmtree(again, ignore_errors=True)
    with our_own_or_nothing(), database.writing(engine) as session:
        member = member_or_new(session, "alice", now=day(0))
        import_frames(session, frames, member=member, now=day(400))
        twice = import_frames(session, frames, member=member, now=day(400))
        assert (twice.questions, twice.forecasts, twice.resolutions) == (0, 0, 0)
        write_folder(ledger_frames(session), again)
        session.rollback()  # each example finds the same ledger
    if again.is_dir():
        given = read_folder(again)
        # An empty list means no evidence.
        said = [frame.drop(columns="evidence") for frame in (given.forecasts, frames.forecasts)]
        assert plain_cells(said[0]) == plain_cells(said[1])
    assert contents(engine) == before


Change = Callable[[st.DataObject, str], dict[str, bytes] | None]


def each_changed(engine: Engine, place: Path, examples: int, change: Change) -> None:
    """Take folders with the changed files of one table."""
    before = contents(engine)

    @fuzz(examples)
    @given(data=st.data())
    def check(data: st.DataObject) -> None:
        # Most columns are in the first two.
        name = data.draw(st.sampled_from(["questions", "forecasts", *TEXTS]), label="file")
        changed = change(data, name)
        if changed is not None:
            taken(engine, laid_out(place, changed), before, whole=examples > 1_000)

    check()


@few_or(30)
def test_a_folder_with_damaged_bytes(engine: Engine, place: Path, examples: int) -> None:
    def change(data: st.DataObject, name: str) -> dict[str, bytes]:
        return {f"{name}.csv": damaged(data, text_of(name))}

    each_changed(engine, place, examples, change)


@few_or(60)
def test_a_folder_with_strange_cells(engine: Engine, place: Path, examples: int) -> None:
    def change(data: st.DataObject, name: str) -> dict[str, bytes]:
        rows = table(name)
        for _ in range(data.draw(st.integers(1, 3), label="cells")):
            row = data.draw(st.integers(1, len(rows) - 1), label="row")
            column = data.draw(st.integers(0, len(rows[0]) - 1), label="column")
            rows[row][column] = data.draw(CELLS, label="cell")
        return {f"{name}.csv": text_of(name, rows)}

    each_changed(engine, place, examples, change)


@few_or(25)
def test_a_folder_with_its_columns_and_rows_moved(
    engine: Engine, place: Path, examples: int
) -> None:
    def change(data: st.DataObject, name: str) -> dict[str, bytes]:
        rows = table(name)
        for _ in range(data.draw(st.integers(1, 2), label="moves")):
            a, b = (data.draw(st.integers(0, len(rows[0]) - 1)) for _ in range(2))
            whole = data.draw(st.booleans(), label="with the header")
            move = data.draw(st.sampled_from(["swap", "double", "drop", "rename", "repeat"]))
            for row in rows if whole or move in ("double", "drop") else rows[1:]:
                if move == "swap":
                    row[a], row[b] = row[b], row[a]
                elif move == "double":
                    row.insert(a, row[b])
                elif move == "drop" and len(row) > 1:
                    row.pop(min(a, len(row) - 1))
            if move == "rename":
                rows[0][a] = data.draw(CELLS, label="name")
            if move == "repeat":
                rows.append(list(rows[data.draw(st.integers(0, len(rows) - 1))]))
            rows = [row[: min(map(len, rows))] for row in rows]
        return {f"{name}.csv": text_of(name, rows)}

    each_changed(engine, place, examples, change)


VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**62), 2**62),
    st.floats(),
    CELLS,
    st.binary(max_size=5),
    st.dates(),
    st.datetimes(),
    st.lists(st.floats(), max_size=3),
    st.dictionaries(st.text(max_size=3), st.floats(), max_size=2),
    st.decimals(allow_nan=False, allow_infinity=False),
    st.timedeltas(),
    st.times(),
)


@few_or(30)
def test_a_folder_of_parquet_damaged_or_of_other_types(
    engine: Engine, place: Path, examples: int
) -> None:
    def change(data: st.DataObject, name: str) -> dict[str, bytes] | None:
        header, *rows = table(name)
        columns: dict[str, Any] = {c: [row[i] for row in rows] for i, c in enumerate(header)}
        stored = pa.table(columns)
        if data.draw(st.booleans(), label="of another type"):
            column = data.draw(st.sampled_from(header), label="column")
            value = data.draw(VALUES, label="value")
            try:
                stored = pa.table(columns | {column: pa.array([value] * len(rows))})
                pyarrow.parquet.write_table(stored, io.BytesIO())  # some types cannot be
            except (pa.ArrowException, UnicodeEncodeError, OverflowError):
                return None
        content = io.BytesIO()
        pyarrow.parquet.write_table(stored, content)
        whole = content.getvalue()
        if data.draw(st.booleans(), label="damaged"):
            whole = damaged(data, whole)
        return {f"{name}.parquet": whole}

    each_changed(engine, place, examples, change)


def test_a_failed_example_would_be_seen(engine: Engine, place: Path) -> None:
    before = contents(engine)
    with pytest.raises(ZeroDivisionError), our_own_or_nothing():
        raise ZeroDivisionError
    with our_own_or_nothing():
        raise LedgerError("Ours.")
    with database.writing(engine) as session:
        member_or_new(session, "left behind", now=day(0))
    with pytest.raises(AssertionError):
        taken(engine, laid_out(place), before)
