"""Articles in the ledger: store what was captured, once each; find them again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, cast

from sqlalchemy import or_
from sqlalchemy.orm import QueryableAttribute, defer
from sqlmodel import Session, col, func, select

from forecasts.access.roles import Action, require
from forecasts.access.visibility import question_visible
from forecasts.articles.article import PARAGRAPH, CapturedArticle, content_hash
from forecasts.articles.lines import key
from forecasts.common.errors import NotFound
from forecasts.common.limits import require_name
from forecasts.ledger.models import Article, Member, QuestionSource

if TYPE_CHECKING:
    from forecasts.articles.drafting.drafts import Draft


SIZE = 20  # articles of a page


def store(
    session: Session, captured: Sequence[CapturedArticle], *, member: Member, captured_at: datetime
) -> list[tuple[Article, bool]]:
    """Return the articles, each with whether it is new; those that are new are written.

    The same words are the same article, wherever they were found (see ``content_hash``). So are
    other words at its address, if it still has its title or half its paragraphs: the first capture
    stays, because passages of it are quoted. Only a text more than twice as long is stored beside
    it, as what was captured first was then no more than the beginning. Articles that are stored
    together were told apart by whoever hands them over, at whatever address.
    """
    require(session, member, Action.capture, now=captured_at)
    stored: list[tuple[Article, bool]] = []
    for article in captured:
        if article.url is not None:
            require_name(article.url, "The address of an article")
        together = {row.id for row, _ in stored}
        known = session.exec(
            select(Article).where(Article.content_hash == content_hash(article))
        ).first()
        if known is None and article.url is not None:
            here = session.exec(
                select(Article).where(Article.url == article.url).order_by(col(Article.id))
            )
            known = next(
                (row for row in here if row.id not in together and _is_that(article, row)), None
            )
        if known is not None:
            stored.append((known, False))
            continue
        row = row_of(article, captured_at=captured_at)
        row.member_id = member.id
        session.add(row)
        session.flush()
        stored.append((row, True))
    return stored


def row_of(captured: CapturedArticle, *, captured_at: datetime) -> Article:
    """Return the row that such an article would have; it is not stored, and has no number."""
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


def _is_that(captured: CapturedArticle, stored: Article) -> bool:
    """Return whether what was captured at the address of ``stored`` is that article, changed."""
    if len(captured.text) > 2 * len(stored.text):
        return False
    new, old = (
        {key(part) for part in text.split(PARAGRAPH)} for text in (captured.text, stored.text)
    )
    same_title = key(captured.title) == key(stored.title)
    return same_title or 2 * len(new & old) >= min(len(new), len(old))


def listing(session: Session) -> list[Article]:
    """Return every article without its text, the newest capture first."""
    return list(
        session.exec(
            select(Article)
            .options(defer(cast("QueryableAttribute[str]", Article.text)))
            .order_by(col(Article.captured_at).desc(), col(Article.id).desc())
        )
    )


@dataclass(frozen=True)
class Shelf:
    """Some of the stored articles, without their texts, each with how many questions it has.

    ``number``: which page it is, from 1; ``passing``: how many articles pass in all.
    """

    articles: list[tuple[Article, int]]
    number: int
    passing: int

    @property
    def pages(self) -> int:
        """How many pages there are."""
        return max(1, -(-self.passing // SIZE))


def shelf(session: Session, *, words: str = "", unasked: bool = False, number: int = 1) -> Shelf:
    """Return that page of the articles, the newest capture first; the last one beyond that.

    ``words``: all of them must stand in the title, the publisher or the text. ``unasked``: only
    those from which no question was taken yet. Three statements, however many there are.
    """
    asked = select(QuestionSource.id).where(
        col(QuestionSource.article_id) == col(Article.id),
        question_visible(session, QuestionSource.question_id),
    )
    fits = [~asked.exists()] if unasked else []
    fits += [
        or_(
            *(
                col(said).icontains(word, autoescape=True)
                for said in (Article.title, Article.publisher, Article.text)
            )
        )
        for word in words.split()
    ]
    passing = session.exec(select(func.count(col(Article.id))).where(*fits)).one()
    number = max(1, min(number, -(-passing // SIZE)))
    articles = session.exec(
        select(Article)
        .where(*fits)
        .options(defer(cast("QueryableAttribute[str]", Article.text)))
        .order_by(col(Article.captured_at).desc(), col(Article.id).desc())
        .offset((number - 1) * SIZE)
        .limit(SIZE)
    ).all()
    counts = question_counts(session, [article.id or 0 for article in articles])
    return Shelf([(one, counts.get(one.id or 0, 0)) for one in articles], number, passing)


def drafts_of(article: Article) -> list[Draft]:
    """Return the drafts of a stored article, in the order of its text; people number them from 1.

    Relative deadlines count from the day of publication, or of capture where that is not known.
    """
    # The grammar takes a tenth of a second to load, and few commands draft anything.
    from forecasts.articles.drafting.drafts import draft_questions

    published = article.published_at or article.captured_at
    return draft_questions(article.text, published_at=published.date())


def draft_numbered(article: Article, number: int) -> Draft:
    """Return the draft with this number, from 1; NotFound where the article has none."""
    drafts = drafts_of(article)
    if 0 < number <= len(drafts):
        return drafts[number - 1]
    has = {0: "no drafts", 1: "one draft"}.get(len(drafts), f"{len(drafts)} drafts")
    raise NotFound(
        f"There is no draft {number}: article {article.id}, {article.title!r}, has {has}.",
        remedy=f"See: forecasts articles {article.id}.",
    )


def article_numbered(session: Session, number: int) -> Article:
    """Return the article with this number; NotFound where there is none."""
    # A number that no database column holds would be the driver's error, not an answer.
    known = 0 < number < 2**31
    article = session.exec(select(Article).where(Article.id == number)).first() if known else None
    if article is None:
        raise NotFound(f"There is no article {number}.", remedy="See: forecasts articles.")
    return article


def question_counts(session: Session, only: Sequence[int] | None = None) -> dict[int, int]:
    """Return how many questions each article has, by the article's id; absent: none.

    ``only``: the ids of the articles to count for.
    """
    statement = (
        select(
            QuestionSource.article_id,
            func.count(func.distinct(col(QuestionSource.question_id))),
        )
        .where(question_visible(session, QuestionSource.question_id))
        .group_by(col(QuestionSource.article_id))
    )
    if only is not None:
        statement = statement.where(col(QuestionSource.article_id).in_(only))
    return dict(session.exec(statement).all())
