"""A member's own is handed over whole, and forgotten for good; scores and chain stay."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from sqlalchemy import Engine, text
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, SQLModel, select
from typer.testing import CliRunner

from forecasts.access import roles, teams, tokens
from forecasts.access.members import member_named, member_or_new
from forecasts.cli.main import app
from forecasts.common.errors import Forbidden, NotFound, Refused
from forecasts.common.settings import sqlite_url
from forecasts.importing.frames import import_frames
from forecasts.ledger import database, models
from forecasts.ledger.models import Forecast, Member, Role
from forecasts.ledger.verification import Verified, verify
from forecasts.operations import privacy
from forecasts.questions import registry
from forecasts.questions.revisions import revise
from forecasts.resolution import assignments, disputes, proposals
from forecasts.scores.ledger_frames import ledger_frames
from forecasts.updates.evidence import CitedEvidence
from tests.conftest import ask, day, on_both, resolve, say

pytestmark = pytest.mark.slow

IN_A_FILE = pytest.mark.parametrize("kind", ["sqlite"])
SECRET = "xyzzy"  # in everything that bob wrote, and in his name
NUMBERS = ("score", "printed_score", "distinct_pair")  # they stay as they are


def furnish(engine: Engine) -> None:
    """Let bob write wherever one can, and alice too."""
    with database.writing(engine) as session:
        alice = member_or_new(session, "alice", now=day(0))
        bob = member_or_new(session, "bob xyzzy", now=day(0))
        assert bob.id is not None
        known = {"issuer": "https://id.example", "subject": "b"}
        session.add(models.Identity(**known, member_id=bob.id, recorded_at=day(0)))
        session.add(models.Preference(member_id=bob.id, time_zone="Asia/Tokyo", recorded_at=day(0)))
        rain = ask(session, alice, slug="rain")
        snow = ask(session, bob, slug="snow", title="Snow?")
        revise(session, snow, member=bob, now=day(0), reason="xyzzy was unclear", background="b")
        shared = CitedEvidence(note="clouds that both saw")
        own = CitedEvidence(note="xyzzy told me", title="xyzzy")
        page = CitedEvidence(url="https://example.org/a")
        say(session, rain, bob, 0.6, 1, rationale="xyzzy", evidence=[shared, own, page])
        say(session, rain, alice, 0.6, 1, rationale="because", evidence=[shared])
        say(session, rain, bob, 0.7, 2)
        saw = {"known_at": day(3), "now": day(3), "member": bob, "note": "xyzzy saw it"}
        proposals.propose(session, rain, "yes", **saw)
        days = {"dispute_days": 9, "member": alice, "now": day(3)}
        assignments.set_policy(session, rain, models.PolicyKind.confirm, **days)
        resolve(session, rain, alice, "yes", 3, at=3)
        disputes.dispute(session, rain, member=bob, now=day(3.5), reason="xyzzy saw more")
        said = {"question_id": rain.id, "member_id": bob.id, "recorded_at": day(3.5)}
        session.add(models.Comment(text="xyzzy has a doubt", **said))
        session.add(models.PrintedScore(platform="metaculus", name="peer", score=12.5, **said))
        by_bob = {"member_id": bob.id, "recorded_at": day(3.5)}
        call = models.ModelCall(
            kind="questions", bot_id=alice.id, model="small", host="localhost", prompt_hash="p",
            most_tokens=9, request="Will xyzzy win?", **by_bob,
        )  # fmt: skip
        session.add(call)
        session.flush()
        of_call = {"model_call_id": call.id, **by_bob}
        used = {"tokens_in": 3, "tokens_out": 4, "cost": 0.25, "seconds": 1.5}
        session.add(models.ModelAnswer(state="answered", answer="xyzzy may", **used, **of_call))
        session.add(models.ModelProposal(content='{"title": "xyzzy"}', **of_call))
        session.add(models.DistinctPair(other_id=snow.id, apart=True, **said))


@pytest.fixture(scope="module")
def furnished_file(empty_ledger: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ledger in a file to copy, in which bob and alice have written."""
    path = Path(shutil.copy(empty_ledger, tmp_path_factory.mktemp("furnished") / "ledger"))
    engine = database.open_engine(sqlite_url(path))
    furnish(engine)
    engine.dispose()
    return path


