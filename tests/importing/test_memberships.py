"""Memberships in a ledger folder: what an import of them changes, and the roles that it keeps."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Engine
from sqlmodel import Session

from forecasts.access import teams
from forecasts.access.members import find_member, member_or_new
from forecasts.access.memberships import memberships_of
from forecasts.common.errors import BadInput
from forecasts.folder.folder import read_folder
from forecasts.importing.frames import Imported, import_frames
from forecasts.ledger import database
from forecasts.ledger.models import Role
from tests.conftest import day
from tests.importing.test_frames import FORECASTS, OPEN, QUESTIONS

pytestmark = pytest.mark.slow

HEADER = "team,forecaster,joined_at,left_at\n"
EARLIER, JOINED = "2025-06-01T00:00:00Z", "2026-01-05T00:00:00Z"


@pytest.fixture
def alder(engine: Engine) -> Engine:
    """A shared ledger in which alice, its admin, made the team Alder and is in it; bob too."""
    with database.writing(engine) as session:
        alice, bob = (member_or_new(session, name, now=day(4)) for name in ("alice", "bob"))
        team = teams.create(session, "Alder", member=alice, now=day(4))
        for who, role in ((alice, Role.admin), (bob, Role.forecaster)):
            teams.set_role(session, team, who, role, member=alice, now=day(4))
    return engine


def come_in(engine: Engine, path: Path, rows: str) -> tuple[Imported, Imported]:
    """Return the preview and the result of an import by alice of a folder with these rows."""
    path.mkdir(exist_ok=True)
    for name, text in (
        ("questions", QUESTIONS + OPEN),
        ("forecasts", FORECASTS),
        ("teams", HEADER + rows),
    ):
        (path / f"{name}.csv").write_text(text)
    frames = read_folder(path)
    with database.writing(engine) as session:
        alice = member_or_new(session, "alice", now=day(10))
        seen = import_frames(session, frames, member=alice, now=day(10), dry_run=True)
        return seen, import_frames(session, frames, member=alice, now=day(10))


def roles_of(session: Session, name: str) -> dict[str, str]:
    team = teams.find(session, name)
    return {
        handle: str(one.role) for handle, one in teams.roster(session, team, now=day(10)).members
    }


@pytest.mark.parametrize("began", [EARLIER, ""])
def test_an_earlier_start_keeps_the_role(alder: Engine, tmp_path: Path, began: str) -> None:
    seen, done = come_in(alder, tmp_path / "a", f"Alder,alice,{began},\n")
    since = "2025-06-01 00:00 UTC" if began else "the beginning"
    assert seen.memberships == (f"alice in Alder from {since} to 2026-01-05 00:00 UTC",)
    assert done.memberships == seen.memberships
    assert str(seen).endswith(", 1 memberships")
    with database.reading(alder) as session:
        assert roles_of(session, "Alder") == {"alice": "admin", "bob": "forecaster"}
        alice = find_member(session, "alice")
        assert alice is not None
        assert sorted(str(one.left_at) for one in memberships_of(session, alice)) == [
            "2026-01-05 00:00:00+00:00",
            "None",
        ]
    again, _ = come_in(alder, tmp_path / "a", f"Alder,alice,{began},\n")
    assert again.memberships == ()
    assert again.changes_nothing


def test_a_later_start_changes_nothing(alder: Engine, tmp_path: Path) -> None:
    seen, _ = come_in(alder, tmp_path / "a", "Alder,alice,2026-01-07T00:00:00Z,\n")
    assert seen.memberships == ()
    with database.reading(alder) as session:
        assert roles_of(session, "Alder")["alice"] == "admin"


def test_new_teams_and_members_and_an_end_are_listed(alder: Engine, tmp_path: Path) -> None:
    rows = f"Birch,hugo,{EARLIER},\nAlder,bob,{JOINED},2026-01-08T00:00:00Z\n"
    seen, _ = come_in(alder, tmp_path / "a", rows)
    assert seen.memberships == (
        "hugo (new member) in Birch (new team) from 2025-06-01 00:00 UTC",
        "bob leaves Alder: 2026-01-08 00:00 UTC",
    )
    assert not seen.changes_nothing
    with database.reading(alder) as session:
        assert roles_of(session, "Alder") == {"alice": "admin"}
        assert roles_of(session, "Birch") == {"hugo": "forecaster"}


def test_no_imported_team_is_called_as_an_audience(alder: Engine, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="'Everyone' cannot be a team name"):
        come_in(alder, tmp_path, f"Everyone,bob,{JOINED},\n")
