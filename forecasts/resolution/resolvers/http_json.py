"""Resolver kind ``http_json``: one value of a JSON document, and what it means.

``outcome`` is the JMESPath to the value. ``outcomes`` says which value is which outcome,
``not_yet`` which ones mean that it is not known; a number can answer a numeric question as it
stands. A value that neither names, and none where one should be, is not taken for anything: a
document that changed its form needs a person.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from forecasts.common.errors import BadInput, CannotTell, LedgerError
from forecasts.common.times import read_time
from forecasts.ledger.models import QuestionType
from forecasts.resolution.resolvers import documents, protocol
from forecasts.resolution.resolvers.protocol import Asked, Fetch, Finding

JMESPath = Annotated[str, AfterValidator(documents.checked_path)]


class Settings(protocol.Settings):
    """Where the document is, where its answer stands, and what that means."""

    url: protocol.Source = Field(min_length=1, description="an https address, or a file")
    outcome: JMESPath = Field(description="JMESPath to the value that decides")
    outcomes: dict[str, str] = Field(
        default_factory=dict, description="the outcome that each value stands for"
    )
    not_yet: tuple[str, ...] = Field(default=(), description="values that mean: not known yet")
    known_at: JMESPath | None = Field(
        default=None, description="JMESPath to when it became known; else the moment of the run"
    )


def fits(asked: Asked, settings: Settings) -> None:
    """Refuse outcomes that the question cannot have, and values that have no one meaning."""
    if not settings.outcomes and asked.type != QuestionType.numeric:
        raise BadInput(
            f"{asked.slug!r} is a {asked.type} question, and no value stands for any outcome.",
            remedy="Say in outcomes which value means what.",
        )
    for value, outcome in settings.outcomes.items():
        if value in settings.not_yet:
            raise BadInput(
                f"{value!r} stands for {outcome!r}, and means that it is not known yet.",
                remedy="Name it in outcomes or in not_yet.",
            )
        asked.require_outcome(outcome)


def look(asked: Asked, settings: Settings, now: datetime, fetch: Fetch) -> Finding | None:
    """Return what the document says, None while it says that it is not known yet."""
    seen = fetch(settings.url)
    document = documents.json_of(seen)
    value = documents.picked(document, settings.outcome, seen)
    word = value if isinstance(value, str) else json.dumps(value)
    if word in settings.not_yet:
        return None
    outcome = settings.outcomes.get(word)
    if outcome is None and not settings.outcomes and _is_number(value):
        outcome = repr(value)
    if outcome is None:
        raise CannotTell(
            f"At {settings.outcome!r} of {seen.address} stands {word[:80]}, which means nothing to "
            f"{asked.slug!r}.",
            remedy="Name it in outcomes or not_yet if it means something; else resolve by hand.",
        )
    known_at = now
    if settings.known_at is not None:
        said = documents.picked(document, settings.known_at, seen)
        try:
            known_at = read_time(said) if isinstance(said, str) else read_time(json.dumps(said))
        except LedgerError as error:
            raise documents.changed(
                f"At {settings.known_at!r} of {seen.address}: {error.message}"
            ) from None
    if known_at > now:
        return None
    note = f"{settings.outcome} is {word[:200]}"
    return Finding(outcome, known_at, seen.address, note, (seen,))


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
