"""Decide from the resolvers' answers, by the question's policy. Nothing is read or written here.

Resolvers that name different outcomes never resolve a question: each outcome is proposed, with the
answer of every resolver. Otherwise a person decides (``propose``), the first finding does
(``confirm``), or as many resolvers as the quorum requires, each with a source of its own. A kind
that only proposes does not count towards either, but its finding can contradict the others.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from forecasts.common.errors import CannotTell, Impossible, LedgerError
from forecasts.common.text import printable
from forecasts.common.times import to_minute
from forecasts.ledger.models import Policy, PolicyKind, Resolver, RunState
from forecasts.resolution.resolvers.protocol import Finding
from forecasts.resolution.resolvers.worker import Stopped

_MESSAGE_LENGTH = 2_000  # characters


@dataclass(frozen=True)
class Answer:
    """One resolver's answer: a finding, an error, or neither while the outcome is not known yet.

    ``only_proposes`` and ``fallback`` come from its kind; ``not_before`` is the earliest time at
    which it can find something.
    """

    resolver: Resolver
    finding: Finding | None = None
    error: Exception | None = None
    only_proposes: bool = False
    fallback: bool = False
    not_before: datetime | None = None

    @property
    def permanent(self) -> bool:
        """Whether it failed in a way that another attempt cannot change."""
        if isinstance(self.error, CannotTell):
            return not self.error.temporary
        return isinstance(self.error, Impossible)

    @property
    def stopped(self) -> bool:
        """Whether it was stopped, since it exceeded the limits of a look."""
        return isinstance(self.error, Stopped)

    @property
    def message(self) -> str:
        """The answer in one sentence, without control characters and at most 2,000 long."""
        if self.error is not None:
            ours = isinstance(self.error, LedgerError)
            text = str(self.error) if ours else f"{type(self.error).__name__}: {self.error}"
            return printable(text)[:_MESSAGE_LENGTH]
        return "not known yet" if self.finding is None else outcome_and_day(self.finding)


@dataclass(frozen=True)
class Decision:
    """The next step for a question: confirm the one finding, propose each, or try again later.

    ``findings`` has one entry per outcome, with the resolver that found it first. ``permanent``:
    another attempt would fail too.
    """

    state: RunState
    message: str
    findings: tuple[tuple[Resolver, Finding], ...] = ()
    permanent: bool = False


def outcome_and_day(finding: Finding) -> str:
    """Return the outcome and the day on which it became known, for a person."""
    return f"{finding.outcome}, known on {finding.known_at:%-d %B %Y}"


def decide(
    answers: Sequence[Answer],
    policy: Policy | None,
    *,
    last_attempt: bool,
    value: Callable[[str], float | str] = str,
) -> Decision:
    """Return the decision; after the ``last_attempt`` failed resolvers are not asked again.

    ``value`` reads an outcome, so that '100' and '100.0' agree.
    """
    found = [(answer, answer.finding) for answer in answers if answer.finding is not None]
    failed = [answer for answer in answers if answer.error is not None]
    gives_up = last_attempt or any(answer.permanent for answer in failed)
    needed = policy.agreeing if policy is not None and policy.kind == PolicyKind.quorum else 1
    if not found:
        if not failed:
            return Decision(RunState.not_yet, "not known yet")
        # The other resolvers may reach the quorum without one that has failed for good.
        enough_left = sum(not answer.permanent for answer in answers) >= needed
        if enough_left and all(answer.permanent for answer in failed):
            return Decision(RunState.not_yet, _failures(answers))
        return Decision(RunState.failed, _failures(answers), permanent=not enough_left)
    by_outcome: dict[float | str, list[tuple[Answer, Finding]]] = {}
    for answer, finding in found:
        by_outcome.setdefault(value(finding.outcome), []).append((answer, finding))
    findings = tuple(_merged(group, answers) for group in by_outcome.values())
    named = "; ".join(outcome_and_day(finding) for _, finding in findings)
    if len(findings) > 1:
        return Decision(RunState.proposed, f"the resolvers disagree: {named}", findings)
    if failed and all(answer.fallback for answer, _ in found):
        # A failed resolver might have found the very event that a fallback takes to be absent.
        if gives_up:
            return Decision(RunState.proposed, f"{named}, but {_failures(answers)}", findings)
        return Decision(RunState.failed, _failures(answers))
    counted = [answer for answer, _ in found if not answer.only_proposes]
    if not counted or (policy is not None and policy.kind == PolicyKind.propose):
        return Decision(RunState.proposed, named, findings)
    if len(counted) >= needed:
        return Decision(RunState.confirmed, named, findings)
    undecided = [a for a in answers if a.finding is None and not a.permanent]
    may_follow = [a for a in undecided if not (last_attempt and a.error is not None)]
    agree = f"{len(counted)} of {needed} agree on {named}"
    if len(counted) + len(may_follow) < needed:
        return Decision(RunState.proposed, f"only {agree}", findings)
    if failed and not all(answer.permanent for answer in failed):
        return Decision(RunState.failed, f"{agree}; {_failures(answers)}")
    return Decision(RunState.not_yet, agree)


def _failures(answers: Sequence[Answer]) -> str:
    failed = [answer for answer in answers if answer.error is not None]
    if len(answers) == 1:
        return failed[0].message
    return "; ".join(f"{answer.resolver.kind}: {answer.message}" for answer in failed)


def _merged(
    group: Sequence[tuple[Answer, Finding]], answers: Sequence[Answer]
) -> tuple[Resolver, Finding]:
    """Return one finding for the resolvers that agree, with the earliest of their known times."""
    resolver, first = group[0][0].resolver, min((f for _, f in group), key=lambda f: f.known_at)
    if len(answers) == 1:
        return resolver, first
    seen = tuple(document for _, finding in group for document in finding.seen)
    note = "\n".join(_line(answer) for answer in answers)
    source = next((finding.source for _, finding in group if finding.source), "")
    return resolver, Finding(first.outcome, first.known_at, source, note, seen)


def _line(answer: Answer) -> str:
    finding = answer.finding
    if finding is None:
        return f"{answer.resolver.kind}: {answer.message}"
    parts = [f"{finding.outcome}, known at {to_minute(finding.known_at)}"]
    parts += [part for part in (finding.note, finding.source) if part]
    return f"{answer.resolver.kind}: {'; '.join(parts)}"
