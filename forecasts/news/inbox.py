"""The inbox: the articles of the last month for a member, and the member's answers to them.

An article's suggestions are the open questions that it bears on (``matches``), from each question's
threshold on: the member's own, or else the one that their answers teach
(``matching.learned_threshold``). A broad question has no more than ``A_MONTH`` in a window: the
best. After "not this kind again", an article that shares no other words with the question than the
one so answered is not suggested.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from typing import Any, NamedTuple, cast

from sqlalchemy.orm import QueryableAttribute, aliased, defer
from sqlmodel import Session, case, col, func, select
from sqlmodel.sql.expression import SelectOfScalar

from forecasts.access.roles import Action, require
from forecasts.articles.drafts import Draft, drafts_of
from forecasts.common.errors import Refused
from forecasts.ledger.append import written
from forecasts.ledger.models import (
    Article,
    Citation,
    Evidence,
    Feed,
    FeedEntry,
    FeedKeep,
    Forecast,
    Member,
    NewsAnswer,
    NewsReply,
    Question,
    QuestionSource,
    QuestionType,
    Resolution,
    ResolutionState,
    Stance,
)
from forecasts.news.matches import AT_ONCE, LEAST, WINDOW, Found, matches, texts_of, uncompared
from forecasts.news.matching import A_MONTH, learned_threshold
from forecasts.news.stories import stories_of
from forecasts.questions.standing import QuestionState, by_id, rows_with
from forecasts.reading.drafting.outcomes_told import answer_told
from forecasts.reading.drafting.sentences import find_sentences
from forecasts.reading.drafting.strength import Strength
from forecasts.updates.evidence import CitedEvidence
from forecasts.updates.updates import Saved, current_forecast, current_forecasts, update
from forecasts.values.value import Value, value_of

_TOLD_WITHIN = 50_000  # characters of an article
DRAFTED = 1_000  # articles with drafts: a text takes some hundredths of a second to read
OTHERS = 200  # articles without suggestions: the newest
_Pair = tuple[int, int]  # the ids of a question and an article


class Section(StrEnum):
    """The part of the inbox that an article is in."""

    mine = "mine"  # it bears on a question that the member has forecast
    new = "new"  # it bears on another question, or has possible questions
    rest = "rest"


_PLACES = {section: place for place, section in enumerate(Section)}


@dataclass(frozen=True)
class Suggestion:
    """A question that an article bears on, with the member's forecast on it.

    ``score``, ``passage`` and ``words``: as in ``matching.Match``. ``answer``: ``accepted``,
    ``dismissed``, ``muted``, or ``cited`` and ``source`` if the question has the article already;
    None: the member has not answered it. ``told``: a sentence of the article that seems to say that
    the outcome is yes, if one does and the article's text was read.
    """

    state: QuestionState
    article_id: int
    forecast: Forecast | None
    score: float
    passage: str
    words: tuple[str, ...]
    answer: str | None = None
    told: str = ""


@dataclass(frozen=True)
class Item:
    """An article with its suggestions, the member's own questions first, then the best matches.

    ``drafts``: the possible questions that can be registered as they are, each with its number.
    """

    article: Article
    suggestions: list[Suggestion]
    drafts: list[tuple[int, Draft]]

    @property
    def section(self) -> Section:
        """The part of the inbox that it is in."""
        return section_of(self.suggestions, self.drafts)


@dataclass(frozen=True)
class Waiting:
    """A question with the matches that wait for the member, those of the newest articles first.

    ``forecast``: the member's current one; the articles are then those captured since.
    """

    question_id: int
    forecast: Forecast | None
    found: list[Found]


@dataclass(frozen=True)
class Overview:
    """The new articles by the questions that they bear on.

    ``waiting``: the questions of the newest articles first. ``others``: of the ``OTHERS`` newest
    articles that bear on no question one of each story, the newest, without its text and with the
    number of its others. ``uncompared``: the articles that are not compared yet with all questions
    as they are worded; the ``AT_ONCE`` newest are.
    """

    waiting: list[Waiting]
    others: list[tuple[Article, int]]
    uncompared: int


@dataclass(frozen=True)
class Report:
    """An article that is suggested for a question; ``others``: those with nearly its words."""

    suggestion: Suggestion
    article: Article
    others: int


@dataclass(frozen=True)
class Subject:
    """A question with its new articles, the newest first, one of each story.

    ``forecast``: as in ``Waiting``.
    """

    state: QuestionState
    forecast: Forecast | None
    reports: list[Report]


@dataclass(frozen=True)
class Threshold:
    """The score from which a question is suggested to a member.

    ``is_own``: the member has set it. ``accepted`` and ``dismissed``: the number of their answers.
    """

    score: float
    is_own: bool
    accepted: int
    dismissed: int


def section_of(suggestions: Sequence[Suggestion | _Answered], drafts: Sequence[object]) -> Section:
    """Return the part of the inbox for an article with these suggestions and drafts."""
    waiting = [one for one in suggestions if one.answer is None]
    if any(one.forecast is not None for one in waiting):
        return Section.mine
    return Section.new if waiting or drafts else Section.rest


def inbox(
    session: Session, member: Member | None, *, now: datetime, most: int | None = None
) -> list[Item]:
    """Return the articles of the last ``WINDOW``, by section, of each the newest first.

    ``most``: those with suggestions that wait for an answer come before the others, and only the
    drafts of the articles returned are made, and at most of the ``DRAFTED`` first. Of articles
    without suggestions, the ``OTHERS`` newest, without those of feeds that keep only matched ones.
    """
    found: dict[int, list[_Answered]] = defaultdict(list)
    for one in _to_suggest(session, member, now=now):
        found[one.match.article_id].append(one)
    newest = session.exec(_newest(now)).all()
    unlisted = set(session.exec(_unlisted(member)))
    others = [id_ for id_ in newest if id_ not in found and id_ not in unlisted][:OTHERS]
    listed = [id_ for id_ in newest if id_ in found] + others
    # Drafts decide between the last two sections, and are made of the articles returned alone.
    first = {id_: section_of(some, ()) for id_, some in found.items()}
    listed.sort(key=lambda id_: _PLACES[first.get(id_, Section.rest)])
    listed = listed[:most]
    articles = {row.id: row for row in rows_with(session, select(Article), Article.id, listed)}
    shown = [one for id_ in listed for one in found.get(id_, ())]
    suggested: dict[int, list[Suggestion]] = defaultdict(list)
    rejected = _rejected(session, [one.match.question_id for one in shown])
    for each in _suggestions(session, shown, now=now):
        article = articles[each.article_id]
        suggested[article.id].append(_with_told(each, article, article.text, rejected))
    items = []
    for place, id_ in enumerate(listed):
        some = sorted(suggested[id_], key=lambda one: (one.forecast is None, -one.score))
        drafts = _ready(articles[id_], now) if place < DRAFTED else []
        items.append(Item(articles[id_], some, drafts))
    return sorted(items, key=lambda item: _PLACES[item.section])


def overview(session: Session, member: Member | None, *, now: datetime) -> Overview:
    """Return the questions that wait for the member, and the other new articles.

    The number of SQL statements grows only with thousands of questions; no texts are read.
    """
    every = _to_suggest(session, member, now=now, at_once=AT_ONCE)
    by_question: dict[int, list[_Answered]] = defaultdict(list)
    for one in _since_forecast(every):
        by_question[one.match.question_id].append(one)
    waiting = [
        Waiting(id_, some[0].forecast, [one.match for one in some])
        for id_, some in by_question.items()
    ]
    known = {one.match.article_id for one in every}
    newest = _newest(now).where(col(Article.id).not_in(_unlisted(member)))
    found = session.exec(newest.limit(OTHERS + len(known))).all()
    ids = [id_ for id_ in found if id_ not in known][:OTHERS]
    articles, stories = _without_texts(session, ids), stories_of(session, ids)
    others = [(articles[first], like) for first, like in _one_of_each(stories, ids)]
    return Overview(waiting, others, uncompared(session, now=now, at_once=AT_ONCE))


def subjects(
    session: Session, listed: Sequence[Waiting], *, now: datetime, texts: int = 0
) -> list[Subject]:
    """Return the questions of some that wait, with their articles.

    ``texts``: of each question, the texts of so many articles are read, for ``Suggestion.told``.
    """
    answered = [_Answered(one, row.forecast, None) for row in listed for one in row.found]
    suggested: dict[int, list[Suggestion]] = defaultdict(list)
    for each in _suggestions(session, answered, now=now):
        suggested[each.state.id].append(each)
    stories = stories_of(session, sorted({one.match.article_id for one in answered}))
    told = {
        row.question_id: _one_of_each(stories, [one.article_id for one in row.found])
        for row in listed
    }
    firsts = {first for some in told.values() for first, _ in some}
    read = {first for some in told.values() for first, _ in some[:texts]}
    articles = _articles(session, firsts, read)
    rejected = _rejected(session, list(told))
    found = []
    for row in listed:
        if row.question_id not in suggested:  # hidden or discarded meanwhile
            continue
        of_article = {one.article_id: one for one in suggested[row.question_id]}
        reports = []
        for first, others in told[row.question_id]:
            with_told = _with_told(of_article[first], *articles[first], rejected)
            reports.append(Report(with_told, articles[first][0], others))
        found.append(Subject(suggested[row.question_id][0].state, row.forecast, reports))
    return found


def _with_told(
    one: Suggestion, article: Article, body: str, rejected: Mapping[int, datetime]
) -> Suggestion:
    """Return the suggestion with a sentence of the article that seems to tell its outcome.

    One that was answered, or whose question has a proposal, is left as it is. So is one of an
    article that was here when somebody rejected that outcome (``rejected``, by question).
    """
    text, since = one.state.text, article.published_at or article.captured_at
    no = rejected.get(one.state.id)
    waits = one.answer is None and not one.state.proposals
    waits = waits and (no is None or article.captured_at > no)
    if not (body and waits and text.type == QuestionType.binary and text.open_time < since):
        return one
    return replace(one, told=answer_told(text.title, [article.title, *_sentences(body)]))


def _rejected(session: Session, questions: Sequence[int]) -> dict[int, datetime]:
    """Return when a proposed yes was last rejected, by question."""
    row = Resolution
    every = select(row.question_id, func.max(row.recorded_at)).group_by(col(row.question_id))
    no = every.where(row.state == ResolutionState.rejected, row.outcome == "yes")
    return dict(rows_with(session, no, row.question_id, sorted({*questions})))


@lru_cache(maxsize=16)  # an article can bear on many questions
def _sentences(body: str) -> tuple[str, ...]:
    body = body[:_TOLD_WITHIN]
    return tuple(body[start:end] for start, end in find_sentences(body))


def _one_of_each(stories: Mapping[int, int], ids: Iterable[int]) -> list[tuple[int, int]]:
    """Return the first article of each story, with the number of its others."""
    told: dict[int, list[int]] = defaultdict(list)
    for id_ in ids:
        told[stories.get(id_, id_)].append(id_)
    return [(first, len(others)) for first, *others in told.values()]


def drafts_in(
    session: Session, articles: Sequence[int], *, now: datetime
) -> dict[int, list[tuple[int, Draft]]]:
    """Return by article the possible questions that can be registered as they are, as in ``Item``.

    A text takes some hundredths of a second to read.
    """
    rows = rows_with(session, select(Article), Article.id, articles)
    return {row.id: _ready(row, now) for row in rows}


def newest_suggestions(
    session: Session,
    member: Member,
    mine: Mapping[int, tuple[QuestionState, Forecast]],
    *,
    now: datetime,
) -> dict[int, tuple[Suggestion, Article]]:
    """Return by question the newest article suggested since the member's forecast, in ``mine``.

    Without those that the member has answered, or that the question has already.
    """
    if not mine:
        return {}
    forecasts = {id_: forecast for id_, (_, forecast) in mine.items()}
    every = _to_suggest(session, member, now=now, forecasts=forecasts, at_once=AT_ONCE)
    newest = {one.match.question_id: one for one in reversed(_since_forecast(every))}
    articles = _without_texts(session, {one.match.article_id for one in newest.values()})
    states = {id_: state for id_, (state, _) in mine.items()}
    read = _suggestions(session, list(newest.values()), now=now, states=states)
    return {one.state.id: (one, articles[one.article_id]) for one in read}


def _since_forecast(found: Iterable[_Answered]) -> list[_Answered]:
    """Return the unanswered ones of articles captured since the forecast, the newest first.

    Without a forecast all are.
    """
    since = [
        one
        for one in found
        if one.answer is None
        and (one.forecast is None or one.match.captured_at > one.forecast.made_at)
    ]
    return sorted(
        since, key=lambda one: (one.match.captured_at, one.match.article_id), reverse=True
    )


def _newest(now: datetime) -> SelectOfScalar[int]:
    return (
        select(Article.id)
        .where(col(Article.captured_at) > now - WINDOW, col(Article.captured_at) <= now)
        .order_by(col(Article.captured_at).desc(), col(Article.id).desc())
    )


def _unlisted(member: Member | None) -> Any:
    """Return the articles that came only by feeds whose articles are listed only if matched.

    One that was captured before a feed had it was pasted, and stays listed.
    """
    kept, by_feed = col(Feed.keep), aliased(FeedEntry)
    brought = (
        select(by_feed.id)
        .join(Article, col(Article.id) == col(by_feed.article_id))
        .where(
            by_feed.article_id == FeedEntry.article_id,
            col(by_feed.recorded_at) <= col(Article.captured_at),
        )
    )
    return (
        select(FeedEntry.article_id)
        .join(Feed, col(Feed.id) == col(FeedEntry.feed_id))
        .where(
            Feed.member_id == (None if member is None else member.id),
            col(FeedEntry.article_id).is_not(None),
            col(Feed.removed_at).is_(None),
        )
        .group_by(col(FeedEntry.article_id))
        .having(
            func.min(kept) == FeedKeep.matched,
            func.max(kept) == FeedKeep.matched,
            brought.exists(),
        )
    )


def _without_texts(session: Session, ids: Iterable[int]) -> dict[int, Article]:
    return {id_: article for id_, (article, _) in _articles(session, ids).items()}


def _articles(
    session: Session, ids: Iterable[int], texts: Iterable[int] = ()
) -> dict[int, tuple[Article, str]]:
    """Return these articles without their texts, each beside its text if it is in ``texts``."""
    body = case((col(Article.id).in_(texts), col(Article.text)), else_="")
    without = defer(cast("QueryableAttribute[str]", Article.text))
    every = select(Article, body).options(without)
    rows = rows_with(session, every, Article.id, sorted(ids))
    return {article.id: (article, text) for article, text in rows}


def accept(
    session: Session,
    question: Question,
    article: Article,
    value: Value | None = None,
    *,
    member: Member,
    now: datetime,
    stance: Stance | None = None,
    rationale: str = "",
    origin: str = "cli",
) -> Saved:
    """Return the member's update that cites the article, which is written with the answer.

    ``value`` None: the forecast stays as it is, and cites the article as context unless a
    ``stance`` is given. Refused then without a forecast, and as ``update`` refuses.
    """
    if value is None:
        before = current_forecast(session, question, member, at=now, own=True)
        if before is None:
            raise Refused(
                f"You have not forecast {question.slug!r} yet, so there is nothing to cite for.",
                remedy="Give a probability.",
            )
        value, stance = value_of(before), stance or Stance.context
    match = _match(session, question, article, now)
    cited = CitedEvidence(
        url=article.address,
        title=article.title,
        quote=match.passage if match else "",
        stance=stance,
    )
    saved = update(
        session,
        question,
        value,
        member=member,
        now=now,
        rationale=rationale,
        evidence=[cited],
        origin=origin,
    )
    _answer(session, question, article, NewsReply.accepted, match, member, now)
    return saved


def dismiss(
    session: Session,
    question: Question,
    article: Article,
    *,
    member: Member,
    now: datetime,
    kind: bool = False,
) -> NewsAnswer:
    """Return the member's answer that the article does not bear on the question; it is written.

    ``kind``: nor do others that share only the same words with it.
    """
    require(session, member, Action.forecast, question, now=now)
    match = _match(session, question, article, now)
    reply = NewsReply.muted if kind else NewsReply.dismissed
    return _answer(session, question, article, reply, match, member, now)


def reopen(
    session: Session, question: Question, article: Article, *, member: Member, now: datetime
) -> NewsAnswer:
    """Return the answer that takes back the member's dismissal of an article; it is written.

    Refused if it was not dismissed.
    """
    require(session, member, Action.forecast, question, now=now)
    before = _Answers(session, member).newest.get((question.id, article.id))
    if before is None or before.answer not in (NewsReply.dismissed, NewsReply.muted):
        raise Refused(
            f"You have not dismissed article {article.id} for {question.slug!r}.",
            remedy="Look the article up in your inbox.",
        )
    match = _match(session, question, article, now)
    return _answer(session, question, article, NewsReply.reopened, match, member, now)


def set_threshold(
    session: Session, question: Question, score: float | None, *, member: Member, now: datetime
) -> Threshold:
    """Return the member's threshold of the question, which is written; None: the learned one.

    Refused unless it is from ``LEAST`` to 1.
    """
    require(session, member, Action.forecast, question, now=now)
    if score is not None and not LEAST <= score <= 1:
        raise Refused(
            f"The threshold of a question is from {LEAST} to 1, got {score}.",
            remedy="Give a number such as 0.4; a higher one suggests fewer articles.",
        )
    row = NewsAnswer(
        member_id=member.id,
        question_id=question.id,
        answer=NewsReply.threshold,
        score=score,
        recorded_at=now,
    )
    written(session, row)
    return threshold(session, question, member=member, now=now)


def threshold(session: Session, question: Question, *, member: Member, now: datetime) -> Threshold:
    """Return the score from which the question is suggested to the member."""
    require(session, member, Action.see, question, now=now)
    return _Answers(session, member).threshold(question.id)


def _match(session: Session, question: Question, article: Article, now: datetime) -> Found | None:
    """Return the match of the two, whatever its score; None if it is not stored."""
    return next(matches(session, now=now, only=[question.id], article=article.id), None)


def _answer(
    session: Session,
    question: Question,
    article: Article,
    reply: NewsReply,
    match: Found | None,
    member: Member,
    now: datetime,
) -> NewsAnswer:
    row = NewsAnswer(
        member_id=member.id,
        question_id=question.id,
        article_id=article.id,
        answer=reply,
        score=match.score if match else None,
        words=match.words if match else None,
        recorded_at=now,
    )
    return written(session, row)


class _Answers:
    """A member's answers: by question and article, and the words muted by question."""

    def __init__(self, session: Session, member: Member | None) -> None:
        self.newest: dict[_Pair, NewsAnswer] = {}
        self._own: dict[int, float | None] = {}
        self.muted: dict[int, list[frozenset[str]]] = defaultdict(list)
        self._scores: dict[tuple[int, str], list[float]] = defaultdict(list)
        self._least: dict[int, float] = {}  # thresholds
        rows: Sequence[NewsAnswer] = ()
        if member is not None:
            theirs = select(NewsAnswer).where(NewsAnswer.member_id == member.id)
            rows = session.exec(theirs.order_by(col(NewsAnswer.id))).all()
        for row in rows:
            if row.article_id is None:
                self._own[row.question_id] = row.score
            else:
                self.newest[row.question_id, row.article_id] = row
        for row in self.newest.values():
            if row.score is not None:
                self._scores[row.question_id, row.answer].append(row.score)
            if row.answer == NewsReply.muted and row.words:
                self.muted[row.question_id].append(frozenset(row.words))

    def threshold(self, question_id: int) -> Threshold:
        """Return the question's threshold."""
        own = self._own.get(question_id)
        accepted, dismissed = (
            self._scores.get((question_id, reply), [])
            for reply in (NewsReply.accepted, NewsReply.dismissed)
        )
        learned = learned_threshold(accepted, dismissed)
        score = learned if own is None else own
        return Threshold(score, own is not None, len(accepted), len(dismissed))

    def suggests(self, one: Found) -> bool:
        """Return whether the match is good enough, and not of a kind that is muted.

        An answered one stays, so that its answer is shown.
        """
        if (one.question_id, one.article_id) in self.newest:
            return True
        least = self._least.get(one.question_id)
        if least is None:
            least = self._least[one.question_id] = self.threshold(one.question_id).score
        if one.score < least:
            return False
        muted = self.muted.get(one.question_id, ())
        return not any(some.issuperset(one.words) for some in muted)


