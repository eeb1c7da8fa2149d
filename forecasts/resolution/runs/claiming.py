"""Which questions are due, and which run has claimed them (``ledger.leases``)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Engine, and_, or_
from sqlmodel import Session, col, func, select

from forecasts.ledger.current import in_order
from forecasts.ledger.database import reading
from forecasts.ledger.leases import LEASE, Leases
from forecasts.ledger.models import Policy, Question, Resolver, ResolverRun, Watch
from forecasts.questions.standing import QuestionState, Status, listing
from forecasts.resolution.assignments import is_assigned, not_askable_here
from forecasts.resolution.progress import unresolved

BATCH = 200  # questions claimed at once
# The least share of a lease before a resolver is asked: 12 minutes, and a program may take 10.
RESERVE = 0.8
MOST_ATTEMPTS = 8  # 8 attempts take more than two days, to outlast a weekend's outage


@dataclass(frozen=True)
class Claimed:
    """A claimed question with everything that its attempt needs.

    ``last_lookups``: the newest lookup of each resolver by the resolver's id. ``failures``: the
    attempts in a row that failed or were killed.
    """

    watch: Watch
    state: QuestionState
    resolvers: Sequence[Resolver]
    policy: Policy | None
    last_lookups: dict[int, ResolverRun]
    failures: int

    @property
    def attempt(self) -> int:
        """The number of this attempt in a row, from 1."""
        return min(self.failures + 1, MOST_ATTEMPTS)

    @property
    def is_last_attempt(self) -> bool:
        """Whether a failure now parks the question."""
        return self.attempt == MOST_ATTEMPTS

    @property
    def is_exhausted(self) -> bool:
        """Whether the run that made the last allowed attempt was killed."""
        return self.failures >= MOST_ATTEMPTS

    @property
    def is_open(self) -> bool:
        """Whether the question has opened and is not resolved."""
        return self.state.status in (Status.open, Status.awaiting)


class Claims:
    """The claims of one run: the questions that it holds, and their lease."""

    def __init__(
        self, engine: Engine, now: datetime, clock: Callable[[], datetime], only: str | None
    ) -> None:
        self.engine, self.now, self.only = engine, now, only
        self._leases = Leases(engine, Watch, clock)
        self._held: set[int] = set()
        self._left_to_others: Any = ()  # the statement for the ids of their questions

    def writing(self) -> AbstractContextManager[Session]:
        """Return a write transaction of the run; refused if its clock is behind the ledger."""
        return self._leases.writing()

    def due(self, session: Session) -> list[int]:
        """Return the watch ids of the due questions that no run has claimed; called first."""
        cannot = or_(*not_askable_here(session).values())
        self._left_to_others = select(Resolver.question_id).where(cannot, is_assigned())
        return list(session.exec(self._leases.free(self._is_due())))

    def _is_due(self) -> ColumnElement[bool]:
        """Return the SQL condition: due, of the run's kind, and askable here."""
        due = and_(
            col(Watch.next_at) <= self.now,
            col(Watch.parked_at).is_(None),
            unresolved(),
            col(Watch.question_id).not_in(self._left_to_others),
        )
        if self.only is None:
            return due
        of_kind = select(Resolver.question_id).where(Resolver.kind == self.only, is_assigned())
        return due & col(Watch.question_id).in_(of_kind)

    def elsewhere(self, session: Session) -> list[tuple[str, datetime]]:
        """Return the due questions that other runs have claimed, with the ends of their leases."""
        rows = session.exec(
            select(Question.slug, Watch.claimed_until)
            .join(Question, col(Question.id) == col(Watch.question_id))
            .where(
                self._is_due(),
                col(Watch.claimed_until) > self._leases.clock(),
                col(Watch.claimed_by) != self._leases.name,
            )
            .order_by(col(Watch.claimed_until), col(Watch.id))
        )
        return [(slug, until) for slug, until in rows if until is not None]

    def any_abandoned(self) -> bool:
        """Return whether a killed run has left a question."""
        return self._leases.any_abandoned(self._is_due())

    def claim(self, limit: int, *, abandoned_first: bool) -> list[Claimed]:
        """Return up to ``limit`` questions, now claimed, or a single abandoned one."""
        due = self._is_due()
        self._held = set(self._leases.claim(due, limit, abandoned_first=abandoned_first))
        if not self._held:
            return []
        with reading(self.engine) as session:
            return self.load(session, list(self._held))

    def load(self, session: Session, ids: Sequence[int]) -> list[Claimed]:
        """Return the questions of these watch ids, by a handful of statements however many."""
        watches = session.exec(
            select(Watch).where(col(Watch.id).in_(ids)).order_by(col(Watch.next_at), col(Watch.id))
        ).all()
        questions = [watch.question_id for watch in watches]
        slugs = session.exec(select(Question.slug).where(col(Question.id).in_(questions))).all()
        states = {state.id: state for state in listing(session, now=self.now, only=slugs)}
        resolvers = defaultdict[int, list[Resolver]](list)
        of_these = col(Resolver.question_id).in_(questions)
        for resolver in in_order(session, Resolver, of_these, is_assigned()):
            resolvers[resolver.question_id].append(resolver)
        set_policies = in_order(session, Policy, col(Policy.question_id).in_(questions))
        policies = {policy.question_id: policy for policy in set_policies}
        newest = (
            select(func.max(ResolverRun.id))
            .join(Resolver, col(Resolver.id) == col(ResolverRun.resolver_id))
            .where(of_these)
            .group_by(col(ResolverRun.resolver_id))
        )
        lookups = in_order(session, ResolverRun, col(ResolverRun.id).in_(newest))
        last_lookups = {row.resolver_id: row for row in lookups}
        return [
            Claimed(
                watch,
                states[watch.question_id],
                resolvers[watch.question_id],
                policies.get(watch.question_id),
                last_lookups,
                # A dry run claims nothing, so that it counts the killed attempt here.
                watch.attempts + (watch.claimed_by not in (None, self._leases.name)),
            )
            for watch in watches
            if watch.question_id in states  # not discarded since it was claimed
        ]

    def still_holds(self, claimed: Claimed) -> bool:
        """Return whether the question is still claimed, for longer than a resolver may take.

        The leases of the batch are renewed when less than ``RESERVE`` is left.
        """
        if self._leases.clock() >= self._leases.until - LEASE * RESERVE:
            self._held = set(self._leases.renew(self._held))
        return claimed.watch.id in self._held

    def held(self, session: Session, questions: Sequence[Claimed]) -> dict[int, Watch]:
        """Return the watches of these that this run has still claimed in the ledger, by id."""
        ids = [claimed.watch.id for claimed in questions]
        return {row.id: row for row in self._leases.held(session, ids)}

    def release(self) -> None:
        """Free the questions that an error has left claimed, if the ledger can be written to."""
        self._leases.release()
