"""What to do about a record: only what is beyond chance, and in numbers."""

from __future__ import annotations

from dataclasses import replace

import pytest

from forecasts.reports.advice import NOTHING, advice
from forecasts.reports.report import Certainty, Group, Skill, Verdict
from tests.reports.small_ledgers import random_report


@pytest.fixture(scope="module")
def calibrated() -> Group:
    """A calibrated record with nothing else found."""
    group = random_report(4, questions=60, choices=False).groups[0]
    calibrated = replace(group.verdict, kind="calibrated")
    nothing = {"movement": None, "crowd_skill": None, "certainty": Certainty(0, 0)}
    return replace(group, verdict=calibrated, **nothing)


def faulty(
    group: Group, kind: str, said: float | None, happened: float | None, rest: str | None = None
) -> Group:
    """Return a record with that verdict and its figures."""
    return replace(group, verdict=Verdict(kind, "", said=said, happened=happened, rest=rest))


def test_a_record_without_a_fault_is_told_the_reason_and_never_to_stay_as_it_is(
    calibrated: Group,
) -> None:
    sample = replace(calibrated.tested, questions=25, families=21)
    few = replace(calibrated, verdict=Verdict("too_few", ""), tested=sample)
    assert advice(few) == ["Nothing yet: a verdict needs 9 more questions."]
    assert advice(calibrated) == [NOTHING]


@pytest.mark.parametrize(
    ("kind", "said", "happened", "advised"),
    [
        ("overconfident", 0.972, 0.891, "Be less sure: instead of 97%, say closer to 89%."),
        ("overconfident", 0.75, 0.4, "Be less sure: instead of 75%, say closer to 50%."),
        ("overconfident", None, None, "Be less sure."),
        ("underconfident", 0.7, 0.9, "Be more confident: instead of 70%, say closer to 90%."),
        ("too_high", 0.66, 0.25, "Forecast lower: by about 41 points on average."),
        ("too_high", 0.0101, 0.0098, "Forecast lower: by less than 0.1 points on average."),
        ("too_low", 0.011, 0.025, "Forecast higher: by about 1.4 points on average."),
    ],
)
def test_the_numbers_to_move_are_those_of_the_verdict(
    calibrated: Group, kind: str, said: float | None, happened: float | None, advised: str
) -> None:
    assert advice(faulty(calibrated, kind, said, happened)) == [advised]


def test_a_failed_certainty_moves_no_forecast_if_the_rest_is_calibrated(calibrated: Group) -> None:
    failed = faulty(calibrated, "overconfident", None, None, rest="calibrated")
    failed = replace(failed, certainty=Certainty(3, 1))
    assert advice(failed) == ["Never forecast exactly 0% or 100%. Of 3 such questions, 1 failed."]
    both = replace(failed, verdict=replace(failed.verdict, rest="underconfident"))
    assert advice(both)[0] == "Be more confident."


@pytest.mark.slow
def test_reactions_failed_certainty_and_a_better_crowd_have_advice(calibrated: Group) -> None:
    moved = random_report(4).groups[0].movement
    worse = Skill(-3.0, (-5.0, -1.0), 40)
    over = replace(moved, kind="over_reacting")
    found = replace(calibrated, movement=over, certainty=Certainty(5, 2), crowd_skill=worse)
    assert advice(found) == [
        "Make smaller updates: part of each move is later taken back.",
        "Never forecast exactly 0% or 100%. Of 5 such questions, 2 failed.",
        "Check the crowd’s forecast before you save yours: it has scored better.",
    ]
    level = replace(calibrated, crowd_skill=replace(worse, interval=(-5.0, 1.0)))
    assert advice(level) == [NOTHING]
