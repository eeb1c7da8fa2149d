"""New articles that mention what a member's questions are about."""

from __future__ import annotations

import pytest
from sqlmodel import Session

from forecasts.agenda.news import WINDOW, Mention, new_mentions, topic_words
from forecasts.articles import library
from forecasts.ledger.models import Member, Question
from forecasts.questions import passages, registry
from forecasts.reading.article import CapturedArticle
from forecasts.reading.text_quotes import TextQuote
from forecasts.updates import updates
from forecasts.updates.evidence import CitedEvidence
from tests.conftest import ask, day, on_both, say

QUAY = "The new quay in the harbour opens next week, the mayor said."


def capture(session: Session, member: Member, text: str, at: float, title: str = "News") -> str:
    article = CapturedArticle(title, None, None, None, f"https://example.org/{at}", text)
    [(stored, _)] = library.store(session, [article], member=member, captured_at=day(at))
    return stored.address


def found(session: Session, question: Question, member: Member, at: float) -> Mention | None:
    mine = updates.current_forecast(session, question, member, at=day(at))
    assert mine is not None
    current = [(registry.newest_wording(session, question), mine)]
    return new_mentions(session, member, current, now=day(at)).get(question.id)


@pytest.fixture
def quay(session: Session, alice: Member) -> Question:
    question = ask(
        session, alice, title="Will the harbour quay open by June?", scheduled_close_time=day(90)
    )
    say(session, question, alice, 0.4, 1)
    return question


def test_common_words_are_not_topics() -> None:
    times = {"open_time": day(0), "scheduled_close_time": day(1)}
    for title, words in (
        ("Will the harbour quay open by June 2026?", ("harbour", "quay")),
        ("Will NATO’s members meet in Ankara?", ("NATO", "members", "meet", "Ankara")),
        ("Будет ли дождь?", ("Будет", "дождь")),
        ("Will it?", ()),
    ):
        assert topic_words(registry.question_text(title=title, **times)) == words


def test_newer_articles_show_their_words(session: Session, quay: Question, alice: Member) -> None:
    capture(session, alice, QUAY, 0.5)
    capture(session, alice, "A quay is a kind of wharf.", 2)
    assert found(session, quay, alice, 3) is None
    capture(session, alice, QUAY + " Again.", 4, title="Harbours")
    assert found(session, quay, alice, 3.9) is None
    mention = found(session, quay, alice, 5)
    assert mention is not None
    assert (mention.article.title, mention.words) == ("Harbours", ("harbour", "quay"))
    assert found(session, quay, alice, 4.1 + WINDOW.days) is None


@on_both
def test_cited_articles_are_not_new(session: Session, quay: Question, alice: Member) -> None:
    capture(session, alice, QUAY, 2)
    source = passages.find_passage(session, 1, TextQuote("The new quay"))
    text = registry.question_text(
        title="Will the harbour quay close?", open_time=day(0), scheduled_close_time=day(90)
    )
    taken = registry.register(session, text, member=alice, now=day(1), sources=[source])
    # Made before the article was captured, as an import's may be.
    say(session, taken, alice, 0.4, 1.5)
    assert found(session, taken, alice, 3) is None
    assert found(session, quay, alice, 3) is not None
    address = capture(session, alice, QUAY + " Again.", 4)
    cited = [CitedEvidence(url=address)]
    say(session, quay, alice, 0.5, 3.9, evidence=cited)
    assert found(session, quay, alice, 5) is None
