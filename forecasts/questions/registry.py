"""Questions: register, find, list. A question's status is derived, never stored.

How a question is reworded or closed early stands in ``revisions``.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cache
from typing import Any, TypeVar

from pydantic import ValidationError
from sqlalchemy import ColumnElement, Subquery, Text, bindparam, cast, or_
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, func, select
from sqlmodel.sql.expression import Select

from forecasts.access import visibility
from forecasts.access.visibility import Action
from forecasts.common.errors import BadInput, Refused
from forecasts.common.times import to_minute
from forecasts.ledger.following import known
from forecasts.ledger.models import (
    Article,
    Member,
    Question,
    QuestionRevision,
    QuestionSource,
    QuestionText,
    QuestionType,
    Resolution,
    ResolutionState,
    Team,
    Visibility,
)
from forecasts.questions.slugs import free_slug, is_slug, stem_of
from forecasts.updates.values import NOT_SCORED, figure_number

T = TypeVar("T")
# So many values one statement may name; SQLite takes 32,766, PostgreSQL 65,535.
_MOST_NAMED = 10_000
# What every act asks first: made once, since to make a statement takes longer than to run it, and
# all others who would write wait meanwhile.
_BY_SLUG = select(Question).where(Question.slug == bindparam("slug"))
_SHOWN = 80  # signs of a wrong value that a message repeats


class Status(StrEnum):
    """Where a question stands on its way from the article to the score."""

    upcoming = "upcoming"
    open = "open"
    awaiting = "awaiting resolution"
    proposed = "resolution proposed"
    resolved = "resolved"
    annulled = "annulled"
    ambiguous = "ambiguous"


@dataclass(frozen=True)
class Passage:
    """Where in an article a question comes from: the exact quote and what stands around it."""

    article: Article
    quote: str = ""
    prefix: str = ""
    suffix: str = ""


@dataclass(frozen=True)
class Stands:
    """A question as it stands: its identity, newest wording, resolution if any, and status."""

    question: Question
    text: QuestionRevision
    resolution: Resolution | None
    status: Status

    @property
    def id(self) -> int:
        """The question's row id."""
        assert self.question.id is not None
        return self.question.id

    @property
    def slug(self) -> str:
        """The question's name in commands, links and folders."""
        return self.question.slug

    def takes_forecasts(self, now: datetime) -> bool:
        """Return whether a forecast may be made now; a proposal alone does not end that."""
        return self.resolution is None and self.text.open_time <= now < self.text.close_time


def question_text(**fields: Any) -> QuestionText:
    """Return the validated text of a question; BadInput says which field breaks which rule."""
    try:
        text = QuestionText.model_validate(fields)
    except ValidationError as error:
        raise BadInput(" ".join(_sentence(item) for item in error.errors())) from None
    _check_bounds(text)
    return text


def _sentence(item: Any) -> str:
    """Return what pydantic found wrong with a field: our own rules are sentences already."""
    if item["type"] == "value_error":
        return str(item["ctx"]["error"])
    name = str(item["loc"][0]).replace("_", " ")
    if item["input"] is None or item["type"] == "missing":
        return f"The question has no {name}."
    rule = item["msg"].removeprefix("Input should be ")
    said = repr(item["input"])
    said = said if len(said) <= _SHOWN else f"{said[: _SHOWN - 1]}…"
    return f"The {name} {said} cannot be read: it should be {rule}."


def _check_bounds(text: QuestionText) -> None:
    """Refuse bounds that are no numbers (or dates), or that do not rise."""
    if text.lower_bound is None or text.upper_bound is None:
        return
    numbers = []
    for name, bound in (("lower", text.lower_bound), ("upper", text.upper_bound)):
        try:
            numbers.append(figure_number(bound, text.type))
        except (ValueError, BadInput):
            kind = "date" if text.type == QuestionType.date else "number"
            raise BadInput(
                f"The {name} bound {bound!r} is no {kind}, and the bounds of a {text.type} "
                f"question are {kind}s."
            ) from None
    if numbers[0] >= numbers[1]:
        raise BadInput(
            f"The lower bound {text.lower_bound!r} must lie below the upper bound "
            f"{text.upper_bound!r}."
        )


