"""Evidence: the outcome it supports, and its stances."""

from __future__ import annotations

import hashlib

import pytest
from sqlmodel import Session

from forecasts.ledger.models import Evidence, Forecast, Member, Stance
from forecasts.updates.evidence import (
    CitedEvidence,
    format_stances,
    proposed_stance,
    record_evidence,
    stance_mismatch,
    supported_outcome,
    with_stances,
)
from forecasts.values.value import Value
from tests.conftest import day
from tests.values.questions import DEPTH, RAIN, WHEN, standing, text

PORTS = text(type="multiple_choice", options=["Busan", "Ulsan", "Other"])


def depth(median: float) -> Value:
    return Value(quantiles={"0.1": 1.0, "0.5": median, "0.9": 29.0})


def said(*vector: float) -> Value:
    return Value(probabilities=vector)


@pytest.mark.parametrize(
    ("before", "after", "option"),
    [
        (None, said(0.5, 0.3, 0.2), "Busan"),
        (None, said(0.05, 0.45, 0.5), "Busan"),
        (standing(probabilities=[0.6, 0.2, 0.2]), said(0.3, 0.4, 0.3), "Busan"),
        # Of equal moves, the rise counts.
        (standing(probabilities=[0.6, 0.2, 0.2]), said(0.5, 0.3, 0.2), "Ulsan"),
        (standing(probabilities=[0.1, 0.2, 0.7]), said(0.1, 0.3, 0.6), "Ulsan"),
        # Nothing moves: the likeliest option.
        (standing(probabilities=[0.2, 0.5, 0.3]), said(0.2, 0.5, 0.3), "Ulsan"),
        # Options were added since: nothing to compare with.
        (standing(probabilities=[0.5, 0.5]), said(0.1, 0.1, 0.8), "Other"),
    ],
)
def test_of_options_evidence_is_about_the_one_that_moves_most(
    before: Forecast | None, after: Value, option: str
) -> None:
    assert supported_outcome(PORTS, before, after) == f"“{option}”"


def test_otherwise_evidence_is_about_yes_a_higher_number_or_a_later_day() -> None:
    said = [supported_outcome(one, None, Value()) for one in (RAIN, DEPTH, WHEN)]
    assert said == ["yes", "a higher number", "a later day"]


def test_evidence_is_counted_by_stance() -> None:
    stances = [Stance.context, Stance.supports, Stance.supports]
    citing = [
        CitedEvidence(note=str(number), stance=stance) for number, stance in enumerate(stances)
    ]
    assert format_stances(citing, "yes") == "2 for yes, 1 as context"


@pytest.mark.parametrize(
    ("before", "after", "stance"),
    [
        (0.4, 0.6, "supports"), (0.6, 0.4, "opposes"), (0.6, 0.6, "context"),
        (0.0, 0.001, "supports"),
        # A first forecast moves from 50%.
        (None, 0.7, "supports"), (None, 0.3, "opposes"), (None, 0.5, "context"),
    ],
)  # fmt: skip
def test_the_proposed_stance_follows_the_move(
    before: float | None, after: float, stance: str
) -> None:
    current = None if before is None else standing(probability=before)
    assert proposed_stance(RAIN, current, Value(probability=after)) == stance


def test_of_options_it_is_the_move_of_the_one_that_moves_most() -> None:
    before = standing(probabilities=[0.6, 0.2, 0.2])
    assert proposed_stance(PORTS, before, said(0.2, 0.4, 0.4)) == "opposes"
    assert proposed_stance(PORTS, before, said(0.8, 0.1, 0.1)) == "supports"
    assert proposed_stance(PORTS, None, said(0.8, 0.1, 0.1)) == "supports"


def test_of_a_number_or_a_day_it_is_the_move_of_the_median() -> None:
    current = standing(quantiles={"0.1": 1.0, "0.9": 29.0})
    assert proposed_stance(DEPTH, current, depth(16)) == "supports"  # from 15, in between
    assert proposed_stance(DEPTH, current, depth(14)) == "opposes"
    assert proposed_stance(DEPTH, None, depth(15)) == "context"
    days = Value(quantiles={"0.5": "2026-12-01"})
    assert proposed_stance(WHEN, None, days) == "supports"


def test_only_evidence_that_all_points_the_other_way_is_a_mismatch() -> None:
    up, down = Value(probability=0.7), Value(probability=0.3)

    def found(value: Value, *stances: Stance | None, before: float | None = 0.5) -> str:
        current = None if before is None else standing(probability=before)
        evidence = [CitedEvidence(note=str(n), stance=one) for n, one in enumerate(stances)]
        return stance_mismatch(RAIN, current, value, evidence)

    supports, opposes, context = Stance.supports, Stance.opposes, Stance.context
    assert found(down, supports, context) == (
        "Your forecast moves away from yes, but all its evidence supports it."
    )
    assert found(up, opposes, None) == (
        "Your forecast moves towards yes, but all its evidence opposes it."
    )
    for fits in ((), (None,), (context,), (supports,), (supports, opposes)):
        assert found(up, *fits) == ""
    assert found(down, supports, before=None) == ""
    assert found(Value(probability=0.5), supports) == ""


def test_a_chosen_stance_is_kept() -> None:
    evidence = [CitedEvidence(note="a"), CitedEvidence(note="b", stance=Stance.context)]
    found = with_stances(RAIN, standing(probability=0.5), Value(probability=0.2), evidence)
    assert [one.stance for one in found] == ["opposes", "context"]


def test_evidence_of_other_contents_under_its_key_is_not_taken_for_it(
    session: Session, alice: Member, bob: Member
) -> None:
    # An import may give any key, so one can lie in wait for the address that others will cite.
    page, note = "https://example.org/page", CitedEvidence(note="The dam broke.")
    for words in (page, f"{note.kind}\n\n{note.note}"):
        key = "e-" + hashlib.sha256(words.encode()).hexdigest()[:16]
        other = Evidence(key=key, kind=note.kind, member_id=bob.id, recorded_at=day(0))
        other.url, other.note = "https://example.org/other", "It held."
        session.add(other)
    session.flush()
    for cited in (CitedEvidence(url=page), note):
        row = record_evidence(session, cited, member=alice, now=day(1))
        assert (row.url, row.note, row.member_id) == (cited.url, cited.note, alice.id)
        assert record_evidence(session, cited, member=alice, now=day(2)).id == row.id
