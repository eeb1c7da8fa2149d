"""The scheduled run: look up the due questions, resolve those with an outcome, record the rest.

Any number of runs may work at the same time, and each may be killed at any moment: a question
belongs to one run at a time (``claiming``), and everything a run writes about a question it writes
in one transaction, provided that it still holds the claim (``recording``).
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import chain

from sqlalchemy import Engine
from sqlmodel import Session, col, func, select

from forecasts.common.errors import DatabaseError, LedgerError
from forecasts.ledger.current import is_open_proposal
from forecasts.ledger.database import give_way, reading
from forecasts.ledger.models import Question, Resolution, Resolver, RunState
from forecasts.questions.registry import find
from forecasts.questions.standing import current_state
from forecasts.resolution import disputes
from forecasts.resolution.assignments import no_resolver, resolvers
from forecasts.resolution.progress import left_to_others, parked
from forecasts.resolution.proposals import require_new
from forecasts.resolution.resolvers.kinds import kind
from forecasts.resolution.runs import claiming, recording
from forecasts.resolution.runs.attempt import (
    Answer,
    Attempt,
    Result,
    ask,
    decide_claimed,
    exhausted,
    not_open,
    postponed,
)
from forecasts.resolution.runs.claiming import Claimed, Claims
from forecasts.resolution.runs.recording import (
    downgraded,
    new_findings,
    record_attempts,
    record_finding,
)
from forecasts.resolution.runs.sources import Sources


@dataclass
class Summary:
    """The results of a run.

    ``due``: the questions that were due when it began; another run may have taken some of them.
    ``waiting``: the questions that need a person, since this run or before. ``claimed``: those that
    other runs have claimed, or killed ones have left, each with the end of the claim.
    ``left_to_others``: the number of resolvers that this process cannot ask, by the reason.
    """

    due: int = 0
    results: list[Result] = field(default_factory=list)
    waiting: int = 0
    claimed: list[tuple[str, datetime]] = field(default_factory=list)
    left_to_others: dict[str, int] = field(default_factory=dict)

    def count(self, state: RunState) -> int:
        """Return the number of results in that state."""
        return sum(result.state == state for result in self.results)


def run(
    engine: Engine,
    *,
    now: datetime,
    clock: Callable[[], datetime] | None = None,
    dry: bool = False,
    only: str | None = None,
    limit: int | None = None,
    on_start: Callable[[int], None] = lambda _: None,
    on_result: Callable[[Result], None] = lambda _: None,
    stop: Callable[[], bool] = lambda: False,
    allow_private: bool = False,
) -> Summary:
    """Return the results of these steps.

    1. Count the due questions for ``on_start``. ``now`` is one moment for the whole run, so that a
       run across midnight has one date; the leases use the ``clock``.
    2. Claim up to ``claiming.BATCH`` questions, at most ``limit`` in all. A question that a killed
       run has left is claimed last and alone; the last of ``limit`` is reserved for one. Without
       any question left, go to 6. One with a resolver that this process cannot ask is left alone.
    3. Ask the resolvers of each question outside of a transaction, since that may take long. The
       lease is renewed before a resolver that might outlast it. A look that exceeds its limits is
       stopped (``resolvers.worker``), and the rest of the batch is freed and claimed again.
    4. Confirm or propose a finding by the question's policy, in one transaction with the scores,
       the evidence, the lookup and the end of the claim. Nothing is written if the claim has ended
       or the question was resolved meanwhile.
    5. Record the attempts without a finding together, and claim the next batch unless ``stop``
       returns true. A repeated answer is recorded once a day. A failure is tried again later and
       later, and finally parked with its reason; a permanent one is parked at once.
    6. Propose corrections to the questions that follow a corrected one (``recording``).
    7. Count the questions that need a person, and list those that other runs have claimed. Claims
       that an error has left are released.

    ``only``: questions with a resolver of that kind. ``dry``: the same results, but nothing is
    written. ``allow_private``: sources inside the network may be read. BadInput for an unknown
    kind; a DatabaseError ends the run, any other error only its question.
    """
    if only is not None:
        kind(only)
    claims = Claims(engine, now, clock or (lambda: now), only)
    sources = Sources(engine, now, allow_private=allow_private)
    with reading(engine) as session:
        due, outdated = claims.due(session), recording.outdated(session)
    due = due if limit is None else due[:limit]
    on_start(len(due))
    summary = Summary(len(due))
    if only not in (None, recording.FOLLOWS):
        outdated = []
    try:
        attempted = (
            _rehearsed(claims, sources, due, stop)
            if dry
            else _attempted(claims, sources, len(due), stop)
        )
        for result in chain(attempted, _corrected(claims, sources, outdated, stop, dry=dry)):
            if result is None:
                summary.due -= 1
                continue
            summary.results.append(result)
            on_result(result)
    finally:
        sources.close()
        if not dry:
            claims.release()
    with reading(engine) as session:
        summary.waiting, summary.claimed = waiting(session), claims.elsewhere(session)
        summary.left_to_others = left_to_others(session)
    return summary


def look(engine: Engine, slug: str, *, now: datetime, allow_private: bool = False) -> list[Answer]:
    """Return the answer of each of the question's resolvers now; nothing is written.

    NotFound without such a question, or without a resolver.
    """
    with reading(engine) as session:
        state = current_state(session, find(session, slug), now=now)
        assigned = resolvers(session, state.question)
    if not assigned:
        raise no_resolver(slug)
    with closing(Sources(engine, now, allow_private=allow_private)) as sources:
        return [ask(resolver, state, now, sources) for resolver in assigned]


def waiting(session: Session) -> int:
    """Return how many questions need a person: parked, disputed, or proposed by a resolver."""
    proposed = session.exec(
        select(func.count(func.distinct(col(Resolution.question_id)))).where(
            is_open_proposal(), col(Resolution.resolver_id).is_not(None)
        )
    ).one()
    return proposed + len(parked(session)) + len(disputes.open_disputes(session))


def _attempted(
    claims: Claims, sources: Sources, limit: int, stop: Callable[[], bool]
) -> Iterator[Result | None]:
    """Yield the result of each question, claimed in batches; None for one that is not open yet."""
    reserved = 1 if limit and claims.any_abandoned() else 0
    for left, abandoned_first in ((limit - reserved, False), (reserved, True)):
        while left > 0 and not stop():
            batch = claims.claim(min(claiming.BATCH, left), abandoned_first=abandoned_first)
            if not batch:
                break
            left -= len(batch)
            left += yield from _batch(claims, sources, batch, stop)


def _batch(
    claims: Claims, sources: Sources, batch: Sequence[Claimed], stop: Callable[[], bool]
) -> Generator[Result | None, None, int]:
    """Yield the results as in ``_attempted``; return how many questions were freed unasked.

    They are freed after a look that was stopped: other runs need not wait for the next such look.
    """
    without_finding: list[Attempt] = []
    left, is_slow = len(batch), False
    for claimed in batch:
        if stop() or is_slow:
            break
        left -= 1
        if not claimed.is_open:
            without_finding.append(not_open(claimed, claims.now))
            yield None
            continue
        if claimed.is_exhausted:
            without_finding.append(exhausted(claimed, claims.now))
            continue
        answers = _answers(claims, sources, claimed)
        if not answers:
            continue
        is_slow = any(answer.stopped for answer in answers)
        try:
            decision = decide_claimed(claimed, answers)
            if decision.findings:
                result = record_finding(claims, claimed, answers, decision)
                give_way(claims.engine)
                if result is not None:
                    yield result
                continue
            attempt = postponed(claimed, answers, decision, claims.now)
        except DatabaseError:
            raise
        except Exception as error:  # one bad question never stops the others
            attempt = _failed(claimed, answers, error, claims.now)
        without_finding.append(attempt)
    for attempt in record_attempts(claims, without_finding):
        if attempt.answers:
            yield attempt.result
    if left:
        claims.release()
    return left


def _answers(claims: Claims, sources: Sources, claimed: Claimed) -> list[Answer]:
    """Return the answers of the question's resolvers; none once the claim has ended."""
    answers = []
    for resolver in claimed.resolvers:
        if not claims.still_holds(claimed):
            return []
        answers.append(ask(resolver, claimed.state, claims.now, sources))
    return answers


