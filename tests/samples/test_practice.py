"""Practice: questions with known answers, drawn in turn, and never counted."""

from __future__ import annotations

import pytest
from sqlmodel import Session, func, select

from forecasts.access import teams
from forecasts.access.visibility import read_as
from forecasts.ledger.models import Forecast, Member
from forecasts.resolution import confirmation
from forecasts.samples import practice
from forecasts.samples.practice import Answer
from tests.conftest import ask, day

pytestmark = pytest.mark.slow


def test_the_questions_of_articles_are_already_answered_by_then() -> None:
    early, late = (practice.of_articles(now=day(at)) for at in (-150, 300))
    assert 0 < len(early) < len(late)
    assert all(one.title and one.criteria and one.note for one in late)


def test_only_resolved_visible_questions(session: Session, alice: Member, bob: Member) -> None:
    teams.create(session, "Alder", member=alice, now=day(0))
    for title, outcome, who in (
        ("Yes?", "yes", "everyone"),
        ("No?", "no", "everyone"),
        ("Void?", "annulled", "everyone"),
        ("Secret?", "yes", "me"),
    ):
        question = ask(session, alice, title=title, **teams.visibility_fields(session, who))
        confirmation.confirm(session, question, outcome, known_at=day(1), now=day(1), member=alice)
    ask(session, alice, title="Open?")
    read_as(session, bob, now=day(2))
    found = practice.of_ledger(session, now=day(2))
    assert sorted((one.title, one.answer) for one in found) == [("No?", False), ("Yes?", True)]


def test_each_is_drawn_once_in_an_order_that_the_seed_decides() -> None:
    there = practice.of_articles(now=day(300))
    done: list[str] = []
    while (one := practice.draw(there, done, seed=1)) is not None:
        done.append(one.slug)
    assert sorted(done) == sorted(one.slug for one in there)
    first = {practice.draw(there, [], seed=seed) for seed in range(20)}
    assert len(first) > 1


def test_few_answers_are_too_few_to_tell_and_the_score_is_their_mean(session: Session) -> None:
    there = practice.of_articles(now=day(300))[:3]
    answers = [Answer(one, p) for one, p in zip(there, (0.5, 0.9, 0.2), strict=True)]
    group = practice.record(answers, now=day(300))
    assert group.verdict.kind == "too_few"
    assert group.verdict.sentence.startswith("Too few to tell")
    assert group.brier.mean == pytest.approx(sum(one.brier for one in answers) / 3)
    assert session.exec(select(func.count()).select_from(Forecast)).one() == 0
