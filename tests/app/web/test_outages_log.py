"""Outages in the app's log: lines in Streamlit's form, and no traceback."""

from __future__ import annotations

import logging

import pytest
from starlette.applications import Starlette
from starlette.routing import Route
from starlette.testclient import TestClient

from app.views import uncaught
from app.web import health
from forecasts.ledger.outages import Outages
from tests.ledger.test_outages import down, log
from tests.postgresql import Server

pytestmark = pytest.mark.slow

__all__ = ["log"]


def test_a_traceback_is_logged_of_a_fault_and_not_of_an_outage() -> None:
    filters = logging.getLogger("streamlit.error_util")
    uncaught.keep_out_of_log()
    try:
        kept = [
            bool(filters.filter(logging.makeLogRecord({"exc_info": (type(error), error, None)})))
            for error in (down(), ZeroDivisionError())
        ]
    finally:
        filters.removeFilter(uncaught.is_fault)
    assert kept == [False, True]
    logger = logging.getLogger("forecasts.ledger.outages")
    assert logger.handlers
    assert not logger.propagate


def test_the_health_check_logs_that_the_server_is_down_and_that_it_is_back(
    postgresql: Server, log: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "outages", Outages())
    monkeypatch.setenv("FORECASTS_DATABASE_URL", url := postgresql.emptied())
    health._engine.cache_clear()
    with TestClient(Starlette(routes=[Route("/health", health.Health().answer)])) as client:
        assert client.get("/health").status_code == 200
        with postgresql.stopped():
            for _ in range(3):
                assert client.get("/health").status_code == 503
        assert client.get("/health").status_code == 200
    health._engine(url).dispose()
    health._engine.cache_clear()
    [began, back] = log
    assert "was not reached" in began or "could not be used" in began
    assert back.startswith("The ledger can be read again")
