"""A resolution may be disputed for some days, and people decide."""

from __future__ import annotations

from datetime import datetime

import pytest
from sqlmodel import Session

from forecasts.common.errors import Refused
from forecasts.ledger.models import Dispute, Member, PolicyKind, Question
from forecasts.questions import finality
from forecasts.reports.build import build
from forecasts.reports.selection import Choice
from forecasts.resolution import assignments, disputes, history
from forecasts.resolution.proposals import by_resolution
from forecasts.scores import stored_scores
from forecasts.scores.ledger_frames import ledger_frames, revision
from tests.conftest import day, resolve, say

pytestmark = pytest.mark.slow


@pytest.fixture
def resolved(session: Session, question: Question, alice: Member) -> Question:
    """Resolved on day 3, for a week of disputes, with a forecast of alice's."""
    say(session, question, alice, 0.7, 1)
    assignments.set_policy(
        session, question, PolicyKind.confirm, dispute_days=7, member=alice, now=day(1)
    )
    resolve(session, question, alice, "yes", 2, at=3)
    return question


def dispute(
    session: Session, question: Question, member: Member, at: float, reason: str = "The sprinkler."
) -> Dispute:
    return disputes.dispute(session, question, member=member, now=day(at), reason=reason)


def until(session: Session, question: Question, at: float) -> datetime | None:
    found = finality.provisional_outcome(session, question, now=day(at))
    return None if found is None else found.until


def test_disputes_have_days(session: Session, resolved: Question, alice: Member) -> None:
    assert until(session, resolved, 3) == until(session, resolved, 9.99) == day(10)
    assert until(session, resolved, 10) is None
    assert list(finality.provisional_outcomes(session, now=day(9))) == [resolved.id]
    for days in (0, 100):
        assignments.set_policy(
            session, resolved, PolicyKind.confirm, dispute_days=days, member=alice, now=day(4)
        )
    assert until(session, resolved, 5) == day(10)


def test_otherwise_it_is_final(session: Session, question: Question, alice: Member) -> None:
    with pytest.raises(Refused, match="is not resolved"):
        dispute(session, question, alice, 1)
    resolve(session, question, alice, "yes", 2, at=3)
    assert until(session, question, 3) is None
    with pytest.raises(Refused, match="is final"):
        dispute(session, question, alice, 3)
    with pytest.raises(Refused, match="is not disputed"):
        disputes.uphold(session, question, member=alice, now=day(3))


def test_a_disputed_outcome_stays_provisional_until_someone_decides(
    session: Session, resolved: Question, alice: Member, bob: Member
) -> None:
    row = dispute(session, resolved, bob, 4, " The sprinkler. ")
    assert row.reason == "The sprinkler."
    assert until(session, resolved, 100) == day(10)
    [(found, _, question)] = disputes.open_disputes(session)
    assert (found, question) == (row, resolved)
    with pytest.raises(Refused, match="is disputed already"):
        dispute(session, resolved, alice, 4)
    disputes.uphold(session, resolved, member=alice, now=day(12), reason="It rained as well.")
    assert until(session, resolved, 12) is None
    assert disputes.open_disputes(session) == []
    [rows] = by_resolution(session, resolved, Dispute).values()
    assert [one.answers_id for one in rows] == [None, row.id]
    for act in (disputes.uphold, disputes.dispute):
        with pytest.raises(Refused):
            act(session, resolved, member=alice, now=day(12), reason="again")


def test_another_outcome_ends_a_dispute_and_is_final(
    session: Session, resolved: Question, alice: Member, bob: Member
) -> None:
    dispute(session, resolved, bob, 4)
    row = resolve(session, resolved, alice, "no", at=5)
    assert until(session, resolved, 5) is None
    assert disputes.open_disputes(session) == []
    [scored] = stored_scores.score_table(session, row)
    assert scored.brier == pytest.approx(0.49)


def test_disputes_need_a_reason_in_time_and_a_correction_has_its_own(
    session: Session, resolved: Question, alice: Member, bob: Member
) -> None:
    for at, reason, words in ((4, " ", "needs a reason"), (10, "no", "final"), (11, "no", "final")):
        with pytest.raises(Refused, match=words):
            dispute(session, resolved, bob, at, reason)
    resolve(session, resolved, alice, "no", at=5)
    assert until(session, resolved, 5) == day(12)


def noted(session: Session, at: float) -> list[str]:
    made = build(ledger_frames(session), choice=Choice(cohort="resolved"), as_of=day(at))
    return [note for note in made.notes if note.startswith("Provisional scores")]


def test_a_report_counts_its_provisional_outcomes(
    session: Session, resolved: Question, alice: Member, bob: Member
) -> None:
    [note] = noted(session, 9)
    assert note.startswith("Provisional scores: 1 outcome counted here can still change")
    assert noted(session, 10) == []
    before = revision(session)
    dispute(session, resolved, bob, 9)
    assert revision(session) != before
    assert len(noted(session, 100)) == 1
    disputes.uphold(session, resolved, member=alice, now=day(12))
    assert noted(session, 12) == []


def test_annulling_removes_scores(session: Session, resolved: Question, alice: Member) -> None:
    resolve(session, resolved, alice, "annulled", at=5)
    made = build(ledger_frames(session), choice=Choice(cohort="resolved"), as_of=day(20))
    assert [(left.reason, left.questions) for left in made.left_out] == [("annulled", 1)]
    assert [group.questions for group in made.groups] == [0]
    [step, earlier] = history.steps(session, resolved)
    assert step.rescored == ()
    [was] = earlier.rescored
    assert (was.before, was.now) == (pytest.approx(0.09), None)
