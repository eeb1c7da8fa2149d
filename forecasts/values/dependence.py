"""Effects of an outcome on other questions: conditions, and the kinds of groups."""

from __future__ import annotations

from collections.abc import Sequence

from forecasts.common.errors import BadInput
from forecasts.common.vocabulary import GroupKind, QuestionType
from forecasts.values.outcomes import NOT_SCORED, bounds, figure_to_float, find_option
from forecasts.values.outcomes import outcome_value as value_of
from forecasts.values.outline import HasOutline

_ENDS = {"below_lower_bound": float("-inf"), "above_upper_bound": float("inf")}


def read_condition(text: str, parent: HasOutline) -> str:
    """Return the condition on a parent's outcome in the ledger's form.

    yes · no · an option's text · a range of a number or date from..to, without its end; blank ends
    are open: "..5", "2027-01-01..". BadInput for anything else lists the possible ones.
    """
    text = text.strip()
    if parent.type == QuestionType.binary:
        if text.casefold() in ("yes", "no"):
            return text.casefold()
        possible = "yes or no"
    elif parent.type == QuestionType.multiple_choice:
        if option := find_option(text, parent.options or []):
            return option
        possible = ", ".join(parent.options or [])
    else:
        try:
            low, high = range_of(text, parent)
            least, most = bounds(parent)
        except (ValueError, BadInput):
            low, high, least, most = 1.0, 0.0, 0.0, 0.0
        inside = all(least <= end <= most for end in (low, high) if abs(end) != float("inf"))
        if low < high and inside:
            return "..".join(end.strip() for end in text.split(".."))
        possible = (
            f"a range such as {parent.lower_bound}..{parent.upper_bound}, within these bounds; "
            "its end does not belong to it, and a blank end is open"
        )
    raise BadInput(
        f"{text!r} is not a condition on the outcome of this question.",
        remedy=f"Possible: {possible}.",
    )


def range_of(text: str, parent: HasOutline) -> tuple[float, float]:
    """Return the ends of a range of numbers, or of dates in seconds since 1970; open: infinite.

    ValueError or BadInput for anything else.
    """
    low, high = text.split("..")
    if not low.strip() and not high.strip():
        raise ValueError(f"{text!r} is every outcome")
    return (
        figure_to_float(low.strip(), parent.type) if low.strip() else float("-inf"),
        figure_to_float(high.strip(), parent.type) if high.strip() else float("inf"),
    )


def holds(condition: str, parent: HasOutline, outcome: str) -> bool:
    """Return whether the condition holds under an outcome of the parent.

    None holds if the parent is annulled or ambiguous, or between yes and no.
    """
    if outcome in NOT_SCORED:
        return False
    value = value_of(outcome, parent)
    if not QuestionType(parent.type).is_quantitative:
        return value == value_of(condition, parent)
    low, high = range_of(condition, parent)
    number = _ENDS[value] if isinstance(value, str) else value
    return low <= number < high or number == high == float("inf")


def overlap(one: str, other: str, parent: HasOutline) -> bool:
    """Return whether an outcome of the parent fulfils both conditions."""
    if not QuestionType(parent.type).is_quantitative:
        return one == other
    (low, high), (least, most) = range_of(one, parent), range_of(other, parent)
    return max(low, least) < min(high, most)


def implied(
    kind: GroupKind | str, outcomes: Sequence[str | None], place: int, outcome: str
) -> dict[int, str]:
    """Return the outcomes of a group's other members that follow from one of them, by place.

    ``outcomes``: of the members in order, None without one. A member may have another outcome than
    the one that follows.

    >>> implied("nested", [None, None, None], 1, "yes"), implied("nested", [None, None], 1, "no")
    ({2: 'yes'}, {0: 'no'})
    >>> implied("exhaustive", ["no", None, None], 1, "no")
    {2: 'yes'}
    """
    others = [at for at in range(len(outcomes)) if at != place]
    if kind == GroupKind.nested and outcome in ("yes", "no"):
        is_yes = outcome == "yes"
        return dict.fromkeys((at for at in others if (at > place) == is_yes), outcome)
    if kind in (GroupKind.exclusive, GroupKind.exhaustive) and outcome == "yes":
        return dict.fromkeys(others, "no")
    if kind == GroupKind.exhaustive and outcome == "no":
        left = [at for at in others if outcomes[at] != "no"]
        return {left[0]: "yes"} if len(left) == 1 else {}
    return {}


def contradicted(
    kind: GroupKind | str, outcomes: Sequence[str | None], place: int, outcome: str
) -> int | None:
    """Return the place of a member whose outcome cannot be beside this one; None without any."""
    for at, needed in implied(kind, outcomes, place, outcome).items():
        if outcomes[at] in ("yes", "no") and outcomes[at] != needed:
            return at
    others = [one for at, one in enumerate(outcomes) if at != place]
    if kind == GroupKind.exhaustive and outcome == "no" and others and set(others) == {"no"}:
        return next(at for at in range(len(outcomes)) if at != place)
    return None
