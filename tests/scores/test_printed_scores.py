"""The scores that platforms printed, beside the ledger's own."""

from __future__ import annotations

from typing import Any

import pytest
from sqlmodel import Session

from forecasts.access import teams
from forecasts.access.members import member_or_new
from forecasts.access.visibility import read_as
from forecasts.ledger.models import Member, PrintedScore, Question
from forecasts.questions.standing import current_state
from forecasts.scores.printed_scores import Printed, printed_scores
from tests.conftest import ask, day, imported, resolve

pytestmark = pytest.mark.slow

NOW = day(9)


@pytest.fixture
def rain(session: Session, alice: Member, bob: Member) -> Question:
    """Resolved yes on day 5 of 10; alice said 80% from the start, bob 50%."""
    rain = ask(session, alice, slug="rain")
    for member, p in ((alice, 0.8), (bob, 0.5)):
        imported(session, rain, member, 0, p)
    resolve(session, rain, alice, known=5, at=6)
    return rain


def put(session: Session, question: Question, member: Member, score: float, **of: object) -> None:
    row = {"platform": "metaculus", "name": "peer", "recorded_at": day(7)} | of
    session.add(PrintedScore(question_id=question.id, member_id=member.id, score=score, **row))
    session.flush()


def read(session: Session, question: Question, member: Member | None = None) -> list[Printed]:
    return printed_scores(session, current_state(session, question, now=NOW), member)


@pytest.mark.parametrize(
    ("printed", "ours", "note"),
    [
        # 100 · ln(0.8 / 0.5) for half of the time
        (("metaculus", "peer", 23.5), ("metaculus_peer", 23.5), "The same rule"),
        # (0.25 − 0.04) · 4
        (("confido", "brier", 0.84), ("brier_final", 0.04), "higher is better"),
        (("fatebook", "relative Brier score", -0.1), ("", None), "draws late joiners to zero"),
        (("metaculus", "relative_legacy", 3.0), ("", None), "as printed"),
    ],
)
def test_a_printed_score_is_beside_ours_by_the_nearest_rule(
    session: Session, rain: Question, alice: Member, printed: Any, ours: Any, note: str
) -> None:
    platform, name, score = printed
    put(session, rain, alice, score, platform=platform, name=name, coverage=0.5)
    [one] = read(session, rain)
    assert (one.forecaster, one.coverage) == ("alice", 0.5)
    assert (one.platform, one.name, one.score) == printed
    assert (one.protocol, one.ours) == (ours[0], pytest.approx(ours[1], abs=0.01))
    assert note in one.note


def test_the_newest_of_a_name_counts_and_one_members_can_be_asked_for(
    session: Session, rain: Question, alice: Member, bob: Member
) -> None:
    put(session, rain, alice, 1.0)
    put(session, rain, bob, 2.0)
    put(session, rain, alice, 3.0)
    every = [(one.forecaster, one.score) for one in read(session, rain)]
    assert every == [("alice", 3), ("bob", 2)]
    assert [one.score for one in read(session, rain, bob)] == [2.0]


def test_nothing_is_shown_before_the_outcome(session: Session, alice: Member) -> None:
    snow = ask(session, alice, slug="snow")
    put(session, snow, alice, 1.0)
    assert read(session, snow) == []


def test_numbers_have_no_score_of_ours(session: Session, alice: Member) -> None:
    depth = ask(session, alice, type="numeric", lower_bound="0", upper_bound="9", unit="m")
    resolve(session, depth, alice, "5", known=5, at=6)
    put(session, depth, alice, 1.0)
    assert read(session, depth)[0].ours is None


def test_a_hidden_questions_scores_are_hidden(session: Session, alice: Member, bob: Member) -> None:
    teams.create(session, "Alder", member=alice, now=day(0))
    mine = ask(session, bob, slug="mine", visibility="author")
    imported(session, mine, bob, 0, 0.8)
    resolve(session, mine, bob, known=5, at=6)
    put(session, mine, bob, 1.0)
    state = current_state(session, mine, now=NOW)
    carol = member_or_new(session, "carol", now=day(0))
    read_as(session, carol, now=NOW)
    assert printed_scores(session, state) == []