@pytest.fixture
def ledger_file(furnished_file: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(furnished_file, tmp_path / "ledger.sqlite3"))


@pytest.fixture
def furnished(engine: Engine, kind: str) -> Engine:
    if kind != "sqlite":
        furnish(engine)
    return engine


def remove(engine: Engine, handle: str = "bob xyzzy", **by: Member | None) -> privacy.Removed:
    with database.writing(engine) as session:
        return privacy.remove(session, handle, member=by.get("by"), now=day(4))


def look(engine: Engine, against: str | None = None) -> Verified:
    with database.reading(engine) as session:
        return verify(session, against=against)


def rows(session: Session, table: str) -> list[dict[str, object]]:
    found = SQLModel.metadata.tables[table]
    return [dict(row._mapping) for row in session.execute(select(found).order_by(found.c.id))]


@on_both
def test_a_removal_erases_every_text_and_keeps_history_whole(furnished: Engine) -> None:
    before = look(furnished)
    with database.reading(furnished) as session:
        numbers = {name: rows(session, name) for name in NUMBERS}
        forecasts = rows(session, "forecast")
    done = remove(furnished)
    after = look(furnished, before.digest)
    assert after.broken is None
    assert done.handle == "removed member 2"
    one_each = ("member", "forecast", "evidence", "question_revision", "dispute", "comment")
    one_each += ("model_call", "model_answer", "model_proposal")
    # Alice's resolution repeats what bob proposed.
    assert done.rows == dict.fromkeys(one_each, 1) | {"resolution": 2}
    assert after.forgotten == 11
    with database.reading(furnished) as session:
        for table in SQLModel.metadata.tables:
            assert SECRET not in repr(rows(session, table)), table
        assert {name: rows(session, name) for name in NUMBERS} == numbers
        assert rows(session, "identity") == rows(session, "preference") == []
        kept = [{**row, "rationale": ""} for row in rows(session, "forecast")]
        assert kept == [{**row, "rationale": ""} for row in forecasts]
        frames = ledger_frames(session)
    assert "removed member 2" in set(frames.forecasts["forecaster"])
    assert set(frames.forecasts["rationale"]) == {"[removed]", "because", ""}
    assert "clouds that both saw" in set(frames.evidence["note"])
    with pytest.raises(Refused, match="removed already"):
        remove(furnished, "removed member 2")
    with pytest.raises(NotFound):
        remove(furnished)


def test_answers_kept_for_retries_are_deleted(furnished: Engine) -> None:
    with database.writing(furnished) as session:
        for number, handle in enumerate(("alice", "bob xyzzy"), start=1):
            token = tokens.issue(session, member_named(session, handle), now=day(3.5)).token
            kept = {"key": "k", "request_digest": "d", "status": 200, "recorded_at": day(3.5)}
            session.add(models.IdempotentAnswer(token_id=token.id, answer=f"[{number}]", **kept))
    remove(furnished)
    with database.reading(furnished) as session:
        assert [row["answer"] for row in rows(session, "idempotent_answer")] == ["[1]"]


@IN_A_FILE
def test_a_removal_leaves_no_trace_in_the_file(furnished: Engine) -> None:
    remove(furnished)
    privacy.sweep(furnished)
    path = Path(str(furnished.url.database))
    for file in path.parent.iterdir():
        assert b"xyzzy" not in file.read_bytes(), file


def test_imported_texts_are_removed_with_their_member(furnished: Engine, engine: Engine) -> None:
    with database.writing(engine) as session:
        frames = ledger_frames(session)
        frames.forecasts["forecaster"] = frames.forecasts["forecaster"].replace("alice", "carol")
        frames.forecasts["made_at"] += day(0.01) - day(0)
        alice = member_named(session, "alice")
        import_frames(session, frames, member=alice, now=day(9))
    before = look(engine).digest
    remove(engine, "carol")
    with database.reading(engine) as session:
        carol = member_named(session, "removed member 3")
        [row] = session.exec(select(Forecast).where(Forecast.member_id == carol.id))
    assert (row.rationale, row.import_key) == ("[removed]", None)
    assert look(engine, before).broken is None


