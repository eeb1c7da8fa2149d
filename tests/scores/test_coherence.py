"""What forecasts that contradict each other cost."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecasts.common.vocabulary import GroupKind, LinkKind, QuestionType
from forecasts.folder.frames import Frames
from forecasts.scores import coherence
from forecasts.values.outline import Outline
from forecasts.values.worlds import Ties
from tests.reports.small_ledgers import asked, ledger, path

BINARY = Outline()
DEADLINES = Ties({"march": BINARY, "june": BINARY}, groups=[(GroupKind.nested, ["march", "june"])])


def prices(frames: Frames, ties: Ties) -> pd.DataFrame:
    return coherence.prices(frames.questions, frames.forecasts, ties)


def test_the_price_counts_while_both_stand() -> None:
    """Half of ten days: 60% by March and 40% by June, where both should be 50%."""
    said = [*path("march", "ana", (0, 0.6)), *path("june", "ana", (0, 0.8), (5, 0.4))]
    frames = ledger([asked("march", "no"), asked("june", "yes")], said)
    table = prices(frames, DEADLINES).set_index("question_id")
    assert table.loc["march", "price"] == pytest.approx((0.36 - 0.25) / 2)
    assert table.loc["june", "price"] == pytest.approx((0.36 - 0.25) / 2)
    assert table.loc["june", "score"] == pytest.approx((0.04 + 0.36) / 2)


def test_what_ended_or_was_withdrawn_contradicts_nothing() -> None:
    march, june = asked("march", "no", closes=5), asked("june", "yes")
    said = [*path("march", "ana", (0, 0.6)), *path("june", "ana", (5, 0.4))]
    assert prices(ledger([march, june], said), DEADLINES)["price"].tolist() == [0, 0]
    said = [*path("march", "ana", (0, 0.6), (2, None)), *path("june", "ana", (2, 0.4))]
    assert prices(ledger([march, june], said), DEADLINES)["price"].tolist() == [0, 0]


def test_options_are_weighed_with_their_conditionals() -> None:
    where = Outline(type=QuestionType.multiple_choice, options=["North", "East"])
    ties = Ties(
        {"where": where, "if-north": BINARY, "fall": BINARY},
        conditions={"if-north": ("where", "North")},
        links=[("if-north", "fall", LinkKind.equivalent)],
    )
    options: dict[str, Any] = {"type": "multiple_choice", "options": ["North", "East"]}
    frames = ledger(
        [asked("where", "North", **options), asked("if-north", "yes"), asked("fall", "yes")],
        [
            *path("where", "ana", (0, [0.9, 0.1])),
            *path("if-north", "ana", (0, 0.9)),
            *path("fall", "ana", (0, 0.2)),
            *path("fall", "ben", (0, 0.2)),
        ],
    )
    table = prices(frames, ties)
    # Ben has forecast nothing that could contradict his.
    assert table["forecaster"].tolist() == ["ana", "ana", "ana"]
    assert table["price"].sum() > 0.1


def test_without_sets_or_outcomes_nothing_has_a_price() -> None:
    frames = ledger([asked("march"), asked("june")], path("march", "ana", (0, 0.6)))
    assert prices(frames, DEADLINES).empty
    assert prices(frames, Ties({"march": BINARY, "june": BINARY})).empty


@given(
    said=st.lists(
        st.tuples(st.sampled_from(["march", "june"]), st.integers(0, 9), st.floats(0, 1)),
        min_size=1,
        max_size=8,
    ),
    outcomes=st.sampled_from([("no", "no"), ("no", "yes"), ("yes", "yes")]),
)
def test_incoherence_gains_nothing_whatever_comes_true(
    said: list[tuple[str, int, float]], outcomes: tuple[str, str]
) -> None:
    """Both from the first day to the last, so that each counts as long as the other."""
    rows = [
        row
        for question in ("march", "june")
        for row in path(
            question,
            "ana",
            (0, 0.5),
            *((day + 0.1, value) for one, day, value in said if one == question),
        )
    ]
    march, june = outcomes
    table = prices(ledger([asked("march", march), asked("june", june)], rows), DEADLINES)
    assert table["price"].sum() >= -1e-12
    if all(value == 0.5 for _, _, value in said):
        assert np.allclose(table["price"], 0)
