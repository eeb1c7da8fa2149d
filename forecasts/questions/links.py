"""Links: a member's judgement that one question tells something about another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import aliased
from sqlmodel import Session, col, or_, select

from forecasts.access import roles
from forecasts.access.roles import Action
from forecasts.access.visibility import question_visible
from forecasts.common.errors import BadInput, NotFound, Refused
from forecasts.common.limits import require_prose
from forecasts.ledger.append import written
from forecasts.ledger.models import LinkKind, LinkStrength, Member, Question, QuestionLink
from forecasts.questions.revisions import first_ends
from forecasts.questions.standing import QuestionState, by_id

_LATER = aliased(QuestionLink)
SYMMETRIC = (LinkKind.excludes, LinkKind.equivalent)


@dataclass(frozen=True)
class Link:
    """A link between two questions as it is now, with the row that says so.

    ``end``: the first time at which one of the two outcomes may have been known.
    """

    one: QuestionState
    other: QuestionState
    row: QuestionLink
    end: datetime

    @property
    def joins(self) -> bool:
        """Whether it is of the kinds and the strength that reports count."""
        return self.row.strength == LinkStrength.certain and self.row.kind != LinkKind.causes

    @property
    def is_late(self) -> bool:
        """Whether it joins nothing, since it was made when an outcome may have been known."""
        return self.joins and linked_at(self.row) >= self.end

    def is_final(self, now: datetime) -> bool:
        """Return whether reports join its questions for good: it is certain, and one has closed.

        One that was made later joins nothing (``folder.dependence.foreseen``).
        """
        return self.joins and not self.is_late and self.end <= now


def linked_at(row: QuestionLink) -> datetime:
    """Return when a link was made, as the importer says of an imported one."""
    return row.made_at or row.recorded_at


def link(
    session: Session,
    one: Question,
    other: Question,
    kind: LinkKind,
    *,
    strength: LinkStrength = LinkStrength.strong,
    reason: str = "",
    member: Member,
    now: datetime,
) -> QuestionLink:
    """Return the link from one question to the other, which is written.

    One that excludes or is equivalent goes from the older to the newer question. The member must be
    allowed to forecast both, and to change the first if another member has made the link; for a
    certain one, to change both, since reports then count them as one family. Refused if it is as it
    was, or final: a change could then choose, by the outcome, how reports count.
    """
    one, other = _ends(one, other, LinkKind(kind))
    require_prose(reason, "The reason")
    before = _current(session, one, other, kind, member, now)
    if strength == LinkStrength.certain:
        for question in (one, other):
            roles.require(session, member, Action.revise, question, now=now)
    row = QuestionLink(
        question_id=one.id,
        other_id=other.id,
        kind=LinkKind(kind),
        strength=LinkStrength(strength),
        reason=reason.strip(),
        member_id=member.id,
        recorded_at=now,
    )
    if before is not None and (before.strength, before.reason) == (row.strength, row.reason):
        raise Refused(
            f"{one.slug!r} and {other.slug!r} already have this link; nothing was changed."
        )
    return written(session, row)


def unlink(
    session: Session,
    one: Question,
    other: Question,
    kind: LinkKind,
    *,
    member: Member,
    now: datetime,
) -> QuestionLink:
    """Return the row that removes the link, which is written.

    Rights as in ``link``; NotFound without such a link. Refused if it is final.
    """
    one, other = _ends(one, other, LinkKind(kind))
    before = _current(session, one, other, kind, member, now)
    if before is None:
        raise NotFound(f"{one.slug!r} has no link “{kind!s}” to {other.slug!r}.")
    row = QuestionLink(
        question_id=one.id,
        other_id=other.id,
        kind=before.kind,
        strength=before.strength,
        removed=True,
        member_id=member.id,
        recorded_at=now,
    )
    return written(session, row)


def links_of(session: Session, question: Question, *, now: datetime) -> list[Link]:
    """Return the links from and to the question, the oldest first."""
    own = or_(QuestionLink.question_id == question.id, QuestionLink.other_id == question.id)
    return links(session, own, now=now)


def links(session: Session, where: Any = True, *, now: datetime) -> list[Link]:
    """Return the links whose questions the reader may both see, the oldest first."""
    return with_questions(session, link_rows(session, where), now=now)


def with_questions(session: Session, rows: Sequence[QuestionLink], *, now: datetime) -> list[Link]:
    """Return the links of these rows, whose questions the reader may see."""
    ids = {id_ for row in rows for id_ in (row.question_id, row.other_id)}
    states = by_id(session, sorted(ids), now=now) if ids else {}
    ends = first_ends(session, list(states.values())) if ids else {}
    return [
        Link(
            *(states[row.question_id], states[row.other_id], row),
            min(ends[row.question_id], ends[row.other_id]),
        )
        for row in rows
    ]


def link_rows(session: Session, where: Any = True) -> Sequence[QuestionLink]:
    """Return the rows of the links whose questions the reader may both see, the oldest first."""
    table = QuestionLink
    later = select(_LATER.id).where(
        _LATER.question_id == table.question_id,
        _LATER.other_id == table.other_id,
        _LATER.kind == table.kind,
        col(_LATER.id) > col(table.id),
    )
    return session.exec(
        select(table)
        .where(
            ~later.exists(),
            col(table.removed).is_(False),
            question_visible(session, table.question_id),
            question_visible(session, table.other_id),
            where,
        )
        .order_by(col(table.id))
    ).all()


def require_changeable(link: Link, now: datetime) -> None:
    """Raise Refused if the link is final."""
    if link.is_final(now):
        raise Refused(
            f"The link between {link.one.slug!r} and {link.other.slug!r} can no longer be "
            "changed: it is certain, and the outcome of one question may already be known.",
            remedy="Leave it as it is, or add another link.",
        )


def _current(
    session: Session,
    one: Question,
    other: Question,
    kind: LinkKind,
    member: Member,
    now: datetime,
) -> QuestionLink | None:
    """Return the link if there is one; the member must be allowed to change it, or to make it."""
    for question in (one, other):
        roles.require(session, member, Action.forecast, question, now=now)
    table = QuestionLink
    pair = (table.question_id == one.id) & (table.other_id == other.id)
    found = links(session, pair & (table.kind == kind), now=now)
    if not found:
        return None
    if found[0].row.member_id != member.id:
        roles.require(session, member, Action.revise, one, now=now)
    require_changeable(found[0], now)
    return found[0].row


def _ends(one: Question, other: Question, kind: LinkKind) -> tuple[Question, Question]:
    if one.id == other.id:
        raise BadInput(f"{one.slug!r} cannot be linked with itself.", remedy="Name two questions.")
    return (other, one) if kind in SYMMETRIC and other.id < one.id else (one, other)
