"""Crowd forecasts."""

from __future__ import annotations

import math
from operator import itemgetter
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scoring import InputError, crowd
from tests.examples import examples
from tests.scoring.slow_reference import at, frames, live_segments, stamp
from tests.scoring.strategies import Ledger, Row, ledgers
from tests.scoring.ten_days import DAY, START, question, said

METHODS = ["mean", "median", "recency_weighted", "geometric_odds", "extremized"]


def weighted_median(values: list[float], weights: list[float]) -> float:
    """Walks up the sorted values until half of the weight is passed."""
    total, so_far = math.fsum(weights), 0.0
    pairs = sorted(zip(values, weights, strict=True))
    for i, (value, weight) in enumerate(pairs):
        so_far += weight
        if abs(so_far - total / 2) < 1e-12 * total:
            return (value + pairs[i + 1][0]) / 2
        if so_far > total / 2:
            return value
    raise AssertionError


def aggregate(method: str, said: list[list[float | None]]) -> list[float]:
    """The crowd's vector, given forecasts in the order made."""
    n = len(said)
    recency = [1.0 if n <= 2 else math.exp(math.sqrt(i) - math.sqrt(n)) for i in range(1, n + 1)]
    result = []
    for k in range(len(said[0])):
        there = [(p[k], w) for p, w in zip(said, recency, strict=True) if p[k] is not None]
        if not there:
            result.append(math.nan)
            continue
        values = [p for p, _ in there]
        if method == "mean":
            result.append(sum(values) / len(values))
        elif method == "median":
            result.append(weighted_median(values, [1.0] * len(values)))
        elif method == "recency_weighted":
            result.append(weighted_median(values, [w for _, w in there]))
        else:
            power, m = 1.0, len(values)
            if method == "extremized":
                power = m * (math.sqrt(3 * m * m - 3 * m + 1) - 2) / (m * m - m - 1)
            if 1.0 in values:
                result.append(1.0)
                continue
            odds = math.prod((p / (1 - p)) ** (power / m) for p in values)
            result.append(odds / (1 + odds))
    whole = sum(p for p in result if not math.isnan(p))
    return [p / whole for p in result]


POOLS = st.dictionaries(st.sampled_from("abcde"), st.sampled_from(["x", "y", *"abcde"]))


@pytest.mark.slow
@settings(max_examples=examples(30))
@given(ledgers(), st.lists(st.integers(-10, 120), min_size=0, max_size=4), POOLS)
def test_every_method_equals_the_slow_reference_also_with_pools(
    ledger: Ledger, hours: list[int], pools: dict[str, str]
) -> None:
    asked, made = ledger
    times = [asked[0]["open"] + hour * 3_600_000_000 for hour in hours]
    rows, standing = [], []
    for q in asked:
        if q["close"] > q["open"]:
            for moment in sorted(set(times)) or [q["close"] - 1]:
                if live := pooled_at(q, made, moment, pools):
                    shown = stamp(moment if times else q["close"])
                    rows.append([q["question_id"], shown, len(live)])
                    standing.append((q["type"] == "binary", live))
    both = frames(ledger)
    for method in METHODS:
        found = crowd(*both, method, [stamp(time) for time in times] or None, pools)
        assert found[["question_id", "at", "forecasters"]].values.tolist() == rows
        for i, (binary, live) in enumerate(standing):
            vector = aggregate(method, live)
            own = found.loc[i, ["p"] if binary else [f"p{k}" for k in range(len(vector))]]
            wanted = vector[1:] if binary else vector
            np.testing.assert_allclose(own.astype(float), wanted, rtol=1e-9, atol=1e-12)


def pooled_at(q: Row, made: list[Row], moment: int, pools: dict[str, str]) -> list[Any]:
    """The standing forecasts as vectors, those of a pool as their mean, in the order made."""
    rows = [row for row in made if row["question_id"] == q["question_id"]]
    standing = []
    for who in sorted({row["forecaster"] for row in rows}):
        own = [row for row in rows if row["forecaster"] == who]
        if at(live_segments(q, own), moment) is not None:
            # Of two rows at one instant the later one.
            last = sorted((row for row in own if row["time"] <= moment), key=itemgetter("time"))[-1]
            standing.append((last["time"], who, last["p"]))
    units: dict[Any, list[Any]] = {}
    for place, (_, who, p) in enumerate(sorted(standing, key=lambda item: item[:2])):
        key = ("pool", pools[who]) if who in pools else ("alone", who)
        vector = [1 - p, p] if q["type"] == "binary" else p
        units.setdefault(key, []).append((place, vector))
    means = []
    for own in units.values():
        known = [[v[k] for _, v in own if v[k] is not None] for k in range(len(own[0][1]))]
        mean = [sum(p) / len(p) if p else None for p in known]
        whole = sum(p for p in mean if p is not None)
        means.append((own[-1][0], [None if p is None else p / whole for p in mean]))
    return [mean for _, mean in sorted(means, key=lambda item: item[0])]


