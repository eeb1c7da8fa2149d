"""Resolvers look in this process, since a child takes time to start (see ``test_worker.py``)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import Session

from forecasts.ledger.models import Question
from forecasts.questions import registry, standing
from forecasts.resolution.resolvers import worker
from tests.conftest import KINDS, day


@pytest.fixture(autouse=True)
def no_child(monkeypatch: pytest.MonkeyPatch) -> None:
    def look(_: worker.Worker, *given: Any) -> worker.Looked:
        return worker.look(*given)

    monkeypatch.setattr(worker.Worker, "look", look)


@pytest.fixture
def kind() -> str:
    """One database, but where claims, constraints or SQL are the subject (``on_both``)."""
    return KINDS[0]


def state_of(session: Session, question: Question, at: float) -> standing.QuestionState:
    return standing.current_state(session, question, now=day(at))


def close_of(session: Session, question: Question) -> float:
    closes = registry.newest_wording(session, question).close_time
    return (closes - day(0)) / timedelta(days=1)
