"""Resolver kind ``question``: follows how another question of the ledger came out.

``same``: as that one. ``opposite``: no where it is yes, and yes where it is no. ``condition``: this
question only counts if that one comes out as ``when``; where it comes out otherwise this one is
annulled, and where it comes out so this resolver has nothing more to say. What was annulled there
is annulled here.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from forecasts.common.errors import BadInput, CannotTell
from forecasts.common.times import read_time
from forecasts.ledger.models import QuestionType
from forecasts.questions.outcomes import NOT_SCORED
from forecasts.resolution.resolvers import documents, protocol
from forecasts.resolution.resolvers.protocol import Asked, Fetch, Finding

# What ``fetch`` gives for another question: {"outcome": …, "known_at": …}, null while open.
ADDRESS = "question:"
_OPPOSITE = {"yes": "no", "no": "yes"}


class Settings(protocol.Settings):
    """Which question, and how this one hangs on it."""

    question: str = Field(min_length=1, description="the slug of the question that is followed")
    rule: Literal["same", "opposite", "condition"] = Field(
        default="same", description="how this question hangs on that one"
    )
    when: str | None = Field(
        default=None, description="with condition: the outcome by which this question counts"
    )


def fits(asked: Asked, settings: Settings) -> None:
    """Refuse a question that follows itself, and rules that lack what they need."""
    if settings.question == asked.slug:
        raise BadInput(f"{asked.slug!r} cannot follow itself.")
    if (settings.rule == "condition") != (settings.when is not None):
        raise BadInput(
            "The rule condition, and no other, says by which outcome the question counts.",
            remedy="Set when beside rule=condition, or leave it out.",
        )
    if settings.rule == "opposite" and asked.type != QuestionType.binary:
        raise BadInput(f"{asked.slug!r} is a {asked.type} question, which has no opposite.")


def look(asked: Asked, settings: Settings, now: datetime, fetch: Fetch) -> Finding | None:
    """Return the outcome that follows, None while the other question has none."""
    seen = fetch(ADDRESS + settings.question)
    answer = documents.json_of(seen)
    if answer is None:
        return None
    outcome, known_at = str(answer["outcome"]), read_time(answer["known_at"])
    note = f"{settings.question} came out as {outcome}"
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
            f"{settings.question} came out as {outcome}, which has no opposite.",
            remedy="Resolve by hand.",
        )
    return None if known_at > now else Finding(follows, known_at, note=note, seen=(seen,))
