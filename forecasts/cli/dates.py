"""The dates and times that options name. Reading them loads much, so only commands with any do."""

from __future__ import annotations

from datetime import datetime

from forecasts.cli.console import now, zone
from forecasts.values.typed_dates import read_date


def time_of(
    given: str | None,
    *,
    end_of_day: bool = False,
    past: bool = False,
    moment: datetime | None = None,
) -> datetime | None:
    """Return the time that an option names, if any; BadInput for an invalid one.

    Dates are read as people type them, see ``typed_dates.read_date``, in the member's zone.
    ``moment``: the time of the command, if it has read the clock before.
    """
    if given is None:
        return None

    return read_date(given, now=moment or now(), zone=zone(), end_of_day=end_of_day, past=past)
