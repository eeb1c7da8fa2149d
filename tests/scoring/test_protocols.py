"""Scores equal those of a reference that loops over every forecaster and every moment.

Those of the named protocols, and of any combination of rule, timing, reference and scale.
"""

from __future__ import annotations

import dataclasses
import itertools
import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scoring import PROTOCOLS, InputError, Protocol, input_frames, score
from scoring.arrays import Floats
from scoring.peer_scores import REFERENCES, ScoredPaths
from scoring.rules import RULES, Rule
from scoring.timings import TIMINGS, Timed
from tests.examples import examples
from tests.scoring import slow_reference
from tests.scoring.slow_reference import frames
from tests.scoring.strategies import TIMES, Ledger, Row, ledgers
from tests.scoring.ten_days import DAY, START, by_ana, question, said

NAMES = sorted(slow_reference.PROTOCOLS)
RULE_NAMES = ["brier", "brier_original", "log", "spherical", "rps", "rps_original", "crps"]
TIMING_NAMES = [
    "live_average", "scheduled_average", "daily", "final", "spot", "lead(2)", "lead(0.25)",
]  # fmt: skip
REFERENCE_NAMES = [None, "uniform", "peers", "crowd_mean", "crowd_median", "perfect_peer",
                   "daily_median"]  # fmt: skip
SCALES = [1.0, 100.0, "100 / ln K", "participation"]
TYPES = ("binary", "multiple_choice", "numeric")
combinations = st.tuples(
    *(st.sampled_from(names) for names in (RULE_NAMES, TIMING_NAMES, REFERENCE_NAMES, SCALES))
)


def assert_same(found: pd.DataFrame, expected: pd.DataFrame) -> None:
    key = ["question_id", "forecaster", "protocol", "updates"]
    assert found[key].values.tolist() == expected[key].values.tolist()
    for column in ("score", "coverage"):
        values = (each[column].to_numpy(float) for each in (found, expected))
        np.testing.assert_allclose(*values, rtol=1e-9, atol=1e-9)


def assert_as_slowly(ledger: Ledger, choices: dict[str, Any]) -> None:
    """Score by protocols that have a name, or by parts that are given one."""
    protocols = [Protocol(name, *parts) if parts else name for name, parts in choices.items()]
    slowly = [slow_reference.score(*ledger, name, choices[name]) for name in sorted(choices)]
    assert_same(score(*frames(ledger), protocols), pd.concat(slowly, ignore_index=True))


@pytest.mark.slow
@settings(max_examples=examples(45))
@given(ledgers(types=TYPES))
def test_every_protocol_equals_the_slow_reference(ledger: Ledger) -> None:
    assert_as_slowly(ledger, dict.fromkeys(NAMES))


@pytest.mark.slow
@settings(max_examples=examples(20))
@given(ledgers(types=("binary", "multiple_choice"), zero=True))
def test_an_infinite_score_stays_infinite_and_two_cancel_to_none(ledger: Ledger) -> None:
    names = ["log", "metaculus_baseline", "metaculus_peer", "metaculus_spot_peer"]
    assert_as_slowly(ledger, dict.fromkeys(names))


def test_every_named_protocol_and_part_is_compared_with_the_reference() -> None:
    assert set(PROTOCOLS) <= set(NAMES)
    assert set(RULE_NAMES) == set(RULES)
    assert set(TIMING_NAMES) >= set(TIMINGS)
    assert {name for name in REFERENCE_NAMES if name} == set(REFERENCES)


@pytest.mark.slow
@settings(max_examples=examples(100))  # each pair of parts comes about four times in 50
@given(ledgers(types=TYPES, rows=25), st.lists(combinations, min_size=4, max_size=4))
def test_every_combination_equals_the_slow_reference(ledger: Ledger, choices: list[Any]) -> None:
    vectors = [row["p"] for row in ledger[1] if isinstance(row["p"], list)]
    mine = {}
    for number, choice in enumerate(choices):
        if choice[2] == "crowd_mean":
            # The mean of forecasts over different options has no defined order.
            orderless = choice[0] == "rps" and any(q is None for p in vectors for q in p)
            if RULES[choice[0]].deviation is None or orderless:
                continue
        mine[f"mine {number}"] = choice
    if mine:
        assert_as_slowly(ledger, mine)


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


PEERS = Protocol("peers", "brier", "scheduled_average", "peers")


@settings(max_examples=examples(24))
@given(ledgers())
def test_the_peers_advantages_of_a_question_sum_to_zero(ledger: Ledger) -> None:
    total = score(*frames(ledger), PEERS).groupby("question_id")["score"].sum()
    np.testing.assert_allclose(total, 0, atol=1e-12)


