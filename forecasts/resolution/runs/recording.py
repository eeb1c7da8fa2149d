"""Write the result of an attempt: resolution, scores, evidence, lookups and the end of the claim.

A finding is written in one transaction, and only while the run still has its claim. Attempts
without a finding are written together at the end of the batch.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, insert, update
from sqlmodel import Session, SQLModel, func, select

from forecasts.access.members import member_or_new
from forecasts.common.times import utc
from forecasts.ledger.models import (
    Member,
    MemberKind,
    Policy,
    Question,
    Resolution,
    Resolver,
    ResolverRun,
    RunState,
)
from forecasts.questions.registry import find
from forecasts.questions.standing import QuestionState, current_state
from forecasts.resolution import confirmation, kept_evidence, proposals
from forecasts.resolution.resolvers.protocol import Finding
from forecasts.resolution.runs.attempt import SOON, Attempt, Result
from forecasts.resolution.runs.claiming import Claimed, Claims
from forecasts.resolution.runs.decision import Answer, Decision
from forecasts.resolution.runs.safeguards import downgraded, new_findings

RUN_MEMBER = "scheduled run"  # confirms and proposes in place of a person

_WATCH = SQLModel.metadata.tables["watch"]
_END_CLAIM = (
    update(_WATCH)
    .where(_WATCH.c.id == bindparam("watch_id"))
    .values(
        claimed_by=None,
        claimed_until=None,
        **{
            column: bindparam(f"new_{column}")
            for column in ("next_at", "attempts", "looked_at", "parked_at", "reason")
        },
    )
)


def run_member(session: Session, now: datetime) -> Member:
    """Return the member in whose name runs confirm and propose, added on first use."""
    return member_or_new(session, RUN_MEMBER, now=now, kind=MemberKind.service)


def record_finding(
    claims: Claims, claimed: Claimed, answers: Sequence[Answer], decision: Decision
) -> Result | None:
    """Return the result, written in one transaction.

    None if the claim has ended, or the question was resolved or changed during the attempt.
    """
    with claims.writing() as session:
        if not claims.held(session, [claimed]):
            return None
        question = find(session, claimed.state.slug)
        state = current_state(session, question, now=claims.now)
        if state.resolution is not None:
            _end_claim(session, [_claim_end(claimed, None, claims.now, None)])
            return None
        if _has_changed(session, claimed, state):
            _end_claim(session, [_claim_end(claimed, None, claims.now, claims.now + SOON)])
            return None
        decision = downgraded(session, question, answers, decision)
        member = run_member(session, claims.now)
        result = _settle(session, question, decision, member, claims.now)
        lookups = list(_lookups(claimed, answers, result, claims.now, always=True))
        session.connection().execute(insert(ResolverRun), lookups)
        next_at = None if result.state == RunState.confirmed else claims.now + SOON
        _end_claim(session, [_claim_end(claimed, result, claims.now, next_at)])
        return result


def record_attempts(claims: Claims, attempts: Sequence[Attempt]) -> list[Attempt]:
    """Return the attempts whose claim has not ended, written in one transaction."""
    if not attempts:
        return []
    with claims.writing() as session:
        held = claims.held(session, [attempt.claimed for attempt in attempts])
        attempts = [attempt for attempt in attempts if attempt.claimed.watch.id in held]
        lookups = [
            lookup
            for attempt in attempts
            for lookup in _lookups(attempt.claimed, attempt.answers, attempt.result, claims.now)
        ]
        if lookups:
            session.connection().execute(insert(ResolverRun), lookups)
        ends = [_claim_end(a.claimed, a.result, claims.now, a.next_at) for a in attempts]
        if ends:
            _end_claim(session, ends)
    return list(attempts)


def propose(
    session: Session,
    question: Question,
    resolver: Resolver,
    finding: Finding,
    *,
    member: Member,
    now: datetime,
) -> Resolution:
    """Return the proposal of a finding, written with its evidence."""
    row = proposals.propose(
        session, question, finding.outcome, **_given(finding, resolver, member, now)
    )
    kept_evidence.keep(session, row, finding.seen)
    return row


def _settle(
    session: Session, question: Question, decision: Decision, member: Member, now: datetime
) -> Result:
    """Confirm the finding of the decision, or propose each that is new."""
    if decision.state == RunState.confirmed:
        [(resolver, finding)] = decision.findings
        row = confirmation.confirm(
            session, question, finding.outcome, **_given(finding, resolver, member, now)
        )
        kept_evidence.keep(session, row, finding.seen)
        return Result(question.slug, RunState.confirmed, decision.message, row.id)
    proposed = [
        propose(session, question, resolver, finding, member=member, now=now)
        for resolver, finding in new_findings(session, question, decision, now=now)
    ]
    if not proposed:
        return Result(question.slug, RunState.not_yet, f"{decision.message}: already proposed")
    message = f"{decision.message}; waiting for a decision"
    return Result(question.slug, RunState.proposed, message, proposed[-1].id)


def _given(finding: Finding, resolver: Resolver, member: Member, now: datetime) -> dict[str, Any]:
    return {
        "known_at": finding.known_at,
        "now": now,
        "member": member,
        "resolver": resolver,
        "note": finding.note,
        "source": finding.source,
    }


def _has_changed(session: Session, claimed: Claimed, state: QuestionState) -> bool:
    """Return whether wording, status or policy have changed since the question was claimed."""
    newest = select(func.max(Policy.id)).where(Policy.question_id == claimed.state.id)
    policy = None if claimed.policy is None else claimed.policy.id
    return (state.text.id, state.status, session.exec(newest).one()) != (
        claimed.state.text.id,
        claimed.state.status,
        policy,
    )


def _end_claim(session: Session, ends: list[dict[str, Any]]) -> None:
    session.connection().execute(_END_CLAIM, ends)


def _claim_end(
    claimed: Claimed, result: Result | None, now: datetime, next_at: datetime | None
) -> dict[str, Any]:
    failed = result is not None and result.state in (RunState.failed, RunState.parked)
    return {
        "watch_id": claimed.watch.id,
        "new_next_at": next_at,
        "new_attempts": claimed.attempt if failed else 0,
        "new_looked_at": now,
        "new_parked_at": now if result is not None and result.state == RunState.parked else None,
        "new_reason": result.message if failed and result is not None else "",
    }


def _lookups(
    claimed: Claimed,
    answers: Sequence[Answer],
    result: Result,
    now: datetime,
    *,
    always: bool = False,
) -> Iterator[dict[str, Any]]:
    """Yield the row of each answer that differs from the one before, or is the first of the day."""
    for answer in answers:
        state, message = result.state, result.message
        if len(answers) > 1:
            message = answer.message
            if answer.finding is None:
                state = RunState.not_yet if answer.error is None else RunState.failed
        assert answer.resolver.id is not None
        last = claimed.last_lookups.get(answer.resolver.id)
        repeats = (
            last is not None
            and (last.state, last.message) == (state, message)
            and utc(now).date() == last.started_at.date()
        )
        if always or not repeats:
            yield {
                "resolver_id": answer.resolver.id,
                "started_at": now,
                "ended_at": now,
                "state": state,
                "message": message,
            }
