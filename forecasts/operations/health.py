"""Health checks of a ledger, for an operator to run before and after a change, and as a monitor.

Nothing is kept: a row is written and rolled back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime

from sqlalchemy import Connection, Engine, func, select, text
from sqlmodel import Session, SQLModel

from forecasts.access import oidc_settings
from forecasts.access.roles import admins
from forecasts.common.errors import BadInput, DatabaseError, NoLedger, Remedy, command
from forecasts.common.text import count
from forecasts.common.times import iso
from forecasts.ledger.chain import SEALED
from forecasts.ledger.clock import ledger_clock, newest_time
from forecasts.ledger.database import reading, writing
from forecasts.ledger.models import APPEND_ONLY, Team
from forecasts.ledger.schema import newest_revision, schema_revision
from forecasts.ledger.urls import is_embedded, named_file, read_url
from forecasts.operations import routine
from forecasts.operations.file_health import check_around, check_file
from forecasts.operations.finding import Finding
from forecasts.operations.server_health import TOLERANCE, check_server, missing_grants

# pg_trigger.tgtype of a trigger before DELETE, UPDATE and TRUNCATE.
_BEFORE_ANY_CHANGE = 2 | 8 | 16 | 32


class _Undone(Exception):
    """Rolls a trial back."""


def check(engine: Engine, here: Callable[[], datetime]) -> list[Finding]:
    """Return the findings about the ledger; nothing is kept. ``here``: this machine's clock.

    Checks that depend on the schema are left out if it is not this release's.
    """
    found = list(check_file(engine) if is_embedded(engine) else check_server(engine, here))
    if not all(one.passed for one in found if one.about in ("connection", "file")):
        return found  # nothing else of a damaged file, or of one that takes no acts, counts
    schema = _schema(engine)
    found.append(schema)
    if schema.passed:
        now = ledger_clock(engine, here)()
        found += _check_contents(engine, now)
        if all(one.passed for one in found if one.about in ("permissions", "writing")):
            found.append(_writing(engine, now))
    return found


def check_unopened(url: str, error: DatabaseError) -> list[Finding]:
    """Return the findings that need no open ledger, the space around a file first.

    ``error``: the reason why it cannot be opened, which is the last finding.
    """
    path = None if isinstance(error, NoLedger) else named_file(read_url(url))
    found = [] if path is None or not path.exists() else list(check_around(path))
    return [*found, Finding("connection", error.message, error.advice)]


def check_sign_in() -> Finding:
    """Return whether this environment is configured for sign-in, without any secret."""
    try:
        chosen = oidc_settings.configured_sign_in()
    except BadInput as error:
        problems = "; ".join(f"{one.place} {one.rule}" for one in error.problems)
        return Finding("sign-in", f"{error.message} {problems}.", error.advice)
    if chosen is None:
        return Finding("sign-in", "Sign-in is off, so the app answers only to this machine.")
    result = (
        f"People sign in with {chosen.issuer} and return to the app at {chosen.host}. Admitted: "
        f"{chosen.admitted}."
    )
    return Finding("sign-in", result)


def _schema(engine: Engine) -> Finding:
    revision, newest = schema_revision(engine) or "none", newest_revision()
    if revision == newest:
        return Finding("schema", f"The schema is {revision}, as this release requires.")
    result = f"The schema is {revision}, but this release requires {newest}."
    if revision > newest:
        return Finding("schema", result, "A newer release has written it: install that release.")
    return Finding("schema", result, Remedy("Tell its users, then migrate it: {}", "migrate"))


def _check_contents(engine: Engine, now: datetime) -> Iterator[Finding]:
    with reading(engine) as session:
        connection = session.connection()
        missing = [] if is_embedded(engine) else missing_grants(connection)
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
            yield _newest(session, now)
            yield _rows(connection)
            yield from routine.check(session, now=now)


def _writing(engine: Engine, now: datetime) -> Finding:
    """Return whether a row with its entry can be written; it is rolled back."""
    try:
        with suppress(_Undone), writing(engine) as session:
            session.add(Team(name=f"health check of {iso(now)}", created_at=now))
            session.flush()
            raise _Undone
    except DatabaseError as error:
        return Finding("writing", error.message, error.advice)
    return Finding("writing", "A row was written, and taken back.")


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
    kind = SQLModel.metadata.tables["entry"].c.kind
    entries = connection.scalar(select(func.count()).where(kind.in_(SEALED))) or 0
    rows = sum(_count(connection, name) for name in SEALED)
    if entries == rows:
        result = f"Each of the {rows:,} rows of history has an entry"
        return Finding("chain", f"{result}; forecasts verify compares them.")
    return Finding(
        "chain",
        f"There are {rows:,} rows of history but {entries:,} entries: someone has changed it.",
        Remedy("To find the place: {}", "verify"),
    )


def _roles(session: Session) -> Finding:
    """Return the admins of the ledger."""
    named = admins(session)
    if named:
        return Finding("roles", f"Roles apply; admins: {', '.join(named)}.")
    return Finding(
        "roles",
        "There is no admin, so everyone who can open the ledger may do everything. To appoint one: "
        + command("team appoint", "HANDLE", "admin"),
    )


def _newest(session: Session, now: datetime) -> Finding:
    """Return whether a row was recorded in the future, by a wrong clock."""
    at = newest_time(session)
    if at is None:
        return Finding("newest", "There are no rows yet.")
    newest = f"The newest row was recorded at {iso(at)}"
    if at <= now + TOLERANCE:
        return Finding("newest", f"{newest}.")
    return Finding(
        "newest",
        f"{newest}, but it is {iso(now)} here. Acts are refused until then.",
        "Set this machine's clock, or find the machine whose clock was wrong. If the row is of a "
        "wrong clock, restore a backup from before.",
    )


def _rows(connection: Connection) -> Finding:
    """Return the number of rows of the main tables."""
    names = ("member", "article", "question", "forecast", "citation", "resolution", "score")
    counted = ", ".join(count(_count(connection, name), name) for name in names)
    return Finding("rows", f"The ledger has {counted}.")


def _count(connection: Connection, name: str) -> int:
    table = SQLModel.metadata.tables[name]
    return connection.scalar(select(func.count()).select_from(table)) or 0
