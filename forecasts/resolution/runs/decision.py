"""Verdicts: what becomes of what a question's resolvers say, by its policy. Nothing is read here.

Resolvers that name different outcomes never resolve a question: each outcome is proposed, with who
said what. Else a person decides (``propose``), the first finding does (``confirm``), or so many of
the resolvers as the quorum asks for, which have to look in different places. A kind that may only
propose counts for none of them, and contradicts like any other.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from forecasts.common.errors import CannotTell, Impossible, LedgerError
from forecasts.common.text import plain
from forecasts.common.times import to_minute
from forecasts.ledger.models import Policy, PolicyKind, Resolver, RunState
from forecasts.resolution.resolvers.protocol import Finding

_LONGEST = 2_000  # signs of a message


@dataclass(frozen=True)
class Said:
    """What one resolver said: a finding, or why it has none, or neither: not known yet.

    ``only_proposes``: its kind may. ``of_silence``: it speaks because nobody else did.
    ``not_before``: when it can say something at the earliest.
    """

    resolver: Resolver
    finding: Finding | None = None
    error: Exception | None = None
    only_proposes: bool = False
    of_silence: bool = False
    not_before: datetime | None = None

    @property
    def lasting(self) -> bool:
        """Whether it will say the same however often it is asked."""
        if isinstance(self.error, CannotTell):
            return not self.error.passing
        return isinstance(self.error, Impossible)

    @property
    def message(self) -> str:
        """What it said, in a sentence.

        Of what came from elsewhere without signs that the ledger cannot store, and not endless.
        """
        if self.error is not None:
            ours = isinstance(self.error, LedgerError)
            said = str(self.error) if ours else f"{type(self.error).__name__}: {self.error}"
            return plain(said)[:_LONGEST]
        return "not known yet" if self.finding is None else known(self.finding)


@dataclass(frozen=True)
class Verdict:
    """What is to be done: confirm the one finding, propose each, or look again.

    ``findings`` with the resolver that each came from, one an outcome. ``lasting``: what failed
    will fail again.
    """

    state: RunState
    message: str
    findings: tuple[tuple[Resolver, Finding], ...] = ()
    lasting: bool = False


def known(finding: Finding) -> str:
    """Return the outcome and since when it is known, for a person."""
    return f"{finding.outcome}, known on {finding.known_at:%d %B %Y}"


def verdict(
    said: Sequence[Said],
    policy: Policy | None,
    *,
    last: bool,
    value: Callable[[str], float | str] = str,
) -> Verdict:
    """Return what becomes of it; ``last``: nobody will ask again those who have failed.

    ``value`` tells of an outcome what it says, so that '100' and '100.0' are no disagreement.
    """
    found = [(one, one.finding) for one in said if one.finding is not None]
    failed = [one for one in said if one.error is not None]
    gives_up = last or any(one.lasting for one in failed)
    needed = policy.agreeing if policy is not None and policy.kind == PolicyKind.quorum else 1
    if not found:
        if not failed:
            return Verdict(RunState.not_yet, "not known yet")
        # The others may do without one that will never tell.
        without = sum(not one.lasting for one in said) >= needed
        if without and all(one.lasting for one in failed):
            return Verdict(RunState.not_yet, _why(said))
        return Verdict(RunState.failed, _why(said), lasting=not without)
    by_outcome: dict[float | str, list[tuple[Said, Finding]]] = {}
    for one, finding in found:
        by_outcome.setdefault(value(finding.outcome), []).append((one, finding))
    findings = tuple(_joined(group, said) for group in by_outcome.values())
    named = "; ".join(known(finding) for _, finding in findings)
    if len(findings) > 1:
        return Verdict(RunState.proposed, f"the resolvers disagree: {named}", findings)
    if failed and all(one.of_silence for one, _ in found):
        # Who could not look is not silent: what it would have seen may be the very thing.
        if gives_up:
            return Verdict(RunState.proposed, f"{named}, but {_why(said)}", findings)
        return Verdict(RunState.failed, _why(said))
    counted = [one for one, _ in found if not one.only_proposes]
    if not counted or (policy is not None and policy.kind == PolicyKind.propose):
        return Verdict(RunState.proposed, named, findings)
    if len(counted) >= needed:
        return Verdict(RunState.confirmed, named, findings)
    open_ = [one for one in said if one.finding is None and not one.lasting]
    may_yet = [one for one in open_ if not (last and one.error is not None)]
    agree = f"{len(counted)} of {needed} agree on {named}"
    if len(counted) + len(may_yet) < needed:
        return Verdict(RunState.proposed, f"only {agree}", findings)
    if failed and not all(one.lasting for one in failed):
        return Verdict(RunState.failed, f"{agree}; {_why(said)}")
    return Verdict(RunState.not_yet, agree)


def _why(said: Sequence[Said]) -> str:
    failed = [one for one in said if one.error is not None]
    if len(said) == 1:
        return failed[0].message
    return "; ".join(f"{one.resolver.kind}: {one.message}" for one in failed)


def _joined(
    group: Sequence[tuple[Said, Finding]], said: Sequence[Said]
) -> tuple[Resolver, Finding]:
    """Return one finding for all that named an outcome: known since the first of them knew it."""
    resolver, first = group[0][0].resolver, min((f for _, f in group), key=lambda f: f.known_at)
    if len(said) == 1:
        return resolver, first
    seen = tuple(one for _, finding in group for one in finding.seen)
    note = "\n".join(_line(one) for one in said)
    source = next((finding.source for _, finding in group if finding.source), "")
    return resolver, Finding(first.outcome, first.known_at, source, note, seen)


def _line(one: Said) -> str:
    if one.finding is None:
        return f"{one.resolver.kind}: {one.message}"
    words = [f"{one.finding.outcome}, known at {to_minute(one.finding.known_at)}"]
    words += [part for part in (one.finding.note, one.finding.source) if part]
    return f"{one.resolver.kind}: {'; '.join(words)}"
