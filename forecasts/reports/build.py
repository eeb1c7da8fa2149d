"""The one step that makes a report: frames in, ``Report`` out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd

import scoring
from forecasts.frames import Frames
from forecasts.reports import calibration
from forecasts.reports.cohort import COUNTS, counted, families, reasons
from forecasts.reports.digest import sha256
from forecasts.reports.estimates import mean_over_questions
from forecasts.reports.groups import EVERYONE, Entries, chosen, entries, in_several_teams, tagged
from forecasts.reports.notes import notes
from forecasts.reports.report import By, Cohort, Group, LeftOut, LogScore, Metadata, Report
from forecasts.reports.scored import PROTOCOL, claims, member_scores, question_scores
from forecasts.reports.verdict import verdict
from forecasts.times import utc


def build(
    frames: Frames,
    *,
    by: By = "all",
    names: Sequence[str] = (),
    cohort: Cohort = "scheduled",
    as_of: datetime,
    curves: bool = True,
) -> Report:
    """Return the report on everyone, on each forecaster, on each team, or on each tag.

    ``names`` picks some of them, in that order; BadInput names what there is when one is not.
    ``cohort``: the questions whose scheduled close has passed as of ``as_of``, or all that are
    resolved. Without ``curves`` the reliability curves, which take most of the time, stay None.
    """
    wanted = chosen(frames, by=by, names=names)
    # In one order whatever order they come in, so that sums round alike.
    questions = frames.questions.sort_values("question_id", ignore_index=True)
    why = reasons(questions, cohort=cohort, as_of=as_of)
    counting = questions[why == COUNTS].reset_index(drop=True)
    made = entries(frames, by=by)
    members = member_scores(counting, made)
    claimed = claims(counting, made, members)
    if by == "tag":
        members, claimed = (_by_tag(rows, counting) for rows in (members, claimed))
    scores = question_scores(members)
    left_out = _left_out(_touched(made, questions, by), why, scores, counting)
    family = families(counting)
    everything = pd.DataFrame({"group": EVERYONE, "place": np.arange(len(why))})

    people = members.groupby("group")["member"].nunique()
    scores_of, claims_of = _parts(scores), _parts(claimed[claimed["group"].isin(wanted)])
    groups = tuple(
        _group(
            name,
            forecasters=int(people.get(name, 0)),
            scores=scores_of.get(name, scores.iloc[:0]),
            claimed=claims_of.get(name, claimed.iloc[:0]),
            family=family,
            left_out=left_out.get(name, ()),
            curves=curves,
        )
        for name in wanted
    )
    return Report(
        metadata=Metadata(
            engine_version=scoring.__version__,
            protocol=PROTOCOL,
            by=by,
            cohort=cohort,
            as_of=utc(as_of),
            input_sha256=sha256(frames),
        ),
        questions=len(questions),
        left_out=_left_out(everything, why, scores.assign(group=EVERYONE), counting).get(
            EVERYONE, ()
        ),
        groups=groups,
        notes=notes(
            groups,
            by=by,
            cohort=cohort,
            several_options=bool((counting["type"] == "multiple_choice").any()),
            in_several_teams=in_several_teams(frames.teams[frames.teams["team"].isin(wanted)]),
        ),
    )


def _group(
    name: str,
    *,
    forecasters: int,
    scores: pd.DataFrame,
    claimed: pd.DataFrame,
    family: np.ndarray,
    left_out: tuple[LeftOut, ...],
    curves: bool,
) -> Group:
    cluster = family[claimed["question"].to_numpy()]
    family = family[scores["question"].to_numpy()]
    clusters = len(np.unique(family))
    line = calibration.recalibration(claimed, cluster)
    finite = scores["log"][np.isfinite(scores["log"])]
    return Group(
        name=name,
        forecasters=forecasters,
        questions=len(scores),
        families=clusters,
        updates=int(scores["updates"].sum()),
        coverage=float(scores["coverage"].mean()) if len(scores) else None,
        brier=mean_over_questions(scores["brier"].to_numpy(), family),
        brier_original=mean_over_questions(scores["brier_original"].to_numpy(), family),
        log=LogScore(
            mean=float(finite.mean()) if len(finite) else None, infinite=len(scores) - len(finite)
        ),
        decomposition=calibration.decomposition(claimed, len(scores)),
        recalibration=line,
        spiegelhalter=calibration.spiegelhalter(claimed, cluster),
        calibration_in_the_large=calibration.in_the_large(claimed, cluster),
        auc=calibration.auc(claimed),
        curve=calibration.curve(claimed) if curves else None,
        bins=calibration.bins(claimed),
        verdict=verdict(len(scores), clusters, claimed, line),
        left_out=left_out,
    )


def _parts(rows: pd.DataFrame) -> dict[Any, pd.DataFrame]:
    return dict(iter(rows.groupby("group", sort=False)))


def _by_tag(rows: pd.DataFrame, counting: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of everyone once for each tag of their question."""
    tags = tagged(counting)
    tags["question"] = pd.Index(counting["question_id"]).get_indexer(tags.pop("question_id"))
    return rows.drop(columns="group").merge(tags, on="question")


def _touched(made: Entries, questions: pd.DataFrame, by: By) -> pd.DataFrame:
    """Return which questions are a group's, scored or not: group, place among all questions.

    Those that bear the tag, those that the group's members forecast, and all for everyone.
    """
    if by == "all":
        return pd.DataFrame({"group": EVERYONE, "place": np.arange(len(questions))})
    if by == "tag":
        rows = tagged(questions)
    else:
        inside = made.forecasts[made.forecasts["inside"]]
        rows = pd.DataFrame(
            {
                "group": made.group.to_numpy(dtype=object)[inside["forecaster"].to_numpy()],
                "question_id": inside["question_id"],
            }
        ).drop_duplicates()
    place = pd.Index(questions["question_id"]).get_indexer(rows["question_id"])
    return pd.DataFrame({"group": rows["group"].to_numpy(), "place": place})


def _left_out(
    touched: pd.DataFrame, why: np.ndarray, scores: pd.DataFrame, counting: pd.DataFrame
) -> dict[Any, tuple[LeftOut, ...]]:
    """Return for each group how many of its questions were left out, by reason."""
    place_of = np.flatnonzero(why == COUNTS)
    scored = pd.MultiIndex.from_arrays([scores["group"], place_of[scores["question"].to_numpy()]])
    reason = why[touched["place"].to_numpy()]
    reason = np.where(reason == COUNTS, "never_live", reason)
    without = ~pd.MultiIndex.from_frame(touched).isin(scored)
    return {
        name: counted(part)
        for name, part in pd.Series(reason[without]).groupby(touched["group"].to_numpy()[without])
    }
