"""Build a report: ledger frames in, ``Report`` out."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

import scoring
from forecasts.common.errors import BadInput
from forecasts.common.times import utc
from forecasts.reports import calibration, member_scores, pit, when_made
from forecasts.reports.cohort import (
    COUNTS,
    families,
    made_in_time,
    not_selected,
    reasons,
    selected,
)
from forecasts.reports.difficulty import adjusted_scores
from forecasts.reports.digest import sha256
from forecasts.reports.estimates import brier_scores, mean_over_questions
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
from forecasts.reports.left_out import group_questions, left_out, only_elsewhere
from forecasts.reports.measures import Adjusted, LogScore, Pit, Skill
from forecasts.reports.movement import movement, movements
from forecasts.reports.notes import notes
from forecasts.reports.report import (
    By,
    Group,
    Lead,
    LeftOut,
    Metadata,
    Report,
)
from forecasts.reports.selection import ALL, Choice
from forecasts.reports.skills import (
    ADVANTAGES,
    against_crowd,
    base_rate_scores,
    share_saved,
    skills,
)
from forecasts.reports.staleness import staleness, unrevised
from forecasts.reports.verdict import verdict
from forecasts.reports.when_made import Forecasts, forecasts_made
from forecasts.scores.frames import Frames
from scoring.null_distribution import FAR
from scoring.parallel import in_background, map_threads
from scoring.rare_events import least_error
from scoring.shared_shocks import spans_of

# Everyone, a tag and a lead have no others to be compared with.
SIDES = ("forecaster", "team", "kind", "model", "owner")
LOG, SKILL = (0.0, math.inf), (-100.0, 100.0)


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
    digest = in_background(partial(sha256, by=by), frames)
    frames = made_in_time(frames, choice)
    ordered = numbered(frames)
    is_selected = selected(ordered.questions, choice)
    questions = ordered.questions[is_selected].reset_index(drop=True)
    reason = reasons(questions, cohort=choice.cohort, as_of=as_of)
    counting = questions[reason == COUNTS].reset_index(drop=True)
    entries = group_entries(ordered, by=by)
    rows = _rows(ordered, counting, entries, by, lead, wanted)
    scores = member_scores.question_scores(rows.members)
    moved = None
    if by != "lead" and lead is None:
        moved = _tagged(movements(questions, entries, as_of, reason == COUNTS), questions, by)
    in_groups = group_questions(entries, questions, by, wanted)
    otherwise = np.where(
        only_elsewhere(ordered, questions, in_groups),
        "in_no_group",
        "never_live" if moved is not None else "none_at_lead",
    ).astype(object)
    own_left_out = left_out(reason, otherwise, in_groups, scores)
    not_final = [id_ for id_, end in frames.provisional.items() if end is None or end > as_of]
    groups = _groups(
        wanted,
        rows,
        scores,
        ordered,
        counting,
        moved,
        questions,
        own_left_out,
        adjusted_scores(scores, families(counting)) if by in SIDES else {},
        pit.transforms(ordered, questions, reason, by=by, choice=choice, as_of=as_of),
    )
    everything = pd.DataFrame({"group": EVERYONE, "place": np.arange(len(reason))})
    in_none = left_out(reason, otherwise, everything, scores.assign(group=EVERYONE))
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
        left_out=(*in_none.get(EVERYONE, ()), *not_selected(is_selected)),
        groups=groups,
        notes=notes(
            groups,
            by=by,
            cohort=choice.cohort,
            several_options=bool((counting["type"] == "multiple_choice").any()),
            in_several_teams=in_several_teams(frames.teams[frames.teams["team"].isin(wanted)]),
            provisional=int(counting["id"].isin(not_final).sum()),
        ),
    )


def numbered(frames: Frames) -> Frames:
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
    """The rows of all groups, each with its group and question (a position).

    ``made`` are the forecasts of a group, and ``every`` those of all groups.
    """

    members: pd.DataFrame
    made: Callable[[str], Forecasts]
    every: Sequence[Forecasts]
    skills: pd.DataFrame | None = None
    earned: Parts = NOTHING
    leads: dict[Any, tuple[Lead, ...]] = field(default_factory=dict)
    unrevised: pd.DataFrame | None = None


def _rows(
    frames: Frames,
    counting: pd.DataFrame,
    entries: Entries,
    by: By,
    lead: float | None,
    wanted: Sequence[str],
) -> _Rows:
    live = member_scores.live_segments(counting, entries)

    def made(days: float | None) -> Forecasts:
        then = live if days is None else member_scores.at_lead(live, days)
        return forecasts_made(counting, then, entries.group.to_numpy(dtype=object))

    if by == "lead":  # everyone, once at each lead
        days_of = {name: lead_days(name) for name in wanted}
        each = [
            member_scores.member_scores(counting, entries, days).assign(group=name)
            for name, days in days_of.items()
        ]
        made_at = {name: made(days) for name, days in days_of.items()}
        return _Rows(
            pd.concat(each, ignore_index=True),
            made_at.__getitem__,
            tuple(made_at.values()),
        )
    tag = partial(_tagged, questions=counting, by=by)
    every = made(lead)
    made_by = by_group(tag(every.rows))

    def of_group(name: str) -> Forecasts:
        return every.of(made_by(name))

    members = member_scores.member_scores(counting, entries, lead)
    # Everyone together has no one to be compared with.
    skilled = skills(counting, frames, entries, lead) if by in SIDES else None
    if lead is not None:
        return _Rows(tag(members), of_group, (every,), skilled)
    people = members.groupby("group")["member"].nunique()
    found = parts(counting, frames, entries, people)
    at_leads = [made(days) for days in LEADS]
    return _Rows(
        members=tag(members),
        made=of_group,
        every=(every,),
        skills=skilled,
        earned=Parts(tag(found.updates), tag(found.cited)),
        leads=profile(
            LEADS, [replace(at, rows=tag(at.rows)) for at in at_leads], families(counting)
        ),
        unrevised=tag(unrevised(live, entries)),
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
    scores: pd.DataFrame,
    frames: Frames,
    counting: pd.DataFrame,
    moved: pd.DataFrame | None,
    questions: pd.DataFrame,
    left_out: dict[Any, tuple[LeftOut, ...]],
    adjusted: dict[str, Adjusted],
    transforms: Callable[[str], Pit | None],
) -> tuple[Group, ...]:
    """Return the groups; ``moved`` and ``left_out`` are of all questions, the rest of counted."""
    family, all_families = families(counting), families(questions)
    drawn = calibration.draws(rows.every, family)
    spans = spans_of(counting, pd.Series(family, index=counting["question_id"]))
    people = rows.members.groupby("group")["member"].nunique()
    scores_of = by_group(scores)
    updates_in, cited_in = by_group(rows.earned.updates), by_group(rows.earned.cited)
    skills_of, moves_of, unrevised_of = (
        None if part is None else by_group(part) for part in (rows.skills, moved, rows.unrevised)
    )

    def group(name: str) -> Group:
        own = scores_of(name)
        clusters = family[own["question"].to_numpy()]
        made = when_made.when_made(rows.made(name))
        claims = when_made.claims(made.forecasts)
        by_chance = calibration.by_chance(claims, drawn)
        auc, auc_interval = calibration.auc(claims)
        finite = np.isfinite(own["log"].to_numpy())
        log = mean_over_questions(
            own["log"].to_numpy()[finite],
            clusters[finite],
            LOG,
            lopsided=True,
            least=made.least.log,
        )
        brier, original = brier_scores(own, clusters, made.least.brier)
        points, evidence = earned(cited_in(name), frames.evidence, family)
        skill, crowd_skill = (
            None if skills_of is None else skill_over(skills_of(name), versus, family)
            for versus in ADVANTAGES
        )
        return Group(
            name=name,
            forecasters=int(people.get(name, 0)),
            questions=len(own),
            families=len(np.unique(clusters)),
            updates=int(own["updates"].sum()),
            coverage=float(own["coverage"].mean()) if len(own) else None,
            brier=brier,
            brier_original=original,
            log=LogScore(log.mean, log.interval, infinite=int((~finite).sum())),
            skill=skill,
            crowd_skill=crowd_skill,
            brier_skill=share_saved(
                own["brier"].to_numpy(),
                base_rate_scores(counting, family, own["question"].to_numpy()),
                clusters,
            ),
            crowd_brier_skill=None if skills_of is None else against_crowd(skills_of(name), family),
            adjusted=adjusted.get(name),
            decomposition=by_chance.decomposition,
            log_decomposition=calibration.log_decomposition(claims),
            miscalibration=by_chance.miscalibration,
            errors=by_chance.errors,
            luck=made.luck,
            recalibration=made.line,
            spiegelhalter=made.sharpness,
            calibration_in_the_large=made.level,
            auc=auc,
            auc_interval=auc_interval,
            roc=calibration.roc(claims),
            sharpness=calibration.sharpness(claims),
            movement=None
            if moves_of is None
            else movement(moves_of(name), all_families, made.reaction),
            staleness=None
            if unrevised_of is None
            else staleness(unrevised_of(name), family, counting),
            certainty=calibration.certainty(claims),
            curve=by_chance.curve,
            bins=calibration.bins(claims),
            murphy=calibration.murphy(claims),
            pit=transforms(name),
            leads=rows.leads.get(name, ()),
            earned=points,
            evidence=evidence,
            moved=updates_of(updates_in(name), frames, counting["id"], family),
            verdict=verdict(made, spans),
            left_out=left_out.get(name, ()),
        )

    return tuple(map_threads(group, wanted))


def by_group(rows: pd.DataFrame) -> Callable[[str], pd.DataFrame]:
    """Return a function from a group's name to its rows, which may be none."""
    parts = dict(iter(rows.groupby("group", sort=False, observed=True)))
    return lambda name: parts.get(name, rows.iloc[:0])


def skill_over(rows: pd.DataFrame, name: str, family: npt.NDArray[np.intp]) -> Skill:
    """Return the mean of one of the advantages in ``rows``, those of a group from ``skills``."""
    values = rows[name].to_numpy(dtype=np.float64)
    least = FAR * least_error(rows)
    own = family[rows["question"].to_numpy(dtype=np.intp)]
    found = mean_over_questions(values, own, SKILL, least=(least, least))
    return Skill(found.mean, found.interval, len(values))
