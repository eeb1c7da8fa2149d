"""Evidence as people type it."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlmodel import Session

from forecasts.articles import library
from forecasts.common.errors import BadInput, NotFound
from forecasts.ledger.models import EvidenceKind, Member, Stance
from forecasts.reading.article import CapturedArticle
from forecasts.updates.evidence_parsing import read_evidence, recent_articles
from tests.conftest import day

URL = "https://example.org/a"


def article(title: str, url: str | None = None) -> CapturedArticle:
    return CapturedArticle(
        title=title, publisher=None, author=None, published_at=None, url=url, text=f"{title}."
    )


@pytest.mark.parametrize(
    ("text", "stance", "kind", "share", "what"),
    [
        (URL, None, "news", None, URL),
        (f"opposes {URL}", "opposes", "news", None, URL),
        (f"opposes: {URL}", "opposes", "news", None, URL),
        (f"Opposes, data, 30%: {URL}", "opposes", "data", 0.3, URL),
        (f"30% base_rate context {URL}", "context", "base_rate", 0.3, URL),
        ("data: 40 of 50 ships came", None, "data", None, "40 of 50 ships came"),
        ("opposes: she said: no", "opposes", "news", None, "she said: no"),
        ("12.5% : a\nb", None, "news", 0.125, "a\nb"),
        # Words that look like qualifiers but are part of a note.
        ("30% of the ships were late", None, "news", None, "30% of the ships were late"),
        ("data from May", None, "news", None, "data from May"),
        ("news from the harbour: closed", None, "news", None, "news from the harbour: closed"),
        (f"I read {URL}", None, "news", None, f"I read {URL}"),
        ("Dates: from May", None, "news", None, "Dates: from May"),
        ("see ftp://example.org", None, "news", None, "see ftp://example.org"),
        ("supports: suports: x", "supports", "news", None, "suports: x"),
        ("supportship", None, "news", None, "supportship"),
    ],
)
def test_what_is_particular_to_one_piece_stands_before_it(
    session: Session, text: str, stance: str | None, kind: str, share: float | None, what: str
) -> None:
    read = read_evidence(session, text)
    assert (read.stance, read.kind, read.share) == (stance, kind, share)
    assert (read.url or read.note) == what
    assert (read.url is None) == (what != URL)


def test_what_is_not_said_is_what_holds_for_all(session: Session) -> None:
    read = read_evidence(session, "30%: x", stance=Stance.context, kind=EvidenceKind.model)
    assert (read.stance, read.kind, read.share) == (Stance.context, EvidenceKind.model, 0.3)


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("opposes the plan", "not clear where"), ("opposes rumour: x", "not clear where"),
        ("context", "not clear where"), ("opposes:", "not clear where"),
        ("supports opposes: x", "two stances: supports and opposes"),
        ("data expert: x", "two kinds: data and expert"), ("30% 20%: x", "two shares: 30% and 20%"),
        ("1.2.3%: x", "'1.2.3%' is not a share of an update"),
        ("opposes data 130%: x", "'130%' is not a share of an update, which is from 0% to 100%"),
        # A typo in the qualifiers.
        (f"oposes data 30%: {URL}", "Did you mean opposes data 30%?"),
        ("suports: the ferry is old", "'suports', before .* Did you mean supports?"),
        ("base_rates: 9 of 30 days", "Did you mean base_rate?"),
        (f"rumour data {URL}", "'rumour', before the evidence"),
        ("htp://example.org/a", "cannot begin with htp://"),
        ("opposes: ftp://example.org/a", "begins with https"),
    ],
)  # fmt: skip
def test_what_is_not_clear_is_refused_in_a_sentence(session: Session, text: str, rule: str) -> None:
    with pytest.raises(BadInput) as refused:
        read_evidence(session, text)
    assert re.search(rule.replace("?", r"\?"), str(refused.value))


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


def test_the_newest_captures_come_first_to_pick_from(session: Session, alice: Member) -> None:
    for number, title in enumerate(("Old", "New")):
        library.store(session, [article(title)], member=alice, captured_at=day(number))
    session.expunge_all()
    assert [row.title for row in recent_articles(session)] == ["New", "Old"]
