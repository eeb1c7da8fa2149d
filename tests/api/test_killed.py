"""50 bots in 8 processes, which are killed at random, and so is their server: nothing is lost.

An answered forecast is in the ledger exactly once. One without an answer is there once at most, and
its repetition with the same key is answered with the first one's receipt.
"""

from __future__ import annotations

import os
import random
import shutil
import socket
import subprocess
import sys
from collections import Counter
from pathlib import Path
from select import select as readable

import pytest
from sqlmodel import select

from forecasts.access import tokens
from forecasts.access.members import member_or_new
from forecasts.common.settings import sqlite_url
from forecasts.ledger import database
from forecasts.ledger.models import Forecast
from forecasts.ledger.receipts import receipts
from forecasts.ledger.verification import verify
from tests.api import bots
from tests.conftest import ask, day

BOTS, PROCESSES, KILLS = 50, 8, 60
PATIENCE = 120  # seconds, of a busy machine


@pytest.fixture
def url(kind: str, empty_ledger: Path, tmp_path: Path, request: pytest.FixtureRequest) -> str:
    if kind == "sqlite":
        return sqlite_url(Path(shutil.copy(empty_ledger, tmp_path / "ledger.sqlite3")))
    return str(request.getfixturevalue("postgresql").emptied())


@pytest.fixture
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.nightly
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"], indirect=True)
def test_no_answered_forecast_is_lost_or_doubled(url: str, tmp_path: Path) -> None:
    engine = database.open_engine(url)
    logs: list[Path] = []
    with database.writing(engine) as session:
        alice = member_or_new(session, "alice", now=day(0))
        for number in range(bots.QUESTIONS):
            fields = {"title": f"Question {number}?", "scheduled_close_time": day(30_000)}
            ask(session, alice, slug=f"q-{number}", **fields)
        for number in range(BOTS):
            issued = tokens.create(session, f"bot {number}", member=None, owner=alice, now=day(0))
            logs.append(tmp_path / issued.secret)
            logs[-1].touch()
    port = free_port()
    here = os.environ | {
        "FORECASTS_DATABASE_URL": url,
        "FORECASTS_API_REQUESTS_PER_MINUTE": "1000000",
    }
    serve = [str(Path(sys.executable).with_name("forecasts")), "api", "--port", str(port)]
    commands = [serve]
    for number in range(PROCESSES):
        own = map(str, logs[number::PROCESSES])
        commands.append([sys.executable, bots.__file__, f"http://127.0.0.1:{port}", *own])

    dots, written = os.pipe()

    def start(command: list[str]) -> subprocess.Popen[bytes]:
        with (tmp_path / f"err-{commands.index(command)}").open("ab") as errors:
            out = errors if command is serve else written
            return subprocess.Popen(command, env=here, stdout=out, stderr=errors)

    running = [start(command) for command in commands]
    try:
        for _ in range(KILLS):
            for _ in range(random.randint(1, 20)):
                assert readable([dots], [], [], PATIENCE)[0], "Nobody is answered any more."
                os.read(dots, 100)
            # The server takes seconds to start again, so it is killed less often.
            victim = random.choice([0, *range(1, len(running)), *range(1, len(running))])
            running[victim].kill()
            running[victim].wait()
            running[victim] = start(commands[victim])
    finally:
        for process in running:
            process.kill()
            process.wait()
    with database.reading(engine) as session:
        stored = list(session.exec(select(Forecast)))
        found = verify(session)
        proofs = {one.row_id: one for one in receipts(session, [row.id for row in stored])}
    engine.dispose()
    assert found.broken is None
    times = Counter(row.rationale for row in stored)
    by_key = {row.rationale: row for row in stored}
    answered = [line for log in logs for line in bots.lines(log) if "receipt" in line]
    asked = {line["key"] for log in logs for line in bots.lines(log)}
    assert [key for key, count in times.items() if count > 1] == []
    assert [line["key"] for line in answered if line["key"] not in times] == []
    assert set(times) <= asked
    assert [
        line["key"]
        for line in answered
        if proofs[by_key[line["key"]].id].model_dump() != line["receipt"]
    ] == []
    assert len(answered) > BOTS
