"""Any combination of rule, timing, reference and scale, and adding new ones."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from scoring import InputError, Protocol, score
from scoring.arrays import Floats
from scoring.peer_scores import REFERENCES, ScoredPaths
from scoring.rules import RULES, Rule
from scoring.timings import TIMINGS, Timed
from tests.examples import examples
from tests.scoring import slow_reference
from tests.scoring.strategies import Ledger, Row, ledgers
from tests.scoring.ten_days import by_ana, question

RULE_NAMES = ["brier", "brier_original", "log", "spherical", "rps", "rps_original", "crps"]
TIMING_NAMES = [
    "live_average", "scheduled_average", "daily", "final", "spot", "lead(2)", "lead(0.25)",
]  # fmt: skip
REFERENCE_NAMES = [None, "uniform", "peers", "crowd_mean", "crowd_median", "perfect_peer",
                   "daily_median"]  # fmt: skip
SCALES = [1.0, 100.0, "100 / ln K", "participation"]
TYPES = ("binary", "multiple_choice", "numeric")


def frames(ledger: Ledger) -> tuple[pd.DataFrame, pd.DataFrame]:
    asked, made = ledger
    return slow_reference.question_frame(asked), slow_reference.forecast_frame(asked, made)


def assert_as_slowly(ledger: Ledger, choice: tuple[Any, Any, Any, Any], tolerance: float) -> None:
    rule, timing, reference, scale = choice
    found = score(*frames(ledger), Protocol("mine", rule, timing, reference, scale))
    expected = slow_reference.score(*ledger, "mine", choice)
    key = ["question_id", "forecaster", "updates"]
    assert found[key].values.tolist() == expected[key].values.tolist()
    for column in ("score", "coverage"):
        np.testing.assert_allclose(
            found[column].to_numpy(float), expected[column].to_numpy(float),
            rtol=tolerance, atol=tolerance,
        )  # fmt: skip


@pytest.mark.slow
@settings(max_examples=examples(400))
@given(
    ledgers(types=TYPES, rows=25),
    st.sampled_from(RULE_NAMES),
    st.sampled_from(TIMING_NAMES),
    st.sampled_from(REFERENCE_NAMES),
    st.sampled_from(SCALES),
)
def test_every_combination_equals_the_slow_reference(
    ledger: Ledger, rule: str, timing: str, reference: str | None, scale: Any
) -> None:
    if reference == "crowd_mean":
        assume(RULES[rule].deviation is not None)
        # The mean of forecasts over different options has no defined order.
        vectors = [row["p"] for row in ledger[1] if isinstance(row["p"], list)]
        assume(rule != "rps" or not any(q is None for p in vectors for q in p))
    assert_as_slowly(ledger, (rule, timing, reference, scale), 1e-9)


def test_a_forecast_of_a_single_option_earns_nothing_on_the_scale_of_options() -> None:
    asked: list[Row] = [
        {"question_id": "q", "type": "multiple_choice", "options": ["a", "other"], "ordered": False,
         "open": 0, "scheduled": 1000, "close": 1000, "spot": 0, "outcome": 0}
    ]  # fmt: skip
    made: list[Row] = [
        {"question_id": "q", "forecaster": "ana", "time": 0, "p": [None, 1.0]},
        {"question_id": "q", "forecaster": "ben", "time": 0, "p": [0.5, 0.5]},
    ]
    found = score(*frames((asked, made)), Protocol("mine", "brier", "daily", "peers", "100 / ln K"))
    assert found["score"].tolist() == pytest.approx([0.0, -25 / math.log(2)])


def test_the_combinations_are_all_that_there_is() -> None:
    assert set(RULE_NAMES) == set(RULES)
    assert set(TIMING_NAMES) >= set(TIMINGS)
    assert {name for name in REFERENCE_NAMES if name} == set(REFERENCES)


# --- precision --------------------------------------------------------------------------------


def many(length: int, people: int, seed: int, name: str) -> tuple[Row, list[Row]]:
    """A question of so many microseconds, four rows per forecaster, one live only briefly."""
    random = np.random.default_rng(seed)
    opened = 1_767_225_600_000_000
    question = {
        "question_id": name, "type": "binary", "outcome": 1.0, "open": opened,
        "scheduled": opened + length, "close": opened + length, "spot": opened + length,
    }  # fmt: skip
    rows = [
        {
            "question_id": name,
            "forecaster": f"f{who}",
            "time": opened + int(random.integers(0, length)),
            "p": None if random.random() < 0.2 else float(random.uniform(0.01, 0.99)),
        }
        for who in np.repeat(np.arange(people), 4)
    ]
    moment = opened + length // 3
    for time, p in ((moment, 0.9), (moment + 2, None)):
        rows.append({"question_id": name, "forecaster": "moment", "time": time, "p": p})
    return question, rows


@pytest.mark.slow
@pytest.mark.parametrize("reference", ["peers", "crowd_mean", "crowd_median"])
@pytest.mark.parametrize("timing", ["live_average", "scheduled_average"])
def test_a_question_of_a_minute_beside_one_of_centuries_loses_no_digits(
    timing: str, reference: str
) -> None:
    year = 31_557_600_000_000
    parts = [
        many(500 * year, 40, 1, "a"), many(60_000_000, 5, 2, "b"), many(500 * year, 40, 3, "c"),
    ]  # fmt: skip
    asked = [question for question, _ in parts]
    made = [row for _, rows in parts for row in rows]
    # Includes a forecaster live for two microseconds of five centuries.
    assert_as_slowly((asked, made), ("brier", timing, reference, 100.0), 1e-9)


# --- adding new ones -----------------------------------------------------------------------------


def test_a_rule_a_timing_and_a_reference_are_each_added_by_a_function_and_a_line(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def distance(p: Floats, y: Floats) -> Floats:
        return np.abs(p - y)

    def first(live: Any, questions: Any) -> Timed:
        timed = TIMINGS["live_average"](live, questions)
        keep = np.zeros(len(live.row), dtype=np.bool_)
        keep[live.first] = True
        only = live.only(keep)
        return dataclasses.replace(timed, paths=only, divisor=only.total)

    def certainty(view: ScoredPaths) -> Floats:
        return view.average((1 - view.score) * view.paths.length)

    monkeypatch.setitem(RULES, "distance", Rule(distance))
    monkeypatch.setitem(TIMINGS, "first", first)
    monkeypatch.setitem(REFERENCES, "certainty", certainty)
    questions, made = question(), by_ana((0, 0.4), (5, 0.9))
    assert score(questions, made, Protocol("mine", "distance", "live_average"))[
        "score"
    ].item() == pytest.approx(0.35)
    assert score(questions, made, Protocol("mine", "brier", "first"))[
        "score"
    ].item() == pytest.approx(0.36)
    assert score(questions, made, Protocol("mine", "distance", "first", "certainty"))[
        "score"
    ].item() == pytest.approx(0.4)


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        (("brier", "daily", "everyone"), "must be one of uniform, peers"),
        (("quadratic", "daily", None), "must be one of brier, brier_original"),
        (("brier", "weekly", None), "must be one of live_average"),
        (("brier", "lead()", None), r"or lead\(days\)"),
        (("log", "daily", "crowd_mean"), "quadratic rule"),
        (("brier", "daily", "crowd_mean", 1, "lower is better", "rps_original"), "quadratic rule"),
        (("brier", "daily", None, "double"), "a finite number, 100 / ln K, participation"),
        (("brier", "daily", None, math.nan), "a finite number"),
        (("brier", "daily", None, 1, "higher"), "must be one of lower is better"),
    ],
)
def test_a_protocol_with_an_unknown_part_is_refused(fields: Any, says: str) -> None:
    with pytest.raises(InputError, match=says):
        Protocol("mine", *fields)
