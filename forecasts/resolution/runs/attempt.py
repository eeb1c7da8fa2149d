"""One attempt at a question: ask its resolvers, and set the time of the next attempt.

A resolver may be anyone's code: whatever goes wrong in it becomes its answer. Failures are tried
again after longer and longer pauses, and in the end the question is parked for a person.

The question's policy decides from the answers (``decide``). Resolvers that name different outcomes
never resolve a question: each outcome is proposed, with the answer of every resolver. Otherwise a
person decides (``propose``), the first finding does (``confirm``), or as many resolvers as the
quorum requires, each with a source of its own. A kind that only proposes does not count towards
either, but its finding can contradict the others. All language models together are one witness of a
quorum, beside at least one that is not a model; without a quorum they only propose.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

from forecasts.common.errors import (
    BadInput,
    CannotTell,
    DatabaseError,
    Impossible,
    LedgerError,
    Remedy,
)
from forecasts.common.text import printable
from forecasts.common.times import to_minute
from forecasts.ledger.leases import pause_after
from forecasts.ledger.models import (
    Policy,
    PolicyKind,
    QuestionText,
    QuestionType,
    Resolver,
    RunState,
)
from forecasts.questions.standing import QuestionState
from forecasts.resolution.assignments import question_for_resolver
from forecasts.resolution.resolvers import worker
from forecasts.resolution.resolvers.kinds import kind
from forecasts.resolution.resolvers.protocol import Finding
from forecasts.resolution.resolvers.worker import Stopped
from forecasts.resolution.runs.claiming import MOST_ATTEMPTS, Claimed
from forecasts.resolution.runs.sources import Sources
from forecasts.values.outcomes import bound_exceeded, format_bounds, outcome_value, read_outcome

# An unknown outcome is looked up by the next run, not by one that began at the same time.
SOON = timedelta(seconds=1)
# An outcome that is known later is looked up then, but at least daily: the question may change.
AT_LEAST = timedelta(days=1)


@dataclass(frozen=True)
class Result:
    """The result of an attempt at a question; ``message`` explains it in a sentence."""

    slug: str
    state: RunState
    message: str


@dataclass(frozen=True)
class Attempt:
    """An attempt without a finding: its answers, its result, and the time of the next one."""

    claimed: Claimed
    answers: Sequence[Answer]
    state: RunState
    message: str
    next_at: datetime

    @property
    def result(self) -> Result:
        """The result, for which nothing was written."""
        return Result(self.claimed.state.slug, self.state, self.message)


def ask(resolver: Resolver, state: QuestionState, now: datetime, sources: Sources) -> Answer:
    """Return the resolver's answer; anything it raises but a DatabaseError is an answer too."""
    try:
        of_kind = kind(resolver.kind)
        look = sources.worker.look if of_kind.reads else worker.look
        asked, fetch = question_for_resolver(state), partial(sources.fetch, resolver)
        finding, not_before = look(resolver.kind, resolver.settings, asked, now, fetch)
        if finding is not None:
            finding = _as_stored(finding, state.text, measured=of_kind.measured)
    except DatabaseError:
        raise
    except SystemExit as error:
        return Answer(resolver, error=BadInput(f"It ended the program, by exit({error.code!r})."))
    except Exception as error:  # one bad question never stops the others
        error.__context__ = None
        return Answer(resolver, error=error.with_traceback(None))
    return Answer(
        resolver,
        finding,
        only_proposes=of_kind.only_proposes,
        is_model=of_kind.is_model,
        fallback=of_kind.fallback,
        not_before=not_before,
    )


def decide_claimed(claimed: Claimed, answers: Sequence[Answer]) -> Decision:
    """Return the decision on a claimed question, by its policy."""
    value = partial(outcome_value, question=claimed.state.text)
    return decide(answers, claimed.policy, last_attempt=claimed.is_last_attempt, value=value)


def postponed(
    claimed: Claimed, answers: Sequence[Answer], decision: Decision, now: datetime
) -> Attempt:
    """Return the attempt that found nothing, with the time of the next one."""
    if decision.state != RunState.failed:
        soon = now + SOON
        earliest = min(answer.not_before or soon for answer in answers)
        next_at = max(soon, min(earliest, now + AT_LEAST))
        return Attempt(claimed, answers, decision.state, decision.message, next_at)
    parks = decision.permanent or claimed.is_last_attempt
    state = RunState.parked if parks else RunState.failed
    next_at = now + pause_after(claimed.attempt)
    return Attempt(claimed, answers, state, decision.message, next_at)


