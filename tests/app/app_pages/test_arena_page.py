"""Arena: ranks of people and bots, and the empty states."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine
from streamlit.testing.v1 import AppTest

from forecasts.access import tokens
from forecasts.access.members import find_member
from forecasts.ledger import database
from forecasts.questions import registry
from forecasts.reports import arena as report_arena
from forecasts.resolution import confirmation
from forecasts.updates import updates
from forecasts.values.value import Value
from tests.app.conftest import columns, visit, words
from tests.conftest import day
from tests.reports.test_arena import shown

pytestmark = pytest.mark.slow


def test_the_page_shows_ranks_skill_and_cost(
    furnished: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = shown({"ann": 0.9, "bob": 0.6, "b1": 0.75}, cost=0.25)
    monkeypatch.setattr(report_arena, "arena", lambda *_, **__: made)
    said = words(visit(furnished, "arena"))
    assert "Only ann may be first" in said
    table = columns(furnished, "Cost a question")
    assert list(table["Rank"]) == ["1", "2", "3"]
    assert list(table["Cost a question"])[1] == "US$ 0.25"
    assert list(table["Kind"]) == ["human", "bot", "human"]
    names = [button.label for button in furnished.get("download_button")]
    assert names == ["Table (CSV)", "PDF", "HTML", "CSV", "MD", "JSON"]
    assert not furnished.exception


def test_questions_that_resolved_early_are_one_click_away(
    furnished: AppTest, engine: Engine
) -> None:
    with database.writing(engine) as ledger:
        alice, rain = find_member(ledger, "alice"), registry.find(ledger, "rain")
        assert alice is not None
        confirmation.confirm(ledger, rain, "yes", known_at=day(3), now=day(4.9), member=alice)
    said = words(visit(furnished, "arena"))
    assert "No shared question counts yet: 1 resolved before the scheduled close" in said
    assert "The arena starts once" not in said
    furnished.button(key="all-resolved").click().run()
    assert furnished.selectbox(key="cohort").value == "All resolved"
    assert "No ranks yet" in words(furnished)
    assert not furnished.exception


def test_an_empty_arena_says_how_it_starts(app: AppTest) -> None:
    hints = {"Members": "two members", "Models": "their model", "Kinds": "token create"}
    visit(app, "arena")
    for of, hint in hints.items():
        assert hint in words(app.segmented_control(key="of").set_value(of).run())
        assert not app.exception


def test_the_crowd_of_a_question_can_be_chosen(furnished: AppTest, engine: Engine) -> None:
    with database.writing(engine) as ledger:
        alice = find_member(ledger, "alice")
        tokens.create(ledger, "robot", member=None, owner=alice, now=day(0))
        robot = find_member(ledger, "robot")
        assert robot is not None
        quay = registry.find(ledger, "quay")
        updates.update(ledger, quay, Value(probability=0.9), member=robot, now=day(4))
    said = words(visit(furnished, "question", slug="quay"))
    assert "the median of people and bots" in said or "the median of people" in said
    [choice] = [one for one in furnished.get("button_group") if one.label == "Crowd of"]
    choice.set_value("Bots").run()
    assert "the median of bots" in words(furnished)
    assert not furnished.exception
