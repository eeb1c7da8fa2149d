"""A member's own scores: means over all resolved questions, their trend, best and worst."""

from __future__ import annotations

from typing import Any

import pytest
from sqlmodel import Session

from forecasts.ledger.models import LinkKind, LinkStrength, Member
from forecasts.questions.links import link
from forecasts.reports import own_scores as module
from forecasts.reports.own_scores import SUPERFORECASTERS, own_scores, scale
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
    assert (own.compared, own.against_crowd.mean) == (0, None)
    assert (own.updated, own.points) == (0, None)


def test_points_are_the_mean_over_the_questions_with_an_update(
    session: Session, alice: Member
) -> None:
    for slug, path in (("moved", (0.8, 0.4)), ("same", (0.8,))):
        question = ask(session, alice, slug=slug)
        for at, p in enumerate(path):
            say(session, question, alice, p, 5 * at)
        resolve(session, question, alice, "no", 10, at=10)
    own = own_scores(scored_questions(session, alice))
    assert own.updated == 1
    assert own.points == pytest.approx((0.64 - 0.16) / 2)  # half of the time was left


def test_the_scale_has_the_marks_of_the_same_questions_best_first(
    session: Session, alice: Member, bob: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, p, outcome in (("a", 0.4, "no"), ("b", 0.2, "no"), ("c", 0.9, "yes")):
        question = ask(session, alice, slug=name, family="f" if name != "a" else "")
        say(session, question, alice, p, 0)
        if name == "c":
            say(session, question, bob, 0.5, 5)  # half of alice's time, which ends on day 10
        resolve(session, question, alice, outcome, 10, at=10)
    scored = scored_questions(session, alice)
    own = own_scores(scored)
    marks = {mark.name: mark.score for mark in scale(own)}
    assert list(marks) == ["You", SUPERFORECASTERS.name, "Crowd", "Always 50%"]
    assert marks["You"] == own.brier.mean == pytest.approx((0.16 + 0.04 + 0.01) / 3)
    # The crowd is bob's 50% for half of the time of c; elsewhere nobody but alice.
    assert marks["Crowd"] == pytest.approx((0.16 + 0.04 + (0.01 + 0.25) / 2) / 3)
    assert marks["Always 50%"] == 0.25
    # No question has a part in its own rate, nor has its family: of three there are two families.
    monkeypatch.setattr(module, "FEWEST_FOR_RATE", 3)
    assert "Base rate" not in [mark.name for mark in scale(own)]
    monkeypatch.setattr(module, "FEWEST_FOR_RATE", 2)
    rated = {mark.name: mark.score for mark in scale(own)}
    assert rated["Base rate"] == pytest.approx((0.5**2 + 0 + 1) / 3)
    assert scale(own_scores([])) == []


def test_numbers_and_dates_are_not_in_the_means(session: Session, alice: Member) -> None:
    depth = ask(session, alice, type="numeric", lower_bound="0", upper_bound="30", unit="m")
    value = Value(quantiles={"0.5": "12"})
    updates.update(session, depth, value, member=alice, now=day(1))
    resolve(session, depth, alice, "10", known=9, at=10)
    own = own_scores(scored_questions(session, alice))
    assert (own.calls, own.brier.mean, own.best, own.worst) == ((), None, [], [])


def test_contradictions_have_a_price_and_linked_questions_are_one_family(
    session: Session, alice: Member
) -> None:
    """March implies June, which she forecast 20 points lower; the score of July is her own."""
    asked = {name: ask(session, alice, slug=name) for name in ("march", "june", "july")}
    for question, p in zip(asked.values(), (0.6, 0.4, 0.3), strict=True):
        say(session, question, alice, p, 0)
    sure: Any = {"strength": LinkStrength.certain, "member": alice}
    link(session, asked["march"], asked["june"], LinkKind.implies, now=day(5), **sure)
    for question in asked.values():
        resolve(session, question, alice, "no", 10, at=10)
    # A link made after the outcomes counts for nothing.
    link(session, asked["march"], asked["july"], LinkKind.implies, now=day(11), **sure)
    scored = scored_questions(session, alice)
    found = own_scores(scored).coherence
    assert found is not None
    assert (found.sets, found.contradicting, found.questions, found.families) == (1, 1, 2, 1)
    assert found.cost.mean == pytest.approx((0.11 - 0.09) / 2)
    family = {one.state.slug: one.family for one in scored}
    assert family["march"] == family["june"] != family["july"] == ""
