"""Write the result of an attempt: resolution, scores, evidence, lookups and the end of the claim.

A finding is written in one transaction, and only while the run still has its claim. Attempts
without a finding are written together at the end of the batch.

Some outcomes a run must leave to people. It does not confirm for a member who may not resolve the
question alone, nor an outcome that an open proposal contradicts or that was rejected or withdrawn
before. It does not propose again an outcome that is already proposed, or that was rejected on the
same evidence. It does propose a withdrawn one, once: its resolver still gives it, so that a person
has to decide.

If a question was resolved by following another one whose resolution was corrected later, a run
proposes the correction once; only a person changes a question that is resolved.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import or_
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, func, select

from forecasts.access.members import member_or_new
from forecasts.access.teams import needs_second_resolver
from forecasts.common.times import utc
from forecasts.ledger.models import (
    Exhibit,
    Member,
    MemberKind,
    Policy,
    Question,
    Resolution,
    ResolutionState,
    Resolver,
    ResolverRun,
    RunState,
    Watch,
)
from forecasts.questions.registry import find, newest_wording
from forecasts.questions.standing import QuestionState, current_state
from forecasts.resolution import kept_evidence, proposals
from forecasts.resolution.assignments import is_assigned
from forecasts.resolution.dependents import contradiction
from forecasts.resolution.resolvers.protocol import Finding
from forecasts.resolution.runs.attempt import SOON, Answer, Attempt, Decision, Result
from forecasts.resolution.runs.claiming import Claimed, Claims
from forecasts.values.outcomes import outcome_value

FOLLOWS = "question"  # the kind of a resolver that follows another question
RUN_MEMBER = "scheduled run"  # confirms and proposes in place of a person


def run_member(session: Session, now: datetime) -> Member:
    """Return the member in whose name runs confirm and propose, added on first use."""
    return member_or_new(session, RUN_MEMBER, now=now, kind=MemberKind.service)


def record_finding(
    claims: Claims, claimed: Claimed, answers: Sequence[Answer], decision: Decision
) -> Result | None:
    """Return the result, written in one transaction.

    None if the claim has ended, or the question was resolved or changed during the attempt.
    """
    # It loads pandas, which most runs do without; no other writer may wait for that.
    from forecasts.resolution.confirmation import confirm

    with claims.writing() as session:
        watch = claims.held(session, [claimed]).get(claimed.watch.id)
        if watch is None:
            return None
        question = find(session, claimed.state.slug)
        state = current_state(session, question, now=claims.now)
        result = next_at = None
        if state.resolution is None:
            next_at = claims.now + SOON
            if not _has_changed(session, claimed, state):
                decision = downgraded(session, question, answers, decision)
                if decision.state == RunState.confirmed:
                    [found] = decision.findings
                    _write(confirm, session, question, *found, now=claims.now)
                    result, next_at = Result(question.slug, decision.state, decision.message), None
                else:
                    result = _propose(session, question, decision, now=claims.now)
                session.add_all(_lookups(claimed, answers, result, claims.now, always=True))
        _end_claim(watch, claimed, result, claims.now, next_at)
        return result


def record_attempts(claims: Claims, attempts: Sequence[Attempt]) -> list[Attempt]:
    """Return the attempts whose claim has not ended, written in one transaction."""
    if not attempts:
        return []
    with claims.writing() as session:
        held = claims.held(session, [attempt.claimed for attempt in attempts])
        attempts = [attempt for attempt in attempts if attempt.claimed.watch.id in held]
        lookups: list[ResolverRun] = []
        for attempt in attempts:
            claimed, result = attempt.claimed, attempt.result
            lookups += _lookups(claimed, attempt.answers, result, claims.now)
            _end_claim(held[claimed.watch.id], claimed, result, claims.now, attempt.next_at)
        session.bulk_save_objects(lookups)
    return list(attempts)


def _write(
    verb: Callable[..., Any],
    session: Session,
    question: Question,
    resolver: Resolver,
    finding: Finding,
    *,
    now: datetime,
) -> None:
    """Confirm or propose the finding (the ``verb``), and keep its evidence."""
    unexplained = "" if finding.source else f"Reported by the resolver {resolver.kind}."
    done = verb(
        session,
        question,
        finding.outcome,
        known_at=finding.known_at,
        now=now,
        member=run_member(session, now),
        resolver=resolver,
        note=finding.note or unexplained,
        source=finding.source,
    )
    row = done if isinstance(done, Resolution) else done.resolution
    kept_evidence.keep(session, row, finding.seen)


def _propose(session: Session, question: Question, decision: Decision, *, now: datetime) -> Result:
    """Propose each finding of the decision that is new."""
    findings = new_findings(session, question, decision, now=now)
    for found in findings:
        _write(proposals.propose, session, question, *found, now=now)
    if not findings:
        message = f"{decision.message}: already proposed"
        return Result(question.slug, RunState.not_yet, message)
    return Result(question.slug, decision.state, f"{decision.message}; waiting for a decision")


def _has_changed(session: Session, claimed: Claimed, state: QuestionState) -> bool:
    """Return whether wording, status, proposals or policy have changed since the claim."""
    newest = select(func.max(Policy.id)).where(Policy.question_id == claimed.state.id)
    policy = None if claimed.policy is None else claimed.policy.id
    before = (claimed.state.text.id, claimed.state.stage, policy)
    return (state.text.id, state.stage, session.exec(newest).one()) != before


def _end_claim(
    watch: Watch, claimed: Claimed, result: Result | None, now: datetime, next_at: datetime | None
) -> None:
    """Set the end of the claim, the result (if any) and the time of the next attempt."""
    failed = result is not None and result.state in (RunState.failed, RunState.parked)
    parked = result is not None and result.state == RunState.parked
    watch.claimed_by = watch.claimed_until = None
    watch.next_at, watch.looked_at = next_at, now
    watch.attempts = claimed.attempt if failed else 0
    watch.reason = result.message if result is not None and failed else ""
    watch.parked_at = now if parked else None


def _lookups(
    claimed: Claimed,
    answers: Sequence[Answer],
    result: Result,
    now: datetime,
    *,
    always: bool = False,
) -> Iterator[ResolverRun]:
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
            yield ResolverRun(
                resolver_id=answer.resolver.id,
                state=state,
                message=message,
                started_at=now,
                ended_at=now,
            )


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
            Resolver.kind == FOLLOWS,
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
    _write(proposals.propose, session, question, resolver, finding, now=now)
    return Result(question.slug, RunState.proposed, correction_message(finding))


def correction_message(finding: Finding) -> str:
    """Return the message of a proposed correction."""
    return f"{finding.note} after a correction: {finding.outcome} is waiting for a decision"


# Without a name: this text stays in the history after a member is removed.
_ALONE = (
    "the resolver's owner has forecast on the question, and the team's rule requires a second "
    "person to resolve it"
)


def downgraded(
    session: Session, question: Question, answers: Sequence[Answer], decision: Decision
) -> Decision:
    """Return the decision, downgraded to a proposal when a run may not confirm it."""
    if decision.state != RunState.confirmed:
        return decision
    [(resolver, finding)] = decision.findings
    counted = (one for one in answers if not one.only_proposes and not one.is_model)
    found = [one for one in counted if one.finding is not None]
    owner, *others = {answer.resolver.member_id for answer in found}
    if not others and needs_second_resolver(session, owner, question):
        reason = _ALONE
        finding = replace(finding, note="\n".join(filter(None, (finding.note, _ALONE))))
    else:
        # Not in the note: a note that differs counts as new evidence.
        reason = _objection(session, question, finding)
    if not reason:
        return decision
    return Decision(RunState.proposed, f"{decision.message}; {reason}", ((resolver, finding),))


def _objection(session: Session, question: Question, finding: Finding) -> str:
    """Return the reason not to confirm the finding without a person; '' if there is none."""
    agrees = _agrees_with(session, question, finding)
    for row in proposals.history(session, question):
        if row.state == ResolutionState.withdrawn and agrees(row):
            return "it was withdrawn before"
    earlier = _earlier_proposals(session, question)
    for proposal in earlier:
        if proposal.is_open and not agrees(proposal.row):
            return f"{proposal.row.outcome} was proposed, and waits for a decision too"
    if any(not proposal.is_open and agrees(proposal.row) for proposal in earlier):
        return "it was rejected before"
    # Any time will do for the outcomes of a group.
    return contradiction(session, question, finding.outcome, now=finding.known_at)


def _agrees_with(
    session: Session, question: Question, finding: Finding
) -> Callable[[Resolution], bool]:
    """Return a function: whether a row has the finding's outcome, however it is written."""
    value = partial(outcome_value, question=newest_wording(session, question))
    return lambda row: value(row.outcome) == value(finding.outcome)


