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

from forecasts.access import teams
from forecasts.access.members import member_or_new
from forecasts.common.errors import Refused
from forecasts.common.settings import sqlite_url
from forecasts.ledger import database
from forecasts.ledger.models import Ledger, Member, Preference, Question, Role
from forecasts.questions import registry
from forecasts.samples import demonstration
from forecasts.updates import updates
from tests.access.test_identities import ISSUER, claims
from tests.access.test_oidc_settings import set_to
from tests.app.conftest import submit, visit, words
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


def test_an_empty_ledger_asks_for_the_first_question_and_has_other_ways_to_start(
    app: AppTest,
) -> None:
    said = words(visit(app, "today"))
    for way in ("Ask your first question", "Capture an article", "Bring your record"):
        assert way in said
    labels = [button.label.replace("\\", "") for button in app.button]
    assert "Try: Will it rain in London tomorrow? 30%" in labels


def test_the_example_is_filled_in_by_a_click_and_saved_by_the_next(
    app: AppTest, engine: Engine
) -> None:
    visit(app, "today")
    [example] = [button for button in app.button if button.label.startswith("Try: ")]
    example.click().run()
    assert contents(engine) == []
    [save] = [button for button in app.button if button.label == "Save"]
    save.click().run()
    with database.reading(engine) as ledger:
        [slug] = ledger.exec(select(Question.slug))
        rows = updates.history(ledger, registry.find(ledger, slug))
    assert [(forecast.probability, handle) for forecast, handle in rows] == [(0.3, "alice")]


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
    submit(app, "forecast-sampled#0", "save", value="20%")
    assert "Saved" in app.toast[0].value
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
    with database.writing(engine) as ledger:
        ask(ledger, member_or_new(ledger, "alice", now=day(0)), slug="sampled")
    visit(app, "settings")
    app.button(key="open-sample").click().run()
    visit(app, "question", slug="sampled")
    app.text_input(key="forecast-sampled#0-value").input("20%")
    app.button(key="leave-sample").click()
    app.button(key="forecast-sampled#0-save").click().run()
    visit(app, "question", slug="sampled")
    assert app.text_input(key="forecast-sampled#0-value").value != "20%"
    with database.reading(engine) as ledger:
        assert not updates.history(ledger, registry.find(ledger, "sampled"))


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
    with database.writing(engine) as ledger:
        bob, alice = (member_or_new(ledger, name, now=day(0)) for name in ("bob", "alice"))
        teams.create(ledger, "Alder", member=bob, now=day(0))
        teams.appoint(ledger, alice, Role.viewer, member=bob, now=day(0))
    said = words(visit(app, "today"))
    assert "No questions yet. Asking the first one requires the forecaster role." in said
    assert "Ask your first question" not in said
