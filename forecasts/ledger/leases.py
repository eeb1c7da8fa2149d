"""Claims of tasks by runs, so that each task has one run at a time and survives a killed one.

A claim is a conditional UPDATE with a lease: another run got there first, or the row belongs to
this run until the lease ends. After that it is free again, since its run was killed, possibly by
this very task. Such a task is claimed last and alone, and the claim counts as an attempt.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection
from contextlib import AbstractContextManager, suppress
from datetime import datetime, timedelta
from typing import Any, Generic, TypeVar

from sqlalchemy import ColumnElement, Engine, or_, update
from sqlmodel import Session, SQLModel, col, select

from forecasts.common.errors import LedgerError
from forecasts.ledger.current import in_order
from forecasts.ledger.database import reading, writing

Task = TypeVar("Task", bound=SQLModel)

LEASE = timedelta(minutes=15)
PATIENCE = 120  # seconds to wait for a write transaction; no person waits for a run
FIRST_PAUSE, FACTOR, LONGEST_PAUSE = timedelta(minutes=5), 3, timedelta(days=1)


def pause_after(failures: int) -> timedelta:
    """Return the pause after so many failures in a row.

    >>> [str(pause_after(number)) for number in (1, 2, 3, 7)]
    ['0:05:00', '0:15:00', '0:45:00', '1 day, 0:00:00']
    """
    pause: timedelta = FIRST_PAUSE * FACTOR ** min(failures - 1, 20)
    return min(pause, LONGEST_PAUSE)


class Leases(Generic[Task]):
    """The claims of one run on rows of a table with ``claimed_by``, ``claimed_until`` and the like.

    The table has the columns ``next_at`` and ``attempts`` too (``Watch``, ``Feed``). ``name``: of
    the run in the ledger. ``until``: when its newest claims end.
    """

    def __init__(self, engine: Engine, table: type[Task], clock: Callable[[], datetime]) -> None:
        self.engine, self.clock = engine, clock
        self._table: Any = table
        self.name = uuid.uuid4().hex
        self.until = clock()

    @property
    def _was_left(self) -> Any:
        return self._table.claimed_by.is_not(None)  # of a free row: its run was killed

    def writing(self) -> AbstractContextManager[Session]:
        """Return a write transaction of the run; refused if its clock is behind the ledger."""
        return writing(self.engine, self.clock, patience=PATIENCE)

    def free(self, due: ColumnElement[bool]) -> Any:
        """Select the ids of the due rows that no run has claimed, the longest due first."""
        table, until = self._table, col(self._table.claimed_until)
        is_free = or_(until.is_(None), until <= self.clock())
        return select(table.id).where(due, is_free).order_by(table.next_at, table.id)

    def any_abandoned(self, due: ColumnElement[bool]) -> bool:
        """Return whether a killed run has left a due row."""
        left = self.free(due).where(self._was_left).limit(1)
        with reading(self.engine) as session:
            return session.exec(left).first() is not None

    def claim(
        self, due: ColumnElement[bool], limit: int, *, abandoned_first: bool = False
    ) -> list[int]:
        """Return the ids of up to ``limit`` due rows, now claimed.

        Those that a killed run left are claimed one at a time, after the others or before them.
        """
        table = self._table
        fresh, abandoned = (
            self.free(due).where(is_so) for is_so in (~self._was_left, self._was_left)
        )
        least_tried = abandoned.order_by(None).order_by(table.attempts, table.next_at, table.id)
        turns = [(fresh.limit(limit), 0), (least_tried.limit(1), 1)]
        with self.writing() as session:
            for some, attempt in reversed(turns) if abandoned_first else turns:
                if ids := self._hold(session, table.id.in_(some), attempt):
                    return ids
        return []

    def renew(self, ids: Collection[int]) -> list[int]:
        """Return which of these this run has still claimed, now for a whole lease again."""
        mine = self._table.claimed_by == self.name
        with self.writing() as session:
            return self._hold(session, self._table.id.in_(ids) & mine)

    def _hold(self, session: Session, these: ColumnElement[bool], attempt: int = 0) -> list[int]:
        self.until = self.clock() + LEASE
        values = {"claimed_by": self.name, "claimed_until": self.until}
        claimed = session.scalars(
            update(self._table)
            .where(these)
            .values(**values, attempts=self._table.attempts + attempt)
            .returning(self._table.id)
            .execution_options(synchronize_session=False)
        )
        return list(claimed)

    def held(self, session: Session, ids: Collection[int]) -> list[Task]:
        """Return the rows of these that this run has still claimed in the ledger."""
        mine = self._table.claimed_by == self.name
        return in_order(session, self._table, self._table.id.in_(ids), mine)

    def release(self) -> None:
        """Free the rows that an error has left claimed, if the ledger can be written to."""
        mine = self._table.claimed_by == self.name
        with suppress(LedgerError), reading(self.engine) as session:
            if session.exec(select(self._table.id).where(mine).limit(1)).first() is None:
                return
        with suppress(LedgerError), self.writing() as session:
            free = update(self._table).where(mine).values(claimed_by=None, claimed_until=None)
            session.execute(free.execution_options(synchronize_session=False))
