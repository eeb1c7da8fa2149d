"""A driver's errors as sentences with a remedy.

Most errors of a server have a code (SQLSTATE). Errors before a connection have none: there the
words of its English messages decide, and a message in another language is shown as it is. No
message of the driver contains a password.
"""

from __future__ import annotations

import re
import shlex
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DatabaseError as DriverError
from sqlalchemy.exc import DataError, DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from forecasts.common.errors import DatabaseError, NotAdmitted, Remedy
from forecasts.ledger.sqlite_file import full_disk, is_out_of_room
from forecasts.ledger.urls import place

VERIFY = Remedy("Find out who could write to its database. To name every altered row: {}", "verify")
_NO_SERVER = object()
_DISK_FULL = "53100"  # SQLSTATE
_NO_RIGHT = "42501"
_UNDECODABLE = "Could not decode to UTF-8"  # in SQLite's message
# The errors of code that gets a value of another form.
AT_A_VALUE = (
    *(ArithmeticError, AssertionError, AttributeError, LookupError),
    *(RecursionError, TypeError, ValueError),
)
_AGAIN = "Nothing was written. Check that it exists and is not full or locked, and try again."
_FULL = "Nothing was written. Free some space on its disk, and try again."
_START = "Start it, or check host and port in the URL, and try again."
_SOON = "Nothing was written. Try again in a moment; the server's log has the reason."
_MANY = "Nothing was written. Try again later; if it persists, raise the server's limit."
# Patterns of a server's English messages when it refuses a connection, with the remedy.
_NOT_ADMITTED = {
    "password authentication failed": (
        "Check the role and its password in the URL; write @ in a password as %40, "
        ": as %3A, / as %2F, % as %25. Or put the password into ~/.pgpass or PGPASSWORD instead."
    ),
    "no password supplied": (
        "The server needs a password: put it into the URL, ~/.pgpass or PGPASSWORD."
    ),
    "no pg_hba.conf entry": "Let the server's pg_hba.conf admit this role from this machine.",
    "permission denied for database": (
        "Let the owner of the database run: GRANT CONNECT ON DATABASE … TO …"
    ),
    r"role .* does not exist": (
        "Check the role's name in the URL (postgresql://ROLE@HOST/DATABASE)."
    ),
    r"database .* does not exist": (
        "Check the name, or ask the server's owner to create it: CREATE DATABASE … "
        "(docs/operating.md says how)."
    ),
}
# Refusals by SQLSTATE, with the remedy.
_REFUSALS = {
    "42501": (
        NotAdmitted,
        "does not let this role do that: {reason}",
        "Ask its owner for the missing rights: docs/operating.md lists them.",
    ),
    "55P03": (
        DatabaseError,
        "could not be written to: another process has been writing for too long",
        "Nothing was written. Try again when it is done.",
    ),
    "25006": (
        DatabaseError,
        "cannot be written to here: {reason}",
        "Nothing was written. Name the server that accepts writes, not its replica.",
    ),
    "53300": (DatabaseError, "was not opened: {reason}", _MANY),
}


def raised(connection: Connection, statement: str, error: Exception) -> DBAPIError:
    """Return the engine's error for an error of its driver, to be raised from it.

    A statement sent past the engine must not be repeated: the driver may have rolled back all that
    came before, and later statements would be stored by themselves.
    """
    dialect = connection.dialect
    driver = connection.connection
    lost = dialect.is_disconnect(error, driver, None)  # type: ignore[arg-type]
    if lost:
        connection.invalidate(error)
    made = DBAPIError.instance(
        statement,
        None,
        error,
        dialect.loaded_dbapi.Error,
        connection_invalidated=lost,
        dialect=dialect,
    )
    assert isinstance(made, DBAPIError)
    return made


def undone(where: str) -> DatabaseError:
    """Return the error for statements after the database has rolled the act back."""
    return DatabaseError(
        f"The ledger at {where!r} was undone by an error, and the act continued.", remedy=_AGAIN
    )


@contextmanager
def reported(engine: Engine) -> Iterator[None]:
    """Turn a driver's error about the database into a DatabaseError with a remedy."""
    try:
        yield
    except DBAPIError as error:
        found = _explained(error, place(engine))
        if found is None:
            raise
        raise found from error
    except PoolTimeout as error:
        raise DatabaseError(
            f"The ledger at {place(engine)!r} could not be used: too many are waiting for it.",
            remedy="Nothing was written. Try again in a moment.",
        ) from error


