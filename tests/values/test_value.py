"""Values: their rules and format."""

import contextlib
import math

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import scoring
from forecasts.common.errors import Refused
from forecasts.values.value import (
    Value,
    check_value,
    format_change,
    format_leaders,
    format_probability,
    format_value,
    stated_certainty,
)
from tests.conftest import day
from tests.values.questions import PRICE, standing


@given(st.floats(0, 1))
def test_only_certainty_is_shown_as_0_or_100_per_cent(p: float) -> None:
    shown = format_probability(p)
    if 1e-12 < p < 1 - 1e-12:
        assert shown not in ("0%", "100%")
        assert math.isclose(float(shown.removesuffix("%")) / 100, p, rel_tol=0.06)


def test_certainty_is_found_wherever_it_is_stated() -> None:
    assert stated_certainty(Value(probability=0.0)) == 0
    assert stated_certainty(Value(probabilities=(None, 1.0, 0.0))) == 1
    assert stated_certainty(Value(probability=0.001)) is None
    assert stated_certainty(Value(quantiles={"1.0": 3.0})) is None


@pytest.mark.slow
@given(
    st.dictionaries(
        st.one_of(st.floats(0, 1).map(repr), st.sampled_from(["below", "above"])),
        st.floats(0, 200),
        max_size=4,
    )
)
def test_accepted_quantiles_can_be_scored(quantiles: dict[str, float]) -> None:
    quantiles = {
        level: figure / 200 if level in ("below", "above") else figure
        for level, figure in quantiles.items()
    }
    with contextlib.suppress(Refused):
        check_value(Value(quantiles=quantiles), PRICE)
        question = {"question_id": "q", "type": "numeric", "lower_bound": "0", "upper_bound": "200"}
        question |= {"open_time": day(0), "scheduled_close_time": day(1), "resolution": "145"}
        forecast = {"question_id": "q", "forecaster": "ana", "made_at": day(0)}
        forecast["quantiles"] = quantiles
        assert len(scoring.score(pd.DataFrame([question]), pd.DataFrame([forecast]), "crps")) == 1


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        (None, 0.71, "71%"), (0.4, 0.71, "40% → 71%"), (0.71, 0.71, "still 71%"),
        # Looks the same when rounded, but is a change.
        (0.7101, 0.7102, "71% → 71%"),
    ],
)  # fmt: skip
def test_a_change_is_said_from_before_to_after(
    before: float | None, after: float, words: str
) -> None:
    current = None if before is None else standing(probability=before)
    assert format_change(current, Value(probability=after)) == words


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["a", "Other"], "a 70%, Other 30%"), (["a", "b", "c", "Other"], "a 70%, Other 30%"),
        (None, "option 1 70%, option 2 30%"),
    ],
)  # fmt: skip
def test_options_added_later_leave_the_earlier_ones_their_names(
    options: list[str] | None, said: str
) -> None:
    assert format_value(Value(probabilities=(0.7, 0.3)), options) == said


@pytest.mark.parametrize(
    ("vector", "options", "aligned"),
    [
        ((0.7, 0.3), ["a", "Other"], (0.7, 0.3)),
        ((0.7, 0.3), ["a", "b", "c", "Other"], (0.7, None, None, 0.3)),
        ((0.7, None, 0.3), ["a", "b", "c", "Other"], (0.7, None, None, 0.3)),
        ((0.7, 0.3), None, (0.7, 0.3)), (None, ["a", "Other"], None),
    ],
)  # fmt: skip
def test_a_vector_is_aligned_with_options_added_later(
    vector: tuple[float | None, ...] | None,
    options: list[str] | None,
    aligned: tuple[float | None, ...] | None,
) -> None:
    assert Value(probabilities=vector).over(options).probabilities == aligned


@pytest.mark.parametrize(
    ("quantiles", "said"),
    [
        ({"0.1": 60}, "10th percentile: 60"),
        ({"0.025": 3, "0.5": 8.5, "0.91": 20}, "2.5th percentile: 3, 50th: 8.5, 91st: 20"),
        ({"0.5": "2027-03-01"}, "50th percentile: 2027-03-01"),
        ({"below": 0.05, "0.22": 3, "above": 0.1},
         "22nd percentile: 3, below the range: 5%, above the range: 10%"),
        ({"0.11": 1, "0.13": 2}, "11th percentile: 1, 13th: 2"),
    ],
)  # fmt: skip
def test_quantiles_are_named_as_percentiles(quantiles: dict[str, float | str], said: str) -> None:
    assert format_value(Value(quantiles=quantiles)) == said


def test_leaders_come_first_and_the_impossible_is_left_out() -> None:
    value, options = Value(probabilities=(0.2, 0.5, 0.0, 0.2, 0.1)), ["A", "B", "C", "D", "Other"]
    assert format_leaders(value, options) == "B 50%, A 20%, D 20%, Other 10%"
    assert format_leaders(value, options, 2) == "B 50%, A 20%, …"
    assert format_leaders(value, options, 4) == "B 50%, A 20%, D 20%, Other 10%"
    assert format_leaders(value) == format_value(value)
    assert format_leaders(Value(0.3), None, 1) == "30%"


def test_of_many_quantiles_the_nearest_to_five_are_shown() -> None:
    given = {repr(n / 200 + 0.001): 1000 + n / 3 for n in range(200)}
    assert format_value(Value(quantiles=given)) == (
        "5.1th percentile: 1003.33, 25.1th: 1016.67, 50.1th: 1033.33, 75.1th: 1050, 95.1th: 1063.33"
    )
    assert format_value(Value(quantiles={"0.5": 0.123456})) == "50th percentile: 0.1235"
