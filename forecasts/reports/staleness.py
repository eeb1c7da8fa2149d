"""Staleness: the cost of a group's unrevised forecasts (see ``scoring.staleness``).

It describes, and does not enter the verdict: a forecast can be right when made and still grow wrong
while time passes. Only questions with yes or no count, since options have no direction in time.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

import scoring
from forecasts.common.text import count
from forecasts.documents.numbers import decimals, interval, number
from forecasts.folder.frames import rows
from forecasts.reports.estimates import mean_over_questions
from forecasts.reports.groups import Entries, of_members
from forecasts.reports.report import Drift, Estimate, Staleness, Unrevised
from forecasts.reports.verdict import FEWEST
from scoring.arrays import Places

MOST = 5
# With fewer families of either outcome, a drift fits chance (ten for each number that is fitted:
# Peduzzi et al. 1996, doi:10.1016/S0895-4356(96)00236-3).
EVENTS = 10
_LEAST_POINTS = 0.0005  # less is 0.000
_DAY_S = 86_400


def unrevised(live: pd.DataFrame, entries: Entries) -> pd.DataFrame:
    """Return the binary forecasts of every group; ``live`` is from ``member_scores.live_segments``.

    Columns: group, question (a position), forecaster, p, y, days (for which it stood), weight, and
    left and lasted as in ``scoring.staleness``.
    """
    start, end, left = (live[name].to_numpy() for name in ("start_s", "end_s", "left_s"))
    found = pd.DataFrame(
        {
            "group": of_members(entries.group, live["forecaster"]),
            "question": live["question"].to_numpy(),
            "forecaster": of_members(entries.forecaster, live["forecaster"]),
            "p": live["p"].to_numpy(),
            "y": live["outcome"].to_numpy(),
            "days": (end - start) / _DAY_S,
            "left": left / (left + start),
            "lasted": np.minimum((end - start) / left, 1.0),
        }
    )
    # Each member of a group on a question counts alike.
    members = found.groupby(["group", "question"], observed=True)["forecaster"]
    return found.assign(weight=1 / members.transform("nunique"))[found["p"].notna()]


def staleness(stood: pd.DataFrame, family: Places, questions: pd.DataFrame) -> Staleness | None:
    """Return the cost of a group's unrevised forecasts; None without a binary question.

    ``stood`` are the group's rows of ``unrevised``; ``family``: the cluster of every question.
    """
    if stood.empty:
        return None
    of = family[stood["question"].to_numpy()]
    p, y, left, lasted, weight = (
        stood[name].to_numpy() for name in ("p", "y", "left", "lasted", "weight")
    )
    found = scoring.staleness(p=p, y=y, left=left, lasted=lasted, weight=weight, family=of)
    stood = stood.assign(cost=found.cost)
    cost = stood.groupby("question")["cost"].sum()
    clusters = family[cost.index.to_numpy()]
    estimate = mean_over_questions(cost.to_numpy(), clusters, lopsided=True)
    families = len(np.unique(clusters))
    events = min(len(np.unique(of[outcome > 0])) for outcome in (y, 1 - y))
    kind, sentence = _found(estimate, found.drift, len(cost), families, events)
    most = cost[cost >= _LEAST_POINTS].sort_values(ascending=False, kind="stable").head(MOST)
    costly = stood[stood["question"].isin(most.index)].sort_values("cost", kind="stable")
    longest = costly.groupby("question").last().loc[most.index]
    about = rows(questions[["id", "title"]].iloc[most.index])
    return Staleness(
        questions=len(cost),
        families=families,
        drift=found.drift,
        cost=estimate,
        kind=kind,
        sentence=sentence,
        most=tuple(
            Unrevised(asked.id, asked.title, str(row.forecaster), row.p, row.days, points)
            for asked, points, row in zip(about, most, rows(longest), strict=True)
        ),
    )


def _found(
    estimate: Estimate, drift: float, questions: int, families: int, events: int
) -> tuple[Drift, str]:
    """Return the claim; ``events``: the families with the rarer outcome."""
    many = f"{count(questions, 'question')} in {count(families, 'family')}"
    too_few = "Too few to tell the cost of unrevised forecasts:"
    if min(questions, families) < FEWEST or estimate.mean is None or estimate.interval is None:
        return "too_few", f"{too_few} {many}, and it takes {FEWEST} of both."
    if events < EVENTS:
        rarer = f"the rarer outcome came in {count(events, 'family')}, and it takes {EVENTS}."
        return "too_few", f"{too_few} {rarer}"
    digits = decimals(estimate.mean, *estimate.interval)
    between = interval(estimate.interval, digits)
    points = "Brier points (0–1) a question"
    mean = f"{number(estimate.mean, digits)} {points} (95% interval {between}; {many})."
    if estimate.interval[0] <= 0 or estimate.mean < _LEAST_POINTS:
        return "none", (f"No clear cost of unrevised forecasts: on average {mean}")
    kind: Drift = "grew_high" if drift > 0 else "grew_low"
    grew, moving = ("high", "lowering") if drift > 0 else ("low", "raising")
    return kind, (
        f"Unrevised forecasts grew too {grew}. With hindsight, {moving} each as time passed would "
        f"have saved {mean}"
    )
