"""A resolver kind whose answers a test sets, and helpers for runs on its questions."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlalchemy import select as rows_of
from sqlmodel import SQLModel, col, func, select

from forecasts.ledger import database
from forecasts.ledger.models import Exhibit, Resolution, ResolverRun, RunState, Score, Watch
from forecasts.ledger.verification import verify
from forecasts.resolution.resolvers.protocol import Finding, Kind, Seen, Settings
from forecasts.resolution.runs import run
from tests.conftest import acting, day, say
from tests.resolution.conftest import attach, registered

Says = Callable[[str], Finding | None]
Oracle = Callable[..., None]


class Named(Settings):
    name: str = ""


@pytest.fixture
def oracle(monkeypatch: pytest.MonkeyPatch) -> Oracle:
    """Let the kind ``oracle`` say what a test wants of each question."""
    from forecasts.resolution.resolvers import kinds

    def says(of: Says, **more: Any) -> None:
        def look(asked: Any, settings: Any, now: datetime, fetch: Any) -> Finding | None:
            return of(f"{settings.name}{asked.slug}")

        monkeypatch.setitem(kinds.OURS, "oracle", Kind(Named, look, reads=False, **more))

    says(lambda _: None)
    return says


def carry(engine: Engine, *slugs: str, **names: str) -> None:
    """Register questions with a forecast, and the oracle as their resolver."""
    registered(engine, *slugs)
    for slug in slugs:
        with acting(engine, slug) as (session, question, alice):
            say(session, question, alice, 0.4, 1)
        attach(engine, "oracle", slug, **names)


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
