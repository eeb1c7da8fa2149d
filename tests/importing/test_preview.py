"""The dry run of an import, which lets others write, and the limit of an import."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Engine

from forecasts.access.members import find_member, member_or_new
from forecasts.access.roles import ensure_admin
from forecasts.common import limits
from forecasts.common.errors import Forbidden
from forecasts.folder.folder import read_folder
from forecasts.importing.frames import Imported, import_frames
from forecasts.ledger import database
from forecasts.ledger.models import Member
from tests.conftest import day
from tests.importing.test_frames import FORECAST, FORECASTS, OPEN, QUESTIONS, RESOLVED, import_files

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
