"""Killed writers and servers, and power cuts: nothing acknowledged is lost or doubled."""

from __future__ import annotations

import random
import shutil
import struct
from collections import Counter
from itertools import count
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError
from sqlmodel import col, select

from benchmarks.writing import furnish, stored
from forecasts.common.errors import DatabaseError
from forecasts.common.settings import sqlite_url
from forecasts.ledger import database
from forecasts.ledger.driver_errors import reported
from forecasts.ledger.models import Forecast
from forecasts.ledger.verification import verify
from tests.outages.writers import SIDE_BY_SIDE, often, writing_to
from tests.postgresql import Server

pytestmark = pytest.mark.slow


@pytest.fixture
def url(engine: Engine) -> str:
    furnish(engine)
    return engine.url.render_as_string(hide_password=False)


@often(4, 100)
def test_killed_writers_keep_acknowledged_acts_once(engine: Engine, url: str, times: int) -> None:
    with writing_to(url) as writers:
        for _ in range(times):
            writers.listen_for(1)
            writers.listen(writers.random.uniform(0, 0.1))
            writers.kill()
    found = stored(engine)
    assert writers.acknowledged.total() >= times
    assert writers.refused == []
    assert not writers.acknowledged - found
    assert set(found.values()) == {1}


@often(1, 10)
@pytest.mark.parametrize("kind", ["postgresql"])
def test_a_crash_loses_no_update(engine: Engine, url: str, postgresql: Server, times: int) -> None:
    with writing_to(url) as writers:
        for _ in range(times):
            writers.listen_for(SIDE_BY_SIDE)
            writers.listen(writers.random.uniform(0, 0.1))
            postgresql.crash()
        writers.listen_for(SIDE_BY_SIDE)
    found = stored(engine)
    assert not writers.acknowledged - found
    assert set(found.values()) == {1}
    told = {line.partition("(")[0] for line in writers.refused}
    assert told == {"refused: DatabaseError"}


@pytest.mark.parametrize("kind", ["postgresql"])
@pytest.mark.parametrize("what", ["starting up", "in recovery mode", "shutting down"])
def test_a_server_that_starts_or_stops_is_named_with_a_remedy(engine: Engine, what: str) -> None:
    said = f'connection to server on socket "/s" failed: FATAL:  the database system is {what}'
    with pytest.raises(DatabaseError) as caught, reported(engine):
        raise OperationalError("", None, psycopg.OperationalError(said))
    assert f"was not reached: the database system is {what}." in str(caught.value)
    assert "Try again in a moment" in caught.value.remedy


# Power cuts: the disk has a whole ledger with all acknowledged acts at any moment. All writers are
# halted, and the ledger's file and its write-ahead log are copied as they are. The log is synced
# before an act is acknowledged; the rest of it may reach the disk in part, so a second copy has
# that rest torn. A third one has lost more than a disk may that syncs what it says: it opens too,
# without the newest acts.

HEADER, FRAME_HEADER = 32, 24  # bytes: of the log, and of each page in it


def log_of(ledger: Path) -> Path:
    return ledger.with_name(f"{ledger.name}-wal")


def copied(ledger: Path, to: Path) -> Path:
    """Return a copy of the file and its log; the index of the log is not on the disk."""
    shutil.copy(ledger, to)
    shutil.copy(log_of(ledger), log_of(to))
    return to


def opened(ledger: Path) -> list[str]:
    """Return the updates in the ledger in their order; the chain must be whole."""
    engine = database.open_engine(sqlite_url(ledger))
    with database.reading(engine) as session:
        found = verify(session)
        assert found.broken is None, found.broken
        rows = list(session.exec(select(Forecast.rationale).order_by(col(Forecast.id))).all())
    engine.dispose()
    assert set(Counter(rows).values()) <= {1}
    return rows


def ends_of_acts(log: Path) -> list[int]:
    """Return the places in the log at which an act ends, the start of the log included."""
    whole = log.read_bytes()
    if len(whole) < HEADER:
        return [len(whole)]
    [page_size] = struct.unpack(">I", whole[8:12])
    salts, ends = whole[16:24], [HEADER]
    size = FRAME_HEADER + page_size
    for at in count(HEADER, size):
        frame = whole[at : at + size]
        if len(frame) < size or frame[8:16] != salts:  # left from before the log began again
            return ends
        [pages_after_commit] = struct.unpack(">I", frame[4:8])
        if pages_after_commit:
            ends.append(at + size)
    return ends


def tear(log: Path, after: int, random_: random.Random) -> None:
    """Let the log end at a random place, or have random bytes there, but nowhere before."""
    whole = bytearray(log.read_bytes())
    at = random_.randint(after, max(after, len(whole)))
    if random_.random() < 0.5:
        del whole[at:]
    else:
        whole[at : at + 4096] = random_.randbytes(min(4096, len(whole) - at))
    log.write_bytes(whole)


@often(3, 50)
@pytest.mark.parametrize("kind", ["sqlite"])
def test_a_copy_from_the_moment_of_a_power_cut_has_every_acknowledged_act(
    engine: Engine, ledger_file: Path, tmp_path: Path, times: int
) -> None:
    furnish(engine)
    with writing_to(sqlite_url(ledger_file)) as writers:
        for number in range(times):
            writers.listen_for(1)
            writers.listen(writers.random.uniform(0, 0.1))
            with writers.halted():
                writers.hear_all()
                told = set(writers.acknowledged)
                cut = copied(ledger_file, tmp_path / f"{number}.sqlite3")
            torn = copied(cut, tmp_path / f"torn-{number}.sqlite3")
            worse = copied(cut, tmp_path / f"worse-{number}.sqlite3")
            ends = ends_of_acts(log_of(cut))
            rows = opened(cut)
            assert told <= set(rows)
            newest = max(place for place, row in enumerate(rows) if row in told)
            unacknowledged = len(rows) - 1 - newest

            tear(log_of(torn), ends[max(0, len(ends) - 1 - unacknowledged)], writers.random)
            left = opened(torn)
            assert told <= set(left)
            assert left == rows[: len(left)]

            tear(log_of(worse), ends[-3:][0], writers.random)
            left = opened(worse)
            assert left == rows[: len(left)]
            assert len(left) >= len(rows) - 3
    assert writers.refused == []
