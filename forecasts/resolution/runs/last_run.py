"""When the scheduled runs take place, as far as the runs themselves tell.

A schedule is kept outside of the ledger, by cron for example, so the next run is an estimate.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session

from forecasts.ledger.models import LastRun

_LONGEST = timedelta(days=1, hours=1)  # runs further apart are not on a schedule


@dataclass(frozen=True)
class RunTimes:
    """The start of the last run, and the time to the next if the last two are on a schedule."""

    last: datetime
    every: timedelta | None

    @property
    def next(self) -> datetime | None:
        """The estimated start of the next run."""
        return None if self.every is None else self.last + self.every

    def is_overdue(self, now: datetime) -> bool:
        """Return whether the next run and the one after it should have started by ``now``."""
        return self.every is not None and now > self.last + 2 * self.every


def record_run(session: Session, *, now: datetime) -> LastRun:
    """Return the row about the last run, which is written."""
    row = session.get(LastRun, 1)
    if row is None:
        row = LastRun(started_at=now)
    else:
        row.before_at, row.started_at = row.started_at, now
    session.add(row)
    session.flush()
    return row


def run_times(session: Session) -> RunTimes | None:
    """Return when runs take place; None before the first."""
    row = session.get(LastRun, 1)
    if row is None:
        return None
    every = None if row.before_at is None else row.started_at - row.before_at
    on_schedule = every is not None and timedelta() < every <= _LONGEST
    return RunTimes(row.started_at, every if on_schedule else None)
