"""Links between questions, in the platform's shape: one makes another more or less likely.

``causes`` is a link in positive direction. The ledger has no kind for its opposite; the closest is
``excludes``, which has no order: the reason says it. No strength of the platform is certain: that
would forbid forecasts.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from forecasts.api.metaculus.requests import Moment, Number
from forecasts.ledger.models import LinkKind, LinkStrength
from forecasts.questions.links import Link
from forecasts.questions.standing import QuestionState

STRENGTHS = {1: LinkStrength.weak, 2: LinkStrength.moderate, 5: LinkStrength.strong}
_NUMBERS = {strength: number for number, strength in STRENGTHS.items()} | {LinkStrength.certain: 5}


class NewLink(BaseModel):
    """A link between two questions; ``direction``: whether it raises or lowers the second."""

    model_config = ConfigDict(extra="forbid")

    question1_id: Number
    question2_id: Number
    direction: Literal[1, -1]
    strength: Literal[1, 2, 5]
    type: Literal["causal"]


class Since(BaseModel):
    """The request for linked questions; ``user_id_for_links``: only links by this member."""

    datetime: Moment = None
    user_id_for_links: Number | None = None


def kind(asked: NewLink) -> LinkKind:
    """Return the ledger's kind of the link."""
    return LinkKind.causes if asked.direction == 1 else LinkKind.excludes


def reason(one: QuestionState, other: QuestionState, direction: int) -> str:
    """Return the link in words."""
    return f"{one.slug} makes {other.slug} {'more' if direction == 1 else 'less'} likely."


def shape(link: Link) -> dict[str, Any]:
    """Return the link with the numbers of its questions, in the order in which it was sent."""
    one, other = link.one, link.other
    if link.row.reason == reason(other, one, -1):
        one, other = other, one
    return {
        "id": link.row.id,
        "question1_id": one.id,
        "question2_id": other.id,
        "direction": -1 if link.row.kind == LinkKind.excludes else 1,
        "strength": _NUMBERS[link.row.strength],
        "type": "causal",
    }
