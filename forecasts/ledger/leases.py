"""Claims of tasks by runs, so that each task has one run at a time and survives a killed one.

A claim is a conditional UPDATE with a lease: another run got there first, or the row belongs to
this run until the lease ends. After that it is free again, since its run was killed, possibly by
this very task. Such a task is claimed last and alone, and the claim counts as an attempt.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
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

    The table has the columns ``next_at`` and ``attempts`` too (``Watch``, ``Feed``).
    """

    def __init__(self, engine: Engine, table: type[Task], clock: Callable[[], datetime]) -> None:
        self.engine, self._clock = engine, clock
        self._table: Any = table
        self._name = uuid.uuid4().hex

    def writing(self) -> AbstractContextManager[Session]:
        """Return a write transaction of the run; refused if its clock is behind the ledger."""
        return writing(self.engine, self._clock, patience=PATIENCE)

    def free(self, due: ColumnElement[bool]) -> Any:
        """Select the ids of the due rows that no run has claimed, the longest due first."""
        table, until = self._table, col(self._table.claimed_until)
        is_free = or_(until.is_(None), until <= self._clock())
        return select(table.id).where(due, is_free).order_by(table.next_at, table.id)

    def claim(self, due: ColumnElement[bool], limit: int) -> list[Task]:
        """Return up to ``limit`` due rows, now claimed, or a single one that a killed run left."""
        table, left = self._table, col(self._table.claimed_by).is_not(None)
        fresh, abandoned = self.free(due).where(~left), self.free(due).where(left)
        least_tried = abandoned.order_by(None).order_by(table.attempts, table.next_at, table.id)
        with self.writing() as session:
            for some, attempt in ((fresh.limit(limit), 0), (least_tried.limit(1), 1)):
                claimed = session.scalars(
                    update(table)
                    .where(table.id.in_(some))
                    .values(
                        claimed_by=self._name,
                        claimed_until=self._clock() + LEASE,
                        attempts=table.attempts + attempt,
                    )
                    .returning(table.id)
                    .execution_options(synchronize_session=False)
                )
                if ids := list(claimed):
                    break
        if not ids:
            return []
        with reading(self.engine) as session:
            return in_order(session, self._table, table.id.in_(ids))

    def held(self, session: Session, ids: Sequence[int]) -> list[Task]:
        """Return the rows of these that this run has still claimed in the ledger."""
        mine = self._table.claimed_by == self._name
        return in_order(session, self._table, self._table.id.in_(ids), mine)

    def release(self) -> None:
        """Free the rows that an error has left claimed, if the ledger can be written to."""
        mine = self._table.claimed_by == self._name
        with suppress(LedgerError), reading(self.engine) as session:
            if session.exec(select(self._table.id).where(mine).limit(1)).first() is None:
                return
        with suppress(LedgerError), self.writing() as session:
            free = update(self._table).where(mine).values(claimed_by=None, claimed_until=None)
            session.execute(free.execution_options(synchronize_session=False))
