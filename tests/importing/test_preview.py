"""The preview of an import, which lets others write; its limit; and its slices."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Engine
from sqlmodel import select

from forecasts.access.members import find_member, member_or_new
from forecasts.access.roles import ensure_admin
from forecasts.common import limits
from forecasts.common.errors import Forbidden
from forecasts.folder.folder import read_folder
from forecasts.importing import forecasts as import_forecasts
from forecasts.importing.frames import import_frames, rehearse
from forecasts.ledger import database
from forecasts.ledger.models import Score
from forecasts.scores import scores
from tests.conftest import day
from tests.importing.test_frames import (
    FORECAST,
    FORECASTS,
    OPEN,
    QUESTIONS,
    RESOLVED,
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
            seen = rehearse(session, frames, member=alice, now=day(400))
    with database.writing(engine) as session:
        done = import_frames(session, frames, member=alice, now=day(400))
    assert seen == replace(done, scores=0)
    assert (done.questions, done.revised, done.forecasts, done.resolutions) == (1, 1, 2, 1)


@pytest.mark.parametrize("rows", [5, 6])
def test_without_an_admins_rights_an_import_has_a_limit(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rows: int
) -> None:
    monkeypatch.setattr(limits, "MEMBER_ROWS", 5)
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "questions.csv").write_text(QUESTIONS + OPEN)
    lines = [f"q,bob,2026-01-02T00:00:0{number}Z,0.4,\n" for number in range(rows - 1)]
    (folder / "forecasts.csv").write_text(FORECASTS + "".join(lines))
    frames = read_folder(folder)
    with database.writing(engine) as session:
        root, bob = (member_or_new(session, name, now=day(0)) for name in ("root", "bob"))
        ensure_admin(session, root, now=day(0))
        verbs = (rehearse, import_frames)
        if rows > 5:
            for verb in verbs:
                with pytest.raises(Forbidden, match="has 6 rows; without an admin's rights at mo"):
                    verb(session, frames, member=bob, now=day(20))
        else:
            assert {verb(session, frames, member=bob, now=day(20)).forecasts for verb in verbs} == {
                4
            }
    with database.writing(engine) as session:
        assert import_frames(session, frames, member=root, now=day(20)).forecasts == (
            0 if rows == 5 else 5
        )


def test_an_import_in_slices_is_the_same_import(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [FORECAST, FORECAST, FORECAST.replace("0.4", "0.6"), FORECAST.replace("bob", "eve")]
    rows += [FORECAST, FORECAST.replace("q,", "r,"), FORECAST.replace("q,", "r,")]
    files = {
        "questions": QUESTIONS + RESOLVED + RESOLVED.replace("q,Rain", "r,Snow"),
        "forecasts": FORECASTS + "".join(rows),
    }
    with monkeypatch.context() as patch:
        patch.setattr(import_forecasts, "_SLICE", 2)
        patch.setattr(scores, "MOST_FORECASTS", 1)
        done = import_files(engine, tmp_path / "a", **files)
    assert (done.forecasts, done.resolutions) == (7, 2)
    with database.reading(engine) as session:
        stored = [(row.member_id, row.protocol, row.score) for row in session.exec(select(Score))]
    assert len(stored) == done.scores
    again = import_files(engine, tmp_path / "b", **files)
    assert (again.forecasts, again.scores) == (0, 0)
    with database.writing(engine) as session:
        scores.rebuild(session)
        rebuilt = [(row.member_id, row.protocol, row.score) for row in session.exec(select(Score))]
    assert sorted(rebuilt) == sorted(stored)
