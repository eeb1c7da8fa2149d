"""Resolver kind ``question``: follow the outcome of another question of the ledger.

``same``: the same outcome. ``opposite``: no for yes, and yes for no. ``condition``: this question
is annulled unless the other has the outcome ``when``; if it has, this resolver finds nothing.
If the other question is annulled, so is this one.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from forecasts.common.errors import BadInput, CannotTell
from forecasts.common.times import read_time
from forecasts.common.vocabulary import QuestionType
from forecasts.resolution.resolvers import parsing, protocol
from forecasts.resolution.resolvers.protocol import Asked, Fetch, Finding, Kind
from forecasts.values.outcomes import NOT_SCORED

# ``fetch`` returns {"outcome": …, "known_at": …} for another question, null while it has none.
ADDRESS = "question:"
_OPPOSITE = {"yes": "no", "no": "yes"}


class Settings(protocol.Settings):
    """Another question, and the rule by which this one follows it."""

    question: str = Field(min_length=1, description="the slug of the question to follow")
    rule: Literal["same", "opposite", "condition"] = Field(
        default="same", description="how this question follows that one"
    )
    when: str | None = Field(
        default=None, description="for condition: this question counts if that one has this outcome"
    )


def fits(asked: Asked, settings: Settings) -> None:
    """Refuse a question that follows itself, and an incomplete or unsuitable rule."""
    if settings.question == asked.slug:
        raise BadInput(f"{asked.slug!r} cannot follow itself.")
    if (settings.rule == "condition") != (settings.when is not None):
        raise BadInput(
            "The rule condition needs the setting when, and no other rule has it.",
            remedy="Set when together with rule=condition, or leave it out.",
        )
    if settings.rule == "opposite" and asked.type != QuestionType.binary:
        raise BadInput(f"{asked.slug!r} is a {asked.type} question, which has no opposite.")


def look(asked: Asked, settings: Settings, now: datetime, fetch: Fetch) -> Finding | None:
    """Return the outcome that follows, None while the other question has no outcome."""
    seen = fetch(ADDRESS + settings.question)
    answer = parsing.json_of(seen)
    if answer is None:
        return None
    outcome, known_at = str(answer["outcome"]), read_time(answer["known_at"])
    note = f"{settings.question} resolved to {outcome}"
    if outcome in NOT_SCORED:
        follows = "annulled"
    elif settings.rule == "condition":
        if outcome == settings.when:
            return None
        follows = "annulled"
    elif settings.rule == "same":
        follows = outcome
    elif outcome in _OPPOSITE:
        follows = _OPPOSITE[outcome]
    else:
        raise CannotTell(
            f"{settings.question} resolved to {outcome}, which has no opposite.",
            remedy="Resolve by hand.",
        )
    return None if known_at > now else Finding(follows, known_at, note=note, seen=(seen,))


KIND = Kind(Settings, look, reads=False, fits=fits)
