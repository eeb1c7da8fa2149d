"""Checks of an outcome before it is proposed or confirmed."""

from __future__ import annotations

from datetime import datetime

from forecasts.common.errors import BadInput, Impossible, Refused
from forecasts.common.limits import require_address
from forecasts.common.times import to_minute
from forecasts.ledger.models import QuestionText, QuestionType, Resolution, Resolver
from forecasts.questions.standing import QuestionState
from forecasts.values.outcomes import NOT_SCORED, bound_exceeded, figure_to_float, read_outcome


def require_possible(
    text: QuestionText, slug: str, outcome: str, known_at: datetime | None, now: datetime
) -> str:
    """Return the outcome in the ledger's form; Refused if it cannot be known by now.

    BadInput if the question cannot have it, Impossible if no forecast on it could be scored.
    """
    if not outcome.strip():
        raise BadInput(
            "No outcome was given.",
            remedy="Give the outcome of the question, or annulled or ambiguous.",
        )
    outcome = read_outcome(outcome, text)
    if known_at is not None and known_at > now:
        raise Refused(
            f"An outcome cannot be known at {to_minute(known_at)}: it is {to_minute(now)}.",
            remedy="Give the time at which the outcome became known.",
        )
    if outcome in NOT_SCORED:
        return outcome
    if known_at is not None and known_at <= text.open_time:
        raise Impossible(
            f"The outcome was known at {to_minute(known_at)}, not after {slug!r} opened "
            f"({to_minute(text.open_time)}): no forecast on it can be scored.",
            remedy="Annul the question instead.",
        )
    if (
        text.type == QuestionType.date
        and outcome not in ("below_lower_bound", "above_upper_bound")
        and figure_to_float(outcome, QuestionType.date) > now.timestamp()
    ):
        raise Refused(
            f"The outcome {outcome} lies ahead: it is {to_minute(now)}, and a future day cannot be "
            "known.",
            remedy="Wait for it. If it can only come after the upper bound, the outcome is "
            "above_upper_bound.",
        )
    return outcome


def require_within_bounds(text: QuestionText, outcome: str) -> None:
    """Refuse a number or day outside the bounds, likely a typo: that outcome has a name."""
    if name := bound_exceeded(outcome, text):
        raise Impossible(
            f"The outcome {outcome} lies outside the question's bounds, {text.lower_bound} to "
            f"{text.upper_bound}.",
            remedy=f"If it is correct, the outcome is {name}.",
        )


def require_source_address(source: str, resolver: Resolver | None) -> None:
    """Refuse a member's source that is not an address; a resolver's source is kept as it is."""
    if source.strip() and resolver is None:
        require_address(source.strip(), "The source")


def require_new(
    state: QuestionState, outcome: str, known_at: datetime | None, now: datetime
) -> str:
    """Return the outcome in the ledger's form, possible and within the bounds.

    Refused if the resolution is identical to the current one.
    """
    outcome = require_possible(state.text, state.slug, outcome, known_at, now)
    require_within_bounds(state.text, outcome)
    current = state.resolution
    if current is not None and (current.outcome, current.known_at) == (outcome, known_at):
        raise Refused(
            f"{state.slug!r} is already resolved: {outcome}{_known(known_at)}. Nothing was "
            "changed.",
            remedy="To correct it, give another outcome or another time.",
        )
    return outcome


def require_expected(state: QuestionState, expected: Resolution | None) -> None:
    """Refuse to correct a resolution that the member has not seen, or one withdrawn meanwhile."""
    current = state.resolution
    if current is None and expected is not None:
        raise Refused(
            f"The outcome of {state.slug!r} was withdrawn meanwhile.",
            remedy="Read the reason in its history, and resolve it if the outcome is known.",
        )
    if current is not None and (expected is None or current.id != expected.id):
        raise Refused(
            f"{state.slug!r} was resolved meanwhile: {current.outcome}{_known(current.known_at)}.",
            remedy="Check that resolution, and correct it if it is wrong.",
        )


def _known(known_at: datetime | None) -> str:
    return "" if known_at is None else f", known at {to_minute(known_at)}"
