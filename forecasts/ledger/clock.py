"""The time of an act: when its turn to write begins, by the ledger's clock.

On a server that is the server's clock, for everyone alike; in a file it is this machine's. A turn
may begin long after the act was started, so a time from before the wait would be out of order.

Time never runs back in a ledger: an update at an earlier time than the one before would be undone
by it, or backdated. A clock that is set back by ``_STEP`` at most, as when it is synchronised, is
followed; an act by a clock further behind is refused, with both times.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import Connection, Engine
from sqlmodel import Session, col, func, select

from forecasts.common.errors import DatabaseError
from forecasts.common.times import iso, utc
from forecasts.ledger.driver_errors import reported
from forecasts.ledger.facts import FACTS, Facts
from forecasts.ledger.models import Entry, Forecast, QuestionRevision, Resolution
from forecasts.ledger.urls import is_embedded, place

TIME = "ledger_time"  # in the session of an act, and in its connection to a server
_STEP = timedelta(seconds=2)
_LEAST = timedelta(microseconds=1)


def act_time(session: Session) -> datetime:
    """Return the time of the act; only one begun with a clock has one."""
    moment: datetime = session.info[TIME]
    return moment


def server_time() -> str:
    """Return the SQL expression for a server's time."""
    return "clock_timestamp()"


def time_of_turn(session: Session, here: Callable[[], datetime]) -> datetime:
    """Return the time of the act, whose turn begins, by the server's clock or by that ``here``.

    DatabaseError if the clock is behind the ledger's newest entry.
    """
    connection = session.connection()
    known: Facts | None = session.info.get(FACTS)
    newest = None if known is None else known.newest_time
    if newest is None:
        newest = newest_time(session)
        if known is not None:
            known.newest_time = newest
    now = utc(here() if is_embedded(connection) else connection.info[TIME])
    if newest is None or now >= newest:
        return now
    if newest - now <= _STEP:
        return newest + _LEAST
    raise _behind(connection, now, newest)


def require_not_behind(session: Session, now: datetime) -> None:
    """Refuse, with DatabaseError, to begin a run by a clock that is behind the newest entry."""
    newest = newest_time(session)
    if newest is not None and newest - now > _STEP:
        raise _behind(session.connection(), now, newest)


def newest_time(session: Session) -> datetime | None:
    """Return the time of the ledger's newest entry; None in an empty ledger.

    Entries of an older schema have none: then that of the newest forecast, wording or resolution.
    """
    newest = session.exec(select(Entry.at).order_by(col(Entry.id).desc()).limit(1)).first()
    if newest is not None:
        return newest
    tables = (Forecast, QuestionRevision, Resolution)
    times = [session.scalar(select(func.max(col(table.recorded_at)))) for table in tables]
    return max((utc(at) for at in times if at is not None), default=None)


def _behind(connection: Connection, now: datetime, newest: datetime) -> DatabaseError:
    whose = "This machine" if is_embedded(connection) else "The server"
    return DatabaseError(
        f"{whose}'s clock is behind: it says {iso(now)}, but the newest entry of the ledger "
        f"{place(connection.engine)!r} is of {iso(newest)}.",
        remedy="Nothing was written. Set the clock (NTP). If it is right, it was ahead when that "
        "entry was made: wait until that time, or restore a backup from before.",
    )


def ledger_clock(engine: Engine, here: Callable[[], datetime]) -> Callable[[], datetime]:
    """Return the clock that decides in the ledger: the server's, or the one that is ``here``."""
    if is_embedded(engine):
        return here

    def ask() -> datetime:
        with reported(engine), engine.connect() as connection:
            return utc(connection.exec_driver_sql(f"SELECT {server_time()}").scalar_one())

    return ask
