"""A question imported from two platforms counts once, after a person has joined the two."""

from __future__ import annotations

import pytest
from sqlmodel import Session

from forecasts.ledger.models import Member
from forecasts.questions.families import join_family
from forecasts.reports.build import build
from forecasts.reports.selection import Choice
from forecasts.resolution import confirmation
from forecasts.scores.ledger_frames import ledger_frames
from tests.conftest import ask, day, imported

pytestmark = pytest.mark.slow


def families(session: Session) -> tuple[int, int]:
    """Return the questions and the families that a report counts."""
    choice = Choice(cohort="resolved")
    [group] = build(ledger_frames(session), choice=choice, as_of=day(20)).groups
    return group.questions, group.families


def test_a_report_counts_a_question_on_two_platforms_once(session: Session, alice: Member) -> None:
    for slug in ("metaculus-7", "fatebook-a", "own"):
        asked = ask(session, alice, slug=slug)
        imported(session, asked, alice, 0, 0.8)
        confirmation.confirm(session, asked, "yes", known_at=day(5), now=day(6), member=alice)
    assert families(session) == (3, 3)
    join_family(session, ["metaculus-7", "fatebook-a"], member=alice, now=day(7))
    assert families(session) == (3, 2)
