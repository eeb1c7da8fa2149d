"""The app's health check: whether its ledger can be read, in bounded time and without details."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Engine, text
from starlette.applications import Starlette
from starlette.routing import Route
from starlette.testclient import TestClient

from app.web import routes
from forecasts.ledger import database
from tests.postgresql import Server

UNAVAILABLE = (503, "The ledger is unavailable at the moment.\n")


@pytest.fixture
def client() -> Iterator[TestClient]:
    routes.engine_of.cache_clear()
    with TestClient(Starlette(routes=[Route("/health", routes.Health().answer)])) as client:
        yield client
    routes.engine_of.cache_clear()


def asked(client: TestClient) -> tuple[int, str]:
    answer = client.get("/health")
    assert answer.headers["cache-control"] == "no-store"
    return answer.status_code, answer.text


def serve(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORECASTS_DATABASE_URL", url)


def test_a_ledger_that_can_be_read_is_well(
    engine: Engine, client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    serve(engine.url.render_as_string(hide_password=False), monkeypatch)
    assert asked(client) == (200, "The ledger can be read.\n")
    routes.engine_of(engine.url.render_as_string(hide_password=False)).dispose()


def test_a_schema_of_another_release_is_not_well(
    engine: Engine, client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    serve(url := engine.url.render_as_string(hide_password=False), monkeypatch)
    with database.writing(engine) as session:
        session.execute(text("UPDATE alembic_version SET version_num = '0001'"))
    assert asked(client) == UNAVAILABLE
    routes.engine_of(url).dispose()


@pytest.mark.slow
def test_a_server_that_is_down_is_said_without_details_until_it_is_back(
    postgresql: Server, client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    with postgresql.fresh() as url:
        serve(url, monkeypatch)
        assert asked(client)[0] == 200
        with postgresql.stopped():
            assert asked(client) == UNAVAILABLE
        assert asked(client)[0] == 200
        routes.engine_of(url).dispose()


def test_a_ledger_that_is_not_there_is_not_created(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("nothing") / "folder" / "ledger.sqlite3"
    serve(f"sqlite:///{path}", monkeypatch)
    assert asked(client) == UNAVAILABLE
    assert not path.parent.exists()


def test_a_reading_that_hangs_is_not_waited_for_and_not_begun_twice(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[int] = []
    goes_on, ends = threading.Event(), threading.Event()

    def hang() -> bool:
        begun.append(1)
        goes_on.wait()
        ends.set()
        return True

    monkeypatch.setattr(routes, "WAITS", 0.05)
    monkeypatch.setattr(routes, "is_readable", hang)
    with ThreadPoolExecutor(3) as strangers:
        answers = list(strangers.map(asked, [client] * 3))
    assert answers == [UNAVAILABLE] * 3
    assert len(begun) == 1
    goes_on.set()
    ends.wait()
    monkeypatch.setattr(routes, "WAITS", 30)
    assert asked(client)[0] == 200
