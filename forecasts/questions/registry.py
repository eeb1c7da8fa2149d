"""Questions: register, find, list. A question's status is derived, never stored.

How a question is reworded or closed early stands in ``revisions``.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from pydantic import ValidationError
from sqlalchemy import bindparam
from sqlmodel import Session, col, select

from forecasts.access import roles, visibility
from forecasts.access.roles import Action
from forecasts.common.errors import BadInput, Refused
from forecasts.common.times import to_minute
from forecasts.ledger.following import known
from forecasts.ledger.models import (
    Member,
    Question,
    QuestionRevision,
    QuestionSource,
    QuestionText,
    QuestionType,
    Team,
    Visibility,
)
from forecasts.questions.outcomes import figure_to_float
from forecasts.questions.slugs import free_slug, is_slug, stem_of
from forecasts.questions.sources import Passage
from forecasts.questions.standing import Status, listing

# What every act asks first: made once, since to make a statement takes longer than to run it, and
# all others who would write wait meanwhile.
_BY_SLUG = select(Question).where(Question.slug == bindparam("slug"))

_SHOWN = 80  # signs of a wrong value that a message repeats


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
            numbers.append(figure_to_float(bound, text.type))
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
    require_can_ask(session, text, member=member, now=now)
    _require_new(session, text, now)
    if slug is None:
        slug = _free_slug(session, text.title)
    elif not is_slug(slug):
        raise BadInput(
            f"{slug!r} is no slug: it takes letters, digits, hyphens, dots and underscores.",
            remedy="Leave it out, and one is made from the title.",
        )
    return insert_question(session, text, slug=slug, member=member, now=now, sources=sources)


def require_can_ask(session: Session, text: QuestionText, *, member: Member, now: datetime) -> None:
    """Refuse a question to a team's eyes by who may not ask there.

    The first who keeps a question from others makes the ledger a shared one.
    """
    team = None if text.team_id is None else session.get_one(Team, text.team_id)
    roles.require(session, member, Action.ask, team, now=now)
    if text.visibility is not Visibility.everyone:
        roles.ensure_admin(session, member, now=now)


def _require_new(session: Session, text: QuestionText, now: datetime) -> None:
    """Refuse the title of another question that closes just then, however it is spelled."""
    closing = session.exec(
        select(Question.slug)
        .join(QuestionRevision, col(QuestionRevision.question_id) == col(Question.id))
        .where(QuestionRevision.scheduled_close_time == text.scheduled_close_time)
    ).all()
    for state in listing(session, now=now, only=closing):
        if (
            state.text.scheduled_close_time == text.scheduled_close_time
            and _folded(state.text.title) == _folded(text.title)
            and state.status != Status.annulled
        ):
            raise Refused(
                f"This question is registered already, as {state.slug!r}: it has the same title "
                f"and closes at the same time, {to_minute(text.scheduled_close_time)}.",
                remedy="Forecast on that one, or give yours another title or another close.",
            )


def _folded(title: str) -> str:
    return " ".join(title.casefold().split())


def insert_question(
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
    if question is not None and visibility.is_visible(session, question):
        return question
    raise roles.question_not_found(slug, similar_slugs(session, slug))


def similar_slugs(session: Session, slug: str) -> list[str]:
    """Return up to three slugs that are spelled much like this one, the likest first."""
    there = session.exec(select(Question.slug).where(visibility.question_visible(session))).all()
    return difflib.get_close_matches(slug, there, n=3)


def newest_wording(session: Session, question: Question) -> QuestionRevision:
    """Return the newest wording of the question."""
    visibility.require_visible(session, question)
    return session.exec(
        select(QuestionRevision)
        .where(QuestionRevision.question_id == question.id)
        .order_by(col(QuestionRevision.number).desc())
        .limit(1)
    ).one()


def _free_slug(session: Session, title: str) -> str:
    """Return a slug made from the title, with a number behind it where it is taken."""
    stem = stem_of(title) or "question"
    taken = session.exec(select(Question.slug).where(col(Question.slug).startswith(stem))).all()
    return free_slug(title, set(taken))
