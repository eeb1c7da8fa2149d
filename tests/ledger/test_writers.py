"""Writers side by side: nothing is lost, doubled or refused. Killed ones: ``tests/outages``.

The full size is a benchmark: ``python -m benchmarks.writing``.
"""

from __future__ import annotations

from collections import Counter

import pytest
from sqlalchemy import Engine

from benchmarks.writing import furnish, side_by_side, start, stored
from forecasts.ledger.urls import is_embedded

pytestmark = pytest.mark.slow


@pytest.fixture
def url(engine: Engine) -> str:
    furnish(engine)
    # A busy machine may keep one of them from its turn for longer than the usual 10 seconds.
    waits = {"timeout": "60"} if is_embedded(engine) else {}
    return engine.url.update_query_dict(waits).render_as_string(hide_password=False)


def test_four_writers_at_once_lose_and_double_nothing(engine: Engine, url: str) -> None:
    writers = [start("updates", url, number, 30) for number in range(4)]
    wrote = side_by_side(writers)
    for writer in writers:
        writer.end()
    assert wrote.complaints == []
    assert len(wrote.acknowledged) == 30 * 4
    assert stored(engine) == Counter(wrote.acknowledged)
