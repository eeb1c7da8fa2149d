"""What a database's driver says, as a sentence with a remedy.

A server tells most of what it refuses by a code (SQLSTATE), which is read here. What goes wrong
before it lets anybody in has none; there the words of its English messages are read, and where
they are in another language the message itself is shown. No message of the driver holds a password.
"""

from __future__ import annotations

from sqlalchemy import Connection
from sqlalchemy.exc import DatabaseError as DriverError
from sqlalchemy.exc import DBAPIError, OperationalError

from forecasts.common.errors import DatabaseError, NotAdmitted

_NO_SERVER = object()
_OPERATING = "docs/operating.md"
_AGAIN = "Nothing was written. Check that it is there, not full and not locked, and try again."
_START = "Start it, or check host and port in the URL, and try again."
_MANY = "Nothing was written. Try again in a moment; where it goes on, let the server take more."
# What the server's English messages say when it does not let somebody in -> the remedy.
_NOT_ADMITTED = {
    "password authentication failed": (
        "Check the role and its password in the URL; @ : / and % in a password are written %40 "
        "%3A %2F %25 there. Or leave it out of the URL, and put it into ~/.pgpass or PGPASSWORD."
    ),
    "no password supplied": (
        "The server asks for a password: put it into the URL, into ~/.pgpass or into PGPASSWORD."
    ),
    "no pg_hba.conf entry": "Let the server's pg_hba.conf admit this role from this machine.",
    "permission denied for database": (
        "Let the owner of the database run: GRANT CONNECT ON DATABASE … TO …"
    ),
}


def raised(connection: Connection, statement: str, error: Exception) -> DBAPIError:
    """Return what the engine would have raised for an error of its driver, to be raised from it.

    What is told the driver by a shorter way than the engine's must not be tried again: the driver
    may have undone all that came before, and whatever followed would stand by itself.
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
    """Return the error that an act went on after one at which the database has undone it."""
    return DatabaseError(
        f"The ledger at {where!r} has undone an act at an error, and the act went on.",
        remedy=_AGAIN,
    )


def explained(error: DBAPIError, where: str) -> DatabaseError | None:
    """Return the error that says what kept the ledger at ``where`` from being used.

    None for what breaks a rule of the schema, or is no fault of the database: that is the verb's
    to explain.
    """
    state = getattr(error.orig, "sqlstate", _NO_SERVER)
    if state is _NO_SERVER:
        # A file that is no database raises the general class, and what breaks a rule a special one.
        unusable = isinstance(error, OperationalError) or type(error) is DriverError
        return _unusable(where, error.orig) if unusable else None
    if state:
        return _refused(where, str(state), error)
    if isinstance(error, OperationalError):
        return _unreached(where, str(error.orig))
    if "connection option" in str(error.orig):
        return NotAdmitted(
            f"The ledger at {where!r} was not opened: {str(error.orig).strip()}.",
            remedy="Take it out of the URL; what stands behind its ? are options of libpq.",
        )
    return None


def _unusable(where: str, reason: object) -> DatabaseError:
    return DatabaseError(f"The ledger at {where!r} could not be used: {reason}.", remedy=_AGAIN)


def _unreached(where: str, message: str) -> DatabaseError:
    """Return why no connection came about."""
    said = _last_line(message)
    for words, remedy in _NOT_ADMITTED.items():
        if words in said:
            return NotAdmitted(f"The ledger at {where!r} was not opened: {said}.", remedy=remedy)
    if "role" in said and "does not exist" in said:
        return NotAdmitted(
            f"The ledger at {where!r} was not opened: {said}.",
            remedy="Check the role's name in the URL (postgresql://ROLE@HOST/DATABASE).",
        )
    if "database" in said and "does not exist" in said:
        return NotAdmitted(
            f"The ledger at {where!r} was not opened: {said}.",
            remedy="Check the name, or let the server's owner create it: "
            f"CREATE DATABASE … ({_OPERATING} says how).",
        )
    if "too many" in said or "slots are reserved" in said:
        return DatabaseError(f"The ledger at {where!r} was not opened: {said}.", remedy=_MANY)
    return DatabaseError(f"The server of {where!r} was not reached: {said}.", remedy=_START)


def _last_line(message: str) -> str:
    """Return the reason that libpq gives, without what it tried and the hint below it."""
    first = message.strip().split("\n")[0]
    for before in ("failed: FATAL:", "failed:"):
        if before in first:
            first = first.rpartition(before)[2]
    return first.strip().rstrip(".")


def _refused(where: str, state: str, error: DBAPIError) -> DatabaseError | None:
    """Return what a server means by that code."""
    primary = getattr(getattr(error.orig, "diag", None), "message_primary", None) or error.orig
    if state == "42501":
        return NotAdmitted(
            f"The ledger at {where!r} does not let this role do that: {primary}.",
            remedy=f"Let its owner grant what is missing: {_OPERATING} lists it.",
        )
    if state == "55P03":
        return DatabaseError(
            f"The ledger at {where!r} could not be written to: somebody else has been writing for "
            "too long.",
            remedy="Nothing was written. Try again when they are done.",
        )
    if state == "25006":
        return DatabaseError(
            f"The ledger at {where!r} cannot be written to here: {primary}.",
            remedy="Nothing was written. Name the server that takes writes, not a copy of it.",
        )
    if state == "53300":
        return DatabaseError(f"The ledger at {where!r} was not opened: {primary}.", remedy=_MANY)
    # 08: the connection; 25P: an act that took too long; 53, 58: the machine; 57P: it is stopping.
    if state.startswith(("08", "25P", "53", "57P", "58")):
        return _unusable(where, primary)
    return None
