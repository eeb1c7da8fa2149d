"""A group in one table, a conditional in one act, links, and the way back."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine
from streamlit.testing.v1 import AppTest

from forecasts.access.members import member_or_new
from forecasts.ledger import database
from forecasts.questions import registry
from forecasts.questions.conditions import branches_of
from forecasts.questions.links import links
from forecasts.updates.ask_group import ask_group, read_group
from tests.app.conftest import confirmed, forecasts, say, state, visit, words
from tests.conftest import day

pytestmark = pytest.mark.slow
MARCH, JUNE = (f"will-the-bridge-open-by-{month}-2026" for month in ("march", "june"))


def a_group(engine: Engine) -> None:
    with database.writing(engine) as ledger:
        alice = member_or_new(ledger, "alice", now=day(1))
        line = read_group("Will the bridge open by March, June 2026? 30, 60", now=day(1))
        assert line is not None
        ask_group(ledger, line, member=alice, now=day(1))


def test_members_are_forecast_together_and_a_contradiction_is_mended_before_saving(
    furnished: AppTest, engine: Engine
) -> None:
    a_group(engine)
    visit(furnished, "question", slug=MARCH)
    [first, _] = fields = [
        one for one in furnished.text_input if (one.key or "").startswith("group-will")
    ]
    assert [one.value for one in fields] == ["30%", "60%"]
    first.input("80").run()
    key = str(first.key).rpartition("-")[0]
    assert "contradict each other" in furnished.warning[0].value
    furnished.button(key=f"{key}-coherent-0-2").click().run()
    assert confirmed(furnished)[0] == "Saved 2 coherent forecasts."
    assert [forecasts(engine, slug)[-1].probability for slug in (MARCH, JUNE)] == [0.7, 0.7]


def test_save_all_saves_the_changed_ones_in_one_act(furnished: AppTest, engine: Engine) -> None:
    a_group(engine)
    visit(furnished, "question", slug=MARCH)
    [first, _] = [one for one in furnished.text_input if (one.key or "").startswith("group-will")]
    first.input("40").run()
    furnished.button(key=f"{str(first.key).rpartition('-')[0]}-go").click().run()
    assert confirmed(furnished)[0] == "Saved 1 forecast."
    assert forecasts(engine, MARCH)[-1].probability == 0.4
    assert len(forecasts(engine, JUNE)) == 1


def test_both_branches_are_asked_in_one_act_with_the_implied_probability_shown(
    furnished: AppTest, engine: Engine
) -> None:
    say(engine, "quay", 0.4)
    visit(furnished, "question", slug="quay")
    furnished.session_state["if-quay"] = True
    furnished.run()
    key = "if-quay#0"
    furnished.text_area(key=f"{key}-title").input("Will tolls rise by 30 January?")
    furnished.text_input(key=f"{key}-forecast-binary-yes").input("50")
    furnished.text_input(key=f"{key}-forecast-binary-no").input("10").run()
    assert "Implied: **26%** overall · yes and yes **20%** · no and yes **6%**" in words(furnished)
    furnished.button(key=f"{key}-go").click().run()
    assert confirmed(furnished)[0].startswith("Registered 2 branches.")
    with database.reading(engine) as ledger:
        found = branches_of(ledger, registry.find(ledger, "quay"), now=day(6))
    assert [one.outcome for one in found] == ["yes", "no"]
    assert [forecasts(engine, one.state.slug)[-1].probability for one in found] == [0.5, 0.1]
    assert "“Will tolls rise by 30 January?”: Implied: **26%** overall" in words(furnished)


def test_a_link_is_added_looked_at_again_removed_and_put_back(
    furnished: AppTest, engine: Engine
) -> None:
    say(engine, "rain", 0.3)
    say(engine, "quay", 0.5)
    visit(furnished, "question", slug="quay")
    furnished.text_input(key="link-quay#0-other").input("rain")
    furnished.button(key="link-quay#0-go").click().run()
    assert confirmed(furnished)[0].startswith("Linked with")
    assert "**20.0 points** from it" in words(furnished)
    with database.reading(engine) as ledger:
        [link] = links(ledger, now=day(6))
    furnished.button(key=f"unlink-{link.row.id}#0-go").click().run()
    with database.reading(engine) as ledger:
        assert links(ledger, now=day(6)) == []
    [undo] = [one for one in furnished.button if one.label == "Undo"]
    undo.click().run()
    with database.reading(engine) as ledger:
        assert len(links(ledger, now=day(6))) == 1


def test_an_outcome_resolves_what_follows_in_its_group(furnished: AppTest, engine: Engine) -> None:
    a_group(engine)
    visit(furnished, "resolve", slug=MARCH)
    [outcome] = [one for one in furnished.radio if one.label == "Outcome"]
    outcome.set_value("yes").run()
    key = str(outcome.key).rpartition("-")[0]
    assert furnished.checkbox(key=f"{key}-together").value
    furnished.button(key=f"{key}-go").click().run()
    settled = [state(engine, slug).resolution for slug in (MARCH, JUNE)]
    assert [one and one.outcome for one in settled] == ["yes", "yes"]
