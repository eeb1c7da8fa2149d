"""Verdicts: a fault is named when the record shows it, and chance is not accused."""

from __future__ import annotations

import re
import tomllib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from forecasts.folder.frames import complete
from forecasts.reports import wording
from forecasts.reports.groups import group_entries
from forecasts.reports.member_scores import live_segments
from forecasts.reports.report import Verdict
from forecasts.reports.scope import numbered
from forecasts.reports.verdict import often, survives, verdict
from forecasts.reports.when_made import Forecasts, forecasts_made, when_made
from scoring.calibration_when_made import WhenMade, p_of
from scoring.inference import Test
from scoring.shared_shocks import Spans
from scoring.simulation import Tournament, simulate
from tests.reports.small_ledgers import asked, ledger, made, once, report, sharp_group, the_group

# Families that are all open together.
SPANS = Spans(pd.Index([]), np.arange(0), np.zeros(300), np.ones(300))


def binary(p: np.ndarray, y: np.ndarray, families: int | None = None) -> Forecasts:
    """Return one forecast a question, in that many families."""
    n = np.arange(len(p))
    family = n % (families or len(p))
    names = {"group": "all", "member": 0, "question": n, "family": family, "path": n, "place": n}
    rows = pd.DataFrame(names)
    level = np.column_stack([np.zeros(len(p)), np.ones(len(p))])
    columns = (np.column_stack([1 - values, values]) for values in (p, y))
    return Forecasts(rows, *columns, level, np.ones_like(level, dtype=np.bool_))


def of(
    level: float,
    slope: float,
    p_value: float,
    questions: int = 200,
    families: int | None = None,
    spans: Spans = SPANS,
) -> Verdict:
    """Return the verdict of these tests; of what is called 90%, 75% came true."""
    n = np.arange(questions)
    made_ = when_made(binary(np.full(questions, 0.9), (n % 4 > 0).astype(float), families))
    slopes = dict.fromkeys(("slope", "middle"), Test(slope, 0.5))
    parts = {"level": Test(level, 0.5), **slopes, "p_value": p_value}
    tests = made_.tests._replace(**parts, failed=np.arange(0))
    return verdict(made_._replace(tests=tests), spans)


@pytest.mark.parametrize(
    ("level", "slope", "p_value", "kind"),
    [
        (0.0, 0.1, 0.6, "calibrated"),
        (-3.0, 0.0, 0.05, "calibrated"),
        (0.1, -3.5, 0.001, "overconfident"),
        (0.1, 3.5, 0.001, "underconfident"),
        (-3.5, 0.1, 0.001, "too_high"),
        (3.5, 0.1, 0.001, "too_low"),
        (2.0, -3.0, 0.001, "overconfident"),
        (-3.0, 2.0, 0.001, "too_high"),
        (float("nan"), -3.5, 0.001, "overconfident"),
    ],
)
def test_the_larger_part_of_the_fault_names_it(
    level: float, slope: float, p_value: float, kind: str
) -> None:
    assert of(level, slope, p_value).kind == kind


def test_a_verdict_states_the_result_and_its_probability_by_chance() -> None:
    in_doubt = "This claim is in doubt if outcomes of questions open together"
    over = of(0.0, -3.5, 0.0025)
    assert over.sentence == (
        "These forecasts are overconfident. When they say 90%, it happens 75% of the time."
    )
    assert over.luck == "Luck alone would look like this in 1 of 400 records."
    assert (over.said, over.happened) == (pytest.approx(0.9), 0.75)
    assert over.basis == (
        "The figures are of outcomes given 90 to 95%, where the fault is clearest (3% for “yes” is "
        "97% for “no”). This is a test of all forecasts when made. It counts 200 families of "
        f"questions as separate evidence. {in_doubt} are correlated at all."
    )
    high = of(-4.5, 0.0, 0.0025)
    assert high.sentence == (
        "These forecasts are too high. On average they say 90%, and it happens 75% of the time."
    )
    assert high.luck == over.luck
    assert high.basis.endswith(f"{in_doubt} have a correlation over 0.0061.")
    none = of(0.0, 0.0, 0.42)
    assert none.sentence == (
        "No fault found: these forecasts fit the outcomes, as far as 200 questions can show."
    )
    assert none.luck == (
        "Without a fault, 42 of 100 records would look at least this bad. Only below 5 of 100 does "
        "it count as a fault."
    )


