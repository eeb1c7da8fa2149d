"""Roles on pages: a question's audience, a hidden crowd, a viewer's pages."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine
from streamlit.testing.v1 import AppTest

from forecasts.access import members, teams, visibility
from forecasts.access.members import member_or_new
from forecasts.ledger import database
from forecasts.ledger.models import Role
from forecasts.questions import registry
from forecasts.updates import updates
from forecasts.values.value import Value
from tests.app.conftest import say, submit, visit, words
from tests.conftest import ask, day

pytestmark = pytest.mark.slow


@pytest.fixture
def team(engine: Engine, app: AppTest) -> AppTest:
    """A shared ledger: bob is its admin; alice, the current member, is in Alder."""
    with database.writing(engine) as ledger:
        alice, bob = (member_or_new(ledger, handle, now=day(0)) for handle in ("alice", "bob"))
        alder = teams.create(ledger, "Alder", member=bob, now=day(0))
        teams.set_role(ledger, alder, alice, Role.forecaster, member=bob, now=day(0))
        rain = ask(
            ledger, bob, slug="rain", crowd_hidden=True, **teams.visibility_fields(ledger, "Alder")
        )
        ask(ledger, bob, slug="secret", title="A secret?", **teams.visibility_fields(ledger, "me"))
        updates.update(ledger, rain, Value(probability=0.9), member=bob, now=day(1))
    return app


def test_a_question_states_its_audience_and_why_its_crowd_is_hidden(
    team: AppTest, engine: Engine
) -> None:
    said = words(visit(team, "question", slug="rain"))
    assert "visible to Alder and its author only" in said
    assert "Other forecasts appear once you have forecast" in said
    assert "No forecasts yet" not in said
    assert "Forecasts (hidden)" in [tab.label for tab in team.tabs]
    assert "**bob** —" not in said
    say(engine, "rain", 0.2, at=2)
    said = words(visit(team, "question", slug="rain"))
    assert "are hidden" not in said
    assert "**bob** —" in said


def test_hidden_questions_are_on_no_page(team: AppTest) -> None:
    said = words(visit(team, "question", slug="secret"))
    assert "There is no question 'secret'" in said
    # Nothing tells it from one that does not exist.
    assert words(visit(team, "question", slug="secres")) == said.replace("secret", "secres")
    for page in ("today", "questions", "resolve"):
        visit(team, page)
        assert not team.exception
        assert "A secret?" not in str(team)


def test_a_viewer_is_offered_nothing_to_do(team: AppTest, engine: Engine) -> None:
    say(engine, "rain", 0.7, at=2)
    with database.writing(engine) as ledger:
        alice, bob = (members.member_named(ledger, handle) for handle in ("alice", "bob"))
        alder = teams.find(ledger, "Alder")
        teams.set_role(ledger, alder, alice, Role.viewer, member=bob, now=day(3))
    for page, asked, said in (
        ("question", {"slug": "rain"}, "You can read this question"),
        ("articles", {}, "Capturing one requires the forecaster"),
        ("exchange", {}, "Importing requires the forecaster"),
        ("today", {}, "Forecasting requires the forecaster"),
    ):
        assert said in words(visit(team, page, **asked))
        assert [button.label for button in team.button] == []
        assert not team.file_uploader
    # Their earlier forecast is active and is shown without a form.
    assert "your forecast: **70%**, 3 days ago" in words(team)
    visit(team, "questions", view="Ask a question")
    assert "Asking one requires the forecaster" in words(team)
    assert "Register question" not in [button.label for button in team.button]
    assert "New question" not in [field.label for field in visit(team, "questions").text_input]


def test_a_question_is_asked_of_a_team(team: AppTest, engine: Engine) -> None:
    visit(team, "questions", view="Ask a question")
    [who] = [box for box in team.selectbox if box.label == "Visible to"]
    assert who.options == ["Everyone", "Alder", "Only me"]
    given = {"title": "Snow?", "criteria": "A", "closes": "9 January"}
    submit(team, "ask#0", "go", visible="Alder", hide=True, **given)
    assert not team.exception
    with database.reading(engine) as ledger:
        text = registry.newest_wording(ledger, registry.find(ledger, "snow"))
        assert visibility.audience_label(ledger, text) == "Alder and its author"
        assert text.crowd_hidden
