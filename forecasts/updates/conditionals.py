"""A conditional asked and forecast in one act, and all that its forecasts imply together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import isclose

from sqlmodel import Session

from forecasts.common.vocabulary import QuestionType
from forecasts.ledger.models import Forecast, Member, Question, QuestionText
from forecasts.questions.conditions import Branch, branches_of, register_conditional
from forecasts.questions.standing import QuestionState
from forecasts.updates.ask import kept_to_author, needs_criteria
from forecasts.updates.updates import NewForecast, current_forecasts, update_all
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


@dataclass(frozen=True)
class AskedConditional:
    """The branches as registered, in order. ``kept_private``: as in ``ask.Asked``."""

    branches: list[Branch]
    kept_private: bool


def ask_conditional(
    session: Session,
    parent: Question,
    text: QuestionText,
    values: Mapping[str, Value | None],
    *,
    member: Member,
    now: datetime,
    audience_chosen: bool = False,
    origin: str = "cli",
) -> AskedConditional:
    """Return the branches of a question under these outcomes of another, which are written.

    ``values``: the forecasts by outcome, None without one. Visible as in ``ask``. Errors as in
    ``register_conditional`` and ``update_all``.
    """
    kept_private = not audience_chosen and needs_criteria(session, text)
    if kept_private:
        text = kept_to_author(text)
    branches = register_conditional(session, parent, text, list(values), member=member, now=now)
    new = [
        NewForecast(branch.state.question, value)
        for branch, value in zip(branches, values.values(), strict=True)
        if value is not None
    ]
    update_all(session, new, member=member, now=now, origin=origin)
    return AskedConditional(branches, kept_private)


def imply(title: str, weights: Mapping[str, float], given: Mapping[str, float]) -> Implied:
    """Return what follows from the probabilities of outcomes, and those under each of them.

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
    """Return what the member's forecasts on a question and its yes-or-no branches imply."""
    found = branches_of(session, parent.question, now=now)
    said = current_forecasts(session, member, at=now) if found else {}
    if parent.id not in said:
        return []
    own = value_of(said[parent.id])
    together: dict[str, list[Branch]] = {}
    for branch in found:
        together.setdefault(asked_title(branch), []).append(branch)
    return [
        imply(title, {one.outcome: weight(own, one.outcome, parent.text) for one in some}, given)
        for title, some in together.items()
        if (given := _given(some, said))
    ]


def asked_title(branch: Branch) -> str:
    """Return the title of a branch without its condition."""
    return branch.state.text.title.partition(f"” is {branch.outcome}: ")[2] or (
        branch.state.text.title
    )


def _given(branches: Sequence[Branch], said: Mapping[int, Forecast]) -> dict[str, float]:
    values = {
        one.outcome: value_of(said[one.state.id]).probability
        for one in branches
        if one.state.id in said
    }
    return {outcome: p for outcome, p in values.items() if p is not None}
