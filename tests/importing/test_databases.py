"""Imports into each kind of database: dry runs, limits, parts, and values that stay the same."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Engine
from sqlalchemy import text as sql

from forecasts.access.members import find_member, member_or_new
from forecasts.access.roles import ensure_admin
from forecasts.common import limits
from forecasts.common.errors import Forbidden
from forecasts.folder.folder import read_folder, write_folder
from forecasts.importing import forecasts as import_forecasts
from forecasts.importing.frames import Imported, import_frames
from forecasts.ledger import append, database
from forecasts.ledger.models import Member
from forecasts.ledger.verification import verify
from forecasts.questions import standing
from forecasts.scores import scores
from forecasts.scores.ledger_frames import ledger_frames
from tests.conftest import day
from tests.importing.test_frames import (
    FORECAST,
    FORECASTS,
    OPEN,
    QUESTIONS,
    RESOLVED,
    TIMES,
    import_files,
)

pytestmark = pytest.mark.slow


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


def test_without_an_admins_rights_an_import_has_a_limit(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "MEMBER_ROWS", 5)
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "questions.csv").write_text(QUESTIONS + OPEN)
    lines = [f"q,bob,2026-01-02T00:00:0{number}Z,0.4,\n" for number in range(5)]
    with database.writing(engine) as session:
        root, bob = (member_or_new(session, name, now=day(0)) for name in ("root", "bob"))
        ensure_admin(session, root, now=day(0))

    def comes_in(rows: int, member: Member, *, dry_run: bool) -> int:
        (folder / "forecasts.csv").write_text(FORECASTS + "".join(lines[: rows - 1]))
        frames = read_folder(folder)
        with database.writing(engine) as session:
            return import_frames(
                session, frames, member=member, now=day(20), dry_run=dry_run
            ).forecasts

    for dry_run in (True, False):
        with pytest.raises(Forbidden, match="has 6 rows; without an admin's rights at most 5"):
            comes_in(6, bob, dry_run=dry_run)
        assert comes_in(5, bob, dry_run=dry_run) == 4
    assert comes_in(6, root, dry_run=False) == 1


def test_an_import_says_how_long_others_wait_to_write() -> None:
    nothing = Imported(0, 0, 0, 0, 0, 0, 0)
    assert nothing.wait_note == replace(nothing, forecasts=900).wait_note == ""
    said = replace(nothing, forecasts=60_000).wait_note
    assert said == "Others wait about 4 seconds to write while it is imported."


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


@pytest.mark.parametrize(
    ("kind", "column", "whole", "fraction"),
    [
        ("multiple_choice", "probabilities", "[1, 0, 0]", "[1.0, 0.0, 0.0]"),
        ("numeric", "quantiles", '{""0.1"": 2, ""0.5"": 5}', '{""0.1"": 2.0, ""0.5"": 5.0}'),
    ],
)
def test_another_spelling_of_a_number_is_the_same_forecast(
    engine: Engine, tmp_path: Path, kind: str, column: str, whole: str, fraction: str
) -> None:
    options, bounds = ('"[""A"",""B"",""C""]"', ",") if kind == "multiple_choice" else ("", "0,9")
    head = "question_id,type,options,lower_bound,upper_bound,open_time,scheduled_close_time\n"
    questions = f"{head}q,{kind},{options},{bounds},{TIMES}\n"

    def new(figures: str) -> int:
        forecasts = f"question_id,forecaster,made_at,{column}\nq,bob,2026-01-02T00:00:00Z,"
        done = import_files(
            engine, tmp_path / "a", questions=questions, forecasts=f'{forecasts}"{figures}"\n'
        )
        return done.forecasts

    assert [new(whole), new(fraction), new(whole)] == [1, 0, 0]


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
