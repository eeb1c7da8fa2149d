"""Where a ledger is: how its URL is read, and how it is shown without what is secret in it."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import URL, Engine, make_url
from sqlalchemy.exc import ArgumentError

from forecasts.common.errors import NoLedger

EXAMPLES = (
    "Name an SQLite file, or a URL such as sqlite:////home/me/ledger.sqlite3 or "
    "postgresql://me@host/forecasts."
)


def read_url(url: str) -> URL:
    """Return the URL with the driver that is used; NoLedger where it names no kind of ledger."""
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
    return parsed


def unreadable(url: str) -> NoLedger:
    """Return the error that says that the URL says nothing."""
    return NoLedger(
        f"The database URL {shown(url)} cannot be used: it cannot be read.",
        remedy=f"{EXAMPLES} The signs @ : / and % in a password are written %40 %3A %2F %25.",
    )


def no_such_kind(url: str) -> NoLedger:
    """Return the error that says that no ledger is kept in such a database."""
    return NoLedger(
        f"The database URL {shown(url)} cannot be used: there is no such kind of database.",
        remedy=EXAMPLES,
    )


def is_embedded(engine: Engine) -> bool:
    """Return whether the ledger is one of this machine's own, and not on a server."""
    return engine.dialect.name == "sqlite"


def sqlite_path(engine: Engine) -> Path | None:
    """Return the file of an SQLite ledger; None for one in memory or on a server."""
    name = engine.url.database
    in_memory = name in (None, "", ":memory:") or "uri" in engine.url.query
    return None if not is_embedded(engine) or in_memory else Path(str(name))


def place(engine: Engine) -> str:
    """Return where the ledger is, to be shown: its file, or its URL without what is secret."""
    path = sqlite_path(engine)
    return _without_secrets(engine.url) if path is None else str(path)


def _without_secrets(url: URL) -> str:
    """Return the URL to be shown; of its options the host alone, since others can hold secrets."""
    host = {"host": url.query["host"]} if "host" in url.query else {}
    public = url.set(drivername=url.get_backend_name(), query=host)._replace(password=None)
    return public.render_as_string()


def holds_secrets(url: str) -> bool:
    """Return whether a URL has anything in it that is not shown: a password, or an option."""
    parsed = read_url(url)
    whole = parsed.set(drivername=parsed.get_backend_name())
    return _without_secrets(parsed) != whole.render_as_string(hide_password=False)


def shown(url: str) -> str:
    """Return a URL, even one that cannot be read, without what is secret in it."""
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        return "that was given"
    # What stands before an @ that was not meant as one is part of a password.
    return "that was given" if "@" in (parsed.host or "") else repr(_without_secrets(parsed))
