"""The log has one line for an outage with its remedy, and one for its end."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import timedelta

import pytest
from starlette.applications import Starlette
from starlette.routing import Route
from starlette.testclient import TestClient

from app.web import health, outages
from app.web.outages import Outages
from forecasts.common.errors import DatabaseError
from tests.app.conftest import Clock
from tests.conftest import day
from tests.postgresql import Server


def down() -> DatabaseError:
    return DatabaseError("The server was not reached.", remedy="Start it.")


def starting() -> DatabaseError:
    return DatabaseError("The server is starting.", remedy="Try again.")


def full() -> DatabaseError:
    return DatabaseError("The disk is full.", remedy="Free some\nspace.")


class Lines(logging.Handler):
    """Keeps what is logged."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


@pytest.fixture
def log() -> Iterator[list[str]]:
    logger, handler = outages.get_logger(outages.__name__), Lines()
    logger.addHandler(handler)
    yield handler.lines
    logger.removeHandler(handler)


@pytest.fixture
def clock() -> Clock:
    return Clock(day(0))


def test_an_outage_is_one_line_however_often_and_in_whatever_words_it_is_met(
    log: list[str], clock: Clock
) -> None:
    seen = Outages(clock)
    for error in (down, down, starting, down):
        seen.noticed(error())
        seen.noticed(error(), readable=True)
    assert log == ["The server was not reached. Start it."]
    clock.moment += timedelta(seconds=62.4)
    seen.over()
    seen.over()
    assert log[1:] == ["The ledger can be read again, after 62 s."]
    seen.noticed(down())
    assert len(log) == 3


def test_a_refused_act_is_followed_by_the_outage_it_belongs_to_in_one_line(
    log: list[str], clock: Clock
) -> None:
    seen = Outages(clock)
    seen.noticed(down(), readable=True)
    seen.noticed(down())
    assert len(log) == 1
    seen.over()
    assert len(log) == 2


def test_while_acts_are_refused_and_pages_read_the_reason_is_logged_now_and_then(
    log: list[str], clock: Clock
) -> None:
    seen = Outages(clock)
    for _ in range(31):
        seen.noticed(full(), readable=True)
        seen.over()
        clock.moment += timedelta(minutes=1)
    assert log == ["The disk is full. Free some space."] * 3


def test_a_page_of_which_a_part_is_unreadable_is_logged_once(log: list[str], clock: Clock) -> None:
    seen = Outages(clock)
    for _ in range(3):  # as the page retries
        seen.over()
        error = full()
        seen.noticed(error, readable=True)
        seen.noticed(error)
    assert len(log) == 1


def test_a_traceback_is_logged_of_a_fault_and_not_of_an_outage() -> None:
    filters = logging.getLogger("streamlit.error_util")
    outages.keep_out_of_log()
    try:
        kept = [
            bool(filters.filter(logging.makeLogRecord({"exc_info": (type(error), error, None)})))
            for error in (down(), ZeroDivisionError())
        ]
    finally:
        filters.removeFilter(outages._is_fault)
    assert kept == [False, True]


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
