"""50 bots that give up waiting at random, and a server that is killed at random: nothing is lost.

An answered forecast is in the ledger exactly once. One without an answer is there once at most, and
its repetition with the same key is answered with the first one's receipt.
"""

from __future__ import annotations

import os
import random
import socket
import subprocess
import sys
import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import Queue
from threading import Event
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine
from sqlmodel import select

from benchmarks.api import UNLIMITED
from forecasts.access import tokens
from forecasts.access.members import member_or_new
from forecasts.ledger import database
from forecasts.ledger.models import Forecast
from forecasts.ledger.receipts import receipts
from forecasts.ledger.verification import verify
from tests.conftest import ask, day, on_both

BOTS, QUESTIONS, KILLS = 50, 10, 5
PATIENCE = 120  # seconds, of a busy machine
Answered = Queue[tuple[str, dict[str, Any]]]  # the keys of requests, and their receipts


def live(address: str, secret: str, asked: set[str], answered: Answered, over: Event) -> None:
    """Forecast as a bot until it is over, each time with one key until it is answered."""
    with httpx.Client(base_url=address, headers={"Authorization": f"Bearer {secret}"}) as client:
        while not over.is_set():
            key = str(uuid.uuid4())
            asked.add(key)
            path = f"/api/v1/questions/q-{random.randrange(QUESTIONS)}/forecasts"
            given = {"probability": random.randint(1, 99) / 100, "rationale": key}
            headers = {"Idempotency-Key": key}
            while not over.is_set():
                patience = random.uniform(0, 5)
                try:
                    answer = client.post(path, json=given, headers=headers, timeout=patience)
                except httpx.TransportError:
                    over.wait(0.1)  # before the same request comes, perhaps beside the first one
                    continue
                if answer.status_code not in (429, 503):
                    answered.put((key, answer.raise_for_status().json()["receipt"]))
                    break


@pytest.mark.nightly
@on_both
def test_no_answered_forecast_is_lost_or_doubled(engine: Engine, tmp_path: Path) -> None:
    with database.writing(engine) as session:
        alice = member_or_new(session, "alice", now=day(0))
        for number in range(QUESTIONS):
            ask(session, alice, slug=f"q-{number}", scheduled_close_time=day(30_000))
        secrets = [
            tokens.create(session, f"bot {number}", member=None, owner=alice, now=day(0)).secret
            for number in range(BOTS)
        ]
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    environment = os.environ | UNLIMITED
    environment["FORECASTS_DATABASE_URL"] = engine.url.render_as_string(hide_password=False)

    def start() -> subprocess.Popen[bytes]:
        command = [str(Path(sys.executable).with_name("forecasts")), "api", "--port", port]
        with (tmp_path / "log").open("ab") as log:
            return subprocess.Popen(command, env=environment, stdout=log, stderr=log)

    asked: set[str] = set()
    answered, over, server = Answered(), Event(), start()
    with ThreadPoolExecutor(BOTS) as pool:
        address = f"http://127.0.0.1:{port}"
        bots = [pool.submit(live, address, one, asked, answered, over) for one in secrets]
        try:
            told = []
            for _ in range(KILLS):
                told += [answered.get(timeout=PATIENCE) for _ in range(random.randint(1, 20))]
                server.kill()
                server.wait()
                server = start()
            told += [answered.get(timeout=PATIENCE) for _ in range(BOTS)]
        finally:
            over.set()
            server.kill()
            server.wait()
    for bot in bots:
        bot.result()
    told += [answered.get() for _ in range(answered.qsize())]
    with database.reading(engine) as session:
        stored = list(session.exec(select(Forecast)))
        assert verify(session).broken is None
        proofs = {one.row_id: one.model_dump() for one in receipts(session, [f.id for f in stored])}
    assert [key for key, count in Counter(f.rationale for f in stored).items() if count > 1] == []
    of_key = {row.rationale: proofs[row.id] for row in stored}
    assert [key for key, receipt in told if of_key.get(key) != receipt] == []
    assert set(of_key) <= asked
