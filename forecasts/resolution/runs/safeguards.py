"""Checks between a decision and the ledger: cases in which a run must leave the outcome to people.

A run does not confirm for a member who may not resolve the question alone, nor an outcome that an
open proposal contradicts or that was rejected or withdrawn before. It does not propose again an
outcome that is already proposed, or that was rejected on the same evidence. It does propose a
withdrawn one, once: its resolver still gives it, so that a person has to decide.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlmodel import Session

from forecasts.access.teams import needs_second_resolver
from forecasts.ledger.models import (
    Exhibit,
    Question,
    QuestionText,
    Resolution,
    ResolutionState,
    Resolver,
    RunState,
)
from forecasts.questions.registry import newest_wording
from forecasts.resolution import proposals
from forecasts.resolution.resolvers.protocol import Finding
from forecasts.resolution.runs.attempt import Answer, Decision
from forecasts.values.outcomes import outcome_value

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
    if _is_alone(session, question, answers):
        finding = replace(finding, note="\n".join(part for part in (finding.note, _ALONE) if part))
        reason = _ALONE
    else:
        # Not in the note: a note that differs counts as new evidence.
        reason = _objection(session, question, finding)
    if not reason:
        return decision
    return Decision(RunState.proposed, f"{decision.message}; {reason}", ((resolver, finding),))


def _is_alone(session: Session, question: Question, answers: Sequence[Answer]) -> bool:
    """Return whether one member's resolvers found the outcome, and it takes a second member."""
    owners = {
        answer.resolver.member_id
        for answer in answers
        if answer.finding is not None and not answer.only_proposes
    }
    owner = owners.pop()
    return not owners and needs_second_resolver(session, owner, question)


def _objection(session: Session, question: Question, finding: Finding) -> str:
    """Return the reason not to confirm the finding without a person; '' if there is none."""
    text = newest_wording(session, question)
    for row in proposals.history(session, question):
        if row.state == ResolutionState.withdrawn and _agree(row, finding, text):
            return "it was withdrawn before"
    earlier = _earlier_proposals(session, question)
    for proposal in earlier:
        if proposal.is_open and not proposal.agrees(finding):
            return f"{proposal.row.outcome} was proposed, and waits for a decision too"
    if any(not proposal.is_open and proposal.agrees(finding) for proposal in earlier):
        return "it was rejected before"
    return ""


def new_findings(
    session: Session, question: Question, decision: Decision, *, now: datetime
) -> list[tuple[Resolver, Finding]]:
    """Return the findings to propose: neither proposed already nor rejected on this evidence."""
    earlier = _earlier_proposals(session, question)
    return [
        (resolver, finding)
        for resolver, finding in decision.findings
        if not any(_is_same(proposal, finding, now) for proposal in earlier)
    ]


@dataclass(frozen=True)
class _Proposal:
    """An earlier proposal; ``evidence``: the hashes of the documents kept with it."""

    row: Resolution
    text: QuestionText
    is_open: bool
    evidence: set[str]

    def agrees(self, finding: Finding) -> bool:
        """Return whether the finding has the same outcome, however it is written."""
        return _agree(self.row, finding, self.text)


def _agree(row: Resolution, finding: Finding, text: QuestionText) -> bool:
    return outcome_value(finding.outcome, text) == outcome_value(row.outcome, text)


def _earlier_proposals(session: Session, question: Question) -> list[_Proposal]:
    """Return the proposals of resolvers, and the open proposals of members.

    Without those whose outcome was confirmed and withdrawn.
    """
    open_ids = {row.id for row in proposals.proposals_on(session, question)}
    rows = proposals.history(session, question)
    ended = {row.supersedes_id for row in rows if row.state == ResolutionState.withdrawn}
    ended |= {row.proposal_id for row in rows if row.id in ended}
    text = newest_wording(session, question)
    kept = proposals.by_resolution(session, question, Exhibit)
    return [
        _Proposal(row, text, row.id in open_ids, {one.sha256 for one in kept.get(row.id, ())})
        for row in rows
        if (row.resolver_id is not None or row.id in open_ids) and row.id not in ended
    ]


def _is_same(proposal: _Proposal, finding: Finding, now: datetime) -> bool:
    """Return whether the finding repeats the proposal, without new evidence.

    Documents may differ in their bytes and say the same: a page shows the current time.
    """
    row = proposal.row
    if not proposal.agrees(finding):
        return False
    if row.resolver_id is None:  # a member's, repeated only by the same outcome and time
        return row.known_at == finding.known_at
    if proposal.is_open or proposal.evidence.issuperset(one.sha256 for one in finding.seen):
        return True
    return row.note == finding.note.strip() and finding.known_at in (row.known_at, now)
