"""Proposals: open until someone accepts, rejects or overtakes them."""

from __future__ import annotations

from typing import Any

import pytest
from sqlmodel import Session

from forecasts.common.errors import Refused
from forecasts.ledger.models import Member, Question, Resolution
from forecasts.questions.standing import Status
from forecasts.resolution import confirmation, proposals
from tests.conftest import day, resolve
from tests.resolution.conftest import state_of


def propose(
    session: Session,
    question: Question,
    member: Member,
    outcome: str = "yes",
    at: float = 6,
    **more: Any,
) -> Resolution:
    return proposals.propose(
        session, question, outcome, known_at=day(5), now=day(at), member=member, **more
    )


def test_a_proposal_is_open(session: Session, question: Question, alice: Member) -> None:
    proposal = propose(session, question, alice)
    assert state_of(session, question, 6).status == Status.proposed
    assert [row for row, _ in proposals.open_proposals(session)] == [proposal]
    confirmation.accept(session, proposal, now=day(7), member=alice)
    assert state_of(session, question, 7).status == Status.resolved
    assert proposals.open_proposals(session) == []
    with pytest.raises(Refused, match="decided already"):
        confirmation.accept(session, proposal, now=day(8), member=alice)


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
