"""The app's own addresses: the API under it, its health, the calendars of members."""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import Engine, text
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient

from app.web import routes
from app.web.routes import Api
from forecasts.access import tokens
from forecasts.access.members import member_or_new
from forecasts.access.oidc_settings import SignIn
from forecasts.agenda import calendar_feed
from forecasts.api import health
from forecasts.common.extras import install_command
from forecasts.ledger import database
from tests.conftest import ask, day
from tests.postgresql import Server

pytestmark = pytest.mark.slow

PAGES = PlainTextResponse("the app")
ADDRESS = "http://127.0.0.1:8501"
UNAVAILABLE = (503, "The ledger is unavailable at the moment.\n")
NAME = "FORECASTS_DATABASE_URL"


def serve(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> str:
    """Let the routes serve that ledger; return its URL."""
    url = engine.url.render_as_string(hide_password=False)
    monkeypatch.setenv(NAME, url)
    return url


@pytest.fixture
def bot(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    serve(engine, monkeypatch)
    with database.writing(engine) as session:
        issued = tokens.create(session, "bot", member=None, now=day(0))
    return {"Authorization": f"Bearer {issued.secret}"}


@pytest.fixture
def make() -> Iterator[Callable[..., Api]]:
    """Return the middleware before the app; its ledger is closed after the test."""
    made: list[Any] = []

    def before_the_app(sign_in: SignIn | None = None) -> Api:
        made.append(Api(PAGES, sign_in))
        return made[-1]  # type: ignore[no-any-return]

    yield before_the_app
    for one in made:
        one._api.state.ground.engine.dispose()


def test_the_paths_of_the_api_are_answered_by_it_and_all_others_by_the_app(
    bot: dict[str, str], make: Callable[..., Api]
) -> None:
    served = make()
    client = TestClient(served, base_url=ADDRESS)
    assert client.get("/question?slug=rain").text == "the app"
    assert client.get("/apiary").text == "the app"
    assert served._api is None
    assert client.get("/api/v1/me", headers=bot).json()["handle"] == "bot"
    assert client.get("/api/v1/me").status_code == 401
    assert "Forecast Ledger API" in client.get("/api/v1/docs").text


def test_where_members_sign_in_the_api_is_served_under_the_app_s_name(
    bot: dict[str, str], make: Callable[..., Api]
) -> None:
    sign_in = SignIn.model_construct(
        redirect_uri="https://ledger.example.org/oauth2callback", client_secret=SecretStr("x")
    )
    client = TestClient(make(sign_in), base_url="https://ledger.example.org", headers=bot)
    assert client.get("/api/v1/me").json()["handle"] == "bot"
    assert client.get("/api/v1/me", headers={"Host": "evil.example"}).status_code == 403


def test_a_ledger_that_the_api_cannot_open_is_said_and_tried_again(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, make: Callable[..., Api]
) -> None:
    monkeypatch.setenv(NAME, "sqlite:///")
    client = TestClient(make(), base_url=ADDRESS)
    found = client.get("/api/v1/me")
    assert found.status_code == 503
    assert "names no file" in found.text
    serve(engine, monkeypatch)
    assert client.get("/api/v1/me").status_code == 401


def test_without_its_libraries_the_api_says_how_to_install_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "forecasts.api.server", None)
    found = TestClient(Api(PAGES, None), base_url=ADDRESS).get("/api/v1/me")
    assert found.status_code == 503
    assert install_command("api") in found.text


@pytest.fixture
def client() -> Iterator[TestClient]:
    routes.engine_of.cache_clear()
    with TestClient(Starlette(routes=[Route("/health", routes.health().answer)])) as client:
        yield client
    routes.engine_of.cache_clear()


def asked(client: TestClient) -> tuple[int, str]:
    answer = client.get("/health")
    assert answer.headers["cache-control"] == "no-store"
    return answer.status_code, answer.text


def test_a_ledger_that_can_be_read_is_well_and_a_schema_of_another_release_is_not(
    engine: Engine, client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = serve(engine, monkeypatch)
    assert asked(client) == (200, "The ledger can be read.\n")
    with database.writing(engine) as session:
        session.execute(text("UPDATE alembic_version SET version_num = '0001'"))
    assert asked(client) == UNAVAILABLE
    routes.engine_of(url).dispose()


def test_a_server_that_is_down_is_said_without_details_until_it_is_back(
    postgresql: Server, client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    with postgresql.fresh() as url:
        monkeypatch.setenv(NAME, url)
        assert asked(client)[0] == 200
        with postgresql.stopped():
            assert asked(client) == UNAVAILABLE
        assert asked(client)[0] == 200
        routes.engine_of(url).dispose()


def test_a_ledger_that_is_not_there_is_not_created(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("nothing") / "folder" / "ledger.sqlite3"
    monkeypatch.setenv(NAME, f"sqlite:///{path}")
    assert asked(client) == UNAVAILABLE
    assert not path.parent.exists()


def test_a_reading_that_hangs_is_not_waited_for_and_not_begun_twice(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[int] = []
    goes_on, ends = threading.Event(), threading.Event()

    def hang(_: object) -> bool:
        begun.append(1)
        goes_on.wait()
        ends.set()
        return True

    monkeypatch.setattr(health, "WAITS", 0.05)
    monkeypatch.setattr(health, "is_readable", hang)
    with ThreadPoolExecutor(3) as strangers:
        answers = list(strangers.map(asked, [client] * 3))
    assert answers == [UNAVAILABLE] * 3
    assert len(begun) == 1
    goes_on.set()
    ends.wait()
    monkeypatch.setattr(health, "WAITS", 30)
    assert asked(client)[0] == 200


def get(name: str) -> Response:
    scope = {
        "type": "http",
        "method": "GET",
        "scheme": "http",
        "server": ("testserver", 80),
        "path": f"/calendar/{name}",
        "path_params": {"name": name},
        "query_string": b"",
        "headers": [],
    }
    return routes.calendar(Request(scope))


def test_a_calendar_is_read_by_its_address_alone(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(routes, "engine_of", lambda _: engine)
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


def test_every_other_address_is_ignored(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(routes, "engine_of", lambda _: engine)
    for name in ("x.ics", "fcc_calendar-00_x.ics", "fct__.ics", "\0.ics", "x"):
        answer = get(name)
        assert answer.status_code == 404, name
        assert bytes(answer.body).decode() == routes.NOT_FOUND
