"""Evidence: the outcome it supports, and its stances."""

from __future__ import annotations

import pytest

from forecasts.ledger.models import Forecast, Stance
from forecasts.questions.registry import question_text
from forecasts.updates.evidence import CitedEvidence, format_stances, supported_outcome
from forecasts.updates.values import Value
from tests.conftest import day

TIMES = {"open_time": day(0), "scheduled_close_time": day(1)}


PORTS = question_text(
    title="?", type="multiple_choice", options=["Busan", "Ulsan", "Other"], **TIMES
)


def said(*vector: float) -> Value:
    return Value(probabilities=vector)


def state(*vector: float) -> Forecast:
    return Forecast(
        question_id=1, member_id=1, made_at=day(0), recorded_at=day(0), probabilities=list(vector)
    )


@pytest.mark.parametrize(
    ("before", "after", "option"),
    [
        (None, said(0.5, 0.3, 0.2), "Busan"),
        (None, said(0.05, 0.45, 0.5), "Busan"),
        (state(0.6, 0.2, 0.2), said(0.3, 0.4, 0.3), "Busan"),
        # Of equal moves, the rise counts.
        (state(0.6, 0.2, 0.2), said(0.5, 0.3, 0.2), "Ulsan"),
        (state(0.1, 0.2, 0.7), said(0.1, 0.3, 0.6), "Ulsan"),
        # Nothing moves: the likeliest option.
        (state(0.2, 0.5, 0.3), said(0.2, 0.5, 0.3), "Ulsan"),
        # Options were added since: nothing to compare with.
        (state(0.5, 0.5), said(0.1, 0.1, 0.8), "Other"),
    ],
)
def test_of_options_evidence_is_about_the_one_that_moves_most(
    before: Forecast | None, after: Value, option: str
) -> None:
    assert supported_outcome(PORTS, before, after) == f"“{option}”"


def test_otherwise_it_is_about_yes_a_higher_number_or_a_later_day() -> None:
    bounds = {"lower_bound": "2026-01-01", "upper_bound": "2027-01-01"}
    numbers = {"lower_bound": "0", "upper_bound": "1"}
    of = [
        question_text(title="?", **TIMES),
        question_text(title="?", type="numeric", **numbers, **TIMES),
        question_text(title="?", type="date", **bounds, **TIMES),
    ]
    spoken = [supported_outcome(text, None, Value()) for text in of]
    assert spoken == ["yes", "a higher number", "a later day"]


def test_what_the_evidence_does_is_counted_by_stance() -> None:
    stances = [Stance.context, Stance.supports, Stance.supports]
    citing = [
        CitedEvidence(note=str(number), stance=stance) for number, stance in enumerate(stances)
    ]
    assert format_stances(citing, "yes") == "2 for yes, 1 as context"
