"""The cost of contradictions in a comparison: of each side, and between two beyond chance."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from forecasts.folder.frames import Frames
from forecasts.reports.arena import arena
from forecasts.reports.comparison import Comparison, build
from forecasts.reports.comparison.coherence import differences
from forecasts.reports.formats import comparison_csv, rendered
from forecasts.reports.selection import Choice
from tests.reports.small_ledgers import NOW, ledger, path
from tests.reports.test_coherence import bridge


def frames(sets: int, *, waiting: int = 0, told: float = 0.0) -> Frames:
    """Return nested pairs: ana contradicts herself by 20 points in each, ben by ``told`` points.

    The last ``waiting`` sets have no outcome yet.
    """
    names = [f"s{n:02}" for n in range(sets)]
    known = names[: sets - waiting]
    questions = [
        bridge(name, place, "no" if name in known else "") for name in names for place in (1, 2)
    ]
    said = []
    for n, name in enumerate(names):
        base = 0.3 + 0.01 * (n % 5)
        for place, sign in ((1, 1), (2, -1)):
            said += path(f"{name}-{place}", "ana", (0, base + 0.1 * sign))
            said += path(f"{name}-{place}", "ben", (0, base + told / 200 * sign))
    return ledger(questions, said)


def compared(of: Frames, **more: Any) -> Comparison:
    return build(of, between=("ben", "ana"), of="forecasters", as_of=NOW, **more)


def test_each_side_has_its_cost_and_the_pair_its_difference() -> None:
    made = compared(frames(30))
    cost = {side.name: side.coherence and side.coherence.cost.mean for side in made.groups}
    # (0.1² + 0.1²) / 2: the neighbour is the mean of the two.
    assert cost == pytest.approx({"ana": 0.01, "ben": 0.0})
    [pair] = made.pairs
    assert pair.coherence is not None
    assert pair.coherence.difference == pytest.approx(-0.01)
    assert (pair.coherence.questions, pair.coherence.families) == (60, 30)
    assert pair.coherence.sentence.startswith(
        "Contradictions cost ana more: ben and ana differ by 0.0100 Brier points (0–1) a question"
    )


@pytest.mark.parametrize(("sets", "waiting", "told"), [(29, 0, 0.0), (30, 0, 20.0), (32, 2, 0.0)])
def test_nothing_is_claimed_of_few_families_of_equals_and_while_outcomes_could_change_it(
    sets: int, waiting: int, told: float
) -> None:
    made = compared(frames(sets, waiting=waiting, told=told))
    assert made.pairs[0].coherence is None
    assert "No difference in cost is clearer than chance." in rendered(made, "text")


def test_without_ties_and_at_a_lead_there_is_no_cost() -> None:
    tied = frames(30)
    apart = replace(tied, questions=tied.questions.assign(group="", group_kind=""))
    for made in (compared(apart), compared(tied, choice=Choice(lead=7.0))):
        assert [side.coherence for side in made.groups] == [None, None]
        assert made.pairs[0].coherence is None
        assert "Contradicting" not in str(rendered(made, "text"))


def test_every_format_and_the_arena_have_the_cost() -> None:
    of = frames(30)
    made = compared(of)
    assert "Contradictions cost ana more" in rendered(made, "html")
    assert "Contradictions cost ana more" in rendered(made, "md")
    head, row = comparison_csv(made).splitlines()[:2]
    cells = dict(zip(head.split(","), row.split(","), strict=False))
    assert float(cells["coherence_difference"]) == pytest.approx(-0.01)
    found = arena(of, as_of=NOW)
    assert found is not None
    [ana] = [one.side for one in found.contenders if one.side.name == "ana"]
    assert ana.coherence is not None
    assert ana.coherence.cost.mean == pytest.approx(0.01)


def test_equals_are_rarely_told_apart() -> None:
    """Two equals with noise: the sets in which neither contradicts itself say nothing."""
    rng = np.random.default_rng(35)
    members = {"ana": ["ana"], "ben": ["ben"]}
    families = pd.Series(np.arange(60))
    claims = 0
    for _ in range(200):
        # Most contradictions are small and a few large, and a third of the forecasts have none.
        price = rng.exponential(0.01, (2, 60)) ** 1.5 * (rng.random((2, 60)) < 0.67)
        table = pd.DataFrame(
            {
                "group": np.repeat(["ana", "ben"], 60),
                "question_id": np.tile(np.arange(60), 2),
                "completion": 0,
                "waits": False,
                "price": price.ravel(),
                "moved": np.where(price.ravel() > 0, 0.1, 0.0),
            }
        )
        claims += bool(differences(table, members, families))
    assert claims / 200 <= 0.06
