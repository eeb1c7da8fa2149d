"""The engine for a database URL: its driver, and how it connects. Nothing is opened here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import URL, Engine, create_engine
from sqlalchemy.exc import ArgumentError, NoSuchModuleError
from sqlalchemy.pool import NullPool

from forecasts.common.errors import NoLedger
from forecasts.common.extras import install_command
from forecasts.ledger import sqlite_file
from forecasts.ledger.urls import no_such_kind, read_url, seconds_to_wait, shown, unreadable

# Among an engine's options:
READ_ONLY = "ledger_read_only"
WAITS = "ledger_waits"  # seconds to wait for the turn


def engine_for(url: str, patience: float) -> Engine:
    """Return an engine for ``url``; NoLedger if the URL cannot be used.

    ``patience``: seconds to wait for others who use a file, unless the URL says how long.
    """
    parsed = read_url(url)
    waits = seconds_to_wait(parsed)
    try:
        engine = create_engine(
            parsed, **_connect_options(parsed, patience if waits is None else waits)
        )
    except ImportError:
        raise NoLedger(
            f"The database URL {shown(url)} cannot be used: its driver is not installed.",
            remedy=f"Install it with: {install_command('postgres')}",
        ) from None
    except NoSuchModuleError:  # sqlite+something
        raise no_such_kind(url) from None
    except ArgumentError:  # sqlite://something
        raise unreadable(url) from None
    if isinstance(engine.pool, NullPool):
        engine.update_execution_options(**{READ_ONLY: True})
    if waits is not None:
        engine.update_execution_options(**{WAITS: waits})
    return engine


def _connect_options(url: URL, patience: float) -> dict[str, Any]:
    if url.get_backend_name() == "sqlite":
        path = Path(url.database or "")
        if sqlite_file.why_read_only(path):
            # No connection is kept, since others may begin to write to the file.
            return {"creator": lambda: sqlite_file.read_only(path), "poolclass": NullPool}
        return {"creator": lambda: sqlite_file.connect(path, patience)}
    options = {"connect_timeout": 10, "application_name": "forecasts"}
    given = {name: value for name, value in options.items() if name not in url.query}
    return {"pool_pre_ping": True, "connect_args": given}
