"""Articles: a line of a list, and an article with the possible questions in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime

from pydantic import Field
from sqlmodel import Session

from forecasts.articles.drafts import drafts_of
from forecasts.common.times import iso_day_or_time
from forecasts.ledger import models
from forecasts.ledger.models import QuestionType
from forecasts.questions.passages import questions_from
from forecasts.questions.same_questions import find_duplicates
from forecasts.views.view import Next, View


class Draft(View):
    """A possible question in an article."""

    number: int
    quote: str
    start: int = Field(description="of the quote in `text`")
    end: int
    question: str
    close_date: date | None = Field(description="null if the text gives none")
    strength: str
    reason: str
    told: str = Field(description="the passage that seems to tell the outcome, or blank")
    type: QuestionType
    options: list[str] | None
    lower_bound: str | None
    upper_bound: str | None
    unit: str | None
    asked: list[str] = Field(description="the questions already taken from the sentence")
    like: str | None = Field(
        description="a question with the same subject and deadline; only looked for when an "
        "article is shown"
    )


class Article(View):
    """An article in a list."""

    number: int | None = Field(description="null until it is stored")
    title: str
    publisher: str | None
    author: str | None
    published_at: str | None = Field(description="a day, or a time")
    url: str | None


class ArticleDocument(Article):
    """An article with its text and the possible questions in it."""

    text: str
    drafts: list[Draft]


class ArticleList(View):
    """Articles without their texts."""

    articles: list[Article]


class Articles(ArticleList):
    """A page of articles, the newest capture first."""

    next: Next


class Captured(View):
    """Captured articles."""

    articles: list[ArticleDocument]
    left_out: list[str] = Field(description="the pieces of a page that were not stored")


def article(row: models.Article) -> Article:
    """Return an article for a list."""
    return Article.of(row, **_of_article(row))


def _of_article(row: models.Article) -> dict[str, object]:
    at = row.published_at
    return {"number": row.id, "published_at": None if at is None else iso_day_or_time(at)}


def captured(rows: Sequence[models.Article], left_out: Sequence[str] = ()) -> Captured:
    """Return the articles of a capture, which is not compared with questions."""
    return Captured(articles=[_document(row, {}, {}) for row in rows], left_out=left_out)


def document(session: Session, row: models.Article, *, now: datetime) -> ArticleDocument:
    """Return an article with its drafts, and the questions that are taken from them or alike."""
    asked: dict[str, list[str]] = {}
    for source, state in questions_from(session, row, now=now):
        asked.setdefault(source.quote, []).append(state.slug)
    alike = find_duplicates(session, drafts_of(row), now=now)
    return _document(row, asked, {n: state.slug for n, state in enumerate(alike, 1) if state})


def _document(
    row: models.Article, asked: Mapping[str, list[str]], like: Mapping[int, str]
) -> ArticleDocument:
    drafts = [
        Draft.of(
            draft,
            **draft.type_fields,
            number=number,
            asked=asked.get(draft.quote, []),
            like=like.get(number),
        )
        for number, draft in enumerate(drafts_of(row), 1)
    ]
    return ArticleDocument.of(row, **_of_article(row), drafts=drafts)
