"""New forecasts of an import outside the time in which their questions count them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

import pandas as pd

from forecasts.common.text import count
from forecasts.importing.forecasts import withdrawals
from forecasts.importing.frames import Comparison

_FEW = 3  # forecasters that a sentence names


def outside_notes(
    questions: pd.DataFrame, found: Comparison, now: datetime, *, is_sheet: bool
) -> Iterator[str]:
    """Yield sentences on forecasts before the opening of their question, or after its close.

    Of those with times that somebody vouches for, on questions that the ledger has. The reader of a
    sheet counts those after the sheet's own close. Others count as made now, perhaps after the
    close.
    """
    forecasts = found.forecasts.rows
    columns = ["question_id", "forecaster", "made_at"]
    made = forecasts.loc[~withdrawals(forecasts), columns].astype({"question_id": "str"})
    closes = {slug: one.closes for slug, one in found.known.items()}
    ends = questions["actual_close_time"].fillna(questions["scheduled_close_time"])
    in_file = dict(zip(questions["question_id"], ends, strict=True))
    if not found.vouched:
        late = made[_of_each(made, in_file | closes) <= now]
        if len(late):
            counts, its = (
                ("counts", "its question has")
                if len(late) == 1
                else ("count", "their questions have")
            )
            yield f"{_who(late)} {counts} as made now, when {its} closed, and will not be scored."
        return
    made = made[made["question_id"].isin(list(found.known))]
    early = made[made["made_at"] < _of_each(made, {s: one.opens for s, one in found.known.items()})]
    is_late = made["made_at"] >= _of_each(made, closes)
    if is_sheet:
        is_late &= ~(made["made_at"] >= _of_each(made, in_file))
    late = made[is_late]
    for some, event, effect in (
        (early, "before {} opened", "{} only from then"),
        (late, "after {} closed", "will not count"),
    ):
        if len(some):
            is_one = len(some) == 1
            yield (
                f"{_who(some)} {'was' if is_one else 'were'} made "
                f"{event.format('its question' if is_one else 'their questions')} in this ledger, "
                f"and {effect.format('counts' if is_one else 'count')}."
            )


def _who(forecasts: pd.DataFrame) -> str:
    """Return the number of forecasts with the first names."""
    names = [str(name) for name in forecasts["forecaster"].unique()]
    more = f" and {len(names) - _FEW:,} more" if len(names) > _FEW else ""
    many = count(len(forecasts), "forecast")
    return f"{many} ({', '.join(names[:_FEW])}{more})"


def _of_each(made: pd.DataFrame, times: Mapping[str, datetime]) -> pd.Series[Any]:
    """Return the time of each forecast's question."""
    return pd.to_datetime(made["question_id"].map(times), utc=True)
