"""New articles that mention the topics of a member's questions.

An article is new to a question if it was captured after the member's current forecast, is not the
question's source, and has not been cited there by the member. It mentions the question if it has at
least half of the topic words of the question's title, and at least two if there are two: plain
words, so that the reason is obvious.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session, col, select

from forecasts.ledger.models import (
    Article,
    Citation,
    Evidence,
    Forecast,
    Member,
    QuestionSource,
    QuestionText,
)
from forecasts.questions.standing import in_batches

WINDOW = timedelta(days=30)
MOST_ARTICLES = 30  # the newest
_WORD = re.compile(r"[^\W\d_]{3,}")
# Words that say nothing about a question's topic.
_COMMONPLACE = """
    about above after again against all and any are been before being below between both but can
    close come could did does during each end ever exceed first for four from future get had happen
    has have her his how into its last least less lie many more most much next not number off one
    only open or other our out over own percent per point question reach rise said same shall she
    should since some still such take than that the their them then there these they this those
    three through time top under until upon value very was week were what when where which while who
    whom whose why will win with within would year yet you your
    january february march april may june july august september october november december
"""
_COMMON = frozenset(_COMMONPLACE.split())


@dataclass(frozen=True)
class Mention:
    """An article that mentions a question, and the topic words they share."""

    article: Article
    words: tuple[str, ...]


def topic_words(text: QuestionText) -> tuple[str, ...]:
    """Return the topic words of the title, each once, as spelled there."""
    found: dict[str, str] = {}
    for match in _WORD.finditer(text.title):
        if _stem(match[0]) not in _COMMON and match[0].casefold() not in _COMMON:
            found.setdefault(_stem(match[0]), match[0])
    return tuple(found.values())


def _stem(word: str) -> str:
    folded = word.casefold()
    return folded[:-1] if len(folded) > 3 and folded.endswith("s") else folded


def new_mentions(
    session: Session,
    member: Member,
    forecasts: Sequence[tuple[QuestionText, Forecast]],
    *,
    now: datetime,
) -> dict[int, Mention]:
    """Return by question the newest new article that mentions it.

    Of the newest ``MOST_ARTICLES`` captured within ``WINDOW``; four statements at most.
    """
    if not forecasts:
        return {}
    oldest = max(now - WINDOW, min(forecast.made_at for _, forecast in forecasts))
    articles = session.exec(
        select(Article)
        .where(col(Article.captured_at) > oldest, col(Article.captured_at) <= now)
        .order_by(col(Article.captured_at).desc(), col(Article.id).desc())
        .limit(MOST_ARTICLES)
    ).all()
    if not articles:
        return {}
    known = _known(session, member, [forecast.question_id for _, forecast in forecasts])
    worded = [
        (article, {_stem(word) for word in _WORD.findall(f"{article.title} {article.text}")})
        for article in articles
    ]
    found: dict[int, Mention] = {}
    for text, forecast in forecasts:
        about = topic_words(text)
        for article, words in worded:
            if article.captured_at <= forecast.made_at:
                break  # the articles that follow are older
            shared = tuple(word for word in about if _stem(word) in words)
            enough = len(shared) >= max(min(2, len(about)), len(about) / 2)
            if shared and enough and (forecast.question_id, article.id) not in known:
                found[forecast.question_id] = Mention(article, shared)
                break
    return found


def _known(session: Session, member: Member, questions: Sequence[int]) -> set[tuple[int, int]]:
    """Return (question, article) pairs that are the question's source or cited by the member."""
    known: set[tuple[int, int]] = set()
    for some in in_batches(questions):
        known.update(
            session.exec(
                select(QuestionSource.question_id, QuestionSource.article_id).where(
                    col(QuestionSource.question_id).in_(some)
                )
            )
        )
        cited = session.exec(
            select(Forecast.question_id, Evidence.article_id)
            .join(Citation, col(Citation.forecast_id) == col(Forecast.id))
            .join(Evidence, col(Evidence.id) == col(Citation.evidence_id))
            .where(Forecast.member_id == member.id, col(Forecast.question_id).in_(some))
        )
        known.update((question, article) for question, article in cited if article is not None)
    return known
