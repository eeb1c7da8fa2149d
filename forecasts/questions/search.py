"""Which of the questions to show: what a person picks, found a page at a time in the database.

However many questions there are, a page takes the same few statements, and what it reads in full
is the page. Filters are plain words, so that they can stand in an address.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, cast

from sqlalchemy import Engine, Select, case, literal
from sqlmodel import Session, col, func, or_, select

from forecasts.access.visibility import forecast_visible, question_visible
from forecasts.ledger.models import (
    Forecast,
    Member,
    Question,
    QuestionRevision,
    QuestionType,
    Resolution,
    ResolutionState,
    Team,
)
from forecasts.ledger.urls import is_embedded
from forecasts.questions.outcomes import NOT_SCORED
from forecasts.questions.standing import (
    QuestionState,
    Status,
    is_newest_wording,
    listing,
    superseded,
)

PAGE_SIZE = 20  # questions of a page
MAX_LABELS = 500  # tags or families that are offered to choose from: those used most
_POINTS = 12  # of a trend


class Order(StrEnum):
    """In which order questions come."""

    close = "next to close"
    newest = "newest"
    alphabet = "by title"
    untouched = "my longest untouched"


@dataclass(frozen=True)
class Filter:
    """What a question must have to be shown; blank: anything will do.

    ``words`` must all stand in the title, the slug, the background or the criteria, in whatever
    order and case. ``mine`` True: those that the member has a standing forecast on; False: the
    others; None: both. ``team``: whose question it is, by name.
    """

    words: str = ""
    status: str = ""
    tag: str = ""
    family: str = ""
    team: str = ""
    type: str = ""
    mine: bool | None = None


@dataclass(frozen=True)
class Trend:
    """Where the crowd (the median of what stood) was at times evenly spread over a question's life.

    ``points``: None where nothing stood. ``forecasters``: how many stand behind the last one.
    """

    points: tuple[float | None, ...]
    forecasters: int


@dataclass(frozen=True)
class Row:
    """A question of a page: as it stands, what the member's standing forecast is, and the crowd's.

    ``trend`` is None for what is no yes-or-no question, and where nobody's forecast is shown.
    """

    state: QuestionState
    standing: Forecast | None
    trend: Trend | None


@dataclass(frozen=True)
class Page:
    """Some of the questions that pass, of how many; ``number``: which page it is, from 1."""

    rows: list[Row]
    number: int
    passing: int
    there: int

    @property
    def pages(self) -> int:
        """How many pages there are."""
        return max(1, -(-self.passing // PAGE_SIZE))


def page(
    session: Session,
    by: Filter,
    *,
    member: Member | None,
    now: datetime,
    order: str = Order.close,
    number: int = 1,
) -> Page:
    """Return that page of the questions that pass and may be seen; the last one beyond that.

    By ``Order.close`` those that can be forecast come first, soonest close first; then those that
    need a decision, those that have not opened, and those that are over, the last closed first.
    """
    passing = _passing(session, by, member, now)
    of = session.exec(select(func.count(col(Question.id))).where(question_visible(session))).one()
    counted = of
    if by != Filter():
        counted = session.exec(select(func.count()).select_from(passing.subquery())).one()
    number = max(1, min(number, -(-counted // PAGE_SIZE)))
    ordered = passing.order_by(*_order(order, member, now), col(Question.id))
    slugs = list(session.exec(ordered.offset((number - 1) * PAGE_SIZE).limit(PAGE_SIZE)).all())  # type: ignore[call-overload]
    return Page(_rows(session, slugs, member, now), number, counted, of)


def matching_slugs(
    session: Session, by: Filter, *, member: Member | None, now: datetime
) -> list[str]:
    """Return the slugs of all the questions that pass and may be seen, in the order written."""
    passing = _passing(session, by, member, now).order_by(col(Question.id))
    return list(session.exec(passing).all())  # type: ignore[call-overload]


def labels(session: Session) -> tuple[list[str], list[str]]:
    """Return the tags and the families that questions have now, each in alphabetical order.

    Of more than 500, those that are used most.
    """
    seen = is_newest_wording() & question_visible(session, QuestionRevision.question_id)
    tag = _each_tag(session)
    tags = (
        select(tag.c.value)
        .select_from(QuestionRevision)
        .join(tag, literal(True))
        .where(seen, col(QuestionRevision.tags).is_not(None))
        .group_by(tag.c.value)
        .order_by(func.count().desc(), tag.c.value)
        .limit(MAX_LABELS)
    )
    families = (
        select(QuestionRevision.family)
        .where(seen, QuestionRevision.family != "")
        .group_by(QuestionRevision.family)
        .order_by(func.count().desc(), QuestionRevision.family)
        .limit(MAX_LABELS)
    )
    return sorted(session.exec(tags).all()), sorted(session.exec(families).all())


def _each_tag(session: Session) -> Any:
    """Return the tags of a wording as rows with a ``value``."""
    tags = col(QuestionRevision.tags)
    if is_embedded(cast("Engine", session.get_bind())):
        return func.json_each(tags).table_valued("value", name="tag")
    return func.json_array_elements_text(tags).table_valued("value", name="tag")


def _passing(
    session: Session, by: Filter, member: Member | None, now: datetime
) -> Select[tuple[str]]:
    """Return the statement for the slugs of the questions that pass."""
    text = QuestionRevision
    found: Any = (
        select(Question.slug)
        .join(text, col(text.question_id) == col(Question.id))
        .where(is_newest_wording(), question_visible(session))
    )
    if by.status:
        found = found.where(_status(now) == by.status)
    if by.tag:
        tag = _each_tag(session)
        found = found.where(
            select(literal(1)).select_from(tag).where(tag.c.value == by.tag).exists()
        )
    if by.family:
        found = found.where(text.family == by.family)
    if by.type:
        found = found.where(text.type == by.type)
    if by.team:
        found = found.join(Team, col(Team.id) == col(text.team_id)).where(Team.name == by.team)
    if by.mine is not None:
        mine = _last(Forecast.withdrawn, member, now)
        found = found.where(mine.is_(False) if by.mine else func.coalesce(mine, True))
    for word in by.words.split():
        found = found.where(
            or_(
                *(
                    col(said).icontains(spelled, autoescape=True)
                    for said in (
                        text.title,
                        Question.slug,
                        text.resolution_criteria,
                        text.background,
                    )
                    for spelled in _spelled(word)
                )
            )
        )
    return cast("Select[tuple[str]]", found)


def _spelled(word: str) -> set[str]:
    """Return the word, and where SQLite does not know its letters in the other case, those too."""
    return {word} if word.isascii() else {word, word.lower(), word.upper(), word.title()}


def _closes() -> Any:
    return func.coalesce(
        col(QuestionRevision.actual_close_time), col(QuestionRevision.scheduled_close_time)
    )


def _outcome() -> Any:
    """Return the outcome that stands: that of the newest confirmed row."""
    return (
        select(Resolution.outcome)
        .where(
            col(Resolution.question_id) == col(Question.id),
            Resolution.state == ResolutionState.confirmed,
        )
        .order_by(col(Resolution.id).desc())
        .limit(1)
        .correlate(Question)
        .scalar_subquery()
    )


def _status(now: datetime) -> Any:
    """Return in SQL what ``questions`` derives: the status of a question at that time."""
    outcome = _outcome()
    waits = (
        select(Resolution.id)
        .where(
            col(Resolution.question_id) == col(Question.id),
            Resolution.state == ResolutionState.proposed,
            ~superseded(),
        )
        .correlate(Question)
        .exists()
    )
    return case(
        *((outcome == over, Status(over).value) for over in NOT_SCORED),
        (outcome.is_not(None), Status.resolved.value),
        (waits, Status.proposed.value),
        (col(QuestionRevision.open_time) > now, Status.upcoming.value),
        (_closes() > now, Status.open.value),
        else_=Status.awaiting.value,
    )


# What can still be forecast comes first, what needs a decision next, what is over last.
_ORDER = (Status.open, Status.awaiting, Status.proposed, Status.upcoming)


def _order(order: str, member: Member | None, now: datetime) -> Sequence[Any]:
    if order == Order.newest:
        return [col(Question.recorded_at).desc(), col(Question.id).desc()]
    if order == Order.alphabet:
        return [func.lower(col(QuestionRevision.title))]
    if order == Order.untouched:
        made = _last(Forecast.made_at, member, now)
        return [made.is_(None), made, _closes()]
    place = {one.value: number for number, one in enumerate(_ORDER)}
    rank = case(place, value=_status(now), else_=len(_ORDER))
    over = _outcome().is_not(None)
    # Of a case the other half is NULL, and all alike: it leaves the order to what follows.
    return [rank, case((~over, _closes())), case((over, _closes())).desc()]


def _last(what: Any, member: Member | None, now: datetime) -> Any:
    """Return ``what`` the member's last row on the question has."""
    return (
        select(what)
        .where(
            col(Forecast.question_id) == col(Question.id),
            Forecast.member_id == (0 if member is None else member.id),
            col(Forecast.made_at) <= now,
        )
        .order_by(col(Forecast.made_at).desc(), col(Forecast.id).desc())
        .limit(1)
        .correlate(Question)
        .scalar_subquery()
    )


