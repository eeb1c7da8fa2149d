"""The crowd's forecast on questions, of people, bots or both; an owner's bots count as one."""

from __future__ import annotations

from datetime import datetime

import pandas as pd

import scoring
from forecasts.access.kinds import CrowdOf
from forecasts.common.errors import BadInput
from forecasts.folder.frames import Frames


def crowd(
    frames: Frames,
    method: str = "recency_weighted",
    at: datetime | None = None,
    *,
    of: CrowdOf = "both",
    each_bot: bool = False,
) -> pd.DataFrame:
    """Return the table of ``scoring.crowd``, of the forecasts of people, bots or both.

    ``each_bot``: the bots of one owner count each, not as one. A folder does not tell bots from
    people: everyone counts, and BadInput refuses another choice.
    """
    forecasts, members = frames.forecasts, frames.members
    if members is None:
        if of != "both":
            raise BadInput(
                "A ledger folder does not tell bots from people.",
                remedy="Use the ledger itself: leave the folder out.",
            )
        return scoring.crowd(frames.questions, forecasts, method, at)
    bots = members[members["kind"] != "human"]
    if of != "both":
        is_bot = forecasts["forecaster"].isin(bots["forecaster"])
        forecasts = forecasts[is_bot == (of == "bots")]
    pools = bots["owner"].where(bots["owner"] != "", bots["forecaster"])
    named = None if each_bot or bots.empty else dict(zip(bots["forecaster"], pools, strict=True))
    return scoring.crowd(frames.questions, forecasts, method, at, named)
