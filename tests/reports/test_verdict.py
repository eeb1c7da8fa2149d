"""Verdicts: a fault is named when the record shows it, and chance is not accused."""

from __future__ import annotations

import tomllib
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from forecasts.reports.report import Recalibration, Verdict
from forecasts.reports.verdict import verdict
from forecasts.scores.frames import complete
from scoring.simulation import simulate
from scoring.tournament import Tournament
from tests.reports.small_ledgers import asked, ledger, made, random_ledger, report


def of(
    line: tuple[float, float, float], questions: int = 200, families: int | None = None
) -> Verdict:
    """Return the verdict on forecasts spread over 1% to 99%, with that recalibration line."""
    p = np.linspace(0.01, 0.99, max(questions, 99))
    question = np.arange(len(p)) % questions
    claims = pd.DataFrame(
        {"p": p, "y": np.where(p > 0.5, 1.0, 0.0), "weight": 1.0, "fixed": 1.0}
    ).assign(question=question)
    family = question % (questions if families is None else families)
    return verdict(claims, family, Recalibration(*line, estimable=True, reason=""))


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ((0.0, 1.0, 0.6), "calibrated"),
        ((0.0, 0.3, 0.06), "calibrated"),
        ((0.0, 0.5, 0.001), "overconfident"),
        ((0.0, 2.0, 0.001), "underconfident"),
        ((-0.8, 1.0, 0.001), "too_high"),
        ((0.8, 1.0, 0.001), "too_low"),
        ((0.3, 0.4, 0.001), "overconfident"),
    ],
)
def test_the_larger_part_of_the_fault_names_it(line: tuple[float, float, float], kind: str) -> None:
    assert of(line).kind == kind


def test_a_verdict_says_what_happens_and_how_often_chance_would_do_it() -> None:
    assert of((0.0, 0.5, 0.0025)).sentence == (
        "Overconfident: forecasts of 90% come true about 75% of the time; "
        "chance alone would do this in 1 of 400 such records (200 families of questions)."
    )


@pytest.mark.parametrize(
    ("slope", "said"), [(9.0, "forecasts of 57% come true"), (-9.0, "forecasts of 57%")]
)
def test_a_verdict_names_a_forecast_that_was_made(slope: float, said: str) -> None:
    """Nobody forecast 90%, nor 60% often enough."""
    p = np.tile([0.42, 0.45, 0.55, 0.58, 0.58], 40)
    claims = pd.DataFrame({"p": p, "y": p > 0.5, "fixed": 1.0, "question": np.arange(200)})
    line = Recalibration(0.0, slope, 0.001, estimable=True, reason="")
    assert said in verdict(claims, np.arange(200), line).sentence


def test_below_thirty_questions_there_is_no_verdict_however_small_the_p_value() -> None:
    assert of((0.0, 0.2, 1e-9), questions=29).kind == "too_few"
    assert of((0.0, 0.2, 1e-9), questions=30).kind == "overconfident"


def test_below_thirty_families_there_is_no_verdict_however_many_the_questions() -> None:
    withheld = of((0.0, 0.2, 1e-9), questions=300, families=29)
    assert withheld.kind == "too_few"
    assert withheld.sentence == (
        "Too few to tell: 300 questions in 29 families scored; below 30 questions or families, "
        "luck and error look alike."
    )
    assert of((0.0, 0.2, 1e-9), questions=300, families=30).kind == "overconfident"


def test_one_question_and_one_family_are_named_in_the_singular() -> None:
    assert "1 question in 1 family scored" in of((0.0, 1.0, 0.5), questions=1).sentence


@pytest.mark.parametrize(("linked", "kind"), [(1, "too_high"), (2, "too_high"), (3, "too_few")])
def test_linked_questions_are_counted_by_their_families(linked: int, kind: str) -> None:
    frames = ledger(
        [
            asked(f"q{n}", "yes" if n % 4 == 0 else "no", family=f"f{n // linked}")
            for n in range(60)
        ],
        [made(f"q{n}", "ana", 0, 0.6 + n % 7 / 50) for n in range(60)],
    )
    found = report(frames).groups[0]
    assert found.families == 60 // linked
    assert found.verdict.kind == kind


