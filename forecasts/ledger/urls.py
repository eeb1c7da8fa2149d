"""Database URLs: reading them, and showing them without secrets."""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path

from sqlalchemy import URL, Connection, Engine, make_url
from sqlalchemy.exc import ArgumentError

from forecasts.common.errors import NoLedger

# The password in a URL, between the user name and the host, even with an unquoted @ in it.
_PASSWORD = re.compile(r"(?<=://)([^:@/]*):[^/]*@")
_TIMEOUT = "timeout"  # for which a ledger in a file is waited for, in seconds
_PUBLIC_OPTIONS = {"host", "port", "dbname", "sslmode", "application_name", "connect_timeout"}
_LONGEST_TIMEOUT = 86_400
EXAMPLES = (
    "Name an SQLite file, or a URL such as sqlite:////home/me/ledger.sqlite3 or "
    "postgresql://me@host/forecasts."
)


def read_url(url: str) -> URL:
    """Return the URL with our driver; NoLedger if it names no kind of ledger."""
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        raise unreadable(url) from None
    if "@" in (parsed.host or ""):  # one in the password that is not written as %40
        raise unreadable(url)
    kind = parsed.get_backend_name()
    if kind in ("postgres", "postgresql"):
        return parsed.set(drivername="postgresql+psycopg")
    if kind != "sqlite":
        raise no_such_kind(url)
    if unknown := parsed.query.keys() - {_TIMEOUT, "uri"}:
        raise NoLedger(
            f"The database URL {shown(url)} has an option that a ledger in a file does not take: "
            f"{', '.join(sorted(unknown))}.",
            remedy="Leave it out. The only option is timeout, in seconds: "
            "sqlite:////home/me/ledger.sqlite3?timeout=30",
        )
    seconds_to_wait(parsed)
    return parsed


def seconds_to_wait(url: URL) -> float | None:
    """Return the option ``timeout`` of an SQLite ledger's URL; None if it has none."""
    given = url.query.get(_TIMEOUT) if url.get_backend_name() == "sqlite" else None
    if given is None:
        return None
    with suppress(TypeError, ValueError):  # given twice, or not a number
        if 0 <= (seconds := float(given)) <= _LONGEST_TIMEOUT:  # type: ignore[arg-type]
            return seconds
    raise NoLedger(
        f"The option timeout={given} of the database URL is not a number of seconds from 0 to "
        f"{_LONGEST_TIMEOUT:,}.",
        remedy="Write it in digits, such as ?timeout=30, or leave it out for 10 seconds.",
    )


def unreadable(url: str) -> NoLedger:
    """Return the error for an unreadable URL."""
    return NoLedger(
        f"The database URL {shown(url)} cannot be read.",
        remedy=f"{EXAMPLES} In a password write @ as %40, : as %3A, / as %2F, % as %25.",
    )


def no_such_kind(url: str) -> NoLedger:
    """Return the error for a database that cannot hold a ledger."""
    return NoLedger(
        f"The database URL {shown(url)} cannot be used: a ledger is in SQLite or PostgreSQL.",
        remedy=EXAMPLES,
    )


def is_embedded(engine: Engine | Connection) -> bool:
    """Return whether the ledger is in a file or in memory, not on a server."""
    return engine.dialect.name == "sqlite"


def sqlite_path(engine: Engine) -> Path | None:
    """Return an SQLite ledger's file; None for one in memory or on a server."""
    return named_file(engine.url)


def named_file(url: URL) -> Path | None:
    """Return the file of an SQLite ledger's URL; None if it names none."""
    name = url.database
    in_memory = name in (None, "", ":memory:") or "uri" in url.query
    return None if url.get_backend_name() != "sqlite" or in_memory else Path(str(name))


def place(engine: Engine) -> str:
    """Return the ledger's file, or its URL without secrets, to be shown."""
    path = sqlite_path(engine)
    return _without_secrets(engine.url) if path is None else str(path)


def address(engine: Engine) -> str:
    """Return the ledger's absolute path, or its server and database: no role and no secrets."""
    path = sqlite_path(engine)
    if path is not None:
        return str(path.resolve())
    return _without_secrets(engine.url._replace(username=None))


def _without_secrets(url: URL) -> str:
    """Return the URL to be shown, without the options that may be secret."""
    query = {name: url.query[name] for name in ("host", _TIMEOUT) if name in url.query}
    public = url.set(drivername=url.get_backend_name(), query=query)._replace(password=None)
    return public.render_as_string()


def holds_secrets(url: str) -> bool:
    """Return whether a URL has a password or an option that is not shown."""
    parsed = read_url(url)
    whole = parsed.set(drivername=parsed.get_backend_name())
    return _without_secrets(parsed) != whole.render_as_string(hide_password=False)


def to_type_again(url: str) -> str:
    """Return a ledger's path or URL for a command, with PASSWORD for each secret part of it.

    >>> to_type_again("postgresql://me:s3cret@host/x?sslmode=require&sslpassword=y")
    'postgresql://me:PASSWORD@host/x?sslmode=require&sslpassword=PASSWORD'
    >>> to_type_again("my ledger.sqlite3"), to_type_again("postgresql://me:a/b@host/x")
    ('my ledger.sqlite3', 'postgresql://me:PASSWORD@host/x')
    """
    if "://" not in url:
        return url
    try:
        parsed = make_url(_PASSWORD.sub(r"\1:PASSWORD@", url))
    except (ArgumentError, ValueError):
        return "URL"
    if "@" in (parsed.host or ""):  # part of a password
        return "URL"
    if parsed.password is not None:
        parsed = parsed.set(password="PASSWORD")  # noqa: S106 - instead of one
    for name in parsed.query.keys() - _PUBLIC_OPTIONS - {_TIMEOUT}:
        parsed = parsed.update_query_dict({name: "PASSWORD"})
    return parsed.render_as_string(hide_password=False)


def shown(url: str) -> str:
    """Return a URL without secrets, even an unreadable one."""
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        return "that was given"
    # An unquoted @ in the host means that part of a password is in it.
    return "that was given" if "@" in (parsed.host or "") else repr(_without_secrets(parsed))
