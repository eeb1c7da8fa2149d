"""The progress of the scheduled runs: last lookups, parked questions, and questions due next.

A schedule is kept outside of the ledger, by cron for example, so the next run is an estimate. Runs
in a terminal are not on a schedule, nor are those with another interval than a schedule can have.

The app and the API start runs by themselves. The time of the last run is their lease: of all
processes on a ledger, the first at each time of the schedule begins its run, and the others leave
it to that one. If it is killed, the next run is due at the next time, for any of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, case
from sqlalchemy import select as columns
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, func, select

from forecasts.access.visibility import question_visible
from forecasts.ledger.current import has_outcome
from forecasts.ledger.models import LastRun, Question, Resolver, ResolverRun, RunState, Watch
from forecasts.resolution.assignments import is_assigned, not_askable_here, resolvers
from forecasts.resolution.proposals import proposals_on

_IS_PARKED = col(Watch.parked_at).is_not(None)
_DONE = (RunState.confirmed, RunState.proposed, RunState.failed, RunState.parked)


@dataclass(frozen=True)
class LastLookup:
    """A question's resolver with its newest lookup, None before the first, and its schedule."""

    slug: str
    resolver: Resolver
    lookup: ResolverRun | None
    watch: Watch

    @property
    def parked(self) -> bool:
        """Whether it is waiting for a person."""
        return self.watch.parked_at is not None


def last_check(lookups: Iterable[LastLookup]) -> datetime | None:
    """Return when the newest lookup began; None before the first."""
    return max((one.lookup.started_at for one in lookups if one.lookup is not None), default=None)


@dataclass(frozen=True)
class Parked:
    """A question that is waiting for a person, with the number of failed attempts."""

    slug: str
    since: datetime
    attempts: int
    reason: str


@dataclass(frozen=True)
class Done:
    """A lookup that found something or failed."""

    slug: str
    kind: str
    state: RunState
    message: str
    at: datetime


@dataclass(frozen=True)
class Check:
    """The latest check of a question, with its result in words."""

    slug: str
    at: datetime
    message: str


@dataclass(frozen=True)
class Due:
    """The time of a question's next attempt, with the number of failures in a row so far.

    ``claimed_until``: the end of a run's claim on it, which is over if the run was killed.
    """

    slug: str
    at: datetime
    attempts: int
    claimed_until: datetime | None


@dataclass(frozen=True)
class Progress:
    """The newest lookups, the parked questions, and the next attempts; newest or soonest first.

    ``checked``: the latest check of each unresolved question that is not parked. ``watched``: the
    unresolved questions that have a resolver.
    """

    done: Sequence[Done]
    checked: Sequence[Check]
    parked: Sequence[Parked]
    next: Sequence[Due]
    watched: int


def progress(session: Session, *, limit: int = 20) -> Progress:
    """Return the progress of the runs, with up to ``limit`` lookups, checks and next attempts."""
    done = session.exec(
        select(Question.slug, Resolver.kind, ResolverRun)
        .join(Resolver, col(Resolver.id) == col(ResolverRun.resolver_id))
        .join(Question, col(Question.id) == col(Resolver.question_id))
        .where(col(ResolverRun.state).in_(_DONE), question_visible(session))
        .order_by(col(ResolverRun.id).desc())
        .limit(limit)
    ).all()
    due = _watches(session, ~_IS_PARKED).order_by(col(Watch.next_at), col(Watch.id)).limit(limit)
    return Progress(
        done=[Done(slug, k, RunState(r.state), r.message, r.started_at) for slug, k, r in done],
        checked=_checked(session, limit),
        parked=parked(session),
        next=[
            Due(slug, row.next_at, row.attempts, row.claimed_until)
            for slug, row in session.exec(due)
        ],
        watched=session.scalar(select(func.count()).select_from(_watches(session).subquery())) or 0,
    )


