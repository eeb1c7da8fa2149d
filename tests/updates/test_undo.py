"""Undo: a new row with the value before, or a withdrawal; the mistake stays."""

from __future__ import annotations

import pytest
from sqlmodel import Session

from forecasts.access.members import member_or_new
from forecasts.common.errors import NotFound, Refused
from forecasts.ledger.models import Forecast, Member, Question
from forecasts.updates import updates
from forecasts.updates.updates import undo
from forecasts.values.value import Value, value_of
from tests.conftest import ask, day


def say(session: Session, question: Question, member: Member, value: Value, at: float) -> Forecast:
    return updates.update(session, question, value, member=member, now=day(at)).forecast


def test_the_value_before_is_entered_again(session: Session, alice: Member) -> None:
    question = ask(session, alice, slug="harbour", type="numeric", lower_bound="0", upper_bound="9")
    right, wrong = Value(quantiles={"0.1": 2.0, "0.9": 8.0}), Value(quantiles={"0.5": 7.0})
    say(session, question, alice, right, 1)
    mistake = say(session, question, alice, wrong, 2)
    undo(session, mistake.id, member=alice, now=day(3))
    path = [row for row, _ in updates.history(session, question)]
    assert [row.made_at for row in path] == [day(1), day(2), day(3)]
    assert [value_of(row) for row in path] == [right, wrong, right]
    assert path[2].rationale == "Undoes the forecast of 2026-01-03 00:00 UTC."


@pytest.mark.parametrize("withdrawn", [False, True])
def test_a_first_forecast_is_withdrawn(
    session: Session, question: Question, alice: Member, withdrawn: bool
) -> None:
    if withdrawn:
        say(session, question, alice, Value(probability=0.2), 0.5)
        updates.withdraw(session, question, member=alice, now=day(0.6))
    mistake = say(session, question, alice, Value(probability=0.9), 1)
    undo(session, mistake.id, member=alice, now=day(2))
    assert updates.current_forecast(session, question, alice, at=day(2)) is None
    said = updates.current_forecast(session, question, alice, at=day(1.5))
    assert said is not None
    assert said.probability == 0.9
    # The withdrawal is itself undone by the value that it ended.
    ended = updates.history(session, question)[-1][0]
    undo(session, ended.id, member=alice, now=day(3))
    said = updates.current_forecast(session, question, alice, at=day(3))
    assert said is not None
    assert said.probability == 0.9


def test_only_the_newest_is_undone(session: Session, question: Question, alice: Member) -> None:
    mistake = say(session, question, alice, Value(probability=0.9), 1)
    say(session, question, member_or_new(session, "bob", now=day(0)), Value(probability=0.5), 2)
    say(session, question, alice, Value(probability=0.3), 3)  # as by the API
    with pytest.raises(Refused) as refused:
        undo(session, mistake.id, member=alice, now=day(4))
    assert str(refused.value) == (
        f"You have a later forecast on '{question.slug}', made at 2026-01-04 00:00 UTC: nothing "
        "was undone. Update it, if it is wrong."
    )
    assert len(updates.history(session, question)) == 3


def test_a_forecast_of_somebody_else_or_on_a_closed_question_is_not_undone(
    session: Session, question: Question, alice: Member
) -> None:
    bob = member_or_new(session, "bob", now=day(0))
    mistake = say(session, question, alice, Value(probability=0.9), 1)
    with pytest.raises(Refused, match="is not yours"):
        undo(session, mistake.id, member=bob, now=day(2))
    with pytest.raises(NotFound):
        undo(session, mistake.id + 1, member=alice, now=day(2))
    with pytest.raises(Refused, match=r"^Nothing was undone: .* closed at .* made after the close"):
        undo(session, mistake.id, member=alice, now=day(400))
    assert len(updates.history(session, question)) == 1
