"""Move a ledger to another database: from a file to a server, or back.

Tables are copied one after another, in batches of rows, each batch in a transaction. Then every row
is read again from both databases and compared. Until the end, a table marks the target
as an unfinished copy of the source, and nothing else opens it (``sqlite_file.Kind.unfinished``). An
interrupted move continues after the last copied row.

The move holds a write transaction in the source, so other writers wait, or are refused if that
takes too long; readers go on. Its last write there marks a file as moved away (``ledger.moved``),
just before the target becomes a ledger: acts are accepted in one of the two at most, and the same
command finishes a move that is stopped in between.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, Engine, MetaData, Row, Table, Text, delete, func, insert, select
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

from forecasts.common.errors import DatabaseError, Refused, Remedy
from forecasts.ledger import facts, head, models, moved
from forecasts.ledger.chain import STATES
from forecasts.ledger.database import ACTS, reading, writing
from forecasts.ledger.driver_errors import VERIFY
from forecasts.ledger.malformed import malformed, orphans, out_of_form
from forecasts.ledger.schema import migrate, newest_revision, schema_revision
from forecasts.ledger.sqlite_file import UNFINISHED
from forecasts.ledger.urls import address, is_embedded, place, sqlite_path

BATCH = 1_000  # rows; a row of an article has its whole text
# Tables that are not append-only may have changed since an interrupted move: copied again.
_MUTABLE = (
    *("score", "current_forecast", "notice", "watch", "last_run", "upkeep"),
    *("article_match", "matched_until"),
    *("ended_session", "idempotent_answer", "feed", "feed_entry", "article_story"),
    *STATES,
)
_TABLES = models.Ledger.metadata.sorted_tables  # each after those it refers to
_MARK = Table(UNFINISHED, MetaData(), Column("source", Text, nullable=False))


@dataclass(frozen=True)
class Step:
    """The progress of a move: the rows of a table that are copied or compared so far."""

    act: str
    table: str
    done: int
    rows: int


@dataclass(frozen=True)
class Moved:
    """The number of rows of each table, which both ledgers have now."""

    rows: dict[str, int]
    resumed: bool


def move(
    source: Engine, target: Engine, *, on_step: Callable[[Step], None] = lambda _: None
) -> Moved:
    """Return the contents of both ledgers; the target is written. A file takes no acts after it.

    Refused if they are the same, if the target has other contents than an unfinished copy of this
    source, if the source was moved elsewhere, and if it has another schema than this release's.
    DatabaseError if a row of the copy differs from its original, or if the original has one that
    breaks the schema's rules; the copy is then unfinished, and the original takes acts as before.
    """
    _require_another(source, target)
    _require_newest(source)
    there = moved.moved_to(source)
    if there not in ("", address(target)):
        raise Refused(
            f"The ledger at {place(source)!r} was moved to {there!r} already.",
            remedy=Remedy(
                "Move that one, or reopen this one first: {}",
                "move",
                reopen=True,
                database=place(source),
            ),
        )
    with writing(_though_moved(source)) as original:
        original.connection()  # begins the write transaction
        if schema_revision(target) is None:
            migrate(target)
        _require_newest(target)
        head.forget(target, facts.first(original))  # such as of a copy that was dropped
        resumed = _begin(target, place(source))
        counts = {table.name: _count(original, table) for table in _TABLES}
        for table in _TABLES:
            _copy(original, target, table, counts[table.name], on_step)
        for table in _TABLES:
            _compare(original, target, table, counts[table.name], on_step)
        if is_embedded(source):
            moved.mark(original, address(target))
    finish(target)
    for engine in (source, target):
        head.accept(engine)
    return Moved(counts, resumed)


def reopen(engine: Engine) -> str:
    """Return the place that the ledger was moved to; it takes acts again. Refused if it does."""
    there = moved.moved_to(engine)
    if there:
        with writing(_though_moved(engine)) as session:
            there = moved.unmark(session)
        head.accept(engine)
    if not there:
        raise Refused(f"The ledger at {place(engine)!r} was not moved away, so it takes acts.")
    return there


def _though_moved(engine: Engine) -> Engine:
    """Return the engine for acts that the mark of a moved ledger does not refuse."""
    acts = engine.get_execution_options()[ACTS].execution_options(**{moved.THOUGH_MOVED: True})
    return engine.execution_options(**{ACTS: acts})


def _require_another(source: Engine, target: Engine) -> None:
    here, there = (
        place(engine) if (file := sqlite_path(engine)) is None else str(file.resolve())
        for engine in (source, target)
    )
    if here == there:
        raise Refused(
            f"The ledger is at {place(source)!r} already.",
            remedy=Remedy("Choose another place: {}", "move", to="URL"),
        )


def _require_newest(engine: Engine) -> None:
    revision = schema_revision(engine)
    if revision != newest_revision():
        raise Refused(
            f"The ledger at {place(engine)!r} has schema {revision}, but this release moves "
            f"schema {newest_revision()}.",
            remedy=Remedy("Migrate it first: {}", "migrate"),
        )


def _begin(target: Engine, source: str) -> bool:
    """Return whether this move continues an earlier one; if not, mark the empty target."""
    with writing(target) as session:
        connection = session.connection()
        if connection.dialect.has_table(connection, UNFINISHED):
            begun = session.execute(select(_MARK.c.source)).scalar_one()
            if begun != source:
                raise Refused(
                    f"{place(target)!r} has an unfinished copy of the ledger at {begun!r}, not of "
                    f"the one at {source!r}.",
                    remedy=Remedy(
                        "Finish that move, or choose an empty database: {}", "move", to="URL"
                    ),
                )
            for table in reversed(_TABLES):
                if table.name in _MUTABLE:
                    connection.execute(delete(table))
            return True
        for table in _TABLES:
            if _count(session, table):
                raise Refused(
                    f"{place(target)!r} is not empty: it has rows in the table {table.name}.",
                    remedy=Remedy(
                        "Nothing was changed. Choose an empty database: {}", "move", to="URL"
                    ),
                )
        _MARK.create(connection)
        connection.execute(insert(_MARK), {"source": source})
    return False


def _count(session: Session, table: Table) -> int:
    return int(session.execute(select(func.count()).select_from(table)).scalar_one())


def _copy(
    original: Session, target: Engine, table: Table, rows: int, on_step: Callable[[Step], None]
) -> None:
    with reading(target) as session:
        last = session.execute(select(func.max(table.c.id))).scalar_one() or 0
        done = _count(session, table)
    on_step(Step("copy", table.name, done, rows))
    for batch in _batches(original, table, after=last):
        try:
            with writing(target) as session:
                session.connection().execute(insert(table), [dict(row._mapping) for row in batch])
        except IntegrityError as error:
            raise _unlawful(original, table) or error from error
        done += len(batch)
        on_step(Step("copy", table.name, done, rows))


def _unlawful(original: Session, table: Table) -> DatabaseError | None:
    """Return the error for a row of the original that no ledger stores, if it has one."""
    connection = original.connection()
    faults = [
        *(out_of_form(table.name, *one) for one in malformed(connection, table, 1).items()),
        *(orphan.said(table.name) for orphan in orphans(connection, table, 1)),
    ]
    if not faults:
        return None
    where = place(connection.engine)
    return DatabaseError(
        f"The ledger at {where!r} was altered, and cannot be moved: {faults[0]}.",
        remedy=("It is unchanged.", VERIFY),
    )


def _batches(session: Session, table: Table, *, after: int = 0) -> Iterator[Sequence[Row[Any]]]:
    """Yield the rows of a table in batches, in the order of their ids."""
    while True:
        batch = session.execute(
            select(table).where(table.c.id > after).order_by(table.c.id).limit(BATCH)
        ).all()
        if not batch:
            return
        yield batch
        after = batch[-1].id


def _compare(
    original: Session, target: Engine, table: Table, rows: int, on_step: Callable[[Step], None]
) -> None:
    """Compare every row; DatabaseError for the first that differs, is missing or is extra."""
    done = 0
    with reading(target) as copy:
        copies = (row for batch in _batches(copy, table) for row in batch)
        for batch in _batches(original, table):
            for row in batch:
                _require_same(target, table, row, next(copies, None))
            done += len(batch)
            on_step(Step("compare", table.name, done, rows))
        _require_same(target, table, None, next(copies, None))


def _require_same(
    target: Engine, table: Table, row: Row[Any] | None, copied: Row[Any] | None
) -> None:
    # Equal values may differ in their form, as 1 and 1.0 do.
    if repr(row and tuple(row)) == repr(copied and tuple(copied)):
        return
    if copied is None:
        difference = "is missing"
    elif row is None:
        difference = "is only in the copy"
    else:
        difference = f"differs from row {row.id} of the original"
    named = copied or row
    raise DatabaseError(
        f"Row {named.id if named else None} of the table {table.name} {difference}, so the copy at "
        f"{place(target)!r} was not finished.",
        remedy="The original is unchanged. Start again with an empty database.",
    )


def finish(target: Engine) -> None:
    """Make the target a ledger: continue the ids after the copied ones, and remove the mark."""
    with writing(target) as session:
        for table in [] if is_embedded(target) else _TABLES:
            last = func.max(table.c.id)
            sequence = func.pg_get_serial_sequence(table.name, "id")
            # An empty table keeps its sequence, which has not given an id yet.
            session.execute(select(func.setval(sequence, last)).having(last.is_not(None)))
        _MARK.drop(session.connection())
