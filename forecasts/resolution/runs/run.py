"""The scheduled run: look up what is due, confirm what is known, record every look.

Any number of runs may go on side by side, and each may be killed at any moment: a question is in
the hand of one run at a time, for as long as its lease lasts, and what a run writes of a question
it writes in one transaction, in which it still has to have it in hand.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cached_property, partial
from itertools import chain
from typing import Any

from sqlalchemy import ColumnElement, Engine, bindparam, insert, or_, update
from sqlmodel import Session, SQLModel, col, func, select

from forecasts.access.members import member_or_new
from forecasts.common.errors import CannotTell, DatabaseError, LedgerError
from forecasts.common.times import utc
from forecasts.ledger.database import give_way, reading, writing
from forecasts.ledger.models import (
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
from forecasts.questions.outcomes import outcome_value
from forecasts.questions.registry import find
from forecasts.questions.standing import Stands, Status, as_it_stands, listing, overtaken
from forecasts.resolution import disputes, resolutions
from forecasts.resolution.assignments import carried, no_resolver, parked, resolvers, unresolved
from forecasts.resolution.resolvers.kinds import kind
from forecasts.resolution.resolvers.protocol import Finding
from forecasts.resolution.runs import corrections, record
from forecasts.resolution.runs.attempt import Sources, ask, sources_of
from forecasts.resolution.runs.decision import Said, Verdict, verdict
from forecasts.resolution.runs.record import Looked
from forecasts.scores import scores

# Who confirms what no person does.
RUN_MEMBER = "scheduled run"
# So many questions a run takes in hand at once, and for so long.
BATCH = 200
LEASE = timedelta(minutes=15)
# Before each look at least so much of it is left: 12 minutes, and a program may take 10.
LEFT = 0.8
PATIENCE = 120  # seconds to wait for the turn to write: nobody waits for a run
# What was not known is looked at by the next run, and not by one that began at the same time.
PAUSE = timedelta(seconds=1)
# What can be known only later is looked at then, but once a day, as it may have been reworded.
AT_LEAST = timedelta(days=1)
# What failed is tried again after ever longer pauses: 5 and 15 minutes, 45 … at most a day. Eight
# attempts take more than two days, so that a weekend's outage needs nobody.
FIRST_PAUSE, TIMES, LONGEST_PAUSE = timedelta(minutes=5), 3, timedelta(days=1)
MOST_ATTEMPTS = 8


@dataclass
class Summary:
    """What a run did; ``waiting``: how many questions need a person, since this run or before.

    ``due``: how many were due when it began, some of which another run may have taken since.
    """

    due: int = 0
    looked: list[Looked] = field(default_factory=list)
    waiting: int = 0

    def count(self, state: RunState) -> int:
        """Return how many looks ended in that state."""
        return sum(1 for looked in self.looked if looked.state == state)


def look(engine: Engine, slug: str, *, now: datetime, allow_private: bool = False) -> list[Said]:
    """Return what each of the question's resolvers says now; nothing is written.

    NotFound without such a question, or without a resolver.
    """
    with reading(engine) as session:
        stands = as_it_stands(session, find(session, slug), now=now)
        carries = resolvers(session, stands.question)
    if not carries:
        raise no_resolver(slug)
    sources = sources_of(engine, now, allow_private=allow_private)
    return [ask(resolver, stands, now, sources) for resolver in carries]


def run(
    engine: Engine,
    *,
    now: datetime,
    clock: Callable[[], datetime] | None = None,
    dry: bool = False,
    only: str | None = None,
    limit: int | None = None,
    tell: Callable[[Looked], None] = lambda _: None,
    expect: Callable[[int], None] = lambda _: None,
    stop: Callable[[], bool] = lambda: False,
    allow_private: bool = False,
) -> Summary:
    """Return what was done, in these steps.

    1. Count what is due, and tell ``expect``. ``now`` is taken once, so that a run across midnight
       sees one day; the leases go by the ``clock``, whatever it says of the day.
    2. Take up to ``BATCH`` questions in hand, by a conditional UPDATE: what another run has is left
       to it until its lease is over. Then that run was killed, perhaps by what it looked at: so
       such a question is taken last and alone, and it counts as an attempt. With ``only``, those
       that carry a resolver of that kind; in all no more than ``limit``, the last of which is kept
       for what a killed run had. Nothing is left: go to 7.
    3. For each, let its resolvers look, outside of any transaction, since that may take long; the
       lease is renewed before any look that it might not outlast.
    4. What is found is confirmed, or proposed, by the question's policy: in one transaction with
       the scores, what was shown, the record of the look and the end of the claim. It is undone
       where the question is no longer in hand, or resolved meanwhile.
    5. What is not known yet, or failed, is written at the end of the batch, for all of it at once,
       and a look that says what the one before it said is recorded once a day. What failed is tried
       again later and later, and in the end parked with the reason; what no time will change is
       parked at once. One question never stops the others.
    6. Take the next batch; but end between two questions once ``stop`` says so.
    7. Propose to those that follow a question what its correction means for them (``followers``).
    8. Say how many questions need a person. Whatever is still in hand, after an error, is let go.

    ``dry``: look and tell what would be done, and write nothing at all. ``allow_private`` lets it
    read inside the network. BadInput for a kind that there is not; DatabaseError ends the run.
    """
    if only is not None:
        kind(only)
    going = _Run(engine, now, clock or (lambda: now), only, stop, allow_private)
    with reading(engine) as session:
        due, outdated = going.due(session), corrections.outdated(session)
    due = due if limit is None else due[:limit]
    expect(len(due))
    summary = Summary(len(due))
    try:
        worked = going.rehearsed(due) if dry else going.worked(len(due))
        for looked in chain(worked, going.corrected(outdated, dry=dry)):
            summary.looked.append(looked)
            tell(looked)
    finally:
        if not dry:
            going.let_go()
    summary.due -= going.unopened
    with reading(engine) as session:
        summary.waiting = waiting(session)
    return summary


def waiting(session: Session) -> int:
    """Return how much needs a person: what is parked, disputed, or was proposed by resolvers."""
    proposed = session.exec(
        select(func.count(func.distinct(col(Resolution.question_id)))).where(
            Resolution.state == ResolutionState.proposed,
            col(Resolution.resolver_id).is_not(None),
            ~overtaken(),
        )
    ).one()
    return proposed + len(parked(session)) + len(disputes.open_disputes(session))


@dataclass(frozen=True)
class _Work:
    """One question in hand, with all that looking and deciding takes."""

    watch: Watch
    stands: Stands
    resolvers: Sequence[Resolver]
    policy: Policy | None
    last: dict[int, ResolverRun]
    attempts: int

    @property
    def tries(self) -> int:
        """Which attempt in a row this is."""
        return min(self.attempts + 1, MOST_ATTEMPTS)

    @property
    def is_last_try(self) -> bool:
        return self.tries == MOST_ATTEMPTS

    @property
    def is_deadly(self) -> bool:
        """Whether the run was killed that had it in hand for the last time that is allowed."""
        return self.attempts >= MOST_ATTEMPTS

    def verdict(self, said: Sequence[Said]) -> Verdict:
        """Return what becomes of what its resolvers say."""
        value = partial(outcome_value, question=self.stands.text)
        return verdict(said, self.policy, last=self.is_last_try, value=value)


class _Run:
    """One run: its moment, its claims, what it has read."""

    def __init__(
        self,
        engine: Engine,
        now: datetime,
        clock: Callable[[], datetime],
        only: str | None,
        stop: Callable[[], bool],
        allow_private: bool,
    ) -> None:
        self.engine, self.now, self.clock, self.only = engine, now, clock, only
        self.stop = stop
        self.name = uuid.uuid4().hex
        self.until = clock()
        self.holds: set[int] = set()
        self.unopened = 0
        self.allow_private = allow_private

    @cached_property
    def sources(self) -> Sources:
        """What the resolvers read through, and what they have read."""
        return sources_of(self.engine, self.now, allow_private=self.allow_private)

    def _writing(self) -> AbstractContextManager[Session]:
        return writing(self.engine, patience=PATIENCE)

    # Step 1

    def due(self, session: Session) -> list[int]:
        """Return the ids of what is due and in nobody's hand."""
        return [id_ for id_ in session.exec(self._due()) if id_ is not None]

    def _due(self) -> Any:
        return (
            select(Watch.id)
            .where(
                col(Watch.next_at) <= self.now,
                col(Watch.parked_at).is_(None),
                self._is_free(),
                unresolved(),
                *([] if self.only is None else [self._carries(self.only)]),
            )
            .order_by(col(Watch.next_at), col(Watch.id))
        )

    def _is_free(self) -> ColumnElement[bool]:
        return or_(col(Watch.claimed_until).is_(None), col(Watch.claimed_until) <= self.clock())

    def _carries(self, name: str) -> ColumnElement[bool]:
        return (
            select(Resolver.id)
            .where(
                col(Resolver.question_id) == col(Watch.question_id),
                col(Resolver.kind) == name,
                carried(),
            )
            .exists()
        )

    # Steps 2 to 6

    def worked(self, most: int) -> Iterator[Looked]:
        """Yield what each question came to, up to so many; the last is kept for an orphan."""
        kept = min(most, 1) if self._orphan_waits(most) else 0
        for many, orphan_first in ((most - kept, False), (kept, True)):
            while many > 0 and not self.stop():
                work = self._claim(min(BATCH, many), orphan_first=orphan_first)
                if not work:
                    break
                many -= len(work)
                yield from self._batch(work)

    def rehearsed(self, due: Sequence[int]) -> Iterator[Looked]:
        """Yield what each of these would come to."""
        for start in range(0, len(due), BATCH):
            with reading(self.engine) as session:
                work = self._load(session, due[start : start + BATCH])
            for one in work:
                if self.stop():
                    return
                if _is_open(one):
                    yield self._rehearse(one)
                else:
                    self.unopened += 1

    def _orphan_waits(self, most: int) -> bool:
        if most == 0:
            return False
        with reading(self.engine) as session:
            return session.exec(self._due().where(_WAS_KILLED).limit(1)).first() is not None

    def _claim(self, most: int, *, orphan_first: bool) -> list[_Work]:
        fresh = self._due().where(~_WAS_KILLED).limit(most)
        orphan = self._due().where(_WAS_KILLED).order_by(None).order_by(*_LEAST_TRIED).limit(1)
        with self._writing() as session:
            until = self.clock() + LEASE
            turns = [(fresh, 0), (orphan, 1)]
            for some, attempt in reversed(turns) if orphan_first else turns:
                ids = session.scalars(
                    update(Watch)
                    .where(col(Watch.id).in_(some))
                    .values(
                        claimed_by=self.name,
                        claimed_until=until,
                        attempts=Watch.attempts + attempt,
                    )
                    .returning(col(Watch.id))
                    .execution_options(synchronize_session=False)
                ).all()
                if ids:
                    break
            self.until, self.holds = until, {id_ for id_ in ids if id_ is not None}
        if not self.holds:
            return []
        with reading(self.engine) as session:
            return self._load(session, list(self.holds))

    def _load(self, session: Session, ids: Sequence[int]) -> list[_Work]:
        """Return the work with these ids, however many, by a handful of statements."""
        watches = session.exec(
            select(Watch).where(col(Watch.id).in_(ids)).order_by(col(Watch.next_at), col(Watch.id))
        ).all()
        of = [watch.question_id for watch in watches]
        slugs = session.exec(select(Question.slug).where(col(Question.id).in_(of))).all()
        stands = {one.id: one for one in listing(session, now=self.now, only=slugs)}
        carries: dict[int, list[Resolver]] = {}
        for resolver in session.exec(
            select(Resolver)
            .where(col(Resolver.question_id).in_(of), carried())
            .order_by(col(Resolver.id))
        ):
            carries.setdefault(resolver.question_id, []).append(resolver)
        policies = {
            policy.question_id: policy
            for policy in session.exec(
                select(Policy).where(col(Policy.question_id).in_(of)).order_by(col(Policy.id))
            )
        }
        newest = (
            select(func.max(ResolverRun.id))
            .join(Resolver, col(Resolver.id) == col(ResolverRun.resolver_id))
            .where(col(Resolver.question_id).in_(of))
            .group_by(col(ResolverRun.resolver_id))
        )
        last = {
            row.resolver_id: row
            for row in session.exec(select(ResolverRun).where(col(ResolverRun.id).in_(newest)))
        }
        return [
            _Work(
                watch,
                stands[watch.question_id],
                carries[watch.question_id],
                policies.get(watch.question_id),
                last,
                # Of one whose run was killed, it is counted when it is taken in hand.
                watch.attempts + (watch.claimed_by not in (None, self.name)),
            )
            for watch in watches
        ]

    def _batch(self, work: Sequence[_Work]) -> Iterator[Looked]:
        later: list[tuple[_Work, Sequence[Said], Looked, datetime]] = []
        for one in work:
            if self.stop():
                break
            if not _is_open(one):
                opens = min(one.stands.text.open_time, self.now + AT_LEAST)
                later.append((one, (), _looked(one, RunState.not_yet, ""), opens))
                self.unopened += 1
                continue
            if one.is_deadly:
                later.append((one, *_deadly(one), self.now))
                continue
            said = self._said(one)
            if not said:
                continue
            try:
                came = one.verdict(said)
                if came.findings:
                    settled = self._settle(one, said, came)
                    give_way(self.engine)
                    if settled is not None:
                        yield settled
                    continue
                put_off = self._put_off(one, said, came)
            except DatabaseError:
                raise
            except Exception as error:  # whatever it holds, the others go on
                said = [replace(each, finding=None, error=error) for each in said]
                came = one.verdict(said)
                put_off = self._put_off(one, said, came)
            later.append((one, said, *put_off))
        held = self._write(later)
        for one, said, looked, _ in later:
            if said and one.watch.id in held:
                yield looked

    def _said(self, one: _Work) -> Sequence[Said]:
        """Return what its resolvers say; nothing once the question is no longer in hand."""
        said: list[Said] = []
        for each in one.resolvers:
            if not self._still_holds(one):
                return ()
            said.append(ask(each, one.stands, self.now, self.sources))
        return said

    def _put_off(self, one: _Work, said: Sequence[Said], came: Verdict) -> tuple[Looked, datetime]:
        """Return what a look without a result came to, and when the next one is due."""
        if came.state != RunState.failed:
            at_once, tomorrow = self.now + PAUSE, self.now + AT_LEAST
            soonest = min(each.not_before or at_once for each in said)
            return _looked(one, came.state, came.message), max(at_once, min(soonest, tomorrow))
        parks = came.lasting or one.is_last_try
        state = RunState.parked if parks else RunState.failed
        return _looked(one, state, came.message), self.now + pause_after(one.tries)

    def _still_holds(self, one: _Work) -> bool:
        """Return whether the question is in hand, for longer than a look may take."""
        if self.clock() >= self.until - LEASE * LEFT:
            with self._writing() as session:
                until = self.clock() + LEASE
                ids = session.scalars(
                    update(Watch)
                    .where(col(Watch.id).in_(self.holds), col(Watch.claimed_by) == self.name)
                    .values(claimed_until=until)
                    .returning(col(Watch.id))
                    .execution_options(synchronize_session=False)
                ).all()
                self.until, self.holds = until, {id_ for id_ in ids if id_ is not None}
        return one.watch.id in self.holds

    # Step 4

    def _settle(self, one: _Work, said: Sequence[Said], came: Verdict) -> Looked | None:
        """Return what was written; None where the question is no longer ours, or resolved."""
        scores.load()  # before it is our turn to write
        with self._writing() as session:
            if not self._mine(session, [one]):
                return None
            question = find(session, one.stands.slug)
            looked, stands = None, as_it_stands(session, question, now=self.now)
            if stands.resolution is None and not self._is_still(session, one, stands):
                # Reworded, proposed, or to be decided otherwise, since it was looked at.
                self._give_back(session, one, None, self.now + PAUSE)
                return None
            if stands.resolution is None:
                member = member_or_new(session, RUN_MEMBER, now=self.now, kind=MemberKind.service)
                came = record.left_to_people(session, question, said, came)
                looked = record.settle(session, question, came, member=member, now=self.now)
                looks = list(self._looks(one, said, looked, always=True))
                session.connection().execute(insert(ResolverRun), looks)
            done = looked is None or looked.state == RunState.confirmed
            self._give_back(session, one, looked, None if done else self.now + PAUSE)
            return looked

    def _is_still(self, session: Session, one: _Work, stands: Stands) -> bool:
        """Return whether the question is as it was when its resolvers looked."""
        newest = select(func.max(Policy.id)).where(Policy.question_id == one.stands.id)
        policy = None if one.policy is None else one.policy.id
        return (stands.text.id, stands.status, session.exec(newest).one()) == (
            one.stands.text.id,
            one.stands.status,
            policy,
        )

    # Step 5

    def _write(
        self, later: Sequence[tuple[_Work, Sequence[Said], Looked, datetime]]
    ) -> set[int | None]:
        """Return what was still in hand of this, and so was written."""
        if not later:
            return set()
        with self._writing() as session:
            mine = self._mine(session, [one for one, *_ in later])
            rows = [row for row in later if row[0].watch.id in mine]
            looks = [each for one, said, came, _ in rows for each in self._looks(one, said, came)]
            if looks:
                session.connection().execute(insert(ResolverRun), looks)
            if rows:
                session.connection().execute(
                    _GIVE_BACK, [self._given_back(one, looked, at) for one, _, looked, at in rows]
                )
        return mine

    def _mine(self, session: Session, work: Sequence[_Work]) -> set[int | None]:
        return set(
            session.exec(
                select(Watch.id).where(
                    col(Watch.id).in_([one.watch.id for one in work]),
                    col(Watch.claimed_by) == self.name,
                )
            )
        )

    def _give_back(
        self, session: Session, one: _Work, looked: Looked | None, at: datetime | None
    ) -> None:
        row = self._given_back(one, looked, at)
        session.connection().execute(_GIVE_BACK, row)

    def _given_back(self, one: _Work, looked: Looked | None, at: datetime | None) -> dict[str, Any]:
        wrong = looked is not None and looked.state in (RunState.failed, RunState.parked)
        parks = looked is not None and looked.state == RunState.parked
        return {
            "of": one.watch.id,
            "new_next_at": at,
            "new_attempts": one.tries if wrong else 0,
            "new_looked_at": self.now,
            "new_parked_at": self.now if parks else None,
            "new_reason": looked.message if wrong and looked is not None else "",
        }

    def _looks(
        self, one: _Work, said: Sequence[Said], looked: Looked, *, always: bool = False
    ) -> Iterator[dict[str, Any]]:
        """Yield the row of what each resolver said, where that is new or the day's first."""
        for each in said:
            state, message = looked.state, looked.message
            if len(said) > 1:
                message = each.message
                if each.finding is None:
                    state = RunState.not_yet if each.error is None else RunState.failed
            assert each.resolver.id is not None
            before = one.last.get(each.resolver.id)
            same = before is not None and (before.state, before.message) == (state, message)
            if same and before is not None and not always:
                same = utc(self.now).date() == before.started_at.date()
            if always or not same:
                yield {
                    "resolver_id": each.resolver.id,
                    "started_at": self.now,
                    "ended_at": self.now,
                    "state": state,
                    "message": message,
                }

    # Step 7

    def corrected(
        self, outdated: Sequence[tuple[Resolver, Question]], *, dry: bool
    ) -> Iterator[Looked]:
        """Yield what was, or would be, proposed to those that follow what was corrected."""
        for resolver, question in outdated if self.only in (None, corrections.KIND) else ():
            if self.stop():
                return
            with reading(self.engine) as session:
                stands = as_it_stands(session, question, now=self.now)
            finding = ask(resolver, stands, self.now, self.sources).finding
            if finding is None or not corrections.comes_out_otherwise(stands, finding):
                continue
            if dry:
                yield Looked(stands.slug, RunState.proposed, corrections.said_of(finding))
                continue
            try:
                looked = self._correct(resolver, stands, finding)
            except DatabaseError:
                raise
            except Exception as error:  # whatever it is, the others go on
                looked = Looked(stands.slug, RunState.failed, Said(resolver, error=error).message)
            if looked is not None:
                yield looked

    def _correct(self, resolver: Resolver, stands: Stands, finding: Finding) -> Looked | None:
        with self._writing() as session:
            return corrections.correct(
                session,
                resolver,
                find(session, stands.slug),
                finding,
                member=member_or_new(session, RUN_MEMBER, now=self.now, kind=MemberKind.service),
                now=self.now,
            )

    # Step 8

    def let_go(self) -> None:
        """Give back what an error has left in hand, where the ledger can be written to."""
        with suppress(LedgerError), reading(self.engine) as session:
            mine = select(Watch.id).where(col(Watch.claimed_by) == self.name).limit(1)
            if session.exec(mine).first() is None:
                return
        with suppress(LedgerError), self._writing() as session:
            session.execute(
                update(Watch)
                .where(col(Watch.claimed_by) == self.name)
                .values(claimed_by=None, claimed_until=None)
                .execution_options(synchronize_session=False)
            )

    # Without writing

    def _rehearse(self, one: _Work) -> Looked:
        if one.is_deadly:
            return _deadly(one)[1]
        said = [ask(each, one.stands, self.now, self.sources) for each in one.resolvers]
        came = one.verdict(said)
        if came.findings:
            question = one.stands.question
            with reading(self.engine) as session:
                came = record.left_to_people(session, question, said, came)
                is_new = record.is_new(session, question, came, now=self.now)
            if not is_new:
                return _looked(one, RunState.not_yet, f"{came.message}: proposed already")
            try:
                for _, found in came.findings:
                    text, slug = one.stands.text, one.stands.slug
                    resolutions.possible(text, slug, found.outcome, found.known_at, self.now)
                    resolutions.require_within(text, found.outcome)
            except LedgerError as error:
                said = [replace(each, finding=None, error=error) for each in said]
                return self._put_off(one, said, one.verdict(said))[0]
            return _looked(one, came.state, came.message)
        return self._put_off(one, said, came)[0]


