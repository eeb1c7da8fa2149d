"""Resolver kind ``http_json``: read the outcome from one value of a JSON document.

``outcome`` is the JMESPath to the value. ``outcomes`` maps values to outcomes, and ``not_yet``
lists the values that mean "not known yet"; a number can answer a numeric question without a map.
Any other value, or a missing one, needs a person: the document may have changed its form.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator, Field

from forecasts.common.errors import BadInput, CannotTell, LedgerError
from forecasts.common.times import read_time
from forecasts.common.vocabulary import QuestionType
from forecasts.resolution.resolvers import parsing, protocol
from forecasts.resolution.resolvers.protocol import Asked, Fetch, Finding, Kind

JMESPath = Annotated[str, AfterValidator(parsing.checked_path)]


class Settings(protocol.Settings):
    """A JSON document, the value that decides, and the outcome of each value."""

    url: protocol.Source = Field(min_length=1, description="an https address, or a file")
    outcome: JMESPath = Field(description="JMESPath to the value that decides")
    outcomes: dict[str, str] = Field(default_factory=dict, description="the outcome of each value")
    not_yet: tuple[str, ...] = Field(default=(), description="the values that mean: not known yet")
    known_at: JMESPath | None = Field(
        default=None,
        description="JMESPath to the time when it became known; default: the time of the run",
    )


def fits(asked: Asked, settings: Settings) -> None:
    """Refuse outcomes that the question cannot have, and ambiguous values."""
    if not settings.outcomes and asked.type != QuestionType.numeric:
        raise BadInput(
            f"{asked.slug!r} is a {asked.type} question, so its outcomes need a value each.",
            remedy="Map each value to its outcome in outcomes.",
        )
    for value, outcome in settings.outcomes.items():
        if value in settings.not_yet:
            raise BadInput(
                f"{value!r} means both {outcome!r} and not known yet.",
                remedy="List it either in outcomes or in not_yet.",
            )
        asked.require_outcome(outcome)


def look(asked: Asked, settings: Settings, now: datetime, fetch: Fetch) -> Finding | None:
    """Return the outcome in the document, None while it is not known yet."""
    seen = fetch(settings.url)
    document = parsing.json_of(seen)
    value = parsing.select(document, settings.outcome, seen)
    word = value if isinstance(value, str) else json.dumps(value)
    if word in settings.not_yet:
        return None
    outcome = settings.outcomes.get(word)
    if not settings.outcomes and isinstance(value, (int, float)) and not isinstance(value, bool):
        outcome = repr(value)
    if outcome is None:
        raise CannotTell(
            f"The value of {settings.outcome!r} in {seen.address} is {word[:80]}, which has no "
            f"meaning for {asked.slug!r}.",
            remedy="Add it to outcomes or not_yet, or resolve by hand.",
        )
    known_at = now
    if settings.known_at is not None:
        time = parsing.select(document, settings.known_at, seen)
        try:
            known_at = read_time(time if isinstance(time, str) else json.dumps(time))
        except LedgerError as error:
            raise parsing.changed(
                f"The value of {settings.known_at!r} in {seen.address}: {error.message}"
            ) from None
    if known_at > now:
        return None
    note = f"{settings.outcome} is {word[:200]}"
    return Finding(outcome, known_at, seen.address, note, (seen,))


KIND = Kind(Settings, look, measured=True, fits=fits)
