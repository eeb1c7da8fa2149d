"""Imports into each kind of database: dry runs, limits, parts, and values that stay the same."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Engine
from sqlalchemy import text as sql

from forecasts.access.members import find_member, member_or_new
from forecasts.folder.folder import read_folder, write_folder
from forecasts.importing import forecasts as import_forecasts
from forecasts.importing.frames import import_frames
from forecasts.ledger import append, database
from forecasts.ledger.verification import verify
from forecasts.questions import standing
from forecasts.scores import scores
from forecasts.scores.ledger_frames import ledger_frames
from tests.conftest import day, on_both
from tests.importing.test_frames import (
    FORECAST,
    FORECASTS,
    OPEN,
    QUESTIONS,
    RESOLVED,
    TIMES,
    import_files,
)

pytestmark = [pytest.mark.slow, on_both]


def test_a_preview_neither_waits_for_a_writer_nor_writes(engine: Engine, tmp_path: Path) -> None:
    import_files(engine, tmp_path / "a", questions=QUESTIONS + OPEN)
    folder = tmp_path / "b"
    folder.mkdir()
    (folder / "questions.csv").write_text(
        QUESTIONS + RESOLVED.replace("Rain?", "Will it rain?") + OPEN.replace("q,Rain", "r,Snow")
    )
    (folder / "forecasts.csv").write_text(FORECASTS + FORECAST + FORECAST.replace("q,", "r,"))
    frames = read_folder(folder)
    with database.writing(engine) as other:
        member_or_new(other, "zoe", now=day(0))  # has the turn
        with database.reading(engine) as session:
            alice = find_member(session, "alice")
            assert alice is not None
            seen = import_frames(session, frames, member=alice, now=day(400), dry_run=True)
    with database.writing(engine) as session:
        done = import_frames(session, frames, member=alice, now=day(400))
    assert seen == replace(done, scores=0)
    assert (done.questions, done.revised, done.forecasts, done.resolutions) == (1, 1, 2, 1)


def test_a_large_import_is_stored_in_parts_and_leaves_the_schema_and_scores_as_a_small_one(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module, name, few in (
        (append, "BATCH", 3),
        (import_forecasts, "SLICE", 2),
        (standing, "BATCH", 2),
        (scores, "MOST_FORECASTS", 1),
    ):
        monkeypatch.setattr(module, name, few)
    questions = "".join(RESOLVED.replace("q,", f"q{number},", 1) for number in range(5))
    forecasts = [
        f"q{number},{who},2026-01-0{day}T00:00:00Z,0.{day},\n"
        for number in range(5)
        for who in ("bob", "carol")
        for day in (2, 3, 3)
    ]
    made = sql("SELECT type, name, sql FROM sqlite_master ORDER BY name")
    if engine.dialect.name == "postgresql":
        made = sql("SELECT indexdef FROM pg_indexes ORDER BY indexname")
    with database.reading(engine) as session:
        schema = session.execute(made).all()
    for rows, new in ((forecasts[:20], 20), (forecasts, 10), (forecasts, 0)):
        done = import_files(
            engine,
            tmp_path / "a",
            questions=QUESTIONS + questions,
            forecasts=FORECASTS + "".join(rows),
        )
        assert done.forecasts == new
        with database.reading(engine) as session:
            assert session.execute(made).all() == schema
            assert verify(session).broken is None
            assert scores.compare(session).altered == ()
    assert (done.questions, done.revised, done.resolutions, done.scores) == (0, 0, 0, 0)


def test_another_spelling_of_a_number_is_the_same_forecast(engine: Engine, tmp_path: Path) -> None:
    head = "question_id,type,options,lower_bound,upper_bound,open_time,scheduled_close_time\n"
    questions = f'{head}m,multiple_choice,"[""A"",""B"",""C""]",,,{TIMES}\nn,numeric,,0,9,{TIMES}\n'
    made = "question_id,forecaster,made_at,probabilities,quantiles\n"
    made += 'm,bob,2026-01-02T00:00:00Z,"[1, 0, 0]",\n'
    made += 'n,bob,2026-01-02T00:00:00Z,,"{""0.1"": 2, ""0.5"": 5}"\n'
    others = made.replace("[1, 0, 0]", "[1.0, 0.0, 0.0]").replace("2, ", "2.0, ")
    for forecasts, new in ((made, 2), (others, 0), (made, 0)):
        done = import_files(engine, tmp_path / "a", questions=questions, forecasts=forecasts)
        assert done.forecasts == new


def test_a_forecast_of_the_first_year_is_imported_once(engine: Engine, tmp_path: Path) -> None:
    year = "0001"
    questions = (
        "question_id,open_time,scheduled_close_time\n"
        f"q,{year}-01-01T00:00:00Z,2026-01-11T00:00:00Z\n"
    )
    made = f"question_id,forecaster,made_at,probability\nq,bo,{year}-01-02T00:00:00Z,0.5\n"
    for new in (1, 0):
        done = import_files(engine, tmp_path / "a", questions=questions, forecasts=made)
        assert done.forecasts == new
    with database.reading(engine) as session:
        write_folder(ledger_frames(session), tmp_path / "again")
    [at] = read_folder(tmp_path / "again").forecasts["made_at"]
    assert at.isoformat() == f"{year}-01-02T00:00:00+00:00"
