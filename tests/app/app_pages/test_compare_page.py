"""Compare: two teams or forecasters on shared questions, and the empty states."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine
from streamlit.testing.v1 import AppTest

from forecasts.access import tokens
from forecasts.access.members import member_named
from forecasts.ledger import database
from forecasts.questions import registry
from forecasts.reports import comparison
from forecasts.updates import updates
from forecasts.updates.model_uses import Model
from forecasts.values.value import Value
from tests.app.conftest import columns, visit, words
from tests.conftest import day
from tests.reports.comparison.test_murphy import compared

pytestmark = pytest.mark.slow


def test_forecasters_are_compared_on_shared_questions(furnished: AppTest) -> None:
    said = words(visit(furnished, "compare"))  # opens on those with two sides
    assert "No conclusion" in said
    assert "no shared question counts yet: 1 still open" in said
    assert "alice and bob" in said
    assert list(columns(furnished, "Pair")["Pair"])
    names = [button.label for button in furnished.get("download_button")]
    assert names == ["PDF", "HTML", "CSV", "MD", "JSON"]
    furnished.multiselect(key="names-forecasters").set_value(["alice"]).run()
    assert "Choose at least two" in words(furnished)
    assert not furnished.exception


def test_forecasters_are_compared_as_they_stood_before_the_close(furnished: AppTest) -> None:
    said = words(visit(furnished, "compare", of="Forecasters", lead="3"))
    assert "the forecasts current 3 days before the scheduled close" in said
    furnished.number_input(key="lead").set_value(0.0).run()
    assert "A lead must be above 0" in words(furnished)
    assert not furnished.exception


def test_an_empty_ledger_says_how_a_comparison_begins(app: AppTest) -> None:
    assert "once a second member forecasts" in words(visit(app, "compare", of="Forecasters"))


def test_a_pair_shows_for_which_decisions_one_lost_less(
    furnished: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(comparison, "build", lambda *_, **__: compared())
    said = words(visit(furnished, "compare", of="Forecasters"))
    assert "Decisions" in [header.value for header in furnished.header]
    assert "ana lost less when acting above thresholds of" in said
    assert "Rank" in columns(furnished, "Adjusted")
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
