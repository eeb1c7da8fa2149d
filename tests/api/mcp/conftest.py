"""What the tests of MCP share: the tools for a member of a ledger, whose time the test sets."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import Engine

from forecasts.access import visibility
from forecasts.access.members import find_member, member_or_new
from forecasts.api.door import Door, Here
from forecasts.api.mcp import tools
from forecasts.api.mcp.server import SERVED
from forecasts.ledger import database
from tests.conftest import day


@dataclass(frozen=True)
class Tools:
    """The tools on a way to the ledger, each under its name."""

    way: Door

    def __getattr__(self, name: str) -> Callable[..., str]:
        ways = {verb.__name__: way for verb, _, _, way, _ in SERVED}

        def call(*arguments: Any, **named: Any) -> str:
            with ways.get(name, ways["read_question"])(self.way) as here:
                said: str = getattr(tools, name)(here, *arguments, **named)
                return said

        return call


@dataclass
class Ledger:
    """A ledger, and the tools of each of its members."""

    engine: Engine
    now: datetime = field(default_factory=lambda: day(1))

    def tools(self, handle: str) -> Tools:
        return Tools(Way(self, handle))


@dataclass(frozen=True)
class Way:
    """A member's way to the ledger."""

    ledger: Ledger
    handle: str
    allow_private: bool = False

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
