"""Compare and Arena: members, teams, people and bots on shared questions, and the empty states."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine
from streamlit.testing.v1 import AppTest

from forecasts.access import tokens
from forecasts.access.members import member_named
from forecasts.ledger import database
from forecasts.questions import registry
from forecasts.reports import arena, comparison
from forecasts.updates import updates
from forecasts.updates.model_uses import Model
from forecasts.values.value import Value
from tests.app.conftest import columns, settle, visit, words
from tests.conftest import day
from tests.reports.comparison.test_murphy import compared
from tests.reports.test_arena import shown

pytestmark = pytest.mark.slow


def test_forecasters_are_compared_on_shared_questions(furnished: AppTest) -> None:
    said = words(visit(furnished, "compare"))  # opens on those with two sides
    assert "No conclusion" in said
    assert "no shared question counts yet: 1 still open" in said
    assert "alice and bob" in said
    assert [header.value for header in furnished.header] == []  # nothing is compared
    names = [button.label for button in furnished.get("download_button")]
    assert names == ["PDF", "HTML", "CSV", "MD", "JSON"]
    said = words(furnished.number_input(key="lead").set_value(3.0).run())
    assert "the forecasts current 3 days before the scheduled close" in said
    said = words(furnished.multiselect(key="without").set_value(["alice"]).run())
    assert "Without the forecasts of alice." in said
    furnished.multiselect(key="without").set_value([]).run()
    furnished.multiselect(key="names-forecasters").set_value(["alice"]).run()
    assert "Choose at least two" in words(furnished)
    furnished.number_input(key="lead").set_value(0.0).run()
    assert "A lead must be above 0" in words(furnished)
    assert not furnished.exception


def test_an_empty_ledger_says_how_comparisons_begin(app: AppTest) -> None:
    assert "once a second member forecasts" in words(visit(app, "compare", of="Forecasters"))
    hints = {"Members": "two members", "Models": "their model", "Kinds": "token create"}
    visit(app, "arena")
    for of, hint in hints.items():
        assert hint in words(app.segmented_control(key="of").set_value(of).run())
        assert not app.exception


def test_a_pair_shows_for_which_decisions_one_lost_less(
    furnished: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(comparison, "build", lambda *_, **__: compared())
    said = words(visit(furnished, "compare", of="Forecasters"))
    assert "Decisions" in [header.value for header in furnished.header]
    assert "ana lost less when acting above thresholds of" in said
    assert "Forecaster" in columns(furnished, "Adjusted")  # folded
    assert "Rank" in columns(furnished, "Brier (0–1)")
    assert len(columns(furnished, "95% band"))
    assert not furnished.exception


def test_people_and_bots_are_compared_by_kind_and_by_model(
    furnished: AppTest, engine: Engine
) -> None:
    visit(furnished, "compare", of="Teams")
    for of, hint in (("Teams", "two teams"), ("Kinds", "and bots"), ("Models", "second model")):
        assert hint in words(furnished.segmented_control(key="of").set_value(of).run())
    _add_a_bot(engine)
    for of, names in (("kinds", ["bot", "human"]), ("models", ["oracle 1", "oracle 2"])):
        furnished.segmented_control(key="of").set_value(of.capitalize()).run()
        assert furnished.multiselect(key=f"names-{of}").value == names
        assert not furnished.exception
    visit(furnished, "track_record")
    furnished.segmented_control(key="of").set_value("Model").run()
    assert furnished.multiselect(key="names-model").value == ["oracle 1"]
    # The crowd of a question is chosen too.
    assert "the median of people" in words(visit(furnished, "question", slug="quay"))
    [choice] = [one for one in furnished.get("button_group") if one.label == "Crowd of"]
    choice.set_value("Bots").run()
    assert "the median of bots" in words(furnished)
    assert not furnished.exception


def _add_a_bot(engine: Engine) -> None:
    """Let a bot of alice's forecast with one version of a model, and then with the next."""
    with database.writing(engine) as ledger:
        alice = member_named(ledger, "alice")
        tokens.create(ledger, "robot", member=None, owner=alice, now=day(4.9))
        quay, robot = registry.find(ledger, "quay"), member_named(ledger, "robot")
        for version in ("1", "2"):
            model = Model("oracle", version)
            updates.update(
                ledger, quay, Value(probability=0.9), member=robot, now=day(4.9), model=model
            )


def test_the_arena_shows_ranks_skill_and_cost(
    furnished: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = shown({"ann": 0.9, "bob": 0.6, "b1": 0.75}, cost=0.25)
    monkeypatch.setattr(arena, "arena", lambda *_, **__: made)
    said = words(visit(furnished, "arena"))
    assert "ann is first, by more than luck explains" in said
    assert list(columns(furnished, "Cost a question")["Cost a question"])[1] == "US$ 0.25"
    table = columns(furnished, "Rank")
    assert [rank.split("](")[0] for rank in table["Rank"]] == [
        "![gold medal",
        "![silver medal",
        "3",
    ]
    assert [rank[-2:].strip() for rank in table["Rank"]] == ["1", "2", "3"]
    ann, bot, bob = table["Name"]
    assert (ann, bob) == ("**ann** :material/person: person", "**bob** :material/person: person")
    assert bot == "**b1** :material/smart_toy: bot, ann’s"
    assert all("](data:image/svg+xml," in drawn for drawn in table["Trend"])
    assert said.count("Ranks compare the same questions") == 1  # and the notes are folded
    names = [button.label for button in furnished.get("download_button")]
    assert names == ["Table (CSV)", "PDF", "HTML", "CSV", "MD", "JSON"]
    assert not furnished.exception


def test_questions_that_resolved_early_are_one_click_away_in_the_arena(
    furnished: AppTest, engine: Engine
) -> None:
    settle(engine, "rain", "yes", known=3, at=4.9)
    said = words(visit(furnished, "arena"))
    assert "No shared question counts yet: 1 resolved before the scheduled close" in said
    assert "The arena starts once" not in said
    furnished.button(key="all-resolved").click().run()
    assert furnished.selectbox(key="cohort").value == "All resolved"
    assert "Too early for ranks" in words(furnished)
    assert not furnished.exception
