"""The sentences of a comparison say what the numbers beside them say."""

from __future__ import annotations

import re
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
import pytest

import scoring
from forecasts.documents.numbers import signed
from forecasts.reports.comparison.build import pair_of
from forecasts.reports.comparison.comparison import Pair
from forecasts.reports.selection import ALL
from forecasts.reports.verdict import often, survives

pytestmark = pytest.mark.slow

FIGURES = re.compile(r"[+−]?\d\.\d{3}")
NAMES = ("Ants", "Bees", "Cats")


def pairs(rng: np.random.Generator) -> tuple[Pair, ...]:
    """Return the pairs of three sides on random questions, some alike and some not."""
    n = int(rng.integers(25, 70))
    opened = pd.Timestamp("2026-01-01", tz="UTC") + pd.to_timedelta(rng.integers(0, 600, n), "D")
    days = pd.to_timedelta(rng.integers(10, 90, n), "D")
    number = np.arange(n)
    questions = pd.DataFrame(
        {"question_id": number, "open_time": opened, "scheduled_close_time": opened + days}
    )
    skill = rng.choice([0.0, 0.0, 0.02, 0.06], 3)
    scores = np.clip(0.2 + skill + rng.normal(0, 0.05, (n, 3)), 0, 1)
    table = pd.concat(
        pd.DataFrame({"a": NAMES[a], "b": NAMES[b], "question_id": number, "difference": away})
        for a, b in combinations(range(3), 2)
        for away in [scores[:, a] - scores[:, b]]
    )
    members = {name: [name] for name in NAMES}
    found = scoring.compare(table.reset_index(drop=True), members, questions=questions)
    many = sum(pair.comparable for pair in found.pairs)
    nothing: dict[str, Any] = dict.fromkeys(("dominant", "imputed", "watched", "watched_by_family"))
    return tuple(pair_of(pair, ALL, many, murphy=(), **nothing) for pair in found.pairs)


@pytest.mark.parametrize(
    "of_a_thousand", [0, *(pytest.param(n, marks=pytest.mark.long) for n in range(1, 4))]
)
def test_no_sentence_contradicts_the_numbers_beside_it(of_a_thousand: int) -> None:
    rng = np.random.default_rng(of_a_thousand)
    claims = alike = silent = 0
    for _ in range(84):  # of three pairs each
        for pair in pairs(rng):
            said = pair.sentence
            if not pair.comparable:
                silent += 1
                assert "are not comparable: too few to tell" in said
                continue
            figures = FIGURES.findall(said)
            shown = [signed(value) for value in (pair.difference, *pair.interval)]
            if pair.better is None:
                alike += 1
                assert f"{pair.a} and {pair.b} show no clear difference" in said
                assert figures[:3] == shown
                assert pair.p_adjusted >= 0.05
                continue
            claims += 1
            worse = pair.b if pair.better == pair.a else pair.a
            assert said.startswith(f"{pair.better} did better than {worse} on ")
            assert (pair.difference < 0) == (pair.better == pair.a)
            assert figures[:3] == shown
            assert f"chance alone would do this in {often(pair.p_adjusted)} such" in said
            assert survives(pair.tipping) in said
            assert ("A test by time, over" in said) == (pair.periods is not None)
    assert min(claims, alike, silent) > 5
