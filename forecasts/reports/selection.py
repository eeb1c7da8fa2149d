"""Which questions count in a report or a comparison, and which of the forecasts on them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from forecasts.common.errors import BadInput
from forecasts.common.times import iso, utc

Cohort = Literal["scheduled", "resolved"]
_SHORTEST_LEAD, _LONGEST_LEAD = 1e-6, 1e5  # days; names of protocols have six decimals


@dataclass(frozen=True, kw_only=True)
class Choice:
    """Which questions and forecasts were asked for. None of it depends on what happened.

    ``cohort``: the questions whose scheduled close has passed, or all that are resolved. Of them
    those that bear any of ``tags`` (all where there is none) and whose *scheduled* close falls in
    [``since``, ``until``]: a choice by when something happened would favour what happens early.
    ``lead``: only the forecasts that stood so many days before that close. BadInput for an end
    before the beginning, and for a lead that is none.
    """

    cohort: Cohort = "scheduled"
    tags: tuple[str, ...] = ()
    since: datetime | None = None
    until: datetime | None = None
    lead: float | None = None

    def __post_init__(self) -> None:
        for name in ("since", "until"):
            moment = getattr(self, name)
            object.__setattr__(self, name, None if moment is None else utc(moment))
        if self.since is not None and self.until is not None and self.until < self.since:
            raise BadInput(
                f"Nothing closes from {iso(self.since)} until {iso(self.until)}: the end is before "
                "the beginning."
            )
        if self.lead is not None and not _SHORTEST_LEAD <= self.lead < _LONGEST_LEAD:
            raise BadInput(
                f"A lead of {self.lead:g} days is none.",
                remedy="Give the days before the scheduled close, more than 0.",
            )


ALL = Choice()
