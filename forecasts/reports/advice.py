"""Advice on a record, in sentences, from findings that are beyond chance.

Only a verdict, a reaction, an exact 0% or 100%, and an interval that lies wholly on one side give
advice; a number that chance explains gives none.
"""

from __future__ import annotations

import math

from forecasts.documents.numbers import percent
from forecasts.reports.report import FAULTS, Bin, Group

_WEIGHT = 0.05  # the least share of all forecasts for advice about a bin
_MOVE = 0.02  # the least move worth a word


def advice(group: Group) -> list[str]:
    """Return the advice on a record, the most useful first; empty before a verdict."""
    if group.verdict.kind == "too_few":
        return []
    found = _moves(group)
    kind = None if group.movement is None else group.movement.kind
    if kind == "over_reacting":
        found.append("Make smaller updates: part of each move is later taken back.")
    if kind == "under_reacting":
        found.append("Make larger updates at once: your forecasts keep moving the same way.")
    if group.certainty.questions:
        asked, wrong = group.certainty.questions, group.certainty.wrong
        failed = f" Of {asked:,} such questions, {wrong:,} failed." if wrong else ""
        found.append(f"Never forecast exactly 0% or 100%.{failed}")
    skill = group.crowd_skill
    if skill is not None and skill.interval is not None and skill.interval[1] < 0:
        found.append(
            "Check the crowd before you save: its forecasts scored better at the same times."
        )
    if not found and group.verdict.kind == "calibrated":
        found = ["Keep your numbers as they are: only better evidence can improve this score."]
    return found


def _moves(group: Group) -> list[str]:
    """Return the forecasts to move: on each side of 50% those that cost most.

    The line is of all forecasts, so a bin is left out if its own outcomes point the other way.
    """
    line = group.recalibration
    # A failed certainty alone moves no other forecast.
    if (
        (group.verdict.rest or group.verdict.kind) not in FAULTS
        or line.intercept is None
        or line.slope is None
    ):
        return []
    total = sum(one.weight for one in group.bins)
    found: dict[bool, tuple[float, Bin, float]] = {}
    for one in group.bins:
        p, came = one.forecast, one.observed
        if p is None or came is None or not 0 < p < 1 or one.weight < _WEIGHT * total:
            continue
        happens = 1 / (1 + math.exp(-line.intercept - line.slope * math.log(p / (1 - p))))
        move = abs(happens - p)
        if (
            (came - p) * (happens - p) > 0
            and move >= _MOVE
            and move * one.weight > found.get(p > 0.5, (0.0,))[0]
        ):
            found[p > 0.5] = move * one.weight, one, happens
    parts = [
        f"{_named(one)} (on average {percent(one.forecast)}) to about {percent(happens)}"
        for _, (_, one, happens) in sorted(found.items(), reverse=True)
    ]
    return [f"Move {' and '.join(parts)}."] if parts else []


def _named(one: Bin) -> str:
    """Return the forecasts of a bin as a forecaster calls them: 'your 90s'."""
    return f"your {one.lower * 100:.0f}s" if one.lower > 0 else "forecasts below 10%"
