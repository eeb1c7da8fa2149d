"""By what claims are weighed: the live time that is described, and the fixed time of the tests."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from forecasts.reports import member_scores
from forecasts.reports.groups import group_entries
from forecasts.scores.frames import Frames
from tests.reports.small_ledgers import asked, day, joined, ledger, made, random_ledger


def claims(frames: Frames, by: str = "forecaster") -> pd.DataFrame:
    who = group_entries(frames, by=by)  # type: ignore[arg-type]
    return member_scores.claims(
        frames.questions, member_scores.live_segments(frames.questions, who), who
    )


def without_withdrawals(seed: int) -> Frames:
    frames = random_ledger(seed)
    said = frames.forecasts
    kept = said["probability"].notna() | said["probabilities"].notna()
    return replace(frames, forecasts=said[kept].reset_index(drop=True))


@pytest.mark.parametrize("seed", range(5))
def test_where_nothing_closes_early_and_nobody_withdraws_both_weights_agree(seed: int) -> None:
    found = claims(without_withdrawals(seed))
    assert len(found) > 50
    np.testing.assert_allclose(found["fixed"], found["weight"], rtol=1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_all_members_share_a_question_in_tests_and_those_who_forecast_it_in_what_is_described(
    seed: int,
) -> None:
    found = claims(without_withdrawals(seed), "tag")
    first = found[found["option"] == 0]
    fixed, weight = (first.groupby("question")[name].sum() for name in ("fixed", "weight"))
    there = (fixed / weight * 5).round(9)
    assert set(there) <= {1.0, 2.0, 3.0, 4.0, 5.0}
    assert there.nunique() > 1


def test_who_came_too_late_does_not_change_what_the_others_weigh() -> None:
    said = [made("q", "ana", 0, 0.4), made("q", "bo", 8, 0.6), made("r", "bo", 0, 0.5)]
    team = [joined("north", "ana"), joined("north", "bo")]
    late = claims(ledger([asked("q", "no"), asked("r", "no")], said, team), "team")
    known = asked("q", "yes", actual_close_time=day(5))
    soon = claims(ledger([known, asked("r", "no")], said, team), "team")
    of_ana = [found[found["p"] == 0.4].iloc[0] for found in (late, soon)]
    assert [row["fixed"] for row in of_ana] == [1 / 2, 1 / 2 * 5 / 10]
    assert [row["weight"] for row in of_ana] == [1 / 2, 1]


def test_a_yes_that_closes_its_question_does_not_change_what_was_said_before_it() -> None:
    said = [made("q", "ana", 2, 0.4), made("q", "ana", 4, 0.6)]
    late = claims(ledger([asked("q", "no")], said))
    soon = claims(ledger([asked("q", "yes", actual_close_time=day(6))], said))
    np.testing.assert_allclose(late["fixed"], [2 / 8, 6 / 8])
    np.testing.assert_allclose(soon["fixed"], [2 / 8, 2 / 8])
    np.testing.assert_allclose(late["weight"], [2 / 8, 6 / 8])
    np.testing.assert_allclose(soon["weight"], [1 / 2, 1 / 2])


def test_a_withdrawal_leaves_its_time_out_and_gives_it_to_nothing_else() -> None:
    said = [made("q", "ana", 0, 0.4), made("q", "ana", 5, None)]
    found = claims(ledger([asked("q", "no")], said))
    assert found["fixed"].tolist() == [0.5]
    assert found["weight"].tolist() == [1.0]


def test_members_share_a_question_and_options_are_half_each_in_both_weights() -> None:
    choice = {"type": "multiple_choice", "options": ["a", "b"], "actual_close_time": day(5)}
    frames = ledger(
        [asked("q", "b", **choice)],
        [made("q", "ana", 0, [0.3, 0.7]), made("q", "bo", 2, [0.5, 0.5])],
        [joined("north", "ana"), joined("north", "bo")],
    )
    found = claims(frames, "team").sort_values(["option", "p"])
    assert found["weight"].tolist() == [0.25] * 4
    np.testing.assert_allclose(found["fixed"], [5 / 40, 3 / 32, 3 / 32, 5 / 40])


def test_at_a_lead_what_stood_then_has_the_whole_of_both_weights() -> None:
    said = [made("q", "ana", 0, 0.4), made("q", "ana", 5, 0.8)]
    frames = ledger([asked("q", "yes", actual_close_time=day(9))], said)
    live = member_scores.live_segments(frames.questions, group_entries(frames, by="forecaster"))
    at = member_scores.at_lead(live, 7)
    assert at[["p", "weight", "fixed"]].to_numpy().tolist() == [[0.4, 1.0, 1.0]]
