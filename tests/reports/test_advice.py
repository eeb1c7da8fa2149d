"""What to do about a record: only what is beyond chance, and in numbers."""

from __future__ import annotations

from dataclasses import replace

import pytest

from forecasts.reports.advice import advice
from forecasts.reports.report import Bin, Certainty, Group, Recalibration, Skill
from tests.reports.small_ledgers import random_report


@pytest.fixture(scope="module")
def calibrated() -> Group:
    """A calibrated record with nothing else found."""
    group = random_report(4, questions=60, choices=False).groups[0]
    calibrated = replace(group.verdict, kind="calibrated")
    nothing = {"movement": None, "crowd_skill": None, "certainty": Certainty(0, 0)}
    return replace(group, verdict=calibrated, **nothing)


def faulty(
    group: Group, kind: str, slope: float, bins: tuple[Bin, ...], rest: str | None = None
) -> Group:
    """Return a record with that verdict, and a line of that slope."""
    verdict, line = replace(group.verdict, kind=kind, rest=rest), (0.0, slope, 0.001, True, "")
    return replace(group, verdict=verdict, recalibration=Recalibration(*line), bins=bins)


def of_bins(*forecasts: float, came: float = 0.5) -> tuple[Bin, ...]:
    lowest = [int(p * 10) / 10 for p in forecasts]
    every = zip(lowest, forecasts, strict=True)
    return tuple(Bin(low, low + 0.1, 20, 20.0, p, came, None) for low, p in every)


def test_only_a_record_with_a_verdict_has_advice(calibrated: Group) -> None:
    few = replace(calibrated, verdict=replace(calibrated.verdict, kind="too_few"))
    assert advice(few) == []
    [said] = advice(calibrated)
    assert said.startswith("Keep your numbers")


@pytest.mark.parametrize(
    ("kind", "slope", "bins", "said"),
    [
        # logit 0.95 = 2.94; half of it is 81%.
        ("overconfident", 0.5, (0.05, 0.95), "Move your 90s (on average 95%) to about 81% and "
         "forecasts below 10% (on average 5%) to about 19%."),
        ("underconfident", 2.0, (0.5, 0.75), "Move your 70s (on average 75%) to about 90%."),
    ],
)  # fmt: skip
def test_the_numbers_to_move_come_from_the_line(
    calibrated: Group, kind: str, slope: float, bins: tuple[float, ...], said: str
) -> None:
    shown = of_bins(*bins, came=0.5 if kind == "overconfident" else 0.95)
    assert advice(faulty(calibrated, kind, slope, shown)) == [said]


def test_forecasts_that_came_true_often_enough_are_not_moved(calibrated: Group) -> None:
    """The line is of all forecasts; nothing says that those in the 80s are too high."""
    bins = (*of_bins(0.85, came=1.0), *of_bins(0.95, came=0.4))
    [said] = advice(faulty(calibrated, "overconfident", 0.4, bins))
    assert said == "Move your 90s (on average 95%) to about 76%."


def test_a_failed_certainty_moves_no_forecast_if_the_rest_is_calibrated(calibrated: Group) -> None:
    bins = of_bins(0.05, 0.95, came=0.5)
    failed = faulty(calibrated, "overconfident", 0.5, bins, rest="calibrated")
    failed = replace(failed, certainty=Certainty(3, 1))
    assert advice(failed) == ["Never forecast exactly 0% or 100%. Of 3 such questions, 1 failed."]
    both = replace(failed, verdict=replace(failed.verdict, rest="overconfident"))
    assert advice(both)[0].startswith("Move your 90s")


def test_a_fault_of_the_line_that_chance_explains_moves_nothing(calibrated: Group) -> None:
    line = Recalibration(0.0, 0.5, 0.3, True, "")
    lucky = replace(calibrated, recalibration=line, bins=of_bins(0.05, 0.95))
    assert "Move" not in advice(lucky)[0]


@pytest.mark.slow
def test_reactions_failed_certainty_and_a_better_crowd_have_advice(calibrated: Group) -> None:
    moved = random_report(4).groups[0].movement
    worse = Skill(-3.0, (-5.0, -1.0), 40)
    over = replace(moved, kind="over_reacting")
    found = replace(calibrated, movement=over, certainty=Certainty(5, 2), crowd_skill=worse)
    assert advice(found) == [
        "Make smaller updates: part of each move is later taken back.",
        "Never forecast exactly 0% or 100%. Of 5 such questions, 2 failed.",
        "Check the crowd before you save: its forecasts scored better at the same times.",
    ]
    level = replace(calibrated, crowd_skill=replace(worse, interval=(-5.0, 1.0)))
    assert advice(level)[0].startswith("Keep your numbers")
