"""What the updates of groups earned, by the publisher and the kind of the evidence they cite.

What an update earned, and how it is split over what it cites, stands in ``forecasts.attributions``.
Here it is added up for each question of a group, the mean over the group's members who have a
score there, so that a question counts once; the intervals are over families of questions.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

import scoring
from forecasts.attributions import UNCITED, split_points
from forecasts.frames import Frames
from forecasts.reports.estimates import mean_over_questions
from forecasts.reports.groups import Entries
from forecasts.reports.report import Earned
from forecasts.reports.scored import on, places

KINDS: tuple[Literal["publisher", "kind"], ...] = ("publisher", "kind")


def parts(
    questions: pd.DataFrame, frames: Frames, made: Entries, sharing: pd.Series[Any]
) -> pd.DataFrame:
    """Return one row a citation (or an update without one) of a group, with what it earned.

    ``sharing``: by (group, question), how many members have a score there. Columns: group,
    question (a position among ``questions``), publisher, kind, cited (whether anything was),
    points. No rows where nobody cites anything.
    """
    columns = ["group", "question", "publisher", "kind", "cited", "points"]
    if frames.evidence.empty or not frames.forecasts["evidence"].notna().any():
        return pd.DataFrame({name: pd.Series(dtype=object) for name in columns})
    here = on(questions, made)
    update = scoring.attribution(questions, here)
    update = update[update["points"].notna()].reset_index(drop=True)
    rows = frames.forecasts.iloc[here["row"].to_numpy()[update["forecast"].to_numpy()]]
    cites = rows["evidence"].notna().to_numpy()
    table = split_points(update[cites].reset_index(drop=True), rows[cites])
    table["update"] = np.flatnonzero(cites)[table["update"].to_numpy(np.intp)]
    uncited = update.loc[~cites, ["question_id", "points"]]
    uncited = uncited.assign(update=np.flatnonzero(~cites), evidence_id=UNCITED)
    table = pd.concat([table[uncited.columns], uncited], ignore_index=True)
    known = frames.evidence.set_index("evidence_id")[["publisher", "kind"]]
    table = table.join(known, on="evidence_id").fillna({"publisher": "", "kind": ""})
    member = update["forecaster"].to_numpy(np.intp)[table["update"].to_numpy()]
    table["group"] = made.group.to_numpy(dtype=object)[member]
    table["question"] = places(questions, table["question_id"])
    table["cited"] = table["evidence_id"] != UNCITED
    shared = sharing.reindex(pd.MultiIndex.from_frame(table[["group", "question"]])).to_numpy()
    table["points"] = table["points"].to_numpy() / shared
    found: pd.DataFrame = table[columns]
    return found


def earned(cited: pd.DataFrame, family: npt.NDArray[np.integer]) -> tuple[Earned, ...]:
    """Return what one group earned, by publisher and by kind, most first; its rows of ``parts``.

    Nothing where it cites nothing.
    """
    if not cited["cited"].any():
        return ()
    found: list[Earned] = []
    for by in KINDS:
        # What cites nothing has no kind; it need not be told again as having no publisher.
        told = cited[cited["cited"]] if by == "publisher" else cited
        rows = [_row(by, str(name), part, family) for name, part in told.groupby(by, sort=True)]
        found += sorted(rows, key=lambda row: -row.points)
    return tuple(found)


def _row(
    by: Literal["publisher", "kind"],
    name: str,
    part: pd.DataFrame,
    family: npt.NDArray[np.integer],
) -> Earned:
    each = part.groupby("question")["points"].sum()
    cluster = family[each.index.to_numpy(dtype=np.intp)]
    return Earned(
        by=by,
        name=name,
        citations=int(part["cited"].sum()),
        questions=len(each),
        families=len(np.unique(cluster)),
        points=float(each.sum()),
        per_question=mean_over_questions(each.to_numpy(dtype=np.float64), cluster),
    )
