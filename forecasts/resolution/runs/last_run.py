"""When the scheduled runs take place, as far as the runs themselves tell.

A schedule is kept outside of the ledger, by cron for example, so the next run is an estimate. Runs
in a terminal are not on a schedule, nor are those with another interval than a schedule can have.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session

from forecasts.ledger.models import LastRun

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

    >>> [interval_in_words(timedelta(minutes=minutes)) for minutes in (1, 15, 60, 360, 1440)]
    ['every minute', 'every 15 minutes', 'every hour', 'every 6 hours', 'every day']
    """
    for one, name in ((_DAY, "day"), (_HOUR, "hour"), (_MINUTE, "minute")):
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
    else:
        before = None if row.before_at == row.started_at else row.started_at
    row.started_at, row.before_at = now, before
    session.add(row)
    session.flush()
    return row


def run_times(session: Session) -> RunTimes | None:
    """Return when runs take place; None before the first."""
    row = session.get(LastRun, 1)
    if row is None:
        return None
    apart = row.started_at - (row.before_at or row.started_at)
    every = round(apart / _MINUTE) * _MINUTE  # each may have started some seconds late
    return RunTimes(row.started_at, every if divides_hour_or_day(every) else None)
