"""A question needs no second look once it has its outcome here and the member's forecasts."""

from __future__ import annotations

import pytest
from sqlmodel import Session

from forecasts.access.members import member_or_new
from forecasts.accounts.accounts import settled
from forecasts.ledger.models import Member, QuestionOrigin
from forecasts.resolution import confirmation
from forecasts.updates import updates
from forecasts.values.value import Value
from tests.conftest import ask, day

pytestmark = pytest.mark.slow


def test_only_resolved_questions_that_the_member_forecast_are_settled(
    session: Session, alice: Member
) -> None:
    bob = member_or_new(session, "bob", now=day(0))
    for slug, who, platform in (
        ("rain", alice, "manifold"),
        ("open", alice, "manifold"),
        ("theirs", bob, "manifold"),
        ("elsewhere", alice, "metaculus"),
    ):
        question = ask(session, alice, slug=slug)
        updates.update(session, question, Value(probability=0.4), member=who, now=day(1))
        origin = {"platform": platform, "platform_id": f"id-{slug}", "url": ""}
        session.add(QuestionOrigin(question_id=question.id, recorded_at=day(1), **origin))
        session.flush()
        if slug != "open":
            confirmation.confirm(
                session, question, "yes", known_at=day(2), now=day(11), member=alice
            )
    assert settled(session, "manifold", alice) == {"id-rain"}
    assert settled(session, "manifold", bob) == {"id-theirs"}
    assert settled(session, "fatebook", alice) == set()
