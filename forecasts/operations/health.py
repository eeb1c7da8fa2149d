"""Whether a ledger can be relied on: what an operator looks at before and after anything changes.

Nothing is written to find out: a server is asked for permissions, triggers and settings, and a file
for the turn to write, which is given back at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, Engine, bindparam, func, select, text
from sqlmodel import Session, SQLModel, col

from forecasts.access import oidc_settings
from forecasts.access.roles import admins
from forecasts.common.errors import BadInput, DatabaseError
from forecasts.common.times import iso, utc
from forecasts.ledger.chain import SEALED
from forecasts.ledger.database import reading, schema_revision, writing
from forecasts.ledger.models import APPEND_ONLY, Forecast, QuestionRevision, Resolution
from forecasts.ledger.schema import newest_revision
from forecasts.ledger.urls import is_embedded, place

# Clocks that differ by less say the same to whoever forecasts.
_TOLERANCE = timedelta(seconds=5)
_RESTORE = "Leave it as it is, and go on with a backup."
# What a server must have on, so that what is acknowledged outlives a power cut.
_DURABLE = ("fsync", "full_page_writes", "synchronous_commit")
# The bits of a trigger that fires before DELETE, UPDATE and TRUNCATE (pg_trigger.tgtype).
_BEFORE_ANY_REWRITING = 2 | 8 | 16 | 32

# What a role has to do beside reading and adding rows.
_MORE = {"score": ["DELETE"], "watch": ["UPDATE"], "channel": ["UPDATE"], "notice": ["UPDATE"]}


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at, in a sentence; where it is not well, with a remedy."""

    about: str
    said: str
    remedy: str = ""

    @property
    def well(self) -> bool:
        """Whether nothing has to be done about it."""
        return not self.remedy


def check(engine: Engine, clock: Callable[[], datetime]) -> list[Finding]:
    """Return what was found about the ledger, one finding a thing; nothing is written.

    Where its schema is not this release's, what depends on that is left out.
    """
    look = _look_at_file if is_embedded(engine) else _look_at_server
    found = list(look(engine, clock))
    if any(one.remedy == _RESTORE for one in found):
        return found  # nothing that it says about itself can be relied on
    schema = _schema(engine)
    found.append(schema)
    if schema.well:
        found += _look_inside(engine, clock)
    return found


def check_sign_in() -> Finding:
    """Return whether the settings of this environment let people sign in; no secret is in it."""
    try:
        chosen = oidc_settings.configured_sign_in()
    except BadInput as error:
        problems = "; ".join(f"{one.place} {one.rule}" for one in error.problems)
        return Finding("sign-in", f"{error.message} {problems}.", error.remedy)
    if chosen is None:
        return Finding("sign-in", "Nobody signs in here, so the app answers to this machine only.")
    return Finding(
        "sign-in",
        f"People sign in by {chosen.issuer}, and come back to the app at {chosen.host}.",
    )


def _schema(engine: Engine) -> Finding:
    revision, newest = schema_revision(engine) or "none", newest_revision()
    if revision == newest:
        return Finding("schema", f"It has schema {revision}, that of this release.")
    said = f"It has schema {revision}, and this release works with {newest}."
    if revision > newest:
        return Finding("schema", said, "It was written by a newer release; install that.")
    return Finding("schema", said, "Tell its users, and run: forecasts migrate")


def _look_at_file(engine: Engine, clock: Callable[[], datetime]) -> Iterator[Finding]:
    yield Finding("connection", f"The ledger is the file {place(engine)}.")
    with reading(engine) as session:
        connection = session.connection()
        version = connection.scalar(text("SELECT sqlite_version()"))
        faults = list(connection.scalars(text("PRAGMA quick_check")))
    yield Finding("server", f"It is read and written by SQLite {version}.")
    if faults == ["ok"]:
        yield Finding("file", "The file is sound.")
    else:
        yield Finding("file", f"The file is damaged: {faults[0]}.", _RESTORE)
        return
    try:
        with writing(engine) as session:
            session.connection()
        yield Finding("permissions", "It can be written to.")
    except DatabaseError as error:
        yield Finding("permissions", error.message, error.remedy)


