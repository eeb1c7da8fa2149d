"""A question to look up, and a world that holds what a test puts into it."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from forecasts.common.errors import BadInput
from forecasts.ledger.models import QuestionType
from forecasts.resolution.resolvers.kinds import kind
from forecasts.resolution.resolvers.protocol import Asked, Finding, Seen

OPEN = datetime(2026, 1, 1, tzinfo=UTC)
CLOSE = datetime(2026, 1, 31, 23, 59, 59, tzinfo=UTC)


def at(day: int, hour: int = 0, month: int = 1) -> datetime:
    return datetime(2026, month, day, hour, tzinfo=UTC)


def question(type_: str = "binary", **fields: Any) -> Asked:
    return Asked(
        **{
            "slug": "rain",
            "title": "Will it rain?",
            "type": QuestionType(type_),
            "open_time": OPEN,
            "close_time": CLOSE,
            "scheduled_close_time": CLOSE,
        }
        | fields
    )


class World:
    """Gives what stands in it, by address; and says what was asked for."""

    def __init__(self, now: datetime, **contents: str | bytes) -> None:
        self.now = now
        self.contents = contents

    def __call__(self, address: str) -> Seen:
        if address not in self.contents:
            raise BadInput(f"The file {address!r} cannot be read.")
        content = self.contents[address]
        return Seen(address, content.encode() if isinstance(content, str) else content, self.now)


def look(
    name: str,
    settings: dict[str, Any],
    now: datetime,
    asked: Asked | None = None,
    **contents: str | bytes,
) -> Finding | None:
    """Return what a kind finds, its settings checked and stored as they would be."""
    asked = question() if asked is None else asked
    the_kind = kind(name)
    stored = the_kind.check(name, settings, asked)
    return the_kind.look(asked, the_kind.read(name, stored), now, World(now, **contents))


def outcome(finding: Finding | None) -> tuple[str, datetime] | None:
    return None if finding is None else (finding.outcome, finding.known_at)


def wait_until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < end
        os.sched_yield()


def is_gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True
