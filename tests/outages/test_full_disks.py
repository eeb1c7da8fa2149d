"""A full disk: acts are refused in words, nothing acknowledged is lost, and work goes on."""

from __future__ import annotations

import random
import re
import shutil
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import Engine

from benchmarks.writing import stored
from forecasts.access.members import member_or_new
from forecasts.common.errors import DatabaseError
from forecasts.common.settings import sqlite_url
from forecasts.ledger import database
from forecasts.updates import updates
from forecasts.values.value import Value
from tests.conftest import ask, day
from tests.outages.disks import Disk, mounted
from tests.postgresql import Server

pytestmark = pytest.mark.slow

SIZES = {"sqlite": 6, "postgresql": 100}  # MB; a new server takes 63 of them
REASON = 20_000  # characters: its last free page is soon taken


@pytest.fixture
def disk(kind: str) -> Iterator[Disk]:
    with mounted(SIZES[kind]) as disk:
        yield disk


@pytest.fixture
def server(kind: str, disk: Disk) -> Iterator[Server | None]:
    """A server with all its files on that disk, for the ledger in a server."""
    if kind == "sqlite":
        yield None
        return
    server = Server(disk.folder)
    yield server
    server.stop()


@pytest.fixture
def ledger_url(server: Server | None, disk: Disk, ledger_file: Path) -> str:
    if server is not None:
        return server.emptied()
    return sqlite_url(Path(shutil.copy(ledger_file, disk.folder / "ledger.sqlite3")))


class Forecaster:
    """One who updates a question with long reasons; those that were acknowledged and refused."""

    def __init__(self, engine: Engine) -> None:
        self._engine, self._random = engine, random.Random(1)
        self.acknowledged: list[str] = []
        self.refused: list[str] = []
        with database.writing(engine) as session:
            self._member = member_or_new(session, "alice", now=day(0))
            self._question = ask(session, self._member, slug="rain")

    def act(self) -> None:
        """Update once."""
        number = len(self.acknowledged) + len(self.refused)
        reason = f"{number} {self._random.randbytes(REASON // 2).hex()}"
        try:
            with database.writing(self._engine) as session:
                updates.update(
                    session,
                    self._question,
                    Value(probability=0.01 + number % 90 / 100),
                    member=self._member,
                    now=day(1 + number / 10_000),
                    rationale=reason,
                )
        except DatabaseError as error:
            self.refused.append(str(error))
        else:
            self.acknowledged.append(reason)


def test_a_full_disk_loses_no_stored_act(engine: Engine, disk: Disk, server: Server | None) -> None:
    alice = Forecaster(engine)
    alice.act()
    with disk.full():
        while len(alice.refused) < 5:
            alice.act()
    for said in alice.refused:
        assert "could not be used: " in said
        assert said.endswith("Nothing was written. Free some space on its disk, and try again.")
    went_on(engine, alice)


def test_a_server_survives_a_full_disk(engine: Engine, disk: Disk, server: Server | None) -> None:
    if server is None:
        return
    alice = Forecaster(engine)
    alice.act()
    with disk.full():
        with suppress(psycopg.OperationalError):
            for _ in range(5):
                # A segment of the log is full, and there is no room for another.
                server.run("SELECT pg_logical_emit_message(true, 'a', ''), pg_switch_wal()")
        for _ in range(5):
            alice.act()
    server.start()
    for said in alice.refused:
        # Depending on which of its files had no room, it ended or could only refuse.
        refusal = "was not reached: |broke while the act was being stored|No space left on device"
        assert re.search(refusal, said), said
    went_on(engine, alice)


def went_on(engine: Engine, alice: Forecaster) -> None:
    """Let her act again, and require everything that she was told."""
    before = len(alice.acknowledged)
    for _ in range(5):
        alice.act()
    assert len(alice.acknowledged) == before + 5
    found = stored(engine)
    assert not Counter(alice.acknowledged) - found
    assert set(found.values()) == {1}