def register(
    session: Session,
    text: QuestionText,
    *,
    member: Member,
    now: datetime,
    slug: str | None = None,
    sources: Sequence[Passage] = (),
) -> Question:
    """Return the new question; it, its first wording and its sources are written.

    Without ``slug`` one is made from the title. It takes a forecaster, of the team that it is for;
    in a ledger of one's own whoever keeps a question from others becomes its admin. Refused when
    the slug is taken, when a question of that title with that scheduled close is there that is not
    annulled, and when the scheduled close has already passed (a question whose answer may be known
    is no question).
    """
    if text.scheduled_close_time <= now:
        raise Refused(
            f"The scheduled close, {to_minute(text.scheduled_close_time)}, has already passed.",
            remedy="Give a close time that lies ahead. Questions that are over are taken in by: "
            "forecasts import.",
        )
    require_may_ask(session, text, member=member, now=now)
    _require_new(session, text, now)
    if slug is None:
        slug = _free_slug(session, text.title)
    elif not is_slug(slug):
        raise BadInput(
            f"{slug!r} is no slug: it takes letters, digits, hyphens, dots and underscores.",
            remedy="Leave it out, and one is made from the title.",
        )
    return record(session, text, slug=slug, member=member, now=now, sources=sources)


def require_may_ask(session: Session, text: QuestionText, *, member: Member, now: datetime) -> None:
    """Refuse a question to a team's eyes by who may not ask there.

    The first who keeps a question from others makes the ledger a shared one.
    """
    team = None if text.team_id is None else session.get_one(Team, text.team_id)
    visibility.require(session, member, Action.ask, team, now=now)
    if text.visibility is not Visibility.everyone:
        visibility.begin_sharing(session, member, now=now)


def _require_new(session: Session, text: QuestionText, now: datetime) -> None:
    """Refuse the title of another question that closes just then, however it is spelled."""
    closing = session.exec(
        select(Question.slug)
        .join(QuestionRevision, col(QuestionRevision.question_id) == col(Question.id))
        .where(QuestionRevision.scheduled_close_time == text.scheduled_close_time)
    ).all()
    for stands in listing(session, now=now, only=closing):
        if (
            stands.text.scheduled_close_time == text.scheduled_close_time
            and _folded(stands.text.title) == _folded(text.title)
            and stands.status != Status.annulled
        ):
            raise Refused(
                f"This question is registered already, as {stands.slug!r}: it has the same title "
                f"and closes at the same time, {to_minute(text.scheduled_close_time)}.",
                remedy="Forecast on that one, or give yours another title or another close.",
            )


def _folded(title: str) -> str:
    return " ".join(title.casefold().split())


def record(
    session: Session,
    text: QuestionText,
    *,
    slug: str,
    member: Member,
    now: datetime,
    sources: Sequence[Passage] = (),
) -> Question:
    """Return the new question, written as it is given: what ``register`` and imports share."""
    if session.exec(select(Question.id).where(Question.slug == slug)).first() is not None:
        raise Refused(
            f"There is already a question {slug!r}.",
            remedy="Choose another slug, or revise that question.",
        )
    assert member.id is not None
    question = Question(slug=slug, member_id=member.id, recorded_at=now)
    session.add(question)
    session.flush()
    assert question.id is not None
    session.add(revision_row(question.id, 1, text, member=member, now=now, reason="registered"))
    for passage in sources:
        assert passage.article.id is not None
        session.add(
            QuestionSource(
                question_id=question.id,
                article_id=passage.article.id,
                quote=passage.quote,
                prefix=passage.prefix,
                suffix=passage.suffix,
            )
        )
    session.flush()
    return question


def revision_row(
    question_id: int, number: int, text: QuestionText, *, member: Member, now: datetime, reason: str
) -> QuestionRevision:
    """Return the row, not yet written, in which the question says ``text``."""
    assert member.id is not None
    fields = {name: getattr(text, name) for name in QuestionText.model_fields}
    return QuestionRevision(
        **fields,
        question_id=question_id,
        number=number,
        member_id=member.id,
        recorded_at=now,
        reason=reason,
    )


