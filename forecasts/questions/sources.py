"""The articles that a question comes from, each with the passage it quotes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, select

from forecasts.access.visibility import question_visible, require_visible
from forecasts.articles.library import article_numbered
from forecasts.articles.text_quotes import context, locate
from forecasts.common.errors import Refused
from forecasts.ledger.models import Article, Question, QuestionSource
from forecasts.questions.standing import QuestionState
from forecasts.questions.standing import listing as question_listing


@dataclass(frozen=True)
class Passage:
    """Where in an article a question comes from: the exact quote and what stands around it."""

    article: Article
    quote: str = ""
    prefix: str = ""
    suffix: str = ""


def find_passage(
    session: Session, number: int, quote: str = "", prefix: str = "", suffix: str = ""
) -> Passage:
    """Return the passage of that article; Refused where the quote does not stand in it.

    ``prefix`` and ``suffix`` tell words apart that stand there more than once.
    """
    article = article_numbered(session, number)
    if not quote:
        return Passage(article)
    start = locate(article.text, quote, prefix, suffix)
    if start is None:
        raise Refused(
            f"{quote!r} does not stand in article {number}, {article.title!r}.",
            remedy=f"Copy the passage exactly; see: forecasts articles {number} --text.",
        )
    prefix, suffix = context(article.text, start, start + len(quote))
    return Passage(article, quote=quote, prefix=prefix, suffix=suffix)


def questions_from(
    session: Session, article: Article, *, now: datetime
) -> list[tuple[QuestionSource, QuestionState]]:
    """Return the questions that were taken from the article, each with its passage."""
    rows = session.exec(
        select(QuestionSource, Question.slug)
        .join(Question, col(Question.id) == col(QuestionSource.question_id))
        .where(QuestionSource.article_id == article.id, question_visible(session))
        .order_by(col(QuestionSource.id))
    ).all()
    state = {
        standing.slug: standing
        for standing in question_listing(session, now=now, only=[slug for _, slug in rows])
    }
    return [(source, state[slug]) for source, slug in rows]


def sources(session: Session, question: Question) -> list[tuple[QuestionSource, Article]]:
    """Return the passages that the question was taken from, each with its article."""
    require_visible(session, question)
    return [
        (source, article)
        for source, article in session.exec(
            select(QuestionSource, Article)
            .join(Article, col(Article.id) == col(QuestionSource.article_id))
            .where(QuestionSource.question_id == question.id)
            .order_by(col(QuestionSource.id))
        )
    ]
