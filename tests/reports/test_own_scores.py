"""A member's own scores: means over all resolved questions, their trend, best and worst."""

from __future__ import annotations

import pytest
from sqlmodel import Session

from forecasts.ledger.models import Member
from forecasts.reports import own_scores as module
from forecasts.reports.own_scores import own_scores
from forecasts.scores.scored_questions import scored_questions
from forecasts.updates import updates
from forecasts.values.value import Value
from tests.conftest import ask, day, resolve, say

pytestmark = pytest.mark.slow


def test_the_means_are_over_questions_and_the_trend_is_in_the_order_of_outcomes(
    session: Session, alice: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "WINDOW", 2)
    for number, (p, known) in enumerate(((0.4, 9), (0.1, 8), (0.2, 7))):
        question = ask(session, alice, slug=f"q{number}")
        say(session, question, alice, p, 1)
        resolve(session, question, alice, "no", known, at=10 + number)
    own = own_scores(scored_questions(session, alice))
    assert [call.question.state.slug for call in own.calls] == ["q2", "q1", "q0"]
    assert [call.running for call in own.calls] == pytest.approx([0.04, 0.025, 0.085])
    assert own.brier.mean == pytest.approx((0.16 + 0.01 + 0.04) / 3)
    assert own.brier.interval[0] < own.brier.mean < own.brier.interval[1]
    assert [call.question.state.slug for call in own.best] == ["q1"]
    assert [call.question.state.slug for call in own.worst] == ["q0"]
    assert (own.compared, own.against_crowd.mean, own.points) == (0, None, 0)


def test_numbers_and_dates_are_not_in_the_means(session: Session, alice: Member) -> None:
    depth = ask(session, alice, type="numeric", lower_bound="0", upper_bound="30", unit="m")
    value = Value(quantiles={"0.5": "12"})
    updates.update(session, depth, value, member=alice, now=day(1))
    resolve(session, depth, alice, "10", known=9, at=10)
    own = own_scores(scored_questions(session, alice))
    assert (own.calls, own.brier.mean, own.best, own.worst) == ((), None, [], [])
