"""A server that crashes under its writers: nothing acknowledged is lost or doubled."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine

from benchmarks.writing import furnish, stored
from tests.outages.numbers import often
from tests.outages.writers import SIDE_BY_SIDE, writing_to
from tests.postgresql import Server


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