def _explained(error: DBAPIError, where: str) -> DatabaseError | None:
    """Return the reason why the ledger at ``where`` could not be used.

    None if a rule of the schema was broken, or the fault is not the database's: verbs explain that.
    """
    state = getattr(error.orig, "sqlstate", _NO_SERVER)
    if state is _NO_SERVER:
        # A file that is not a database raises the general class, a broken rule a special one.
        unusable = isinstance(error, OperationalError) or type(error) is DriverError
        return _unusable(where, error.orig) if unusable else None
    if state:
        return _refused(where, str(state), error)
    if isinstance(error, DataError):
        return _altered(where, error.orig)
    if isinstance(error, OperationalError):
        return _unreached(where, str(error.orig))
    if "connection option" in str(error.orig):
        return NotAdmitted(
            f"The ledger at {where!r} was not opened: {str(error.orig).strip()}.",
            remedy="Remove it from the URL; the options after its ? are those of libpq.",
        )
    return None


def is_of_a_value(error: Exception) -> bool:
    """Return whether an error is about a stored value, or about a damaged page of its file."""
    if not isinstance(error, DBAPIError):
        return isinstance(error, AT_A_VALUE)
    is_data = isinstance(error, DataError) and not getattr(error.orig, "sqlstate", None)
    return is_data or is_damage(error.orig) or _UNDECODABLE in str(error.orig)


def is_of_the_schema(error: Exception) -> bool:
    """Return whether a statement does not fit the database's tables, such as a missing one."""
    if not isinstance(error, DBAPIError):
        return False
    if isinstance(error.orig, sqlite3.Error):
        return error.orig.sqlite_errorcode == sqlite3.SQLITE_ERROR
    state = str(getattr(error.orig, "sqlstate", ""))
    return state.startswith(("22", "42")) and state != _NO_RIGHT


def is_lost(error: DatabaseError) -> bool:
    """Return whether it says that the connection broke, as a server's does when it stops."""
    cause = error.__cause__
    if not isinstance(cause, DBAPIError):
        return False
    state = str(getattr(cause.orig, "sqlstate", None) or "")
    return cause.connection_invalidated or state.startswith(("08", "57P"))


def is_damage(error: object) -> bool:
    """Return whether a driver's error says that SQLite's file is not whole."""
    code = getattr(error, "sqlite_errorcode", None)
    return code is not None and code & 0xFF in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def damaged_file(where: str, reason: object = "its pages do not fit together") -> DatabaseError:
    """Return the error for a ledger's file that is not whole: truncated, or partly overwritten."""
    return DatabaseError(
        f"The ledger {where!r} is damaged: {reason}.",
        remedy=(
            Remedy("Keep the file as it is, and restore the newest backup: {}.", "restore", "FILE"),
            f"Without a backup, save its readable rows: sqlite3 {shlex.quote(where)} .recover | "
            "sqlite3 saved.sqlite3;",
            Remedy("and check them: {}", "verify", database="saved.sqlite3"),
        ),
    )


def _altered(where: str, reason: object) -> DatabaseError:
    return DatabaseError(
        f"The ledger at {where!r} has a value that cannot be read: {reason}.", remedy=VERIFY
    )


def _unusable(where: str, reason: object, state: str = "") -> DatabaseError:
    if is_damage(reason):
        return damaged_file(where, reason)
    if _UNDECODABLE in str(reason):
        return _altered(where, reason)
    is_full = getattr(reason, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL
    if isinstance(reason, sqlite3.Error) and is_out_of_room(Path(where), reason):
        is_full, reason = True, full_disk(Path(where))
    remedy = _FULL if is_full or state == _DISK_FULL else _AGAIN
    return DatabaseError(f"The ledger at {where!r} could not be used: {reason}.", remedy=remedy)


def _unreached(where: str, message: str) -> DatabaseError:
    """Return the reason why there is no connection."""
    reason = _last_line(message)
    for words, remedy in _NOT_ADMITTED.items():
        if re.search(words, reason):
            return NotAdmitted(f"The ledger at {where!r} was not opened: {reason}.", remedy=remedy)
    if "too many" in reason or "slots are reserved" in reason:
        return DatabaseError(f"The ledger at {where!r} was not opened: {reason}.", remedy=_MANY)
    remedy = _SOON if "the database system is" in reason else _START
    return DatabaseError(f"The server of {where!r} was not reached: {reason}.", remedy=remedy)


def _last_line(message: str) -> str:
    """Return libpq's reason, without its attempts and hints."""
    first = message.strip().split("\n")[0]
    for before in ("failed: FATAL:", "failed:"):
        if before in first:
            first = first.rpartition(before)[2]
    return first.strip().rstrip(".")


def _refused(where: str, state: str, error: DBAPIError) -> DatabaseError | None:
    """Return the error for a server's code."""
    primary = getattr(getattr(error.orig, "diag", None), "message_primary", None) or error.orig
    if state in _REFUSALS:
        kind, said, remedy = _REFUSALS[state]
        return kind(f"The ledger at {where!r} {said.format(reason=primary)}.", remedy=remedy)
    # 08: the connection; 25P: an act that took too long; 53, 58: the machine; 57P: it is stopping.
    if state.startswith(("08", "25P", "53", "57P", "58")):
        return _unusable(where, primary, state)
    return None
