"""A resolver kind whose answers a test sets, and helpers for runs on its questions."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlalchemy import select as rows_of
from sqlmodel import SQLModel, col, func, select

from forecasts.access.members import member_or_new
from forecasts.ledger import database
from forecasts.ledger.models import Exhibit, Resolution, ResolverRun, RunState, Score, Watch
from forecasts.ledger.verification import verify
from forecasts.resolution import assignments
from forecasts.resolution.resolvers.protocol import Finding, Kind, Seen, Settings
from forecasts.resolution.runs import run
from forecasts.updates import updates
from forecasts.values.value import Value
from tests.conftest import ask, day

Says = Callable[[str], Finding | None]


class Oracle(Settings):
    name: str = ""


@pytest.fixture
def oracle(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Let the kind ``oracle`` say what a test wants of each question."""
    from forecasts.resolution.resolvers import kinds

    def says(of: Says, **more: Any) -> None:
        def look(asked: Any, settings: Any, now: datetime, fetch: Any) -> Finding | None:
            return of(f"{settings.name}{asked.slug}")

        monkeypatch.setitem(kinds.OURS, "oracle", Kind(Oracle, look, reads=False, **more))

    says(lambda _: None)
    return says


def carry(engine: Engine, *slugs: str, **names: str) -> None:
    """Register questions with a forecast, and the oracle as their resolver."""
    with database.writing(engine) as session:
        alice = member_or_new(session, "alice", now=day(0))
        for slug in slugs:
            question = ask(session, alice, slug=slug)
            updates.update(session, question, Value(probability=0.4), member=alice, now=day(1))
            assignments.attach(session, question, "oracle", names, member=alice, now=day(1))


def yes(_: str) -> Finding:
    return Finding("yes", day(2), seen=(Seen("https://example.org/x", b"rain", day(4)),))


def states(summary: run.Summary) -> dict[str, str]:
    return {result.slug: str(result.state) for result in summary.results}


def watch(engine: Engine) -> Watch:
    with database.reading(engine) as session:
        return session.exec(select(Watch)).one()


def contents(engine: Engine) -> dict[str, list[Any]]:
    with database.reading(engine) as session:
        return {
            table.name: session.execute(rows_of(table).order_by(*table.primary_key)).all()
            for table in SQLModel.metadata.sorted_tables
        }


class Killed(BaseException):
    """As if the process had ended: nothing after it is done."""


def runs_on(engine: Engine, at: timedelta) -> dict[str, str]:
    moment = day(4) + at
    return states(run.run(engine, now=moment, clock=lambda: moment))


def assert_each_is_resolved_once(engine: Engine, count: int) -> None:
    with database.reading(engine) as session:
        for table in (Resolution, Exhibit):
            assert session.exec(select(func.count(col(table.id)))).one() == count
        assert len(set(session.exec(select(Resolution.question_id)).all())) == count
        scored = session.exec(
            select(Score.resolution_id, func.count()).group_by(col(Score.resolution_id))
        )
        assert [many for _, many in scored] == [3] * count
        looks = session.exec(
            select(func.count(col(ResolverRun.id))).where(ResolverRun.state == RunState.confirmed)
        )
        assert looks.one() == count
        held = select(Watch.id).where(
            col(Watch.next_at).is_not(None) | col(Watch.claimed_by).is_not(None)
        )
        assert session.exec(held).all() == []
        assert verify(session).broken is None
