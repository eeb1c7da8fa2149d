"""Writers that are killed: nothing acknowledged is lost or doubled, and the chain is whole."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine

from benchmarks.writing import furnish, stored
from tests.outages.numbers import often
from tests.outages.writers import writing_to

pytestmark = pytest.mark.slow


@pytest.fixture
def url(engine: Engine) -> str:
    furnish(engine)
    return engine.url.render_as_string(hide_password=False)


@often(4, 100)
def test_everything_that_killed_writers_were_told_is_there_once(
    engine: Engine, url: str, times: int
) -> None:
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
