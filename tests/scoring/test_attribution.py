"""Points of each update."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from scoring import InputError, attribution
from tests.scoring.ten_days import START, by_ana, question


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
    rows = by_ana((0, None), (5, None)).drop(columns="probability")
    rows["probabilities"] = ["[0.4, null, 0.6]", "[0.2, 0.7, 0.1]"]
    last = attribution(asked, rows).iloc[1]
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
