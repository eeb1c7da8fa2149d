"""A server that crashes under its writers: nothing acknowledged is lost or doubled."""

from __future__ import annotations

import psycopg
import pytest
from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError

from benchmarks.writing import furnish, stored
from forecasts.common.errors import DatabaseError
from forecasts.ledger.driver_errors import reported
from tests.outages.numbers import often
from tests.outages.writers import SIDE_BY_SIDE, writing_to
from tests.postgresql import Server

pytestmark = [pytest.mark.server, pytest.mark.slow]


@pytest.fixture
def kind() -> str:
    return "postgresql"


@often(1, 10)
def test_everything_that_writers_were_told_is_there_after_a_crash_and_they_go_on(
    engine: Engine, postgresql: Server, times: int
) -> None:
    furnish(engine)
    with writing_to(engine.url.render_as_string(hide_password=False)) as writers:
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


@pytest.mark.parametrize("what", ["starting up", "in recovery mode", "shutting down"])
def test_a_server_that_is_not_ready_yet_is_named_with_that_remedy(
    engine: Engine, what: str
) -> None:
    said = f'connection to server on socket "/s" failed: FATAL:  the database system is {what}'
    with pytest.raises(DatabaseError) as caught, reported(engine):
        raise OperationalError("", None, psycopg.OperationalError(said))
    assert f"was not reached: the database system is {what}." in str(caught.value)
    assert "Try again in a moment" in caught.value.remedy
