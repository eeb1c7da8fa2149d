"""A ledger with an article, the one who asks, and a model's endpoint on this machine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlmodel import Session

from forecasts.access import visibility
from forecasts.access.members import member_or_new
from forecasts.articles import library
from forecasts.ledger import clock, database
from forecasts.ledger.models import Member
from forecasts.proposals import calls
from forecasts.proposals.endpoint import Endpoint
from forecasts.proposals.kinds import Wanted
from forecasts.reading.article import CapturedArticle
from tests.conftest import day
from tests.proposals.stub import Stub, running

TEXT = (
    "The council of Brenholt met on Monday to talk about the ferry.\n\n"
    "The council will decide by the end of March 2026 whether the ferry is replaced by a bridge. "
    "The yard expects to repair the second engine before the summer."
)
FERRY: dict[str, Any] = {
    "title": "Will the council of Brenholt decide to replace the ferry by 31 March 2026?",
    "type": "binary",
    "options": [],
    "lower_bound": "",
    "upper_bound": "",
    "unit": "",
    "criteria": "Yes if the council votes for a bridge by 31 March 2026. Otherwise no.",
    "source": "The minutes of the council",
    "edge_cases": "A vote to study a bridge does not count.",
    "close": "2026-03-31",
    "quotation": "The council will decide by the end of March 2026 whether the ferry is replaced "
    "by a bridge.",
}
NOW = day(4)


@pytest.fixture
def stub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stub]:
    with running(monkeypatch) as one:
        yield one


@dataclass
class Desk:
    """A ledger, and alice at it."""

    engine: Engine
    article: int
    handle: str = "alice"
    now: datetime = NOW

    @contextmanager
    def acting(self) -> Iterator[tuple[Session, Member, datetime]]:
        with database.writing(self.engine) as session:
            member = member_or_new(session, self.handle, now=self.now)
            visibility.read_as(session, member, now=self.now)
            yield session, member, self.now

    @contextmanager
    def turn(self) -> Iterator[Session]:
        with database.writing(self.engine) as session:
            session.info[clock.TIME] = self.now
            yield session

    def asks(self, endpoint: Endpoint, wanted: Wanted) -> calls.Asked:
        return calls.ask_model(self.acting, self.turn, endpoint, wanted)

    def ask(self, stub: Stub, article: int | None = None, **settings: Any) -> calls.Asked:
        """Return the proposals of the stub for the article."""
        wanted = Wanted("questions", article=article or self.article)
        return self.asks(stub.endpoint(**settings), wanted)

    def capture(self, text: str, *, captured_at: datetime | None = None, **fields: Any) -> int:
        """Return the number of a new article."""
        one = {"title": "The ferry", "publisher": "The Coast Courier", "author": None}
        read = CapturedArticle(**one | {"published_at": NOW, "url": None, "text": text} | fields)
        with self.acting() as (session, member, now):
            [(article, _)] = library.store(
                session, [read], member=member, captured_at=captured_at or now
            )
            return article.id


@pytest.fixture
def desk(engine: Engine) -> Desk:
    made = Desk(engine, 0)
    made.article = made.capture(TEXT)
    return made
