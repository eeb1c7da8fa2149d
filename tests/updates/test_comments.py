"""Comments: on a question, or as a forecast's reasons."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlmodel import Session

from forecasts.access import tokens, visibility
from forecasts.common.errors import BadInput
from forecasts.common.limits import PROSE_BYTES
from forecasts.ledger.models import Member, Question
from forecasts.updates.comments import by_forecast, comment, remarks
from forecasts.updates.updates import update, withdraw
from forecasts.values.value import Value
from tests.conftest import ask, day, on_both

MINUTE = timedelta(minutes=1)


def texts(session: Session, question: Question, member: Member) -> list[str]:
    visibility.read_as(session, member, now=day(2))
    return [one.comment.text for one in remarks(session, question)]


def test_a_comment_within_ten_minutes_gives_the_reasons(session: Session, alice: Member) -> None:
    question = ask(session, alice)
    first = update(session, question, Value(probability=0.4), member=alice, now=day(1)).forecast
    said = comment(
        session, question, " Rain is likely. ", member=alice, now=day(1) + 10 * MINUTE,
        explains_forecast=True, private=True,
    )  # fmt: skip
    assert (said.forecast_id, said.text, said.private) == (first.id, "Rain is likely.", False)
    assert by_forecast(remarks(session, question))[first.id][0].author.handle == "alice"


@pytest.mark.parametrize(
    ("minutes", "explains", "withdrawn"), [(0, False, False), (11, True, False), (2, True, True)]
)
def test_any_other_comment_is_on_the_question(
    session: Session, alice: Member, minutes: int, explains: bool, withdrawn: bool
) -> None:
    question = ask(session, alice)
    update(session, question, Value(probability=0.4), member=alice, now=day(1))
    if withdrawn:
        withdraw(session, question, member=alice, now=day(1) + MINUTE)
    said = comment(
        session, question, "Hm.", member=alice, now=day(1) + minutes * MINUTE,
        explains_forecast=explains, private=True,
    )  # fmt: skip
    assert (said.forecast_id, said.private) == (None, True)


@on_both
def test_private_comments_reach_a_bots_owner(session: Session, alice: Member, bob: Member) -> None:
    question = ask(session, alice)
    bot = tokens.create(session, "bot", member=alice, now=day(0)).member
    for member, text, private in (
        (bot, "My notes.", True),
        (alice, "For me.", True),
        (alice, "For all.", False),
    ):
        comment(session, question, text, member=member, now=day(1), private=private)
    assert texts(session, question, alice) == ["My notes.", "For me.", "For all."]
    assert texts(session, question, bob) == ["For all."]


def test_comments_are_hidden_with_the_crowd(session: Session, alice: Member, bob: Member) -> None:
    question = ask(session, alice, crowd_hidden=True)
    update(session, question, Value(probability=0.4), member=alice, now=day(1))
    comment(session, question, "I say 40%.", member=alice, now=day(1), explains_forecast=True)
    assert texts(session, question, bob) == []
    assert texts(session, question, alice) == ["I say 40%."]
    update(session, question, Value(probability=0.6), member=bob, now=day(2))
    assert texts(session, question, bob) == ["I say 40%."]


def test_a_bad_comment_is_refused(session: Session, alice: Member) -> None:
    for text, words in (("a" * (PROSE_BYTES + 1), "The comment has"), (" \n", "no text")):
        with pytest.raises(BadInput, match=words):
            comment(session, ask(session, alice), text, member=alice, now=day(1))
