"""A person's decisions on a model's proposals: accept, change, dismiss; the newest counts.

Only the one who asked decides. Accepting is their own act: the question is theirs, and the
decision is written in the same transaction. A question discarded again reopens its proposal.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement
from sqlmodel import Session, col, func, select
from sqlmodel.sql.expression import Select

from forecasts.articles.drafts import Draft, drafts_of
from forecasts.common.errors import NotFound, Refused, command
from forecasts.ledger.append import written
from forecasts.ledger.models import (
    Article,
    Decision,
    Discard,
    Member,
    ModelCall,
    ModelDecision,
    ModelProposal,
    Question,
    QuestionText,
)
from forecasts.proposals.questions import ProposedDraft, drafts, read_content
from forecasts.questions.passages import Passage, find_passage
from forecasts.updates.ask import Asked, ask
from forecasts.values.value import Value

_COMPARED = ("title", "type", "options", "lower_bound", "upper_bound", "unit")


def newest_decision(proposal: ModelProposal, session: Session) -> ModelDecision | None:
    """Return the decision that counts, None for an open proposal."""
    row = session.exec(
        select(ModelDecision)
        .where(ModelDecision.model_proposal_id == proposal.id)
        .order_by(col(ModelDecision.id).desc())
        .limit(1)
    ).first()
    if row is None or row.decision == Decision.reopened:
        return None
    if row.made_question_id is not None:
        gone = select(Discard.id).where(Discard.question_id == row.made_question_id)
        return None if session.exec(gone).first() else row
    return row


def is_newest() -> ColumnElement[bool]:
    """Return the SQL condition: a decision is the newest on its proposal."""
    newest = select(func.max(ModelDecision.id)).group_by(col(ModelDecision.model_proposal_id))
    return col(ModelDecision.id).in_(newest)


def is_open() -> ColumnElement[bool]:
    """Return the SQL condition: a proposal has no decision, or its question was discarded."""
    discarded = select(Discard.question_id)
    closed = select(ModelDecision.model_proposal_id).where(
        is_newest(),
        ModelDecision.decision != Decision.reopened,
        col(ModelDecision.made_question_id).is_(None)
        | col(ModelDecision.made_question_id).not_in(discarded),
    )
    return col(ModelProposal.id).not_in(closed)


@dataclass(frozen=True)
class Listed:
    """A proposed question with its article, and the decision that counts, None while it is open."""

    draft: ProposedDraft
    article: Article
    decision: Decision | None


def listing(
    session: Session,
    member: Member | None,
    *,
    decided: bool = False,
    only: Sequence[int] | None = None,
    articles: Sequence[int] | None = None,
    most: int = 100,
    drafted: Callable[[Article], Sequence[Draft]] = drafts_of,
) -> list[Listed]:
    """Return the member's open proposals, or with ``decided`` all of them, the newest call first.

    ``only``: those with these numbers; ``articles``: those from these articles. Without those whose
    words were removed. ``drafted``: returns the grammar's drafts of an article, for ``told``.
    """
    found: list[Listed] = []
    if member is None:
        return found
    asked = _own(member, decided=decided, most=most).where(ModelCall.kind == "questions")
    asked = asked.order_by(col(ModelCall.id).desc(), col(ModelProposal.id))
    if only is not None:
        asked = asked.where(col(ModelProposal.id).in_(only))
    if articles is not None:
        asked = asked.where(col(ModelCall.article_id).in_(articles))
    by_article: dict[int | None, list[tuple[ModelProposal, str]]] = defaultdict(list)
    for row, call in session.exec(asked).all():
        by_article[call.article_id].append((row, call.model))
    for number, proposed in by_article.items():
        article = session.get_one(Article, number)
        rows = {row.id: row for row, _ in proposed}
        for draft in drafts(article, proposed, drafted(article)):
            decision = newest_decision(rows[draft.number], session) if decided else None
            found.append(Listed(draft, article, None if decision is None else decision.decision))
    return found


@dataclass(frozen=True)
class AboutQuestion:
    """A proposal about a question with its call, and the decision that counts; None: open."""

    proposal: ModelProposal
    call: ModelCall
    decision: Decision | None


def about_questions(
    session: Session, member: Member | None, *, decided: bool = False, most: int = 100
) -> list[AboutQuestion]:
    """Return the member's open proposals about questions, or with ``decided`` all, newest first.

    A forecast is open until it is shown and recorded.
    """
    found: list[AboutQuestion] = []
    if member is None:
        return found
    asked = _own(member, decided=decided, most=most).where(
        col(ModelCall.kind).not_in(("questions", "trial"))
    )
    for row, of in session.exec(asked.order_by(col(ModelProposal.id).desc())).all():
        decision = newest_decision(row, session)
        found.append(AboutQuestion(row, of, None if decision is None else decision.decision))
    return found


def _own(member: Member, *, decided: bool, most: int) -> Select[ModelProposal, ModelCall]:
    """Return the query of the member's open proposals (or with ``decided`` all), with calls."""
    query = select(ModelProposal, ModelCall).join(
        ModelCall, col(ModelCall.id) == col(ModelProposal.model_call_id)
    )
    query = query.where(ModelProposal.member_id == member.id).limit(most)
    return query if decided else query.where(is_open())


