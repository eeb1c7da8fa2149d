"""Resolvers look in this process, since a child takes time to start (see ``test_worker.py``)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlmodel import Session

from forecasts.access.members import member_or_new
from forecasts.ledger import database
from forecasts.ledger.models import Question
from forecasts.questions import registry, standing
from forecasts.resolution import assignments
from forecasts.resolution.resolvers import worker
from tests.conftest import KINDS, acting, ask, day


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


def registered(engine: Engine, *slugs: str, **fields: Any) -> None:
    """Register questions of alice's."""
    with database.writing(engine) as session:
        alice = member_or_new(session, "alice", now=day(0))
        for slug in slugs:
            ask(session, alice, slug=slug, **fields)


def attach(
    engine: Engine,
    kind: str,
    slug: str = "rain",
    *,
    by: str = "alice",
    at: float = 1,
    beside: bool = False,
    **settings: Any,
) -> dict[str, Any]:
    """Give a question a resolver, and return its settings as they are stored."""
    with acting(engine, slug, by) as (session, question, member):
        given: dict[str, Any] = {"member": member, "now": day(at), "beside": beside}
        return assignments.attach(session, question, kind, settings, **given).settings