def find(session: Session, slug: str) -> Question:
    """Return the question with this slug; NotFound suggests the nearest ones there are."""
    question = known(
        session,
        ("question", slug),
        lambda session: session.exec(_BY_SLUG, params={"slug": slug}).first(),
    )
    if question is not None and visibility.sees(session, question):
        return question
    raise visibility.no_question(slug, nearest(session, slug))


def nearest(session: Session, slug: str) -> list[str]:
    """Return up to three slugs that are spelled much like this one, the likest first."""
    there = session.exec(select(Question.slug).where(visibility.visible(session))).all()
    return difflib.get_close_matches(slug, there, n=3)


def wording(session: Session, question: Question) -> QuestionRevision:
    """Return the newest wording of the question."""
    visibility.see(session, question)
    return session.exec(
        select(QuestionRevision)
        .where(QuestionRevision.question_id == question.id)
        .order_by(col(QuestionRevision.number).desc())
        .limit(1)
    ).one()


def sources(session: Session, question: Question) -> list[tuple[QuestionSource, Article]]:
    """Return the passages that the question was taken from, each with its article."""
    visibility.see(session, question)
    return [
        (source, article)
        for source, article in session.exec(
            select(QuestionSource, Article)
            .join(Article, col(Article.id) == col(QuestionSource.article_id))
            .where(QuestionSource.question_id == question.id)
            .order_by(col(QuestionSource.id))
        )
    ]


def as_it_stands(session: Session, question: Question, *, now: datetime) -> Stands:
    """Return the question with its newest wording, standing resolution and status."""
    visibility.see(session, question)
    rows = known(
        session,
        ("stands", question.id),
        lambda session: session.exec(_as_one_stands(), params={"question_id": question.id}).all(),
    )
    confirmed, proposed = _sorted_out(row for _, row in rows)
    return _stands(question, rows[0][0], confirmed, proposed, now)


def registered_last(session: Session, member: Member, *, now: datetime) -> Stands | None:
    """Return the question that the member registered last; None before the first."""
    newest = session.exec(
        select(Question)
        .where(Question.member_id == member.id)
        .order_by(col(Question.recorded_at).desc(), col(Question.id).desc())
    ).first()
    return None if newest is None else as_it_stands(session, newest, now=now)


def listing(session: Session, *, now: datetime, only: Sequence[str] | None = None) -> list[Stands]:
    """Return the questions as they stand, soonest close first; ``only`` those slugs.

    One statement for the wordings and one for the resolutions, however many questions; with
    ``only``, as many times over as it takes to name them all.
    """
    if only is None:
        return _listed(session, None, now)
    found = [stands for some in parts(only) for stands in _listed(session, some, now)]
    return sorted(found, key=lambda stands: (stands.text.scheduled_close_time, stands.id))


def unresolved(session: Session, *, now: datetime) -> list[Stands]:
    """Return the questions without an outcome that stands as they are, soonest close first.

    As many statements, and as many rows, however many are resolved.
    """
    proposed = _with_proposal(session)
    rows = session.exec(_as_worded(session).where(~resolved(Question.id))).all()
    return [_stands(question, text, {}, proposed, now) for question, text in rows]


def _with_proposal(session: Session) -> set[int]:
    """Return the questions that wait for an answer to an outcome that was proposed."""
    waits = (col(Resolution.state) == ResolutionState.proposed) & ~overtaken()
    return set(session.exec(select(Resolution.question_id).where(waits)))


@dataclass(frozen=True)
class Outline:
    """What tells where a question without an outcome belongs; the rest is read where it is shown.

    ``proposed``: an outcome is.
    """

    id: int
    team_id: int | None
    open_time: datetime
    close_time: datetime
    proposed: bool

    def takes_forecasts(self, now: datetime) -> bool:
        """Return whether a forecast may be made now; a proposal alone does not end that."""
        return self.open_time <= now < self.close_time

    def awaits(self, now: datetime) -> bool:
        """Return whether somebody has to say how it came out: it closed, or an outcome waits."""
        return self.proposed or now >= max(self.open_time, self.close_time)


