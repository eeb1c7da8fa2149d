"""Build a report: ledger frames in, ``Report`` out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

import scoring
from forecasts.common.errors import BadInput
from forecasts.common.times import utc
from forecasts.reports import calibration, member_scores
from forecasts.reports.cohort import (
    COUNTS,
    families,
    not_selected,
    reasons,
    selected,
)
from forecasts.reports.digest import sha256
from forecasts.reports.estimates import mean_over_questions
from forecasts.reports.evidence_points import NOTHING, Parts, earned, parts, updates_of
from forecasts.reports.groups import (
    EVERYONE,
    LEADS,
    Entries,
    chosen,
    group_entries,
    in_several_teams,
    lead_days,
    tagged,
)
from forecasts.reports.lead_profile import profile
from forecasts.reports.left_out import LeftOutReasons, group_questions, only_elsewhere
from forecasts.reports.movement import movement, movements
from forecasts.reports.notes import notes
from forecasts.reports.report import (
    By,
    Earned,
    Group,
    Lead,
    LeftOut,
    LogScore,
    Metadata,
    Report,
    Skill,
    Updates,
)
from forecasts.reports.selection import ALL, Choice
from forecasts.reports.skills import skills
from forecasts.reports.verdict import verdict
from forecasts.scores.frames import Frames
from scoring.parallel import in_background, map_threads

BRIER, ORIGINAL, LOG, SKILL = (0.0, 1.0), (0.0, 2.0), (0.0, math.inf), (-100.0, 100.0)


def build(
    frames: Frames,
    *,
    by: By = "all",
    names: Sequence[str] = (),
    choice: Choice = ALL,
    as_of: datetime,
) -> Report:
    """Return the report on everyone, on each forecaster, team or tag, or at each lead.

    ``names`` selects some of them, in that order; BadInput lists the names there are if one is
    unknown. ``choice`` selects questions, as of ``as_of``, and forecasts.
    """
    lead = choice.lead
    if lead is not None and by == "lead":
        raise BadInput(
            "A report by lead already has one lead per group.",
            remedy="Give the leads as names, or report by something else.",
        )
    wanted = chosen(frames, by=by, names=names)
    digest = in_background(sha256, frames)
    ordered = _numbered(frames)
    is_selected = selected(ordered.questions, choice)
    questions = ordered.questions[is_selected].reset_index(drop=True)
    reason = reasons(questions, cohort=choice.cohort, as_of=as_of)
    counting = questions[reason == COUNTS].reset_index(drop=True)
    entries = group_entries(ordered, by=by)
    if by == "lead":
        rows = _rows_by_lead(counting, entries, wanted)
    else:
        rows = _rows(ordered, counting, entries, by, lead)
    moved = None
    if by != "lead" and lead is None:
        moved = _tagged(movements(questions, entries, as_of), questions, by)
    in_groups = group_questions(entries, questions, by, wanted)
    unscored = LeftOutReasons(
        reason,
        np.where(
            only_elsewhere(ordered, questions, in_groups),
            "in_no_group",
            "never_live" if moved is not None else "none_at_lead",
        ).astype(object),
    )
    groups = _groups(
        wanted,
        rows,
        ordered,
        counting,
        families(counting),
        moved,
        families(questions),
        unscored.of(in_groups, rows.scores),
    )
    everything = pd.DataFrame({"group": EVERYONE, "place": np.arange(len(reason))})
    left_out = unscored.of(everything, rows.scores.assign(group=EVERYONE)).get(EVERYONE, ())
    return Report(
        metadata=Metadata(
            **vars(choice),
            engine_version=scoring.__version__,
            protocol="brier_lead"
            if by == "lead"
            else member_scores.protocol(member_scores.PROTOCOL, lead),
            by=by,
            as_of=utc(as_of),
            input_sha256=digest(),
        ),
        questions=len(is_selected),
        left_out=(*left_out, *not_selected(is_selected)),
        groups=groups,
        notes=notes(
            groups,
            by=by,
            cohort=choice.cohort,
            several_options=bool((counting["type"] == "multiple_choice").any()),
            in_several_teams=in_several_teams(frames.teams[frames.teams["team"].isin(wanted)]),
            provisional=_provisional(frames, counting, as_of),
        ),
    )


def _provisional(frames: Frames, counting: pd.DataFrame, as_of: datetime) -> int:
    """Return the number of counted questions with an outcome that is not final."""
    open_ = {name for name, until in frames.provisional.items() if until is None or until > as_of}
    return int(counting["id"].isin(open_).sum())


def _numbered(frames: Frames) -> Frames:
    """Return the frames with the questions in the order of their ids, and numbers as ids.

    A fixed order makes sums round alike, and numbers are read many times as fast as texts. The
    column ``id`` keeps the original id.
    """
    questions = frames.questions.sort_values("question_id", ignore_index=True)
    place = pd.Index(questions["question_id"]).get_indexer(frames.forecasts["question_id"])
    return replace(
        frames,
        questions=questions.assign(
            id=questions["question_id"], question_id=np.arange(len(questions))
        ),
        forecasts=frames.forecasts.assign(question_id=place),
    )


@dataclass(frozen=True)
class _Rows:
    """The rows of all groups, each with its group and question (a position)."""

    members: pd.DataFrame
    scores: pd.DataFrame
    claims: pd.DataFrame
    skills: pd.DataFrame | None
    earned: Parts
    leads: dict[Any, tuple[Lead, ...]]


def _rows(
    frames: Frames, counting: pd.DataFrame, entries: Entries, by: By, lead: float | None
) -> _Rows:
    members = member_scores.member_scores(counting, entries, lead)
    live = member_scores.live_segments(counting, entries)
    standing = live if lead is None else member_scores.at_lead(live, lead)
    people = members.groupby("group")["member"].nunique()
    at_leads = [
        member_scores.claims(counting, member_scores.at_lead(live, days), entries)
        for days in (LEADS if lead is None else ())
    ]
    found = NOTHING if lead is not None else parts(counting, frames, entries, people)
    members = _tagged(members, counting, by)
    return _Rows(
        members=members,
        scores=member_scores.question_scores(members),
        claims=_tagged(member_scores.claims(counting, standing, entries), counting, by),
        # Everyone together has no one to be compared with.
        skills=skills(counting, frames, entries, lead) if by in ("forecaster", "team") else None,
        earned=Parts(_tagged(found.updates, counting, by), _tagged(found.cited, counting, by)),
        leads=profile(
            LEADS[: len(at_leads)],
            [_tagged(rows, counting, by) for rows in at_leads],
            families(counting),
        ),
    )


def _rows_by_lead(counting: pd.DataFrame, entries: Entries, wanted: Sequence[str]) -> _Rows:
    """Return the rows of everyone, once at each lead."""
    live = member_scores.live_segments(counting, entries)
    members, claimed = [], []
    for name in wanted:
        days = lead_days(name)
        members.append(member_scores.member_scores(counting, entries, days).assign(group=name))
        at = member_scores.claims(counting, member_scores.at_lead(live, days), entries)
        claimed.append(at.assign(group=name))
    everyone = pd.concat(members, ignore_index=True)
    return _Rows(
        members=everyone,
        scores=member_scores.question_scores(everyone),
        claims=pd.concat(claimed, ignore_index=True),
        skills=None,
        earned=NOTHING,
        leads={},
    )


def _tagged(rows: pd.DataFrame, questions: pd.DataFrame, by: By) -> pd.DataFrame:
    """Return the rows; in a report by tag, everyone's rows once for each tag of the question."""
    if by != "tag":
        return rows
    tags = tagged(questions)
    tags["question"] = pd.Index(questions["question_id"]).get_indexer(tags.pop("question_id"))
    return rows.drop(columns="group").merge(tags, on="question")


