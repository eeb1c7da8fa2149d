"""Forecasters' paths and the crowd's, as drawn in the chart."""

from __future__ import annotations

from datetime import datetime
from math import nan
from random import Random
from statistics import median

import pandas as pd
import pytest
from sqlmodel import Session

from forecasts.access.members import member_or_new
from forecasts.ledger.models import Member, Question, Stance
from forecasts.questions import registry
from forecasts.questions.revisions import revise
from forecasts.scores.paths import Paths, option_paths, paths
from forecasts.updates import updates
from forecasts.updates.evidence import CitedEvidence
from forecasts.values.value import Value
from tests.conftest import ask, day, imported, resolve, say


def drawn(session: Session, question: Question, at: float, option: int = 0) -> Paths:
    text = registry.newest_wording(session, question)
    return paths(session, question, text, now=day(at), option=option)


def test_a_line_ends_at_the_withdrawal_and_the_crowd_at_the_last_one(
    session: Session, question: Question, alice: Member, bob: Member
) -> None:
    say(session, question, alice, 0.3, 1)
    say(session, question, bob, 0.5, 2)
    updates.withdraw(session, question, member=alice, now=day(3))
    updates.withdraw(session, question, member=bob, now=day(4))
    say(session, question, alice, 0.8, 6)
    seen = drawn(session, question, 8)
    columns = ["forecaster", "stretch", "time", "value", "forecast"]
    assert seen.steps[columns].to_numpy().tolist() == [
        ["alice", 1, day(1), 0.3, "30%"],
        ["bob", 1, day(2), 0.5, "50%"],
        ["alice", 1, day(3), 0.3, "withdrawn"],
        ["bob", 1, day(4), 0.5, "withdrawn"],
        ["alice", 2, day(6), 0.8, "80%"],
        ["alice", 2, day(8), 0.8, "80%"],
    ]
    assert seen.crowd[["stretch", "time", "value", "live"]].to_numpy().tolist() == [
        [1, day(1), 0.3, 1],
        [1, day(2), 0.4, 2],
        [1, day(3), 0.5, 1],
        [1, day(4), 0.5, 0],
        [2, day(6), 0.8, 1],
        [2, day(8), 0.8, 1],
    ]


def test_evidence_is_marked_where_it_came_in(
    session: Session, question: Question, alice: Member
) -> None:
    url = "https://example.org/sky"
    sky = CitedEvidence(note="Clouds", publisher="The Sky", url=url, stance=Stance.supports)
    more = {"evidence": [sky], "rationale": "They are dark"}
    updates.update(session, question, Value(probability=0.3), member=alice, now=day(1), **more)
    [mark] = drawn(session, question, 4).marks.to_dict("records")
    shown = [mark[name] for name in ("evidence", "stance", "url", "reason")]
    assert shown == ["Clouds · The Sky", "supports", url, "They are dark"]


def test_a_crowds_quartiles_are_medians(session: Session, alice: Member, bob: Member) -> None:
    depth = ask(session, alice, type="numeric", lower_bound="0", upper_bound="32")
    quartiles = Value(quantiles={"0.25": 4.0, "0.5": 6.0, "0.75": 8.0})
    updates.update(session, depth, quartiles, member=alice, now=day(1))
    # One quantile: between it and the bounds all values are equally likely, as in scoring.
    updates.update(session, depth, Value(quantiles={"0.5": 16.0}), member=bob, now=day(2))
    seen = drawn(session, depth, 3)
    assert seen.steps[["forecaster", "low", "value", "high"]].to_numpy().tolist() == [
        ["alice", 4, 6, 8],
        ["bob", 8, 16, 24],
        ["alice", 4, 6, 8],
        ["bob", 8, 16, 24],
    ]
    crowd = seen.crowd[["low", "value", "high"]].to_numpy().tolist()
    assert crowd == [[4, 6, 8], [6, 11, 16], [6, 11, 16]]


def test_every_option_has_its_paths(session: Session, alice: Member, bob: Member) -> None:
    port = ask(session, alice, type="multiple_choice", options=["A", "B"])
    for member, first in ((alice, 0.6), (bob, 0.8)):
        value = Value(probabilities=(first, 1 - first))
        updates.update(session, port, value, member=member, now=day(1))
    every = option_paths(session, port, registry.newest_wording(session, port), now=day(2))
    assert [one.crowd["value"].iloc[-1] for one in every] == pytest.approx([0.7, 0.3])
    for option, one in enumerate(every):
        pd.testing.assert_frame_equal(one.steps, drawn(session, port, 2, option).steps)