def _checked(session: Session, limit: int) -> list[Check]:
    """Return the latest checks. Failures have no count: a repeated result is stored once a day."""
    newest_first = (col(Watch.looked_at).desc(), col(Watch.id))
    is_checked = col(Watch.looked_at).is_not(None) & ~_IS_PARKED
    # The limit comes first: each question has many lookups.
    latest = _watches(session, is_checked).order_by(*newest_first).limit(limit)
    one, before = aliased(ResolverRun), aliased(ResolverRun)
    newest = (
        select(func.max(one.id))
        .join(Resolver, col(Resolver.id) == col(one.resolver_id))
        .where(col(Resolver.question_id) == col(Watch.question_id))
        .correlate(Watch)
    )
    state_before = (
        select(before.state)
        .where(before.resolver_id == ResolverRun.resolver_id, col(before.id) < col(ResolverRun.id))
        .order_by(col(before.id).desc())
        .limit(1)
        .correlate(ResolverRun)
    )
    rows = session.exec(
        _watches(session, col(Watch.id).in_(latest.with_only_columns(col(Watch.id))))
        .add_columns(ResolverRun, state_before.scalar_subquery())
        .join(ResolverRun, col(ResolverRun.id) == newest.scalar_subquery())
        .order_by(*newest_first)
    )
    return [
        Check(slug, watch.looked_at, _in_words(watch, lookup, earlier))
        for slug, watch, lookup, earlier in rows
    ]


def _in_words(watch: Watch, lookup: ResolverRun, earlier: str | None) -> str:
    if watch.attempts:
        return f"failed ({watch.attempts} in a row): {watch.reason}"
    if lookup.state != RunState.not_yet:
        return f"{lookup.state}: {lookup.message}"
    healed = earlier == RunState.failed
    return f"{lookup.message} (failed before)" if healed else lookup.message


def parked(session: Session) -> list[Parked]:
    """Return the parked questions, the newest first."""
    rows = _watches(session, _IS_PARKED).order_by(col(Watch.parked_at).desc(), col(Watch.id))
    return [
        Parked(slug, row.parked_at, row.attempts, row.reason) for slug, row in session.exec(rows)
    ]


def _watches(session: Session, *conditions: ColumnElement[bool]) -> Any:
    """Return the statement for slug and watch of the visible, unresolved questions."""
    return (
        select(Question.slug, Watch)
        .join(Question, col(Question.id) == col(Watch.question_id))
        .where(unresolved(), question_visible(session), *conditions)
    )


def parked_ids(session: Session) -> set[int]:
    """Return the ids of the parked questions."""
    return {watch.question_id for _, watch in session.exec(_watches(session, _IS_PARKED))}


def disagreement(session: Session, question: Question) -> str | None:
    """Return a sentence with the outcomes that the resolvers propose; None unless they differ."""
    kinds = {one.id: one.kind for one in resolvers(session, question)}
    found = {
        row.resolver_id: row.outcome
        for row in proposals_on(session, question)
        if row.resolver_id is not None and row.resolver_id in kinds
    }
    if len(set(found.values())) < 2:
        return None
    named = ", ".join(f"{outcome} ({kinds[resolver]})" for resolver, outcome in found.items())
    return f"{len(found)} sources disagree: {named}"


def last_lookups(session: Session, question: Question | None = None) -> list[LastLookup]:
    """Return each assigned resolver with its newest lookup: parked, then failed, then newest.

    ``question``: only its resolvers.
    """
    # One subquery per resolver: a scan of all lookups would grow by the day.
    one = aliased(ResolverRun)
    newest = select(func.max(one.id)).where(one.resolver_id == Resolver.id)
    conditions = [] if question is None else [col(Question.id) == question.id]
    rows = session.exec(
        select(Question.slug, Resolver, ResolverRun, Watch)
        .join(Resolver, col(Resolver.question_id) == col(Question.id))
        .join(Watch, col(Watch.question_id) == col(Question.id))
        .outerjoin(ResolverRun, col(ResolverRun.id) == newest.correlate(Resolver).scalar_subquery())
        .where(is_assigned(), question_visible(session), *conditions)
        .order_by(col(ResolverRun.id).desc(), col(Resolver.id))
    ).all()
    return sorted((LastLookup(*row) for row in rows), key=_urgency)


def _urgency(row: LastLookup) -> int:
    if row.parked:
        return 0
    return 1 if row.lookup is not None and row.lookup.state == RunState.failed else 2


def unresolved() -> ColumnElement[bool]:
    """Return the SQL condition: the question of the ``Watch`` has a resolver and no outcome."""
    return col(Watch.next_at).is_not(None) & ~has_outcome(Watch.question_id)


