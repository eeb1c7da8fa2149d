"""Evidence that only hidden forecasts cite is neither shown nor compared, even by its id."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Engine
from sqlmodel import select

from forecasts.access.members import find_member, member_or_new
from forecasts.access.roles import ensure_admin
from forecasts.access.visibility import evidence_visible, read_as
from forecasts.common.errors import BadInput
from forecasts.exporting.export import exported
from forecasts.folder.folder import read_folder
from forecasts.importing.frames import Imported, import_frames
from forecasts.ledger import database
from forecasts.ledger.models import Evidence, Visibility
from forecasts.questions import registry
from forecasts.updates import updates
from forecasts.updates.evidence import CitedEvidence
from forecasts.values.value import Value
from tests.conftest import ask, day, say

pytestmark = pytest.mark.slow

PAGE = "https://example.org/page"
FILES = {
    "questions": (
        "question_id,title,open_time,scheduled_close_time,resolution_criteria\n"
        "q,Rain?,2026-01-01T00:00:00Z,2026-01-11T00:00:00Z,As the gauge says.\n"
    ),
    "forecasts": (
        "question_id,forecaster,made_at,probability,evidence\n"
        'q,{who},2026-01-02T00:00:00Z,0.4,"[{{""evidence_id"": ""{key}""}}]"\n'
    ),
}


@pytest.fixture
def key(engine: Engine) -> str:
    """The key of evidence that alice has cited on a question of her own, in a shared ledger."""
    with database.writing(engine) as session:
        ensure_admin(session, member_or_new(session, "root", now=day(0)), now=day(0))
        alice = member_or_new(session, "alice", now=day(0))
        member_or_new(session, "bob", now=day(0))
        read_as(session, alice, now=day(1))
        mine = ask(session, alice, slug="mine", visibility=Visibility.author)
        ask(session, alice, slug="public")
        secret = CitedEvidence(url=PAGE, note="my secret note", title="secret")
        value = Value(probability=0.4)
        updates.update(session, mine, value, member=alice, now=day(1), evidence=[secret])
        return session.exec(select(Evidence.key)).one()


def seen_by(engine: Engine, handle: str) -> list[str]:
    with database.reading(engine) as session:
        read_as(session, find_member(session, handle), now=day(3))
        return sorted(session.exec(select(Evidence.note).where(evidence_visible(session))).all())


def brings(engine: Engine, folder: Path, who: str, key: str, **files: str) -> Imported:
    folder.mkdir(exist_ok=True)
    for name, text in (FILES | files).items():
        (folder / f"{name}.csv").write_text(text.format(who=who, key=key))
    with database.writing(engine) as session:
        member = find_member(session, who)
        assert member is not None
        read_as(session, member, now=day(3))
        return import_frames(session, read_folder(folder), member=member, now=day(3))


def test_citing_a_page_does_not_show_others_notes_on_it(engine: Engine, key: str) -> None:
    with database.writing(engine) as session:
        bob = member_or_new(session, "bob", now=day(0))
        read_as(session, bob, now=day(2))
        for at, note in ((2, "mine"), (2.5, "again")):
            cited = [CitedEvidence(url=PAGE, note=note)]
            say(session, registry.find(session, "public"), bob, at / 10, at, evidence=cited)
    assert seen_by(engine, "bob") == ["mine"]
    assert seen_by(engine, "alice") == ["mine", "my secret note"]


def test_imports_cannot_cite_hidden_evidence(engine: Engine, key: str, tmp_path: Path) -> None:
    said = []
    for guessed in (key, "e-0000000000000000"):
        with pytest.raises(BadInput, match="cites evidence that neither") as refused:
            brings(engine, tmp_path / "folder", "bob", guessed)
        said.append(
            [str(one).replace(guessed, "KEY") for one in (refused.value, *refused.value.problems)]
        )
    assert said[0] == said[1]
    assert seen_by(engine, "bob") == []


def test_a_guessed_id_gets_evidence_of_its_own(engine: Engine, key: str, tmp_path: Path) -> None:
    own = f"evidence_id,kind,note\n{key},news,guessed\n"
    first = brings(engine, tmp_path / "folder", "bob", key, evidence=own)
    assert first.evidence == 1
    assert seen_by(engine, "bob") == ["guessed"]
    again = brings(engine, tmp_path / "folder", "bob", key, evidence=own)
    assert (again.evidence, again.forecasts) == (0, 0)
    with pytest.raises(BadInput, match="contradicts evidence") as refused:
        brings(engine, tmp_path / "folder", "bob", key, evidence=own.replace("guessed", "other"))
    assert "secret" not in "".join(map(str, refused.value.problems))


def test_an_admin_imports_a_whole_export_again_without_a_change(engine: Engine, key: str) -> None:
    with database.writing(engine) as session:
        root = find_member(session, "root")
        assert root is not None
        read_as(session, root, now=day(4))
        hidden = ask(session, root, slug="hidden", crowd_hidden=True)
        alice = member_or_new(session, "alice", now=day(0))
        say(session, hidden, alice, 0.4, 2, evidence=[CitedEvidence(note="of a hidden crowd")])
        frames, _ = exported(session, member=root, now=day(4))
        done = import_frames(session, frames, member=root, now=day(4))
        assert (done.evidence, done.forecasts, done.questions) == (0, 0, 0)