def test_the_figures_are_of_the_faulty_range_and_the_odds_of_all_forecasts() -> None:
    """Of 95%, 95% came true, and of 75% only half."""
    n = np.arange(300)
    sure = n < 100
    p = np.where(sure, 0.95, 0.75)
    y = np.where(sure, n % 20 > 0, n % 20 < 10).astype(float)
    no = n // 20 % 2 == 0  # half of them as forecasts of "no", so that the level is right
    found = verdict(when_made(binary(np.where(no, 1 - p, p), np.where(no, 1 - y, y))), SPANS)
    assert found.kind == "overconfident"
    assert found.sentence.endswith("When they say 75%, it happens 50% of the time.")
    assert "outcomes given 70 to 80%" in found.basis
    assert "all forecasts when made (recalibration slope 0." in found.basis


def test_trivial_questions_hide_no_fault_of_the_others() -> None:
    n = np.arange(160)
    trivial = n >= 60
    p = np.where(trivial, 0.985, 0.8)
    y = np.where(trivial | (n % 10 < 6), 1.0, 0.0)  # of 80%, 60% came true
    no = n % 20 < 10
    both = (np.where(no, 1 - values, values) for values in (p, y))
    made_ = when_made(binary(*both))
    level, slope = made_.tests.level.statistic, made_.tests.slope.statistic
    assert p_of(level, slope, slope, 1.0) > 0.05
    found = verdict(made_, SPANS)
    assert found.kind == "overconfident"
    said = wording.of(found.sentence, wording.YOU)
    assert said.startswith("Between 3% and 97%, your forecasts are overconfident. When you say 80%")
    assert "all together would not show the fault" in found.basis


def test_at_the_tipping_correlation_the_verdict_is_just_at_its_limit() -> None:
    n, families = 200, 200
    for level, slope in ((-3.5, 1.5), (0.5, -6.0)):
        found = of(level, slope, 1e-4, questions=n)
        # All open together and alike: the variance grows by r (n − 1).
        wider = np.sqrt(1 + found.tipping * (families - 1))
        p_value = p_of(level / wider, slope / wider, slope / wider, 1.0)
        assert p_value == pytest.approx(0.005)


def test_families_that_are_never_open_together_share_nothing() -> None:
    apart = Spans(pd.Index([]), np.arange(0), np.arange(300.0), np.arange(300.0) + 1)
    found = of(-3.5, 0.0, 0.0025, spans=apart)
    assert found.tipping is None
    said = "This claim holds with any correlation of outcomes of questions open together."
    assert found.basis.endswith(said)


def test_below_thirty_questions_or_families_there_is_never_a_verdict() -> None:
    assert of(0.0, -6.0, 1e-9, questions=29).kind == "too_few"
    assert of(0.0, -6.0, 1e-9, questions=30).kind == "overconfident"
    assert of(0.0, -6.0, 1e-9, questions=300, families=30).kind == "overconfident"
    assert of(0.0, -6.0, 1e-9, questions=300, families=29).sentence == (
        "Too few to tell: 300 questions scored in 29 families, and a verdict needs 30 of each."
    )
    one = of(0.0, 0.0, 0.5, questions=1)
    assert one.sentence == "Too few to tell: 1 question scored, and a verdict needs 30."
    assert one.luck == "With so few, luck can look like a fault, or hide one."


