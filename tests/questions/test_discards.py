"""Discarding a question: by its author, within a day, while it is nobody else's."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine, text
from sqlmodel import Session, select

from forecasts.access import teams
from forecasts.access.members import member_or_new
from forecasts.access.visibility import read_as
from forecasts.agenda import today
from forecasts.common.errors import Forbidden, NotFound, Refused
from forecasts.exporting import export
from forecasts.ledger import database
from forecasts.ledger.models import Evidence, Member, Question, Watch
from forecasts.ledger.verification import verify
from forecasts.questions import registry, revisions, search, standing
from forecasts.questions.discards import discard, may_discard
from forecasts.resolution import assignments, confirmation, proposals
from forecasts.scores import ledger_frames as frames
from forecasts.scores.ledger_frames import ledger_frames
from forecasts.updates import updates
from forecasts.updates.evidence import CitedEvidence
from forecasts.values.value import Value
from tests.conftest import ask, day, on_both

HALF = Value(probability=0.5)
LATER = day(0.5)


@pytest.fixture
def slip(session: Session, alice: Member) -> Question:
    """A question of alice's, with a forecast and evidence of her own."""
    question = ask(session, alice, slug="slip", title="Will it rian?")
    note = [CitedEvidence(note="a slip of mine")]
    updates.update(session, question, HALF, member=alice, now=day(0), evidence=note)
    return question


@on_both
@pytest.mark.slow
def test_a_discarded_question_is_nowhere(session: Session, alice: Member, slip: Question) -> None:
    rain = ask(session, alice, slug="rain", title="Will it rain?")
    updates.update(session, rain, HALF, member=alice, now=day(0))
    discard(session, slip, member=alice, now=LATER)
    for reader in (None, alice):
        if reader is not None:
            read_as(session, reader, now=LATER)
        assert [state.slug for state in standing.listing(session, now=LATER)] == ["rain"]
        assert [state.slug for state in standing.unresolved(session, now=LATER)] == ["rain"]
        assert search.find(session, search.Filter(), member=alice, now=LATER)[0] == ["rain"]
        assert list(updates.current_forecasts(session, alice, at=LATER)) == [rain.id]
        read = ledger_frames(session)
        assert set(read.questions["question_id"]) == set(read.forecasts["question_id"])
        assert set(read.questions["question_id"]) == {"rain"}
        assert read.evidence.empty
        exported, _ = export.exported(session, member=reader, now=LATER)
        assert set(exported.questions["question_id"]) == {"rain"}
        with pytest.raises(NotFound):
            registry.find(session, "slip")


def test_a_discard_makes_reports_stale(session: Session, alice: Member, slip: Question) -> None:
    assert not today.is_empty(session)
    before = frames.revision(session)
    discard(session, slip, member=alice, now=LATER)
    assert today.is_empty(session)
    assert today.today(session, alice, now=LATER).total == 0
    assert frames.revision(session) != before


def test_no_act_takes_a_discarded_question(session: Session, alice: Member, slip: Question) -> None:
    discard(session, slip, member=alice, now=LATER)
    for act in (
        lambda: updates.update(session, slip, HALF, member=alice, now=LATER),
        lambda: revisions.revise(session, slip, member=alice, now=LATER, title="Rain?"),
        lambda: confirmation.confirm(session, slip, "yes", known_at=LATER, now=LATER, member=alice),
        lambda: discard(session, slip, member=alice, now=LATER),
    ):
        with pytest.raises(NotFound, match="There is no question 'slip'"):
            act()


@on_both
def test_nothing_is_rewritten_and_the_chain_covers_the_discard(engine: Engine) -> None:
    with database.writing(engine) as session:
        alice = member_or_new(session, "alice", now=day(0))
        slip = ask(session, alice, slug="slip")
        updates.update(session, slip, HALF, member=alice, now=day(0))
    with database.reading(engine) as session:
        before = verify(session)
    with database.writing(engine) as session:
        discard(session, registry.find(session, "slip"), member=alice, now=LATER)
    with database.reading(engine) as session:
        after = verify(session, against=before.digest)
    assert after.broken is None
    assert after.rows == {**before.rows, "discard": 1}
    assert after.entries == before.entries + 1
    for change in ("DELETE FROM discard", "UPDATE discard SET member_id = 1"):
        with pytest.raises(Exception, match="append-only"), database.writing(engine) as session:
            session.execute(text(change))


def test_cited_evidence_stays(session: Session, alice: Member, bob: Member, slip: Question) -> None:
    rain = ask(session, alice, slug="rain", title="Will it rain?")
    note = [CitedEvidence(note="a slip of mine")]
    updates.update(session, rain, HALF, member=bob, now=day(0), evidence=note)
    discard(session, slip, member=alice, now=LATER)
    assert len(ledger_frames(session).evidence) == 1
    assert len(session.exec(select(Evidence)).all()) == 1


def test_a_discard_stops_the_resolvers_and_frees_the_title(
    session: Session, alice: Member, slip: Question
) -> None:
    path = {"path": "/tmp/outcomes.csv"}
    assignments.attach(session, slip, "outcomes_file", path, member=alice, now=day(0))
    discard(session, slip, member=alice, now=LATER)
    assert session.exec(select(Watch)).one().next_at is None
    again = ask(session, alice, title="Will it rian?", open_time=LATER)
    assert again.slug == "will-it-rian"


def test_only_authors_discard(session: Session, alice: Member, bob: Member, slip: Question) -> None:
    assert may_discard(session, slip, member=alice, now=LATER)
    assert not may_discard(session, slip, member=bob, now=LATER)
    assert not may_discard(session, slip, member=None, now=LATER)
    with pytest.raises(Forbidden, match="only its author"):
        discard(session, slip, member=bob, now=LATER)
    mine = ask(session, alice, slug="mine", **teams.visibility_fields(session, "me"))
    read_as(session, bob, now=LATER)
    assert not may_discard(session, mine, member=bob, now=LATER)
    with pytest.raises(NotFound):
        discard(session, mine, member=bob, now=LATER)


def test_a_question_is_kept_after_a_day_a_forecast_of_another_or_a_proposal(
    session: Session, alice: Member, bob: Member, slip: Question
) -> None:
    def refused(words: str, now: float = 0.5) -> None:
        assert not may_discard(session, slip, member=alice, now=day(now))
        with pytest.raises(Refused, match=words):
            discard(session, slip, member=alice, now=day(now))

    assert may_discard(session, slip, member=alice, now=day(1))
    refused("discarded for a day", 1.01)
    updates.update(session, slip, HALF, member=bob, now=day(0.1))
    refused("^Another member has forecast")
    updates.withdraw(session, slip, member=bob, now=day(0.2))
    refused("^Another member has forecast")
    proposals.propose(
        session, slip, "yes", known_at=day(0.3), now=day(0.3), member=alice, note="The gazette."
    )
    refused("^Another member has forecast")


def test_a_proposal_prevents_a_discard(session: Session, alice: Member, slip: Question) -> None:
    proposals.propose(
        session, slip, "yes", known_at=day(0.3), now=day(0.3), member=alice, note="The gazette."
    )
    with pytest.raises(Refused, match="an outcome or a proposal"):
        discard(session, slip, member=alice, now=LATER)