@pytest.mark.slow
@settings(max_examples=examples(10))
@given(ledgers(types=TYPES), st.integers(-20_000, 20_000))
def test_moving_everything_by_whole_days_changes_nothing(ledger: Ledger, days: int) -> None:
    # Whole days, because the daily protocols count calendar days.
    by = days * slow_reference.DAY
    asked = [q | {name: q[name] + by for name in TIMES} for q in ledger[0]]
    moved = asked, [row | {"time": row["time"] + by} for row in ledger[1]]
    found = (score(*frames(each), list(PROTOCOLS)) for each in (ledger, moved))
    pd.testing.assert_frame_equal(*found, check_exact=True)


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
def test_a_question_of_a_minute_beside_one_of_centuries_loses_no_digits() -> None:
    year = 31_557_600_000_000
    parts = [
        many(500 * year, 40, 1, "a"), many(60_000_000, 5, 2, "b"), many(500 * year, 40, 3, "c"),
    ]  # fmt: skip
    asked = [question for question, _ in parts]
    made = [row for _, rows in parts for row in rows]
    # Includes a forecaster live for two microseconds of five centuries.
    timings, references = ("live_average", "scheduled_average"), REFERENCE_NAMES[2:5]
    every = itertools.product(["brier"], timings, references, [100.0])
    assert_as_slowly((asked, made), {f"mine {number}": parts for number, parts in enumerate(every)})


def test_a_rule_timing_or_reference_is_one_function(monkeypatch: pytest.MonkeyPatch) -> None:
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
    for expected, parts in (
        (0.35, ("distance", "live_average")),
        (0.36, ("brier", "first")),
        (0.4, ("distance", "first", "certainty")),
    ):
        found = score(question(), by_ana((0, 0.4), (5, 0.9)), Protocol("mine", *parts))
        assert found["score"].item() == pytest.approx(expected)


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


def by_name(found: pd.DataFrame, column: str = "score") -> dict[str, float]:
    return {
        who: pytest.approx(value, abs=1e-12)
        for who, value in zip(found["forecaster"], found[column], strict=True)
    }


def test_live_time_weighs_the_scores_and_coverage_is_of_the_scheduled_time() -> None:
    rows = said(("ana", 1, 0.4), ("ana", 3, 0.8), ("ana", 5, None))
    found = score(question(actual_close_time=START + 8 * DAY), rows)
    assert by_name(found) == {"ana": (0.36 * 2 + 0.04 * 2) / 4}
    assert by_name(found, "coverage") == {"ana": 0.4}
    assert found["updates"].tolist() == [2]


def test_the_final_forecast_is_the_one_live_just_before_the_actual_close() -> None:
    rows = said(("ana", 1, 0.4), ("ana", 8, 0.9), ("ben", 2, 0.7), ("ben", 7, None))
    found = score(question(actual_close_time=START + 8 * DAY), rows, "brier_final")
    assert by_name(found) == {"ana": 0.36}


def test_the_lead_is_counted_from_the_scheduled_close() -> None:
    rows = said(("ana", 1, 0.4), ("ana", 3, 0.8), ("ben", 4, 0.7))
    assert by_name(score(question(), rows, "brier_lead(7)")) == {"ana": 0.04}
    assert by_name(score(question(), rows, "brier_lead(7.5)")) == {"ana": 0.36}
    assert by_name(score(question(), rows, "brier_lead(6)")) == {"ana": 0.04, "ben": 0.09}
    for days in ("30", "0.000001", "3650000"):
        assert len(score(question(), rows, f"brier_lead({days})")) == 2 * (days == "0.000001")
    early = question(actual_close_time=START + 3 * DAY)
    assert score(early, rows, "brier_lead(7)").empty
    assert by_name(score(early, rows, "brier_lead(7.5)")) == {"ana": 0.36}


@pytest.mark.parametrize(
    ("spot", "close", "scores"),
    [
        (2, 10, {"ana": 0.36}),
        (3, 10, {"ana": 0.04}),
        *((day, 10, {"bo": 0.04}) for day in (0, -1, -9)),  # read at the opening
        *((day, 6, {"ana": 0.04, "bo": 0.04}) for day in (6, 9, 20)),  # just before the close
    ],
)
def test_the_spot_score_is_read_at_the_spot_time_within_the_questions_life(
    spot: int, close: int, scores: dict[str, float]
) -> None:
    rows = said(("ana", 1, 0.4), ("ana", 3, 0.8), ("ana", 6, 0.1), ("bo", -2, 0.8))
    asked = question(spot_time=START + spot * DAY, actual_close_time=START + close * DAY)
    found = score(asked, rows, Protocol("spot", "brier", "spot"))
    assert by_name(found) == scores | {"bo": 0.04}
    assert (found["coverage"] == 1).all()


def test_the_last_forecast_that_stood_on_a_day_has_the_whole_day() -> None:
    rows = said(("ana", 0.9, 0.5), ("ana", 1.1, 0.9), ("ana", 1.2, None), ("ben", 3, 0.6))
    early = question(actual_close_time=START + 4 * DAY)
    found = score(early, rows, "gjo_brier")
    # Ana: day one 0.5, day two 0.9 although withdrawn, then none. Ben: the fourth day only.
    assert by_name(found) == {"ana": (0.5 + 0.02) / 2, "ben": 0.32}
    assert by_name(found, "coverage") == {"ana": 0.5, "ben": 0.25}


