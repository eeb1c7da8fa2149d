"""Questions: register, revise, close, find. A question's status is derived, never stored."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from pydantic import ValidationError
from sqlalchemy import ColumnElement
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, func, select

from forecasts.errors import BadInput, NotFound, Problem, Refused
from forecasts.models import (
    Article,
    Member,
    Question,
    QuestionRevision,
    QuestionSource,
    QuestionText,
    QuestionType,
    Resolution,
    ResolutionState,
)
from forecasts.times import iso
from forecasts.values import NOT_SCORED, figure_number

_SLUG = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9._-]{0,99}")


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
    """Return the validated text of a question; BadInput names each field, value and rule."""
    try:
        text = QuestionText.model_validate(fields)
        _check_bounds(text)
        return text
    except ValidationError as error:
        problems = [
            Problem(
                place=".".join(map(str, item["loc"])) or "question",
                value="" if not item["loc"] else str(item["input"]),
                rule=item["msg"].removeprefix("Value error, "),
            )
            for item in error.errors()
        ]
        raise BadInput(
            "The question cannot be registered: "
            + "; ".join(f"{p.place}: {p.rule}" for p in problems)
            + ".",
            problems=problems,
        ) from None


def _check_bounds(text: QuestionText) -> None:
    """Refuse bounds that are no numbers (or dates), or that do not rise."""
    if text.lower_bound is None or text.upper_bound is None:
        return
    numbers = []
    for name, bound in (("lower_bound", text.lower_bound), ("upper_bound", text.upper_bound)):
        try:
            numbers.append(figure_number(bound, text.type))
        except (ValueError, BadInput):
            kind = "date" if text.type == QuestionType.date else "number"
            rule = f"the bounds of a {text.type} question are {kind}s"
            raise BadInput(
                f"The question cannot be registered: {name}: {bound!r} — {rule}.",
                problems=[Problem(name, bound, rule)],
            ) from None
    if numbers[0] >= numbers[1]:
        rule = "the lower bound lies below the upper bound"
        raise BadInput(
            f"The question cannot be registered: {text.lower_bound!r} to {text.upper_bound!r} — "
            f"{rule}.",
            problems=[Problem("lower_bound", text.lower_bound, rule)],
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

    Without ``slug`` one is made from the title. Refused when the slug is taken, or when the
    scheduled close has already passed (a question whose answer may be known is no question).
    """
    if text.scheduled_close_time <= now:
        raise Refused(
            f"The scheduled close, {iso(text.scheduled_close_time)}, has already passed.",
            remedy="Give a close time that lies ahead.",
        )
    if slug is None:
        slug = _free_slug(session, text.title)
    elif not _SLUG.fullmatch(slug):
        raise BadInput(
            f"{slug!r} is no slug: it takes letters, digits, hyphens, dots and underscores.",
            remedy="Leave it out, and one is made from the title.",
        )
    return record(session, text, slug=slug, member=member, now=now, sources=sources)


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
    session.add(_revision(question.id, 1, text, member=member, now=now, reason="registered"))
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


def revise(
    session: Session,
    question: Question,
    *,
    member: Member,
    now: datetime,
    reason: str,
    **changes: Any,
) -> QuestionRevision:
    """Return the new wording: the newest one with ``changes``; the earlier ones stay.

    The type and the options' order are fixed, since forecasts are aligned with them; options may
    be added before the last one, which an earlier forecast is read from in their place. Refused
    otherwise, BadInput for invalid fields.
    """
    current = wording(session, question)
    fields = {name: getattr(current, name) for name in QuestionText.model_fields}
    text = question_text(**(fields | changes))
    old, new = current.options or [], text.options or []
    kept = [option for option in new if option in old]
    if text.type != current.type or kept != old or new[-1:] != old[-1:]:
        raise Refused(
            "The type of a question is fixed, and its options may only be added to, before the "
            "last one (which stands for all that were not there yet).",
            remedy="Register a new question and annul this one.",
        )
    row = _revision(
        current.question_id, current.number + 1, text, member=member, now=now, reason=reason
    )
    session.add(row)
    session.flush()
    return row


def close(
    session: Session, question: Question, *, at: datetime, member: Member, now: datetime
) -> QuestionRevision:
    """Return the wording in which the question has closed ``at`` that time, before its schedule."""
    text = wording(session, question)
    if not text.open_time < at <= min(now, text.scheduled_close_time):
        raise Refused(
            f"{iso(at)} is no early close: it must lie after the open time {iso(text.open_time)}, "
            f"and neither in the future nor after {iso(text.scheduled_close_time)}."
        )
    return revise(
        session, question, member=member, now=now, reason="closed early", actual_close_time=at
    )


