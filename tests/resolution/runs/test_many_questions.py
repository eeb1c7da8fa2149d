"""Runs on many questions: few statements, and no question lost or resolved twice."""

from __future__ import annotations

import random
import signal
import time
from datetime import UTC, datetime, timedelta
from itertools import count
from multiprocessing.connection import Connection, wait
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import Engine, insert
from sqlalchemy import select as rows_of
from sqlmodel import col, func, select

from benchmarks.writing import READY, Writer, begin
from forecasts.access.members import member_or_new
from forecasts.common.times import iso
from forecasts.ledger import database, leases
from forecasts.ledger.append import append
from forecasts.ledger.models import Forecast, Question, QuestionRevision, Resolver, RunState, Watch
from forecasts.resolution import assignments
from forecasts.resolution.runs import claiming, run
from tests.conftest import ask, counted_statements, day, on_both, say
from tests.resolution.runs.conftest import assert_each_is_resolved_once, states

pytestmark = pytest.mark.slow


def fill(engine: Engine, count: int, *, kind: str, settings: dict[str, Any]) -> list[str]:
    """Write many questions that close on day 10, each with a forecast and a resolver."""
    with database.writing(engine) as session:
        alice = member_or_new(session, "alice", now=day(0))
        first = ask(session, alice, slug="first")
        say(session, first, alice, 0.4, 1)
        assignments.attach(session, first, kind, settings, member=alice, now=day(1))
        connection = session.connection()
        for table in (Question, QuestionRevision, Forecast, Resolver, Watch):
            [row] = connection.execute(rows_of(table.__table__)).mappings()  # type: ignore[attr-defined]
            own = {name: value for name, value in row.items() if name != "id"}
            rows = []
            for number in range(count - 1):
                new = own | ({"slug": f"rain-{number}"} if "slug" in own else {})
                rows.append(new | ({"question_id": number + 2} if "question_id" in own else {}))
            if table is not Watch:
                append(
                    session,
                    str(table.__tablename__),
                    {name: [new[name] for new in rows] for name in own},
                )
            else:
                connection.execute(insert(table), rows)
        return [*connection.scalars(rows_of(Question.slug).order_by(col(Question.id)))]


@on_both
def test_a_batch_takes_few_statements_and_a_run_with_nothing_due_fewer(engine: Engine) -> None:
    fill(engine, 300, kind="deadline", settings={})
    with counted_statements(engine) as statements:
        first = run.run(engine, now=day(5))
    assert first.count(RunState.not_yet) == 300
    assert len(statements) < 2 * 25
    with counted_statements(engine) as statements:
        assert states(run.run(engine, now=day(5.5))) == {}
    assert len(statements) <= 11
    assert not any(said.startswith(("UPDATE", "INSERT")) for said in statements)


def resolve(url: str, name: str, seconds: float, batch: int, told: Connection) -> None:
    """Run under a name, with such leases and batches, and tell of each question that is done."""
    leases.LEASE = claiming.LEASE = timedelta(seconds=seconds)
    claiming.BATCH = batch
    leases.uuid = SimpleNamespace(uuid4=lambda: SimpleNamespace(hex=name))
    run.run(
        database.open_engine(url),
        now=day(11),
        clock=lambda: datetime.now(UTC),
        on_result=lambda result: told.send(result.slug),
    )
    told.send(READY)


@pytest.mark.nightly
@pytest.mark.parametrize("kills", [0, 50])
def test_eight_runs_resolve_two_thousand_questions_once_each_however_many_are_killed(
    engine: Engine, ledger_url: str, tmp_path: Path, kills: int
) -> None:
    file = tmp_path / "outcomes.csv"
    slugs = fill(engine, 2_000, kind="outcomes_file", settings={"path": str(file)})
    rows = [f"{slug},yes,{iso(day(5))}" for slug in slugs]
    file.write_text("\n".join(["question,outcome,known_at", *rows]) + "\n")
    engine.dispose()
    chosen, numbers = random.Random(20260112 + kills), count()

    def start() -> tuple[str, Writer]:
        name = f"run-{next(numbers)}"
        return name, begin(resolve, ledger_url, name, *((4, 20) if kills else (60, 50)))

    def kill(name: str, one: Writer) -> int:
        """Kill the run, which works, and return how many questions it had in its hand."""
        time.sleep(chosen.uniform(0, 0.02))
        one.process.kill()
        one.process.join()
        assert one.process.exitcode == -signal.SIGKILL, "it had ended by itself"
        with database.reading(engine) as session:
            held = select(func.count(col(Watch.id))).where(Watch.claimed_by == name)
            return session.exec(held).one()

    running = [start() for _ in range(8)]
    # Each has a life of some questions, so that none of them does all the work meanwhile.
    lives = [chosen.randint(1, 15) for _ in running]
    in_hand: list[int] = []
    while len(in_hand) < kills:
        places = {one.pipe: place for place, (_, one) in enumerate(running)}
        for pipe in wait(list(places)):
            place = places[pipe]
            pipe.recv()
            lives[place] -= 1
            if lives[place] <= 0 and len(in_hand) < kills:
                in_hand.append(kill(*running[place]))
                running[place], lives[place] = start(), chosen.randint(1, 15)
    assert sum(many > 0 for many in in_hand) >= 0.8 * kills  # the others were between two batches
    for _, one in running:
        list(one.heard())
        one.process.join()
        assert one.process.exitcode == 0
    due = select(Watch.id).where(col(Watch.next_at).is_not(None))
    while kills:  # what the last of them had in hand is free when their leases are over
        with database.reading(engine) as session:
            if session.exec(due).first() is None:
                break
        list(start()[1].heard())
    assert_each_is_resolved_once(engine, 2_000)
