"""Build a comparison: ledger frames in, ``Comparison`` out."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import fields, replace
from datetime import datetime
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

import scoring
from forecasts.common.errors import BadInput
from forecasts.common.times import utc
from forecasts.reports.cohort import (
    COUNTS,
    counted,
    families,
    made_in_time,
    not_selected,
    reasons,
    selected,
)
from forecasts.reports.comparison import evidence, wording
from forecasts.reports.comparison.abstention import (
    SELECTIVE,
    Silence,
    silences,
    spells,
    without_silence,
)
from forecasts.reports.comparison.comparison import (
    About,
    Comparison,
    Dominant,
    Imputed,
    Of,
    Pair,
    Side,
    Skill,
)
from forecasts.reports.comparison.murphy import murphy_differences
from forecasts.reports.comparison.shared_models import bot_models, one_a_model, sentences
from forecasts.reports.difficulty import adjusted_scores
from forecasts.reports.digest import sha256
from forecasts.reports.estimates import brier_scores
from forecasts.reports.groups import Entries, chosen, group_entries, in_several_teams
from forecasts.reports.member_scores import (
    at_lead,
    live_segments,
    member_scores,
    question_scores,
    timing_days,
)
from forecasts.reports.report import By
from forecasts.reports.selection import ALL, Choice
from forecasts.reports.when_made import forecasts_made
from forecasts.scores.frames import Frames, rows
from scoring.comparison import NEVER_TOGETHER
from scoring.parallel import in_background

BY: dict[Of, By] = {
    "teams": "team",
    "forecasters": "forecaster",
    "kinds": "kind",
    "models": "model",
}
# Reasons to leave a question out while its outcome is unknown.
_TO_COME = ("open", "awaiting_resolution", "not_in_cohort")


def build(
    frames: Frames,
    *,
    between: Sequence[str],
    of: Of = "teams",
    choice: Choice = ALL,
    as_of: datetime,
    alike: bool = False,
) -> Comparison:
    """Return the comparison of these teams, forecasters, kinds or models, pair by pair.

    ``between`` has two names or more, or none for all kinds or all models; BadInput lists the names
    there are if one is unknown.
    ``choice`` selects questions, as of ``as_of``, and forecasts. ``alike`` makes the claims about
    people like the members, with larger errors.
    """
    by = BY[of]
    names = chosen(frames, by=by, names=between)
    if len(names) < 2 or (not between and of in ("teams", "forecasters")):
        raise BadInput(
            f"A comparison takes two or more {of}, got {len(set(between))}.",
            remedy="Name them after --between.",
        )
    digest = in_background(partial(sha256, by=by), frames)
    frames = made_in_time(frames, choice)
    is_selected = selected(frames.questions, choice)
    questions = frames.questions[is_selected].sort_values("question_id", ignore_index=True)
    reason = reasons(questions, cohort=choice.cohort, as_of=as_of)
    counting = questions[reason == COUNTS].reset_index(drop=True)
    entries = _only(group_entries(frames, by=by), names)
    models = bot_models(frames, entries)
    forecasts = entries.forecasts[entries.forecasts["question_id"].isin(counting["question_id"])]
    present = entries.group[entries.group.index.isin(forecasts["forecaster"])]
    family = pd.Series(families(questions), index=questions["question_id"])
    both_sides = present.nunique() > 1
    paired = (counting, forecasts, present, choice.lead)
    differences = scoring.paired(*paired) if both_sides else _NO_PAIRS
    people = None
    if alike and both_sides:
        people = one_a_model(scoring.paired_people(*paired), entries, models)
    members = _members(frames, entries, names, of)
    found = scoring.compare(differences, members, family, people, counting)
    silent = {}
    if both_sides:
        stood = spells(counting, entries, choice.lead)
        silent = silences(counting, stood, names, choice.lead)
    selective = {
        (pair.a, pair.b)
        for pair in found.pairs
        if pair.comparable and abs(silent[pair.a].share - silent[pair.b].share) > SELECTIVE
    }
    imputed = {}
    if selective:
        filled = _without_silence(frames, counting, entries, differences, choice.lead)
        imputed = _imputed(filled, members, family)

    # A family is over with the last of its questions, also if nobody here forecast that one.
    of_each = family[questions["question_id"]].to_numpy()
    over = questions["scheduled_close_time"].groupby(of_each).max()
    awaited = over[np.unique(of_each[np.isin(reason, _TO_COME)])].min()
    began = questions["open_time"].groupby(of_each).min()
    family_names = dict(zip(family.astype(str), questions["family"], strict=True))
    watched = evidence.watched(found.pairs, differences, family, began, over, awaited)
    many = sum(pair.comparable for pair in found.pairs)
    few = found.pairs if len(found.pairs) <= wording.MOST_PAIRS else ()
    losses = murphy_differences(few, counting, forecasts, present, family, choice.lead)
    pairs = tuple(
        _pair(
            pair,
            choice,
            many,
            dominant=_dominant(pair, family_names),
            imputed=imputed.get((pair.a, pair.b)) if (pair.a, pair.b) in selective else None,
            murphy=losses.get((pair.a, pair.b), ()),
            watched=watched.by_block.get((pair.a, pair.b)),
            watched_by_family=watched.by_family.get((pair.a, pair.b)),
        )
        for pair in found.pairs
    )
    skill = _skills(frames, counting, family, choice.lead) if of == "forecasters" else {}
    sides = _sides(found, counting, entries, family, skill, choice.lead, silent, watched.best)
    when = "in time" if choice.lead is None else f"at a lead of {choice.lead:g} days"
    return Comparison(
        metadata=About(
            **vars(choice),
            engine_version=scoring.__version__,
            protocol=f"brier, paired {when}",
            of=of,
            claims=found.of,
            as_of=utc(as_of),
            input_sha256=digest(),
        ),
        sentence=wording.conclusion(sides, pairs),
        questions=len(is_selected),
        left_out=(*counted(reason[reason != COUNTS]), *not_selected(is_selected)),
        groups=sides,
        pairs=pairs,
        notes=wording.notes(
            pairs,
            of=of,
            choice=choice,
            alike=alike,
            bots=sentences(models, alike=alike),
            awaiting=int((reason == "awaiting_resolution").sum()),
        ),
    )


_NO_PAIRS = pd.DataFrame({"a": [], "b": [], "question_id": [], "difference": [], "shared": []})


def _only(entries: Entries, names: Sequence[str]) -> Entries:
    """Return the forecasts of these groups only, their members renumbered."""
    kept = entries.group.index[entries.group.isin(names)]
    forecasts = entries.forecasts[entries.forecasts["forecaster"].isin(kept)]
    number = kept.get_indexer(pd.Index(forecasts["forecaster"]))
    return Entries(
        forecasts.assign(forecaster=number),
        entries.group[kept].reset_index(drop=True),
        entries.forecaster[kept].reset_index(drop=True),
    )


def _members(
    frames: Frames, entries: Entries, names: Sequence[str], of: Of
) -> dict[str, set[Hashable]]:
    """Return the members of each group; the same key is in two groups for members of both at once.

    Someone who left one team before joining the other never counts for both at one time.
    """
    at_once = set(
        in_several_teams(frames.teams[frames.teams["team"].isin(names)]) if of == "teams" else ()
    )
    members: dict[str, set[Hashable]] = {name: set() for name in names}
    for who, name in zip(entries.forecaster[entries.group.index], entries.group, strict=True):
        members[name].add(who if who in at_once else (who, name))
    return members


def _pair(pair: scoring.Pair, choice: Choice, pairs: int, **more: Any) -> Pair:
    own: dict[str, Any] = {one.name: getattr(pair, one.name, None) for one in fields(Pair)}
    if choice.lead is not None and pair.reason == NEVER_TOGETHER:
        own["reason"] = wording.NEVER_AT_LEAD
    made = Pair(**own | more)
    return replace(made, sentence=wording.sentence(made, pairs=pairs, lead=choice.lead))


def _dominant(pair: scoring.Pair, names: dict[str, str]) -> Dominant | None:
    """Return the dominant family of a pair under its own name."""
    found = pair.dominant
    return None if found is None else Dominant(**vars(found) | {"family": names[found.family]})


def _without_silence(
    frames: Frames,
    counting: pd.DataFrame,
    entries: Entries,
    differences: pd.DataFrame,
    lead: float | None,
) -> pd.DataFrame:
    """Return the differences with the crowd's forecast for a side while it had none.

    The moments between equals are those of the time shared.
    """
    on = entries.forecasts["question_id"].isin(counting["question_id"])
    kept = replace(entries, forecasts=entries.forecasts[on])
    everyone = frames.forecasts[frames.forecasts["question_id"].isin(counting["question_id"])]
    filled = without_silence(counting, everyone, kept, lead)
    key = ["a", "b", "question_id"]
    moments = differences[[*key, "variance", "third"]]
    return filled.merge(moments, on=key, how="left").fillna({"variance": 0.0, "third": 0.0})


def _imputed(
    differences: pd.DataFrame, members: dict[str, set[Hashable]], family: pd.Series
) -> dict[tuple[str, str], Imputed]:
    """Return the result of each pair on these differences."""
    return {
        (pair.a, pair.b): Imputed(
            pair.shared_questions, pair.difference, pair.interval, pair.p_adjusted, pair.better
        )
        for pair in scoring.compare(differences, members, family).pairs
        if pair.difference is not None
    }


def _sides(
    found: scoring.Comparison,
    counting: pd.DataFrame,
    entries: Entries,
    family: pd.Series,
    skill: dict[str, Skill],
    lead: float | None,
    silent: dict[str, Silence],
    best: dict[str, bool],
) -> tuple[Side, ...]:
    """Return each group with its ranks and its own record, the best score first."""
    members = member_scores(counting, entries, lead)
    scores = question_scores(members)
    cluster = family[counting["question_id"]].to_numpy()
    people = members.groupby("group")["member"].nunique()
    adjusted = adjusted_scores(scores, cluster)
    live = live_segments(counting, entries)
    made = forecasts_made(
        counting,
        live if lead is None else at_lead(live, lead),
        entries.group.to_numpy(dtype=object),
    )
    sides = []
    for ranked in found.groups:
        own = scores[scores["group"] == ranked.name]
        said = made.of(made.rows[made.rows["group"] == ranked.name])
        least = scoring.least_widths(said.ordered).brier if len(said.rows) else (0.0, 0.0)
        brier, original = brier_scores(own, cluster[own["question"].to_numpy()], least)
        sides.append(
            Side(
                name=ranked.name,
                rank_low=ranked.rank_low,
                rank_high=ranked.rank_high,
                forecasters=int(people.get(ranked.name, 0)),
                questions=len(own),
                updates=int(own["updates"].sum()),
                coverage=float(own["coverage"].mean()) if len(own) else None,
                unanswered=silent[ranked.name].unanswered if ranked.name in silent else None,
                silent=silent[ranked.name].silent if ranked.name in silent else None,
                may_be_best=best[ranked.name],
                brier=brier,
                brier_original=original,
                adjusted=adjusted.get(ranked.name),
                skill=skill.get(ranked.name),
            )
        )
    return tuple(sorted(sides, key=_score))


def _score(side: Side) -> float:
    """Return the score to sort by; a group without one comes last."""
    return math.inf if side.brier.mean is None else side.brier.mean


def _skills(
    frames: Frames, counting: pd.DataFrame, family: pd.Series, lead: float | None
) -> dict[str, Skill]:
    """Return the skill of all forecasters of the ledger: it takes many to separate luck."""
    forecasts = frames.forecasts[frames.forecasts["question_id"].isin(counting["question_id"])]
    protocol = scoring.PROTOCOLS["skill"]
    if lead is not None:
        protocol = replace(protocol, timing=f"lead({timing_days(lead)})")
    scores = scoring.score(counting, forecasts, protocol)
    # Without anyone else there is no advantage to measure: a score of 0 means nothing.
    beside = scores.groupby("question_id")["forecaster"].transform("nunique") > 1
    scores = scores[beside]
    if scores["forecaster"].nunique() < scoring.FEWEST_TO_SHRINK or not scores["score"].any():
        return {}
    return {
        row.forecaster: Skill(
            questions=row.questions,
            mean=row.mean,
            interval=(row.mean_lower, row.mean_upper),
            shrunk=row.skill,
            shrunk_interval=(row.skill_lower, row.skill_upper),
        )
        for row in rows(scoring.skills(scores, family))
    }