_WAS_KILLED = col(Watch.claimed_by).is_not(None)  # the run that had it, where it is free
_LEAST_TRIED = (col(Watch.attempts), col(Watch.next_at), col(Watch.id))
_WATCH = SQLModel.metadata.tables["watch"]
_WRITTEN = ("next_at", "attempts", "looked_at", "parked_at", "reason")
_GIVE_BACK = (
    update(_WATCH)
    .where(_WATCH.c.id == bindparam("of"))
    .values(claimed_by=None, claimed_until=None, **{n: bindparam(f"new_{n}") for n in _WRITTEN})
)


def pause_after(attempts: int) -> timedelta:
    """Return how long to wait after so many failures in a row.

    >>> [str(pause_after(number)) for number in (1, 2, 3, 7)]
    ['0:05:00', '0:15:00', '0:45:00', '1 day, 0:00:00']
    """
    pause: timedelta = FIRST_PAUSE * TIMES ** (attempts - 1)
    return min(pause, LONGEST_PAUSE)


def _is_open(one: _Work) -> bool:
    """Return whether the question has opened and is not resolved."""
    return one.stands.status in (Status.open, Status.awaiting, Status.proposed)


def _looked(one: _Work, state: RunState, message: str) -> Looked:
    return Looked(one.stands.slug, state, message)


def _deadly(one: _Work) -> tuple[list[Said], Looked]:
    """Return what is said of a question whose look no run outlives, and that it is parked."""
    error = CannotTell(
        "The run that looked at it was killed before it could write what it found, perhaps for "
        f"want of memory, and {MOST_ATTEMPTS} attempts are all that are made.",
        remedy=f"See what its resolver reads, then: forecasts run retry {one.stands.slug}",
    )
    said = [Said(each, error=error) for each in one.resolvers]
    return said, _looked(one, RunState.parked, said[0].message)
