"""Runs that are killed while they notify: nothing is told twice, and nothing is forgotten.

Nobody can know whether a message that was being sent has arrived. Never twice is what is promised:
such a message is not sent again by itself. It is not forgotten either, since it counts as
undelivered, and its member can have it sent again.
"""

from __future__ import annotations

import random
import threading
from collections import Counter
from contextlib import suppress
from datetime import datetime, timedelta
from itertools import count
from multiprocessing.connection import Connection

import pytest
from sqlalchemy import Engine

from benchmarks.writing import begin
from forecasts.access.members import member_named
from forecasts.agenda.notifications import sender
from forecasts.ledger import database
from forecasts.resolution import confirmation
from tests.agenda.notifications.conftest import Service, ledger, service, states, tell
from tests.conftest import ask, day, imported
from tests.outages.writers import often

pytestmark = pytest.mark.slow

__all__ = ["ledger", "service"]  # fixtures
CHANNELS = ("phone", "mail", "desk")
PATIENCE = 120  # seconds: the machine may be busy


def run(url: str, now: datetime, pipe: Connection) -> None:
    """Send what is due when the pipe says so."""
    engine = database.open_engine(url)
    pipe.send(True)
    pipe.recv()
    sender.send(engine, now=now, allow_private=True)
    pipe.send(True)


def kill_one(url: str, now: datetime, service: Service, random_: random.Random) -> None:
    """Let a process send what is due, and kill it at one of its messages, or soon afterwards."""
    last, answers = random_.randint(1, len(CHANNELS)), random_.random() < 0.5
    came, gone, number = threading.Event(), threading.Event(), count(1)

    def answer(_path: str) -> int:
        if next(number) == last:
            came.set()
            if not answers:
                gone.wait(PATIENCE)
        return 200

    service.answer = answer
    running = begin(run, url, now)
    running.pipe.recv()
    running.pipe.send(True)
    assert came.wait(PATIENCE)
    with suppress(ConnectionError):
        running.pipe.poll(random_.uniform(0, 0.05) if answers else 0)
    running.process.kill()
    running.process.join()
    gone.set()
    service.answer = lambda _path: 200


@often(3, 50)
def test_however_runs_are_killed_nothing_is_told_twice_and_nothing_is_forgotten(
    ledger: Engine, ledger_url: str, service: Service, times: int
) -> None:
    random_, now = random.Random(1), day(3)
    with database.writing(ledger) as session:
        alice = member_named(session, "alice")
        for name in CHANNELS:
            tell(session, alice, service.address(name), name=name, events=["resolved"])
    for number in range(times):
        now += timedelta(minutes=1)
        with database.writing(ledger) as session:
            root, alice = member_named(session, "root"), member_named(session, "alice")
            asked = ask(session, root, slug=f"q{number}", title=f"Will it be number {number}x?")
            imported(session, asked, alice, 1, 0.4)
            confirmation.confirm(session, asked, "yes", known_at=day(2), now=now, member=root)
        kill_one(ledger_url, now, service, random_)

    def told() -> Counter[tuple[str, int]]:
        return Counter(
            (one["path"].removeprefix("/"), number)
            for one in service.got
            for number in range(times)
            if f" {number}x?" in one["title"] + one["message"]
        )

    sender.send(ledger, now=now, allow_private=True)
    later = now + 2 * sender.LEASE
    sender.send(ledger, now=later, allow_private=True)
    assert set(told().values()) == {1}
    every = {(name, number) for name in CHANNELS for number in range(times)}
    with database.reading(ledger) as session:
        unsure = sender.undelivered(session, now=later)
    assert unsure > 0
    assert len(every - set(told())) <= unsure

    with database.writing(ledger) as session:
        for name in CHANNELS:
            sender.resend(session, name, member=member_named(session, "alice"), now=later)
    sender.send(ledger, now=later, allow_private=True)
    # A message names the first of many events, and counts the others.
    assert states(ledger) == ["resolved sent"] * len(every)
