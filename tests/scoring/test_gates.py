"""Error rates of reports, measured on simulated tournaments; the page in docs/ has the results.

``make test-long`` simulates 200 tournaments in a world for each bound, and fails if chance would
explain the excess only once in a thousand times. ``pytest -m nightly`` simulates 5,000 in every
world and allows no excess.
"""

from __future__ import annotations

import math
from dataclasses import replace
from functools import partial

import pandas as pd
import pytest
from scipy import stats

import scoring
from benchmarks import measures, simulate
from benchmarks.worlds import TEAMS, USUAL, claims, repeat
from forecasts.reports import member_scores
from scoring.tournament import Team

pytestmark = pytest.mark.simulation

MEASURES = simulate.all_measures()
# These cover every bound; 200 tournaments would add little in the other worlds.
ORDINARY = ("30 families", "60 families", "teams 0.02 apart", simulate.PEOPLE, simulate.SKILLS)


@pytest.mark.long
@pytest.mark.parametrize("name", ORDINARY)
def test_what_is_promised_holds_in_two_hundred_tournaments(name: str) -> None:
    gates = simulate.gates_of(name, simulate.run(MEASURES[name], 200))
    assert gates
    assert [each for each in gates if not each.may_hold] == []


@pytest.mark.nightly
@pytest.mark.parametrize("name", MEASURES)
def test_what_is_promised_holds_in_all_tournaments_of_the_page(name: str) -> None:
    gates = simulate.gates_of(name, simulate.run(MEASURES[name], simulate.REPLICATES, processes=2))
    assert [each for each in gates if not each.holds] == []


def test_a_yes_that_closes_its_question_biases_live_time_and_not_scheduled_time() -> None:
    kind = "a yes closes every question, 40 updates"
    found = simulate.run(partial(measures.weights, kind), 60)
    error = found.std() / math.sqrt(len(found))
    assert found["live bias"].mean() > 0.08
    assert found["live rejects"].mean() > 0.5
    assert abs(found["scheduled bias"].mean()) < simulate.BEYOND_CHANCE * error["scheduled bias"]


def test_the_gates_judge_by_the_weights_that_a_report_gives(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    many = repeat(USUAL, seed=1, times=2)
    given = member_scores.claims
    monkeypatch.setattr(member_scores, "claims", lambda *made: given(*made).assign(fixed=0.25))
    assert set(claims(many, TEAMS[0].label).weight) == {0.25}


# --- careless methods are detected ---------------------------------------------------------------


def test_updates_taken_as_questions_break_the_promise() -> None:
    many = repeat(USUAL, seed=1, times=60)
    errs = [
        measures.wrong(scoring.recalibration(c.p, c.y, c.weight).p_value)
        for c in claims(many, TEAMS[0].label).each(60)
    ]
    each = simulate.gate("updates as questions", "60 families", simulate.BOUND, errs)
    assert each.measured > 0.3
    assert not each.may_hold


def test_linked_questions_taken_as_strangers_break_the_promise() -> None:
    linked = next(world for world in simulate.WORLDS if world.name == "linked")
    # One team is enough: no other is tested.
    many = repeat(replace(linked.settings, teams=TEAMS[:1]), seed=1, times=200)
    errs = [
        measures.wrong(scoring.calibration_in_the_large(c.p, c.y, c.weight, c.question).p_value)
        for c in claims(many, TEAMS[0].label).each(200)
    ]
    assert not simulate.gate("no families", "linked", simulate.BOUND, errs).may_hold


def test_comparing_through_a_third_team_breaks_the_promise() -> None:
    """Heron and Wren are equally good; the worse Tern meets one of them on open questions only."""
    teams = (Team("Heron", 4, skill=0.9), Team("Tern", 4, skill=0.1), Team("Wren", 4, skill=0.9))
    many = repeat(replace(USUAL, teams=teams, questions=300, families=300), seed=3, times=60)
    table = scoring.paired(many.questions, many.forecasts, many.teams)
    said = many.forecasts.groupby("question_id")["probability"].first()
    undecided = ((said - 0.5).abs() < 0.25)[table["question_id"]].to_numpy()
    repetition = many.questions["repetition"].to_numpy()[table["question_id"]]
    errs = []
    for number in range(many.times):
        rows, open_ones = table[repetition == number], undecided[repetition == number]
        met_heron = (rows["a"] == teams[0].label) & (rows["b"] == teams[1].label)
        with_heron = rows.loc[met_heron & open_ones, "difference"]
        with_wren = rows.loc[(rows["a"] == teams[1].label) & ~open_ones, "difference"]
        through = stats.ttest_ind(with_heron, -with_wren, equal_var=False)
        errs.append(measures.wrong(through.pvalue))
    each = simulate.gate("through a third", "300 families", simulate.BOUND, errs)
    assert not each.may_hold


# --- gates and the page -------------------------------------------------------------------------


def test_a_gate_is_the_share_of_errors_where_there_was_something_to_err_in() -> None:
    each = simulate.gate("claim", "world", 0.3, [0.0, 1.0, math.nan, 0.0, 0.0])
    assert each.measured == 0.25
    assert each.holds
    assert simulate.gate("claim", "world", 0.2, [0.0, 1.0, 0.0, 0.0]).may_hold
    assert not simulate.gate("claim", "world", 0.2, [1.0, 1.0, 0.0] * 100).may_hold


@pytest.mark.long
def test_the_same_is_measured_whoever_shares_the_work() -> None:
    measure = MEASURES["independent"]
    one, two = (simulate.run(measure, 30, processes) for processes in (1, 2))
    pd.testing.assert_frame_equal(one, two)
    assert len(one) == 30


def test_the_page_shows_every_promise_and_which_is_not_kept() -> None:
    world = next(world for world in simulate.WORLDS if not world.band)
    rows = simulate.run(partial(measures.equal, world), 20)
    rows["movement"] = 1.0
    kind = next(iter(measures.EARLY))
    early = {kind: simulate.run(partial(measures.weights, kind), 20)}
    page = simulate.page({world.name: rows}, early)
    assert "simulated 20 tournaments" in page
    assert "| movement | 6% | **100.0%** |" in page
    assert world.hard in page
    assert kind in page


def test_the_page_in_the_documentation_has_every_promise() -> None:
    written = simulate.PAGE.read_text(encoding="utf-8")
    assert f"simulated {simulate.REPLICATES:,} tournaments" in written
    for claim in (*simulate.SIZES.values(), *(world.name for world in simulate.WORLDS)):
        assert claim in written
