"""An empty ledger and the sample beside it, of which nothing is written into one's own ledger."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlmodel import select
from streamlit.testing.v1 import AppTest

from forecasts.access.members import member_or_new
from forecasts.common.errors import Refused
from forecasts.common.settings import sqlite_url
from forecasts.ledger import database
from forecasts.ledger.models import Ledger, Member, Preference, Question, Role
from forecasts.samples import demonstration
from tests.access.test_identities import ISSUER, claims
from tests.access.test_oidc_settings import set_to
from tests.app.conftest import confirmed, forecasts, press, register, share, submit, visit, words
from tests.conftest import ask, day

pytestmark = pytest.mark.slow


@pytest.fixture
def sample(empty_ledger: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The URL of a small sample ledger, which the app opens instead of building one."""
    url = sqlite_url(Path(shutil.copy(empty_ledger, tmp_path / "sample.sqlite3")))
    engine = database.open_engine(url)
    with database.writing(engine) as ledger:
        ledger.add(Ledger(created_at=day(0), demonstration=True))
        editor = member_or_new(ledger, "editor (simulated)", now=day(0))
        ask(ledger, editor, slug="sampled", title="Is this a sample?")
    engine.dispose()

    def opened(*, now: datetime, echo: Callable[[str], None]) -> str:
        echo("1. Capture: three articles")
        return url

    monkeypatch.setattr(demonstration, "opened", opened)
    return url


def contents(engine: Engine) -> list[object]:
    with database.reading(engine) as ledger:
        return [
            row for table in (Member, Question, Preference) for row in ledger.exec(select(table))
        ]


def test_an_empty_ledger_has_ways_to_start_and_an_example_that_two_clicks_save(
    app: AppTest, engine: Engine
) -> None:
    said = words(visit(app, "today"))
    for way in ("Ask your first question", "Capture an article", "Bring your record"):
        assert way in said
    [example] = [button for button in app.button if button.label.startswith("Try: ")]
    assert example.label.replace("\\", "") == "Try: Will it rain in London tomorrow? 30%"
    example.click().run()
    assert contents(engine) == []
    press(app, "Save")
    with database.reading(engine) as ledger:
        [slug] = ledger.exec(select(Question.slug))
    assert [one.probability for one in forecasts(engine, slug, "alice")] == [0.3]


def test_the_sample_is_a_ledger_of_its_own_from_which_a_click_leads_back(
    app: AppTest, engine: Engine, sample: str
) -> None:
    visit(app, "today")
    app.button(key="open-sample").click().run()
    assert "Sample ledger: simulated people and data" in words(app).replace("*", "")
    assert "Is this a sample?" in words(app)
    assert "You forecast as Emi (simulated)." in words(app)
    # An act there is the sample's.
    visit(app, "question", slug="sampled")
    assert "No link: it would open your own ledger." in words(app)
    submit(app, "forecast-sampled#0", "save", value="20%")
    assert "Saved" in confirmed(app)[0]
    visit(app, "settings")
    assert "Settings belong to your own ledger" in words(app)
    app.button(key="leave-sample").click().run()
    assert "Ask your first question" in words(app)
    assert "Sample ledger" not in words(app)
    assert "You forecast as alice." in words(app)
    assert contents(engine) == []


def test_a_form_filled_in_on_the_sample_is_not_saved_in_ones_own_ledger(
    app: AppTest, engine: Engine, sample: str
) -> None:
    register(engine, "sampled")
    visit(app, "settings")
    app.button(key="open-sample").click().run()
    visit(app, "question", slug="sampled")
    app.text_input(key="forecast-sampled#0-value").input("20%")
    app.button(key="leave-sample").click()
    app.button(key="forecast-sampled#0-save").click().run()
    visit(app, "question", slug="sampled")
    assert app.text_input(key="forecast-sampled#0-value").value != "20%"
    assert not forecasts(engine, "sampled")


def test_an_error_while_the_sample_is_built_is_shown_in_place(
    app: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(**_: Any) -> str:
        raise Refused("That is not a demonstration ledger.", remedy="Move it elsewhere.")

    monkeypatch.setattr(demonstration, "opened", refuse)
    visit(app, "today")
    app.button(key="open-sample").click().run()
    assert "Move it elsewhere" in app.error[0].value
    assert "Ask your first question" in words(app)


def test_a_ledger_that_members_sign_in_to_offers_no_sample(
    app: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_to(monkeypatch, ISSUER=ISSUER, ALLOWED_DOMAINS="example.org")
    monkeypatch.setattr("app.session.claims", claims)
    visit(app, "today")
    assert "Ask your first question" in words(app)
    assert not [button for button in app.button if button.key == "open-sample"]


def test_a_viewer_of_an_empty_ledger_learns_the_members_to_ask(
    app: AppTest, engine: Engine
) -> None:
    share(engine, Role.viewer)
    said = words(visit(app, "today"))
    assert "No questions yet. Asking the first one requires the forecaster role." in said
    assert "Ask your first question" not in said