def _failed(
    claimed: Claimed, answers: Sequence[Answer], error: Exception, now: datetime
) -> Attempt:
    """Return the attempt whose findings could not be used."""
    answers = [replace(answer, finding=None, error=error) for answer in answers]
    return postponed(claimed, answers, decide_claimed(claimed, answers), now)


def _rehearsed(
    claims: Claims, sources: Sources, due: Sequence[int], stop: Callable[[], bool]
) -> Iterator[Result | None]:
    """Yield the result that each question would have; None for one that is not open yet."""
    for start in range(0, len(due), claiming.BATCH):
        with reading(claims.engine) as session:
            batch = claims.load(session, due[start : start + claiming.BATCH])
        for claimed in batch:
            if stop():
                return
            yield _rehearse(claims, sources, claimed) if claimed.is_open else None


def _rehearse(claims: Claims, sources: Sources, claimed: Claimed) -> Result:
    if claimed.is_exhausted:
        return exhausted(claimed, claims.now).result
    answers = [ask(one, claimed.state, claims.now, sources) for one in claimed.resolvers]
    decision = decide_claimed(claimed, answers)
    if not decision.findings:
        return postponed(claimed, answers, decision, claims.now).result
    state = claimed.state
    with reading(claims.engine) as session:
        decision = downgraded(session, state.question, answers, decision)
        is_new = decision.state == RunState.confirmed or new_findings(
            session, state.question, decision, now=claims.now
        )
    if not is_new:
        return Result(state.slug, RunState.not_yet, f"{decision.message}: already proposed")
    try:
        for _, finding in decision.findings:
            require_new(state, finding.outcome, finding.known_at, claims.now)
    except LedgerError as error:
        return _failed(claimed, answers, error, claims.now).result
    return Result(state.slug, decision.state, decision.message)


def _corrected(
    claims: Claims,
    sources: Sources,
    outdated: Sequence[tuple[Resolver, Question]],
    stop: Callable[[], bool],
    *,
    dry: bool,
) -> Iterator[Result]:
    """Yield a result for each correction proposed, or in a dry run to be proposed."""
    for resolver, question in outdated:
        if stop():
            return
        with reading(claims.engine) as session:
            state = current_state(session, question, now=claims.now)
        finding = ask(resolver, state, claims.now, sources).finding
        if finding is None or not recording.changes_outcome(state, finding):
            continue
        if dry:
            yield Result(state.slug, RunState.proposed, recording.correction_message(finding))
            continue
        try:
            with claims.writing() as session:
                result = recording.propose_correction(
                    session, resolver, find(session, state.slug), finding, now=claims.now
                )
        except DatabaseError:
            raise
        except Exception as error:  # one bad question never stops the others
            result = Result(state.slug, RunState.failed, Answer(resolver, error=error).message)
        if result is not None:
            yield result
