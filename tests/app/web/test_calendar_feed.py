"""A calendar's address: 404 unless it is in force, and nothing is logged."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine
from starlette.requests import Request
from starlette.responses import Response

from app.web import routes
from forecasts.access.members import member_or_new
from forecasts.agenda import calendar_feed
from forecasts.ledger import database
from tests.conftest import ask, day
from tests.postgresql import Server


@pytest.fixture(autouse=True)
def _served(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(routes, "engine_of", lambda _: engine)


def get(name: str) -> Response:
    return routes.calendar(
        Request(
            {
                "type": "http",
                "method": "GET",
                "scheme": "http",
                "server": ("testserver", 80),
                "path": f"/calendar/{name}",
                "path_params": {"name": name},
                "query_string": b"",
                "headers": [],
            }
        )
    )


def test_a_calendar_is_read_by_its_address_alone(
    engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "app")
    with database.writing(engine) as ledger:
        alice = member_or_new(ledger, "alice", now=day(0))
        ask(ledger, alice, slug="rain", scheduled_close_time=day(30_000))
        issued = calendar_feed.create(ledger, member=alice, now=day(0))
    answer = get(f"{issued.secret}.ics")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/calendar; charset=utf-8"
    assert answer.headers["cache-control"] == "private, no-store"
    assert "URL:http://testserver/question?slug=rain" in bytes(answer.body).decode()
    assert issued.secret not in caplog.text


def test_a_calendar_goes_by_a_server_s_clock(
    postgresql: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    times: list[datetime] = []
    engine = database.open_engine(postgresql.emptied())
    monkeypatch.setattr(routes, "engine_of", lambda _: engine)
    ahead = "clock_timestamp() + interval '1 hour'"
    monkeypatch.setattr("forecasts.ledger.clock.server_time", lambda: ahead)
    monkeypatch.setattr(
        calendar_feed, "feed", lambda *_, now, **__: times.append(now) or "BEGIN:VCALENDAR"
    )
    assert get(f"fcc_{'0' * 12}_{'x' * 43}.ics").status_code == 200
    off = times[0] - datetime.now(UTC) - timedelta(hours=1)
    assert abs(off) < timedelta(seconds=5)
    engine.dispose()


@pytest.mark.parametrize("name", ["x.ics", "fcc_calendar-00_x.ics", "fct__.ics", "\0.ics", "x"])
def test_every_other_address_is_ignored(name: str) -> None:
    answer = get(name)
    assert answer.status_code == 404
    assert bytes(answer.body).decode() == routes.NOT_FOUND
