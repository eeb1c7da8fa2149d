"""Settling: what a verdict becomes in the ledger, in the transaction of the run that reached it.

What is confirmed is confirmed with its scores, and what is proposed waits for a person; both with
what the resolvers were shown. What people have in hand is left to them (``left_to_people``), and
nothing is proposed over and over that waits or was turned down.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlmodel import Session

from forecasts.access.roles import needs_second
from forecasts.ledger.models import (
    Member,
    Question,
    QuestionText,
    Resolution,
    Resolver,
    RunState,
)
from forecasts.questions.outcomes import outcome_value
from forecasts.questions.registry import wording
from forecasts.resolution import kept_evidence, resolutions
from forecasts.resolution.resolvers.protocol import Finding
from forecasts.resolution.runs.decision import Said, Verdict

# It names nobody: what is written into history stays when a member is removed.
_ALONE = (
    "whoever attached the resolver has forecast on the question, and by its team's rule nobody "
    "resolves such a question alone"
)


@dataclass(frozen=True)
class Looked:
    """What the looks for one question came to; ``message`` says it in a sentence.

    ``resolution_id``: what was confirmed or proposed, where that was written.
    """

    slug: str
    state: RunState
    message: str
    resolution_id: int | None = None


def left_to_people(
    session: Session, question: Question, said: Sequence[Said], came: Verdict
) -> Verdict:
    """Return the verdict, with a proposal for what no run confirms by itself.

    That is what whoever attached the resolver may not resolve alone, what an outcome that waits
    contradicts, whoever proposed it, and what resolvers had proposed and somebody has turned down.
    """
    if came.state != RunState.confirmed:
        return came
    [(resolver, finding)] = came.findings
    if _is_alone(session, question, said):
        finding = replace(finding, note="\n".join(part for part in (finding.note, _ALONE) if part))
        why = _ALONE
    else:
        # Not in the note: what only that tells apart would count as new evidence.
        why = _contradicted(_proposed_before(session, question), finding)
    if not why:
        return came
    return Verdict(RunState.proposed, f"{came.message}; {why}", ((resolver, finding),))


def _is_alone(session: Session, question: Question, said: Sequence[Said]) -> bool:
    """Return whether nobody else's resolver has found the same, and by the team's rule one must."""
    by = {
        one.resolver.member_id for one in said if one.finding is not None and not one.only_proposes
    }
    alone = by.pop()
    return not by and needs_second(session, alone, question)


def _contradicted(before: Sequence[_Before], finding: Finding) -> str:
    """Return what speaks against confirming that unasked; '' where nothing does."""
    for one in before:
        if one.waits and not one.says(finding):
            return f"{one.row.outcome} was proposed, and waits too"
    if any(not one.waits and one.says(finding) for one in before):
        return "it was turned down before"
    return ""


def settle(
    session: Session, question: Question, came: Verdict, *, member: Member, now: datetime
) -> Looked:
    """Return what came of the verdict, which is written: confirmed, or proposed by ``member``."""
    return (_confirm if came.state == RunState.confirmed else _propose)(
        session, question, came, member, now
    )


def is_new(session: Session, question: Question, came: Verdict, *, now: datetime) -> bool:
    """Return whether ``settle`` would write anything."""
    if came.state == RunState.confirmed:
        return True
    before = _proposed_before(session, question)
    return any(not any(_is_same(row, new, now) for row in before) for _, new in came.findings)


def _confirm(
    session: Session, question: Question, came: Verdict, member: Member, now: datetime
) -> Looked:
    [(resolver, finding)] = came.findings
    row = resolutions.confirm(
        session, question, finding.outcome, **_with(finding, resolver, member, now)
    )
    kept_evidence.keep(session, row, finding.seen)
    return Looked(question.slug, RunState.confirmed, came.message, row.id)


def _propose(
    session: Session, question: Question, came: Verdict, member: Member, now: datetime
) -> Looked:
    """Propose each outcome, but for what waits already, or was turned down."""
    before = _proposed_before(session, question)
    written = None
    for resolver, finding in came.findings:
        if not any(_is_same(row, finding, now) for row in before):
            written = proposed(session, question, resolver, finding, member=member, now=now)
    if written is None:
        return Looked(question.slug, RunState.not_yet, f"{came.message}: proposed already")
    said = f"{came.message}; it waits for a decision"
    return Looked(question.slug, RunState.proposed, said, written.id)


def proposed(
    session: Session,
    question: Question,
    resolver: Resolver,
    finding: Finding,
    *,
    member: Member,
    now: datetime,
) -> Resolution:
    """Return the proposal of what a resolver has found, written with what it was shown."""
    row = resolutions.propose(
        session, question, finding.outcome, **_with(finding, resolver, member, now)
    )
    kept_evidence.keep(session, row, finding.seen)
    return row


@dataclass(frozen=True)
class _Before:
    """What was proposed: whether it still waits, and the hashes of what its resolver was shown."""

    row: Resolution
    text: QuestionText
    waits: bool
    shown: frozenset[str]

    def says(self, finding: Finding) -> bool:
        """Return whether that was the same outcome, however it is written."""
        before, now = (outcome_value(one.outcome, self.text) for one in (self.row, finding))
        return before == now


def _proposed_before(session: Session, question: Question) -> list[_Before]:
    """Return what resolvers have proposed, and what waits of people's."""
    waits = {row.id for row in resolutions.proposals_on(session, question)}
    text, shown = wording(session, question), kept_evidence.shown_for(session, question)
    hashes = {id_: frozenset(one.sha256 for one in rows) for id_, rows in shown.items()}
    return [
        _Before(row, text, row.id in waits, hashes.get(row.id or 0, frozenset()))
        for row in resolutions.history(session, question)
        if row.resolver_id is not None or row.id in waits
    ]


def _is_same(before: _Before, finding: Finding, now: datetime) -> bool:
    """Return whether that was proposed, and waits or was turned down on the same evidence.

    What is shown in other bytes is the same still where they say the same: a page tells the time.
    """
    row = before.row
    if not before.says(finding):
        return False
    if row.resolver_id is None:  # a person's: what says the same in all is not proposed beside it
        return row.known_at == finding.known_at
    if before.waits or before.shown.issuperset(one.sha256 for one in finding.seen):
        return True
    return row.note == finding.note.strip() and finding.known_at in (row.known_at, now)


def _with(finding: Finding, resolver: Resolver, member: Member, now: datetime) -> dict[str, Any]:
    return {
        "known_at": finding.known_at,
        "now": now,
        "member": member,
        "resolver": resolver,
        "note": finding.note,
        "source": finding.source,
    }
