"""Runs that are killed while parents of conditionals resolve: every branch is right, and once."""

from __future__ import annotations

import random
import signal
from pathlib import Path

import pytest
from sqlalchemy import Engine
from sqlmodel import select

from benchmarks.writing import PROCESSES
from forecasts.access.members import member_or_new
from forecasts.ledger import database
from forecasts.ledger.models import Condition, Resolution
from forecasts.ledger.verification import verify
from forecasts.questions.conditions import branches, register_conditional
from forecasts.questions.registry import find, question_text
from forecasts.resolution import assignments
from forecasts.resolution.confirmation import confirm
from forecasts.resolution.runs.run import run
from tests.conftest import ask, day, on_both
from tests.outages.killed_run import run_once
from tests.outages.writers import often

pytestmark = pytest.mark.slow
PARENTS = 12


def outcome_of(number: int) -> str:
    return ("yes", "no", "annulled")[number % 3]


def furnish(engine: Engine, path: Path) -> None:
    """Register parents, each with two branches, of which the first has two of its own."""
    lines = ["question,outcome,known_at"]
    with database.writing(engine) as session:
        alice = member_or_new(session, "alice", now=day(0))
        for number in range(PARENTS):
            parent = ask(session, alice, slug=f"p{number}")
            lines.append(f"p{number},{outcome_of(number)},2026-01-04")
            settings = {"path": str(path)}
            by = {"member": alice, "now": day(1)}
            assignments.attach(session, parent, "outcomes_file", settings, **by)
            for depth in ("B", "C"):
                text = question_text(
                    title=f"{depth} {number}?",
                    open_time=day(0),
                    scheduled_close_time=day(10),
                    resolution_criteria="As said.",
                )
                first, _ = register_conditional(session, parent, text, **by)
                parent = first.state.question
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def require_right(engine: Engine, told: dict[str, str]) -> None:
    """Assert that each branch follows its parent."""
    with database.reading(engine) as session:
        for branch in branches(session, now=day(9)):
            above = branch.parent.resolution
            assert (above and above.outcome) == told.get(
                branch.parent.slug, above and above.outcome
            )
            dead = above is not None and above.outcome != branch.outcome
            own = branch.state.resolution
            assert (own and own.outcome) == ("annulled" if dead else None)
        assert verify(session).broken is None


@on_both
@often(3, 20)
def test_killed_runs_leave_every_branch_right_and_once(
    engine: Engine, tmp_path: Path, times: int
) -> None:
    furnish(engine, tmp_path / "outcomes.csv")
    url = engine.url.render_as_string(hide_password=False)
    moments, killed = random.Random(35), 0
    for number in range(times):
        given = (url, day(5 + number / 10), moments.randint(1, 40))
        process = PROCESSES.Process(target=run_once, args=given)
        process.start()
        process.join()
        killed += process.exitcode == -signal.SIGKILL
        require_right(engine, {})
    assert killed >= 2
    told = {f"p{number}": outcome_of(number) for number in range(PARENTS)}
    for at in (8, 8.1):
        run(engine, now=day(at))
    require_right(engine, told)
    with database.reading(engine) as session:
        of_branches = select(Condition.question_id)
        rows = session.exec(select(Resolution).where(Resolution.question_id.in_(of_branches))).all()  # type: ignore[attr-defined]
        assert len(rows) == len({row.question_id for row in rows})
        before = len(rows)
    with database.writing(engine) as session:
        alice = member_or_new(session, "alice", now=day(0))
        for number in range(PARENTS):
            told[f"p{number}"] = outcome_of(number + 1)
            said = {"member": alice, "now": day(8.5), "known_at": day(4)}
            confirm(session, find(session, f"p{number}"), told[f"p{number}"], **said)
    require_right(engine, told)
    with database.reading(engine) as session:
        assert len(session.exec(select(Resolution)).all()) > before + 2 * PARENTS
