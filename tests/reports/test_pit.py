"""The calibration of numeric and date forecasts in a report."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from forecasts.folder.frames import Frames
from forecasts.reports import Report, figures
from forecasts.reports.pit import sentence
from forecasts.reports.report import Inside, Pit, ZTest
from tests.reports.small_ledgers import day, once, random_ledger, report, with_numbers

pytestmark = pytest.mark.slow


def pits(found: Report) -> dict[str, Pit | None]:
    return {group.name: group.pit for group in found.groups}


def only_numbers(questions: int = 40, seed: int = 0) -> Frames:
    return with_numbers(once(["yes"], [0.6]), questions, seed)


def test_a_calibrated_record_of_numbers_has_outcomes_in_every_part() -> None:
    found = pits(report(only_numbers()))["all"]
    assert (found.questions, found.families, found.forecasts) == (40, 40, 40)
    assert sum(found.bins) == pytest.approx(1)
    assert found.p_value > 0.05
    assert "No fault found: without one, " in found.sentence
    assert [one.level for one in found.inside] == [0.5, 0.8, 0.9]
    assert found.inside[0].share <= found.inside[1].share <= found.inside[2].share


def moved(frames: Frames, middle: float, spread: float) -> Frames:
    """Return the ledger with other distributions: shifted, and wider or narrower."""
    forecasts = frames.forecasts.copy()
    for row, given in forecasts["quantiles"].dropna().items():
        others = {level: middle + spread * (value - 50) for level, value in given.items()}
        forecasts.at[row, "quantiles"] = others
    return replace(frames, forecasts=forecasts)


@pytest.mark.parametrize(
    ("middle", "spread", "fault"),
    [(50, 0.3, "too narrow"), (50, 2.9, "too wide"), (42, 1, "too low"), (58, 1, "too high")],
)
def test_a_fault_is_named_with_its_shares(middle: float, spread: float, fault: str) -> None:
    found = pits(report(moved(only_numbers(60), middle, spread)))["all"]
    assert fault in found.sentence
    half, above = found.inside[0].share, sum(found.bins[5:])
    assert f"{half * 100:.0f}% of outcomes lie in the middle half" in found.sentence
    shown = {"narrow": half < 0.5, "wide": half > 0.5, "low": above > 0.5, "high": above < 0.5}
    assert shown[fault.split()[1]]


def test_below_thirty_questions_nothing_is_tested() -> None:
    [group] = report(moved(only_numbers(12), 90, 0.1)).groups
    [figure] = figures.pit("", group)
    assert (figure.title, len(figure.table.rows)) == ("Numbers and dates", 10)
    found = group.pit
    assert found.p_value is None
    assert found.level.p_value is None
    assert found.sentence.startswith("Too few to tell: 12 numeric or date questions in 12 families")


@pytest.mark.parametrize(("missing", "settled"), [(2, True), (25, False)])
def test_a_finding_waits_for_the_outcomes_that_could_change_it(missing: int, settled: bool) -> None:
    frames = moved(only_numbers(60), 60, 1)
    frames.questions.loc[1:missing, "resolution"] = ""
    found = pits(report(frames))["all"]
    assert (found.questions, found.waiting) == (60 - missing, missing)
    assert (found.p_value is not None) == settled
    if settled:
        assert found.sentence.startswith("Forecasts were too high. Luck alone ")
        assert "2 questions due by now have no outcome yet; this finding holds" in found.sentence
    else:
        assert found.sentence.startswith("No finding: 25 questions due by now have no outcome yet")


def test_each_group_has_its_own_and_a_lead_has_none() -> None:
    frames = with_numbers(random_ledger(3, questions=4), 5)
    assert [pit.questions for pit in pits(report(frames, by="team")).values()] == [5, 5]
    by_tag = pits(report(frames, by="tag", names=["numbers", "t0"]))
    assert (by_tag["numbers"].questions, by_tag["t0"]) == (5, None)
    assert pits(report(frames, lead=1.0)) == {"all": None}


def test_questions_before_their_scheduled_close_wait_as_in_the_rest_of_the_report() -> None:
    frames = only_numbers(4)
    early = frames.questions["question_id"] == "n001"
    frames.questions.loc[early, ["scheduled_close_time", "actual_close_time"]] = day(1000), day(9)
    waiting, counting = pits(report(frames))["all"], pits(report(frames, cohort="resolved"))["all"]
    assert (waiting.questions, counting.questions) == (3, 4)


def test_no_sentence_contradicts_its_numbers() -> None:
    random = np.random.default_rng(5)
    for _ in range(1000):
        z = [ZTest(value, None) for value in random.normal(0, 3, 2)]
        middle, above = random.random(2)
        p = float(np.exp(-sum((test.z or 0) ** 2 for test in z) / 2))
        said = sentence((40, 40), Inside(0.5, middle), above, *z, p)
        if p >= 0.05:
            assert said.startswith("No fault found")
            continue
        level, spread = (test.z or 0 for test in z)
        if abs(level) > abs(spread):
            assert said.startswith(f"Forecasts were too {'low' if level > 0 else 'high'}")
            assert ("above the median" in said) == ((above > 0.5) == (level > 0))
        else:
            assert said.startswith(f"Distributions were too {'narrow' if spread > 0 else 'wide'}")
            assert ("middle half" in said) == ((middle < 0.5) == (spread > 0))


def test_the_sentence_tells_of_a_middle_that_was_stated() -> None:
    frames = only_numbers()
    ends = {level: 50 + 5 * z for level, z in (("0.1", -1.28), ("0.5", 0.0), ("0.9", 1.28))}
    for row in frames.forecasts["quantiles"].dropna().index:
        frames.forecasts.at[row, "quantiles"] = ends
    found = pits(report(frames))["all"]
    assert f"{found.inside[1].share * 100:.0f}% of outcomes lie in the middle 80%" in found.sentence