def outlines(session: Session) -> list[Outline]:
    """Return what ``unresolved`` does in outline, in a tenth of the time."""
    proposed = _with_proposal(session)
    text = QuestionRevision
    rows = session.exec(
        select(
            col(text.question_id),
            col(text.team_id),
            col(text.open_time),
            func.coalesce(col(text.actual_close_time), col(text.scheduled_close_time)),
        )
        .where(
            newest_wordings(),
            ~resolved(text.question_id),
            visibility.visible(session, text.question_id),
        )
        .order_by(col(text.scheduled_close_time), col(text.question_id))
    )
    return [Outline(*row, proposed=row[0] in proposed) for row in rows]


def by_id(session: Session, ids: Sequence[int], *, now: datetime) -> dict[int, Stands]:
    """Return by number the questions as they stand, in the order of ``ids``, which are few.

    Those that the session's reader may not see are not among them.
    """
    found: dict[int, Stands] = {}
    for some in parts(ids):
        rows = session.exec(_few_as_worded(session).where(col(Question.id).in_(some))).all()
        confirmed, proposed = _standing_resolutions(session, [question.id for question, _ in rows])
        for question, text in rows:
            found[text.question_id] = _stands(question, text, confirmed, proposed, now)
    return {id_: found[id_] for id_ in ids if id_ in found}


def resolved(question_id: Any) -> ColumnElement[bool]:
    """Return the condition that the question of that column has an outcome.

    A correction leaves it another one, so that any that was confirmed will do.
    """
    return (
        select(Resolution.id)
        .where(
            col(Resolution.question_id) == col(question_id),
            Resolution.state == ResolutionState.confirmed,
        )
        .exists()
    )


def tags(session: Session) -> list[str]:
    """Return the tags that the questions bear as they are worded now, in alphabetical order."""
    newest = _newest()
    rows = session.exec(
        # As text: most questions bear the same, and to read each of them takes longest.
        select(cast(col(QuestionRevision.tags), Text))
        .distinct()
        .join(
            newest,
            (newest.c.question_id == col(QuestionRevision.question_id))
            & (newest.c.number == col(QuestionRevision.number)),
        )
        .where(visibility.visible(session, QuestionRevision.question_id))
    )
    return sorted({tag for own in rows for tag in json.loads(own or "[]") or []})


@cache
def newest_wordings() -> ColumnElement[bool]:
    """Return the condition that a ``QuestionRevision`` is the wording that holds now."""
    later = aliased(QuestionRevision)
    newest = select(func.max(later.number)).where(
        col(later.question_id) == col(QuestionRevision.question_id)
    )
    return col(QuestionRevision.number) == newest.correlate(QuestionRevision).scalar_subquery()


@cache
def _newest() -> Subquery:
    """Return the number of each question's wording that holds now."""
    return (
        select(col(QuestionRevision.question_id), func.max(QuestionRevision.number).label("number"))
        .group_by(col(QuestionRevision.question_id))
        .subquery()
    )


def parts(values: Sequence[T]) -> Iterator[Sequence[T]]:
    """Yield the distinct ``values`` in parts that one statement can name."""
    distinct = list(dict.fromkeys(values))
    for start in range(0, len(distinct), _MOST_NAMED):
        yield distinct[start : start + _MOST_NAMED]


def _as_worded(session: Session) -> Select[Question, QuestionRevision]:
    """Return the statement for the questions that are seen, as they are worded now, in order."""
    newest = _newest()
    return _in_order(
        select(Question, QuestionRevision)
        .where(visibility.visible(session))
        .join(newest, newest.c.question_id == col(Question.id))
        .join(
            QuestionRevision,
            (col(QuestionRevision.question_id) == newest.c.question_id)
            & (col(QuestionRevision.number) == newest.c.number),
        )
    )


def _few_as_worded(session: Session) -> Select[Question, QuestionRevision]:
    """Return the same, to be narrowed down to a few: it looks at no other's wordings."""
    return _in_order(
        select(Question, QuestionRevision)
        .join(QuestionRevision, col(QuestionRevision.question_id) == col(Question.id))
        .where(newest_wordings(), visibility.visible(session))
    )