def _groups(
    wanted: Sequence[str],
    rows: _Rows,
    frames: Frames,
    counting: pd.DataFrame,
    family: npt.NDArray[np.intp],
    moved: pd.DataFrame | None,
    all_families: npt.NDArray[np.intp],
    left_out: dict[Any, tuple[LeftOut, ...]],
) -> tuple[Group, ...]:
    """Return the groups; ``family`` is of counted questions, ``all_families`` of all."""
    drawn = calibration.draws(rows.claims, family)
    people = rows.members.groupby("group")["member"].nunique()
    scores, claims = _ByGroup(rows.scores), _ByGroup(rows.claims)
    updates, cited = _ByGroup(rows.earned.updates), _ByGroup(rows.earned.cited)
    skilled, moves = (None if part is None else _ByGroup(part) for part in (rows.skills, moved))
    work = [
        partial(
            _group,
            name,
            forecasters=int(people.get(name, 0)),
            scores=scores[name],
            claims=claims[name],
            skilled=None if skilled is None else skilled[name],
            earned=earned(cited[name], frames.evidence, family),
            moved=updates_of(updates[name], frames, counting["id"], family),
            moves=None if moves is None else moves[name],
            leads=rows.leads.get(name, ()),
            left_out=left_out.get(name, ()),
            family=family,
            all_families=all_families,
            drawn=drawn,
        )
        for name in wanted
    ]
    return tuple(map_threads(lambda group: group(), work))