def _look_at_server(engine: Engine, clock: Callable[[], datetime]) -> Iterator[Finding]:
    with reading(engine) as session:
        connection = session.connection()
        role, version, standby, read_only = connection.execute(
            text(
                "SELECT current_user, current_setting('server_version'), pg_is_in_recovery(),"
                " current_setting('default_transaction_read_only')"
            )
        ).one()
        yield Finding("connection", f"The ledger is {place(engine)}, opened as the role {role}.")
        yield Finding("server", f"It is on PostgreSQL {version}.")
        yield _durability(connection)
        yield _clock_of(connection, clock)
        if standby or read_only == "on":
            yield Finding(
                "writing",
                "The server takes no writes: it is a copy of another one, or set to read only.",
                "Name the server that takes writes.",
            )


def _durability(connection: Connection) -> Finding:
    set_to = {
        name: connection.scalar(text(f"SELECT current_setting('{name}')")) for name in _DURABLE
    }
    off = [name for name, value in set_to.items() if value == "off"]  # others wait for more
    if not off:
        return Finding("durability", "What is acknowledged is on the server's disk.")
    return Finding(
        "durability",
        f"What is acknowledged can be lost when the machine stops: off is {', '.join(off)}.",
        "Let the server's owner set " + ", ".join(f"{name} = on" for name in off) + ".",
    )


def _clock_of(connection: Connection, clock: Callable[[], datetime]) -> Finding:
    before = utc(clock())
    server = connection.scalar(text("SELECT clock_timestamp()"))
    after = utc(clock())
    assert isinstance(server, datetime)
    # The server looked at its clock at some time between the two.
    ahead = server - before if server < before else server - after
    if before <= server <= after:
        ahead = timedelta(0)
    said = f"The server's clock and this machine's differ by {abs(ahead.total_seconds()):.1f} s"
    if abs(ahead) <= _TOLERANCE:
        return Finding("clock", f"{said}.")
    return Finding(
        "clock",
        f"{said}: the server's is {'ahead' if ahead > timedelta(0) else 'behind'}.",
        "Let both keep time by the network (NTP): forecasts count from when they are made.",
    )


def _look_inside(engine: Engine, clock: Callable[[], datetime]) -> Iterator[Finding]:
    with reading(engine) as session:
        connection = session.connection()
        missing = [] if is_embedded(engine) else _missing_grants(connection)
        if missing:
            role = connection.scalar(text("SELECT quote_ident(current_user)"))
            yield Finding(
                "permissions",
                f"The role {role} may not do all that a ledger needs.",
                f"Let the ledger's owner run: {' '.join(f'{g} TO {role};' for g in missing)}",
            )
        elif not is_embedded(engine):
            yield Finding("permissions", "The role may do all that a ledger needs.")
        yield _history(connection)
        if not any("SELECT" in grant for grant in missing):
            yield _chain(connection)
            yield _roles(session)
            yield _newest(connection, clock)
            yield _rows(connection)


def _missing_grants(connection: Connection) -> list[str]:
    """Return the GRANT of each permission that the role lacks, up to the TO."""
    table_may = text("SELECT has_table_privilege(:name, :act)")
    sequence_may = text("SELECT has_sequence_privilege(:name, 'USAGE')")
    grants = []
    for table in SQLModel.metadata.sorted_tables:
        acts = ["SELECT", "INSERT", *_MORE.get(table.name, [])]
        lacked = [
            act
            for act in acts
            if not connection.scalar(table_may, {"name": table.name, "act": act})
        ]
        if lacked:
            grants.append(f"GRANT {', '.join(lacked)} ON {table.name}")
        sequence = f"{table.name}_id_seq"
        if not connection.scalar(sequence_may, {"name": sequence}):
            grants.append(f"GRANT USAGE ON SEQUENCE {sequence}")
    return grants


