"""Followers: questions that came out as another one did, and that one was corrected since.

A run proposes the correction to them, once: what is resolved already is changed by people alone.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import or_
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from forecasts.ledger.models import (
    Member,
    Question,
    Resolution,
    ResolutionState,
    Resolver,
    RunState,
)
from forecasts.questions.outcomes import outcome_value
from forecasts.questions.standing import Stands, as_it_stands
from forecasts.resolution.assignments import carried
from forecasts.resolution.resolvers.protocol import Finding
from forecasts.resolution.runs.record import Looked, proposed

KIND = "question"  # of the resolvers that follow another question


def outdated(session: Session) -> list[tuple[Resolver, Question]]:
    """Return who follows a question that was corrected after they were resolved, by what.

    Not those that were resolved anew since, or whose resolver has proposed something since.
    """
    followed = aliased(Question)
    corrects, earlier, later = (aliased(Resolution) for _ in range(3))
    rows = session.exec(
        select(Resolver, Question)
        .join(Question, col(Question.id) == col(Resolver.question_id))
        .join(followed, followed.slug == col(Resolver.settings)["question"].as_string())
        .join(corrects, col(corrects.question_id) == followed.id)
        .where(
            Resolver.kind == KIND,
            carried(),
            col(corrects.supersedes_id).is_not(None),
            select(earlier.id)
            .where(
                col(earlier.question_id) == col(Resolver.question_id),
                col(earlier.state) == ResolutionState.confirmed,
                col(earlier.id) < col(corrects.id),
            )
            .exists(),
            ~select(later.id)
            .where(
                col(later.question_id) == col(Resolver.question_id),
                col(later.id) > col(corrects.id),
                or_(
                    col(later.state) == ResolutionState.confirmed,
                    col(later.resolver_id) == col(Resolver.id),
                ),
            )
            .exists(),
        )
        .order_by(col(Resolver.id))
    )
    return list({resolver.id: (resolver, question) for resolver, question in rows}.values())


def comes_out_otherwise(stands: Stands, finding: Finding) -> bool:
    """Return whether the question is resolved, and what was found now is another outcome."""
    if stands.resolution is None:
        return False
    said = (stands.resolution.outcome, finding.outcome)
    before, now = (outcome_value(outcome, stands.text) for outcome in said)
    return before != now


def correct(
    session: Session,
    resolver: Resolver,
    question: Question,
    finding: Finding,
    *,
    member: Member,
    now: datetime,
) -> Looked | None:
    """Return what ``member`` has proposed with this, which is written; None where another run has.

    It is None too where the question has been resolved so meanwhile.
    """
    if resolver.id not in [one.id for one, _ in outdated(session)]:
        return None
    if not comes_out_otherwise(as_it_stands(session, question, now=now), finding):
        return None
    row = proposed(session, question, resolver, finding, member=member, now=now)
    return Looked(question.slug, RunState.proposed, said_of(finding), row.id)


def said_of(finding: Finding) -> str:
    """Return what is proposed to a follower, for a person."""
    return f"{finding.note}, and was corrected: {finding.outcome} waits for a decision"