def test_a_median_day_is_a_time(session: Session, alice: Member) -> None:
    end = ask(session, alice, type="date", lower_bound="2027-01-01", upper_bound="2027-12-31")
    updates.update(session, end, Value(quantiles={"0.5": "2027-03-01"}), member=alice, now=day(1))
    assert drawn(session, end, 2).steps["value"].iloc[0].isoformat() == "2027-03-01T00:00:00+00:00"


def test_without_forecasts_there_is_nothing_to_draw(session: Session, question: Question) -> None:
    seen = drawn(session, question, 4)
    assert (len(seen.steps), len(seen.crowd), len(seen.marks)) == (0, 0, 0)


def test_an_option_added_later_begins_then(session: Session, alice: Member, bob: Member) -> None:
    port = ask(session, alice, type="multiple_choice", options=["Busan", "Other"])
    updates.update(session, port, Value(probabilities=(0.6, 0.4)), member=alice, now=day(1))
    revise(session, port, member=alice, now=day(2), reason="x", options=["Busan", "Ulsan", "Other"])
    updates.update(session, port, Value(probabilities=(0.5, 0.2, 0.3)), member=bob, now=day(3))
    by_option = [drawn(session, port, 4, option).steps for option in range(3)]
    values = [list(steps["value"]) for steps in by_option]
    assert values == [[0.6, 0.5, 0.6, 0.5], [0.2, 0.2], [0.4, 0.3, 0.4, 0.3]]


def value_at(frame: pd.DataFrame, at: datetime) -> float | None:
    """Return the stretches' value at a moment; None if none covers it."""
    seen = [
        stretch.loc[stretch["time"] <= at, "value"].iloc[-1]
        for _, stretch in frame.groupby("stretch")
        if stretch["time"].iloc[0] <= at < stretch["time"].iloc[-1]
    ]
    assert len(seen) <= 1
    return seen[0] if seen else None


def test_the_crowds_line_is_the_median_of_the_others(session: Session, question: Question) -> None:
    random = Random(1)
    members = {name: member_or_new(session, name, now=day(0)) for name in "abcd"}
    standing: dict[str, float] = {}
    expected = []
    for number in range(50):
        name, p = random.choice("abcd"), random.choice([0.0, 0.1, 0.5, 0.9, None, None])
        at = 1 + number / 100
        if p is not None:
            imported(session, question, members[name], at, p)
            standing[name] = p
        elif standing.pop(name, None) is not None:
            imported(session, question, members[name], at, None)
        expected.append((day(at + 0.005), dict(standing)))
    assert any(not stood for _, stood in expected)
    seen = drawn(session, question, 5)
    for moment, stood in expected:
        crowd = value_at(seen.crowd, moment)
        assert crowd == (pytest.approx(median(stood.values())) if stood else None)
        for name in "abcd":
            line = seen.steps[seen.steps["forecaster"] == name]
            assert value_at(line, moment) == stood.get(name)


def test_a_mark_has_its_part_of_its_updates_points(
    session: Session, question: Question, alice: Member
) -> None:
    clouds, wind = CitedEvidence(note="clouds", share=0.75), CitedEvidence(note="wind")
    for p, at, cited in ((0.4, 0, [CitedEvidence(note="first")]), (0.8, 5, [clouds, wind])):
        value = Value(probability=p)
        updates.update(session, question, value, member=alice, now=day(at), evidence=cited)
    resolve(session, question, alice, known=10, at=11)
    text = registry.newest_wording(session, question)
    marks = paths(session, question, text, now=day(12), scored=True).marks
    # From (1 - 0.4)² to (1 - 0.8)² for half of the time; a first forecast replaces nothing.
    whole = (0.36 - 0.04) / 2
    assert marks["points"].tolist() == pytest.approx([nan, 0.75 * whole, 0.25 * whole], nan_ok=True)
    assert paths(session, question, text, now=day(12)).marks["points"].isna().all()
