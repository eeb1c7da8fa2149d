"""Articles in the ledger: store what was captured, once each; find them again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlmodel import Session, col, func, select

from forecasts.articles.capture import CapturedArticle, content_hash
from forecasts.articles.quotes import context, locate
from forecasts.errors import NotFound, Refused
from forecasts.models import Article, Member, Question, QuestionSource
from forecasts.questions import Passage, Stands
from forecasts.questions import listing as question_listing


def store(
    session: Session, captured: Sequence[CapturedArticle], *, member: Member, captured_at: datetime
) -> list[tuple[Article, bool]]:
    """Return the articles, each with whether it is new; those that are new are written.

    The same words are the same article, wherever they were found (see ``content_hash``).
    """
    stored: list[tuple[Article, bool]] = []
    for article in captured:
        digest = content_hash(article)
        known = session.exec(select(Article).where(Article.content_hash == digest)).first()
        if known is not None:
            stored.append((known, False))
            continue
        row = Article(
            content_hash=digest,
            url=article.url,
            title=article.title,
            publisher=article.publisher,
            author=article.author,
            published_at=article.published_at,
            captured_at=captured_at,
            member_id=member.id,
            text=article.text,
        )
        session.add(row)
        session.flush()
        stored.append((row, True))
    return stored


def listing(session: Session) -> list[Article]:
    """Return every article, the newest capture first."""
    return list(
        session.exec(
            select(Article).order_by(col(Article.captured_at).desc(), col(Article.id).desc())
        )
    )


def article_numbered(session: Session, number: int) -> Article:
    """Return the article with this number; NotFound where there is none."""
    # A number that no database column holds would be the driver's error, not an answer.
    known = 0 < number < 2**31
    article = session.exec(select(Article).where(Article.id == number)).first() if known else None
    if article is None:
        raise NotFound(f"There is no article {number}.", remedy="See: forecasts articles.")
    return article


def passage(session: Session, number: int, quote: str = "") -> Passage:
    """Return the passage of that article; Refused where the quote does not stand in it."""
    article = article_numbered(session, number)
    if not quote:
        return Passage(article)
    start = locate(article.text, quote, "", "")
    if start is None:
        raise Refused(
            f"{quote!r} does not stand in article {number}, {article.title!r}.",
            remedy="Copy the passage exactly.",
        )
    prefix, suffix = context(article.text, start, start + len(quote))
    return Passage(article, quote=quote, prefix=prefix, suffix=suffix)


def questions_of(
    session: Session, article: Article, *, now: datetime
) -> list[tuple[QuestionSource, Stands]]:
    """Return the questions that were taken from the article, each with its passage."""
    rows = session.exec(
        select(QuestionSource, Question.slug)
        .join(Question, col(Question.id) == col(QuestionSource.question_id))
        .where(QuestionSource.article_id == article.id)
        .order_by(col(QuestionSource.id))
    ).all()
    stands = {
        standing.slug: standing
        for standing in question_listing(session, now=now, only=[slug for _, slug in rows])
    }
    return [(source, stands[slug]) for source, slug in rows]


def question_counts(session: Session) -> dict[int, int]:
    """Return how many questions each article has, by the article's id; absent: none."""
    return dict(
        session.exec(
            select(
                QuestionSource.article_id,
                func.count(func.distinct(col(QuestionSource.question_id))),
            ).group_by(col(QuestionSource.article_id))
        ).all()
    )
