"""The difference of the Murphy curves in a comparison, and scores adjusted for difficulty."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from forecasts.documents.document import Figure
from forecasts.reports import formats
from forecasts.reports.comparison import Comparison, build
from forecasts.reports.comparison.document import comparison_document
from tests.reports.small_ledgers import NOW, asked, ledger, made

pytestmark = pytest.mark.slow


@cache
def compared(*between: str) -> Comparison:
    """Return ana and ben on sixty questions: ana calibrated, ben moved towards 50% by 80%."""
    random = np.random.default_rng(3)
    truth = random.beta(0.6, 0.6, 60).clip(0.02, 0.98)
    answers = np.where(random.random(60) < truth, "yes", "no")
    said = []
    for n, p in enumerate(truth):
        said += [made(f"q{n}", "ana", 0, p), made(f"q{n}", "ben", 0, 0.5 + 0.2 * (p - 0.5))]
    frames = ledger([asked(f"q{n}", str(answer)) for n, answer in enumerate(answers)], said)
    return build(frames, between=between or ("ana", "ben"), of="forecasters", as_of=NOW)


def test_the_area_under_the_difference_of_the_losses_is_the_difference() -> None:
    [one] = compared().pairs
    area = np.trapezoid([p.difference for p in one.murphy], [p.threshold for p in one.murphy])
    assert area == pytest.approx(one.difference, abs=0.005)
    for point in one.murphy:
        assert point.band[0] <= point.interval[0] + 1e-9 <= point.difference + 2e-9
        assert point.interval[1] <= point.band[1] + 1e-9


def test_the_order_of_the_sides_changes_the_sign_and_nothing_else() -> None:
    [one], [other] = compared().pairs, compared("ben", "ana").pairs
    assert (other.a, other.b) == ("ben", "ana")
    assert other.difference == -one.difference
    assert other.interval == (-one.interval[1], -one.interval[0])
    assert (other.p_value, other.detectable) == (one.p_value, one.detectable)
    assert other.watched.e_value == pytest.approx(one.watched.e_value, rel=1e-12)
    assert one.murphy
    for ours, theirs in zip(one.murphy, other.murphy, strict=True):
        assert theirs.threshold == ours.threshold
        assert theirs.difference == pytest.approx(-ours.difference)
        assert theirs.interval == pytest.approx((-ours.interval[1], -ours.interval[0]))
        assert theirs.band == pytest.approx((-ours.band[1], -ours.band[0]))


def figure(comparison: Comparison) -> Figure:
    blocks = [block for one in comparison_document(comparison).sections for block in one.blocks]
    [found] = [one for one in blocks if isinstance(one, Figure) and "losses" in one.alt]
    return found


def test_a_clear_difference_is_told_with_its_thresholds_and_none_between_equals() -> None:
    drawn = figure(compared())
    assert len(drawn.table.rows) == 11
    said = drawn.caption
    assert said in " ".join(str(formats.rendered(compared(), "text")).split())
    assert str(formats.rendered(compared(), "pdf"))
    assert said.startswith("ana lost less when acting above thresholds of ")
    better = [p.threshold for p in compared().pairs[0].murphy if p.band[1] < 0]
    assert f"{min(better) * 100:.0f}" in said
    wide = tuple(replace(point, band=(-1.0, 1.0)) for point in compared().pairs[0].murphy)
    alike = replace(compared(), pairs=(replace(compared().pairs[0], murphy=wide),))
    assert figure(alike).caption == (
        "At no threshold is the difference of the losses beyond chance."
    )


def test_few_questions_have_no_difference_of_losses() -> None:
    frames = ledger([asked("q", "yes")], [made("q", "ana", 0, 0.8), made("q", "ben", 0, 0.6)])
    found = build(frames, between=["ana", "ben"], of="forecasters", as_of=NOW)
    assert found.pairs[0].murphy == ()
    assert "Decisions" not in str(formats.rendered(found, "text"))


def test_on_the_same_questions_nothing_is_adjusted() -> None:
    for side in compared().groups:
        assert side.adjusted.mean == pytest.approx(side.brier.mean)
    assert "Adjusted" in str(formats.rendered(compared(), "html"))
