"""Each format into a ledger: scores equal a direct computation; a second import adds nothing."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest
from sqlalchemy import Engine
from sqlmodel import select

import scoring
from forecasts.access.members import member_or_new
from forecasts.importing.record import Preview, import_record
from forecasts.ledger import database
from forecasts.ledger.models import PrintedScore
from forecasts.platforms.record import PlatformRecord
from forecasts.scores.ledger_frames import ledger_frames
from tests.platforms import sheets
from tests.platforms import test_confido as confido
from tests.platforms import test_fatebook as fatebook
from tests.platforms import test_predictionbook as predictionbook

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SCORED = {**fatebook.RESOLVED, "brier": "0.18"}
JUDGED = {"last_judgement_at": "2015-05-01T00:00:00.000Z"}
# Each format: its file's name and text, and the (p - outcome)² of its forecasters' last forecasts.
FILES = {
    "fatebook": (
        "f.csv",
        sheets.table(
            fatebook.row(**SCORED),
            fatebook.row(title="Third?", p="0.5", **SCORED),
            fatebook.row(p="0.9", made="2025-03-02 10:00:0", **SCORED),
            fatebook.row(by="Bo", p="0", **SCORED),
        ),
        [0.01, 0.25, 1.0],
    ),
    "predictionbook": (
        "p.json",
        predictionbook.page(
            predictionbook.prediction(outcome=True, **JUDGED),
            predictionbook.prediction(
                predictionbook.response(confidence=30), id=42, outcome=False, **JUDGED
            ),
        ),
        [0.04, 0.09],
    ),
    "confido": (
        "room.csv",
        sheets.table(
            confido.row(resolution="1", brier="0.64"),
            confido.row(resolution="1", brier="-3.0", user_id="u2", nick="Bo", probability="0"),
        ),
        [0.09, 1.0],
    ),
    "pairs": (
        "sheet.csv",
        "question,user,date,p,outcome\nA?,alice,2025-03-01,70,1\nB?,bo,2025-03-01,20,0.25\n",
        [0.09, 0.05**2],
    ),
}


def imported(engine: Engine, record: PlatformRecord) -> Preview:
    with database.writing(engine) as session:
        alice = member_or_new(session, "alice", now=NOW)
        return import_record(session, record, member=alice, now=NOW)


@pytest.mark.parametrize("format_", FILES)
def test_a_file_is_scored_in_the_ledger_as_computed_directly(
    engine: Engine, tmp_path: Path, format_: str
) -> None:
    name, text, squares = FILES[format_]
    record = sheets.read(tmp_path / name, text, format_=format_)
    done = imported(engine, record)
    assert done.counts.forecasts == len(record.frames.forecasts)
    with database.reading(engine) as session:
        frames = ledger_frames(session)
        printed = session.exec(select(PrintedScore)).all()
    final = scoring.score(frames.questions, frames.forecasts, "brier_final")
    assert sorted(final["score"].round(12)) == pytest.approx(sorted(squares))
    assert len(printed) == len(record.printed)
    again = imported(engine, sheets.read(tmp_path / name, text, format_=format_))
    assert again.changes_nothing
    with database.reading(engine) as session:
        pd.testing.assert_frame_equal(ledger_frames(session).forecasts, frames.forecasts)


def test_a_newer_export_adds_only_what_is_new(engine: Engine, tmp_path: Path) -> None:
    before = sheets.table(fatebook.row(), fatebook.row(title="Open?"))
    imported(engine, sheets.read(tmp_path / "f.csv", before, format_="fatebook"))
    newer = sheets.table(
        fatebook.row(**SCORED),
        fatebook.row(title="Open?"),
        fatebook.row(title="Open?", p="0.4", made="2025-03-02 10:00:0"),
    )
    done = imported(engine, sheets.read(tmp_path / "f.csv", newer, format_="fatebook"))
    assert (done.counts.questions, done.counts.forecasts, done.counts.resolutions) == (0, 1, 1)