def not_open(claimed: Claimed, now: datetime) -> Attempt:
    """Return the attempt that waits until the question opens."""
    next_at = min(claimed.state.text.open_time, now + AT_LEAST)
    return Attempt(claimed, (), RunState.not_yet, "", next_at)


def exhausted(claimed: Claimed, now: datetime) -> Attempt:
    """Return the attempt that parks a question whose runs were killed again and again."""
    error = CannotTell(
        "Each run that tried this question was killed before it could record a result, perhaps "
        f"because memory ran out, and {MOST_ATTEMPTS} attempts are the limit.",
        remedy=Remedy(
            "Check the sources of its resolvers, then: {}", "run retry", claimed.state.slug
        ),
    )
    answers = [Answer(resolver, error=error) for resolver in claimed.resolvers]
    return Attempt(claimed, answers, RunState.parked, answers[0].message, now)


def _as_stored(finding: Finding, text: QuestionText, *, measured: bool) -> Finding:
    """Return the finding with its outcome in the ledger's form.

    A measured number outside the bounds is not an error: the outcome is that it lies outside.
    """
    outcome = read_outcome(finding.outcome, text)
    if measured and text.type == QuestionType.numeric and bound_exceeded(outcome, text):
        note = f"{outcome} lies outside {format_bounds(text)}"
        note = "\n".join(part for part in (finding.note, note) if part)
        return replace(finding, outcome=bound_exceeded(outcome, text), note=note)
    return replace(finding, outcome=outcome)


_MESSAGE_LENGTH = 2_000  # characters


@dataclass(frozen=True)
class Answer:
    """One resolver's answer: a finding, an error, or neither while the outcome is not known yet.

    ``only_proposes``, ``is_model`` and ``fallback`` come from its kind; ``not_before`` is the
    earliest time at which it can find something.
    """

    resolver: Resolver
    finding: Finding | None = None
    error: Exception | None = None
    only_proposes: bool = False
    is_model: bool = False
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

    ``findings`` has one entry per outcome, with the resolver that found it first, a model last.
    ``permanent``:
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
    is_quorum = policy is not None and policy.kind == PolicyKind.quorum
    needed = policy.agreeing if policy is not None and is_quorum else 1
    if not found:
        if not failed:
            return Decision(RunState.not_yet, "not known yet")
        # The other resolvers may reach the quorum without one that has failed for good.
        enough_left = _suffice([one for one in answers if not one.permanent], needed)
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
    others = [answer.fallback for answer, _ in found if not answer.is_model]
    if failed and others and all(others):
        # A failed resolver might have found the very event that a fallback takes to be absent.
        if gives_up:
            return Decision(RunState.proposed, f"{named}, but {_failures(answers)}", findings)
        return Decision(RunState.failed, _failures(answers))
    counted = [a for a, _ in found if not a.only_proposes and (is_quorum or not a.is_model)]
    if not counted or (policy is not None and policy.kind == PolicyKind.propose):
        return Decision(RunState.proposed, named, findings)
    if _suffice(counted, needed):
        return Decision(RunState.confirmed, named, findings)
    undecided = [a for a in answers if a.finding is None and not a.permanent]
    may_follow = [a for a in undecided if not (last_attempt and a.error is not None)]
    agree = f"{_witnesses(counted)} of {needed} agree on {named}"
    if not _suffice([*counted, *may_follow], needed):
        return Decision(RunState.proposed, f"only {agree}", findings)
    if failed and not all(answer.permanent for answer in failed):
        return Decision(RunState.failed, f"{agree}; {_failures(answers)}")
    return Decision(RunState.not_yet, agree)


def _suffice(answers: Sequence[Answer], needed: int) -> bool:
    """Return whether these are enough witnesses that agree; models alone never are."""
    return _witnesses(answers) >= needed and not all(answer.is_model for answer in answers)


def _witnesses(answers: Sequence[Answer]) -> int:
    """Return the number of independent witnesses: all models are one."""
    others = sum(not answer.is_model for answer in answers)
    return others + any(answer.is_model for answer in answers)


def _failures(answers: Sequence[Answer]) -> str:
    failed = [answer for answer in answers if answer.error is not None]
    if len(answers) == 1:
        return failed[0].message
    return "; ".join(f"{answer.resolver.kind}: {answer.message}" for answer in failed)


def _merged(
    group: Sequence[tuple[Answer, Finding]], answers: Sequence[Answer]
) -> tuple[Resolver, Finding]:
    """Return one finding for the resolvers that agree, with the earliest of their known times.

    A model's time counts only if no other resolver agrees.
    """
    trusted = [one for one in group if not one[0].is_model] or group
    resolver, first = trusted[0][0].resolver, min((f for _, f in trusted), key=lambda f: f.known_at)
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