class _ByGroup:
    """The rows of each group; an empty frame for a group without rows."""

    def __init__(self, rows: pd.DataFrame) -> None:
        self._none = rows.iloc[:0]
        self._parts = dict(iter(rows.groupby("group", sort=False, observed=True)))

    def __getitem__(self, name: str) -> pd.DataFrame:
        return self._parts.get(name, self._none)


def _group(
    name: str,
    *,
    forecasters: int,
    scores: pd.DataFrame,
    claims: pd.DataFrame,
    skilled: pd.DataFrame | None,
    earned: tuple[tuple[Earned, ...], int],
    moved: Updates | None,
    moves: pd.DataFrame | None,
    leads: tuple[Lead, ...],
    left_out: tuple[LeftOut, ...],
    family: npt.NDArray[np.intp],
    all_families: npt.NDArray[np.intp],
    drawn: npt.NDArray[np.float32],
) -> Group:
    cluster = family[claims["question"].to_numpy()]
    questions = family[scores["question"].to_numpy()]
    line = calibration.recalibration(claims, cluster)
    curve, decomposition = calibration.by_chance(claims, drawn, len(scores))
    finite = np.isfinite(scores["log"].to_numpy())
    log = mean_over_questions(
        scores["log"].to_numpy()[finite], questions[finite], LOG, lopsided=True
    )
    return Group(
        name=name,
        forecasters=forecasters,
        questions=len(scores),
        families=len(np.unique(questions)),
        updates=int(scores["updates"].sum()),
        coverage=float(scores["coverage"].mean()) if len(scores) else None,
        brier=mean_over_questions(scores["brier"].to_numpy(), questions, BRIER, lopsided=True),
        brier_original=mean_over_questions(
            scores["brier_original"].to_numpy(), questions, ORIGINAL, lopsided=True
        ),
        log=LogScore(log.mean, log.interval, infinite=int((~finite).sum())),
        skill=_skill(skilled, "skill", family),
        crowd_skill=_skill(skilled, "crowd_skill", family),
        decomposition=decomposition,
        luck=calibration.luck(claims, cluster, len(scores)),
        recalibration=line,
        spiegelhalter=calibration.spiegelhalter(claims, cluster),
        calibration_in_the_large=calibration.in_the_large(claims, cluster),
        auc=calibration.auc(claims),
        sharpness=calibration.sharpness(claims, len(scores)),
        movement=None
        if moves is None
        else movement(
            moves["excess"].to_numpy(),
            moves["revised"].to_numpy(dtype=np.bool_),
            all_families[moves["question"].to_numpy()],
        ),
        certainty=calibration.certainty(claims),
        curve=curve,
        bins=calibration.bins(claims, cluster),
        murphy=calibration.murphy(claims, len(scores)),
        leads=leads,
        earned=earned[0],
        evidence=earned[1],
        moved=moved,
        verdict=verdict(claims, cluster, line),
        left_out=left_out,
    )


def _skill(rows: pd.DataFrame | None, name: str, family: npt.NDArray[np.intp]) -> Skill | None:
    if rows is None:
        return None
    values = rows[name].to_numpy(dtype=np.float64)
    found = mean_over_questions(values, family[rows["question"].to_numpy(dtype=np.intp)], SKILL)
    return Skill(found.mean, found.interval, len(values))
