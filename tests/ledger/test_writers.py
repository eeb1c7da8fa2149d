"""Writers side by side, and writers that are killed: nothing acknowledged is lost or doubled.

The full size is a benchmark: ``python -m benchmarks.writing``.
"""

from __future__ import annotations

from collections import Counter

import pytest
from sqlalchemy import Engine

from benchmarks.writing import COMPLAINT, WRITERS, furnish, killed, side_by_side, start, stored


@pytest.fixture
def url(engine: Engine) -> str:
    furnish(engine)
    return engine.url.render_as_string(hide_password=False)


def test_of_eight_who_write_at_once_nothing_is_lost_doubled_or_refused(
    engine: Engine, url: str
) -> None:
    writers = [start("updates", url, number, 30) for number in range(WRITERS)]
    wrote = side_by_side(writers)
    for writer in writers:
        writer.end()
    assert wrote.complaints == []
    assert len(wrote.acknowledged) == 30 * WRITERS
    assert stored(engine) == Counter(wrote.acknowledged)


def test_whatever_a_killed_writer_was_told_is_there_and_the_chain_whole(
    engine: Engine, url: str
) -> None:
    told = killed(url, 4, seed=7, most=0.05)
    found = stored(engine)
    assert told
    assert not any(line.startswith(COMPLAINT) for line in told)
    assert not Counter(told) - found
    assert set(found.values()) == {1}


@pytest.mark.nightly
def test_fifty_writers_that_are_killed_lose_nothing_that_they_were_told(
    engine: Engine, url: str
) -> None:
    told = killed(url, 50, seed=1)
    assert not Counter(told) - stored(engine)
