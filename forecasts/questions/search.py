"""Search for questions: filter, order and page through them in the database.

However many questions there are, a page takes the same few statements and reads only its own
questions in full. Filters are plain words, so that a web address can hold them.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import case, literal, true
from sqlalchemy.orm import aliased
from sqlmodel import Session, and_, col, func, or_, select

from forecasts.access.visibility import comment_visible, forecast_visible, question_visible
from forecasts.common.text import on_one_line, shortened
from forecasts.ledger.current import (
    close_time,
    has_outcome,
    is_newest_wording,
    is_open_proposal,
    last_forecast,
)
from forecasts.ledger.models import (
    Comment,
    CurrentForecast,
    Forecast,
    Member,
    Question,
    QuestionOrigin,
    QuestionRevision,
    Resolution,
    ResolutionState,
    Team,
)
from forecasts.ledger.searched_words import has_one, word_pattern
from forecasts.ledger.urls import is_embedded
from forecasts.questions.likeness import similar_words
from forecasts.questions.standing import QuestionState, Status, listing
from forecasts.questions.trends import POINTS, Trend, trends
from forecasts.values.outcomes import NOT_SCORED

PAGE_SIZE = 20
MAX_LABELS = 500  # the most common tags or families, offered as filters
_MOST_WORDS = 30  # searched for; a database refuses thousands of conditions
_MOST_CHARACTERS = 1_000  # of the words; SQLite takes no pattern of 50,000
_MOST_PASSAGES = 500  # of a list
_BEFORE, _PASSAGE = 40, 140  # characters of a passage before its first word, and in all


# The filters by status, and one beside them, by their names.
STATUSES = {status.name: status.value for status in Status} | {"proposed": "with a proposal"}


class Order(StrEnum):
    """The order of the questions on a page."""

    close = "next to close"
    newest = "newest"
    alphabet = "by title"
    untouched = "my oldest forecast"


@dataclass(frozen=True)
class Filter:
    """Conditions on a question; a blank field allows any value.

    ``words``: all of them, of many the first, occur in the title, slug, criteria or background, or
    in a visible reason or comment, in any order and case, or, if no question has them all, similar
    words do. Short ones count at the start of words only (``has_one``).
    ``status``: a value of ``STATUSES``; that of ``proposed``: with an open proposal.
    ``mine``: True for questions on which the member has a current forecast, False for the others.
    ``team``: the name of the question's team. ``platform``: the one it was imported from, in lower
    case. ``changed_since``: with a wording, a step of its resolution or a visible forecast recorded
    at that time or later.
    """

    words: str = ""
    status: str = ""
    tag: str = ""
    family: str = ""
    team: str = ""
    type: str = ""
    platform: str = ""
    mine: bool | None = None
    changed_since: datetime | None = None


class Place(StrEnum):
    """The place of a passage with the words of a search."""

    criteria = "in the criteria"
    background = "in the background"
    reason = "in a reason"
    comment = "in a comment"


@dataclass(frozen=True)
class Passage:
    """A passage with words of a search that the question's title lacks, on one line."""

    place: Place
    text: str

    def __str__(self) -> str:
        return f"{self.place}: {self.text}"


@dataclass(frozen=True)
class Row:
    """A question on a page, with the member's current forecast and the crowd's trend.

    ``trend`` is None unless the question is binary and has visible forecasts. ``passage`` is None
    if the title has all words of the search.
    """

    state: QuestionState
    forecast: Forecast | None
    trend: Trend | None
    passage: Passage | None = None


