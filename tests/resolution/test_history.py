import pytest
from sqlmodel import Session

from forecasts.ledger.models import Member, Question, Resolution
from forecasts.resolution import confirmation, history, proposals
from forecasts.updates import updates
from forecasts.values.value import Value
from tests.conftest import day


def test_each_step_says_who_took_it_and_superseded_ones_compare_their_scores(
    session: Session, question: Question, alice: Member, bob: Member
) -> None:
    updates.update(session, question, Value(probability=0.8), member=alice, now=day(0))
    updates.update(session, question, Value(probability=0.5), member=bob, now=day(6))
    proposals.propose(session, question, "yes", known_at=day(4), now=day(8), member=bob)
    confirmation.confirm(session, question, "no", known_at=day(5), now=day(9), member=alice)
    confirmation.confirm(session, question, "yes", known_at=day(10), now=day(10), member=bob)
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
def test_a_superseded_resolution_is_compared_with_the_one_that_stands_not_with_the_next(
    session: Session, question: Question, alice: Member
) -> None:
    updates.update(session, question, Value(probability=0.8), member=alice, now=day(0))
    for outcome in ("no", "annulled", "yes"):
        confirmation.confirm(session, question, outcome, now=day(9), member=alice)
    state, annulled, first = history.steps(session, question)
    assert [step.superseded for step in (state, annulled, first)] == [False, True, True]
    assert first.rescored[0].difference == pytest.approx(0.04 - 0.64)
    [none_then] = annulled.rescored
    assert (none_then.before, none_then.now) == (None, pytest.approx(0.04))


def test_a_question_that_nobody_resolved_has_no_steps(session: Session, question: Question) -> None:
    assert history.steps(session, question) == []


@pytest.mark.parametrize(
    ("known", "resolved", "said"),
    [
        (5, 6, ", known at 2026-01-06 00:00 UTC"),
        (None, 6, ", recorded at 2026-01-07 00:00 UTC"),
        (None, None, ""),
    ],
)
def test_an_outcome_is_dated_by_when_it_was_known_or_else_recorded(
    known: int | None, resolved: int | None, said: str
) -> None:
    known_at, resolved_at = (None if one is None else day(one) for one in (known, resolved))
    row = Resolution(outcome="yes", known_at=known_at, resolved_at=resolved_at, recorded_at=day(9))
    assert history.dated(row) == said
