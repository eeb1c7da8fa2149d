"""A run of the resolvers that kills itself; its process loads nothing that only tests need."""

from __future__ import annotations

import os
import signal
from datetime import datetime

from sqlalchemy import event

from forecasts.ledger import database
from forecasts.resolution.runs.run import run


def run_once(url: str, now: datetime, killed_at: int) -> None:
    """Run the resolvers; the process kills itself at that statement that writes."""
    engine, statements = database.open_engine(url), 0

    @event.listens_for(engine, "before_cursor_execute")
    def _count(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        nonlocal statements
        statements += statement.startswith(("INSERT", "UPDATE"))
        if statements == killed_at:
            os.kill(os.getpid(), signal.SIGKILL)

    run(engine, now=now)
    engine.dispose()