class _Answered(NamedTuple):
    """A match to suggest, with the member's forecast and answer (see ``Suggestion``)."""

    match: Found
    forecast: Forecast | None
    answer: str | None


def _to_suggest(
    session: Session,
    member: Member | None,
    *,
    now: datetime,
    forecasts: Mapping[int, Forecast] | None = None,
    at_once: int | None = None,
) -> list[_Answered]:
    """Return the matches to suggest to the member, by question, the best first.

    ``forecasts``: only those on these questions, by id; None: the member's current ones, and those
    on other questions. ``at_once``: see ``matches``.
    """
    answers = _Answers(session, member)
    by_question: dict[int, list[Found]] = defaultdict(list)
    only = None if forecasts is None else list(forecasts)
    how: Any = {"best": A_MONTH, "whole": list(answers.muted), "at_once": at_once}
    for one in matches(session, now=now, only=only, **how):
        if answers.suggests(one):
            by_question[one.question_id].append(one)
    if not by_question:
        return []
    if forecasts is None:
        forecasts = (
            {} if member is None else current_forecasts(session, member, at=now, unresolved=True)
        )
    known = _known(session, member, list(by_question))
    found = []
    for id_, some in by_question.items():
        for one in sorted(some, key=lambda one: (-one.score, -one.article_id))[:A_MONTH]:
            pair = id_, one.article_id
            row = answers.newest.get(pair)
            if row is not None and row.answer == NewsReply.reopened:
                row = None
            answer = known.get(pair) if row is None else str(row.answer)
            found.append(_Answered(one, forecasts.get(id_), answer))
    return found


