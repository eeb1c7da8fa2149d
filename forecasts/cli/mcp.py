"""The command mcp: the ledger for a language model on this machine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from forecasts.cli.options import Database, Member
from forecasts.cli.root import app
from forecasts.cli.session import acting, ledger, reading_as, settings
from forecasts.common.errors import BadInput

if TYPE_CHECKING:
    from sqlalchemy import Engine
    from sqlmodel import Session

    from forecasts.ledger.models import Member as LedgerMember


@app.command()
def mcp(database: Database = None, member: Member = None) -> None:
    """Serve the ledger to a language model on this machine.

    An MCP client starts this command itself; docs/mcp.md has the lines for its configuration.
    """
    try:
        from forecasts.api.mcp.server import build
    except ImportError:
        raise BadInput(
            "The MCP server needs libraries that are not installed.",
            remedy='Install them: pip install "forecast-ledger[api]"',
        ) from None
    chosen = settings(database, member)
    door = _Own(database, member, ledger(chosen, begin=True))
    build(lambda: door, allow_private=chosen.allow_private_addresses).run("stdio")


@dataclass(frozen=True)
class _Here:
    """The ledger at one moment, for the member."""

    session: Session
    member: LedgerMember | None
    now: datetime


@dataclass(frozen=True)
class _Own:
    """The way to the ledger for the member who started the command."""

    database: str | None
    handle: str | None
    engine: Engine

    @contextmanager
    def reading(self) -> Iterator[_Here]:
        with reading_as(self.database, self.handle, engine=self.engine) as here:
            yield _Here(*here)

    @contextmanager
    def acting(self) -> Iterator[_Here]:
        with acting(self.database, self.handle, engine=self.engine) as here:
            yield _Here(*here)
