"""Exports of any size go from the database to the file in batches."""

from __future__ import annotations

import re
import tempfile
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from sqlalchemy import Engine
from sqlmodel import Session, select

from forecasts.access import visibility
from forecasts.access.members import member_or_new
from forecasts.exporting.export import (
    as_zip,
    exported,
    forecast_batches,
    packed_folder,
    write_export,
)
from forecasts.folder.cells import cell_text
from forecasts.folder.folder import read_folder, write_folder
from forecasts.folder.frames import FORECAST_COLUMNS
from forecasts.folder.tables import batch_texts, cell_texts, write_csv
from forecasts.importing.frames import import_frames
from forecasts.ledger import database
from forecasts.ledger.models import Member
from forecasts.questions import conditions, registry, revisions, standing
from forecasts.scores import forecast_columns
from forecasts.scores import ledger_frames as frames
from forecasts.scores.ledger_frames import forecast_frame
from forecasts.updates import updates
from forecasts.updates.evidence import CitedEvidence
from forecasts.values.value import Value
from tests.conftest import ask, day, on_both, resolve

pytestmark = pytest.mark.slow

SAID = ["plain", 'with "quotes", commas', "in two\nlines", "\u2003spaced ", "", "=1+1", "é"]


@pytest.fixture
def filled(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Engine:
    """A ledger that is read in several batches."""
    monkeypatch.setattr(forecast_columns, "BATCH", 4)
    monkeypatch.setattr(frames, "BATCH", 1)
    monkeypatch.setattr(standing, "BATCH", 2)
    fill(engine)
    return engine


def fill(engine: Engine) -> None:
    """Write every kind of value, evidence, and a private question."""
    with database.writing(engine) as session:
        alice, bob = (member_or_new(session, name, now=day(0)) for name in ("alice", "b, ob"))
        rain = ask(session, alice)
        private = ask(session, alice, title="Private?", visibility="author")
        colour = ask(
            session, alice, title="Colour?", type="multiple_choice", options=["red", "blue"]
        )
        level = ask(
            session, alice, title="Level?", type="numeric", lower_bound="0", upper_bound="9"
        )
        note, table = CitedEvidence(note="seen, today"), CitedEvidence(note="a table")
        for number, said in enumerate(SAID):
            at = day(1 + number / 7)
            p = Value(probability=(0.0, 1.0, 1e-05, 0.1, 1 / 3, 0.5, 0.7)[number])
            cited = {1: [note], 5: [note, table]}.get(number, [])
            for member in (bob, alice):
                updates.update(
                    session, rain, p, member=member, now=at, rationale=said, evidence=cited
                )
        updates.update(session, private, Value(probability=0.2), member=alice, now=day(1))
        updates.update(session, colour, Value(probabilities=(0.4, 0.6)), member=bob, now=day(1))
        updates.withdraw(session, rain, member=bob, now=day(3))
        quantiles = Value(quantiles={"0.25": 2.0, "0.5": 3.0, "0.75": 4.5})
        updates.update(session, level, quantiles, member=alice, now=day(2))
        flood = registry.question_text(
            title="Flood?",
            open_time=day(0),
            scheduled_close_time=day(10),
            resolution_criteria="As the gazette says.",
        )
        conditions.register_conditional(session, rain, flood, member=alice, now=day(3))


def in_files(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir()}


@pytest.mark.parametrize("name", ["alice", "b, ob", None])
def test_batches_make_the_same_files(filled: Engine, tmp_path: Path, name: str | None) -> None:
    told: list[tuple[int, int]] = []
    with database.reading(filled) as session:
        who = session.exec(select(Member).where(Member.handle == name)).one_or_none()
        visibility.read_as(session, who, now=day(5))
        whole, omitted = exported(session, member=who, now=day(5))
        write_folder(whole, tmp_path / "whole")
        files, left_out = write_export(
            session,
            tmp_path / "batches",
            member=who,
            now=day(5),
            tell=lambda done, of: told.append((done, of)),
        )
    assert in_files(tmp_path / "batches") == in_files(tmp_path / "whole")
    assert [file.name for file in files] == sorted(in_files(tmp_path / "whole"))
    assert left_out == omitted
    assert told[-1][0] == told[-1][1] > 4
    again = read_folder(tmp_path / "batches").forecasts
    pd.testing.assert_frame_equal(again, whole.forecasts)


def test_a_packed_folder_is_the_archive_of_the_whole(filled: Engine) -> None:
    with database.reading(filled) as session:
        frames_, _ = exported(session, member=None, now=day(5))
        assert packed_folder(session, member=None, now=day(5)) == as_zip(frames_)


def test_no_batch_holds_more_than_a_part_of_the_ledger(filled: Engine) -> None:
    with database.reading(filled) as session:
        batches = list(forecast_batches(session))
        whole = forecast_frame(session, None)
    assert len(whole) == 18
    assert [len(batch) for batch in batches] == [4] * 4 + [2]
    assert all(batch.schema.names == list(FORECAST_COLUMNS) for batch in batches)
    read = pa.Table.from_batches(batches).to_pandas()
    for name in ("question_id", "forecaster", "made_at"):
        assert read[name].tolist() == whole[name].tolist(), name
    assert read["probability"].tolist() == pytest.approx(whole["probability"].tolist(), nan_ok=True)
    assert [cell_text(cited) for cited in whole["evidence"]] == read["evidence"].fillna("").tolist()


def test_some_questions_are_exported_in_batches_in_the_order_of_all(filled: Engine) -> None:
    with database.reading(filled) as session:
        chosen = ["level", "will-it-rain"]
        found = [batch["question_id"].to_pylist() for batch in forecast_batches(session, chosen)]
        assert list(chain.from_iterable(found)) == ["will-it-rain"] * 15 + ["level"]
        assert list(forecast_batches(session, [])) == []


# The characters that a CSV file is made of, and those that Python takes for white space.
_CELLS = st.text(
    st.sampled_from('ab",;\r\n\t \x0b\x1c\x85\xa0\u1680\u2003\u3000\u200bé='), max_size=4
)


@given(st.lists(st.tuples(_CELLS, _CELLS), min_size=1, max_size=8))
def test_cells_are_quoted_only_where_they_need_it(rows: list[tuple[str, str]]) -> None:
    def quoted(text: str) -> str:
        is_plain = re.search(r"""[",\r\n]|^\s|\s$""", text) is None
        return text if is_plain else '"' + text.replace('"', '""') + '"'

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "cells.csv"
        columns = dict(zip("xy", zip(*rows, strict=True), strict=True))
        write_csv(file, [{"x": [], "y": []}, columns])
        written = file.read_bytes().decode()
    assert written == "x,y\n" + "".join(f"{quoted(x)},{quoted(y)}\n" for x, y in rows)


@given(st.floats(0, 1), st.datetimes(timezones=st.just(UTC)))
@example(0.5, datetime.min.replace(tzinfo=UTC))
@example(0.5, datetime(2026, 1, 1, 12, 30, 15, 120_000, tzinfo=UTC))
def test_a_batch_has_the_texts_of_a_frame(p: float, at: datetime) -> None:
    batch = pa.RecordBatch.from_pydict(
        {"made_at": pa.array([at, None], pa.timestamp("us", "UTC")), "probability": [p, None]}
    )
    texts = batch_texts(batch, FORECAST_COLUMNS)
    assert texts["probability"].to_pylist() == [repr(p), None]
    exact = at.isoformat().replace("+00:00", "Z")
    assert texts["made_at"].to_pylist() == [exact, None]


@on_both
def test_a_later_family_is_exported_though_it_does_not_count(
    session: Session, alice: Member, tmp_path: Path
) -> None:
    question = ask(session, alice, family="cup")
    resolve(session, question, alice, known=4, at=5)
    revisions.revise(session, question, member=alice, now=day(6), family="league")
    write_export(session, tmp_path / "all", member=alice, now=day(7))
    whole, _ = exported(session, member=alice, now=day(7))
    written = read_folder(tmp_path / "all")
    assert [*whole.questions["family"], *written.questions["family"]] == ["league", "league"]
    import_frames(session, written, member=alice, now=day(9))
    assert registry.newest_wording(session, question).family == "league"
    assert frames.ledger_frames(session).questions["family"].tolist() == ["cup"]


def test_a_missing_text_is_a_blank_cell() -> None:
    assert cell_texts(pd.Series(["a", None], dtype="str"), "text") == ["a", ""]
