"""A run's access to sources: the files, pages and questions that a resolver may read."""

from __future__ import annotations

from datetime import datetime
from functools import cached_property

from sqlalchemy import Engine

from forecasts.access.roles import is_shared_ledger
from forecasts.access.visibility import read_as
from forecasts.ledger.database import reading
from forecasts.ledger.models import Member, Resolver
from forecasts.questions import finality
from forecasts.questions.registry import find
from forecasts.questions.standing import current_state
from forecasts.resolution.resolvers.protocol import Seen
from forecasts.resolution.resolvers.question import ADDRESS
from forecasts.resolution.resolvers.sources import Sources
from forecasts.resolution.resolvers.worker import Worker


class SourceAccess:
    """The sources of a run, each read once, and the ``worker`` that parses them until the end."""

    def __init__(self, engine: Engine, now: datetime, *, allow_private: bool) -> None:
        self._engine, self._now, self._allow_private = engine, now, allow_private
        self.worker = Worker()

    def close(self) -> None:
        """End the worker."""
        self.worker.close()

    def fetch(self, resolver: Resolver, address: str) -> Seen:
        """Return the document at the address; NotFound for a question hidden from the owner."""
        if address.startswith(ADDRESS):
            with reading(self._engine) as session:
                owner = session.get(Member, resolver.member_id or 0)
                read_as(session, owner, now=self._now)
                find(session, address.removeprefix(ADDRESS))
        return self._sources(address)

    @cached_property
    def _sources(self) -> Sources:
        with reading(self._engine) as session:
            shared = is_shared_ledger(session)
        return Sources(self._now, self._answer, shared=shared, allow_private=self._allow_private)

    def _answer(self, slug: str) -> tuple[str, datetime] | None:
        """Return a question's outcome and when it became known; None while it is not final."""
        with reading(self._engine) as session:
            question = find(session, slug)
            resolution = current_state(session, question, now=self._now).resolution
            provisional = finality.provisional_outcome(session, question, now=self._now)
        if resolution is None or provisional is not None:
            return None
        return resolution.outcome, resolution.known_at or resolution.written_at
