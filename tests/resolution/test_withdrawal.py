"""Withdrawing an outcome: the question has none then, and everything reads it so."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine
from sqlmodel import Session

from forecasts.access import teams, visibility
from forecasts.access.members import member_or_new
from forecasts.common.errors import BadInput, Refused
from forecasts.common.settings import sqlite_url
from forecasts.exporting.export import left_out
from forecasts.folder.folder import read_folder, write_folder
from forecasts.importing.frames import import_frames
from forecasts.ledger import database
from forecasts.ledger.models import Member, PolicyKind, Question, Resolution, Role
from forecasts.ledger.schema import migrate
from forecasts.ledger.verification import verify
from forecasts.parts.export import export_parts
from forecasts.questions import finality, registry, revisions, search, standing
from forecasts.questions.standing import Status
from forecasts.reports.build import build
from forecasts.reports.report import Group
from forecasts.resolution import assignments, confirmation, disputes, history, proposals
from forecasts.scores import scores, stored_scores
from forecasts.scores.ledger_frames import ledger_frames
from tests.conftest import acting, ask, day, on_both, resolve, say
from tests.resolution.conftest import close_of, state_of

pytestmark = pytest.mark.slow


def withdraw(session: Session, question: Question, member: Member, at: float = 7) -> Resolution:
    return confirmation.withdraw(session, question, reason="a slip", now=day(at), member=member)


def reported(session: Session) -> Sequence[Group]:
    return build(ledger_frames(session), as_of=day(11)).groups


def test_the_question_is_open_again(session: Session, question: Question, alice: Member) -> None:
    outcome = resolve(session, question, alice, known=5, at=6)
    assert close_of(session, question) == 5
    row = withdraw(session, question, alice)
    assert (row.state, row.outcome, row.supersedes_id) == ("withdrawn", "yes", outcome.id)
    assert (row.member_id, row.recorded_at, row.note) == (alice.id, day(7), "a slip")
    now = state_of(session, question, 7)
    assert (now.status, now.resolution, now.withdrawal) == (Status.open, None, row)
    assert close_of(session, question) == 10
    say(session, question, alice, 0.3, 7)
    assert proposals.history(session, question) == [outcome, row]
    rows = revisions.history(session, question)
    assert (len(rows), revisions.edits(rows)) == (3, [])  # no member has edited it
    assert state_of(session, question, 12).status == Status.awaiting


def test_a_close_by_hand_stays(session: Session, question: Question, alice: Member) -> None:
    revisions.close(session, question, at=day(6), member=alice, now=day(6))
    resolve(session, question, alice, known=5, at=6)
    assert close_of(session, question) == 5
    withdraw(session, question, alice)
    assert close_of(session, question) == 6
    assert state_of(session, question, 7).status == Status.awaiting


@on_both
def test_its_scores_do_not_count(session: Session, question: Question, alice: Member) -> None:
    say(session, question, alice, 0.8, 1)
    outcome = resolve(session, question, alice, known=5, at=6)
    assert len(stored_scores.member_scores(session, alice)) == 1
    assert [one.questions for one in reported(session)] == [1]
    withdraw(session, question, alice)
    assert stored_scores.member_scores(session, alice) == []
    assert [one.questions for one in reported(session)] == [0]
    assert scores.rebuild(session).scores == 0
    assert [row.forecaster for row in stored_scores.score_table(session, outcome)] == ["alice"]
    withdrawn, confirmed = history.steps(session, question)
    assert (withdrawn.superseded, withdrawn.corrects) == (False, None)
    assert confirmed.superseded
    [rescored] = confirmed.rescored
    assert rescored.before is not None
    assert rescored.now is None


@on_both
def test_lists_show_it_unresolved(session: Session, question: Question, alice: Member) -> None:
    resolve(session, question, alice, known=5, at=6)
    withdraw(session, question, alice)
    [one] = standing.unresolved(session, now=day(7))
    assert one.withdrawal is not None
    assert len(standing.outlines(session)) == 1
    assert [each.status for each in standing.listing(session, now=day(7))] == [Status.open]
    for status, found in (("open", 1), ("resolved", 0)):
        asked = search.Filter(status=status)
        assert len(search.find(session, asked, member=alice, now=day(7))[0]) == found


def test_it_can_be_resolved_again(session: Session, question: Question, alice: Member) -> None:
    resolve(session, question, alice, known=5, at=6)
    first = withdraw(session, question, alice)
    again = resolve(session, question, alice, at=8)
    assert again.supersedes_id == first.id
    assert again.known_at == day(8)  # not as of the withdrawn one
    assert close_of(session, question) == 8
    assert history.steps(session, question)[0].corrects is None
    assert state_of(session, question, 8).withdrawal is None
    withdraw(session, question, alice, at=9)
    assert state_of(session, question, 9).status == Status.open
    assert len(proposals.history(session, question)) == 4


def test_it_needs_a_reason(session: Session, question: Question, alice: Member) -> None:
    with pytest.raises(Refused, match="has no outcome to withdraw"):
        withdraw(session, question, alice)
    resolve(session, question, alice, "annulled", at=6)
    with pytest.raises(Refused, match="needs a reason"):
        confirmation.withdraw(session, question, reason=" ", now=day(7), member=alice)
    withdraw(session, question, alice)
    with pytest.raises(Refused, match="has no outcome to withdraw"):
        withdraw(session, question, alice, at=8)


def test_a_team_may_require_another(session: Session, alice: Member, bob: Member) -> None:
    alder = teams.create(session, "Alder", member=alice, now=day(0))
    teams.set_role(session, alder, bob, Role.resolver, member=alice, now=day(0))
    teams.set_rule(session, alder, second_resolver=True, member=alice, now=day(0))
    rain = ask(session, alice, slug="rain", team_id=alder.id)
    say(session, rain, alice, 0.4, 1)
    resolve(session, rain, bob, known=5, at=6)
    with pytest.raises(Refused, match="requires a second resolver"):
        withdraw(session, rain, alice)
    withdraw(session, rain, bob)


def test_an_unseen_outcome_stays(session: Session, question: Question, alice: Member) -> None:
    seen = resolve(session, question, alice, known=5, at=6)
    other = resolve(session, question, alice, "no", at=6)
    act = {"reason": "no", "now": day(7), "member": alice}
    with pytest.raises(Refused, match="was resolved meanwhile"):
        confirmation.withdraw(session, question, expected=seen, **act)
    confirmation.withdraw(session, question, expected=other, **act)
    with pytest.raises(Refused, match="was withdrawn meanwhile"):
        resolve(session, question, alice, at=7, expected=other)


@on_both
def test_the_first_act_wins(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    with database.writing(engine) as session:
        alice = member_or_new(session, "alice", now=day(0))
        rain = ask(session, alice, slug="rain")
        resolve(session, rain, alice, known=5, at=6)
        before = state_of(session, rain, 7)
        withdraw(session, rain, alice)
    monkeypatch.setattr(confirmation, "current_state", lambda *_, **__: before)
    with (
        pytest.raises(Refused, match="or withdrew its outcome"),
        database.writing(engine) as session,
    ):
        resolve(session, rain, alice, "no", at=7)


def test_a_dispute_ends_and_the_next_outcome_can_be_disputed(
    session: Session, question: Question, alice: Member, bob: Member
) -> None:
    confirms = PolicyKind.confirm
    assignments.set_policy(session, question, confirms, dispute_days=7, member=alice, now=day(0))
    resolve(session, question, alice, known=5, at=6)
    disputes.dispute(session, question, member=bob, now=day(6), reason="it was fog")
    withdraw(session, question, alice)
    assert disputes.open_disputes(session) == []
    assert finality.provisional_outcome(session, question, now=day(7)) is None
    with pytest.raises(Refused, match="is not resolved"):
        disputes.dispute(session, question, member=bob, now=day(7), reason="still")
    resolve(session, question, alice, known=7, at=8)
    assert finality.provisional_outcome(session, question, now=day(8)) is not None


def test_a_proposed_correction_is_then_an_outcome_to_decide_on(
    session: Session, question: Question, alice: Member, bob: Member
) -> None:
    resolve(session, question, alice, known=5, at=6)
    proposal = proposals.propose(
        session, question, "no", now=day(6), member=bob, note="The gazette."
    )
    withdraw(session, question, alice)
    assert state_of(session, question, 7).stage == "open, 1 proposal"
    accepted = confirmation.accept(session, proposal, now=day(8), member=alice).resolution
    assert accepted.outcome == "no"


def test_a_hidden_crowd_is_hidden_again(session: Session, alice: Member, bob: Member) -> None:
    rain = ask(session, alice, crowd_hidden=True)
    say(session, rain, alice, 0.8, 1)
    resolve(session, rain, alice, known=5, at=6)
    visibility.read_as(session, bob, now=day(7))
    assert not visibility.crowd_is_hidden(session, rain)
    withdraw(session, rain, alice)
    assert visibility.crowd_is_hidden(session, rain)


# Folders and parts


@pytest.fixture
def withdrawn(engine: Engine, tmp_path: Path) -> Engine:
    """A ledger from a folder in which rain is resolved, where that is withdrawn since."""
    with database.writing(engine) as session:
        alice = member_or_new(session, "alice", now=day(0))
        question = ask(session, alice, slug="rain")
        say(session, question, alice, 0.8, 1)
        resolve(session, question, alice, known=5, at=6)
        write_folder(ledger_frames(session), tmp_path / "resolved")
    with acting(engine) as (session, question, alice):
        withdraw(session, question, alice)
    return engine


def imports(engine: Engine, folder: Path, at: float) -> None:
    with database.writing(engine) as session:
        alice = member_or_new(session, "alice", now=day(at))
        import_frames(session, read_folder(folder), member=alice, now=day(at))


def current(engine: Engine, at: float) -> standing.QuestionState:
    with database.reading(engine) as session:
        return state_of(session, registry.find(session, "rain"), at)


def test_an_export_has_it_without_an_outcome(withdrawn: Engine, tmp_path: Path) -> None:
    with database.reading(withdrawn) as session:
        frames, now = ledger_frames(session), day(8)
        parts, omitted = export_parts(session, tmp_path / "parts", member=None, now=now, parts=1)
        assert left_out(session) == omitted
    assert "2 earlier resolutions, proposals, rejections or withdrawals" in omitted
    assert parts.questions(0)["resolution"].tolist() == [""]
    write_folder(frames, tmp_path / "open")
    row = read_folder(tmp_path / "open").questions.iloc[0]
    assert (row.resolution, row.resolution_note) == ("", "")
    assert row.isna()[["known_at", "resolved_at", "actual_close_time"]].all()
    imports(withdrawn, tmp_path / "open", 8)
    assert current(withdrawn, 8).withdrawal is not None
    other = database.open_engine(sqlite_url(tmp_path / "other.sqlite3"))
    migrate(other)
    imports(other, tmp_path / "open", 8)
    assert current(other, 8).status == Status.open
    other.dispose()


def test_an_import_does_not_undo_a_withdrawal(withdrawn: Engine, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="contradicts") as caught:
        imports(withdrawn, tmp_path / "resolved", 8)
    assert "withdrawn here at 2026-01-08 00:00 UTC" in str(caught.value.problems)
    assert current(withdrawn, 8).status == Status.open


@on_both
def test_an_import_of_another_outcome_resolves_it(withdrawn: Engine, tmp_path: Path) -> None:
    frames = read_folder(tmp_path / "resolved")
    for name in ("known_at", "resolved_at", "actual_close_time"):
        frames.questions[name] = frames.questions[name] + timedelta(days=3)
    with acting(withdrawn) as (session, _, alice):
        import_frames(session, frames, member=alice, now=day(9))
    found = current(withdrawn, 9)
    assert found.resolution is not None
    assert (found.resolution.outcome, found.resolution.known_at) == ("yes", day(8))
    assert found.text.close_time == day(8)
    with database.reading(withdrawn) as session:
        assert verify(session).broken is None
        assert len(stored_scores.score_table(session, found.resolution)) == 1