def new_findings(
    session: Session, question: Question, decision: Decision, *, now: datetime
) -> list[tuple[Resolver, Finding]]:
    """Return the findings to propose: neither proposed already nor rejected on this evidence."""
    earlier = _earlier_proposals(session, question)
    found = []
    for resolver, finding in decision.findings:
        agrees = _agrees_with(session, question, finding)
        if not any(agrees(one.row) and one.is_repeated_by(finding, now) for one in earlier):
            found.append((resolver, finding))
    return found


@dataclass(frozen=True)
class _Proposal:
    """An earlier proposal; ``evidence``: the hashes of the documents kept with it."""

    row: Resolution
    is_open: bool
    evidence: set[str]

    def is_repeated_by(self, finding: Finding, now: datetime) -> bool:
        """Return whether a finding with its outcome has no new evidence.

        Documents may differ in their bytes and say the same: a page shows the current time.
        """
        if self.row.resolver_id is None:  # a member's, repeated only by the same time
            return self.row.known_at == finding.known_at
        if self.is_open or self.evidence.issuperset(one.sha256 for one in finding.seen):
            return True
        is_same_time = finding.known_at in (self.row.known_at, now)
        return is_same_time and self.row.note == finding.note.strip()


def _earlier_proposals(session: Session, question: Question) -> list[_Proposal]:
    """Return the proposals of resolvers, and the open proposals of members.

    Without those whose outcome was confirmed and withdrawn.
    """
    open_ids = {row.id for row in proposals.proposals_on(session, question)}
    rows = proposals.history(session, question)
    ended = {row.supersedes_id for row in rows if row.state == ResolutionState.withdrawn}
    ended |= {row.proposal_id for row in rows if row.id in ended}
    kept = proposals.by_resolution(session, question, Exhibit)
    return [
        _Proposal(row, row.id in open_ids, {one.sha256 for one in kept.get(row.id, ())})
        for row in rows
        if (row.resolver_id is not None or row.id in open_ids) and row.id not in ended
    ]
