"""Runs on many questions: few statements, and no question lost or resolved twice."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from itertools import count
from pathlib import Path
from select import select as select_ready
from typing import Any

import pytest
from sqlalchemy import Engine, insert
from sqlalchemy import select as rows_of
from sqlmodel import col, func, select

from forecasts.access.members import member_or_new
from forecasts.common.times import iso
from forecasts.ledger import database
from forecasts.ledger.append import append
from forecasts.ledger.models import Forecast, Question, QuestionRevision, Resolver, RunState, Watch
from forecasts.resolution import assignments
from forecasts.resolution.runs import run
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
            if table in (Question, QuestionRevision, Forecast):
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
    assert len(statements) <= 10
    assert not any(said.startswith(("UPDATE", "INSERT")) for said in statements)


RUNNER = """
import sys
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from forecasts.ledger import database
from forecasts.resolution.runs import claiming, run as runs

claiming.LEASE, claiming.BATCH = timedelta(seconds=float(sys.argv[2])), int(sys.argv[3])
claiming.uuid = SimpleNamespace(uuid4=lambda: SimpleNamespace(hex=sys.argv[4]))
runs.run(
    database.open_engine(sys.argv[1]),
    now=datetime(2026, 1, 12, tzinfo=UTC),
    clock=lambda: datetime.now(UTC),
    on_result=lambda result: print(result.slug, flush=True),
)
"""


def outcomes(path: Path, slugs: list[str]) -> None:
    rows = [f"{slug},yes,{iso(day(5))}" for slug in slugs]
    path.write_text("\n".join(["question,outcome,known_at", *rows]) + "\n")


@pytest.mark.nightly
@pytest.mark.parametrize("kills", [0, 50])
def test_eight_runs_resolve_two_thousand_questions_once_each_however_many_are_killed(
    engine: Engine, ledger_url: str, tmp_path: Path, kills: int
) -> None:
    file = tmp_path / "outcomes.csv"
    slugs = fill(engine, 2_000, kind="outcomes_file", settings={"path": str(file)})
    outcomes(file, slugs)
    engine.dispose()
    chosen = random.Random(20260112 + kills)
    began = time.monotonic()
    names = map("run-{}".format, count(1))

    def start() -> tuple[str, subprocess.Popen[bytes]]:
        """Start a run that says each question that it has done."""
        name, lease, batch = next(names), *(("4", "20") if kills else ("60", "50"))
        command = [sys.executable, "-c", RUNNER, ledger_url, lease, batch, name]
        return name, subprocess.Popen(command, stdout=subprocess.PIPE)

    def kill(name: str, one: subprocess.Popen[bytes]) -> int:
        """Kill the run, which works, and return how many questions it had in its hand."""
        time.sleep(chosen.uniform(0, 0.02))
        one.send_signal(signal.SIGKILL)
        one.communicate()
        assert one.returncode == -signal.SIGKILL, "it had ended by itself"
        with database.reading(engine) as session:
            held = select(func.count(col(Watch.id))).where(Watch.claimed_by == name)
            return session.exec(held).one()

    running = [start() for _ in range(8)]
    # Each has a life of some questions, so that none of them does all the work meanwhile.
    lives = [chosen.randint(1, 15) for _ in running]
    in_hand: list[int] = []
    while len(in_hand) < kills:
        at_work = {one.stdout: place for place, (_, one) in enumerate(running)}
        for said in select_ready(list(at_work), [], [])[0]:
            place = at_work[said]
            lives[place] -= os.read(said.fileno(), 65_536).count(b"\n")
            if lives[place] <= 0 and len(in_hand) < kills:
                in_hand.append(kill(*running[place]))
                running[place], lives[place] = start(), chosen.randint(1, 15)
    assert sum(many > 0 for many in in_hand) >= 0.8 * kills  # the others were between two batches
    codes = [(one.communicate(), one.returncode)[1] for _, one in running]
    while kills:  # what the last of them had in hand is free when their leases are over
        with database.reading(engine) as session:
            if (
                session.exec(select(Watch.id).where(col(Watch.next_at).is_not(None))).first()
                is None
            ):
                break
        start()[1].communicate()
    print(
        json.dumps(
            {"kills": kills, "in_hand": in_hand, "seconds": round(time.monotonic() - began, 1)}
        )
    )
    assert codes == [0] * 8
    assert_each_is_resolved_once(engine, 2_000)
