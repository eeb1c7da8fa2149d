"""A ledger in a file on a full disk that nobody had open: it is read, and acts are refused."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import Engine

from forecasts.access.members import handles, member_or_new
from forecasts.common.errors import DatabaseError
from forecasts.common.settings import sqlite_url
from forecasts.ledger import database, schema, sqlite_file
from forecasts.ledger.verification import verify
from forecasts.operations.health import check
from tests.conftest import day
from tests.outages.disks import Disk, mounted

pytestmark = pytest.mark.slow


@pytest.fixture
def disk() -> Iterator[Disk]:
    with mounted(3) as disk:
        yield disk


@pytest.fixture
def ledger(disk: Disk, empty_ledger: Path) -> Path:
    """The file of a ledger that Alice is in, and that nobody has open."""
    path = Path(shutil.copy(empty_ledger, disk.folder / "ledger.sqlite3"))
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


def test_a_ledger_on_a_full_disk_is_read_and_verified(disk: Disk, ledger: Path) -> None:
    with disk.full():
        engines = [database.open_engine(sqlite_url(ledger), begin=False) for _ in range(2)]
        for engine in engines:
            assert schema.make_ready(engine) is None
            assert members(engine) == ["alice"]
            with database.reading(engine) as session:
                found = verify(session)
            assert (found.entries, found.broken) == (1, None)
            engine.dispose()


def test_an_act_on_a_full_disk_is_refused_until_it_has_room(disk: Disk, ledger: Path) -> None:
    with disk.full():
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


def test_the_journal_of_a_killed_process_is_read_on_a_full_disk(disk: Disk, ledger: Path) -> None:
    engine = database.open_engine(sqlite_url(ledger))
    act(engine, "bob")
    killed = Path(shutil.copy(ledger, disk.folder / "killed.sqlite3"))
    shutil.copy(f"{ledger}-wal", f"{killed}-wal")
    engine.dispose()
    with disk.full():
        engine = database.open_engine(sqlite_url(killed), begin=False)
        assert members(engine) == ["alice", "bob"]
        engine.dispose()


def test_while_a_full_disk_is_read_nobody_writes_even_if_space_is_freed(
    disk: Disk, ledger: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with disk.full():
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
    disk: Disk, ledger: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = database.open_engine(sqlite_url(ledger))
    with_index = partial(sqlite_file.connected, alone=False)
    monkeypatch.setattr(sqlite_file, "connected", lambda *at, alone: with_index(*at))
    with disk.full():
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


def test_a_check_on_a_full_disk_is_complete_and_fails_for_space(disk: Disk, ledger: Path) -> None:
    with disk.full():
        engine = database.open_engine(sqlite_url(ledger))
        found = check(engine, lambda: datetime.now(UTC))
        engine.dispose()
    assert "0 bytes are free" in next(one.result for one in found if not one.passed)
    assert {"file", "space", "journal", "schema", "chain", "rows"} <= {one.about for one in found}
