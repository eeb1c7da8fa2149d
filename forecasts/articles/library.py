"""The articles in the ledger: storing each captured article once, listing and finding them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from sqlalchemy.orm import QueryableAttribute, defer
from sqlmodel import Session, col, func, select
from sqlmodel.sql.expression import SelectOfScalar

from forecasts.access.roles import Action, require
from forecasts.access.visibility import question_visible
from forecasts.common.errors import NotFound, Remedy
from forecasts.common.limits import require_name
from forecasts.ledger.current import in_order
from forecasts.ledger.models import Article, Member, QuestionSource
from forecasts.ledger.searched_words import has_one
from forecasts.reading.article import PARAGRAPH, CapturedArticle, content_hash
from forecasts.reading.lines import fold

PAGE_SIZE = 20  # articles
_TOGETHER = 500  # values in a statement


def store(
    session: Session, captured: Sequence[CapturedArticle], *, member: Member, captured_at: datetime
) -> list[tuple[Article, bool]]:
    """Return the stored articles, each with whether it is new; new ones are written.

    The same text is the same article, wherever it was found (see ``content_hash``). A changed
    text at the same URL is too if it has the same title or half the paragraphs: the first capture
    stays, because questions quote it. Only a text more than twice as long is stored as well,
    because then the first capture was incomplete. Articles stored in one call stay separate,
    even at the same URL.
    """
    require_capture(session, member, now=captured_at)
    for article in captured:
        if article.url is not None:
            require_name(article.url, "The address of an article")
    hashes = [content_hash(article) for article in captured]
    same = {row.content_hash: row for row in _where(session, Article.content_hash, hashes)}
    there: dict[str | None, list[Article]] = {}
    changed = [one.url for one, digest in zip(captured, hashes, strict=True) if digest not in same]
    for row in _where(session, Article.url, [url for url in changed if url is not None]):
        there.setdefault(row.url, []).append(row)
    stored: list[tuple[Article, bool]] = []
    together: set[str] = set()
    for article, digest in zip(captured, hashes, strict=True):
        known = same.get(digest)
        if known is None:
            versions = (row for row in there.get(article.url, ()) if _is_same(article, row))
            known = next((row for row in versions if row.content_hash not in together), None)
        is_new = known is None
        if known is None:
            known = same[digest] = as_row(article, captured_at=captured_at)
            known.member_id = member.id
            session.add(known)
        together.add(known.content_hash)
        stored.append((known, is_new))
    session.flush()
    return stored


def _where(session: Session, column: Any, values: Sequence[str]) -> list[Article]:
    """Return the articles with one of these values in the column, in the order written."""
    found: list[Article] = []
    for start in range(0, len(values), _TOGETHER):
        some = values[start : start + _TOGETHER]
        found += in_order(session, Article, col(column).in_(some))
    return found


def require_capture(session: Session, member: Member, *, now: datetime) -> None:
    """Refuse, with Forbidden, one who may not store articles: before a page is fetched for them."""
    require(session, member, Action.capture, now=now)


def as_row(captured: CapturedArticle, *, captured_at: datetime) -> Article:
    """Return the article's row, not stored and without an ID."""
    return Article(
        content_hash=content_hash(captured),
        url=captured.url,
        title=captured.title,
        publisher=captured.publisher,
        author=captured.author,
        published_at=captured.published_at,
        captured_at=captured_at,
        text=captured.text,
    )


def _is_same(captured: CapturedArticle, stored: Article) -> bool:
    """Return whether an article captured at the URL of ``stored`` is a new version of it."""
    if len(captured.text) > 2 * len(stored.text):
        return False
    new, old = (
        {fold(part) for part in text.split(PARAGRAPH)} for text in (captured.text, stored.text)
    )
    same_title = fold(captured.title) == fold(stored.title)
    return same_title or 2 * len(new & old) >= min(len(new), len(old))


def listing(session: Session, most: int | None = None) -> list[Article]:
    """Return all articles, or at most so many, without their texts, the newest capture first."""
    return list(session.exec(_newest_first().limit(most)))


@dataclass(frozen=True)
class ArticlePage:
    """A page of the stored articles, without their texts, each with its number of questions.

    ``number`` counts pages from 1; ``total`` is the number of articles on all pages.
    """

    articles: list[tuple[Article, int]]
    number: int
    total: int

    @property
    def pages(self) -> int:
        """The number of pages."""
        return max(1, -(-self.total // PAGE_SIZE))


def article_page(
    session: Session, *, words: str = "", without_questions: bool = False, number: int = 1
) -> ArticlePage:
    """Return a page of the articles, the newest capture first, or the last page beyond the end.

    All ``words`` must occur in the title, the publisher or the text. ``without_questions`` leaves
    out articles with questions. Takes three SQL statements.
    """
    has_question = select(QuestionSource.id).where(
        col(QuestionSource.article_id) == col(Article.id),
        question_visible(session, QuestionSource.question_id),
    )
    conditions = [~has_question.exists()] if without_questions else []
    columns = [Article.title, Article.publisher, Article.text]
    conditions += [has_one([word], *columns) for word in words.split()]
    total = session.exec(select(func.count(col(Article.id))).where(*conditions)).one()
    number = max(1, min(number, -(-total // PAGE_SIZE)))
    articles = session.exec(
        _newest_first().where(*conditions).offset((number - 1) * PAGE_SIZE).limit(PAGE_SIZE)
    ).all()
    counts = question_counts(session, [article.id for article in articles])
    return ArticlePage([(one, counts.get(one.id, 0)) for one in articles], number, total)


def _newest_first() -> SelectOfScalar[Article]:
    """Select articles without their texts, the newest capture first."""
    return (
        select(Article)
        .options(defer(cast("QueryableAttribute[str]", Article.text)))
        .order_by(col(Article.captured_at).desc(), col(Article.id).desc())
    )


def find_article(session: Session, number: int) -> Article:
    """Return the article with this number. Raises NotFound."""
    # Beyond the column's range, the database driver would raise an error of its own.
    known = 0 < number < 2**31
    article = session.exec(select(Article).where(Article.id == number)).first() if known else None
    if article is None:
        raise NotFound(
            f"There is no article {number}.", remedy=Remedy("To see them: {}", "articles")
        )
    return article


def question_counts(session: Session, only: Sequence[int] | None = None) -> dict[int, int]:
    """Return the number of questions by article ID, without articles that have none.

    ``only`` limits the count to these article IDs.
    """
    statement = (
        select(
            QuestionSource.article_id, func.count(func.distinct(col(QuestionSource.question_id)))
        )
        .where(question_visible(session, QuestionSource.question_id))
        .group_by(col(QuestionSource.article_id))
    )
    if only is not None:
        statement = statement.where(col(QuestionSource.article_id).in_(only))
    return dict(session.exec(statement).all())
