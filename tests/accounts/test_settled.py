"""A question needs no second look once it has its outcome here and the member's forecasts."""

from __future__ import annotations

import pytest
from sqlmodel import Session

from forecasts.access.members import member_or_new
from forecasts.accounts.accounts import settled
from forecasts.ledger.models import Member, QuestionOrigin
from tests.conftest import ask, day, resolve, say

pytestmark = pytest.mark.slow


def test_resolved_questions_that_were_forecast_are_settled(session: Session, alice: Member) -> None:
    bob = member_or_new(session, "bob", now=day(0))
    for slug, who, platform in (
        ("rain", alice, "manifold"),
        ("open", alice, "manifold"),
        ("theirs", bob, "manifold"),
        ("elsewhere", alice, "metaculus"),
    ):
        question = ask(session, alice, slug=slug)
        say(session, question, who, 0.4, 1)
        origin = {"platform": platform, "platform_id": f"id-{slug}", "url": ""}
        session.add(QuestionOrigin(question_id=question.id, recorded_at=day(1), **origin))
        session.flush()
        if slug != "open":
            resolve(session, question, alice, "yes", 2, at=11)
    assert settled(session, "manifold", alice) == {"id-rain"}
    assert settled(session, "manifold", bob) == {"id-theirs"}
    assert settled(session, "fatebook", alice) == set()
