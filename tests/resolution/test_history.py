"""The steps by which a question got its outcome, each with its actor and its effect on scores."""

from __future__ import annotations

import pytest
from sqlmodel import Session

from forecasts.ledger.models import Member, Question, Resolution
from forecasts.resolution import history, proposals
from tests.conftest import day, resolve, say


def test_each_step_names_its_actor_and_superseded_ones_compare_their_scores(
    session: Session, question: Question, alice: Member, bob: Member
) -> None:
    assert history.steps(session, question) == []
    say(session, question, alice, 0.8, 0)
    say(session, question, bob, 0.5, 6)
    proposals.propose(session, question, "yes", known_at=day(4), now=day(8), member=bob)
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