@on_both
def test_texts_of_other_members_cannot_be_erased(furnished: Engine) -> None:
    remove(furnished)
    for act in (
        "UPDATE forecast SET rationale = '[removed]' WHERE member_id = 1",
        "UPDATE forecast SET rationale = 'other' WHERE member_id = 2",
        "UPDATE forecast SET probability = 0.1 WHERE member_id = 2",
        "UPDATE forecast SET import_key = 'k' WHERE member_id = 2",
        "UPDATE evidence SET kind = 'data' WHERE key LIKE 'removed-%'",
        "UPDATE question_revision SET title = '[removed]' WHERE member_id = 2",
        "UPDATE resolution SET outcome = 'no' WHERE note = '[removed]'",
        "UPDATE entry SET salt = 'x' WHERE salt IS NOT NULL",
        "UPDATE entry SET salt = NULL, hash = 'x'",
        "UPDATE removal SET member_id = 1",
        "DELETE FROM removal",
    ):
        with database.writing(furnished) as session:
            table = act.split()[1] if act.startswith("UPDATE") else "removal"
            where = act.split(" WHERE ")[1] if " WHERE " in act else "1 = 1"
            assert session.execute(text(f"SELECT 1 FROM {table} WHERE {where}")).first(), act
        refused = pytest.raises(IntegrityError, match="append-only")
        with refused, database.writing(furnished) as session:
            session.execute(text(act))


ERASE = (
    "UPDATE evidence SET title = '', note = '[removed]', key = 'removed-' || id WHERE id = {0}",
    "UPDATE entry SET salt = NULL WHERE kind = 'evidence' AND row_id = {0}",
)


def erase(engine: Engine, note: str, *acts: str) -> int:
    """Erase a piece of evidence past the verbs, under all triggers; return its id."""
    with database.writing(engine) as session:
        erased = text("SELECT id FROM evidence WHERE note = :note")
        id_: int = session.execute(erased, {"note": note}).scalar_one()
        for act in (*acts, *ERASE):
            session.execute(text(act.format(id_)))
    return id_


@on_both
@pytest.mark.parametrize("genuine", [True, False])
def test_evidence_erased_without_its_removal_is_named(furnished: Engine, genuine: bool) -> None:
    """Under a genuine removal of another member, or a forged one."""
    if genuine:
        remove(furnished)
    forged = (
        "INSERT INTO removal (id, member_id, recorded_at)"
        " VALUES (1, 1, '2026-01-05 00:00:00.000000')"
    )
    id_ = erase(furnished, "clouds that both saw", *([] if genuine else [forged]))
    found = look(furnished)
    assert found.broken is not None
    assert (found.broken.kind, found.broken.row) == ("evidence", id_)
    assert "gone, and no removal of their member did that" in found.broken.said
    more = [] if genuine else ["row 1 of removal has no entry"]
    assert [one.said for one in found.more] == more


@IN_A_FILE
def test_words_that_come_back_after_a_removal_are_named(furnished: Engine) -> None:
    entry = "SELECT id, salt FROM entry WHERE kind = 'dispute'"
    with database.reading(furnished) as session:
        place, salt = session.execute(text(entry)).one()
        [words] = session.scalars(text("SELECT reason FROM dispute")).all()
    remove(furnished)
    with database.writing(furnished) as session:
        for table in ("dispute", "entry"):
            session.execute(text(f"DROP TRIGGER {table}_refuses_update"))
        session.execute(text("UPDATE dispute SET reason = :words"), {"words": words})
        back = text("UPDATE entry SET salt = :salt WHERE id = :id")
        session.execute(back, {"salt": salt, "id": place})
    found = look(furnished).broken
    assert found is not None
    assert "the words of row 1 of dispute are back" in found.said


