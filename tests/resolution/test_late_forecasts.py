"""A forecast made once the outcome was known does not count, and its number is told."""

from __future__ import annotations

from sqlmodel import Session

from forecasts.ledger.models import Member, Question
from forecasts.resolution import confirmation
from forecasts.resolution.late_forecasts import LateForecasts, late_forecasts
from forecasts.scores.stored_scores import resolution_scores
from forecasts.updates import updates
from tests.conftest import day, say
from tests.resolution.conftest import state_of


def test_forecasts_from_the_time_on_do_not_count_and_are_counted(
    session: Session, question: Question, alice: Member, bob: Member
) -> None:
    say(session, question, alice, 0.5, 1)
    for at in (4, 5):
        say(session, question, bob, 0.99, at)
    updates.withdraw(session, question, member=bob, now=day(6))
    before = state_of(session, question, 7)
    late = late_forecasts(session, before, "yes", day(4))
    assert late == LateForecasts(2, 1)
    assert late.sentence == (
        "2 forecasts by 1 member no longer count: made when the outcome was known."
    )
    settled = confirmation.confirm(
        session, question, "yes", known_at=day(4), now=day(7), member=alice
    )
    assert (settled.before, settled.left_out) == (None, late)
    assert {handle for _, handle in resolution_scores(session, settled.resolution)} == {"alice"}


def test_a_time_moved_back_counts_only_those_that_counted_before(
    session: Session, question: Question, alice: Member, bob: Member
) -> None:
    say(session, question, alice, 0.5, 1)
    say(session, question, bob, 0.6, 3)
    say(session, question, bob, 0.99, 5)
    first, second = (
        confirmation.confirm(session, question, "yes", known_at=day(at), now=day(6), member=alice)
        for at in (4, 2)
    )
    assert second.before == first.resolution
    assert second.left_out == LateForecasts(1, 1)


def test_nothing_may_be_left_out(session: Session, question: Question, alice: Member) -> None:
    say(session, question, alice, 0.5, 5)
    before = state_of(session, question, 6)
    assert late_forecasts(session, before, "annulled", day(2)).sentence == ""
    assert late_forecasts(session, before, "yes", day(5.5)).forecasts == 0
    settled = confirmation.confirm(session, question, "annulled", now=day(6), member=alice)
    assert settled.left_out.forecasts == 0
