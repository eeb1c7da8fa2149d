"""Staleness in a report: a cost in Brier points, and where a review would have paid."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd
import pytest

from forecasts.folder.frames import Frames
from forecasts.reports import Report, formats
from forecasts.reports.report import Staleness
from tests.reports.small_ledgers import asked, day, joined, ledger, made, once, report

pytestmark = pytest.mark.slow


def of(frames: Frames, **wanted: object) -> Staleness:
    [group] = report(frames, **wanted).groups
    return group.staleness


def events(questions: int, *, closing: bool, seed: int = 2) -> Frames:
    """Return forecasts made once, of events that come at any time, and close their questions."""
    rng = np.random.default_rng(seed)
    asks, said = [], []
    for n in range(questions):
        p = float(rng.choice([0.3, 0.5, 0.7]))
        comes = rng.uniform(0, 10 / p)
        early = {"actual_close_time": day(comes)} if closing and comes < 10 else {}
        asks.append(asked(f"q{n:03}", "yes" if comes < 10 else "no", title=f"Event {n}", **early))
        said.append(made(f"q{n:03}", "ana", 0, p))
    return ledger(asks, said)


@cache
def many(*, closing: bool) -> Report:
    return report(events(300, closing=closing))


def test_forecasts_of_events_that_close_their_questions_grow_too_high() -> None:
    found = many(closing=True).groups[0].staleness
    assert found.kind == "grew_high"
    assert found.drift == pytest.approx(0.9, abs=0.4)
    assert 0 < found.cost.interval[0] < found.cost.mean < found.cost.interval[1]
    assert found.sentence.startswith(
        "Unrevised forecasts grew too high. With hindsight, lowering each as time passed would "
        "have saved 0.0"
    )
    assert found.sentence.endswith("; 300 questions in 300 families).")


def test_no_drift_is_claimed_without_one() -> None:
    found = many(closing=False).groups[0].staleness
    assert found.kind == "none"
    assert found.sentence.startswith("No clear cost of unrevised forecasts: ")


def test_the_sentence_has_the_numbers_beside_it() -> None:
    for seed in range(2):
        found = of(events(40, closing=seed % 2 == 0, seed=seed))
        figures = re.findall(r"−?\d\.\d{3,}", found.sentence)
        shown = [float(each.replace("−", "-")) for each in figures]
        assert shown == pytest.approx([found.cost.mean, *found.cost.interval], abs=0.0005)
        assert (found.kind == "none") == (found.cost.interval[0] <= 0)


def test_below_thirty_questions_the_numbers_come_without_a_claim() -> None:
    found = of(events(20, closing=True))
    assert found.kind == "too_few"
    assert found.sentence == (
        "Too few to tell the cost of unrevised forecasts: 20 questions in 20 families, and it "
        "takes 30 of both."
    )
    assert found.cost.mean is not None


def test_a_drift_without_events_is_chance() -> None:
    found = of(once(["yes"] * 4 + ["no"] * 56, [0.03] * 60))
    assert found.kind == "too_few"
    assert found.sentence.endswith("came in 4 families, and it takes 10.")


def test_a_cost_too_small_to_matter_is_shown_and_not_claimed() -> None:
    asks = [asked(f"q{n:03}", "0.5") for n in range(45)]
    said = [
        made(f"q{n:03}", who, 0, p) for n in range(45) for who, p in (("ana", 0.5), ("bo", 0.6))
    ]
    found = of(ledger(asks, said))
    assert found.cost.interval[0] > 0  # a little, and the same on every question
    assert found.kind == "none"
    assert found.sentence.startswith(
        "No clear cost of unrevised forecasts: on average <0.0001 Brier points (0–1) a question "
        "(95% interval <0.0001 to <0.0001"
    )


def test_old_high_forecasts_of_events_that_never_came_cost_most() -> None:
    most = many(closing=True).groups[0].staleness.most
    points = [row.points for row in most]
    assert len(points) == 5
    assert points == sorted(points, reverse=True)
    for row in most:
        assert (row.forecast, row.days, row.forecaster) == (0.7, 10.0, "ana")
        assert row.title == f"Event {int(row.question[1:])}"


def test_a_review_that_repeats_the_forecast_is_a_review() -> None:
    once = events(100, closing=True)
    again = [made(f"q{n:03}", "ana", at, 0.5) for n in range(100) for at in (3, 6, 9)]
    both = pd.concat([once.forecasts, ledger([], again).forecasts], ignore_index=True)
    assert max(row.days for row in of(replace(once, forecasts=both)).most) <= 3.0


def test_members_of_a_team_share_a_question() -> None:
    alone = events(60, closing=True)
    everyone = [alone.forecasts.assign(forecaster=who) for who in ("ana", "bo")]
    north = ledger([], [], [joined("north", who) for who in ("ana", "bo")]).teams
    twice = replace(alone, forecasts=pd.concat(everyone, ignore_index=True), teams=north)
    one, both = of(alone), of(twice, by="team")
    assert both.cost.mean == pytest.approx(one.cost.mean, abs=0.002)
    assert both.questions == one.questions == 60


def test_options_have_no_direction_in_time_and_a_lead_has_no_staleness() -> None:
    choice = {"type": "multiple_choice", "options": ["a", "b", "c"]}
    frames = ledger([asked("q", "b", **choice)], [made("q", "ana", 0, [0.3, 0.3, 0.4])])
    assert report(frames).groups[0].staleness is None
    assert report(events(1, closing=False), lead=2.0).groups[0].staleness is None


def test_the_sentence_and_the_questions_are_shown() -> None:
    found = many(closing=True)
    stale = found.groups[0].staleness
    text = str(formats.rendered(found, "html"))
    assert "Unrevised forecasts grew too high" in text
    assert stale.most[0].title in text
    [row] = csv.DictReader(io.StringIO(str(formats.rendered(found, "csv"))))
    assert (row["staleness"], float(row["staleness_cost"])) == ("grew_high", stale.cost.mean)