def test_an_overconfident_record_is_called_so_and_a_calibrated_one_is_not() -> None:
    stretched = random_ledger(11, questions=200, sharpness=2.5, choices=False)
    fair = random_ledger(11, questions=200, choices=False)
    assert report(stretched).groups[0].verdict.kind == "overconfident"
    assert report(fair).groups[0].verdict.kind == "calibrated"


def test_forecasts_that_are_all_too_high_are_called_so() -> None:
    frames = ledger(
        [asked(f"q{n}", "yes" if n % 4 == 0 else "no") for n in range(60)],
        [made(f"q{n}", "ana", 0, 0.6 + n % 7 / 50) for n in range(60)],
    )
    found = report(frames).groups[0].verdict
    assert found.kind == "too_high"
    assert "the mean forecast is 66%, and 25% happened" in found.sentence


def certain(*values: float) -> Verdict:
    """Return the verdict on 60 calibrated forecasts and a few more that are certain of "yes"."""
    rng = np.random.default_rng(4)
    ps = [*rng.uniform(0.1, 0.9, 60).tolist(), *values]
    frames = ledger(
        [
            asked(f"q{n:02}", "yes" if (rng.random() < p if n < 60 else n > 60) else "no")
            for n, p in enumerate(ps)
        ],
        [made(f"q{n:02}", "ana", 0, p) for n, p in enumerate(ps)],
    )
    return report(frames).groups[0].verdict


def test_a_probability_of_zero_or_one_gives_no_verdict_and_says_what_can_be_said() -> None:
    found = certain(0.0, 1.0)
    assert (found.kind, found.rest) == ("not_estimable", "calibrated")
    assert found.sentence.startswith(
        "No verdict on the whole record: a forecast of exactly 0% or 100% on 2 questions has no "
        "log odds to test. It was never wrong. The rest of the time: Calibrated, as far as the "
        "record shows: "
    )
    assert found.sentence.endswith("(60 families of questions).")


def test_certainty_that_was_wrong_is_said_to_be_what_no_calibrated_forecaster_does() -> None:
    found = certain(1.0, 1.0)
    assert found.kind == "not_estimable"
    assert "It was wrong on 1 of them, as a calibrated forecaster’s never is." in found.sentence


def test_the_rest_of_a_record_that_is_nearly_all_certain_is_too_little_to_tell() -> None:
    frames = ledger(
        [asked(f"q{n}", "yes") for n in range(40)],
        [made(f"q{n}", "ana", 0, 1.0 if n else 0.7) for n in range(40)],
    )
    found = report(frames).groups[0].verdict
    assert (found.kind, found.rest) == ("not_estimable", "too_few")
    assert "Too few to tell: 1 question in 1 family scored" in found.sentence


def test_a_record_of_nothing_but_certainty_has_no_rest() -> None:
    frames = ledger(
        [asked(f"q{n}", "yes") for n in range(40)],
        [made(f"q{n}", "ana", 0, 1.0) for n in range(40)],
    )
    found = report(frames).groups[0].verdict
    assert (found.kind, found.rest) == ("not_estimable", "too_few")
    assert "Too few to tell: no question scored" in found.sentence


def test_outcomes_that_a_threshold_separates_give_no_verdict_and_the_reason() -> None:
    frames = ledger(
        [asked(f"q{n}", "yes" if n % 2 else "no") for n in range(40)],
        [made(f"q{n}", "ana", 0, 0.9 if n % 2 else 0.1) for n in range(40)],
    )
    found = report(frames).groups[0].verdict
    assert (found.kind, found.rest) == ("not_estimable", None)
    assert "separates the outcomes" in found.sentence


def test_the_teams_of_the_demonstration_are_told_apart_by_their_faults() -> None:
    settings = tomllib.loads((Path(__file__).parents[2] / "data" / "tournament.toml").read_text())
    made_up = simulate(Tournament.from_mapping(settings))
    frames = complete(made_up.questions, made_up.forecasts, made_up.teams)
    moment = datetime(2026, 11, 20, tzinfo=UTC)
    found = {
        group.name.split()[0]: (group.verdict.kind, group.movement and group.movement.kind)
        for group in report(frames, by="team", as_of=moment).groups
    }
    assert found["Kestrel"][0] == "overconfident"
    assert found["Heron"][1] == "under_reacting"
    assert found["Wren"] == ("calibrated", "neither")


def test_many_verdicts_come_with_a_warning_about_chance() -> None:
    found = report(random_ledger(1), by="forecaster")
    assert any("5 verdicts" in note for note in found.notes)
