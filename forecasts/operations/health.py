"""Health checks of a ledger, for an operator to run before and after a change.

Nothing is written. A server reports permissions, triggers and settings; a file is checked by an
empty write transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, Engine, func, select, text
from sqlmodel import Session, SQLModel, col

from forecasts.access import oidc_settings
from forecasts.access.roles import admins
from forecasts.common.errors import BadInput, DatabaseError
from forecasts.common.times import iso, utc
from forecasts.ledger.chain import SEALED
from forecasts.ledger.database import reading, writing
from forecasts.ledger.models import APPEND_ONLY, Forecast, QuestionRevision, Resolution
from forecasts.ledger.schema import newest_revision, schema_revision
from forecasts.ledger.urls import is_embedded, place

_TOLERANCE = timedelta(seconds=5)  # between clocks
_RESTORE = "Keep the file as it is, and restore a backup."
# The server settings by which an acknowledged write survives a power cut.
_DURABLE = ("fsync", "full_page_writes", "synchronous_commit")
# pg_trigger.tgtype of a trigger before DELETE, UPDATE and TRUNCATE.
_BEFORE_ANY_CHANGE = 2 | 8 | 16 | 32

# The privileges of a role beyond SELECT and INSERT.
_UPDATED = ("watch", "last_run", "channel", "notice", "upkeep")
_DELETED = ("score", "ended_session")
_MORE_PRIVILEGES = dict.fromkeys(_UPDATED, "UPDATE") | dict.fromkeys(_DELETED, "DELETE")


@dataclass(frozen=True)
class Finding:
    """The result of one check in a sentence, with a remedy if it failed."""

    about: str
    result: str
    remedy: str = ""

    @property
    def passed(self) -> bool:
        """Whether the check passed."""
        return not self.remedy


def check(engine: Engine, clock: Callable[[], datetime]) -> list[Finding]:
    """Return the findings about the ledger; nothing is written.

    Checks that depend on the schema are left out if it is not this release's.
    """
    found = list(_check_file(engine) if is_embedded(engine) else _check_server(engine, clock))
    if any(one.remedy == _RESTORE for one in found):
        return found  # a damaged file cannot be relied on for further checks
    schema = _schema(engine)
    found.append(schema)
    if schema.passed:
        found += _check_contents(engine, clock)
    return found


def check_sign_in() -> Finding:
    """Return whether this environment is configured for sign-in, without any secret."""
    try:
        chosen = oidc_settings.configured_sign_in()
    except BadInput as error:
        problems = "; ".join(f"{one.place} {one.rule}" for one in error.problems)
        return Finding("sign-in", f"{error.message} {problems}.", error.remedy)
    if chosen is None:
        return Finding("sign-in", "Sign-in is off, so the app answers only to this machine.")
    result = f"People sign in with {chosen.issuer} and return to the app at {chosen.host}."
    return Finding("sign-in", result)


def _schema(engine: Engine) -> Finding:
    revision, newest = schema_revision(engine) or "none", newest_revision()
    if revision == newest:
        return Finding("schema", f"The schema is {revision}, as this release requires.")
    result = f"The schema is {revision}, but this release requires {newest}."
    if revision > newest:
        return Finding("schema", result, "A newer release has written it: install that release.")
    return Finding("schema", result, "Tell its users, then run: forecasts migrate")


def _check_file(engine: Engine) -> Iterator[Finding]:
    yield Finding("connection", f"The ledger is the file {place(engine)}.")
    with reading(engine) as session:
        connection = session.connection()
        version = connection.scalar(text("SELECT sqlite_version()"))
        faults = list(connection.scalars(text("PRAGMA quick_check")))
    yield Finding("server", f"SQLite {version} reads and writes it.")
    if faults != ["ok"]:
        yield Finding("file", f"The file is damaged: {faults[0]}.", _RESTORE)
        return
    yield Finding("file", "The file is intact.")
    try:
        with writing(engine) as session:
            session.connection()
        yield Finding("permissions", "The ledger can be written to.")
    except DatabaseError as error:
        yield Finding("permissions", error.message, error.remedy)


def _check_server(engine: Engine, clock: Callable[[], datetime]) -> Iterator[Finding]:
    with reading(engine) as session:
        connection = session.connection()
        role, version, standby, read_only = connection.exec_driver_sql(
            "SELECT current_user, current_setting('server_version'), pg_is_in_recovery(),"
            " current_setting('default_transaction_read_only')"
        ).one()
        yield Finding("connection", f"The ledger is {place(engine)}, opened by the role {role}.")
        yield Finding("server", f"The server is PostgreSQL {version}.")
        yield _durability(connection)
        yield _clock_of(connection, clock)
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


def _clock_of(connection: Connection, clock: Callable[[], datetime]) -> Finding:
    before = utc(clock())
    server = connection.scalar(text("SELECT clock_timestamp()"))
    after = utc(clock())
    assert isinstance(server, datetime)
    # The server read its clock at some time between the two.
    ahead = (server - min(max(server, before), after)).total_seconds()
    difference = f"The server's clock and this machine's differ by {abs(ahead):.1f} s"
    if abs(ahead) <= _TOLERANCE.total_seconds():
        return Finding("clock", f"{difference}.")
    return Finding(
        "clock",
        f"{difference}: the server's is {'ahead' if ahead > 0 else 'behind'}.",
        "Synchronise both clocks (NTP), since forecasts count from the time they are made.",
    )


def _check_contents(engine: Engine, clock: Callable[[], datetime]) -> Iterator[Finding]:
    with reading(engine) as session:
        connection = session.connection()
        missing = [] if is_embedded(engine) else _missing_grants(connection)
        if missing:
            role = connection.scalar(text("SELECT quote_ident(current_user)"))
            yield Finding(
                "permissions",
                f"The role {role} lacks privileges that a ledger needs.",
                f"The ledger's owner runs: {' '.join(f'{g} TO {role};' for g in missing)}",
            )
        elif not is_embedded(engine):
            yield Finding("permissions", "The role has all the privileges that a ledger needs.")
        yield _history(connection)
        if not any("SELECT" in grant for grant in missing):
            yield _chain(connection)
            yield _roles(session)
            yield _newest(connection, clock)
            yield _rows(connection)


def _missing_grants(connection: Connection) -> list[str]:
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


def _history(connection: Connection) -> Finding:
    """Return whether the triggers that protect history exist and are enabled."""
    if connection.dialect.name == "sqlite":
        there = set(
            connection.scalars(text("SELECT name FROM sqlite_master WHERE type = 'trigger'"))
        )
        acts = ("update", "delete", "replace")
        guarded = {t for t in APPEND_ONLY if there >= {f"{t}_refuses_{act}" for act in acts}}
    else:
        statement = text(
            "SELECT c.relname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid"
            " WHERE c.relnamespace = current_schema()::regnamespace"
            # Tables with text that can be removed have a separate trigger for UPDATE.
            " AND t.tgname IN (c.relname || '_is_append_only', c.relname || '_refuses_update')"
            " AND t.tgenabled IN ('O', 'A') AND t.tgtype & 2 = 2"
            " GROUP BY c.relname HAVING bit_or(t.tgtype) & :bits = :bits"
        )
        guarded = set(connection.scalars(statement, {"bits": _BEFORE_ANY_CHANGE}))
    unprotected = [table for table in APPEND_ONLY if table not in guarded]
    if not unprotected:
        return Finding("history", "Every trigger that protects history is in force.")
    return Finding(
        "history",
        f"No trigger protects the history in {', '.join(unprotected)}.",
        "Find out who removed the triggers, and compare with a backup for changes since. A copy "
        "made with forecasts move has them again.",
    )


def _chain(connection: Connection) -> Finding:
    """Return whether the chain has an entry for each row; ``forecasts verify`` compares them."""
    entries, rows = (
        sum(_count(connection, name) for name in names) for names in (("entry",), SEALED)
    )
    if entries == rows:
        result = f"Each of the {rows:,} rows of history has an entry"
        return Finding("chain", f"{result}; forecasts verify compares them.")
    return Finding(
        "chain",
        f"There are {rows:,} rows of history but {entries:,} entries: someone has changed it.",
        "To find the place, run: forecasts verify",
    )


def _roles(session: Session) -> Finding:
    """Return the admins of the ledger."""
    named = admins(session)
    if named:
        return Finding("roles", f"Roles apply; admins: {', '.join(named)}.")
    return Finding(
        "roles",
        "There is no admin, so everyone who can open the ledger may do everything. To appoint one: "
        "forecasts team appoint HANDLE admin.",
    )


def _newest(connection: Connection, clock: Callable[[], datetime]) -> Finding:
    """Return whether a row was recorded in the future, by a wrong clock."""
    times = [
        connection.scalar(select(func.max(col(table.recorded_at))))
        for table in (Forecast, QuestionRevision, Resolution)
    ]
    known = [utc(at) for at in times if at is not None]
    if not known:
        return Finding("newest", "There are no rows yet.")
    newest = f"The newest row was recorded at {iso(max(known))}"
    now = utc(clock())
    if max(known) <= now + _TOLERANCE:
        return Finding("newest", f"{newest}.")
    return Finding(
        "newest",
        f"{newest}, but it is {iso(now)} here.",
        "Set this machine's clock, or find the machine whose clock was wrong.",
    )


def _rows(connection: Connection) -> Finding:
    """Return the number of rows of the main tables."""
    names = ("member", "article", "question", "forecast", "citation", "resolution", "score")
    counts = [(name, _count(connection, name)) for name in names]
    counted = ", ".join(f"{count:,} {name}{'' if count == 1 else 's'}" for name, count in counts)
    return Finding("rows", f"The ledger has {counted}.")


def _count(connection: Connection, name: str) -> int:
    table = SQLModel.metadata.tables[name]
    return connection.scalar(select(func.count()).select_from(table)) or 0
