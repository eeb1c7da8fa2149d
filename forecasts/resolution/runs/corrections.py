"""Questions that follow another one (kind ``question``) whose resolution was corrected later.

A run proposes the correction to them once; only a person changes a question that is resolved.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import or_
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from forecasts.ledger.models import Question, Resolution, ResolutionState, Resolver, RunState
from forecasts.questions.standing import QuestionState, current_state
from forecasts.resolution import proposals
from forecasts.resolution.assignments import is_assigned
from forecasts.resolution.resolvers.protocol import Finding
from forecasts.resolution.runs.attempt import Result
from forecasts.resolution.runs.recording import write_finding
from forecasts.values.outcomes import outcome_value

KIND = "question"


def outdated(session: Session) -> list[tuple[Resolver, Question]]:
    """Return the followers resolved before a correction of the question they follow.

    Left out: followers resolved again since, and those whose resolver has proposed since.
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
            is_assigned(),
            col(corrects.supersedes_id).is_not(None),
            col(corrects.state) == ResolutionState.confirmed,
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


def changes_outcome(state: QuestionState, finding: Finding) -> bool:
    """Return whether the question is resolved, to another outcome than the finding's."""
    if state.resolution is None:
        return False
    found = outcome_value(finding.outcome, state.text)
    return found != outcome_value(state.resolution.outcome, state.text)


def propose_correction(
    session: Session, resolver: Resolver, question: Question, finding: Finding, *, now: datetime
) -> Result | None:
    """Return the result with the run's proposal, which is written.

    None if another run has proposed it, or the question has got this outcome meanwhile.
    """
    if resolver.id not in [one.id for one, _ in outdated(session)]:
        return None
    if not changes_outcome(current_state(session, question, now=now), finding):
        return None
    row = write_finding(proposals.propose, session, question, resolver, finding, now=now)
    return Result(question.slug, RunState.proposed, message(finding), row.id)


def message(finding: Finding) -> str:
    """Return the message of a proposed correction."""
    return f"{finding.note} after a correction: {finding.outcome} is waiting for a decision"
