"""The skill of groups: the advantage over the other forecasters at the same times.

Everyone is compared with all others who had a forecast, of any group: a team's members with their
team mates too. A group's skill on a question is the mean over its members.

For the comparison, someone who changed teams is several forecasters, one after the other. Their
points can then be separated by team, and they never meet themself, because no two of these
have a forecast at the same time. Both protocols divide by the scheduled time of the question, so
the points under each add up.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

import scoring
from forecasts.reports.groups import VALUES, Entries
from forecasts.reports.member_scores import places, timing_days
from forecasts.scores.frames import Frames

ADVANTAGES = {"skill": "peers", "crowd_skill": "crowd_mean"}


def skills(
    questions: pd.DataFrame, frames: Frames, entries: Entries, lead: float | None = None
) -> pd.DataFrame:
    """Return one row a group and question that someone else forecast too: its mean skills.

    Columns: group, question (a position among ``questions``, which all count), skill,
    crowd_skill. ``entries`` are the entries of forecasters or of teams.
    """
    everyone, person, credit = _compared(frames, entries)
    forecasts = everyone[everyone["question_id"].isin(questions["question_id"])]
    timing = "scheduled_average" if lead is None else f"lead({timing_days(lead)})"
    protocols = [
        scoring.Protocol(name, "brier", timing, reference, 100.0, "higher is better")
        for name, reference in ADVANTAGES.items()
    ]
    table = scoring.score(questions, forecasts, protocols)
    wide = table[table["protocol"] == "skill"][["question_id", "forecaster", "score"]]
    wide = wide.rename(columns={"score": "skill"})
    wide["crowd_skill"] = table.loc[table["protocol"] == "crowd_skill", "score"].to_numpy()
    wide["question"] = places(questions, wide.pop("question_id"))
    wide["forecaster"] = wide["forecaster"].astype(np.intp)
    people = pd.Series(person[wide["forecaster"]]).groupby(wide["question"].to_numpy())
    wide = wide[wide["question"].map(people.nunique()).to_numpy() > 1]
    earned = wide.merge(credit, on="forecaster").drop(columns="forecaster")
    each = earned.groupby(["question", "member"], as_index=False).sum()
    each["group"] = entries.group.to_numpy(dtype=object)[each["member"]]
    mean = each.groupby(["group", "question"], as_index=False)[list(ADVANTAGES)].mean()
    return mean[["group", "question", *ADVANTAGES]]


def _compared(frames: Frames, entries: Entries) -> tuple[pd.DataFrame, np.ndarray, pd.DataFrame]:
    """Return everyone's forecasts, the person of each forecaster, and who is credited with them.

    The last has one row a forecaster and member of a group: forecaster, member (a number of
    ``entries``).
    """
    used = [name for name in VALUES if name in entries.forecasts]
    plain = frames.forecasts[["question_id", "made_at", *used]]
    person, handles = pd.factorize(frames.forecasts["forecaster"], sort=True)
    # Someone's groups at a time, as a sum of powers of two, one for each group.
    members = pd.DataFrame(
        {
            "member": np.arange(len(entries.group)),
            "person": pd.Index(handles).get_indexer(entries.forecaster),
        }
    )
    members["flag"] = 2.0 ** members.groupby("person").cumcount()
    inside = entries.forecasts[entries.forecasts["inside"]]
    flags = members["flag"].to_numpy()[inside["forecaster"].to_numpy()]
    roles = np.bincount(inside["row"], flags, minlength=len(plain))
    known = pd.DataFrame({"person": person, "roles": roles}).drop_duplicates()
    known = known.sort_values(["person", "roles"], ignore_index=True)
    known["forecaster"] = np.arange(len(known))
    credit = known.merge(members, on="person")
    counts = (credit["roles"] // credit["flag"]) % 2 == 1
    credit = credit.loc[counts, ["forecaster", "member"]]
    if len(known) == len(handles):  # nobody changed teams
        return plain.assign(forecaster=person), known["person"].to_numpy(), credit
    rows = pd.DataFrame({"row": np.arange(len(plain)), "person": person, "now": roles})
    rows = rows.merge(known, on="person").sort_values(["row", "forecaster"], ignore_index=True)
    forecasts = plain.iloc[rows["row"].to_numpy()].reset_index(drop=True)
    forecasts["forecaster"] = rows["forecaster"]
    # Of the forecasters that one person is, a forecast of one ends the others'.
    here = rows["now"] == rows["roles"]
    for name in used:
        forecasts[name] = forecasts[name].where(here)
    return forecasts, known["person"].to_numpy(), credit
