"""Proposals, open until someone decides on them, and the steps by which an outcome came about."""

from __future__ import annotations

from typing import Any

import pytest
from sqlmodel import Session

from forecasts.common.errors import Refused
from forecasts.ledger.models import Member, Question, Resolution
from forecasts.questions.standing import Status
from forecasts.resolution import confirmation, history, proposals
from tests.conftest import day, resolve, say
from tests.resolution.conftest import state_of


def propose(
    session: Session,
    question: Question,
    member: Member,
    outcome: str = "yes",
    at: float = 6,
    **more: Any,
) -> Resolution:
    how = {"known_at": day(5), "now": day(at), "member": member, "note": "The gazette."}
    return proposals.propose(session, question, outcome, **how | more)


def test_a_proposal_is_open(session: Session, question: Question, alice: Member) -> None:
    proposal = propose(session, question, alice)
    assert state_of(session, question, 6).stage == "open, 1 proposal"
    assert [row for row, _ in proposals.open_proposals(session)] == [proposal]
    confirmation.accept(session, proposal, now=day(7), member=alice)
    assert state_of(session, question, 7).stage == "resolved"
    assert proposals.open_proposals(session) == []
    with pytest.raises(Refused, match="decided already"):
        confirmation.accept(session, proposal, now=day(8), member=alice)


def test_a_proposal_needs_a_note_or_a_source(
    session: Session, question: Question, alice: Member
) -> None:
    with pytest.raises(Refused, match="needs a note or a source"):
        propose(session, question, alice, note=" ")
    assert proposals.proposals_on(session, question) == []
    propose(session, question, alice, note="", source="https://example.org")
    assert state_of(session, question, 7).stage == "open, 1 proposal"


def test_a_members_later_proposal_replaces_the_earlier(
    session: Session, question: Question, alice: Member, bob: Member
) -> None:
    propose(session, question, alice, "yes")
    propose(session, question, bob, "annulled")
    propose(session, question, alice, "no")
    standing = proposals.proposals_on(session, question)
    assert [(one.member_id, one.outcome) for one in standing] == [
        (bob.id, "annulled"),
        (alice.id, "no"),
    ]
    assert state_of(session, question, 11).stage == "awaiting resolution, 2 proposals"


def test_a_rejection_resolves_nothing(session: Session, question: Question, alice: Member) -> None:
    proposal = propose(session, question, alice, at=11)
    with pytest.raises(Refused, match="needs a reason"):
        proposals.reject(session, proposal, now=day(12), member=alice, note=" ")
    proposals.reject(session, proposal, now=day(12), member=alice, note="no such report")
    assert state_of(session, question, 12).status == Status.awaiting
    assert [row.state for row in proposals.history(session, question)] == ["proposed", "rejected"]


def test_confirming_the_proposed_outcome_accepts_the_proposal(
    session: Session, question: Question, alice: Member, bob: Member
) -> None:
    said = {"note": "It poured.", "source": "https://example.org"}
    proposal = propose(session, question, bob, **said)
    row = resolve(session, question, alice, at=7)
    assert row.proposal_id == proposal.id
    assert (row.known_at, row.note, row.source) == (day(5), *said.values())


@pytest.mark.parametrize(("outcome", "known"), [("no", None), ("yes", 4.0)])
def test_confirming_another_outcome_or_time_overtakes_the_proposal(
    session: Session, question: Question, alice: Member, outcome: str, known: float | None
) -> None:
    proposal = propose(session, question, alice)
    row = resolve(session, question, alice, outcome, known, at=7)
    assert row.proposal_id is None
    assert row.known_at == day(7 if known is None else known)
    assert proposals.open_proposals(session) == []
    with pytest.raises(Refused, match="resolved since"):
        confirmation.accept(session, proposal, now=day(8), member=alice)


def test_a_correction_may_be_proposed_and_accepted(
    session: Session, question: Question, alice: Member, bob: Member
) -> None:
    first = resolve(session, question, bob, "yes", 5, at=6)
    with pytest.raises(Refused, match="already resolved"):
        propose(session, question, alice, at=7)
    proposal = propose(session, question, alice, "no", at=7)
    assert state_of(session, question, 7).status == Status.resolved
    second = confirmation.accept(session, proposal, now=day(8), member=bob).resolution
    assert (second.supersedes_id, second.proposal_id) == (first.id, proposal.id)


def test_each_step_names_its_actor_and_superseded_ones_compare_their_scores(
    session: Session, question: Question, alice: Member, bob: Member
) -> None:
    assert history.steps(session, question) == []
    say(session, question, alice, 0.8, 0)
    say(session, question, bob, 0.5, 6)
    proposals.propose(
        session, question, "yes", known_at=day(4), now=day(8), member=bob, note="The gazette."
    )
    resolve(session, question, alice, "no", 5, at=9)
    resolve(session, question, bob, "yes", 10, at=10)
    newest, corrected, proposed = history.steps(session, question)
    assert [(step.row.outcome, step.actor) for step in (newest, corrected, proposed)] == [
        ("yes", "bob"),
        ("no", "alice"),
        ("yes", "bob"),
    ]
    assert newest.corrects == corrected.row
    assert (newest.superseded, corrected.superseded, proposed.superseded) == (False, True, False)
    assert (newest.rescored, proposed.rescored) == ((), ())
    by_alice, by_bob = corrected.rescored
    assert (by_alice.before, by_alice.now) == (pytest.approx(0.64), pytest.approx(0.04))
    assert by_alice.difference == pytest.approx(-0.6)
    # Bob's forecast came after the outcome was, as it seemed, known.
    assert (by_bob.before, by_bob.now, by_bob.difference) == (None, 0.25, None)


@pytest.mark.slow
def test_steps_compare_to_the_current(session: Session, question: Question, alice: Member) -> None:
    say(session, question, alice, 0.8, 0)
    for outcome in ("no", "annulled", "yes"):
        resolve(session, question, alice, outcome, at=9)
    current, annulled, first = history.steps(session, question)
    assert [step.superseded for step in (current, annulled, first)] == [False, True, True]
    assert first.rescored[0].difference == pytest.approx(0.04 - 0.64)
    [none_then] = annulled.rescored
    assert (none_then.before, none_then.now) == (None, pytest.approx(0.04))


@pytest.mark.parametrize(
    ("known", "resolved", "said"),
    [
        (5, 6, ", known at 2026-01-06 00:00 UTC"),
        (None, 6, ", recorded at 2026-01-07 00:00 UTC"),
        (None, None, ""),
    ],
)
def test_an_outcome_has_a_date(known: int | None, resolved: int | None, said: str) -> None:
    known_at, resolved_at = (None if one is None else day(one) for one in (known, resolved))
    row = Resolution(outcome="yes", known_at=known_at, resolved_at=resolved_at, recorded_at=day(9))
    assert history.dated(row) == said
