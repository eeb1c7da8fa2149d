"""The points that a group's updates earned, in total and by the evidence that they cite.

``forecasts.scores.attribution`` computes the points of an update and divides them among its
citations. Here they are added up for each question of a group, so that a question counts once, and
divided by the number of the group's members; the intervals are over families of questions.

**All members** are counted, also those without a score on the question, for the same reason as in
the weight of tests (``member_scores``). The number with a score depends on the outcome: a "yes"
that closes a question early excludes members who would have come later. Divided by that number, an
update towards "yes" would weigh more when right than when wrong, and sources that point to "yes"
would look better than they are. The price: a group's points do not add up to the change of its
Brier score, which divides by the members with a forecast; each member's own points do (by
forecaster, the two are the same).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

import scoring
from forecasts.common.times import utc
from forecasts.folder.frames import Frames, rows
from forecasts.reports.estimates import mean_over_questions
from forecasts.reports.groups import Entries, of_members
from forecasts.reports.member_scores import on, places
from forecasts.reports.report import Earned, Update, Updates
from forecasts.scores.attribution import UNCITED, split_points
from scoring.arrays import Places
from scoring.null_distribution import FAR
from scoring.rare_events import least_error

KINDS: tuple[Literal["publisher", "kind"], ...] = ("publisher", "kind")
# The number of pieces of evidence, and of updates, listed for most points, and for fewest.
MOST = 5
_UPDATE = ("remaining", "score_before", "score", "promised", "surprise")


@dataclass(frozen=True)
class Parts:
    """The points earned: one row an update (that replaced a forecast), and one row a citation.

    Both have group, question (a position among those that count) and points, the group's: the
    points earned divided by its number of members. ``updates`` also has own (the points earned),
    share (one over that number), row (a position in the frame) and the columns of
    ``scoring.attribution``; ``cited`` has evidence_id, publisher, kind, and is empty without
    citations. Both also have p, the new probability, and reach: the points that the update would
    earn with a yes, less those with a no (0 where the outcome is neither).
    """

    updates: pd.DataFrame
    cited: pd.DataFrame


_NO_ROWS = pd.DataFrame({"group": pd.Series(dtype=object), "question": np.zeros(0, np.intp)})
NOTHING = Parts(_NO_ROWS, _NO_ROWS)


def parts(questions: pd.DataFrame, frames: Frames, entries: Entries, people: pd.Series) -> Parts:
    """Return the points of every update of every group; ``people``: the members of each group."""
    forecasts = on(questions, entries)
    earned = scoring.attribution(questions, forecasts)
    earned = earned[earned["points"].notna()].reset_index(drop=True)
    member = earned["forecaster"].to_numpy(np.intp)
    share = 1 / people.reindex(entries.group).to_numpy(dtype=np.float64)
    updates = earned[list(_UPDATE)].assign(
        group=of_members(entries.group, member),
        question=places(questions, earned["question_id"]),
        row=forecasts["row"].to_numpy()[earned["forecast"].to_numpy()],
        own=earned["points"],
        share=share[member],
    )
    updates["points"] = updates["own"] * updates["share"]
    updates["p"] = frames.forecasts["probability"].to_numpy()[updates["row"]]
    yes = questions["resolution"].map({"yes": 1.0, "no": 0.0}).to_numpy(dtype=np.float64)
    missed = yes[updates["question"]] - updates["p"]
    reach = updates["surprise"] * updates["share"] / missed
    updates["reach"] = reach.where(np.isfinite(missed) & (missed != 0), 0.0)
    return Parts(updates, _cited(updates, frames))


def _cited(updates: pd.DataFrame, frames: Frames) -> pd.DataFrame:
    """Return one row a citation, or update without one; no rows if there is no citation."""
    if frames.evidence.empty or not frames.forecasts["evidence"].notna().any():
        return NOTHING.cited
    given = frames.forecasts.iloc[updates["row"].to_numpy()]
    cites = given["evidence"].notna().to_numpy()
    earned = updates[["question", "points"]].rename(columns={"question": "question_id"})
    table = split_points(earned[cites].reset_index(drop=True), given[cites])
    table["update"] = np.flatnonzero(cites)[table["update"].to_numpy(np.intp)]
    uncited = earned[~cites].assign(update=np.flatnonzero(~cites), evidence_id=UNCITED)
    table = pd.concat([table[uncited.columns], uncited], ignore_index=True)
    cited = updates.iloc[table["update"].to_numpy(np.intp)].reset_index(drop=True)
    table["p"] = cited["p"]
    table["reach"] = (cited["reach"] * table["points"] / cited["points"]).fillna(0.0)
    known = frames.evidence.set_index("evidence_id")[["publisher", "kind"]]
    table = table.join(known, on="evidence_id").fillna({"publisher": "", "kind": ""})
    table["group"] = updates["group"].to_numpy()[table.pop("update").to_numpy(np.intp)]
    return table.rename(columns={"question_id": "question"})


def earned(
    cited: pd.DataFrame, evidence: pd.DataFrame, family: Places
) -> tuple[tuple[Earned, ...], int]:
    """Return the points of one group by publisher, kind and evidence, and its number of pieces.

    Most points first; of the pieces of evidence only the extremes. ``cited`` are its rows of
    ``Parts``, ``evidence`` the ledger's. Empty without citations.
    """
    with_source = cited[cited["evidence_id"] != UNCITED] if len(cited) else cited
    if with_source.empty:
        return (), 0
    found: list[Earned] = []
    # Updates without citations are listed once, by kind, not again by publisher.
    for by in KINDS:
        part = with_source if by == "publisher" else cited
        lines = [_row(by, str(name), own, family) for name, own in part.groupby(by, sort=True)]
        found += sorted(lines, key=lambda row: -row.points)
    sums = with_source.groupby("evidence_id", sort=True)["points"].sum()
    picked = [*ends(sums, 1), *ends(sums, -1)[::-1]]
    # Its title, else its address, else its id.
    names = {row.evidence_id: row.title or row.url or row.evidence_id for row in rows(evidence)}
    pieces = dict(iter(with_source[with_source["evidence_id"].isin(picked)].groupby("evidence_id")))
    found += [_row("evidence", key, pieces[key], family, names[key]) for key in picked]
    return tuple(found), len(sums)


def ends(points: pd.Series, sign: int) -> list[Any]:
    """Return the labels of the few points furthest above 0, or below it, the furthest first."""
    beyond = points[points * sign > 0]
    return list((beyond * sign).nlargest(MOST, keep="first").index)


def _row(
    by: Literal["publisher", "kind", "evidence"],
    name: str,
    part: pd.DataFrame,
    family: Places,
    title: str = "",
) -> Earned:
    citations = int((part["evidence_id"] != UNCITED).sum())
    return Earned(by, name, title, citations, **_totals(part, family))


def _totals(part: pd.DataFrame, family: Places) -> dict[str, Any]:
    each = part.groupby("question")["points"].sum()
    cluster = family[each.index.to_numpy(dtype=np.intp)]
    least = (FAR * least_error(_moments(part)),) * 2
    return {
        "questions": len(each),
        "families": len(np.unique(cluster)),
        "points": float(each.sum()),
        "per_question": mean_over_questions(each.to_numpy(), cluster, rare=True, least=least),
    }


def _moments(part: pd.DataFrame) -> pd.DataFrame:
    """Return variance and third central moment of each question's points under calibration.

    Those of a question whose probability stays at the mean of its updates, by their reach.
    """
    size = part["reach"].abs()
    each = {"away": part["reach"], "size": size, "p": (size * part["p"]).fillna(0.0)}
    sums = pd.DataFrame(each).groupby(part["question"]).sum()
    p = (sums["p"] / sums["size"]).fillna(0.0)
    variance = p * (1 - p) * sums["away"] ** 2
    return pd.DataFrame({"variance": variance, "third": variance * (1 - 2 * p) * sums["away"]})


def updates_of(
    moved: pd.DataFrame, frames: Frames, questions: pd.DataFrame, family: Places
) -> Updates | None:
    """Return the points of one group's updates, and the updates that earned and lost most.

    ``moved`` are its rows of ``Parts``, ``questions`` those that count. None if no update on these
    questions replaced a forecast.
    """
    if moved.empty:
        return None
    own = moved["own"]
    most, least = (_updates(moved.loc[ends(own, sign)], frames, questions) for sign in (1, -1))
    return Updates(
        updates=len(moved),
        helped=int((own > 0).sum()),
        cost=int((own < 0).sum()),
        **_totals(moved, family),
        promised=float((moved["promised"] * moved["share"]).sum()),
        surprise=float((moved["surprise"] * moved["share"]).sum()),
        most=most,
        least=least,
    )


def _updates(moved: pd.DataFrame, frames: Frames, questions: pd.DataFrame) -> tuple[Update, ...]:
    """Return updates with their forecasts; ``moved`` are rows of ``Parts``."""
    forecasts = frames.forecasts[["forecaster", "made_at"]].iloc[moved["row"].to_numpy()]
    return tuple(
        Update(
            question=str(questions["id"].iloc[row.question]),
            title=str(questions["title"].iloc[row.question]),
            forecaster=str(forecaster),
            made_at=utc(made_at.to_pydatetime()),
            points=float(row.own),
            **{name: float(getattr(row, name)) for name in _UPDATE},
        )
        for row, forecaster, made_at in zip(
            rows(moved), forecasts["forecaster"], forecasts["made_at"], strict=True
        )
    )
