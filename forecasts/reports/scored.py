"""From the forecasts of groups to one score a question, and the claims they are calibrated on.

**One score a question.** A group's score on a question is the mean over its members of their
scores there, so that a question counts once, however many forecast it and however often.

**Claims.** What stood, and for how long: each live forecast of each member is a claim, weighted
by its share of that member's live time, divided by the members who have a score on the question.
So a question weighs 1, and the claims' mean Brier score is the group's. A multiple-choice
forecast is one yes/no claim an option, each of half the weight, because its Brier score (0–1) is
half the sum over its options; a question of two options thus counts as the binary one it is.
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


def member_scores(questions: pd.DataFrame, made: Entries) -> pd.DataFrame:
    """Return one row a question and member of a group: the scores, coverage, updates.

    ``questions`` are those that count. Columns: group, question (a position among them), member
    (a number of ``made``), brier, brier_original, log, coverage, updates.
    """
    table = scoring.score(questions, _on(questions, made), list(MEASURES))
    by_measure = dict(iter(table.groupby("protocol", sort=False)))
    first = by_measure[PROTOCOL] if len(table) else table
    scores = pd.DataFrame(
        {
            "group": made.group.to_numpy(dtype=object)[first["forecaster"].to_numpy(dtype=np.intp)],
            "question": _places(questions, first["question_id"]),
            "member": first["forecaster"].to_numpy(dtype=np.intp),
            "coverage": first["coverage"].to_numpy(),
            "updates": first["updates"].to_numpy(),
        }
    )
    for name in MEASURES:
        # The same rules apply to the same questions, so the rows are the same.
        scores[name] = by_measure[name]["score"].to_numpy() if len(table) else np.zeros(0)
    return scores


def question_scores(scores: pd.DataFrame) -> pd.DataFrame:
    """Return one row a group and question: the means over its members.

    Columns: group, question, brier, brier_original, log, coverage, and updates, their sum.
    """
    return scores.groupby(["group", "question"], as_index=False, sort=True).agg(
        **{name: (name, "mean") for name in (*MEASURES, "coverage")}, updates=("updates", "sum")
    )


def claims(questions: pd.DataFrame, made: Entries, scores: pd.DataFrame) -> pd.DataFrame:
    """Return every claim of every group; ``scores`` are those of ``member_scores``.

    Columns: group, question (a position), option (0 on a binary question), p, y (what came of
    it, 0..1), weight.
    """
    live = scoring.standing(questions, _on(questions, made))
    place = _places(questions, live["question_id"])
    group = made.group.to_numpy(dtype=object)[live["forecaster"].to_numpy(dtype=np.intp)]
    sharing = scores.groupby(["group", "question"])["member"].transform("size").to_numpy()
    # Both frames are in order of question and member; a run of segments has one row of scores.
    member = live["forecaster"].to_numpy()
    begins = (np.diff(place, prepend=-1) != 0) | (np.diff(member, prepend=-1) != 0)
    run = np.cumsum(begins) - 1
    weight = live["weight"].to_numpy() / sharing[run]
    outcome = outcomes(questions)[place]
    p = live["p"].to_numpy()
    binary = ~np.isnan(p)
    parts = [_rows(binary, group, place, 0, p, outcome, weight)]
    options = [name for name in live.columns if name[:1] == "p" and name[1:].isdigit()]
    if options:
        vectors = live[options].to_numpy()
        last = questions["options"].map(lambda o: len(o) - 1 if o else 0).to_numpy()[place]
        true = np.where(binary, 0, outcome).astype(np.intp)
        lacking = np.isnan(vectors[np.arange(len(vectors)), true])
        true = np.where(lacking, last, true)
        for option in range(len(options)):
            there = ~binary & ~np.isnan(vectors[:, option])
            came = (true == option).astype(np.float64)
            parts.append(_rows(there, group, place, option, vectors[:, option], came, weight / 2))
    return pd.concat(parts, ignore_index=True)


def _on(questions: pd.DataFrame, made: Entries) -> pd.DataFrame:
    return made.forecasts[made.forecasts["question_id"].isin(questions["question_id"])]


def _places(questions: pd.DataFrame, ids: pd.Series) -> npt.NDArray[np.intp]:
    places: npt.NDArray[np.intp] = pd.Index(questions["question_id"]).get_indexer(ids)
    return places


def _rows(
    where: npt.NDArray[np.bool_],
    group: npt.NDArray[np.object_],
    question: npt.NDArray[np.intp],
    option: int,
    p: npt.NDArray[np.float64],
    y: npt.NDArray[np.float64],
    weight: npt.NDArray[np.float64],
) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "group": group[where],
            "question": question[where],
            "option": option,
            "p": p[where],
            "y": y[where],
            "weight": weight[where],
        }
    )
