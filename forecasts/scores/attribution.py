"""Points earned by each update, and through its citations by evidence and its sources.

An update earns (score before − score after) × the share of the question's time remaining (see
`scoring.attribution`). The points are split over the evidence it cites by the shares given;
evidence without a share divides the rest equally, and evidence cited as context counts like any
other. If every share is given, the rest belongs to no evidence. Attribution is bookkeeping, not
causation: the last forecaster to move gets the credit.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

import scoring
from forecasts.common.errors import BadInput
from forecasts.folder.dependence import joined
from forecasts.folder.frames import Frames
from forecasts.scores.evidence_timing import LATE, ahead_of_crowd, published
from forecasts.values.value import SUM_TOLERANCE
from scoring.means import clustered_mean, families_of

GROUPINGS = ("update", "evidence", "publisher", "author", "kind", "feed")
UNCITED = ""


def attribute(
    frames: Frames,
    by: str = "update",
    protocol: str = "brier",
    feeds: Mapping[str, str] | None = None,
) -> pd.DataFrame:
    """Return the points earned, most first; positive is better, in the protocol's units.

    By update: question_id, forecaster, made_at, remaining, score_before, score, points, promised,
    surprise, evidence (the ids cited). First forecasts replace nothing and have no points. By
    evidence, publisher, author, kind or feed: that column (blank: points that no evidence accounts
    for), for evidence also title, publisher and kind; then citations, updates, questions, points,
    families (of the questions), per_question, the mean of points per question, and its 95% interval
    clustered by family, per_question_lower and per_question_upper (blank for one family); dated,
    the citations of something with a known day, and late, those more than ``LATE`` after it;
    compared, the updates with a crowd to compare, followed, those that it followed later, and
    days_ahead, by how many days (the median; see ``evidence_timing``). ``feeds``: the feed of
    evidence, by its id; without them there is no attribution by feed. Raises BadInput for another
    grouping.
    """
    if by not in GROUPINGS:
        remedy = f"Use {', '.join(GROUPINGS)}."
        raise BadInput(f"There is no attribution by {by!r}.", remedy=remedy)
    if by == "feed" and feeds is None:
        remedy = "Leave out the folder to read your ledger."
        raise BadInput("A folder does not say by which feed an article came.", remedy=remedy)
    earned = scoring.attribution(frames.questions, frames.forecasts, protocol)
    rows = frames.forecasts.iloc[earned["forecast"].to_numpy()].reset_index(drop=True)
    if by == "update":
        return _updates(earned, rows)
    moved = earned["points"].notna().to_numpy()
    shares = split_points(earned[moved].reset_index(drop=True), rows[moved].reset_index(drop=True))
    asked = joined(frames.questions, frames.links)
    family = asked.set_index("question_id")["family"]
    shares["family"] = families_of(shares["question_id"], family)
    cites = shares["evidence_id"] != UNCITED
    number = shares["update"].to_numpy()
    shares["made_at"] = rows.loc[moved, "made_at"].array[number]
    shares["ahead"] = np.nan
    update, place = np.unique(number[cites], return_inverse=True)
    at = earned.loc[moved, "forecast"].to_numpy(dtype=np.intp)[update]
    shares.loc[cites, "ahead"] = ahead_of_crowd(frames, at)[place]
    shares["feed"] = [(feeds or {}).get(key, "") for key in shares["evidence_id"]]
    return _summed(shares, frames, by)


def _updates(earned: pd.DataFrame, rows: pd.DataFrame) -> pd.DataFrame:
    evidence = [
        " ".join(entry["evidence_id"] for entry in cited or []) for cited in rows["evidence"]
    ]
    table = earned.assign(made_at=rows["made_at"], evidence=evidence)
    columns = ["question_id", "forecaster", "made_at", "remaining", "score_before", "score"]
    columns += ["points", "promised", "surprise", "evidence"]
    return table[columns].sort_values("points", ascending=False, kind="stable", ignore_index=True)


def split_points(earned: pd.DataFrame, rows: pd.DataFrame) -> pd.DataFrame:
    """Return one row per citation with its part of the points, and one for the uncited rest."""
    parts: list[tuple[int, str, float]] = []
    for update, cited in enumerate(rows["evidence"]):
        cited = cited or []
        each = citation_parts([entry.get("share") for entry in cited])
        parts += [
            (update, entry["evidence_id"], part) for entry, part in zip(cited, each, strict=True)
        ]
        left = 1 - math.fsum(each)
        if not cited or left > SUM_TOLERANCE:
            parts.append((update, UNCITED, left))
    table = pd.DataFrame(parts, columns=["update", "evidence_id", "part"])
    table = table.astype({"update": np.intp, "part": np.float64})  # without rows, too
    table["question_id"] = earned["question_id"].to_numpy()[table["update"]]
    table["points"] = earned["points"].to_numpy()[table["update"]] * table["part"]
    return table


def citation_parts(shares: Sequence[float | None]) -> list[float]:
    """Return the part of an update that each citation accounts for, given the stated shares.

    Imported shares that sum to more than 1 are scaled to 1.
    """
    given = math.fsum(share for share in shares if share is not None)
    scale = max(given, 1.0)
    blank = sum(share is None for share in shares)
    rest = (1 - given / scale) / blank if blank else 0.0
    return [rest if share is None else share / scale for share in shares]


def _summed(shares: pd.DataFrame, frames: Frames, by: str) -> pd.DataFrame:
    known = frames.evidence.set_index("evidence_id")[["title", "publisher", "kind"]]
    known = known.join(published(frames))
    blank = {"title": "", "publisher": "", "kind": UNCITED, "author": ""}
    table = shares.join(known, on="evidence_id").fillna(blank)
    age = table["made_at"] - pd.to_datetime(table["published_at"], utc=True)
    table["dated"], table["late"] = age.notna(), age > LATE
    keys: list[Any] = ["evidence_id", "title", "publisher", "kind"] if by == "evidence" else [by]
    table["cited"] = table["evidence_id"] != UNCITED
    groups = table.groupby(keys, sort=True)
    found = groups.agg(
        citations=("cited", "sum"),
        updates=("update", "nunique"),
        questions=("question_id", "nunique"),
        points=("points", "sum"),
        families=("family", "nunique"),
    )
    found["per_question"] = found["points"] / found["questions"]
    ends = np.array([_interval(part) for _, part in groups], dtype=np.float64).reshape(-1, 2)
    found["per_question_lower"], found["per_question_upper"] = ends.T
    found[["dated", "late"]] = groups[["dated", "late"]].sum()
    ahead = table.drop_duplicates(["update", *keys]).set_index(keys)["ahead"]
    seen, finite = ahead.groupby(level=keys), ahead.where(np.isfinite(ahead)).groupby(level=keys)
    found["compared"], found["followed"] = seen.count(), finite.count()
    found["days_ahead"] = finite.median()
    found = found.reset_index()
    return found.sort_values("points", ascending=False, kind="stable", ignore_index=True)


def _interval(part: pd.DataFrame) -> tuple[float, float]:
    """Return the 95% interval of the mean per question; NaN for one family or an infinite value."""
    if part["family"].nunique() < 2 or not np.isfinite(part["points"].to_numpy()).all():
        return math.nan, math.nan
    each = part.groupby(["question_id", "family"])["points"].sum()
    family = each.index.get_level_values("family")
    found = clustered_mean(each.to_numpy(), family, rare=True)
    return found.lower, found.upper
