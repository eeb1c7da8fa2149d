"""Evidence as people type it."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlmodel import Session

from forecasts.articles import library
from forecasts.common.errors import BadInput, NotFound
from forecasts.ledger.models import EvidenceKind, Member, Stance
from forecasts.reading.article import CapturedArticle
from forecasts.updates.evidence_parsing import read_evidence
from tests.conftest import day

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