@pytest.mark.slow
@pytest.mark.parametrize(
    "hundred", [0, *(pytest.param(n, marks=pytest.mark.long) for n in (1, 2, 3))]
)
def test_no_sentence_contradicts_the_numbers_beside_it(hundred: int) -> None:
    """Of 400 records of every kind: direction, figures and frequency are the tests'.

    If they are not in 1% of such records, 98 of 100 such samples show it.
    """
    rng = np.random.default_rng(hundred)
    kinds = set()
    for _ in range(100):
        n = int(rng.integers(30, 70))
        odds = rng.normal(rng.choice([-2.5, -0.5, 0.0, 1.0]), rng.choice([0.4, 1.3]), n)
        truth = 1 / (1 + np.exp(-odds))
        shift, stretch = rng.choice([0.0, 0.0, 0.9, -0.9]), rng.choice([1.0, 1.0, 0.4, 2.5])
        p = (1 / (1 + np.exp(-stretch * odds - shift))).round(2)
        made_ = binary(p, (rng.random(n) < truth).astype(float))
        whole = when_made(made_)
        found = verdict(whole, SPANS)
        kinds.add(found.kind)
        agrees(found, made_, whole.tests)
    assert kinds >= {"calibrated", "overconfident", "too_high", "too_low"}


def agrees(found: Verdict, forecasts: Forecasts, tests: WhenMade) -> None:
    """Assert that the sentence says what the numbers do."""
    excused = r" \d+ of \d+ certain forecasts? failed: say about \d+%\."
    said = re.sub(excused, "", found.sentence)
    assert said.count(". ") <= 1
    assert (said != found.sentence) == (tests.excused[1] > 0)
    assert (found.kind == "calibrated") == (tests.p_value >= 0.05)
    if len(tests.failed):
        assert f"On {len(tests.failed)} question" in said
        return
    assert f" {often(tests.p_value)} records" in found.luck
    if found.kind == "calibrated":
        assert found.tipping is None
        return
    assert found.basis.endswith(survives(found.tipping))
    level = tests.level.statistic
    slope = max(tests.slope.statistic, tests.middle.statistic, key=abs)
    figures = [float(one) / 100 for one in re.findall(r"([\d.]+)%", said)]
    if not figures:  # no range shows the fault
        assert (found.said, found.happened) == (None, None)
        return
    assert figures == pytest.approx([found.said, found.happened], abs=0.0051)
    p, y = forecasts.p[:, 1], forecasts.y[:, 1]
    if found.kind in ("too_high", "too_low"):
        assert abs(level) > abs(slope)
        assert (found.kind == "too_high") == (level < 0) == (figures[0] > figures[1])
        assert [found.said, found.happened] == pytest.approx([p.mean(), y.mean()])
        return
    over = found.kind == "overconfident"
    assert abs(slope) >= abs(level)
    assert over == (slope < 0)
    assert (figures[0] > figures[1]) == over
    if line := re.search(r"slope (−?[\d.]+), where 1 is right", found.basis):
        assert (float(line[1].replace("−", "-")) <= 1) == over
    [(low, high)] = [map(float, ends) for ends in re.findall(r"(\d+) to (\d+)%", found.basis)]
    favourite, won = np.maximum(p, 1 - p), np.where(p > 0.5, y, 1 - y)
    there = (favourite >= low / 100) & ((favourite < high / 100) | (high == 100))
    if not (p == 0.5).any():
        shown = [favourite[there].mean(), won[there].mean()]
        assert [found.said, found.happened] == pytest.approx(shown)


