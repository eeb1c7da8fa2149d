"""Implications of forecasts on a question and on its conditionals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import isclose

from sqlmodel import Session

from forecasts.common.vocabulary import QuestionType
from forecasts.ledger.models import Forecast, Member
from forecasts.questions.conditions import Branch, branches_of, child_title
from forecasts.questions.standing import QuestionState
from forecasts.updates.updates import current_forecasts
from forecasts.values.outline import HasOutline
from forecasts.values.value import Value, value_of
from forecasts.values.worlds import Part, probability


@dataclass(frozen=True)
class Implied:
    """The probabilities that follow from forecasts on a question and on its conditional.

    ``title``: of the conditional, without its condition. ``both``: by the parent's outcome, that it
    and the conditional come true. ``total``: that the conditional does, None unless the outcomes
    are all that the parent can have.
    """

    title: str
    both: Mapping[str, float]
    total: float | None


def imply(title: str, weights: Mapping[str, float], given: Mapping[str, float]) -> Implied:
    """Return the implications of the probabilities of outcomes, and of those under each.

    >>> found = imply("Will tariffs fall?", {"yes": 0.4, "no": 0.6}, {"yes": 0.5, "no": 0.1})
    >>> round(found.total, 3), {outcome: round(p, 3) for outcome, p in found.both.items()}
    (0.26, {'yes': 0.2, 'no': 0.06})
    """
    both = {outcome: weights[outcome] * p for outcome, p in given.items() if outcome in weights}
    is_whole = isclose(sum(weights[outcome] for outcome in both), 1.0, abs_tol=1e-6)
    return Implied(title, both, sum(both.values()) if is_whole else None)


def weight(value: Value, outcome: str, outline: HasOutline) -> float:
    """Return the probability that a forecast gives to an outcome named by a condition."""
    p = probability(value, Part("", outcome), outline)
    return 1 - p if outline.type == QuestionType.binary and outcome == "no" else p


def implied(
    session: Session, parent: QuestionState, *, member: Member, now: datetime
) -> list[Implied]:
    """Return the implications of the member's forecasts on a question and its branches."""
    found = branches_of(session, parent.question, now=now)
    said = current_forecasts(session, member, at=now) if found else {}
    return implied_by(parent, found, said)


def implied_by(
    parent: QuestionState, found: Sequence[Branch], said: Mapping[int, Forecast]
) -> list[Implied]:
    """Return the implications of forecasts, by question id, on a question and its branches."""
    if parent.id not in said:
        return []
    own = value_of(said[parent.id])
    together: dict[str, list[Branch]] = {}
    for branch in found:
        together.setdefault(child_title(branch), []).append(branch)
    return [
        imply(title, {one.outcome: weight(own, one.outcome, parent.text) for one in some}, given)
        for title, some in together.items()
        if (given := _given(some, said))
    ]


def _given(branches: Sequence[Branch], said: Mapping[int, Forecast]) -> dict[str, float]:
    values = {
        one.outcome: value_of(said[one.state.id]).probability
        for one in branches
        if one.state.id in said
    }
    return {outcome: p for outcome, p in values.items() if p is not None}
