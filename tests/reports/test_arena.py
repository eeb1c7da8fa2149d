"""The arena: ranks of people, bots and models on shared questions."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest

from forecasts.reports import arena as report_arena
from forecasts.reports.own_scores import WINDOW
from tests.reports.small_ledgers import NOW
from tests.reports.test_kinds import arena, everyone

pytestmark = pytest.mark.slow


def of_rows(rows: list[Any], many: int = 40, cost: float | None = None) -> report_arena.Arena:
    frames = arena(rows, many=many)
    is_bot = frames.forecasts["forecaster"] == "b1"
    frames.models["cost"] = frames.models["cost"].where(~is_bot, cost).astype(float)
    return report_arena.arena(frames, as_of=NOW)


def shown(said: dict[str, float], cost: float | None = None) -> report_arena.Arena:
    return of_rows(everyone(said), cost=cost)


def test_the_best_comes_first_with_its_rank_kind_and_cost_as_in_the_saved_table() -> None:
    found = shown({"ann": 0.9, "bob": 0.6, "b1": 0.75}, cost=0.25)
    first, bot, last = found.contenders
    ranks = [(one.side.name, one.side.rank_low, one.side.rank_high) for one in found.contenders]
    assert ranks == [("ann", 1, 1), ("b1", 2, 2), ("bob", 3, 3)]
    assert (bot.kind, bot.owner, bot.cost, first.cost) == ("bot", "ann", 0.25, None)
    assert first.crowd_skill.mean > 0 > last.crowd_skill.mean
    assert found.sentence == "ann is first, by more than luck explains."
    assert [one.medal for one in found.contenders] == [1, 2, None]  # none for the last
    table = list(csv.DictReader(io.StringIO(report_arena.arena_csv(found))))
    shown_ = [(row["name"], row["rank_low"], row["cost_a_question"]) for row in table]
    assert shown_ == [("ann", "1", ""), ("b1", "2", "0.25"), ("bob", "3", "")]
    assert float(table[0]["crowd_skill_mean"]) == first.crowd_skill.mean


def test_few_shared_questions_give_no_rank() -> None:
    found = of_rows(everyone({"ann": 0.9, "b1": 0.6}, 9), many=9)
    assert not any(one.ranked for one in found.contenders)
    assert not any(one.path for one in found.contenders)
    assert found.sentence == "Too early for ranks: no two share 30 questions of 30 families yet."


def test_ranks_are_among_those_ranked() -> None:
    few = everyone({"bob": 0.8, "b2": 0.7, "api": 0.6}, 5)
    found = of_rows(everyone({"ann": 0.9, "b1": 0.6}) + few)
    assert [one.ranked for one in found.contenders] == [True, True, False, False, False]
    first, second = (one.side for one in found.contenders if one.ranked)
    assert (first.name, first.rank_low, first.rank_high) == ("ann", 1, 1)
    assert (second.name, second.rank_low, second.rank_high) == ("b1", 2, 2)
    assert [one.medal for one in found.contenders] == [1, None, None, None, None]
    assert found.sentence == "ann is first, by more than luck explains."


def test_equals_beside_some_without_a_rank_cannot_be_told_apart() -> None:
    rows = everyone({"ann": 0.8, "b1": 0.8}) + everyone({"bob": 0.9}, 5)
    found = of_rows(rows)
    ranks = {(one.side.rank_low, one.side.rank_high) for one in found.contenders if one.ranked}
    assert ranks == {(1, 2)}
    assert not any(one.medal for one in found.contenders)
    assert found.sentence.startswith("Too early to say who is better")


def test_the_path_is_the_running_mean_against_the_crowd_by_scheduled_close() -> None:
    halves = everyone({"ann": 0.9, "b1": 0.6}, 20)
    halves += everyone({"ann": 0.6, "b1": 0.9})[40:]  # better at first, worse later
    ann, bot = sorted(of_rows(halves).contenders, key=lambda one: one.side.name)
    assert len(ann.path) == 40 - WINDOW // 2 + 1
    assert ann.path[0] == pytest.approx(ann.path[10])
    assert ann.path[0] > 0 > ann.path[-1]
    assert ann.path == pytest.approx([-mean for mean in bot.path])
    assert ann.path[-1] + ann.path[10] == pytest.approx(2 * ann.crowd_skill.mean)


def test_those_with_the_most_questions_are_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report_arena, "MOST", 2)
    rows = everyone({"ann": 0.9, "b1": 0.6}) + everyone({"bob": 0.8}, 5)
    found = of_rows(rows)
    assert [one.side.name for one in found.contenders] == ["ann", "b1"]
    assert found.left_out == 1


def test_one_alone_has_no_arena() -> None:
    assert report_arena.arena(arena(everyone({"ann": 0.9})), as_of=NOW) is None
