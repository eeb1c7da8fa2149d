"""Sources: the articles and passages that a question was taken from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, select

from forecasts.access.visibility import question_visible, require_visible
from forecasts.articles.library import find_article
from forecasts.common.errors import Refused, Remedy
from forecasts.ledger.models import Article, Question, QuestionSource
from forecasts.questions.standing import QuestionState, listing
from forecasts.reading.text_quotes import TextQuote, locate, quote_at

_WHOLE_ARTICLE = TextQuote()


@dataclass(frozen=True)
class Passage:
    """The passage of an article that a question was taken from; an empty quote: all of it."""

    article: Article
    quote: TextQuote = _WHOLE_ARTICLE


def find_passage(session: Session, number: int, quote: TextQuote | None = None) -> Passage:
    """Return the passage of that article; Refused if the article does not contain the quote.

    A quote's prefix and suffix decide between several places with the same words.
    """
    article = find_article(session, number)
    if quote is None or not quote.quote:
        return Passage(article)
    start = locate(article.text, quote)
    if start is None:
        raise Refused(
            f"Article {number}, {article.title!r}, does not contain {quote.quote!r}.",
            remedy=Remedy("Copy the passage exactly from {}", "articles", str(number), text=True),
        )
    return Passage(article, quote_at(article.text, start, start + len(quote.quote)))


def questions_from(
    session: Session, article: Article, *, now: datetime
) -> list[tuple[QuestionSource, QuestionState]]:
    """Return the questions taken from the article, each with its passage."""
    rows = session.exec(
        select(QuestionSource, Question.slug)
        .join(Question, col(Question.id) == col(QuestionSource.question_id))
        .where(QuestionSource.article_id == article.id, question_visible(session))
        .order_by(col(QuestionSource.id))
    ).all()
    slugs = [slug for _, slug in rows]
    states = {state.slug: state for state in listing(session, now=now, only=slugs)}
    return [(source, states[slug]) for source, slug in rows]


def sources(session: Session, question: Question) -> list[tuple[QuestionSource, Article]]:
    """Return the passages the question was taken from, each with its article."""
    require_visible(session, question)
    return list(
        session.exec(
            select(QuestionSource, Article)
            .join(Article, col(Article.id) == col(QuestionSource.article_id))
            .where(QuestionSource.question_id == question.id)
            .order_by(col(QuestionSource.id))
        )
    )
