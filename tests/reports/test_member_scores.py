"""The live segments of a record and their weights."""

from __future__ import annotations

import numpy as np
import pandas as pd

from forecasts.folder.frames import Frames
from forecasts.reports import member_scores
from forecasts.reports.groups import group_entries
from forecasts.reports.staleness import unrevised
from tests.reports.small_ledgers import asked, day, joined, ledger, made, path, random_ledger


def stood(frames: Frames, by: str = "forecaster") -> pd.DataFrame:
    """Return the live segments, each with its share of the group's time on the question."""
    who = group_entries(frames, by=by)
    live = member_scores.live_segments(frames.questions, who)
    return live.assign(weight=live["weight"] * unrevised(live, who)["weight"])


def test_a_question_has_a_weight_of_one() -> None:
    frames = random_ledger(3, choices=False)
    found = stood(frames, "team")
    group = group_entries(frames, by="team").group.to_numpy()[found["forecaster"]]
    by_question = found.assign(team=group).groupby("question")
    np.testing.assert_allclose(by_question["weight"].sum(), by_question["team"].nunique())


def test_latecomers_share_no_weight() -> None:
    said = [made("q", "ana", 0, 0.4), made("q", "bo", 8, 0.6), made("r", "bo", 0, 0.5)]
    team = [joined("north", "ana"), joined("north", "bo")]
    late = stood(ledger([asked("q", "no"), asked("r", "no")], said, team), "team")
    known = asked("q", "yes", actual_close_time=day(5))
    soon = stood(ledger([known, asked("r", "no")], said, team), "team")
    of_ana = [found[found["p"] == 0.4].iloc[0] for found in (late, soon)]
    assert [row["weight"] for row in of_ana] == [1 / 2, 1]


def test_each_forecast_has_its_share_of_the_time_until_the_close() -> None:
    said = path("q", "ana", (2, 0.4), (4, 0.6))
    late = asked("q", "no"), [2 / 8, 6 / 8]
    soon = asked("q", "yes", actual_close_time=day(6)), [1 / 2, 1 / 2]
    for question, weights in (late, soon):
        np.testing.assert_allclose(stood(ledger([question], said))["weight"], weights)


def test_a_withdrawal_leaves_its_time_out() -> None:
    found = stood(ledger([asked("q", "no")], path("q", "ana", (0, 0.4), (5, None))))
    assert found["weight"].tolist() == [1.0]


def test_an_option_added_later_counts_as_the_last_one_if_it_is_the_outcome() -> None:
    choice = {"type": "multiple_choice", "options": ["a", "new", "other"]}
    frames = ledger([asked("q", "new", **choice)], [made("q", "ana", 0, [0.3, None, 0.7])])
    p, y, _ = member_scores.option_columns(frames.questions, stood(frames))
    np.testing.assert_array_equal(p, [[0.3, np.nan, 0.7]])
    assert y.tolist() == [[0.0, 0.0, 1.0]]


def test_at_a_lead_the_forecast_current_then_has_the_whole_weight() -> None:
    said = path("q", "ana", (0, 0.4), (5, 0.8))
    frames = ledger([asked("q", "yes", actual_close_time=day(9))], said)
    live = member_scores.live_segments(frames.questions, group_entries(frames, by="forecaster"))
    at = member_scores.at_lead(live, 7)
    assert at[["p", "weight"]].to_numpy().tolist() == [[0.4, 1.0]]
