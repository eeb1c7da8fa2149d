"""One attempt at a question: ask its resolvers, and set the time of the next attempt.

A resolver may be anyone's code: whatever goes wrong in it becomes its answer. Failures are tried
again after longer and longer pauses, and in the end the question is parked for a person.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

from forecasts.common.errors import BadInput, CannotTell, DatabaseError, Remedy
from forecasts.ledger.models import QuestionText, QuestionType, Resolver, RunState
from forecasts.questions.standing import QuestionState
from forecasts.resolution.assignments import question_for_resolver
from forecasts.resolution.resolvers import worker
from forecasts.resolution.resolvers.kinds import kind
from forecasts.resolution.resolvers.protocol import Finding
from forecasts.resolution.runs.agreement import Answer, Decision, decide
from forecasts.resolution.runs.claiming import MOST_ATTEMPTS, Claimed
from forecasts.resolution.runs.source_access import SourceAccess
from forecasts.values.outcomes import bound_exceeded, format_bounds, outcome_value, read_outcome

# An unknown outcome is looked up by the next run, not by one that began at the same time.
SOON = timedelta(seconds=1)
# An outcome that is known later is looked up then, but at least daily: the question may change.
AT_LEAST = timedelta(days=1)
FIRST_PAUSE, FACTOR, LONGEST_PAUSE = timedelta(minutes=5), 3, timedelta(days=1)


@dataclass(frozen=True)
class Result:
    """The result of an attempt at a question; ``message`` explains it in a sentence.

    ``resolution_id``: the resolution or proposal that was written.
    """

    slug: str
    state: RunState
    message: str
    resolution_id: int | None = None


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


def ask(resolver: Resolver, state: QuestionState, now: datetime, sources: SourceAccess) -> Answer:
    """Return the resolver's answer; anything it raises but a DatabaseError is an answer too."""
    try:
        of_kind = kind(resolver.kind)
        look = sources.worker.look if of_kind.reads else worker.look
        finding, not_before = look(
            resolver.kind,
            resolver.settings,
            question_for_resolver(state),
            now,
            partial(sources.fetch, resolver),
        )
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


def pause_after(failures: int) -> timedelta:
    """Return the pause after so many failures in a row.

    >>> [str(pause_after(number)) for number in (1, 2, 3, 7)]
    ['0:05:00', '0:15:00', '0:45:00', '1 day, 0:00:00']
    """
    pause: timedelta = FIRST_PAUSE * FACTOR ** (failures - 1)
    return min(pause, LONGEST_PAUSE)


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
