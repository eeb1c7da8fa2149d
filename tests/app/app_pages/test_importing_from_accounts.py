"""Importing from an account elsewhere: fetched with a token that is stored nowhere, previewed."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import Engine
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import TextInput

from app.forms import imports
from forecasts.accounts import client, fatebook, manifold, metaculus, tokens
from forecasts.common import web
from forecasts.ledger.models import Role
from tests.accounts.conftest import TOKEN, Platform, Reply
from tests.accounts.conftest import platform as platform  # a fixture
from tests.accounts.test_fatebook_account import QUESTIONS
from tests.accounts.test_fatebook_account import serve as serve_fatebook
from tests.accounts.test_manifold_account import BETS
from tests.accounts.test_manifold_account import serve as serve_manifold
from tests.app.app_pages.test_exchange_page import adds, listed
from tests.app.conftest import press, share, visit, words

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def here(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    """The platforms are on this machine, which has no token, and nothing really waits."""
    for module in (fatebook, manifold, metaculus):
        monkeypatch.setattr(module, "SITE", replace(module.SITE, base=platform.base))
        monkeypatch.delenv(module.SITE.setting, raising=False)
    monkeypatch.setenv("FORECASTS_ALLOW_PRIVATE_ADDRESSES", "true")
    monkeypatch.setattr(imports, "time", Clock())


class Clock:
    """Only waits move it."""

    at = 0.0

    def monotonic(self) -> float:
        return self.at

    def sleep(self, seconds: float) -> None:
        self.at += seconds


def account(app: AppTest, name: str) -> AppTest:
    visit(app, "exchange")
    app.segmented_control[0].set_value("From an account").run()
    [platforms] = [one for one in app.selectbox if one.label == "Platform"]
    platforms.select(name).run()
    return app


def token_field(app: AppTest) -> TextInput:
    [found] = [one for one in app.text_input if one.label == "Token"]
    return found


def give(app: AppTest, token: str = TOKEN) -> AppTest:
    token_field(app).input(token)
    return press(app, "Preview")


def test_an_account_is_fetched_previewed_and_imported_and_its_token_is_forgotten(
    app: AppTest, engine: Engine, platform: Platform
) -> None:
    serve_manifold(platform, BETS)
    account(app, "manifold")
    assert [one.label for one in app.text_input] == ["Token"]
    assert "[Get a token](https://manifold.markets/profile) (Edit, API key)" in words(app)
    give(app)
    assert "4 forecasts" in adds(app)
    assert listed(engine) == set()
    assert token_field(app).value == ""
    assert TOKEN not in repr(app.session_state.__dict__["_state"].filtered_state)
    asked = len(platform.asked)
    press(app, "Import")
    assert len(platform.asked) == asked
    assert len(listed(engine)) == 3
    assert "Imported from Manifold" in words(app)
    give(app)
    assert "Nothing new to import." in words(app)
    with engine.connect() as connection:
        for table in ("entry", "question_origin", "member", "forecast", "preference"):
            rows = connection.exec_driver_sql(f"SELECT * FROM {table}").all()
            assert TOKEN not in repr(rows)


def test_without_a_token_the_page_says_where_to_get_one_and_where_to_paste_it(
    app: AppTest, platform: Platform
) -> None:
    press(account(app, "metaculus"), "Preview")
    said = words(app).replace("\\", "")
    assert "There is no token for Metaculus." in said
    assert f"Get one at {metaculus.SITE.token_page} and paste it into the Token field." in said
    assert "FORECASTS_" not in said
    assert not platform.asked


def test_the_forecasts_of_others_can_be_left_out(app: AppTest, platform: Platform) -> None:
    serve_fatebook(platform, QUESTIONS)
    give(account(app, "fatebook"))
    asked = len(platform.asked)
    assert "6 forecasts" in adds(app)
    [mine] = [one for one in app.checkbox if one.label == "Only my forecasts"]
    mine.check().run()
    assert not adds(app)  # the preview was not of this choice
    press(app, "Preview")  # without the token: the answers are still there
    assert "5 forecasts" in adds(app)
    assert len(platform.asked) == asked


def test_a_fetch_that_fails_continues_with_the_same_token_only(
    app: AppTest, platform: Platform
) -> None:
    serve_manifold(platform, BETS)
    whole = platform.answer
    platform.answer = lambda request: (
        Reply(status=500) if request.path.startswith("market/") else whole(request)
    )
    give(account(app, "manifold"))
    assert "Manifold cannot answer now (HTTP status 500)." in words(app)
    assert "Try again later: it continues where it stopped." in words(app)
    platform.answer = whole
    before = [one.path for one in platform.asked].count("bets")
    press(app, "Preview")
    assert "4 forecasts" in adds(app)
    assert [one.path for one in platform.asked].count("bets") == before


def test_the_settings_token_serves_only_the_owner_of_a_personal_ledger(
    app: AppTest, engine: Engine, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    serve_manifold(platform, BETS)
    monkeypatch.setenv(manifold.SITE.setting, TOKEN)
    account(app, "manifold")
    assert token_field(app).placeholder == "from FORECASTS_MANIFOLD_TOKEN"
    press(app, "Preview")
    assert "4 forecasts" in adds(app)
    share(engine, Role.forecaster)
    asked = len(platform.asked)
    monkeypatch.setattr(tokens, "find", None)  # nor is the operator's keyring asked
    press(account(app, "metaculus"), "Preview")
    press(account(app, "manifold"), "Preview")
    assert token_field(app).placeholder == ""
    assert "There is no token for Manifold." in words(app)
    assert len(platform.asked) == asked


def test_a_member_reaches_the_platforms_own_address_alone(
    app: AppTest, engine: Engine, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    share(engine, Role.forecaster)
    reached: list[str] = []
    ask = client.ask

    def noted(address: str, **limits: object) -> web.Answer:
        reached.append(address)
        return ask(address, **limits)  # type: ignore[arg-type]

    monkeypatch.setattr(client, "ask", noted)
    platform.replies(Reply(status=302, headers={"Location": "http://169.254.169.254/latest"}))
    give(account(app, "metaculus"), "http://169.254.169.254/?")
    assert "redirects to another host: 169.254.169.254." in words(app)
    assert reached
    assert all(one.startswith(platform.base) for one in reached)
    monkeypatch.setenv("FORECASTS_ALLOW_PRIVATE_ADDRESSES", "false")
    asked = len(platform.asked)
    give(app)
    assert "is not on the public internet" in words(app) or "private" in words(app)
    assert len(platform.asked) == asked
