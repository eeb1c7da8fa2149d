"""What the tests of MCP share: the tools for a member of a ledger, whose time the test sets."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime

import pytest
from sqlalchemy import Engine

from forecasts.access import visibility
from forecasts.access.members import find_member, member_or_new
from forecasts.api.door import Here
from forecasts.api.mcp.acting import Acting
from forecasts.api.mcp.reading import Reading
from forecasts.ledger import database
from tests.conftest import day


@dataclass
class Ledger:
    """A ledger, and the tools of each of its members."""

    engine: Engine
    now: datetime = field(default_factory=lambda: day(1))

    def reads(self, handle: str) -> Reading:
        return Reading(lambda: Way(self, handle))

    def acts(self, handle: str) -> Acting:
        return Acting(lambda: Way(self, handle))


@dataclass(frozen=True)
class Way:
    """A member's way to the ledger."""

    ledger: Ledger
    handle: str

    @contextmanager
    def reading(self) -> Iterator[Here]:
        with database.reading(self.ledger.engine) as session:
            who = find_member(session, self.handle)
            visibility.read_as(session, who, now=self.ledger.now)
            yield Here(session, who, self.ledger.now)

    @contextmanager
    def acting(self) -> Iterator[Here]:
        with database.writing(self.ledger.engine) as session:
            who = member_or_new(session, self.handle, now=self.ledger.now)
            visibility.read_as(session, who, now=self.ledger.now)
            yield Here(session, who, self.ledger.now)


@pytest.fixture
def ledger(engine: Engine) -> Ledger:
    return Ledger(engine)