def find(session: Session, number: int, member: Member) -> ModelProposal:
    """Return the member's proposal with this number; NotFound for others'."""
    own = ModelProposal.member_id == member.id
    found = session.exec(select(ModelProposal).where(ModelProposal.id == number, own)).first()
    if found is None:
        raise NotFound(
            f"You have no proposal {number}.",
            remedy="To list your proposals: forecasts model proposals --all",
        )
    return found


_NAMES = {
    "questions": "a question",
    "forecast": "a forecast",
    "outcome": "an outcome",
    "challenge": "a challenge",
    "trial": "a trial",
}
_ACTS = {
    "questions": "model accept",
    "forecast": "model reveal",
    "outcome": "model propose",
    "challenge": "model dismiss",
    "trial": "model try",
}


def require_kind(session: Session, row: ModelProposal, kind: str) -> ModelCall:
    """Return the call of a proposal of this kind; Refused for another kind.

    NotFound if its words were removed.
    """
    call = session.get_one(ModelCall, row.model_call_id)
    if call.kind != kind:
        act = command(_ACTS[call.kind], *([] if call.kind == "trial" else [str(row.id)]))
        raise Refused(
            f"Proposal {row.id} is not {_NAMES[kind]}.", remedy=f"For {_NAMES[call.kind]}: {act}"
        )
    if not read_content(row):
        raise NotFound(f"The words of proposal {row.id} were removed.")
    return call


def draft_of(session: Session, number: int, member: Member) -> tuple[ProposedDraft, Passage]:
    """Return the member's proposal of a question as a draft, with its passage; NotFound if gone.

    Refused if it is not a question. ``told`` is blank: reading the whole article takes longer than
    a turn to write should.
    """
    require_kind(session, find(session, number, member), "questions")
    for one in listing(session, member, decided=True, only=[number], drafted=lambda _: ()):
        return one.draft, find_passage(session, one.article.id, one.draft.source)
    raise NotFound(f"The words of proposal {number} were removed.")


def accept(
    session: Session,
    number: int,
    text: QuestionText,
    value: Value | None = None,
    *,
    member: Member,
    now: datetime,
    **how: Any,
) -> Asked:
    """Return the question that the member asks from a proposal, with their forecast; all written.

    ``text``: as they corrected it. ``how``: the other keywords of ``ask``. Refused if the proposal
    is decided already, and as ``ask`` refuses.
    """
    draft, passage = draft_of(session, number, member)
    require_open(session, number, member)
    asked = ask(session, text, value, member=member, now=now, sources=[passage], **how)
    decide(session, number, asked.question, changed=is_changed(draft, text), member=member, now=now)
    return asked


def is_changed(draft: ProposedDraft, text: QuestionText) -> bool:
    """Return whether a question differs from its proposal in anything but the time of day."""
    proposed = {"title": draft.question} | draft.type_fields
    days = (
        abs((text.scheduled_close_time.date() - draft.close_date).days) if draft.close_date else 0
    )
    words = (text.resolution_criteria.strip(), text.fine_print.strip())
    return (
        any((getattr(text, name) or None) != (proposed[name] or None) for name in _COMPARED)
        or days > 1
        or words != (draft.criteria.strip(), draft.fine_print.strip())
    )


def require_open(session: Session, number: int, member: Member) -> ModelProposal:
    """Return the member's open proposal; Refused if it is decided already."""
    row = find(session, number, member)
    if (decision := newest_decision(row, session)) is not None:
        raise Refused(f"Proposal {number} has been {decision.decision} already.")
    return row


def decide(
    session: Session,
    number: int,
    question: Question,
    *,
    changed: bool,
    member: Member,
    now: datetime,
) -> ModelDecision:
    """Return the decision that accepts a proposal as this question, which is written."""
    row = require_open(session, number, member)
    decision = Decision.changed if changed else Decision.accepted
    return record(session, row, decision, member, now, made_question_id=question.id)


def dismiss(session: Session, number: int, *, member: Member, now: datetime) -> ModelDecision:
    """Return the dismissal of a proposal, which is written."""
    return record(session, require_open(session, number, member), Decision.dismissed, member, now)


def reopen(session: Session, number: int, *, member: Member, now: datetime) -> ModelDecision:
    """Return the row that takes a dismissal back, which is written; Refused without one."""
    row = find(session, number, member)
    last = newest_decision(row, session)
    if last is None or last.decision != Decision.dismissed:
        raise Refused(f"Proposal {number} is not dismissed.")
    return record(session, row, Decision.reopened, member, now)


def record(
    session: Session,
    proposal: ModelProposal,
    decision: Decision,
    member: Member,
    now: datetime,
    **made: int,
) -> ModelDecision:
    """Return a decision, which is written; ``made``: the id of the row that it made."""
    return written(
        session,
        ModelDecision(
            model_proposal_id=proposal.id,
            member_id=member.id,
            decision=decision,
            recorded_at=now,
            **made,
        ),
    )
