"""One score per question for each group.

A group's score on a question is the mean over its members' scores, so that a question counts once,
however many members forecast it and however often.

**At a lead** only the forecast current that many days before the scheduled close counts, with the
whole weight of its member.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

import scoring
from forecasts.reports.cohort import outcomes
from forecasts.reports.groups import Entries
from scoring.arrays import Floats, Places

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
    """Return the live segments of each member.

    The columns of ``scoring.standing``, its forecaster a number of ``entries``, and question (a
    position among ``questions``), outcome (see ``outcomes``), made_at, undated (whether that is
    not the time of its making), and left_s: the seconds from its start to the scheduled close.
    """
    made = on(questions, entries)
    live = scoring.standing(questions, made)
    for name in ("made_at", "undated"):
        live[name] = made[name].array[live["forecast"].to_numpy()]
    live["question"] = places(questions, live.pop("question_id"))
    live["outcome"] = outcomes(questions)[live["question"]]
    length = questions["scheduled_close_time"] - questions["open_time"]
    live["left_s"] = length.dt.total_seconds().to_numpy()[live["question"]] - live["start_s"]
    return live


def at_lead(live: pd.DataFrame, days: float) -> pd.DataFrame:
    """Return the segments current that many days before the scheduled close, with full weight."""
    before = days * 86_400
    lasts = live["end_s"] - live["start_s"]
    there = (live["left_s"] >= before) & (live["left_s"] - lasts < before)
    return live[there].assign(weight=1.0)


def option_columns(questions: pd.DataFrame, live: pd.DataFrame) -> tuple[Floats, Floats, Places]:
    """Return the probabilities and the outcome of live segments, one column per option.

    And the last option of each segment's question. Binary is [no, yes]. A probability is NaN if the
    question does not have the option, or did not yet: such an option, if it is the outcome, counts
    as the last one.
    """
    place, yes, outcome = (live[name].to_numpy() for name in ("question", "p", "outcome"))
    binary = ~np.isnan(yes)
    options = [name for name in live.columns if name[:1] == "p" and name[1:].isdigit()]
    p = np.full((len(live), max(2, len(options))), np.nan)
    p[:, : len(options)] = live[options].to_numpy()
    p[binary, 0], p[binary, 1] = 1 - yes[binary], yes[binary]
    many = [len(given) if given else 2 for given in questions["options"]]
    last = np.maximum(np.array(many, dtype=np.intp) - 1, 1)[place]
    row, happened = np.arange(len(live)), np.where(binary, 1, outcome).astype(np.intp)
    happened = np.where(np.isnan(p[row, happened]), last, happened)
    y = np.zeros_like(p)
    y[row, happened] = np.where(binary, outcome, 1.0)
    y[binary, 0] = 1 - outcome[binary]
    return p, y, last


def on(questions: pd.DataFrame, entries: Entries) -> pd.DataFrame:
    """Return the forecasts on these questions."""
    return entries.forecasts[entries.forecasts["question_id"].isin(questions["question_id"])]


def places(questions: pd.DataFrame, ids: pd.Series) -> Places:
    """Return the position of each id among the questions."""
    found: Places = pd.Index(questions["question_id"]).get_indexer(pd.Index(ids))
    return found