def test_the_median_of_a_day_is_over_everyone_and_only_days_with_anyone_count() -> None:
    rows = said(("ana", 1, 0.5), ("ben", 2, 1.0), ("ben", 3, None))
    found = score(question(scheduled_close_time=START + 4 * DAY), rows, "gjo_accuracy")
    # Days two to four have a forecast: medians 0.5, (0.5 + 0) / 2, (0.5 or, with ben gone, 0.5).
    median = (0.5 + 0.25 + 0.5) / 3
    assert by_name(found) == {"ana": (0.5 - median) * 3 / 4, "ben": (0 - median) * 1 / 4}


def test_time_without_anybody_else_counts_nothing_but_is_covered() -> None:
    rows = said(("ana", 0, 0.8), ("ben", 5, 0.6))
    for protocol in ("skill", "crowd_skill", "crowd_median"):
        found = score(question(), rows, protocol)
        advantage = 100 * (0.16 - 0.04) / 2
        assert by_name(found) == {"ana": advantage, "ben": -advantage}
        assert by_name(found, "coverage") == {"ana": 1, "ben": 0.5}


def test_the_peer_score_is_the_log_of_the_ratio_to_the_geometric_mean() -> None:
    chances = np.array([0.2, 0.5, 0.9])
    rows = said(*[(who, 0, p) for who, p in zip("abc", chances, strict=True)])
    geometric = np.exp(np.log(chances).mean())
    expected = 100 * 3 / 2 * np.log(chances / geometric)
    assert score(question(), rows, "metaculus_peer")["score"].tolist() == pytest.approx(expected)


def test_calling_the_outcome_impossible_loses_without_bound() -> None:
    rows = said(("ana", 0, 0.0), ("ben", 0, 0.5))
    assert score(question(), rows, "metaculus_peer")["score"].tolist() == [-np.inf, np.inf]
    both = said(("ana", 0, 0.0), ("ben", 0, 0.0))
    assert np.isnan(score(question(), both, "metaculus_peer")["score"]).all()
    alone = said(("ana", 0, 0.0), ("ben", 2, 0.5), ("ana", 2, 0.5))
    assert score(question(), alone, "metaculus_peer")["score"].tolist() == [0.0, 0.0]


def test_several_protocols_are_sorted_by_name() -> None:
    found = score(question(), said(("ben", 0, 0.5), ("ana", 0, 0.5)), ["log", "brier"])
    assert found["protocol"].tolist() == ["brier", "brier", "log", "log"]
    assert found["forecaster"].tolist() == ["ana", "ben", "ana", "ben"]


@pytest.mark.parametrize("name", ["Brier", "brier_lead", "brier_lead(-1)", "brier_lead(x)", ""])
def test_an_unknown_protocol_is_refused(name: str) -> None:
    with pytest.raises(InputError, match="must be one of"):
        score(question(), said(("ana", 0, 0.5)), name)


@pytest.mark.parametrize("days", ["0", "0.0000009", "3650001", "999999999999999", "9" * 400])
def test_a_lead_that_no_calendar_holds_is_refused(days: str) -> None:
    with pytest.raises(InputError, match=f"lead.{days}.' — a lead must be 0.000001 to 3,650,000"):
        score(question(), said(("ana", 0, 0.5)), f"brier_lead({days})")


def test_a_perfect_log_score_is_not_below_zero() -> None:
    found = score(question(), said(("ana", 0, 1.0)), ["log", "log_lead(2)"])
    assert found["score"].tolist() == [0.0, 0.0]
    assert not np.signbit(found["score"]).any()


@pytest.mark.slow
def test_questions_in_batches_score_as_they_do_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(input_frames, "BATCH_ROWS", 3000)
    random, n, asked = np.random.default_rng(8), 20_000, 60
    ids = {"question_id": random.integers(0, asked, n), "forecaster": random.integers(0, 40, n)}
    frame = pd.DataFrame(ids | {"probability": random.random(n).round(3)})
    frame["made_at"] = START + pd.to_timedelta(random.integers(0, 864_000_000_000, n), unit="us")
    questions = pd.concat([question(question_id=number) for number in reversed(range(asked))])
    names = ["brier", "skill", "crowd_median", "gjo_accuracy"]
    together = score(questions, frame, names)
    ordered = frame.sort_values(["question_id", "forecaster", "made_at"], kind="stable")
    pd.testing.assert_frame_equal(score(questions, ordered, names), together, rtol=0, atol=1e-10)
    for number in (0, 30, 59):
        own, rows = (each[each["question_id"] == number] for each in (questions, frame))
        same = together[together["question_id"] == number].reset_index(drop=True)
        pd.testing.assert_frame_equal(score(own, rows, names), same, rtol=0, atol=1e-10)
