"""Arena: ranks of people and bots, and the empty states."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from typing import Any

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
from tests.app.conftest import visit, words
from tests.conftest import day
from tests.reports.small_ledgers import NOW
from tests.reports.test_kinds import arena, everyone


def shown(said: dict[str, float], cost: float | None = None, **more: Any) -> report_arena.Arena:
    frames = arena(everyone(said))
    assert frames.models is not None
    is_bot = frames.forecasts["forecaster"] == "b1"
    frames.models["cost"] = frames.models["cost"].where(~is_bot, cost).astype(float)
    found = report_arena.arena(frames, as_of=NOW, **more)
    assert found is not None
    return found


def test_the_best_comes_first_with_its_rank_its_kind_and_its_cost() -> None:
    found = shown({"ann": 0.9, "bob": 0.6, "b1": 0.75}, cost=0.25)
    ranks = [(one.side.name, one.side.rank_low, one.side.rank_high) for one in found.contenders]
    assert ranks == [("ann", 1, 1), ("b1", 2, 2), ("bob", 3, 3)]
    bot = found.contenders[1]
    assert (bot.kind, bot.owner, bot.cost) == ("bot", "ann", 0.25)
    assert found.contenders[0].cost is None
    assert found.contenders[0].crowd_skill.mean is not None
    assert found.contenders[0].crowd_skill.mean > 0 > (found.contenders[2].crowd_skill.mean or 0)
    assert found.sentence == "Only ann may be first; chance does not explain the lead."


def test_the_table_is_saved_with_skill_and_cost() -> None:
    found = shown({"ann": 0.9, "=b1": 0.75, "bob": 0.6}, cost=0.25)
    table = list(csv.DictReader(io.StringIO(report_arena.arena_csv(found))))
    assert [row["name"] for row in table] == ["ann", "'=b1", "bob"]
    assert [row["rank_low"] for row in table] == ["1", "2", "3"]
    assert float(table[0]["crowd_skill_mean"]) == found.contenders[0].crowd_skill.mean
    assert [row["cost_a_question"] for row in table] == ["", "", ""]
    assert report_arena.arena_csv(shown({"ann": 0.9, "b1": 0.6}, cost=0.25)).count(",0.25,") == 1


def test_equals_cannot_be_told_apart() -> None:
    found = shown({"ann": 0.8, "b1": 0.8})
    assert "cannot be told apart" in found.sentence
    assert {(one.side.rank_low, one.side.rank_high) for one in found.contenders} == {(1, 2)}


def test_few_shared_questions_give_no_rank() -> None:
    found = report_arena.arena(arena(everyone({"ann": 0.9, "b1": 0.6}, 9), many=9), as_of=NOW)
    assert found is not None
    assert not any(one.ranked for one in found.contenders)
    assert found.sentence == "No ranks yet: no two share 30 questions of 30 families."


def test_ranks_are_among_those_ranked() -> None:
    few = everyone({"bob": 0.8, "b2": 0.7, "api": 0.6}, 5)
    found = report_arena.arena(arena(everyone({"ann": 0.9, "b1": 0.6}) + few), as_of=NOW)
    assert found is not None
    assert [one.ranked for one in found.contenders] == [True, True, False, False, False]
    first, second = (one.side for one in found.contenders if one.ranked)
    assert (first.name, first.rank_low, first.rank_high) == ("ann", 1, 1)
    assert (second.name, second.rank_low, second.rank_high) == ("b1", 2, 2)
    assert found.sentence == "Only ann may be first; chance does not explain the lead."


def test_equals_beside_some_without_a_rank_cannot_be_told_apart() -> None:
    rows = everyone({"ann": 0.8, "b1": 0.8}) + everyone({"bob": 0.9}, 5)
    found = report_arena.arena(arena(rows), as_of=NOW)
    assert found is not None
    ranks = {(one.side.rank_low, one.side.rank_high) for one in found.contenders if one.ranked}
    assert ranks == {(1, 2)}
    assert found.sentence.startswith("The ranks cannot be told apart")


def test_beyond_the_most_those_with_the_most_questions_are_compared(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(report_arena, "MOST", 2)
    rows = everyone({"ann": 0.9, "b1": 0.6}) + everyone({"bob": 0.8}, 5)
    found = report_arena.arena(arena(rows), as_of=NOW)
    assert found is not None
    assert [one.side.name for one in found.contenders] == ["ann", "b1"]
    assert found.left_out == 1


def test_one_alone_has_no_arena() -> None:
    assert report_arena.arena(arena(everyone({"ann": 0.9})), as_of=NOW) is None


def test_the_page_shows_ranks_skill_and_cost(
    furnished: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = shown({"ann": 0.9, "bob": 0.6, "b1": 0.75}, cost=0.25)
    monkeypatch.setattr(report_arena, "arena", lambda *_, **__: made)
    said = words(visit(furnished, "arena"))
    assert "Only ann may be first" in said
    [table] = [one.value for one in furnished.table]
    assert list(table["Rank"]) == ["1", "2", "3"]
    assert list(table["Cost a question"])[1] == "US\\$ 0.25"
    assert list(table["Kind"]) == ["human", "bot", "human"]
    names = [button.label for button in furnished.get("download_button")]
    assert names == ["Table (CSV)", "PDF", "HTML", "CSV", "MD", "JSON"]
    assert not furnished.exception


def test_questions_that_resolved_early_are_told_and_one_press_away(
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


def test_a_small_advantage_over_the_crowd_is_not_shown_as_zero(
    furnished: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = shown({"ann": 0.9, "bob": 0.6, "b1": 0.75})
    skill = replace(made.contenders[0].crowd_skill, mean=0.0412, interval=(0.0123, 0.0701))
    first = replace(made.contenders[0], crowd_skill=skill)
    made = replace(made, contenders=(first, *made.contenders[1:]))
    monkeypatch.setattr(report_arena, "arena", lambda *_, **__: made)
    visit(furnished, "arena")
    [table] = [one.value for one in furnished.table]
    assert table["Against the crowd"][0] == "+0.0412"
    assert table["95% interval"][0] == "+0.0123 to +0.0701"


@pytest.mark.parametrize(
    ("of", "hint"),
    [("Members", "two members"), ("Models", "their model"), ("Kinds", "token create")],
)
def test_an_empty_arena_says_how_it_starts(app: AppTest, of: str, hint: str) -> None:
    said = words(visit(app, "arena", of=of))
    assert hint in said
    assert not app.exception


def test_the_page_of_a_question_lets_its_reader_choose_the_crowd(
    furnished: AppTest, engine: Engine
) -> None:
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
    choice.set_value("bots").run()
    assert "the median of bots" in words(furnished)
    assert not furnished.exception