def test_a_member_asks_for_themselves_or_an_admin_does(furnished: Engine) -> None:
    with database.writing(furnished) as session:
        alice, bob = (member_named(session, name) for name in ("alice", "bob xyzzy"))
        teams.appoint(session, alice, Role.admin, member=alice, now=day(3))
        carol = member_or_new(session, "carol", now=day(3))
    for act in (privacy.everything, privacy.remove):
        with database.writing(furnished) as session:
            with pytest.raises(Forbidden):
                act(session, "bob xyzzy", member=carol, now=day(4))
            session.rollback()
    with database.reading(furnished) as session:
        assert privacy.everything(session, "bob xyzzy", member=bob, now=day(4))
    assert remove(furnished, by=bob).handle == "removed member 2"
    assert remove(furnished, "carol", by=alice).handle == "removed member 3"
    with pytest.raises(Refused, match="the only admin"):
        remove(furnished, by=alice, handle="alice")
    assert look(furnished).broken is None


def test_a_removed_member_loses_tokens_roles_and_bots(furnished: Engine) -> None:
    with database.writing(furnished) as session:
        alice, bob = (member_named(session, handle) for handle in ("alice", "bob xyzzy"))
        secrets = [
            tokens.create(session, f"bot {at}", member=None, owner=owner, now=day(3)).secret
            for at, owner in enumerate((bob, alice))
        ]
        own = tokens.issue(session, bob, now=day(3)).secret
        for who in (alice, bob):
            teams.appoint(session, who, Role.admin, member=alice, now=day(3))
    remove(furnished)
    with database.reading(furnished) as session:
        for secret in (own, secrets[0]):
            with pytest.raises(Forbidden, match="was revoked"):
                tokens.held(session, secret, now=day(5))
        assert tokens.held(session, secrets[1], now=day(5)).member.handle == "bot 1"
        appointed = [("alice", Role.admin), ("removed member 2", Role.viewer)]
        assert roles.appointments(session) == appointed


@pytest.fixture
def run(furnished: Engine) -> Callable[..., Result]:
    def run(*arguments: str, exit_code: int = 0, input: str | None = None) -> Result:
        url = furnished.url.render_as_string(hide_password=False)
        result = CliRunner().invoke(app, [*arguments, "--database", url], input=input)
        assert result.exit_code == exit_code, result.output + str(result.exception)
        return result

    return run


def test_the_export_has_every_row_about_them_of_which_a_spreadsheet_runs_nothing(
    furnished: Engine, run: Callable[..., Result], tmp_path: Path
) -> None:
    evil = '=HYPERLINK("https://example.org","x")'
    with database.writing(furnished) as session:
        rain, bob = registry.find(session, "rain"), member_named(session, "bob xyzzy")
        session.add(
            models.Comment(question_id=rain.id, member_id=bob.id, recorded_at=day(3), text=evil)
        )
    folder = tmp_path / "own"
    said = run("member", "export", "bob xyzzy", str(folder))
    found = json.loads((folder / "member.json").read_text())
    one_each = "member identity preference question resolution dispute printed_score distinct_pair"
    one_each += " current_forecast model_call model_answer model_proposal"
    more = {"question_revision": 2, "forecast": 2, "evidence": 3, "citation": 3, "score": 3}
    counts = {name: len(part) for name, part in found.items()}
    assert counts == dict.fromkeys(one_each.split(), 1) | more | {"comment": 2}
    assert found["forecast"][0]["rationale"] == "xyzzy"
    assert found["forecast"][0]["made_at"] == "2026-01-02T00:00:00Z"
    assert found["comment"][1]["text"] == evil
    rows = {}
    for name in ("forecast", "comment"):
        with (folder / f"{name}.csv").open() as file:
            rows[name] = list(csv.DictReader(file))
    assert [row["probability"] for row in rows["forecast"]] == ["0.6", "0.7"]
    assert rows["comment"][1]["text"] == f"'{evil}"
    assert str(folder / "citation.csv") in said.stdout
    assert "is not empty" in run("member", "export", "alice", str(folder), exit_code=2).stderr


def test_the_command_asks_for_the_handle_again(run: Callable[..., Result]) -> None:
    mistyped = run("member", "remove", "bob xyzzy", input="bob\n", exit_code=2)
    assert "nothing was changed" in mistyped.stderr
    said = run("member", "remove", "bob xyzzy", input="bob xyzzy\n")
    assert "bob xyzzy is now removed member 2. Texts removed: 1 in mem" in said.stdout
    assert "no member" in run("member", "remove", "bob", "--confirm", "bob", exit_code=2).stderr
    assert "11 entries refer to text that was removed" in run("verify").stdout
