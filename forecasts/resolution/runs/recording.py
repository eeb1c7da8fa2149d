"""Write the result of an attempt: resolution, scores, evidence, lookups and the end of the claim.

A finding is written in one transaction, and only while the run still has its claim. Attempts
without a finding are written together at the end of the batch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

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
from forecasts.resolution import kept_evidence, proposals
from forecasts.resolution.resolvers.protocol import Finding
from forecasts.resolution.runs.agreement import Answer, Decision
from forecasts.resolution.runs.attempt import SOON, Attempt, Result
from forecasts.resolution.runs.claiming import Claimed, Claims
from forecasts.resolution.runs.safeguards import downgraded, new_findings

if TYPE_CHECKING:
    from forecasts.resolution.confirmation import Settled

RUN_MEMBER = "scheduled run"  # confirms and proposes in place of a person

_WATCH = SQLModel.metadata.tables["watch"]
_WRITTEN = ("next_at", "attempts", "looked_at", "parked_at", "reason")
_END_CLAIM = (
    update(_WATCH)
    .where(_WATCH.c.id == bindparam("watch_id"))
    .values(
        claimed_by=None, claimed_until=None, **{name: bindparam(f"new_{name}") for name in _WRITTEN}
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
    # It imports pandas, which most runs do without; no other writer may wait for that.
    from forecasts.resolution.confirmation import confirm

    with claims.writing() as session:
        if not claims.held(session, [claimed]):
            return None
        question = find(session, claimed.state.slug)
        state = current_state(session, question, now=claims.now)
        result = next_at = None
        if state.resolution is None:
            next_at = claims.now + SOON
            if not _has_changed(session, claimed, state):
                decision = downgraded(session, question, answers, decision)
                result = _settle(session, question, decision, confirm, claims.now)
                lookups = list(_lookups(claimed, answers, result, claims.now, always=True))
                session.connection().execute(insert(ResolverRun), lookups)
                if result.state == RunState.confirmed:
                    next_at = None
        _end_claim(session, claims.now, (claimed, result, next_at))
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
        if attempts:
            ends = [(attempt.claimed, attempt.result, attempt.next_at) for attempt in attempts]
            _end_claim(session, claims.now, *ends)
    return list(attempts)


def write_finding(
    verb: Callable[..., Resolution | Settled],
    session: Session,
    question: Question,
    resolver: Resolver,
    finding: Finding,
    *,
    now: datetime,
) -> Resolution:
    """Return the finding's resolution or proposal (the ``verb``), written with its evidence."""
    done = verb(
        session,
        question,
        finding.outcome,
        known_at=finding.known_at,
        now=now,
        member=run_member(session, now),
        resolver=resolver,
        note=finding.note,
        source=finding.source,
    )
    row = done if isinstance(done, Resolution) else done.resolution
    kept_evidence.keep(session, row, finding.seen)
    return row


def _settle(
    session: Session,
    question: Question,
    decision: Decision,
    verb: Callable[..., Resolution | Settled],
    now: datetime,
) -> Result:
    """Confirm the finding of the decision with the ``verb``, or propose each that is new."""
    findings, message = list(decision.findings), decision.message
    if decision.state != RunState.confirmed:
        verb, findings = proposals.propose, new_findings(session, question, decision, now=now)
        if not findings:
            return Result(question.slug, RunState.not_yet, f"{message}: already proposed")
        message += "; waiting for a decision"
    for resolver, finding in findings:
        row = write_finding(verb, session, question, resolver, finding, now=now)
    return Result(question.slug, decision.state, message, row.id)


def _has_changed(session: Session, claimed: Claimed, state: QuestionState) -> bool:
    """Return whether wording, status or policy have changed since the question was claimed."""
    newest = select(func.max(Policy.id)).where(Policy.question_id == claimed.state.id)
    policy = None if claimed.policy is None else claimed.policy.id
    before = (claimed.state.text.id, claimed.state.status, policy)
    return (state.text.id, state.status, session.exec(newest).one()) != before


def _end_claim(
    session: Session, now: datetime, *ends: tuple[Claimed, Result | None, datetime | None]
) -> None:
    """Write the end of each claim, with its result (if any) and the time of the next attempt."""
    rows: list[dict[str, Any]] = []
    for claimed, result, next_at in ends:
        row: dict[str, Any] = {
            "watch_id": claimed.watch.id,
            "new_next_at": next_at,
            "new_looked_at": now,
        }
        row |= {"new_attempts": 0, "new_parked_at": None, "new_reason": ""}
        if result is not None and result.state in (RunState.failed, RunState.parked):
            row |= {"new_attempts": claimed.attempt, "new_reason": result.message}
            row["new_parked_at"] = now if result.state == RunState.parked else None
        rows.append(row)
    session.connection().execute(_END_CLAIM, rows)


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
        last = claimed.last_lookups.get(answer.resolver.id)
        repeats = (
            last is not None
            and (last.state, last.message) == (state, message)
            and utc(now).date() == last.started_at.date()
        )
        if always or not repeats:
            times = {"started_at": now, "ended_at": now}
            yield {"resolver_id": answer.resolver.id, "state": state, "message": message, **times}
