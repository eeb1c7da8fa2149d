"""Evidence as people type it, the outcome it supports, and its stances."""

from __future__ import annotations

import csv
import hashlib
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlmodel import Session

from forecasts.articles import library
from forecasts.common.errors import BadInput, NotFound
from forecasts.ledger.models import Evidence, EvidenceKind, Member, Stance
from forecasts.reading.article import CapturedArticle
from forecasts.updates.evidence import (
    CitedEvidence,
    format_stances,
    proposed_stance,
    record_evidence,
    stance_mismatch,
    supported_outcome,
    with_stances,
)
from forecasts.updates.evidence_parsing import read_evidence
from forecasts.values.value import Value
from tests.conftest import day
from tests.values.questions import DEPTH, RAIN, WHEN, standing, text

PORTS = text(type="multiple_choice", options=["Busan", "Ulsan", "Other"])


def depth(median: float) -> Value:
    return Value(quantiles={"0.1": 1.0, "0.5": median, "0.9": 29.0})


def said(*vector: float) -> Value:
    return Value(probabilities=vector)


def test_evidence_is_about_the_main_move() -> None:
    for before, after, option in (
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
    ):
        assert supported_outcome(PORTS, before, after) == f"“{option}”", after
    others = [supported_outcome(one, None, Value()) for one in (RAIN, DEPTH, WHEN)]
    assert others == ["yes", "a higher number", "a later day"]


OPTIONS = standing(probabilities=[0.6, 0.2, 0.2])
NUMBER = standing(quantiles={"0.1": 1.0, "0.9": 29.0})


def test_the_proposed_stance_follows_the_move_and_a_chosen_one_is_kept() -> None:
    for question, before, after, stance in (
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
    ):
        assert proposed_stance(question, before, after) == stance, (question, after)
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


def test_a_forged_key_finds_no_evidence(session: Session, alice: Member, bob: Member) -> None:
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


URL = "https://example.org/a"


def article(title: str, url: str | None = None) -> CapturedArticle:
    return CapturedArticle(
        title=title, publisher=None, author=None, published_at=None, url=url, text=f"{title}."
    )


with (Path(__file__).parent / "evidence.tsv").open(encoding="utf-8", newline="") as file:
    TYPED = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


@pytest.mark.parametrize("row", TYPED, ids=lambda row: row["text"])
def test_qualifiers_precede_one_piece_or_are_refused(session: Session, row: dict[str, str]) -> None:
    if row["error"]:
        with pytest.raises(BadInput) as refused:
            read_evidence(session, row["text"])
        assert re.search(row["error"], str(refused.value))
        return
    read = read_evidence(session, row["text"])
    share = "" if read.share is None else str(read.share)
    assert (read.stance or "", read.kind, share) == (row["stance"], row["kind"], row["share"])
    assert (read.url or read.note) == row["source"]
    assert (read.url is None) == (row["source"] != URL)


def test_an_unset_field_has_the_general_setting(session: Session) -> None:
    read = read_evidence(session, "30%: x", stance=Stance.context, kind=EvidenceKind.model)
    assert (read.stance, read.kind, read.share) == (Stance.context, EvidenceKind.model, 0.3)


@given(st.text("abc :,%\n30opsd", min_size=1).filter(lambda words: words.strip()))
def test_a_note_is_kept_to_the_letter_or_its_end_is(session: Session, words: str) -> None:
    read = read_evidence(session, words)
    assert words.strip().endswith(read.note)
    assert read.share is not None or read.note == words.strip()


def test_a_captured_article_is_named_by_its_number(session: Session, alice: Member) -> None:
    pasted, online = (
        row
        for row, _ in library.store(
            session, [article("Pasted"), article("Online", URL)], member=alice, captured_at=day(0)
        )
    )
    assert read_evidence(session, f"article {online.id}").url == URL
    assert read_evidence(session, f"opposes: Article {pasted.id}").url == pasted.address
    with pytest.raises(NotFound, match="no article 9"):
        read_evidence(session, "article 9")
