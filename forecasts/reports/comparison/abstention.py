"""Abstention: how much each side left without a forecast, and the comparison as if it had not.

Only shared time is compared, so a side that withdraws when unsure is compared where it is sure, and
can seem better than its equal. Where one of two was clearly more silent, a claim is made only if it
also holds without silence: a forecast lasts although it is withdrawn, and before its first one a
side scores like the mean of all forecasters with a forecast at the time. (The score of the mean
forecast is better than that mean, and would praise the silent.) While both are silent there is no
difference. Of only two sides the others are the other side, and nothing is checked: without a third
forecaster on half of the questions there is no claim.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

import scoring
from forecasts.documents.numbers import percent
from forecasts.reports.groups import VALUES, Entries
from forecasts.reports.member_scores import at_lead, live_segments
from scoring import comparison as compared
from scoring.pairing import ROUNDING

# Sides are compared without abstention if their silence differs by more than this share.
SELECTIVE = 0.05
# The check takes a third forecaster on this share of the questions.
LEAST_CHECKED = 0.5


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
    """Return the differences of all pairs, without the silence of either.

    ``forecasts`` are those of the whole ledger. The columns are those of ``scoring.paired`` without
    ``shared``, and ``checks``: whether a forecaster of neither side forecast the question. A pair
    has the questions that either of the two forecast.

    While a side is silent it differs in nothing from all forecasters. So its difference from
    another is its own difference from them less the other's.
    """
    asked = np.unique(live_segments(counting, entries)["question"])
    ids = counting["question_id"].iloc[asked]
    all_ = forecasts[forecasts["question_id"].isin(ids)]
    own = entries.forecasts
    values = own.columns[own.columns.isin(VALUES)]
    own = own[~own["inside"] | own[values].notna().any(axis=1)]  # withdrawn, yet it lasts
    many = len(entries.group)
    code, people = pd.factorize(all_["forecaster"])
    columns = [name for name in ("question_id", "made_at", *values) if name in all_]
    others = all_[columns].assign(forecaster=many + code)
    both = pd.concat([own[[*columns, "forecaster"]], others], ignore_index=True)
    # No member has an empty name, so all forecasters come first.
    group = pd.concat([entries.group, pd.Series([""] * len(people))], ignore_index=True)
    against = scoring.paired(counting, both, group, lead)
    answered = own[["question_id", "forecaster"]].drop_duplicates()
    answered["group"] = entries.group.to_numpy(dtype=object)[answered["forecaster"]]
    by_side = answered.groupby(["group", "question_id"]).size()
    everyone = others.groupby("question_id")["forecaster"].nunique()
    return _between(against[against["a"] == ""], pd.Index(sorted(names)), by_side, everyone)


def _between(
    against: pd.DataFrame, names: pd.Index, by_side: pd.Series, everyone: pd.Series
) -> pd.DataFrame:
    """Return the difference of every two sides from those of each from all forecasters.

    ``by_side`` (group, question_id) and ``everyone`` (question_id): the numbers of forecasters.
    """
    side = names.get_indexer(pd.Index(against["b"]))
    question, ids = pd.factorize(against["question_id"], sort=True)
    from_all = np.full((len(names), len(ids)), np.nan)
    from_all[side, question] = -against["difference"].to_numpy()
    first, second = np.triu_indices(len(names), 1)
    known = ~np.isnan(from_all)
    pair, of = np.nonzero(known[first] | known[second])
    filled = np.nan_to_num(from_all)
    own = by_side.unstack(fill_value=0).reindex(index=names, columns=ids, fill_value=0).to_numpy()
    others = everyone.reindex(ids, fill_value=0).to_numpy()[of]
    difference = filled[first[pair], of] - filled[second[pair], of]
    return pd.DataFrame(
        {
            "a": names[first[pair]],
            "b": names[second[pair]],
            "question_id": ids[of],
            "difference": np.where(np.abs(difference) < ROUNDING, 0.0, difference),
            "checks": others > own[first[pair], of] + own[second[pair], of],
        }
    )


def checked(
    found: compared.Comparison,
    silent: Mapping[str, Silence],
    filled: Callable[[], pd.DataFrame],
    members: Mapping[str, Collection[Hashable]],
    families: pd.Series,
) -> tuple[compared.Comparison, dict[tuple[str, str], compared.Pair]]:
    """Return the comparison without the claims that silence explains, and the pairs without it.

    ``filled`` returns the table of ``without_silence``; it is called if one side of a comparable
    pair was clearly more silent. The pairs without silence are those, where a third forecaster
    makes the check possible.
    """
    selective = [
        (pair.a, pair.b)
        for pair in found.pairs
        if pair.comparable and abs(silent[pair.a].share - silent[pair.b].share) > SELECTIVE
    ]
    if not selective:
        return found, {}
    table = filled()
    third = table.groupby(["a", "b"])["checks"].mean()
    checks = {(pair.a, pair.b): pair for pair in scoring.compare(table, members, families).pairs}
    without, reasons = {}, {}
    claims = {(pair.a, pair.b): pair.better for pair in found.pairs}
    for a, b in selective:
        share = third.get((a, b), third.get((b, a), 0.0))
        quiet = " and ".join(f"{name} for {percent(silent[name].share)}" for name in (a, b))
        gaps = f"{quiet} of the {'time' if silent[a].silent is not None else 'questions'}"
        if share < LEAST_CHECKED:
            reasons[a, b] = (
                f"they had no forecast, {gaps}, and without a third forecaster nothing tells how "
                "they would have done there"
            )
            continue
        without[a, b] = check = checks[a, b]
        if claims[a, b] not in (None, check.better):
            reasons[a, b] = (
                f"they had no forecast, {gaps}; once these gaps are filled, chance explains the "
                "difference"
            )
    return compared.withheld(found, reasons), without
