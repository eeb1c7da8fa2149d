"""When a member means to look again, and what they have seen."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlmodel import Session

from forecasts.agenda import revisits
from forecasts.common.errors import Refused
from forecasts.ledger.models import Member, Question
from forecasts.updates import updates
from forecasts.values.value import Value, value_of
from tests.conftest import ask, day, on_both, say


@on_both
def test_the_newest_setting_counts_and_a_questions_own_comes_first(
    session: Session, question: Question, alice: Member, bob: Member
) -> None:
    for member in (alice, None):
        assert revisits.intervals(session, member).on(question.id) == revisits.DEFAULT_INTERVAL
    for days in (30, 5):
        revisits.set_interval(session, days, member=alice, now=day(1))
    revisits.set_interval(session, 2, member=alice, now=day(1), question=question)
    said = revisits.intervals(session, alice)
    assert (said.on(question.id), said.on(0)) == (timedelta(days=2), timedelta(days=5))
    revisits.set_interval(session, None, member=alice, now=day(2), question=question)
    assert revisits.intervals(session, alice).on(question.id) == timedelta(days=5)
    revisits.set_interval(session, None, member=alice, now=day(2))
    assert revisits.intervals(session, alice).default == revisits.DEFAULT_INTERVAL
    assert revisits.intervals(session, bob).default == revisits.DEFAULT_INTERVAL


def test_an_impossible_interval_is_refused(session: Session, alice: Member) -> None:
    for days in (0, -1, revisits.MOST_DAYS + 1):
        with pytest.raises(Refused, match=f"got {days}"):
            revisits.set_interval(session, days, member=alice, now=day(1))


def test_a_reviewed_forecast_moves_on(session: Session, alice: Member, bob: Member) -> None:
    assert revisits.seen_until(session, alice) is None
    for at in (1, 3):
        revisits.mark_seen(session, member=alice, now=day(at))
    assert revisits.seen_until(session, alice) == day(3)
    assert revisits.seen_until(session, bob) is None


def test_several_forecasts_are_confirmed_unchanged_at_once(
    session: Session, question: Question, alice: Member
) -> None:
    port = ask(session, alice, slug="port", type="multiple_choice", options=["Busan", "Ulsan"])
    values = ((question, Value(probability=1 / 3)), (port, Value(probabilities=(0.7, 0.3))))
    seen = [
        updates.update(session, one, value, member=alice, now=day(1)).forecast
        for one, value in values
    ]
    revisits.confirm_forecasts(session, seen, member=alice, now=day(5), origin="app")
    current = updates.current_forecasts(session, alice, at=day(5)).values()
    assert [value_of(one) for one in current] == [value_of(one) for one in seen]
    assert {(one.made_at, one.origin) for one in current} == {(day(5), "app")}


def test_a_forecast_that_has_changed_since_it_was_seen_is_not_confirmed_nor_are_the_others(
    session: Session, question: Question, alice: Member
) -> None:
    rain = ask(session, alice, slug="other")
    seen = [say(session, one, alice, 0.2, 1) for one in (rain, question)]
    say(session, question, alice, 0.9, 2)
    with pytest.raises(Refused, match="has changed since you opened this list"):
        revisits.confirm_forecasts(session, seen, member=alice, now=day(3), origin="app")
    assert len(updates.history(session, rain)) == 1
