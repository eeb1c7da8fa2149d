"""The choice of questions and forecasts for a report or a comparison."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from forecasts.common.errors import BadInput
from forecasts.common.times import iso, utc

Cohort = Literal["scheduled", "resolved"]
# The fields of a choice, in the order of a CSV.
CHOICE = ("cohort", "tags", "since", "until", "lead", "made_before", "without", "witnessed")
_SHORTEST_LEAD, _LONGEST_LEAD = 1e-6, 1e5  # days; a protocol's name has six decimals


@dataclass(frozen=True, kw_only=True)
class Choice:
    """The questions and forecasts to count. No part of the choice depends on outcomes.

    ``cohort``: the questions past their scheduled close, or all that are resolved. Of them those
    with any of ``tags`` (all if there are none) and a *scheduled* close in [``since``, ``until``]:
    a choice by the actual close would favour early events. ``lead``: only the forecasts current
    that many days before the scheduled close. ``made_before``: only the forecasts made before that
    time, which last as if nobody had updated later. ``without``: the forecasters to leave out.
    ``witnessed``: without the forecasts whose time only an importer vouches for, and without the
    questions that their only forecaster resolved.
    BadInput for an end before the start, and for a lead that is not above 0.
    """

    cohort: Cohort = "scheduled"
    tags: tuple[str, ...] = ()
    since: datetime | None = None
    until: datetime | None = None
    lead: float | None = None
    made_before: datetime | None = None
    without: tuple[str, ...] = ()
    witnessed: bool = False

    def __post_init__(self) -> None:
        for name in ("since", "until", "made_before"):
            moment = getattr(self, name)
            object.__setattr__(self, name, None if moment is None else utc(moment))
        if self.since is not None and self.until is not None and self.until < self.since:
            raise BadInput(
                f"The end of the period is before the start: from {iso(self.since)} to "
                f"{iso(self.until)}.",
                remedy="Choose an end after the start.",
            )
        if self.lead is not None and not _SHORTEST_LEAD <= self.lead < _LONGEST_LEAD:
            raise BadInput(
                f"A lead must be above 0 and below 100,000 days, got {self.lead:g}.",
                remedy="Give the days before the scheduled close, such as 7.",
            )


ALL = Choice()
