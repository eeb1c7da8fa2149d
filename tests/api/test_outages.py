"""The server of the API logs an outage of the ledger in a line, and its end."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine

from forecasts.ledger import database
from forecasts.ledger.outages import Outages
from tests.api.conftest import asked
from tests.ledger.test_outages import down, full

ADDED = {"probability": 0.3}


@pytest.fixture(autouse=True)
def _own_outages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("forecasts.api.caller.outages", Outages())


def test_an_outage_is_a_line_and_its_end_another_however_many_requests_meet_it(
    api: TestClient,
    engine: Engine,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked(engine, slug="rain")

    @contextmanager
    def unreachable(*_: object) -> Iterator[None]:
        raise down()
        yield

    with monkeypatch.context() as during:
        during.setattr(database, "reading", unreachable)
        during.setattr(database, "writing", unreachable)
        for _ in range(2):
            assert api.get("/api/v1/me").status_code == 503
            assert api.post("/api/v1/questions/rain/forecasts", json=ADDED).status_code == 503
        during.setattr("forecasts.api.server.STRANGERS_BYTES", 5)
        long = api.post("/api/v1/articles", json={"text": "x" * 10})
        assert (long.status_code, long.json()["code"]) == (503, "unavailable")
    assert caplog.messages == ["The server was not reached. Start it."]
    assert api.get("/api/v1/me").status_code == 200
    assert len(caplog.messages) == 2
    assert caplog.messages[1].startswith("The ledger can be read again")


def test_a_refused_act_is_a_line_too_while_the_ledger_is_read(
    api: TestClient,
    engine: Engine,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked(engine, slug="rain")

    def refused(*_: object, **__: object) -> None:
        raise full()

    monkeypatch.setattr("forecasts.api.v1.forecasts.updates.update", refused)
    for _ in range(2):
        assert api.post("/api/v1/questions/rain/forecasts", json=ADDED).status_code == 503
        assert api.get("/api/v1/me").status_code == 200
    assert caplog.messages == ["The disk is full. Free some space."]