@pytest.mark.parametrize(("linked", "kind"), [(1, "too_high"), (3, "too_few")])
def test_linked_questions_are_counted_by_their_families(linked: int, kind: str) -> None:
    n = np.arange(60)
    frames = once(np.where(n % 4, "no", "yes"), 0.6 + n % 7 / 50)
    frames.questions["family"] = [f"f{number // linked}" for number in n]
    found = the_group(frames)
    assert (found.families, found.verdict.kind) == (60 // linked, kind)
    if kind == "too_high":
        said = "On average they say 66%, and it happens 25% of the time."
        assert found.verdict.sentence.endswith(said)


def test_only_the_overconfident_record_is_called_overconfident() -> None:
    for sharpness, kind in ((2.5, "overconfident"), (1.0, "calibrated")):
        assert sharp_group(sharpness).verdict.kind == kind


def certain(*values: float) -> Verdict:
    """Return the verdict on 60 calibrated forecasts and a few more; the first resolves "no"."""
    rng = np.random.default_rng(4)
    ps = [*rng.uniform(0.1, 0.9, 60).tolist(), *values]
    came = [rng.random() < p if n < 60 else n > 60 for n, p in enumerate(ps)]
    return the_group(once(["yes" if happened else "no" for happened in came], ps)).verdict


@pytest.mark.slow
def test_certainty_changes_a_verdict_only_if_it_failed() -> None:
    plain, right, wrong = certain(), certain(0.0, 1.0), certain(1.0, 1.0)
    assert (right.kind, right.rest) == ("calibrated", None)
    assert right.sentence == plain.sentence.replace("60 questions", "62 questions")
    assert (wrong.kind, wrong.rest) == ("overconfident", "calibrated")
    assert wrong.sentence == (
        "These forecasts are overconfident. On 1 question they called the outcome impossible."
    )
    assert wrong.luck.startswith("Luck cannot explain that")
    assert "Without the questions on which that happened: No fault found" in wrong.basis
    assert wrong.basis.endswith("It counts 61 families of questions as separate evidence.")


@pytest.mark.parametrize(
    ("outcomes", "forecast", "kind", "rest", "said"),
    [
        (["yes"] * 40, 1.0, "not_estimable", None, "every forecast was 0% or 100%, and came true."),
        (["no"] * 40, 1.0, "overconfident", "too_few", "Too few to tell: no question scored"),
        (["no"] * 40, 1.0, "overconfident", "too_few", "On 40 questions they called the"),
        (["no", *["yes"] * 9], 1.0, "too_few", None, "1 of 10 certain forecasts failed: say about"),
        (["no"] * 9 + ["yes"], 1.0, "too_few", None, "On 9 questions they called the outcome"),
        (["no", *["yes"] * 39], 1.0, "not_estimable", None, "every forecast was 0% or 100%. 1 of"),
        (list("abc") * 13, [1 / 3] * 3, "not_estimable", None, "was even between all options."),
    ],
)
def test_forecasts_of_certainty_or_nothing_have_verdicts_of_their_own(
    outcomes: list[str], forecast: Any, kind: str, rest: str | None, said: str
) -> None:
    several = {"type": "multiple_choice", "options": ["a", "b", "c"]}
    more = several if isinstance(forecast, list) else {}
    found = the_group(once(outcomes, [forecast] * len(outcomes), **more)).verdict
    assert (found.kind, found.rest) == (kind, rest)
    assert said in f"{found.sentence} {found.basis}"


def rounded(failed: int) -> Verdict:
    """Return the verdict on someone who rounds to 10%, with 41 forecasts of 0%; some fail."""
    ps = [n / 10 for n in range(1, 10)] * 10 + [0.0] * 41
    came = [n // 9 < 10 * p if p else n < 90 + failed for n, p in enumerate(ps)]
    return the_group(once(["yes" if happened else "no" for happened in came], ps)).verdict


@pytest.mark.parametrize(("failed", "kind"), [(3, "calibrated"), (6, "overconfident")])
def test_certain_forecasts_of_someone_who_rounds_are_a_fault_only_beyond_chance(
    failed: int, kind: str
) -> None:
    found = rounded(failed)
    assert found.kind == kind
    said = f"{failed} of 41 certain forecasts failed: say about {100 - 100 * failed / 41:.0f}%."
    assert (said in found.sentence) == (kind == "calibrated")
    assert ("called the outcome impossible" in found.sentence) == (kind == "overconfident")


@pytest.mark.slow
def test_outcomes_that_a_threshold_separates_get_a_verdict_too() -> None:
    found = the_group(once(["no", "yes"] * 20, [0.2, 0.8] * 20))
    assert found.verdict.kind == "underconfident"
    assert "When they say 80%, it happens 100% of the time." in found.verdict.sentence
    assert "separates the outcomes" in found.recalibration.reason


@pytest.mark.slow
def test_the_teams_of_the_demonstration_are_told_apart_by_their_faults() -> None:
    settings = tomllib.loads((Path(__file__).parents[2] / "data" / "tournament.toml").read_text())
    made_up = simulate(Tournament.from_mapping(settings))
    frames = complete(made_up.questions, made_up.forecasts, made_up.teams)
    by_team = report(frames, by="team", as_of=datetime(2026, 11, 20, tzinfo=UTC))
    found = {group.name.split()[0]: group for group in by_team.groups}
    assert found["Kestrel"].verdict.kind == "overconfident"
    assert found["Heron"].movement.kind == "under_reacting"
    assert (found["Wren"].verdict.kind, found["Wren"].movement.kind) == ("calibrated", "neither")
    assert any("3 verdicts and tests 3 records for reactions" in note for note in by_team.notes)


@pytest.mark.slow
def test_many_verdicts_come_with_a_warning_about_chance() -> None:
    asked_ = [asked(f"q{n}", "yes" if n % 2 else "no") for n in range(30)]
    frames = ledger(asked_, [made(f"q{n}", who, 0, 0.4) for n in range(30) for who in "abcd"])
    found = report(frames, by="forecaster")
    assert any("4 verdicts" in note for note in found.notes)
    three = report(frames, by="forecaster", names=["a", "b", "c"])
    assert not any("verdicts" in note for note in three.notes)


def test_a_small_difference_of_level_has_enough_digits() -> None:
    n = np.arange(4_000)
    made_ = when_made(binary(np.where(n % 2, 0.0100, 0.0101), (n % 105 < 1).astype(float)))
    none = Test(0.0, 0.5)
    tests = made_.tests._replace(level=Test(-3.0, 0.01), slope=none, middle=none, p_value=0.01)
    times = np.arange(len(n), dtype=float)
    spans = Spans(pd.Index([]), np.arange(0), times, times + 1)
    found = verdict(made_._replace(tests=tests), spans)
    assert "they say 1.00%, and it happens 0.97% of the time" in found.sentence


def test_a_yes_no_forecast_has_two_levels() -> None:
    options = {"type": "multiple_choice", "options": ["x", "y", "z"], "ordered": True}
    rows = [made("a", "ana", 1, 0.4), made("b", "ana", 1, [0.2, 0.3, 0.5])]
    frames = numbered(ledger([asked("a", "yes"), asked("b", "z", **options)], rows))
    entries = group_entries(frames, by="forecaster")
    live = live_segments(frames.questions, entries)
    level = forecasts_made(frames.questions, live, entries.group).level
    assert level.tolist() == [[0, 1, 0], [0, 0.5, 1]]


def with_missing(outcomes: list[str], said: list[float], missing: int) -> Verdict:
    """Return the verdict on forecasts of which the first questions have no outcome."""
    return the_group(once([""] * missing + outcomes[missing:], said)).verdict


def test_there_is_no_verdict_that_missing_outcomes_could_change() -> None:
    outcomes, said = ["no", "yes"] * 40, [0.8] * 80
    assert with_missing(outcomes, said, 0).kind == "too_high"
    sure, unsure = (with_missing(outcomes, said, many) for many in (3, 40))
    assert (sure.kind, sure.waiting) == ("too_high", 3)
    assert "3 questions due by now have no outcome yet; this finding holds" in sure.luck
    assert (unsure.kind, unsure.waiting, unsure.tipping) == ("waiting", 40, None)
    assert unsure.sentence == (
        "No verdict: 40 questions due by now have no outcome yet, and could change it."
    )


def test_a_record_is_not_called_calibrated_while_missing_outcomes_may_show_a_fault() -> None:
    outcomes, said = ["no", "yes"] * 40, [0.5] * 79 + [0.7]
    assert with_missing(outcomes, said, 1).kind == "calibrated"
    assert with_missing(outcomes, said, 30).kind == "waiting"


def test_questions_due_later_do_not_keep_the_verdict_waiting() -> None:
    frames = once(["no", "yes"] * 40, [0.8] * 80)
    later = ledger(
        [asked(f"later{n}", closes=900) for n in range(40)],
        [made(f"later{n}", "ana", 0, 0.8) for n in range(40)],
    )
    both = complete(
        pd.concat([frames.questions, later.questions]),
        pd.concat([frames.forecasts, later.forecasts]),
    )
    assert the_group(both).verdict == the_group(frames).verdict
