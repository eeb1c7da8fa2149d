"""Proposals: open until someone accepts, rejects or overtakes them."""

import pytest
from sqlmodel import Session

from forecasts.common.errors import Refused
from forecasts.ledger.models import Member, Question
from forecasts.questions import standing as question_standing
from forecasts.questions.standing import Status
from forecasts.resolution import confirmation, proposals, resolutions
from tests.conftest import day


def test_a_proposal_waits_until_somebody_accepts_it(
    session: Session, question: Question, alice: Member
) -> None:
    proposal = proposals.propose(
        session, question, "yes", known_at=day(5), now=day(6), member=alice
    )
    assert question_standing.current_state(session, question, now=day(6)).status == Status.proposed
    assert [row for row, _ in proposals.open_proposals(session)] == [proposal]
    confirmation.accept(session, proposal, now=day(7), member=alice)
    assert question_standing.current_state(session, question, now=day(7)).status == Status.resolved
    assert proposals.open_proposals(session) == []
    with pytest.raises(Refused, match="decided already"):
        confirmation.accept(session, proposal, now=day(8), member=alice)


def test_a_proposal_that_was_overtaken_by_a_resolution_cannot_overturn_it(
    session: Session, question: Question, alice: Member
) -> None:
    proposal = proposals.propose(session, question, "no", known_at=day(5), now=day(6), member=alice)
    confirmation.confirm(session, question, "yes", known_at=day(5), now=day(7), member=alice)
    assert proposals.open_proposals(session) == []
    with pytest.raises(Refused, match="resolved since"):
        confirmation.accept(session, proposal, now=day(8), member=alice)


def test_a_rejected_proposal_leaves_the_question_awaiting(
    session: Session, question: Question, alice: Member
) -> None:
    proposal = proposals.propose(
        session, question, "yes", known_at=day(9), now=day(11), member=alice
    )
    with pytest.raises(Refused, match="needs a reason"):
        proposals.reject(session, proposal, now=day(12), member=alice, note=" ")
    proposals.reject(session, proposal, now=day(12), member=alice, note="no such report")
    assert question_standing.current_state(session, question, now=day(12)).status == Status.awaiting
    assert [row.state for row in resolutions.history(session, question)] == ["proposed", "rejected"]


def test_confirming_what_is_proposed_accepts_the_proposal(
    session: Session, question: Question, alice: Member, bob: Member
) -> None:
    said = {"note": "It poured.", "source": "https://example.org"}
    proposal = proposals.propose(
        session, question, "yes", known_at=day(5), now=day(6), member=bob, **said
    )
    row = confirmation.confirm(session, question, "yes", now=day(7), member=alice).resolution
    assert row.proposal_id == proposal.id
    assert (row.known_at, row.note, row.source) == (day(5), *said.values())


@pytest.mark.parametrize(("outcome", "known"), [("no", None), ("yes", 4.0)])
def test_confirming_something_else_overtakes_the_proposal(
    session: Session, question: Question, alice: Member, outcome: str, known: float | None
) -> None:
    proposals.propose(session, question, "yes", known_at=day(5), now=day(6), member=alice)
    row = confirmation.confirm(
        session,
        question,
        outcome,
        known_at=None if known is None else day(known),
        now=day(7),
        member=alice,
    ).resolution
    assert row.proposal_id is None
    assert row.known_at == day(7 if known is None else known)
    assert proposals.open_proposals(session) == []


def test_a_correction_may_be_proposed_and_accepted(
    session: Session, question: Question, alice: Member, bob: Member
) -> None:
    first = confirmation.confirm(
        session, question, "yes", known_at=day(5), now=day(6), member=bob
    ).resolution
    with pytest.raises(Refused, match="already resolved"):
        proposals.propose(session, question, "yes", known_at=day(5), now=day(7), member=alice)
    proposal = proposals.propose(session, question, "no", known_at=day(5), now=day(7), member=alice)
    assert question_standing.current_state(session, question, now=day(7)).status == Status.resolved
    second = confirmation.accept(session, proposal, now=day(8), member=bob).resolution
    assert (second.supersedes_id, second.proposal_id) == (first.id, proposal.id)
