"""Health checks of a server: durability, clock, writes and privileges."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from sqlalchemy import Connection, Engine, func, select, text
from sqlmodel import SQLModel

from forecasts.common.times import utc
from forecasts.ledger import clock
from forecasts.ledger.database import reading
from forecasts.ledger.urls import place
from forecasts.operations.finding import Finding

TOLERANCE = timedelta(seconds=5)  # between clocks
# The server settings by which an acknowledged write survives a power cut.
_DURABLE = ("fsync", "full_page_writes", "synchronous_commit")
# The privileges of a role beyond SELECT and INSERT.
_UPDATED = ("watch", "last_run", "channel", "notice", "upkeep")
_DELETED = ("score", "ended_session", "idempotent_answer")
_MORE_PRIVILEGES = dict.fromkeys(_UPDATED, "UPDATE") | dict.fromkeys(_DELETED, "DELETE")


def check_server(engine: Engine, here: Callable[[], datetime]) -> Iterator[Finding]:
    """Yield the findings about the server; ``here``: this machine's clock."""
    with reading(engine) as session:
        connection = session.connection()
        role, version, standby, read_only = connection.exec_driver_sql(
            "SELECT current_user, current_setting('server_version'), pg_is_in_recovery(),"
            " current_setting('default_transaction_read_only')"
        ).one()
        yield Finding("connection", f"The ledger is {place(engine)}, opened by the role {role}.")
        yield Finding("server", f"The server is PostgreSQL {version}.")
        yield _durability(connection)
        yield _clock_of(connection, here)
        if standby or read_only == "on":
            yield Finding(
                "writing",
                "The server accepts no writes: it is a standby, or set to read only.",
                "Use the address of the primary server.",
            )


def _durability(connection: Connection) -> Finding:
    # Other values wait for more.
    off = [n for n in _DURABLE if connection.scalar(select(func.current_setting(n))) == "off"]
    if not off:
        return Finding("durability", "Acknowledged writes are on the server's disk.")
    return Finding(
        "durability",
        f"Acknowledged writes can be lost when the machine stops, since {', '.join(off)} is off.",
        "The server's owner sets " + ", ".join(f"{name} = on" for name in off) + ".",
    )


def _clock_of(connection: Connection, here: Callable[[], datetime]) -> Finding:
    before = utc(here())
    server = connection.scalar(text(f"SELECT {clock.server_time()}"))
    after = utc(here())
    assert isinstance(server, datetime)
    # The server read its clock at some time between the two.
    ahead = (server - min(max(server, before), after)).total_seconds()
    difference = f"The server's clock and this machine's differ by {abs(ahead):.1f} s"
    if abs(ahead) <= TOLERANCE.total_seconds():
        return Finding("clock", f"{difference}.")
    return Finding(
        "clock",
        f"{difference}: the server's is {'ahead' if ahead > 0 else 'behind'}.",
        "Synchronise both clocks (NTP). The server's decides when a forecast was made.",
    )


def missing_grants(connection: Connection) -> list[str]:
    """Return the GRANT of each privilege that the role lacks, up to the TO."""
    grants = []
    for name in (table.name for table in SQLModel.metadata.sorted_tables):
        privileges = ("SELECT", "INSERT", _MORE_PRIVILEGES.get(name, "SELECT"))
        lacked = [
            act
            for act in dict.fromkeys(privileges)
            if not connection.scalar(select(func.has_table_privilege(name, act)))
        ]
        if lacked:
            grants.append(f"GRANT {', '.join(lacked)} ON {name}")
        if not connection.scalar(select(func.has_sequence_privilege(f"{name}_id_seq", "USAGE"))):
            grants.append(f"GRANT USAGE ON SEQUENCE {name}_id_seq")
    return grants
