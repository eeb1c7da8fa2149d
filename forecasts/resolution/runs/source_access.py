"""Which sources a resolver may read: files, pages, and questions its owner may see."""

from __future__ import annotations

from collections.abc import Callable
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
from forecasts.resolution.resolvers.protocol import Fetch, Seen
from forecasts.resolution.resolvers.question import ADDRESS
from forecasts.resolution.resolvers.sources import Sources

FetchOf = Callable[[Resolver], Fetch]


class SourceAccess:
    """Call it with a resolver for the function that reads the resolver's sources in this run."""

    def __init__(self, engine: Engine, now: datetime, *, allow_private: bool) -> None:
        self._engine, self._now, self._allow_private = engine, now, allow_private

    def __call__(self, resolver: Resolver) -> Fetch:
        """Return the ``fetch`` of the resolver; each address is read once in a run."""

        def fetch(address: str) -> Seen:
            if address.startswith(ADDRESS):
                # NotFound for a question that the resolver's owner may not see.
                with reading(self._engine) as session:
                    owner = session.get(Member, resolver.member_id or 0)
                    read_as(session, owner, now=self._now)
                    find(session, address.removeprefix(ADDRESS))
            return self._sources(address)

        return fetch

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
        return resolution.outcome, resolution.known_at or resolution.recorded_at
