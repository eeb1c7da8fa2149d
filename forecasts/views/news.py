"""News: the inbox's articles, each with the questions that it bears on and possible new ones."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from pydantic import Field
from sqlmodel import Session

from forecasts.ledger.models import NewsAnswer, NewsReply, Question
from forecasts.news.feeds import FeedInfo
from forecasts.news.inbox import Item, Section, Suggestion
from forecasts.scores.crowd_moves import CrowdMove, crowd_moves
from forecasts.views.forecasts import Value
from forecasts.views.view import View


class SuggestedQuestion(View):
    """An open question that an article bears on."""

    slug: str
    title: str
    score: float = Field(description="how much of the question the article has, 0 to 1")
    passage: str = Field(description="the sentence with the most of the question")
    words: list[str] = Field(description="the words that they share, the weightiest first")
    options: list[str] | None
    forecast: Value | None = Field(description="your current forecast")
    crowd: str | None = Field(
        description="how the crowd has moved away from your forecast since you made it, such as "
        "`40% → 60%`; null if it has not"
    )
    answer: str | None = Field(
        description="accepted, dismissed or muted by you; cited by you, or the question's source; "
        "null: not answered"
    )
    told: str = Field(
        description="the sentence that seems to say that the outcome is yes, or blank; nothing is "
        "proposed automatically"
    )


class PossibleQuestion(View):
    """A possible question in an article, as worded."""

    number: int = Field(description="of the draft in its article")
    question: str
    close_date: date
    quote: str


class InboxArticle(View):
    """An article of the inbox."""

    number: int
    url: str | None
    title: str
    publisher: str | None
    published_at: datetime | None
    captured_at: datetime
    section: Section = Field(
        description="mine: it bears on a question that you have forecast; new: on another one, or "
        "it has possible questions; rest"
    )
    questions: list[SuggestedQuestion] = Field(
        description="those above their threshold, answered or not"
    )
    drafts: list[PossibleQuestion]


class Inbox(View):
    """The first articles of the inbox."""

    articles: list[InboxArticle]


class Answered(View):
    """Your newest answer to an article that the inbox suggested for a question."""

    article: int
    question: str
    answer: NewsReply
    words: list[str] = Field(
        description="the words that the article and the question share; after `muted`, articles "
        "that share only these are not suggested"
    )


class Feeds(View):
    """Your feeds."""

    feeds: list[FeedInfo]


class RefusedFeed(View):
    """An address of a list that was not added."""

    address: str = Field(description="as in the list", examples=["rss.xml"])
    reason: str


class AddedFeeds(View):
    """The feeds at an address."""

    feeds: list[FeedInfo] = Field(description="those that are yours now, new or not")
    refused: list[RefusedFeed]


class RemovedFeed(View):
    """A feed that was removed."""

    title: str


def answered(row: NewsAnswer, question: Question) -> Answered:
    """Return an answer to a suggestion."""
    return Answered(
        article=row.article_id,
        question=question.slug,
        answer=NewsReply(row.answer),
        words=row.words or [],
    )


def inbox(session: Session, items: Sequence[Item], *, now: datetime) -> list[InboxArticle]:
    """Return the articles of an inbox, with the moves of the crowds of the member's questions."""
    moves = moves_since(session, items, now=now)
    return [
        InboxArticle.of(
            item.article,
            number=item.article.id,
            section=item.section,
            questions=[_suggested(one, moves.get(one.state.id)) for one in item.suggestions],
            drafts=[PossibleQuestion.of(draft, number=number) for number, draft in item.drafts],
        )
        for item in items
    ]


def moves_since(session: Session, items: Sequence[Item], *, now: datetime) -> dict[int, CrowdMove]:
    """Return the crowd's moves since the member's forecasts on the suggested questions."""
    mine = {
        one.state.id: (one.state.text, one.forecast)
        for item in items
        for one in item.suggestions
        if one.forecast is not None
    }
    return crowd_moves(session, list(mine.values()), now=now)


def _suggested(one: Suggestion, move: CrowdMove | None) -> SuggestedQuestion:
    return SuggestedQuestion(
        slug=one.state.slug,
        title=one.state.text.title,
        score=round(one.score, 4),
        passage=one.passage,
        words=list(one.words),
        options=one.state.text.options,
        forecast=None if one.forecast is None else Value.model_validate(one.forecast),
        crowd=None if move is None else f"{move.before} → {move.now}",
        answer=one.answer,
        told=one.told,
    )