def forecasts(*said_: Any) -> pd.DataFrame:
    """Return one forecast a day, each of another forecaster."""
    return said(*((f"f{day}", day, p) for day, p in enumerate(said_)))


def p(method: str, *chances: float, **pools: str) -> float:
    return float(crowd(question(), forecasts(*chances), method, pools=pools or None)["p"].iloc[0])


def options(method: str, *vectors: list[float | None]) -> list[float]:
    names = [f"o{k}" for k in range(len(vectors[0]))]
    asked = question(type="multiple_choice", options=names, resolution="")
    found = crowd(asked, forecasts(*vectors), method)
    return [float(found[f"p{k}"].iloc[0]) for k in range(len(names))]


def test_a_pool_counts_as_made_when_its_last_forecast_was() -> None:
    # Of four, the last weighs e^0, the first e^(1 − 2): together more than half. The pool at 10%
    # has the greatest weight, so the median is the next forecast; as the first it would be 60%.
    chances = (0.05, 0.2, 0.6, 0.7, 0.15)
    assert p("recency_weighted", *chances, f0="pool", f4="pool") == pytest.approx(0.2)
    assert p("recency_weighted", 0.1, *chances[1:4]) == pytest.approx(0.6)


def test_the_odds_of_each_option_are_against_all_the_others() -> None:
    # √(1/4 · 1) : 1, √(1 · 1/4) : 1 and √(3/7 · 3/7) : 1 are 1/3, 1/3 and 3/10, which sum to 29/30.
    found = options("geometric_odds", [0.2, 0.5, 0.3], [0.5, 0.2, 0.3])
    assert found == pytest.approx([10 / 29, 10 / 29, 9 / 29])


def test_an_option_that_one_forecaster_alone_names_is_not_extremized() -> None:
    # Two forecasts of 4 : 1, to the power 2 (√7 − 2); 0.1 is a single forecast.
    odds = 4 ** (2 * (math.sqrt(7) - 2))
    found = options("extremized", [0.8, 0.1, 0.1], [0.8, None, 0.2])
    assert found[0] / found[1] == pytest.approx(odds / (1 + odds) / 0.1)


def test_options_that_no_two_hold_possible_have_no_odds() -> None:
    assert np.isnan(options("geometric_odds", [0.5, 0.5, 0.0], [0.0, 0.0, 1.0])).all()
    assert options("extremized", [0.5, 0.5, 0.0], [0.0, 0.5, 0.5]) == [0.0, 1.0, 0.0]


def test_certainty_on_both_sides_has_no_odds() -> None:
    assert math.isnan(p("geometric_odds", 0.0, 1.0))
    assert p("geometric_odds", 0.0, 0.5) == 0.0


def test_nobody_live_makes_no_crowd() -> None:
    for day in (-1, 10):
        assert crowd(question(), forecasts(0.5), at=START + day * DAY).empty
    assert crowd(pd.DataFrame(), pd.DataFrame()).empty


@pytest.mark.parametrize("method", METHODS)
def test_the_order_of_the_rows_does_not_matter(method: str) -> None:
    # Six at one instant; the last has most weight.
    rows = forecasts(0.1, 0.2, 0.3, 0.6, 0.7, 0.8).assign(made_at=START)
    found = (crowd(question(), each, method) for each in (rows, rows.iloc[[3, 1, 5, 0, 4, 2]]))
    pd.testing.assert_frame_equal(*found, check_exact=True)


def test_several_times_give_the_crowds_path() -> None:
    times = ["2026-01-01T12:00:00Z", "2026-01-02T12:00:00Z", "2026-01-03T12:00:00Z"]
    found = crowd(question(), forecasts(0.2, 0.4, 0.9), "mean", at=times[::-1])
    assert found["p"].tolist() == pytest.approx([0.2, 0.3, 0.5])
    assert found["forecasters"].tolist() == [1, 2, 3]
    assert found["at"].tolist() == [pd.Timestamp(time) for time in times]


def test_a_naive_time_and_an_unknown_method_are_refused() -> None:
    with pytest.raises(InputError, match="offset"):
        crowd(question(), forecasts(0.5), at="2026-01-02T00:00:00")
    with pytest.raises(InputError, match="must be one of mean"):
        crowd(question(), forecasts(0.5), "loudest")
