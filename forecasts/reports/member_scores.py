"""One score per question for each group, and the claims for its calibration.

**One score per question.** A group's score on a question is the mean over its members' scores, so
that a question counts once, however many members forecast it and however often.

**Claims.** Each live forecast of each member is a claim, weighted by its share of that member's
live time, divided by the number of members with a score on the question. So a question has weight
1, and the claims' mean Brier score is the group's. A multiple-choice forecast is one yes/no claim
per option, each with half the weight, because its Brier score (0–1) is half the sum over its
options; a question with two options thus counts like the equivalent binary one.

**Scheduled time.** The share of the live time depends on later events: if a "yes" closes a question
early, the short time before it counts for more. The weight ``fixed`` does not: it has the time from
a member's first forecast to the scheduled close instead of the live time, and all members of the
group instead of those with a score on the question. The tests of a report use neither, but
forecasts when they were made (``when_made``); the simulations of ``benchmarks`` use ``fixed``.

**At a lead** only the forecast current that many days before the scheduled close counts, with the
whole weight of its member.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

import scoring
from forecasts.reports.cohort import outcomes
from forecasts.reports.groups import Entries

PROTOCOL = "brier"
MEASURES = ("brier", "brier_original", "log")


def protocol(measure: str, lead: float | None) -> str:
    """Return the name of the protocol for a measure, at that lead."""
    return measure if lead is None else f"{measure}_lead({timing_days(lead)})"


def timing_days(lead: float) -> str:
    """Return the days of a lead as in the name of a timing."""
    return f"{lead:.6f}".rstrip("0").rstrip(".")


def member_scores(
    questions: pd.DataFrame, entries: Entries, lead: float | None = None
) -> pd.DataFrame:
    """Return one row a question and member of a group: the scores, coverage, updates.

    ``questions`` are those that count. Columns: group, question (a position among them), member
    (a number of ``entries``), brier, brier_original, log, coverage, updates.
    """
    names = {measure: protocol(measure, lead) for measure in MEASURES}
    table = scoring.score(questions, on(questions, entries), list(names.values()))
    by_measure = dict(iter(table.groupby("protocol", sort=False)))
    first = by_measure[names[PROTOCOL]] if len(table) else table
    member = first["forecaster"].to_numpy(dtype=np.intp)
    scores = pd.DataFrame(
        {
            "group": entries.group.to_numpy(dtype=object)[member],
            "question": places(questions, first["question_id"]),
            "member": member,
            "coverage": first["coverage"].to_numpy(),
            "updates": first["updates"].to_numpy(),
        }
    )
    for measure, name in names.items():
        # All measures have the same rows, because they cover the same forecasts.
        scores[measure] = by_measure[name]["score"].to_numpy() if len(table) else np.zeros(0)
    return scores


def question_scores(scores: pd.DataFrame) -> pd.DataFrame:
    """Return one row a group and question: the means over its members.

    Columns: group, question, brier, brier_original, log, coverage, and updates, their sum.
    """
    return scores.groupby(["group", "question"], as_index=False, sort=True).agg(
        **{name: (name, "mean") for name in (*MEASURES, "coverage")}, updates=("updates", "sum")
    )


def live_segments(questions: pd.DataFrame, entries: Entries) -> pd.DataFrame:
    """Return the live segments of each member, the basis of claims.

    The columns of ``scoring.standing``, its forecaster a number of ``entries``, and question (a
    position among ``questions``), outcome (see ``outcomes``), left_s: the seconds from its start
    to the scheduled close, and fixed: its length over the left_s of the member's first segment.
    """
    live = scoring.standing(questions, on(questions, entries))
    live["question"] = places(questions, live.pop("question_id"))
    live["outcome"] = outcomes(questions)[live["question"]]
    length = questions["scheduled_close_time"] - questions["open_time"]
    live["left_s"] = length.dt.total_seconds().to_numpy()[live["question"]] - live["start_s"]
    begins = _begins(live)
    first = live["left_s"].to_numpy()[begins][np.cumsum(begins) - 1]
    live["fixed"] = (live["end_s"] - live["start_s"]) / first
    return live


def at_lead(live: pd.DataFrame, days: float) -> pd.DataFrame:
    """Return the segments current that many days before the scheduled close, with full weight."""
    before = days * 86_400
    lasts = live["end_s"] - live["start_s"]
    there = (live["left_s"] >= before) & (live["left_s"] - lasts < before)
    return live[there].assign(weight=1.0, fixed=1.0)


def claims(questions: pd.DataFrame, live: pd.DataFrame, entries: Entries) -> pd.DataFrame:
    """Return every claim of every group; ``live`` is from ``live_segments``, in its order.

    Columns: group, question (a position), option (0 on a binary question), p, y (its outcome,
    0..1), below (the probability of the options before it), weight, fixed (the weight of tests:
    a question has 1 if every member's forecasts last to its scheduled close).
    """
    place, member = live["question"].to_numpy(), live["forecaster"].to_numpy(dtype=np.intp)
    code, names = pd.factorize(entries.group.to_numpy(dtype=object), sort=True)
    group = code[member]
    of = place.astype(np.int64) * max(len(names), 1) + group
    sharing = np.bincount(of[_begins(live)], minlength=int(of.max()) + 1 if len(of) else 0)
    weight = live["weight"].to_numpy() / sharing[of]
    people = np.bincount(code[np.unique(member)], minlength=len(names))
    fixed = live["fixed"].to_numpy() / people[group]
    outcome, p = live["outcome"].to_numpy(), live["p"].to_numpy()
    binary = ~np.isnan(p)

    def of_option(
        option: int, there: np.ndarray, p: np.ndarray, y: np.ndarray, below: np.ndarray, parts: int
    ) -> pd.DataFrame:
        columns = {"group": group, "question": place, "p": p, "y": y, "below": below}
        columns |= {"weight": weight / parts, "fixed": fixed / parts}
        rows = pd.DataFrame({name: values[there] for name, values in columns.items()})
        rows.insert(2, "option", option)
        return rows

    parts = [of_option(0, binary, p, outcome, np.zeros(len(p)), 1)]
    options = [name for name in live.columns if name[:1] == "p" and name[1:].isdigit()]
    if options:
        vectors = live[options].to_numpy()
        last = questions["options"].map(lambda o: len(o) - 1 if o else 0).to_numpy()[place]
        true = np.where(binary, 0, outcome).astype(np.intp)
        lacking = np.isnan(vectors[np.arange(len(vectors)), true])
        true = np.where(lacking, last, true)
        below = np.cumsum(np.nan_to_num(vectors), axis=1) - np.nan_to_num(vectors)
        for option, own in enumerate(vectors.T):
            there = ~binary & ~np.isnan(own)
            came = (true == option).astype(np.float64)
            parts.append(of_option(option, there, own, came, below[:, option], 2))
    found = pd.concat(parts, ignore_index=True)
    codes = found["group"].to_numpy(dtype=np.intp)
    return found.assign(group=pd.Categorical.from_codes(codes, pd.Index(names)))


def on(questions: pd.DataFrame, entries: Entries) -> pd.DataFrame:
    """Return the forecasts on these questions."""
    return entries.forecasts[entries.forecasts["question_id"].isin(questions["question_id"])]


def places(questions: pd.DataFrame, ids: pd.Series) -> npt.NDArray[np.intp]:
    """Return the position of each id among the questions."""
    found: npt.NDArray[np.intp] = pd.Index(questions["question_id"]).get_indexer(ids)
    return found


def _begins(live: pd.DataFrame) -> npt.NDArray[np.bool_]:
    """Return which segments are a member's first on a question; ``live`` is sorted by both."""
    place, member = live["question"].to_numpy(), live["forecaster"].to_numpy(dtype=np.intp)
    begins = np.diff(place, prepend=-1) != 0
    return np.asarray(begins | (np.diff(member, prepend=-1) != 0))
