"""Points of each update."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings

from scoring import InputError, Protocol, attribution, score
from tests.examples import examples
from tests.scoring.slow_reference import frames
from tests.scoring.strategies import Ledger, ledgers
from tests.scoring.ten_days import START, by_ana, question


@pytest.mark.slow
@settings(max_examples=examples(24))
@given(ledgers())
def test_the_points_add_up_to_the_scheduled_average(ledger: Ledger) -> None:
    protocol, both = Protocol("whole", "brier", "scheduled_average"), frames(ledger)
    earned = attribution(*both, protocol)
    opening = (earned["score"] * earned["remaining"]).where(earned["points"].isna(), 0.0)
    key = ["question_id", "forecaster"]
    total = earned.assign(total=opening - earned["points"].fillna(0)).groupby(key)["total"].sum()
    found = score(*both, protocol).set_index(key)["score"]
    assert total.to_dict() == pytest.approx(found.to_dict(), rel=0, abs=1e-12)
    parts = earned["promised"] + earned["surprise"]
    np.testing.assert_allclose(parts, earned["points"], rtol=0, atol=1e-12)


def test_the_time_left_ends_at_the_early_close() -> None:
    early = question(actual_close_time=START + pd.Timedelta(days=6))
    assert attribution(early, by_ana((0, 0.5), (4, 0.8)))["remaining"].tolist() == [0.6, 0.2]


def test_the_time_left_ends_at_a_withdrawal_and_starts_again_with_a_return() -> None:
    earned = attribution(question(), by_ana((0, 0.5), (2, 0.6), (5, None), (8, 0.9), (9, 0.8)))
    np.testing.assert_allclose(earned["remaining"], [0.5, 0.3, 0.2, 0.1])
    assert earned["points"].isna().tolist() == [True, False, True, False]
    assert earned["forecast"].tolist() == [0, 1, 3, 4]


def test_an_update_that_never_stood_earned_nothing() -> None:
    rows = by_ana((-2, 0.1), (-1, 0.5), (3, 0.2), (3, 0.7), (12, 0.9))
    assert attribution(question(), rows)["forecast"].tolist() == [1, 3]


def test_options_are_attributed_over_the_whole_vector() -> None:
    asked = question(type="multiple_choice", options='["a", "b", "Other"]', resolution="b")
    last = attribution(asked, by_ana((0, [0.4, None, 0.6]), (5, [0.2, 0.7, 0.1]))).iloc[1]
    before, after = (0.16 + 0.16) / 2, (0.04 + 0.09 + 0.01) / 2
    assert last["points"] == pytest.approx((before - after) / 2)
    # The missing option is scored by "Other": the move is from (0.4, 0.6, 0) to (0.2, 0.7, 0.1).
    assert last["promised"] == pytest.approx((0.04 + 0.01 + 0.01) / 2 / 2)


def test_a_rule_that_is_not_quadratic_has_points_but_no_promise() -> None:
    last = attribution(question(), by_ana((0, 0.5), (5, 1.0)), "log").iloc[1]
    assert last["points"] == pytest.approx(np.log(2) / 2)
    assert np.isnan(last["promised"])


def test_an_unresolved_question_has_no_rows() -> None:
    assert attribution(question(resolution=None), by_ana((0, 0.5))).empty
    assert attribution(question(), by_ana((0, 0.5)), "crps").empty
    found = attribution(pd.DataFrame(), pd.DataFrame())
    assert list(found)[:3] == ["question_id", "forecaster", "forecast"]


def test_a_protocol_that_compares_with_others_is_refused() -> None:
    with pytest.raises(InputError, match="without a reference"):
        attribution(question(), by_ana((0, 0.5)), "skill")
