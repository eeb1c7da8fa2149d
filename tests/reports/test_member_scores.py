"""The claims of a record and their weights."""

from __future__ import annotations

import numpy as np
import pandas as pd

from forecasts.reports import member_scores
from forecasts.reports.groups import group_entries
from forecasts.scores.frames import Frames
from tests.reports.small_ledgers import asked, day, joined, ledger, made, random_ledger


def claims(frames: Frames, by: str = "forecaster") -> pd.DataFrame:
    who = group_entries(frames, by=by)  # type: ignore[arg-type]
    return member_scores.claims(
        frames.questions, member_scores.live_segments(frames.questions, who), who
    )


def test_a_question_has_a_weight_of_one_and_half_that_per_option() -> None:
    found = claims(random_ledger(3), "tag")
    whole = found.groupby("question")["weight"].sum()
    options = random_ledger(3).questions["options"]
    half = [len(given) / 2 if given else 1.0 for given in options[whole.index]]
    np.testing.assert_allclose(whole, half)


def test_members_who_came_too_late_share_no_weight() -> None:
    said = [made("q", "ana", 0, 0.4), made("q", "bo", 8, 0.6), made("r", "bo", 0, 0.5)]
    team = [joined("north", "ana"), joined("north", "bo")]
    late = claims(ledger([asked("q", "no"), asked("r", "no")], said, team), "team")
    known = asked("q", "yes", actual_close_time=day(5))
    soon = claims(ledger([known, asked("r", "no")], said, team), "team")
    of_ana = [found[found["p"] == 0.4].iloc[0] for found in (late, soon)]
    assert [row["weight"] for row in of_ana] == [1 / 2, 1]


def test_each_forecast_has_its_share_of_the_time_until_the_close() -> None:
    said = [made("q", "ana", 2, 0.4), made("q", "ana", 4, 0.6)]
    late = claims(ledger([asked("q", "no")], said))
    soon = claims(ledger([asked("q", "yes", actual_close_time=day(6))], said))
    np.testing.assert_allclose(late["weight"], [2 / 8, 6 / 8])
    np.testing.assert_allclose(soon["weight"], [1 / 2, 1 / 2])


def test_a_withdrawal_leaves_its_time_out() -> None:
    said = [made("q", "ana", 0, 0.4), made("q", "ana", 5, None)]
    found = claims(ledger([asked("q", "no")], said))
    assert found["weight"].tolist() == [1.0]


def test_members_share_a_question_and_options_are_half_each() -> None:
    choice = {"type": "multiple_choice", "options": ["a", "b"], "actual_close_time": day(5)}
    frames = ledger(
        [asked("q", "b", **choice)],
        [made("q", "ana", 0, [0.3, 0.7]), made("q", "bo", 2, [0.5, 0.5])],
        [joined("north", "ana"), joined("north", "bo")],
    )
    found = claims(frames, "team").sort_values("p")
    assert found["p"].tolist() == [0.3, 0.5, 0.5, 0.7]
    assert found["y"].tolist()[::3] == [0.0, 1.0]
    assert found["weight"].tolist() == [0.25] * 4


def test_an_option_added_later_counts_as_the_last_one_if_it_is_the_outcome() -> None:
    choice = {"type": "multiple_choice", "options": ["a", "new", "other"]}
    frames = ledger([asked("q", "new", **choice)], [made("q", "ana", 0, [0.3, None, 0.7])])
    found = claims(frames)
    assert found[["p", "y"]].to_numpy().tolist() == [[0.3, 0.0], [0.7, 1.0]]


def test_at_a_lead_the_forecast_current_then_has_the_whole_weight() -> None:
    said = [made("q", "ana", 0, 0.4), made("q", "ana", 5, 0.8)]
    frames = ledger([asked("q", "yes", actual_close_time=day(9))], said)
    live = member_scores.live_segments(frames.questions, group_entries(frames, by="forecaster"))
    at = member_scores.at_lead(live, 7)
    assert at[["p", "weight"]].to_numpy().tolist() == [[0.4, 1.0]]