def _history(connection: Connection) -> Finding:
    """Tell whether what refuses to rewrite history is there, and in force."""
    if connection.dialect.name == "sqlite":
        there = set(
            connection.scalars(text("SELECT name FROM sqlite_master WHERE type = 'trigger'"))
        )
        acts = ("update", "delete", "replace")
        bare = [t for t in APPEND_ONLY if not there >= {f"{t}_refuses_{act}" for act in acts}]
    else:
        guarded = set(
            connection.scalars(
                text(
                    "SELECT c.relname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid"
                    " WHERE c.relnamespace = current_schema()::regnamespace"
                    # Where words can be forgotten UPDATE has a trigger of its own.
                    " AND t.tgname IN"
                    " (c.relname || '_is_append_only', c.relname || '_refuses_update')"
                    " AND t.tgenabled IN ('O', 'A') AND t.tgtype & 2 = 2"
                    " GROUP BY c.relname HAVING bit_or(t.tgtype) & :bits = :bits"
                ).bindparams(bindparam("bits", _BEFORE_ANY_REWRITING))
            )
        )
        bare = [table for table in APPEND_ONLY if table not in guarded]
    if not bare:
        return Finding("history", "Every trigger that refuses to rewrite history is in force.")
    return Finding(
        "history",
        f"Nothing refuses to rewrite the history in {', '.join(bare)}.",
        "Find out who removed the triggers and what was changed since, from a backup; a copy made "
        "with forecasts move has them again.",
    )


def _chain(connection: Connection) -> Finding:
    """Tell whether there are as many entries as rows; whether they fit takes a walk along all."""
    tables = SQLModel.metadata.tables
    entries, rows = (
        sum(
            connection.scalar(select(func.count()).select_from(tables[name])) or 0 for name in names
        )
        for names in (("entry",), SEALED)
    )
    if entries == rows:
        said = f"Each of the {rows:,} rows of history has an entry; forecasts verify compares them."
        return Finding("chain", said)
    return Finding(
        "chain",
        f"There are {rows:,} rows of history and {entries:,} entries: somebody has changed it.",
        "Find out where with: forecasts verify",
    )


def _roles(session: Session) -> Finding:
    """Tell whose the ledger is."""
    named = admins(session)
    if named:
        return Finding("roles", f"Roles hold in it; its admins: {', '.join(named)}.")
    return Finding(
        "roles",
        "Nobody is its admin, so whoever can open it may do everything in it. To name one: "
        "forecasts team appoint HANDLE admin.",
    )


def _newest(connection: Connection, clock: Callable[[], datetime]) -> Finding:
    """Tell whether anything was recorded later than now, as a wrong clock would have it."""
    times = [
        connection.scalar(select(func.max(col(table.recorded_at))))
        for table in (Forecast, QuestionRevision, Resolution)
    ]
    known = [utc(at) for at in times if at is not None]
    if not known:
        return Finding("newest", "Nothing is recorded yet.")
    said = f"The newest row was recorded at {iso(max(known))}"
    now = utc(clock())
    if max(known) <= now + _TOLERANCE:
        return Finding("newest", f"{said}.")
    return Finding(
        "newest",
        f"{said}, and it is {iso(now)} here.",
        "Set this machine's clock right, or find out which machine's was wrong then.",
    )


def _rows(connection: Connection) -> Finding:
    """Tell how much there is, in the order of the journey."""
    names = ("member", "article", "question", "forecast", "citation", "resolution", "score")
    counts = {
        name: connection.scalar(select(func.count()).select_from(SQLModel.metadata.tables[name]))
        for name in names
    }
    said = ", ".join(
        f"{count:,} {name}{'' if count == 1 else 's'}" for name, count in counts.items()
    )
    return Finding("rows", f"It holds {said}.")
