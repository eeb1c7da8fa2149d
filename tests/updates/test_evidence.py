"""Evidence: the outcome it supports, and its stances."""

from __future__ import annotations

import hashlib

import pytest
from sqlmodel import Session

from forecasts.ledger.models import Evidence, Forecast, Member, QuestionText, Stance
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
def test_evidence_is_on_the_main_move(before: Forecast | None, after: Value, option: str) -> None:
    assert supported_outcome(PORTS, before, after) == f"“{option}”"


def test_otherwise_evidence_is_about_yes_a_higher_number_or_a_later_day() -> None:
    said = [supported_outcome(one, None, Value()) for one in (RAIN, DEPTH, WHEN)]
    assert said == ["yes", "a higher number", "a later day"]


OPTIONS = standing(probabilities=[0.6, 0.2, 0.2])
NUMBER = standing(quantiles={"0.1": 1.0, "0.9": 29.0})


@pytest.mark.parametrize(
    ("question", "before", "after", "stance"),
    [
        (RAIN, standing(probability=0.4), Value(0.6), "supports"),
        (RAIN, standing(probability=0.6), Value(0.4), "opposes"),
        (RAIN, standing(probability=0.6), Value(0.6), "context"),
        (RAIN, standing(probability=0.0), Value(0.001), "supports"),
        # A first forecast moves from 50%.
        (RAIN, None, Value(0.7), "supports"),
        (RAIN, None, Value(0.3), "opposes"),
        (RAIN, None, Value(0.5), "context"),
        # Of options it is the move of the one that moves most.
        (PORTS, OPTIONS, said(0.2, 0.4, 0.4), "opposes"),
        (PORTS, OPTIONS, said(0.8, 0.1, 0.1), "supports"),
        (PORTS, None, said(0.8, 0.1, 0.1), "supports"),
        # Of a number or a day it is the move of the median: here from 15.
        (DEPTH, NUMBER, depth(16), "supports"),
        (DEPTH, NUMBER, depth(14), "opposes"),
        (DEPTH, None, depth(15), "context"),
        (WHEN, None, Value(quantiles={"0.5": "2026-12-01"}), "supports"),
    ],
)
def test_the_proposed_stance_follows_the_move_and_a_chosen_one_is_kept(
    question: QuestionText, before: Forecast | None, after: Value, stance: str
) -> None:
    assert proposed_stance(question, before, after) == stance
    evidence = [CitedEvidence(note="a"), CitedEvidence(note="b", stance=Stance.context)]
    found = with_stances(question, before, after, [*evidence, evidence[1]])
    assert [one.stance for one in found] == [stance, "context", "context"]
    if stance == "opposes":
        assert format_stances(found, "yes") == "1 against yes, 2 as context"


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


def test_a_false_key_finds_no_evidence(session: Session, alice: Member, bob: Member) -> None:
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
