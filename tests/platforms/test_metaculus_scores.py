"""Scores of an imported export against those that the platform printed in score_data.csv.

The printed scores of these files are computed here, slowly, from the platform's published rules:
at each change of anyone's forecast, over everyone's forecasts at that time.
"""

from __future__ import annotations

import csv
import io
import itertools
import math
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

import scoring
from tests.platforms.metaculus_files import (
    account,
    export,
    forecast,
    question,
    read,
)

SCORE_HEADER = ["Question ID", "User ID", "User Username", "Score Type", "Score", "Coverage"]
START = datetime(2026, 1, 1, tzinfo=UTC)
PEOPLE = ["ann", "bob", "cleo", "dan", "eve"]
OPTIONS = ["a", "b", "c", "Other"]
ADDED = 60.0  # hours after the opening, when option b was added


class Made(NamedTuple):
    """A forecast: probabilities of the outcomes, NaN for one that there was not, and its times."""

    who: str
    start: float
    end: float | None
    pmf: list[float]


class Case(NamedTuple):
    """A question: its number, hours until its scheduled and actual close, outcome and forecasts."""

    number: int
    scheduled: float
    closed: float
    outcome: int
    forecasts: list[Made]


def cases(count: int = 12) -> list[Case]:
    """Return questions with late joiners, withdrawals, gaps, early closes and an added option."""
    random = np.random.default_rng(20)
    found = []
    for number in range(1, count + 1):
        options = 2 if number % 3 else 4
        scheduled = float(random.integers(80, 200))
        closed = scheduled if number % 2 else scheduled * random.uniform(0.5, 0.9)
        forecasts: list[Made] = []
        for who in PEOPLE[: 2 + number % 4]:
            at = random.uniform(-5, 0.6 * closed) if who != "ann" else -2.0
            while at < closed:
                end: float | None = at + random.exponential(40)
                pmf = random.dirichlet(np.full(options, 2.0))
                if options == 4 and at < ADDED:
                    pmf[1] = np.nan
                    pmf /= np.nansum(pmf)
                last = random.random() < 0.3
                withdraws = last and random.random() < 0.5
                gap = random.uniform(1, 9) if not last and random.random() < 0.3 else 0.0
                kept = None if last and not withdraws else end
                forecasts.append(Made(who, round(at, 4), kept and round(kept, 4), pmf.tolist()))
                if last:
                    break
                assert end is not None
                at = round(end, 4) + gap
        outcome = int(random.integers(options))
        found.append(Case(number, scheduled, closed, outcome, forecasts))
    return found


def at_outcome(made: Made, outcome: int) -> tuple[float, int]:
    """Return the probability of the outcome, and the number of options at the time."""
    there = [p for p in made.pmf if not math.isnan(p)]
    p = made.pmf[outcome]
    return (made.pmf[-1] if math.isnan(p) else p), len(there)


def reference(case: Case) -> dict[tuple[str, str], tuple[float, float]]:
    """Return (score, coverage) by person and score, an interval at a time."""
    edges = {0.0, case.closed}
    for one in case.forecasts:
        edges |= {t for t in (one.start, one.end) if t is not None and 0 < t < case.closed}
    times = sorted(edges)
    totals: dict[tuple[str, str], list[float]] = {}
    for since, until in itertools.pairwise(times):
        live = {
            one.who: one
            for one in case.forecasts
            if one.start <= since and (one.end is None or one.end > since)
        }
        share = (until - since) / case.scheduled
        logs = {who: math.log(at_outcome(one, case.outcome)[0]) for who, one in live.items()}
        mean = sum(logs.values()) / len(logs) if logs else 0.0
        for who, one in live.items():
            p, options = at_outcome(one, case.outcome)
            baseline = 100 * math.log(p * options) / math.log(options)
            many = len(live)
            peer = 100 * many / (many - 1) * (logs[who] - mean) if many > 1 else 0.0
            for name, score in (("peer", peer), ("baseline", baseline)):
                total = totals.setdefault((who, name), [0.0, 0.0])
                total[0] += share * score
                total[1] += share
    return {key: (score, coverage) for key, (score, coverage) in totals.items()}


def stamp(hours: float | None) -> str:
    return "" if hours is None else str(START + timedelta(hours=hours))


def files(tmp_path: Path, some: Sequence[Case]) -> Path:
    """Write the cases as an export with the reference's scores."""
    asked, rows, scores = [], [], io.StringIO()
    writer = csv.writer(scores)
    writer.writerow(SCORE_HEADER)
    for case in some:
        binary = len(case.forecasts[0].pmf) == 2
        cells: dict[str, Any] = {
            "Question Type": "binary" if binary else "multiple_choice",
            "MC Options (All)": "" if binary else repr(OPTIONS),
            "Resolution": (["no", "yes"] if binary else OPTIONS)[case.outcome],
            "Post ID": case.number,
            "Open Time": stamp(0),
            "Scheduled Close Time": stamp(case.scheduled),
            "Actual Close Time": stamp(case.closed),
            "Resolution Known Time": stamp(case.closed),
        }
        asked.append(question(case.number, **cells))
        for made in case.forecasts:
            vector = [None if math.isnan(p) else p for p in made.pmf]
            column = "Probability Yes" if binary else "Probability Yes Per Category"
            times = {"Start Time": stamp(made.start), "End Time": stamp(made.end)}
            value = {column: vector[1] if binary else repr(vector)}
            rows.append(forecast(case.number, made.who, **times, **value))
        for (who, name), (score, coverage) in reference(case).items():
            writer.writerow([case.number, account(who), who, name, score, coverage])
    return export(tmp_path, asked, rows, score_data=scores.getvalue())


@pytest.mark.parametrize("name", ["peer", "baseline"])
def test_an_imported_export_scores_as_the_platform_printed(tmp_path: Path, name: str) -> None:
    record = read(files(tmp_path, cases()))
    printed = record.printed.query("name == @name")
    found = scoring.score(record.frames.questions, record.frames.forecasts, f"metaculus_{name}")
    both = printed.merge(found, on=["question_id", "forecaster"], suffixes=("_printed", ""))
    assert len(both) == len(found) == len(printed) > 35
    assert (both["score"] - both["score_printed"]).abs().max() < 1e-6
    assert (both["coverage"] - both["coverage_printed"]).abs().max() < 1e-8
