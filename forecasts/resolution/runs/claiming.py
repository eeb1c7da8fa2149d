"""Which questions are due, and which run has claimed them.

A claim is a conditional UPDATE with a lease: another run got there first, or the question belongs
to this run until the lease ends. After that it is free again, since its run was killed, possibly by
this very question. Such a question is claimed last and alone, and the claim counts as an attempt.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Engine, and_, or_, update
from sqlmodel import Session, col, func, select

from forecasts.common.errors import LedgerError
from forecasts.ledger.current import in_order
from forecasts.ledger.database import reading, writing
from forecasts.ledger.models import Policy, Question, Resolver, ResolverRun, Watch
from forecasts.questions.standing import QuestionState, Status, listing
from forecasts.resolution.assignments import is_assigned, not_askable_here
from forecasts.resolution.progress import unresolved

BATCH = 200  # questions claimed at once
LEASE = timedelta(minutes=15)
# The least share of a lease before a resolver is asked: 12 minutes, and a program may take 10.
RESERVE = 0.8
PATIENCE = 120  # seconds to wait for a write transaction; no person waits for a run
MOST_ATTEMPTS = 8  # 8 attempts take more than two days, to outlast a weekend's outage

_ABANDONED = col(Watch.claimed_by).is_not(None)  # of a free question: its run was killed
_LEAST_TRIED_FIRST = (col(Watch.attempts), col(Watch.next_at), col(Watch.id))


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
    """The claims of one run: its name in the ledger, the questions it holds, and the lease."""

    def __init__(
        self, engine: Engine, now: datetime, clock: Callable[[], datetime], only: str | None
    ) -> None:
        self.engine, self.now, self.only = engine, now, only
        self._clock = clock
        self._name = uuid.uuid4().hex
        self._until = clock()
        self._held: set[int] = set()
        self._left_to_others: Any = ()  # the statement for the ids of their questions

    def writing(self) -> AbstractContextManager[Session]:
        """Return a write transaction of the run; refused if its clock is behind the ledger."""
        return writing(self.engine, self._clock, patience=PATIENCE)

    def due(self, session: Session) -> list[int]:
        """Return the watch ids of the due questions that no run has claimed; called first."""
        cannot = or_(*not_askable_here(session).values())
        self._left_to_others = select(Resolver.question_id).where(cannot, is_assigned())
        return list(session.exec(self._free()))

    def _free(self) -> Any:
        until = col(Watch.claimed_until)
        return (
            select(Watch.id)
            .where(self._is_due(), or_(until.is_(None), until <= self._clock()))
            .order_by(col(Watch.next_at), col(Watch.id))
        )

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
                col(Watch.claimed_until) > self._clock(),
                col(Watch.claimed_by) != self._name,
            )
            .order_by(col(Watch.claimed_until), col(Watch.id))
        )
        return [(slug, until) for slug, until in rows if until is not None]

    def any_abandoned(self) -> bool:
        """Return whether a killed run has left a question."""
        with reading(self.engine) as session:
            return session.exec(self._free().where(_ABANDONED).limit(1)).first() is not None

    def claim(self, limit: int, *, abandoned_first: bool) -> list[Claimed]:
        """Return up to ``limit`` questions, now claimed, or a single abandoned one."""
        fresh = self._free().where(~_ABANDONED).limit(limit)
        abandoned = self._free().where(_ABANDONED).order_by(None).order_by(*_LEAST_TRIED_FIRST)
        turns = [(fresh, 0), (abandoned.limit(1), 1)]
        with self.writing() as session:
            for due, attempt in reversed(turns) if abandoned_first else turns:
                self._hold(session, col(Watch.id).in_(due), attempt)
                if self._held:
                    break
        if not self._held:
            return []
        with reading(self.engine) as session:
            return self.load(session, list(self._held))

    def _hold(self, session: Session, these: ColumnElement[bool], attempt: int = 0) -> None:
        """Claim these watches from now on, and no others."""
        self._until = self._clock() + LEASE
        ids = session.scalars(
            update(Watch)
            .where(these)
            .values(
                claimed_by=self._name, claimed_until=self._until, attempts=Watch.attempts + attempt
            )
            .returning(col(Watch.id))
            .execution_options(synchronize_session=False)
        )
        self._held = set(ids)

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
                watch.attempts + (watch.claimed_by not in (None, self._name)),
            )
            for watch in watches
            if watch.question_id in states  # not discarded since it was claimed
        ]

    def still_holds(self, claimed: Claimed) -> bool:
        """Return whether the question is still claimed, for longer than a resolver may take.

        The leases of the batch are renewed when less than ``RESERVE`` is left.
        """
        if self._clock() >= self._until - LEASE * RESERVE:
            with self.writing() as session:
                mine = col(Watch.claimed_by) == self._name
                self._hold(session, col(Watch.id).in_(self._held) & mine)
        return claimed.watch.id in self._held

    def held(self, session: Session, questions: Sequence[Claimed]) -> dict[int, Watch]:
        """Return the watches of these that this run has still claimed in the ledger, by id."""
        these = col(Watch.id).in_([claimed.watch.id for claimed in questions])
        mine = col(Watch.claimed_by) == self._name
        return {row.id: row for row in in_order(session, Watch, these, mine)}

    def release(self) -> None:
        """Free the questions that an error has left claimed, if the ledger can be written to."""
        mine = col(Watch.claimed_by) == self._name
        with suppress(LedgerError), reading(self.engine) as session:
            if session.exec(select(Watch.id).where(mine).limit(1)).first() is None:
                return
        with suppress(LedgerError), self.writing() as session:
            free = update(Watch).where(mine).values(claimed_by=None, claimed_until=None)
            session.execute(free.execution_options(synchronize_session=False))