def _in_order(
    questions: Select[Question, QuestionRevision],
) -> Select[Question, QuestionRevision]:
    return questions.order_by(col(QuestionRevision.scheduled_close_time), col(Question.id))


def _listed(session: Session, only: Sequence[str] | None, now: datetime) -> list[Stands]:
    if only is None:
        statement = _as_worded(session)
    else:
        statement = _few_as_worded(session).where(col(Question.slug).in_(only))
    rows = session.exec(statement).all()
    ids = None if only is None else [question.id for question, _ in rows]
    confirmed, proposed = _standing_resolutions(session, ids)
    return [_stands(question, text, confirmed, proposed, now) for question, text in rows]


def _stands(
    question: Question,
    text: QuestionRevision,
    confirmed: Mapping[int, Resolution],
    proposed: Collection[int],
    now: datetime,
) -> Stands:
    resolution = confirmed.get(text.question_id)
    waits = text.question_id in proposed
    return Stands(question, text, resolution, _status(text, resolution, proposed=waits, now=now))


@cache
def overtaken() -> ColumnElement[bool]:
    """Return the condition that a later row has decided, superseded or overtaken this one.

    Each way by itself, since each has an index of its own.
    """
    superseding, deciding, later = (aliased(Resolution) for _ in range(3))
    return or_(
        select(superseding.id).where(col(superseding.supersedes_id) == col(Resolution.id)).exists(),
        select(deciding.id).where(col(deciding.proposal_id) == col(Resolution.id)).exists(),
        # A question that was resolved after something was proposed has overtaken the proposal.
        select(later.id)
        .where(
            col(later.question_id) == col(Resolution.question_id),
            col(later.state) == ResolutionState.confirmed,
            col(later.id) > col(Resolution.id),
        )
        .exists(),
    )


def _standing_resolutions(
    session: Session, ids: Sequence[int | None] | None
) -> tuple[dict[int, Resolution], set[int]]:
    """Return the confirmed row that stands for each question, and who has an open proposal."""
    statement = select(Resolution).where(_is_standing())
    if ids is not None:
        statement = statement.where(col(Resolution.question_id).in_(ids))
    rows = session.exec(statement).all()
    return _sorted_out(rows)


@cache
def _is_standing() -> ColumnElement[bool]:
    decides = col(Resolution.state) != ResolutionState.rejected
    return decides & ~overtaken()


@cache
def _as_one_stands() -> Select[QuestionRevision, Resolution]:
    """Return the statement for a question's newest wording, with each resolution that stands."""
    later = aliased(QuestionRevision)
    newest = select(func.max(later.number)).where(later.question_id == bindparam("question_id"))
    belongs = col(Resolution.question_id) == col(QuestionRevision.question_id)
    return (
        select(QuestionRevision, Resolution)
        .outerjoin(Resolution, belongs & _is_standing())
        .where(
            QuestionRevision.question_id == bindparam("question_id"),
            QuestionRevision.number == newest.scalar_subquery(),
        )
    )


def _sorted_out(rows: Iterable[Resolution | None]) -> tuple[dict[int, Resolution], set[int]]:
    confirmed: dict[int, Resolution] = {}
    proposed: set[int] = set()
    for row in rows:
        if row is None:
            continue
        if row.state == ResolutionState.confirmed:
            confirmed[row.question_id] = row
        else:
            proposed.add(row.question_id)
    return confirmed, proposed


def _status(
    text: QuestionText, resolution: Resolution | None, *, proposed: bool, now: datetime
) -> Status:
    if resolution is not None:
        return Status(resolution.outcome) if resolution.outcome in NOT_SCORED else Status.resolved
    if proposed:
        return Status.proposed
    if now < text.open_time:
        return Status.upcoming
    return Status.open if now < text.close_time else Status.awaiting


def _free_slug(session: Session, title: str) -> str:
    """Return a slug made from the title, with a number behind it where it is taken."""
    stem = stem_of(title) or "question"
    taken = session.exec(select(Question.slug).where(col(Question.slug).startswith(stem))).all()
    return free_slug(title, set(taken))