@dataclass(frozen=True)
class Page:
    """One page of the matching questions.

    ``number``: the page, from 1. ``matching``: how many questions match the filter, of ``total``.
    ``similar``: the words that were searched for because nothing has the typed ones.
    """

    rows: list[Row]
    number: int
    matching: int
    total: int
    similar: tuple[str, ...] = ()

    @property
    def pages(self) -> int:
        """The number of pages."""
        return max(1, -(-self.matching // PAGE_SIZE))


def page(
    session: Session,
    by: Filter,
    *,
    member: Member | None,
    now: datetime,
    order: str = Order.close,
    number: int = 1,
    points: int = POINTS,
) -> Page:
    """Return a page of the visible questions that match; the last page if ``number`` is too high.

    ``points``: as in ``rows``.

    ``Order.close`` puts open questions first, soonest close first; then those that need an outcome,
    those not yet open, and resolved ones, most recently closed first. Questions with the words in
    their title come before the others, those with some only in reasons or comments after them.
    """
    total = session.exec(
        select(func.count(col(Question.id))).where(question_visible(session))
    ).one()
    slugs, similar = find(session, by, member=member, now=now, order=order)
    number = max(1, min(number, -(-len(slugs) // PAGE_SIZE)))
    shown = slugs[(number - 1) * PAGE_SIZE : number * PAGE_SIZE]
    words = f"{by.words} {' '.join(similar)}"
    listed = rows(session, shown, member=member, now=now, words=words, points=points)
    return Page(listed, number, len(slugs), total, similar)


def find(
    session: Session, by: Filter, *, member: Member | None, now: datetime, order: str = Order.close
) -> tuple[list[str], tuple[str, ...]]:
    """Return the slugs of all visible questions that match, in order, and the similar words used.

    The order is that of ``page``.
    """
    typed = _split(by.words)
    words = [[word] for word in typed]
    slugs = _slugs(session, by, words, member, now, order)
    if slugs or not words:
        return slugs, ()
    titles = select(col(QuestionRevision.title)).where(
        is_newest_wording(), question_visible(session, QuestionRevision.question_id)
    )
    similar = similar_words(" ".join(typed), session.exec(titles))
    if not similar:
        return [], ()
    words = [[word, *similar.get(word, ())] for [word] in words]
    used = tuple(word for alike in similar.values() for word in alike)
    return _slugs(session, by, words, member, now, order), used


def _split(words: str) -> list[str]:
    return words[:_MOST_CHARACTERS].split()[:_MOST_WORDS]


def passages(
    session: Session, states: Sequence[QuestionState], words: str
) -> dict[int, Passage | None]:
    """Return, by a question's id, a passage that the reader may see with words of a search.

    Of several, the one with the most words that are not in the title; None if there is none. Of
    more than ``_MOST_PASSAGES`` questions, only those of the first.
    """
    typed = {word.casefold() for word in _split(words)}
    missing = {
        state.id: lacking
        for state in states[:_MOST_PASSAGES]
        if (lacking := [w for w in typed if not _has(f"{state.text.title} {state.slug}", w)])
    }
    texts: dict[int, list[tuple[Place, str]]] = defaultdict(list)
    for state in states:
        texts[state.id].append((Place.criteria, state.text.resolution_criteria))
        texts[state.id].append((Place.background, state.text.background))
    sought = sorted({word for some in missing.values() for word in some})
    for table, column, place, visible in _said(session) if missing else ():
        said: Any = (
            select(table.question_id, column, place)
            .where(col(table.question_id).in_(list(missing)), has_one(sought, column), visible)
            .order_by(col(table.id).desc())
        )
        for id_, text, found_in in session.exec(said):
            texts[id_].append((Place(found_in), text))
    return {id_: _passage(texts[id_], lacking) for id_, lacking in missing.items()}


def _passage(texts: Sequence[tuple[Place, str]], words: Sequence[str]) -> Passage | None:
    """Return the passage of the first text with the most of the words around the first of them."""
    place, text = max(texts, key=lambda one: sum(_has(one[1], word) for word in words))
    line = on_one_line(text)
    first = re.search("|".join(map(word_pattern, words)), line, re.IGNORECASE)
    if first is None:
        return None
    before = line[: first.start()]
    if len(before) > _BEFORE:
        before = f"… {before[-_BEFORE:].partition(' ')[2]}"
    return Passage(place, shortened(before + line[first.start() :], _PASSAGE))


def _has(text: str, word: str) -> bool:
    return re.search(word_pattern(word), text, re.IGNORECASE) is not None


def _said(session: Session) -> Sequence[tuple[Any, Any, Any, Any]]:
    """Return the tables of reasons and comments: each with its text, its place, what is visible."""
    explains = col(Comment.forecast_id).is_not(None)
    of_comment = case((explains, Place.reason), else_=Place.comment)
    return (
        (Forecast, col(Forecast.rationale), literal(Place.reason), forecast_visible(session)),
        (Comment, col(Comment.text), of_comment, comment_visible(session)),
    )


def labels(session: Session) -> tuple[list[str], list[str]]:
    """Return the tags and the families in use, in alphabetical order.

    Of more than ``MAX_LABELS``, the most common ones.
    """
    seen = is_newest_wording() & question_visible(session, QuestionRevision.question_id)
    tag = _tag_rows(session)
    tagged = select(tag.c.value).select_from(QuestionRevision).join(tag, literal(True))
    family = col(QuestionRevision.family)
    found = (
        (tag.c.value, tagged.where(seen, col(QuestionRevision.tags).is_not(None))),
        (family, select(family).where(seen, family != "")),
    )
    tags, families = (
        sorted(
            session.exec(
                statement.group_by(label).order_by(func.count().desc(), label).limit(MAX_LABELS)
            )
        )
        for label, statement in found
    )
    return tags, families


def _tag_rows(session: Session) -> Any:
    """Return a table with a row for each of a wording's tags, in the column ``value``."""
    tags = col(QuestionRevision.tags)
    if is_embedded(session.get_bind()):
        return func.json_each(tags).table_valued("value", name="tag")
    return func.json_array_elements_text(tags).table_valued("value", name="tag")


def _slugs(
    session: Session,
    by: Filter,
    words: Sequence[Sequence[str]],
    member: Member | None,
    now: datetime,
    order: str,
) -> list[str]:
    """Return the slugs of the questions that match, in order.

    ``words``: those of the filter, each with the words that count as well.
    """
    text = QuestionRevision
    found: Any = (
        select(Question.slug)
        .join(text, col(text.question_id) == col(Question.id))
        .where(is_newest_wording(), question_visible(session))
    )
    if by.status == STATUSES["proposed"]:
        found = found.where(
            col(Question.id).in_(select(Resolution.question_id).where(is_open_proposal()))
        )
    elif by.status:
        found = found.where(_status(now) == by.status)
    if by.tag:
        tag = _tag_rows(session)
        found = found.where(
            select(literal(1)).select_from(tag).where(tag.c.value == by.tag).exists()
        )
    if by.family:
        found = found.where(text.family == by.family)
    if by.type:
        found = found.where(text.type == by.type)
    if by.team:
        found = found.join(Team, col(Team.id) == col(text.team_id)).where(Team.name == by.team)
    if by.platform:
        origin = select(QuestionOrigin.question_id).where(QuestionOrigin.platform == by.platform)
        found = found.where(col(Question.id).in_(origin))
    if by.mine is not None:
        withdrawn = last_forecast(Forecast.withdrawn, _id(member), now)
        found = found.where(withdrawn.is_(False) if by.mine else func.coalesce(withdrawn, True))
    if by.changed_since is not None:
        found = found.where(_changed(session, by.changed_since))
    texts = (text.title, Question.slug, text.resolution_criteria, text.background)
    for alike in words:
        said = (
            select(table.question_id).where(has_one(alike, column), visible)
            for table, column, _, visible in _said(session)
        )
        found = found.where(
            or_(has_one(alike, *texts), *(col(Question.id).in_(some) for some in said))
        )
    ranked = [*_order(order, member, now), col(Question.id)]
    if words and order == Order.close:
        titled, worded = (
            and_(*(has_one(alike, *columns) for alike in words))
            for columns in ([text.title], texts)
        )
        ranked.insert(0, case((titled, 0), (worded, 1), else_=2))
    return list(session.exec(found.order_by(*ranked)))


def _changed(session: Session, since: datetime) -> Any:
    """Return the condition that something visible about the question was recorded since."""
    made = forecast_visible(session, made=CurrentForecast)
    seen = ((aliased(QuestionRevision), true()), (Resolution, true()), (CurrentForecast, made))
    return or_(
        *(
            select(table.id)
            .where(table.question_id == Question.id, table.recorded_at >= since, visible)
            .correlate(Question)
            .exists()
            for table, visible in seen
        )
    )


def _status(now: datetime) -> Any:
    """Return the status of a question at that time as a column, as ``standing`` derives it."""
    is_outcome = col(Resolution.state) == ResolutionState.confirmed
    outcome = (  # of the newest confirmed row; none if it was withdrawn
        select(case((is_outcome, col(Resolution.outcome))))
        .where(
            col(Resolution.question_id) == col(Question.id),
            is_outcome | (col(Resolution.state) == ResolutionState.withdrawn),
        )
        .order_by(col(Resolution.id).desc())
        .limit(1)
        .correlate(Question)
        .scalar_subquery()
    )
    return case(
        *((outcome == name, Status(name).value) for name in NOT_SCORED),
        (outcome.is_not(None), Status.resolved.value),
        (col(QuestionRevision.open_time) > now, Status.upcoming.value),
        (close_time() > now, Status.open.value),
        else_=Status.awaiting.value,
    )


# Open questions come first, then those that need an outcome; resolved ones come last.
_STATUS_ORDER = (Status.open, Status.awaiting, Status.upcoming)


def _order(order: str, member: Member | None, now: datetime) -> Sequence[Any]:
    if order == Order.newest:
        return [col(Question.recorded_at).desc(), col(Question.id).desc()]
    if order == Order.alphabet:
        return [func.lower(col(QuestionRevision.title))]
    if order == Order.untouched:
        made = last_forecast(Forecast.made_at, _id(member), now)
        return [made.is_(None), made, close_time()]
    rank = case(
        {status.value: number for number, status in enumerate(_STATUS_ORDER)},
        value=_status(now),
        else_=len(_STATUS_ORDER),
    )
    over = has_outcome(Question.id)
    # A case without a match is NULL for all of the other group, which leaves their order open.
    return [rank, case((~over, close_time())), case((over, close_time())).desc()]


def _id(member: Member | None) -> int:
    return 0 if member is None else member.id


def rows(
    session: Session,
    slugs: Sequence[str],
    *,
    member: Member | None,
    now: datetime,
    words: str = "",
    points: int = 0,
) -> list[Row]:
    """Return the questions with these slugs, as on a page; ``find`` returned them for ``words``.

    ``points``: of the crowd's trends.
    """
    if not slugs:
        return []
    by_slug = {state.slug: state for state in listing(session, now=now, only=slugs)}
    states = [by_slug[slug] for slug in slugs]
    last = col(Forecast.id) == last_forecast(Forecast.id, _id(member), now)
    forecasts = session.exec(
        select(Forecast)
        .select_from(Question)
        .join(Forecast, last & col(Forecast.withdrawn).is_(False))
        .where(col(Question.id).in_([state.id for state in states]))
    )
    current = {forecast.question_id: forecast for forecast in forecasts}
    crowds = trends(session, states, now=now, points=points) if points else {}
    found = passages(session, states, words)
    return [
        Row(state, current.get(state.id), crowds.get(state.id), found.get(state.id))
        for state in states
    ]
