"""The schedule of a question as it was known when a forecast was made."""

from __future__ import annotations

import pandas as pd

from forecasts.folder.frames import TIME_DTYPE


def scheduled_close_when_made(questions: pd.DataFrame, forecasts: pd.DataFrame) -> pd.Series:
    """Return the scheduled close that stood when each forecast was made.

    One time (UTC) for each row of ``forecasts``, of which ``question_id`` and ``made_at`` are read,
    with its index; NaT for a question that is not among ``questions``. ``earlier_closes`` of a
    question has the closes that were replaced, by the time of the change: such a close stood for
    every forecast before that time. Without the column, the close was never moved. A close
    that an import assumed counts as if it had stood all along.

    >>> utc = lambda *days: pd.to_datetime([f"2026-{day}T00:00:00Z" for day in days], utc=True)
    >>> questions = pd.DataFrame({"question_id": ["q"], "scheduled_close_time": utc("06-01"),
    ...     "earlier_closes": [{"2026-03-01T00:00:00Z": "2026-04-01T00:00:00Z"}]})
    >>> forecasts = pd.DataFrame({"question_id": "q", "made_at": utc("02-28", "03-01")})
    >>> scheduled_close_when_made(questions, forecasts).dt.strftime("%m-%d").tolist()
    ['04-01', '06-01']
    """
    place = pd.Index(questions["question_id"]).get_indexer(pd.Index(forecasts["question_id"]))
    newest = questions["scheduled_close_time"].astype(TIME_DTYPE).array
    closes = pd.Series(newest.take(place, allow_fill=True), index=forecasts.index)
    moved = questions.get("earlier_closes", pd.Series(dtype=object)).reset_index(drop=True).dropna()
    changes = [(at, *change) for at, every in moved.items() for change in every.items()]
    if not changes:
        return closes
    earlier = pd.DataFrame(changes, columns=["place", "until", "close"])
    for name in ("until", "close"):
        earlier[name] = pd.to_datetime(earlier[name], utc=True, format="ISO8601").astype(TIME_DTYPE)
    made = pd.DataFrame({"place": place, "until": forecasts["made_at"].array}, index=closes.index)
    # The first change after a forecast replaced the close that stood then.
    stood = pd.merge_asof(
        made.reset_index(drop=True).reset_index().sort_values("until", kind="stable"),
        earlier.sort_values("until", kind="stable"),
        on="until", by="place", direction="forward", allow_exact_matches=False,
    ).sort_values("index")["close"]  # fmt: skip
    return closes.mask(stood.notna().to_numpy(), stood.set_axis(closes.index))
