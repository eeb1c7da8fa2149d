"""Abstention: how much each side left without a forecast, and the comparison as if it had not.

Only shared time is compared, so a side that withdraws when unsure is compared where it is sure, and
can seem better than its equal. As a sensitivity, the crowd's forecast (the mean of all forecasts of
the ledger current at the time) replaces a side's while it is silent. A side that speaks little
then differs little from the others, and while both are silent there is no difference.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

import scoring
from forecasts.reports.groups import Entries
from forecasts.reports.member_scores import at_lead, live_segments
from scoring.arrays import Places

# Sides are compared without abstention if their silence differs by more than this share.
SELECTIVE = 0.05


@dataclass(frozen=True)
class Silence:
    """The shares of the questions, and of their time, without a forecast from a side."""

    unanswered: float
    silent: float | None

    @property
    def share(self) -> float:
        """The share of the time, at a lead of the questions."""
        return self.unanswered if self.silent is None else self.silent


def spoken(counting: pd.DataFrame, entries: Entries, lead: float | None) -> pd.DataFrame:
    """Return how long each group had a forecast on a question: group, question, seconds."""
    live = live_segments(counting, entries)
    if lead is not None:
        live = at_lead(live, lead)
    table = pd.DataFrame(
        {
            "group": entries.group.to_numpy(dtype=object)[live["forecaster"].to_numpy(np.intp)],
            "question": live["question"].to_numpy(),
            "start": live["start_s"].to_numpy(),
            "end": live["end_s"].to_numpy(),
        }
    ).sort_values(["group", "question", "start"], ignore_index=True)
    sides = table.groupby(["group", "question"], sort=False)
    reached = sides["end"].cummax()
    before = reached.groupby([table["group"], table["question"]], sort=False).shift()
    # Time that another member covers counts once.
    table["seconds"] = (table["end"] - np.fmax(table["start"], before)).clip(lower=0.0)
    return table.groupby(["group", "question"], as_index=False)[["seconds"]].sum()


def silences(
    counting: pd.DataFrame, spoken: pd.DataFrame, names: Sequence[str], lead: float | None
) -> dict[str, Silence]:
    """Return the silence of each side on the questions that at least one of them forecast.

    ``spoken`` is that of the sides, and maybe of others, at that lead.
    """
    asked = np.unique(spoken.loc[spoken["group"].isin(names), "question"])
    if not len(asked):
        return {}
    opened, scheduled, closed = (
        counting[f"{name}_time"].iloc[asked] for name in ("open", "scheduled_close", "actual_close")
    )
    open_s, scheduled_s = (
        (end - opened).dt.total_seconds().to_numpy()
        for end in (closed.fillna(scheduled).clip(upper=scheduled), scheduled)
    )
    found = {}
    for name in names:
        own = spoken[spoken["group"] == name]
        answered = len(own) / len(asked)
        seconds = np.bincount(own["question"], own["seconds"], len(counting))[asked]
        quiet = np.maximum(open_s - seconds, 0.0) / scheduled_s
        found[name] = Silence(1 - answered, None if lead is not None else float(quiet.mean()))
    return found


def without_silence(
    counting: pd.DataFrame,
    forecasts: pd.DataFrame,
    entries: Entries,
    names: Sequence[str],
    lead: float | None,
) -> pd.DataFrame:
    """Return the differences of all pairs, the crowd forecasting for each side while it is silent.

    ``forecasts`` are those of the whole ledger. The columns are those of ``scoring.paired`` without
    ``shared``; a pair has the questions that either of the two forecast.

    While a side is silent it differs in nothing from the crowd. So its difference from another is
    its own difference from the crowd less the other's.
    """
    asked = np.unique(live_segments(counting, entries)["question"])
    crowd = len(entries.group)
    path = _crowd(counting, forecasts, asked).assign(forecaster=crowd)
    # A ledger without options has no column for their probabilities.
    known = entries.forecasts[[name for name in path if name in entries.forecasts]]
    both = pd.concat([known, path[list(known)].astype(known.dtypes)], ignore_index=True)
    # No member has an empty name, so the crowd comes first.
    group = pd.concat([entries.group, pd.Series([""])], ignore_index=True)
    against = scoring.paired(counting, both, group, lead)
    return _between(against[against["a"] == ""], pd.Index(sorted(names)))


def _between(against: pd.DataFrame, names: pd.Index) -> pd.DataFrame:
    """Return the difference of every two sides from those of each from the crowd."""
    side = names.get_indexer(pd.Index(against["b"]))
    question, ids = pd.factorize(against["question_id"], sort=True)
    from_crowd = np.full((len(names), len(ids)), np.nan)
    from_crowd[side, question] = -against["difference"].to_numpy()
    first, second = np.triu_indices(len(names), 1)
    known = ~np.isnan(from_crowd)
    pair, of = np.nonzero(known[first] | known[second])
    filled = np.nan_to_num(from_crowd)
    return pd.DataFrame(
        {
            "a": names[first[pair]],
            "b": names[second[pair]],
            "question_id": ids[of],
            "difference": filled[first[pair], of] - filled[second[pair], of],
        }
    )


def _crowd(counting: pd.DataFrame, forecasts: pd.DataFrame, asked: Places) -> pd.DataFrame:
    """Return the mean of all forecasts on each of these questions, as forecasts of one member.

    Columns: question_id, made_at, probability, probabilities; both are None while there is none.
    """
    ids = pd.Index(counting["question_id"])
    live = scoring.standing(counting, forecasts[forecasts["question_id"].isin(ids[asked])])
    options = [name for name in live.columns if name[:1] == "p" and name[1:].isdigit()]
    # Distributions have no mean here, and are not compared.
    live = live[live[["p", *options]].notna().any(axis=1).to_numpy()]
    values = live[["p", *options]].astype(np.float64)
    place = ids.get_indexer(pd.Index(live["question_id"]))
    both = pd.concat(
        [values.fillna(0.0), values.notna().add_prefix("given ").astype(float)], axis=1
    )
    # Each forecast joins the sums when it starts, and leaves them when it ends.
    changes = pd.concat(
        [
            (both * sign).assign(place=place, at=live[end].to_numpy())
            for sign, end in ((1, "start_s"), (-1, "end_s"))
        ]
    )
    sums = changes.groupby(["place", "at"]).sum().groupby(level="place").cumsum()
    given = sums.filter(like="given ").round().to_numpy()
    mean = sums[["p", *options]].div(np.where(given > 0, given, np.nan)).clip(0, 1)
    vectors = mean[options].to_numpy()
    vectors = vectors / np.nansum(vectors, axis=1, keepdims=True).clip(min=1e-300)
    at = mean.index.get_level_values("place").to_numpy()
    since = mean.index.get_level_values("at").to_numpy(dtype=np.float64)
    # The frame has as many columns as any question has options.
    many = np.array([len(own) if own else 0 for own in counting["options"]], dtype=np.intp)[at]
    lists = np.full(len(at), None, dtype=object)
    for i in np.flatnonzero((many > 0) & ~np.isnan(vectors).all(axis=1)):
        lists[i] = [None if np.isnan(p) else float(p) for p in vectors[i, : many[i]]]
    return pd.DataFrame(
        {
            "question_id": counting["question_id"].to_numpy()[at],
            "made_at": counting["open_time"].array[at]
            + (since * 1e6).round().astype("timedelta64[us]"),
            "probability": mean["p"].to_numpy(),
            "probabilities": lists,
        }
    )
