"""What needs a member today."""

from __future__ import annotations

from datetime import timedelta

from sqlmodel import Session

from forecasts import resolutions, scores, updates
from forecasts.access import forecaster_handles, member_or_new
from forecasts.models import Member, Question
from forecasts.today import RECENT, today
from forecasts.values import Value
from tests.conftest import ask, day


def test_an_empty_ledger_is_empty_and_one_with_a_question_is_not(
    session: Session, alice: Member
) -> None:
    assert today(session, alice, now=day(1)).empty
    ask(session, alice)
    assert not today(session, alice, now=day(1)).empty


def test_a_question_moves_from_unforecast_to_standing_and_back_with_a_withdrawal(
    session: Session, question: Question, alice: Member, bob: Member
) -> None:
    updates.update(session, question, Value(probability=0.2), member=bob, now=day(1))
    assert len(today(session, alice, now=day(2)).unforecast) == 1
    updates.update(session, question, Value(probability=0.3), member=alice, now=day(2))
    [(_, forecast)] = today(session, alice, now=day(3)).standing
    assert forecast.probability == 0.3
    updates.withdraw(session, question, member=alice, now=day(4))
    assert len(today(session, alice, now=day(5)).unforecast) == 1


def test_of_two_forecasts_at_one_instant_the_later_row_stands(
    session: Session, question: Question, alice: Member
) -> None:
    for p in (0.1, 0.9):
        updates.update(session, question, Value(probability=p), member=alice, now=day(1))
    standing = updates.standing_of(session, alice, at=day(1))
    assert [forecast.probability for forecast in standing.values()] == [0.9]
    assert updates.standing_of(session, alice, at=day(1) - timedelta(seconds=1)) == {}


def test_what_has_closed_awaits_its_resolution(session: Session, question: Question) -> None:
    needs = today(session, None, now=day(11))
    assert [stands.slug for stands in needs.awaiting] == [question.slug]
    assert needs.unforecast == []


def test_the_latest_scores_come_first_and_a_corrected_one_counts_once(
    session: Session, alice: Member
) -> None:
    for number in range(RECENT + 2):
        question = ask(session, alice, slug=f"q{number}", title=f"Question {number}")
        updates.update(session, question, Value(probability=0.2), member=alice, now=day(1))
        resolutions.confirm(
            session, question, "no", known_at=day(2), now=day(3 + number), member=alice
        )
    resolutions.confirm(session, question, "yes", known_at=day(2), now=day(20), member=alice)
    resolved = today(session, alice, now=day(21)).resolved
    assert [stands.slug for stands, _ in resolved] == ["q6", "q5", "q4", "q3", "q2"]
    assert resolved[0][1].score == (1 - 0.2) ** 2


def test_the_score_table_has_one_row_a_forecaster_the_best_first(
    session: Session, question: Question, alice: Member, bob: Member
) -> None:
    updates.update(session, question, Value(probability=0.9), member=bob, now=day(0))
    updates.update(session, question, Value(probability=0.5), member=alice, now=day(0))
    updates.withdraw(session, question, member=alice, now=day(5))
    resolution = resolutions.confirm(
        session, question, "yes", known_at=day(10), now=day(10), member=bob
    )
    best, worst = scores.table(session, resolution)
    assert (best.forecaster, round(best.brier, 12), round(best.original, 12)) == ("bob", 0.01, 0.02)
    assert (worst.forecaster, worst.final, worst.coverage) == ("alice", None, 0.5)


def test_only_those_who_have_forecast_have_a_record(
    session: Session, question: Question, alice: Member, bob: Member
) -> None:
    member_or_new(session, "carol", now=day(0))
    updates.update(session, question, Value(probability=0.9), member=bob, now=day(1))
    assert forecaster_handles(session) == ["bob"]