def _rows(
    session: Session, slugs: Sequence[str], member: Member | None, now: datetime
) -> list[Row]:
    if not slugs:
        return []
    of = {state.slug: state for state in listing(session, now=now, only=slugs)}
    there = [of[slug] for slug in slugs]
    last: dict[int, Forecast] = {}
    if member is not None:
        for forecast in session.exec(
            select(Forecast)
            .where(
                col(Forecast.question_id).in_([state.id for state in there]),
                Forecast.member_id == member.id,
                col(Forecast.made_at) <= now,
            )
            .order_by(col(Forecast.made_at), col(Forecast.id))
        ):
            last[forecast.question_id] = forecast
    moving = trends(session, there, now=now)
    return [
        Row(
            state,
            None if (own := last.get(state.id)) is None or own.withdrawn else own,
            moving.get(state.id),
        )
        for state in there
    ]


def trends(session: Session, asked: Sequence[QuestionState], *, now: datetime) -> dict[int, Trend]:
    """Return the crowd's way on each of the yes-or-no questions, by its id: one statement.

    Only forecasts count that whom the session reads for may see.
    """
    binary = {state.id: state for state in asked if state.text.type == QuestionType.binary}
    said: dict[int, list[tuple[datetime, int, float | None]]] = defaultdict(list)
    for id_, who, made_at, p in session.exec(
        select(Forecast.question_id, Forecast.member_id, Forecast.made_at, Forecast.probability)
        .where(
            col(Forecast.question_id).in_(list(binary)),
            col(Forecast.made_at) <= now,
            forecast_visible(session),
        )
        .order_by(col(Forecast.question_id), col(Forecast.made_at), col(Forecast.id))
    ):
        said[id_].append((made_at, who, p))
    return {id_: _trend(rows, binary[id_], now) for id_, rows in said.items()}


def _trend(
    rows: Sequence[tuple[datetime, int, float | None]], state: QuestionState, now: datetime
) -> Trend:
    begin, end = state.text.open_time, min(now, state.text.close_time)
    standing: dict[int, float] = {}
    ordered: list[float] = []
    points: list[float | None] = []
    done = 0
    for step in range(1, _POINTS + 1):
        until = begin + (end - begin) * step / _POINTS
        while done < len(rows) and rows[done][0] <= until:
            _, who, p = rows[done]
            if who in standing:
                del ordered[bisect_left(ordered, standing.pop(who))]
            if p is not None:
                standing[who] = p
                insort(ordered, p)
            done += 1
        n = len(ordered)
        points.append((ordered[(n - 1) // 2] + ordered[n // 2]) / 2 if n else None)
    return Trend(tuple(points), len(ordered))
