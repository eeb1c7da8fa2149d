"""A full disk: acts are refused in words, nothing acknowledged is lost, and work goes on."""

from __future__ import annotations

import random
import re
import shutil
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import Engine

from benchmarks.writing import stored
from forecasts.access.members import handles, member_or_new
from forecasts.common.errors import DatabaseError
from forecasts.common.settings import sqlite_url
from forecasts.ledger import database, schema, sqlite_file
from forecasts.ledger.verification import verify
from forecasts.operations.health import check
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
    if server is None:
        return
    # A server goes on too if the full disk has ended it, once it is started again.
    with disk.full():
        with suppress(psycopg.OperationalError):
            for _ in range(5):
                # A segment of the log is full, and there is no room for another.
                server.run("SELECT pg_logical_emit_message(true, 'a', ''), pg_switch_wal()")
        for _ in range(5):
            alice.act()
    server.start()
    for said in alice.refused[5:]:
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


# A ledger in a file that nobody had open: it is read, and acts are refused.


@pytest.fixture
def small() -> Iterator[Disk]:
    with mounted(3) as disk:
        yield disk


@pytest.fixture
def ledger(small: Disk, empty_ledger: Path) -> Path:
    """The file of a ledger that Alice is in, and that nobody has open."""
    path = Path(shutil.copy(empty_ledger, small.folder / "ledger.sqlite3"))
    engine = database.open_engine(sqlite_url(path))
    act(engine, "alice")
    engine.dispose()
    return path


def act(engine: Engine, handle: str) -> None:
    with database.writing(engine) as session:
        member_or_new(session, handle, now=day(0))


def members(engine: Engine) -> list[str]:
    with database.reading(engine) as session:
        return sorted(handles(session).values())


def test_a_ledger_on_a_full_disk_is_read_and_verified(small: Disk, ledger: Path) -> None:
    with small.full():
        engines = [database.open_engine(sqlite_url(ledger), begin=False) for _ in range(2)]
        for engine in engines:
            assert schema.make_ready(engine) is None
            assert members(engine) == ["alice"]
            with database.reading(engine) as session:
                found = verify(session)
            assert (found.entries, found.broken) == (1, None)
            engine.dispose()


def test_an_act_on_a_full_disk_is_refused_until_it_has_room(small: Disk, ledger: Path) -> None:
    with small.full():
        engine = database.open_engine(sqlite_url(ledger))
        with pytest.raises(DatabaseError, match="disk is full") as refused:
            act(engine, "bob")
        assert refused.value.remedy == (
            "Nothing was written. Free some space on its disk, and try again."
        )
    other = database.open_engine(sqlite_url(ledger))
    with database.reading(engine) as session:
        assert sorted(handles(session).values()) == ["alice"]
        act(other, "carol")  # nobody waits for a reader any more
        assert sorted(handles(session).values()) == ["alice"]
    act(engine, "dave")
    assert members(other) == ["alice", "carol", "dave"]
    for one in (engine, other):
        one.dispose()


def test_the_journal_of_a_killed_process_is_read_on_a_full_disk(small: Disk, ledger: Path) -> None:
    engine = database.open_engine(sqlite_url(ledger))
    act(engine, "bob")
    killed = Path(shutil.copy(ledger, small.folder / "killed.sqlite3"))
    shutil.copy(f"{ledger}-wal", f"{killed}-wal")
    engine.dispose()
    with small.full():
        engine = database.open_engine(sqlite_url(killed), begin=False)
        assert members(engine) == ["alice", "bob"]
        engine.dispose()


def test_while_a_full_disk_is_read_nobody_writes_even_if_space_is_freed(
    small: Disk, ledger: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with small.full():
        engine = database.open_engine(sqlite_url(ledger))
        reader = database.reading(engine)
        session = reader.__enter__()
        assert handles(session)
    monkeypatch.setattr(database, "PATIENCE", 0.05)
    monkeypatch.setattr(sqlite_file, "PATIENCE", 0.05)
    with pytest.raises(DatabaseError, match="locked"):
        act(database.open_engine(sqlite_url(ledger)), "bob")
    reader.__exit__(None, None, None)
    act(engine, "carol")
    assert members(engine) == ["alice", "carol"]
    engine.dispose()


def test_a_ledger_that_cannot_be_opened_on_a_full_disk_says_how_much_is_free(
    small: Disk, ledger: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = database.open_engine(sqlite_url(ledger))
    with_index = partial(sqlite_file.connected, alone=False)
    monkeypatch.setattr(sqlite_file, "connected", lambda *at, alone: with_index(*at))
    with small.full():
        with pytest.raises(DatabaseError) as refused:
            members(engine)
        assert refused.value.message == (
            f"The ledger at {str(ledger)!r} could not be used: its disk is full, with 0 bytes free."
        )
        assert "Free some space on its disk" in refused.value.remedy
        ledger.with_name(f"{ledger.name}-wal").touch()
        with pytest.raises(DatabaseError) as refused:
            database.open_engine(sqlite_url(ledger))
        assert refused.value.message == (
            f"The ledger {str(ledger)!r} could not be checked: its disk is full, with 0 bytes free."
        )
        assert refused.value.remedy == "Free some space, and try again."
    engine.dispose()


def test_a_check_on_a_full_disk_is_complete_and_fails_for_space(small: Disk, ledger: Path) -> None:
    with small.full():
        engine = database.open_engine(sqlite_url(ledger))
        found = check(engine, lambda: datetime.now(UTC))
        engine.dispose()
    failed = {one.about: one for one in found if not one.passed}
    assert "0 bytes are free" in failed["space"].result
    assert "disk is full" in failed["writing"].result
    assert "Free some space" in failed["writing"].remedy
    assert {"file", "space", "journal", "schema", "chain", "rows"} <= {one.about for one in found}