def _revision(
    question_id: int, number: int, text: QuestionText, *, member: Member, now: datetime, reason: str
) -> QuestionRevision:
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
    question = session.exec(select(Question).where(Question.slug == slug)).first()
    if question is not None:
        return question
    near = difflib.get_close_matches(slug, session.exec(select(Question.slug)).all(), n=3)
    raise NotFound(
        f"There is no question {slug!r} in this ledger.",
        remedy=f"Did you mean {' or '.join(near)}?" if near else "See: forecasts questions.",
    )


def wording(session: Session, question: Question) -> QuestionRevision:
    """Return the newest wording of the question."""
    return session.exec(
        select(QuestionRevision)
        .where(QuestionRevision.question_id == question.id)
        .order_by(col(QuestionRevision.number).desc())
        .limit(1)
    ).one()


def revisions(session: Session, question: Question) -> list[QuestionRevision]:
    """Return every wording, the first one first."""
    return list(
        session.exec(
            select(QuestionRevision)
            .where(QuestionRevision.question_id == question.id)
            .order_by(col(QuestionRevision.number))
        )
    )


def sources(session: Session, question: Question) -> list[tuple[QuestionSource, Article]]:
    """Return the passages that the question was taken from, each with its article."""
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
    [stands] = listing(session, now=now, only=[question.slug])
    return stands


def listing(session: Session, *, now: datetime, only: Sequence[str] | None = None) -> list[Stands]:
    """Return the questions as they stand, soonest close first; ``only`` those slugs.

    One statement for the wordings and one for the resolutions, however many questions.
    """
    newest = (
        select(col(QuestionRevision.question_id), func.max(QuestionRevision.number).label("number"))
        .group_by(col(QuestionRevision.question_id))
        .subquery()
    )
    statement = (
        select(Question, QuestionRevision)
        .join(newest, newest.c.question_id == col(Question.id))
        .join(
            QuestionRevision,
            (col(QuestionRevision.question_id) == newest.c.question_id)
            & (col(QuestionRevision.number) == newest.c.number),
        )
        .order_by(col(QuestionRevision.scheduled_close_time), col(Question.id))
    )
    if only is not None:
        statement = statement.where(col(Question.slug).in_(only))
    rows = session.exec(statement).all()
    ids = None if only is None else [question.id for question, _ in rows]
    confirmed, proposed = _standing_resolutions(session, ids)
    return [
        Stands(
            question,
            text,
            confirmed.get(text.question_id),
            _status(
                text,
                confirmed.get(text.question_id),
                proposed=text.question_id in proposed,
                now=now,
            ),
        )
        for question, text in rows
    ]


def overtaken() -> ColumnElement[bool]:
    """Return the condition that a later row has decided, superseded or overtaken this one."""
    later = aliased(Resolution)
    return (
        select(later.id)
        .where(
            (col(later.supersedes_id) == col(Resolution.id))
            | (col(later.proposal_id) == col(Resolution.id))
            # A question that was resolved after something was proposed has overtaken the proposal.
            | (
                (col(later.question_id) == col(Resolution.question_id))
                & (col(later.state) == ResolutionState.confirmed)
                & (col(later.id) > col(Resolution.id))
            )
        )
        .exists()
    )


def _standing_resolutions(
    session: Session, ids: Sequence[int | None] | None
) -> tuple[dict[int, Resolution], set[int]]:
    """Return the confirmed row that stands for each question, and who has an open proposal."""
    statement = select(Resolution).where(
        col(Resolution.state).in_([ResolutionState.confirmed, ResolutionState.proposed]),
        ~overtaken(),
    )
    if ids is not None:
        statement = statement.where(col(Resolution.question_id).in_(ids))
    confirmed: dict[int, Resolution] = {}
    proposed: set[int] = set()
    for row in session.exec(statement):
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
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode()
    words = re.findall(r"[a-z0-9]+", plain.lower())
    stem = "-".join(words)[:60].strip("-") or "question"
    taken = set(
        session.exec(select(Question.slug).where(col(Question.slug).startswith(stem))).all()
    )
    slug, number = stem, 2
    while slug in taken:
        slug, number = f"{stem}-{number}", number + 1
    return slug
