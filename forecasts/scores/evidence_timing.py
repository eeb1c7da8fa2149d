"""When evidence is cited: how long after its publication, and how long before the crowd moves.

Both only describe a source: a question that closes early, because it resolved,
leaves the crowd no time to follow.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from forecasts.folder.frames import TIME_DTYPE, Frames

LATE = pd.Timedelta(days=7)  # from publication to citation
FOLLOWED = 0.5  # the share of an update's move that the crowd makes
OTHERS = 2  # the fewest that are a crowd
_DAY = 86_400e6  # microseconds


def published(frames: Frames) -> pd.DataFrame:
    """Return the author and the day of each piece of evidence, by its id.

    Those of its article, where the evidence says nothing; without a day of publication, that of
    the article's capture.
    """
    named = ["author", "published_at", "captured_at"]
    if frames.articles.empty:
        articles = pd.DataFrame({name: pd.Series(dtype=object) for name in named})
    else:
        articles = frames.articles.drop_duplicates("url").set_index("url")[named]
    known = frames.evidence.set_index("evidence_id")
    of_article = articles.reindex(known["url"]).set_axis(known.index)
    days = [known["published_at"], of_article["published_at"], of_article["captured_at"]]
    dates = [pd.to_datetime(each, utc=True).astype(TIME_DTYPE) for each in days]
    first = pd.concat(dates, axis=1, keys=range(len(dates))).bfill(axis=1)
    return pd.DataFrame({"author": of_article["author"].fillna(""), "published_at": first[0]})


def ahead_of_crowd(frames: Frames, rows: npt.NDArray[np.intp]) -> npt.NDArray[np.float64]:
    """Return for each update (a row of ``forecasts``) the days until the crowd moved the same way.

    The crowd is the mean of the others' current forecasts on a yes-or-no question; it has moved
    once it is ``FOLLOWED`` of the update's move away from where it was. Infinite: it never did.
    NaN: there is no crowd of ``OTHERS``, or the update moved nothing.
    """
    found = np.full(len(rows), np.nan)
    asked = frames.forecasts["question_id"]
    binary = frames.questions.loc[frames.questions["options"].isna(), "question_id"]
    wanted = pd.Series(np.arange(len(rows))).groupby(asked.iloc[rows].to_numpy()).indices
    made = frames.forecasts[asked.isin(binary) & asked.isin(list(wanted))]
    positions = pd.Series(np.flatnonzero(asked.isin(made["question_id"].unique())))
    for question, at in positions.groupby(made["question_id"].to_numpy()):
        own = frames.forecasts.iloc[at.to_numpy()]
        places = wanted[question]
        found[places] = _of_question(own, np.searchsorted(at.to_numpy(), rows[places]))
    return found


def _of_question(made: pd.DataFrame, updates: npt.NDArray[np.intp]) -> npt.NDArray[np.float64]:
    """Return the days of ``ahead_of_crowd``; ``updates`` are rows of ``made``.

    Blank probabilities withdraw.
    """
    order = np.argsort(made["made_at"].to_numpy(), kind="stable")
    made = made.iloc[order]
    place = np.empty(len(order), dtype=np.intp)
    place[order] = np.arange(len(order))
    who = pd.factorize(made["forecaster"])[0]
    p = made["probability"].to_numpy(dtype=np.float64)
    days = made["made_at"].astype("int64").to_numpy() / _DAY
    before = (
        made.groupby("forecaster", sort=False)["probability"].shift().to_numpy(dtype=np.float64)
    )
    total = np.cumsum(np.nan_to_num(p) - np.nan_to_num(before))
    live = np.cumsum(np.isfinite(p).astype(int) - np.isfinite(before))
    found = np.full(len(updates), np.nan)
    for number, at in enumerate(place[updates]):
        move = p[at] - before[at]
        if not np.isfinite(move) or move == 0:
            continue
        mine = np.flatnonzero(who == who[at])
        own = p[mine[np.searchsorted(mine, np.arange(at, len(p)), side="right") - 1]]
        others = live[at:] - np.isfinite(own)
        if others[0] < OTHERS:
            continue
        crowd = (total[at:] - np.nan_to_num(own)) / np.where(others >= OTHERS, others, np.nan)
        moved = (crowd - crowd[0]) * np.sign(move) >= FOLLOWED * abs(move) - 1e-9
        found[number] = days[at + np.argmax(moved)] - days[at] if moved.any() else np.inf
    return found
