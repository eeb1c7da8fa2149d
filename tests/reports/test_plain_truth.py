"""Random reports: no sentence contradicts its number, its neighbour, or its interval."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from forecasts.documents.as_text import as_text
from forecasts.documents.numbers import number
from forecasts.reports import Group, Report, wording
from forecasts.reports.advice import advice
from forecasts.reports.report_document import measures, report_document
from forecasts.reports.verdict import FEWEST, SIGNIFICANCE, often
from tests.reports.small_ledgers import asked, ledger, made, report, with_numbers

# Said to people for whom they were not true, or that nobody understood.
NEVER = (
    r"only better evidence can improve",
    r"Keep your numbers",
    r"difference of 0\.0+ ",
    r"chance that it is luck|probability that it is luck",
    r"\d\.\d+th percentile",
    r"\d[eE][-−]\d",
    r"−0\.0+\b(?!\d)",
    r"\b(nan|None|inf)\b",
    r"weight 1/k",
    r"keeps all three above 0",
    r"cannot be chance",
    r"it describes, and is not",
)


def random_record(seed: int) -> Report:
    """Return the report on a record of a random size, fault, rounding and number of updates."""
    rng = np.random.default_rng(seed)
    n = int(rng.choice([3, 20, 30, 35, 60, 90]))
    odds = rng.normal(rng.choice([-2.5, -0.5, 0.0, 1.0]), rng.choice([0.4, 1.3]), n)
    truth = 1 / (1 + np.exp(-odds))
    shift, stretch = rng.choice([0.0, 0.0, 0.9, -0.9]), rng.choice([1.0, 1.6, 0.4, 2.5])
    grid = float(rng.choice([0.001, 0.01, 0.05, 0.1]))
    least = float(rng.choice([0.0, 0.01, 0.01]))
    linked = int(rng.choice([1, 1, 1, 2]))
    crowd = rng.random() < 0.5
    questions, forecasts = [], []
    for k, (log_odds, p) in enumerate(zip(odds, truth, strict=True)):
        resolution = "yes" if rng.random() < p else "no"
        questions.append(asked(f"q{k}", resolution, family=f"f{k // linked}"))
        for step in range(int(rng.integers(1, 4))):
            noise = rng.normal(0, 0.2)
            said = 1 / (1 + np.exp(-stretch * log_odds - shift - noise))
            forecasts.append(
                made(
                    f"q{k}",
                    "ana",
                    2.0 * step,
                    min(max(round(said / grid) * grid, least), 1 - least),
                )
            )
        if crowd and rng.random() < 0.8:
            forecasts.append(made(f"q{k}", "bo", 0, round(float(p), 2)))
            forecasts.append(made(f"q{k}", "cy", 1, round(float(rng.uniform(0.1, 0.9)), 2)))
    frames = ledger(questions, forecasts)
    if rng.random() < 0.2:
        frames = with_numbers(frames, questions=int(rng.choice([5, 40])), seed=seed)
    return report(frames, by="forecaster", names=["ana"])


def shares(text: str) -> list[float]:
    return [float(one) / 100 for one in re.findall(r"([\d.]+)%", text)]


def faults(found: Report) -> Iterator[str]:
    """Yield each contradiction of a report on one record."""
    [group] = found.groups
    document = report_document(found)
    text = " ".join(as_text(document).split())
    for pattern in NEVER:
        if seen := re.search(pattern, text):
            yield f"never said: {text[max(0, seen.start() - 60) : seen.end() + 20]}"
    yield from of_verdict(group)
    yield from of_advice(group)
    yield from of_reference(group)
    yield from of_intervals(group)
    yield from of_neighbours(group)


def of_verdict(group: Group) -> Iterator[str]:
    """The verdict has the direction of its figures, and the luck of its test."""
    verdict, p_value = group.verdict, group.recalibration.p_value
    # Rounded certainties that failed are no fault, and have a line of their own.
    sentence = re.sub(r" \d+ of \d+ certain forecasts? failed: [^.]*\.", "", verdict.sentence)
    if verdict.kind == "too_few":
        if min(group.tested.questions, group.tested.families) >= FEWEST:
            yield f"enough, and too few: {sentence}"
        return
    tested = verdict.kind not in ("not_estimable", "waiting") and verdict.rest is None
    if tested and p_value is not None:
        if (verdict.kind == "calibrated") != (p_value >= SIGNIFICANCE):
            yield f"p is {p_value}, yet: {sentence}"
        if f" {often(p_value)} records" not in verdict.luck:
            yield f"p is {p_value}, yet: {verdict.luck}"
    if verdict.kind == "calibrated" and shares(sentence):
        yield f"figures without a fault: {sentence}"
    if verdict.said is None or verdict.happened is None or verdict.rest is not None:
        return
    said, happened = shares(sentence.removeprefix("Between 3% and 97%, "))
    if not np.allclose([said, happened], [verdict.said, verdict.happened], atol=0.0051):
        yield f"{verdict.said} and {verdict.happened}, yet: {sentence}"
    if (said > happened) != (verdict.kind in ("overconfident", "too_high")):
        yield f"the other direction: {sentence}"


DIRECTIONS = {
    "overconfident": "Be less sure",
    "underconfident": "Be more confident",
    "too_high": "Forecast lower",
    "too_low": "Forecast higher",
}


def of_advice(group: Group) -> Iterator[str]:
    """A fault, and nothing else, asks for a move, in its direction and with its figures."""
    advised = " ".join(advice(group))
    kind = group.verdict.rest or group.verdict.kind
    for fault, move in DIRECTIONS.items():
        if (move in advised) != (kind == fault):
            yield f"{kind}, yet: {advised}"
    moved = re.search(r"instead of ([\d.]+)%, say closer to ([\d.]+)%", advised)
    if moved and (float(moved[1]) > float(moved[2])) != (kind == "overconfident"):
        yield f"{kind}, yet: {advised}"
    if ("Nothing" in advised) == bool(re.search(r"Be |Forecast |Make |Never |Check ", advised)):
        yield f"nothing, and something: {advised}"
    if not advised:
        yield "no word on what to change"


def of_reference(group: Group) -> Iterator[str]:
    """The score is called better or worse than a reference only if its interval says so."""
    said = wording.how_good(group)
    crowd = group.crowd_skill
    if crowd is not None and crowd.interval is not None:
        low, high = crowd.interval
        if "Better than the crowd" in said and low <= 0:
            yield f"{crowd.interval}, yet: {said}"
        if "Worse than the crowd" in said and high >= 0:
            yield f"{crowd.interval}, yet: {said}"
        if "Not clearly better or worse than the crowd" in said and not low <= 0 <= high:
            yield f"{crowd.interval}, yet: {said}"
    if number(group.brier.mean) not in said and group.questions:
        yield f"Brier {group.brier.mean}, yet: {said}"
    if group.verdict.kind == "too_few" and " than " in said:
        yield f"too few, yet: {said}"
    advised = " ".join(advice(group))
    if ("Check the crowd" in advised) != ("Worse than the crowd" in said):
        yield f"{advised} beside {said}"


def of_intervals(group: Group) -> Iterator[str]:
    """Every mean lies in its interval, as they are printed too."""
    for name in ("brier", "brier_original", "log", "skill", "crowd_skill", "brier_skill"):
        one = getattr(group, name)
        if one is not None and one.mean is not None and one.interval is not None:
            low, high = one.interval
            if not low - 1e-12 <= one.mean <= high + 1e-12:
                yield f"{name}: {one.mean} outside {one.interval}"
    for row in measures(group).rows if group.questions else ():
        ends = re.fullmatch(r"([+−\d.]+) to ([+−\d.]+)", row[2])
        if ends:
            value, low, high = (float(one.replace("−", "-")) for one in (row[1], *ends.groups()))
            if not low - 1e-3 <= value <= high + 1e-3:
                yield f"printed outside its interval: {row}"


def of_neighbours(group: Group) -> Iterator[str]:
    """Reaction, staleness and numbers have the direction of the numbers beside them."""
    moved, stale, pit = group.movement, group.staleness, group.pit
    if moved is not None and moved.p_value is not None:
        reacts = moved.kind in ("over_reacting", "under_reacting")
        if reacts and moved.p_value >= SIGNIFICANCE:
            yield f"p is {moved.p_value}, yet: {moved.sentence}"
        if moved.kind == "under_reacting" and (moved.excess.mean or 0) > 0:
            yield f"excess {moved.excess.mean}, yet: {moved.sentence}"
        if moved.kind == "over_reacting" and (moved.excess.mean or 0) < 0:
            yield f"excess {moved.excess.mean}, yet: {moved.sentence}"
    if stale is not None and stale.cost.interval is not None:
        claims = stale.kind in ("grew_high", "grew_low")
        if claims and stale.cost.interval[0] <= 0:
            yield f"{stale.cost.interval}, yet: {stale.sentence}"
        if claims and (stale.drift > 0) != (stale.kind == "grew_high"):
            yield f"drift {stale.drift}, yet: {stale.sentence}"
    if pit is not None and pit.p_value is not None:
        accused = "too narrow" in pit.sentence or "too wide" in pit.sentence
        accused |= bool(re.search(r"were too (low|high)", pit.sentence))
        if accused != (pit.p_value < SIGNIFICANCE):
            yield f"p is {pit.p_value}, yet: {pit.sentence}"


@pytest.mark.slow
@pytest.mark.parametrize(
    "seeds",
    [range(12), pytest.param(range(12, 1000), marks=pytest.mark.nightly)],
    ids=["12", "the other 988"],
)
def test_no_sentence_of_a_report_contradicts_its_numbers_or_its_neighbour(seeds: range) -> None:
    found = {seed: list(faults(random_record(seed))) for seed in seeds}
    assert {seed: said for seed, said in found.items() if said} == {}


@pytest.fixture(scope="module")
def accused() -> Report:
    """A report with a fault."""
    reports = map(random_record, range(100))
    return next(one for one in reports if one.groups[0].verdict.kind == "overconfident")


@pytest.mark.slow
@pytest.mark.parametrize(
    "changed",
    [
        {"verdict": {"sentence": "These forecasts are overconfident. 80%, and 90% happens."}},
        {"verdict": {"luck": "Luck alone would look like this in 40 of 100 records."}},
        {"verdict": {"kind": "calibrated"}},
        {"verdict": {"basis": "A true difference of 0.000 would show in 8 of 10."}},
        {"verdict": {"basis": "Keep your numbers as they are."}},
        {"verdict": {"basis": "It ends at −1e−17."}},
        {"verdict": {"basis": "At the 4.96th percentile."}},
        {"brier": {"mean": 0.9}},
    ],
)
def test_each_fault_of_before_is_found(accused: Report, changed: dict[str, Any]) -> None:
    [group] = accused.groups
    assert list(faults(accused)) == []
    parts = {name: replace(getattr(group, name), **new) for name, new in changed.items()}
    assert list(faults(replace(accused, groups=(replace(group, **parts),))))
