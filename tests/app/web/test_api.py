"""The API under the app's address: its paths alone, made at the first request."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import Engine
from starlette.responses import PlainTextResponse
from starlette.testclient import TestClient

from app.web.routes import Api
from forecasts.access import tokens
from forecasts.access.oidc_settings import SignIn
from forecasts.common.extras import install_command
from forecasts.ledger import database
from tests.conftest import KINDS, day

pytestmark = pytest.mark.slow

PAGES = PlainTextResponse("the app")
ADDRESS = "http://127.0.0.1:8501"


@pytest.fixture
def kind() -> str:
    """Run on one database: the API itself is tested elsewhere."""
    return KINDS[-1]


@pytest.fixture
def bot(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    url = engine.url.render_as_string(hide_password=False)
    monkeypatch.setenv("FORECASTS_DATABASE_URL", url)
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


def test_its_paths_are_answered_by_it_and_all_others_by_the_app(
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


def test_where_members_sign_in_it_is_served_under_the_app_s_name(
    bot: dict[str, str], make: Callable[..., Api]
) -> None:
    sign_in = SignIn.model_construct(
        redirect_uri="https://ledger.example.org/oauth2callback", client_secret=SecretStr("x")
    )
    client = TestClient(make(sign_in), base_url="https://ledger.example.org", headers=bot)
    assert client.get("/api/v1/me").json()["handle"] == "bot"
    assert client.get("/api/v1/me", headers={"Host": "evil.example"}).status_code == 403


def test_a_ledger_that_cannot_be_opened_is_said_and_tried_again(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, make: Callable[..., Api]
) -> None:
    monkeypatch.setenv("FORECASTS_DATABASE_URL", "sqlite:///")
    client = TestClient(make(), base_url=ADDRESS)
    found = client.get("/api/v1/me")
    assert found.status_code == 503
    assert "names no file" in found.text
    monkeypatch.setenv("FORECASTS_DATABASE_URL", engine.url.render_as_string(hide_password=False))
    assert client.get("/api/v1/me").status_code == 401


def test_without_its_libraries_it_says_how_to_install_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "forecasts.api.server", None)
    found = TestClient(Api(PAGES, None), base_url=ADDRESS).get("/api/v1/me")
    assert found.status_code == 503
    assert install_command("api") in found.text
