"""Writers or servers that are killed: nothing acknowledged is lost or doubled."""

from __future__ import annotations

import psycopg
import pytest
from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError

from benchmarks.writing import furnish, stored
from forecasts.common.errors import DatabaseError
from forecasts.ledger.driver_errors import reported
from tests.outages.writers import SIDE_BY_SIDE, often, writing_to
from tests.postgresql import Server

pytestmark = pytest.mark.slow


@pytest.fixture
def url(engine: Engine) -> str:
    furnish(engine)
    return engine.url.render_as_string(hide_password=False)


@often(4, 100)
def test_acts_told_to_killed_writers_are_there_once(engine: Engine, url: str, times: int) -> None:
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
