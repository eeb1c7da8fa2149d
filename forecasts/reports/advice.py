"""Advice on a record, in sentences, from findings that are beyond chance.

Only a verdict, a reaction, an exact 0% or 100%, and an interval that lies wholly on one side give
advice. A number that chance explains gives none, and no record is told that it needs no change: a
small fault may be hidden in it. The figures are those of the verdict, so that the two agree.
"""

from __future__ import annotations

from forecasts.common.text import count
from forecasts.reports.report import FAULTS, Group, Kind
from forecasts.reports.verdict import FEWEST, apart

_CHANGES: dict[Kind, str] = {
    "overconfident": "Be less sure",
    "underconfident": "Be more confident",
    "too_high": "Forecast lower",
    "too_low": "Forecast higher",
}

NOTHING = "Nothing that this record shows. A small fault would take more questions to show."


def advice(group: Group) -> list[str]:
    """Return the changes that a record asks for, the most useful first; without any, why not."""
    if group.verdict.kind == "too_few":
        more = FEWEST - min(group.tested.questions, group.tested.families)
        return [f"Nothing yet: a verdict needs {count(max(more, 1), 'more question')}."]
    if group.verdict.kind == "waiting":
        return ["Nothing yet: a verdict needs the outcomes that are due."]
    found = _moves(group)
    kind = None if group.movement is None else group.movement.kind
    if kind == "over_reacting":
        found.append("Make smaller updates: part of each move is later taken back.")
    if kind == "under_reacting":
        found.append("Make larger updates at once: your forecasts keep moving the same way.")
    if group.certainty.questions:
        asked, wrong = group.certainty.questions, group.certainty.wrong
        failed = f" Of {count(asked, 'such question')}, {wrong:,} failed." if wrong else ""
        found.append(f"Never forecast exactly 0% or 100%.{failed}")
    skill = group.crowd_skill
    ends = skill.interval if skill is not None and skill.questions >= FEWEST else None
    if ends is not None and ends[1] < 0:
        found.append("Check the crowd’s forecast before you save yours: it has scored better.")
    return found or [NOTHING]


def _moves(group: Group) -> list[str]:
    """Return the direction in which to move, with the figures of the verdict."""
    # A failed certainty alone moves no other forecast.
    kind = group.verdict.rest or group.verdict.kind
    if kind not in FAULTS:
        return []
    said, happened = group.verdict.said, group.verdict.happened
    if said is None or happened is None:
        return [f"{_CHANGES[kind]}."]
    if kind in ("too_high", "too_low"):
        return [f"{_CHANGES[kind]}: by {_points(abs(said - happened))} on average."]
    # Even if most favourites failed: luck has a part in that, so never beyond 50%.
    one, other = apart(said, max(happened, 0.5))
    return [f"{_CHANGES[kind]}: instead of {one}, say closer to {other}."]


def _points(share: float) -> str:
    if share < 0.001:
        return "less than 0.1 points"
    return f"about {count(round(share * 100, 0 if share >= 0.02 else 1), 'point')}"
