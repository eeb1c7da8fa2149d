"""The score from which articles are suggested is seen and set on a question's page."""

from __future__ import annotations

from sqlalchemy import Engine
from sqlmodel import Session
from streamlit.testing.v1 import AppTest

from forecasts.access.members import member_or_new
from forecasts.ledger import database
from forecasts.news import inbox
from forecasts.news.matching import THRESHOLD
from tests.app.conftest import confirmed, state, visit, words
from tests.conftest import day


def held(ledger: Session, engine: Engine) -> inbox.Threshold:
    alice = member_or_new(ledger, "alice", now=day(0))
    question = state(engine, "quay").question
    return inbox.threshold(ledger, question, member=alice, now=day(5))


def test_a_threshold_is_set_and_learned_again(furnished: AppTest, engine: Engine) -> None:
    furnished.session_state["threshold-quay"] = True
    visit(furnished, "question", slug="quay")
    assert "Usual score: you have no answers to learn from yet." in words(furnished)
    furnished.number_input(key="threshold-quay#0-score").set_value(0.6)
    furnished.button(key="threshold-quay#0-save").click().run()
    assert confirmed(furnished) == ["Articles are suggested from a score of 0.60."]
    with database.writing(engine) as ledger:
        assert held(ledger, engine) == inbox.Threshold(0.6, True, 0, 0)
    assert "Your own score" in words(furnished)
    furnished.button(key="threshold-quay#1-learn").click().run()
    assert not furnished.exception
    with database.writing(engine) as ledger:
        assert held(ledger, engine) == inbox.Threshold(THRESHOLD, False, 0, 0)
