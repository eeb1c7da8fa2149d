"""Build a report: ledger frames in, ``Report`` out."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial

import numpy as np
import numpy.typing as npt
import pandas as pd

import scoring
from forecasts.common.times import utc
from forecasts.folder.frames import Frames
from forecasts.reports import calibration, estimates, member_scores, pit, when_made
from forecasts.reports.coherence import coherence
from forecasts.reports.cohort import as_scheduled, counted, made_in_time
from forecasts.reports.digest import sha256
from forecasts.reports.estimates import mean_over_questions
from forecasts.reports.evidence_points import earned, updates_of
from forecasts.reports.groups import in_several_teams
from forecasts.reports.movement import movement
from forecasts.reports.report import By, Group, LeftOut, LogScore, Metadata, Report, Skill
from forecasts.reports.rows import Rows, Shared, by_group, joint, shared
from forecasts.reports.scope import Scope, numbered, scope_of
from forecasts.reports.selection import ALL, Choice
from forecasts.reports.skills import (
    ADVANTAGES,
    adjusted_scores,
    against_crowd,
    base_rate_scores,
    share_saved,
)
from forecasts.reports.staleness import staleness
from forecasts.reports.verdict import verdict
from forecasts.reports.wording import notes
from scoring.arrays import Places
from scoring.null_distribution import FAR
from scoring.outcome_draws import outcome_draws
from scoring.rare_events import least_error

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
    due = as_scheduled(frames, choice, as_of)
    every = replace(frames, questions=due.questions)
    scope = scope_of(every, by=by, names=names, choice=choice, as_of=as_of)
    rows = Rows(numbered(made_in_time(due, choice)), scope)
    found = joint(rows)
    common = shared(found, scope, adjusted_scores(found.scores), follows=rows.follows)
    skills = rows.skills if rows.compares else None
    made = report(
        scope,
        groups(rows, scope.wanted, common, skills),
        common,
        frames.teams,
        digest=sha256(frames, by),
        provisional=frames.provisional,
    )
    return with_all_time(made, choice, partial(build, frames, by=by, as_of=as_of))


def with_all_time(made: Report, choice: Choice, again: Callable[..., Report]) -> Report:
    """Return the report; groups with too few questions in a period have the verdict without it.

    So a choice of short periods hides no fault. ``again`` makes the report of other ``names`` and
    another ``choice``.
    """
    few = {group.name for group in made.groups if group.verdict.kind == "too_few"}
    if not few or (choice.since is None and choice.until is None):
        return made
    names = () if made.metadata.by == "all" else sorted(few)
    always = again(names=names, choice=replace(choice, since=None, until=None))
    verdicts = {one.name: one.verdict for one in always.groups if one.verdict.kind != "too_few"}
    groups = (
        replace(one, all_time=verdicts.get(one.name)) if one.name in few else one
        for one in made.groups
    )
    return replace(made, groups=tuple(groups))


def report(
    scope: Scope,
    groups: tuple[Group, ...],
    common: Shared,
    teams: pd.DataFrame,
    *,
    digest: str,
    provisional: Mapping[str, datetime | None],
) -> Report:
    """Return the report of these groups; ``provisional`` as in ``Frames``."""
    by, choice, as_of = scope.by, scope.choice, scope.as_of
    not_final = [id_ for id_, end in provisional.items() if end is None or end > as_of]
    not_selected = ["not_selected"] * (scope.all_questions - len(scope.questions))
    several = scope.counts & (scope.questions["type"] == "multiple_choice").to_numpy()
    return Report(
        metadata=Metadata(
            **vars(choice),
            engine_version=scoring.__version__,
            protocol="brier_lead"
            if by == "lead"
            else member_scores.protocol(member_scores.PROTOCOL, choice.lead),
            by=by,
            as_of=utc(as_of),
            input_sha256=digest,
        ),
        questions=scope.all_questions,
        left_out=(*counted(common.why(scope)[~common.scored]), *counted(not_selected)),
        groups=groups,
        notes=notes(
            groups,
            by=by,
            cohort=choice.cohort,
            several_options=bool(several.any()),
            in_several_teams=[
                who
                for who in in_several_teams(teams[teams["team"].isin(scope.wanted)])
                if who in common.in_several
            ],
            provisional=int(scope.questions["id"][scope.counts].isin(not_final).sum()),
        ),
    )


def groups(
    rows: Rows, wanted: Sequence[str], common: Shared, skills: pd.DataFrame | None
) -> tuple[Group, ...]:
    """Return these groups; ``rows`` have all forecasts of each, and ``skills`` those of each."""
    scope = rows.scope
    counting, family, frames = scope.counting, scope.family, rows.frames
    people = rows.members.groupby("group")["member"].nunique()
    scores_of = by_group(rows.scores)
    skills_of, moves_of, unrevised_of, priced_of = (
        None if part is None else by_group(part)
        for part in (skills, rows.moved, rows.unrevised, rows.priced)
    )
    left_out = _left_out(rows, common.why(scope))
    transforms = pit.transforms(
        frames, scope.questions, scope.reason, by=scope.by, choice=scope.choice, as_of=scope.as_of
    )
    made_of, waiting_of, undated = rows.made, rows.waiting, rows.undated
    at_lead, leads = rows.at_lead, rows.leads
    spans, all_families = scope.spans, scope.all_families
    drawn, earned_points = _drawn(rows, common), rows.earned(common.people)
    updates_in, cited_in = by_group(earned_points.updates), by_group(earned_points.cited)

    def group(name: str) -> Group:
        own = scores_of(name)
        clusters = family[own["question"].to_numpy()]
        made = when_made.when_made(made_of(name), waiting_of(name), undated.get(name, 0))
        finite = np.isfinite(own["log"].to_numpy())
        widths = made.least if at_lead is None else when_made.least(at_lead(name))
        logs, least = own["log"].to_numpy()[finite], widths.log
        log = mean_over_questions(logs, clusters[finite], LOG, lopsided=True, least=least)
        record = estimates.record(own, int(people.get(name, 0)), clusters, widths.brier)
        base_rate = base_rate_scores(counting, family, own["question"].to_numpy())
        points, evidence = earned(cited_in(name), frames.evidence, family)
        skill, crowd_skill = (
            skills_of and skill_over(skills_of(name), versus, family) for versus in ADVANTAGES
        )
        return Group(
            name=name,
            **vars(record),
            families=len(np.unique(clusters)),
            provenance=rows.provenance(own["question"].to_numpy(dtype=np.intp), name),
            log=LogScore(log.mean, log.interval, infinite=int((~finite).sum())),
            skill=skill,
            crowd_skill=crowd_skill,
            brier_skill=share_saved(own["brier"].to_numpy(), base_rate, clusters),
            crowd_brier_skill=skills_of and against_crowd(skills_of(name), family),
            adjusted=common.adjusted.get(name),
            luck=made.luck,
            recalibration=made.line,
            spiegelhalter=made.sharpness,
            calibration_in_the_large=made.level,
            movement=moves_of
            and movement(moves_of(name), all_families, made.reaction, made.unsettled),
            staleness=unrevised_of and staleness(unrevised_of(name), family, counting),
            coherence=priced_of and coherence(priced_of(name), family),
            pit=transforms(name),
            leads=leads.get(name, ()),
            earned=points,
            evidence=evidence,
            moved=updates_of(updates_in(name), frames, counting, family),
            tested=made.tested,
            verdict=verdict(made, spans),
            left_out=left_out.get(name, ()),
            **calibration.calibration(when_made.claims(made.forecasts), drawn),
        )

    return tuple(map(group, wanted))


def _left_out(rows: Rows, why: npt.NDArray[np.object_]) -> dict[str, tuple[LeftOut, ...]]:
    """Return for each group the number of its questions without a score, by reason."""
    place_of = np.flatnonzero(rows.scope.counts)
    scored_at = pd.MultiIndex.from_arrays(
        [rows.scores["group"], place_of[rows.scores["question"].to_numpy(dtype=np.intp)]]
    )
    own = rows.in_groups[~pd.MultiIndex.from_frame(rows.in_groups).isin(scored_at)]
    reasons = pd.Series(why[own["place"].to_numpy()]).groupby(own["group"].to_numpy())
    return {str(name): counted(part) for name, part in reasons}


def _drawn(rows: Rows, common: Shared) -> calibration.Drawn:
    """Return draws for the questions that these groups forecast.

    Those of a question without family are the same in every report, whatever else is in it.
    """
    asked = [made.question for made in rows.every.values()]
    question = np.unique(np.concatenate(asked))
    own = rows.scope.counting[["row", "id"]].iloc[question]
    streams = pd.util.hash_array(own["id"].to_numpy(dtype=object))
    draws = outcome_draws(
        common.family, common.link, seed=0, rows=own["row"].to_numpy(), streams=streams
    )
    return calibration.Drawn(question, draws)


def skill_over(rows: pd.DataFrame, name: str, family: Places) -> Skill:
    """Return the mean of one of the advantages in ``rows``, those of a group from ``skills``."""
    values = rows[name].to_numpy(dtype=np.float64)
    least = FAR * least_error(rows)
    own = family[rows["question"].to_numpy(dtype=np.intp)]
    found = mean_over_questions(values, own, SKILL, least=(least, least))
    return Skill(found.mean, found.interval, len(values))