def left_to_others(session: Session) -> dict[str, int]:
    """Return how many resolvers this process leaves to another one, by the reason."""
    cannot = not_askable_here(session)
    counts = session.execute(
        columns(*(func.count(case((one, 1))) for one in cannot.values()))
        .join(Watch, col(Watch.question_id) == col(Resolver.question_id))
        .join(Question, col(Question.id) == col(Resolver.question_id))
        .where(unresolved(), is_assigned(), question_visible(session))
    ).one()
    return {reason: many for reason, many in zip(cannot, counts, strict=True) if many}


_MINUTE, _HOUR, _DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
GRACE = timedelta(minutes=15)  # the least delay of a run that is reported


@dataclass(frozen=True)
class RunTimes:
    """The start of the last run, and the time to the next if runs are on a schedule."""

    last: datetime
    every: timedelta | None

    @property
    def next(self) -> datetime | None:
        """The estimated start of the next run."""
        return None if self.every is None else self.last + self.every

    def is_overdue(self, now: datetime) -> bool:
        """Return whether the next run is late by its interval, and by ``GRACE``."""
        return self.every is not None and now > self.last + self.every + max(self.every, GRACE)


def divides_hour_or_day(every: timedelta) -> bool:
    """Return whether runs at this interval are at the same times each day.

    >>> [divides_hour_or_day(timedelta(minutes=minutes)) for minutes in (0, 7, 15, 90, 120)]
    [False, False, True, False, True]
    """
    if every <= timedelta():
        return False
    return not _HOUR % every or (not _DAY % every and not every % _HOUR)


def interval_in_words(every: timedelta) -> str:
    """Return the interval of a schedule, to be read after a verb.

    >>> [interval_in_words(timedelta(minutes=minutes)) for minutes in (0.5, 1, 15, 360, 1440)]
    ['every 30 seconds', 'every minute', 'every 15 minutes', 'every 6 hours', 'every day']
    """
    units = {"day": _DAY, "hour": _HOUR, "minute": _MINUTE, "second": timedelta(seconds=1)}
    for name, one in units.items():
        if (many := every // one) and not every % one:
            return f"every {name}" if many == 1 else f"every {many:,} {name}s"
    return f"every {every}"


def record_run(
    session: Session, *, now: datetime, every: timedelta | None = None, by_hand: bool = False
) -> LastRun:
    """Return the row about the last run, which is written.

    ``every``: the interval of its schedule, if it states one. ``by_hand``: it has none.
    """
    row = session.get(LastRun, 1) or LastRun(started_at=now, before_at=now)
    before: datetime | None
    if every is not None:
        before = now - every
    elif by_hand:
        before = now  # no interval begins or ends here
    elif row.before_at == row.started_at:
        before = None
    elif row.before_at is not None and abs(now - row.started_at) < _MINUTE:
        before = now - (row.started_at - row.before_at)  # two schedules: cron's, and the app's own
    else:
        before = row.started_at
    row.started_at, row.before_at = now, before
    session.add(row)
    session.flush()
    return row


@dataclass(frozen=True)
class Begun:
    """The start of a scheduled run, and the times in the row ``before``, None if there was none."""

    at: datetime
    before: tuple[datetime, datetime | None] | None


def begin_run(
    session: Session, *, now: datetime, every: timedelta, since: datetime
) -> Begun | None:
    """Return the start of a scheduled run, which is recorded; None if one began after ``since``.

    A run in the future was recorded by a clock that was ahead, and does not count.
    """
    row = session.get(LastRun, 1)
    if row is not None and since <= row.started_at <= now:
        return None
    before = None if row is None else (row.started_at, row.before_at)
    record_run(session, now=now, every=every)
    return Begun(now, before)


def forget_run(session: Session, begun: Begun) -> None:
    """Let a run that failed or was stopped not count, unless another has begun since."""
    row = session.get(LastRun, 1)
    if row is None or row.started_at != begun.at:
        return
    if begun.before is None:
        session.delete(row)
    else:
        row.started_at, row.before_at = begun.before
    session.flush()


def run_times(session: Session) -> RunTimes | None:
    """Return when runs take place; None before the first."""
    row = session.get(LastRun, 1)
    if row is None:
        return None
    apart = row.started_at - (row.before_at or row.started_at)
    every = round(apart / _MINUTE) * _MINUTE  # each may have started some seconds late
    return RunTimes(row.started_at, every if divides_hour_or_day(every) else None)