def _suggestions(
    session: Session,
    found: Sequence[_Answered],
    *,
    now: datetime,
    states: Mapping[int, QuestionState] | None = None,
) -> list[Suggestion]:
    """Return the suggestions, with the questions and those passages and words not yet read."""
    if states is None:
        states = by_id(session, [one.match.question_id for one in found], now=now)
    texts = texts_of(session, [one.match.article_id for one in found if not one.match.words])
    made = []
    for match, forecast, answer in found:
        pair = match.question_id, match.article_id
        passage, words = texts.get(pair, (match.passage, match.words))
        state = states.get(match.question_id)
        if state is None:  # hidden or discarded since the matches were read
            continue
        why = match.score, passage, tuple(words)
        made.append(Suggestion(state, match.article_id, forecast, *why, answer))
    return made


def _known(session: Session, member: Member | None, questions: Sequence[int]) -> dict[_Pair, str]:
    """Return the pairs in which the article is the question's source, or cited by the member."""
    sources = select(QuestionSource.question_id, QuestionSource.article_id)
    pairs = rows_with(session, sources, QuestionSource.question_id, questions)
    known: dict[_Pair, str] = dict.fromkeys(pairs, "source")
    if member is None:
        return known
    citing = (
        select(Forecast.question_id, Evidence.article_id)
        .join(Citation, col(Citation.forecast_id) == col(Forecast.id))
        .join(Evidence, col(Evidence.id) == col(Citation.evidence_id))
        .where(Forecast.member_id == member.id, col(Evidence.article_id).is_not(None))
    )
    cited = rows_with(session, citing, Forecast.question_id, questions)
    return known | dict.fromkeys(cited, "cited")


def _ready(article: Article, now: datetime) -> list[tuple[int, Draft]]:
    """Return the drafts that can be registered as they are, each with its number from 1."""
    return [
        (number, draft)
        for number, draft in enumerate(drafts_of(article), 1)
        if draft.is_complete
        and draft.strength is Strength.strong
        and not draft.told
        and draft.close_date is not None
        and draft.close_date >= now.date()
    ]
