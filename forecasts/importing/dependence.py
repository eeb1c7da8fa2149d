"""The groups, conditions and links of an import that the ledger does not have yet.

A group that the ledger has keeps its title and its kind. A question has one group and one
condition; another one of the import is a contradiction.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pandas as pd
from sqlmodel import Session, col, select

from forecasts.access.roles import Action, require
from forecasts.common.errors import BadInput, Problem
from forecasts.common.times import utc
from forecasts.folder.frames import Frames, rows
from forecasts.ledger.append import append
from forecasts.ledger.models import GroupKind, LinkStrength, Member, Question, QuestionGroup
from forecasts.questions.conditions import branches
from forecasts.questions.groups import Group, first_forecasts, groups, write_group
from forecasts.questions.links import SYMMETRIC, Link, links, require_changeable
from forecasts.questions.revisions import first_ends
from forecasts.questions.standing import QuestionState, listing, rows_with
from forecasts.resolution.confirmation import settle_branches

# As in ``links.csv``; without a time, it is made at the import.
NewLink = tuple[str, str, str, str, str, datetime | None]


@dataclass(frozen=True)
class NewDependence:
    """The rows of an import that are new; questions are named by their slugs.

    ``groups``: title and kind of new ones. ``places``: group, label and position of each question.
    ``conditions``: the parent and its outcome. ``links``: as in ``links.csv``.
    """

    groups: Mapping[str, tuple[str, str]]
    places: Mapping[str, tuple[str, str, int]]
    conditions: Mapping[str, tuple[str, str]]
    links: Sequence[NewLink]

    @property
    def number(self) -> int:
        """How many questions and links get something new."""
        return len(self.places) + len(self.conditions) + len(self.links)


def compare_dependence(
    session: Session,
    frames: Frames,
    known: Mapping[str, QuestionState],
    member: Member,
    now: datetime,
    *,
    vouched: bool,
) -> NewDependence:
    """Return the rows that the ledger does not have yet; nothing is written.

    ``vouched``: times of links between new questions are as the import has them. Of others they
    are never: an import could join questions whose outcomes are known here.

    The member must be allowed to change the ``known`` questions that get a group or a condition,
    and those of a group that gets a member; of links, the rights are those of ``link``. BadInput
    names each contradiction, each question that comes into a group too late (as for
    ``add_to_group``), and each end of a link that is neither here nor in the import.
    """
    problems: list[Problem] = []

    def wrong(number: int, column: str, value: Any, rule: str) -> None:
        place = f"{frames.place('questions', number)}, column {column}"
        problems.append(Problem(place, str(value), rule))

    named = frames.questions[(frames.questions["group"] != "")]
    asked = frames.questions[frames.questions["condition"].notna()]
    new_groups: dict[str, tuple[str, str]] = {}
    places: dict[str, tuple[str, str, int]] = {}
    conditions: dict[str, tuple[str, str]] = {}
    if len(named):
        here = {group.slug: group for group in groups(session, now=now)}
        place_of = {one.state.slug: slug for slug, of in here.items() for one in of.members}
        taken = set(
            rows_with(
                session, select(QuestionGroup.slug), QuestionGroup.slug, [*set(named["group"])]
            )
        )
        in_time = _in_time(session, frames, here, known, now, vouched=vouched)
        for number, row in zip(named.index, rows(named), strict=True):
            there = place_of.get(row.question_id)
            if row.group in here:
                if row.group_kind != here[row.group].kind:
                    wrong(number, "group_kind", row.group_kind, f"{here[row.group].kind} here")
            elif row.group in taken:
                wrong(number, "group", row.group, "another ID, since this one is taken")
            if there == row.group:
                continue
            if there is not None:
                wrong(number, "group", row.group, f"{there} in this ledger")
            elif not in_time(row.question_id, row.group):
                rule = "blank, since an outcome of the group may be known"
                wrong(number, "group", row.group, rule)
            if row.group in here:
                for one in here[row.group].members:
                    require(session, member, Action.revise, one.state.question, now=now)
            else:
                new_groups[row.group] = (row.group_title, row.group_kind)
            places[row.question_id] = (row.group, row.group_label, int(row.group_place))
    if len(asked):
        condition_of = {one.state.slug: one for one in branches(session, now=now)}
        parents = {slug: one.parent.slug for slug, one in condition_of.items()}
        parents |= {row.question_id: row.condition["question"] for row in rows(asked)}
        for number, row in zip(asked.index, rows(asked), strict=True):
            given = (row.condition["question"], row.condition["outcome"])
            if (own := condition_of.get(row.question_id)) is None:
                conditions[row.question_id] = given
                above, steps = row.question_id, 0
                while above in parents and steps <= len(parents):
                    above, steps = parents[above], steps + 1
                if steps > len(parents):
                    wrong(number, "condition", given, "not of a question asked under this one")
            elif given != (own.parent.slug, own.outcome):
                wrong(number, "condition", given, f"{own.parent.slug}, {own.outcome} here")
    for slug in {*places, *conditions} & known.keys():
        require(session, member, Action.revise, known[slug].question, now=now)
    if problems:
        raise BadInput(
            "The import contradicts the groups or conditions of this ledger; nothing was imported.",
            problems=problems,
            remedy="Leave these cells blank, or change them here first.",
        )
    opened: dict[str, datetime] = {}
    if vouched:
        every = zip(frames.questions["question_id"], frames.questions["open_time"], strict=True)
        opened = {slug: time for slug, time in every if slug not in known}
    new_links = _new_links(session, frames, opened, known, member, now) if len(frames.links) else []
    return NewDependence(new_groups, places, conditions, new_links)


def _in_time(
    session: Session,
    frames: Frames,
    here: Mapping[str, Group],
    known: Mapping[str, QuestionState],
    now: datetime,
    *,
    vouched: bool,
) -> Callable[[str, str], bool]:
    """Return whether a question may come into a group, by their slugs; as for ``add_to_group``.

    A question of this ledger also not into one whose new questions have ended.
    """
    members = [one.state for group in here.values() for one in group.members]
    ends = first_ends(session, [*known.values(), *members])
    stored = first_forecasts(session, [one.id for one in known.values()])
    begun = {slug: stored[one.id] for slug, one in known.items() if one.id in stored}
    if vouched:
        made = frames.forecasts.groupby("question_id")["made_at"].min()
        for slug, at in zip(made.index.tolist(), made, strict=True):
            begun[slug] = min(begun.get(slug, now), utc(at))
    theirs: defaultdict[str, list[datetime]] = defaultdict(list)
    brought: defaultdict[str, list[datetime]] = defaultdict(list)
    for slug, group in here.items():
        theirs[slug] += (ends[one.state.id] for one in group.members)
    times = ["scheduled_close_time", "actual_close_time", "known_at", "resolved_at"]
    new = frames.questions[~frames.questions["question_id"].isin(list(known))]
    for name, at in zip(new["group"], new[times].min(axis=1), strict=True):
        brought[name].append(utc(at))

    def in_time(slug: str, group: str) -> bool:
        own, others = known.get(slug), theirs[group]
        if own is not None:
            if ends[own.id] <= now:
                return False
            others = [*others, *brought[group]]
        is_exhaustive = group in here and here[group].kind == GroupKind.exhaustive
        since = None if is_exhaustive else begun.get(slug, now)
        return not any(end <= now and (since is None or since < end) for end in others)

    return in_time


def _new_links(
    session: Session,
    frames: Frames,
    opened: Mapping[str, datetime],
    known: Mapping[str, QuestionState],
    member: Member,
    now: datetime,
) -> list[NewLink]:
    """Return the links that are new or changed, another member's only with the right to do so.

    ``opened``: the questions that may be linked before now, and when each opened. A link of two of
    them that has no time was made when the first opened.
    """
    here: dict[tuple[str, str, str], Link] = {}
    for one in links(session, now=now):
        here[one.one.slug, one.other.slug, str(one.row.kind)] = one
        if one.row.kind in SYMMETRIC:
            here[one.other.slug, one.one.slug, str(one.row.kind)] = one
    # Those that the member may not see are unknown, as are those that do not exist.
    new_ones = {*frames.questions["question_id"]} - known.keys()
    elsewhere = {*frames.links["question_id"], *frames.links["other_id"]} - new_ones - known.keys()
    seen = {**known, **{one.slug: one for one in listing(session, now=now, only=[*elsewhere])}}
    if unknown := elsewhere - seen.keys():
        raise BadInput(
            "The import links questions that neither it nor this ledger has; nothing was imported.",
            problems=[
                Problem(f"{frames.place('links', number)}, column {name}", slug, "a known question")
                for name in ("question_id", "other_id")
                for number, slug in enumerate(frames.links[name])
                if slug in unknown
            ],
            remedy="Import these questions too, or leave the links out.",
        )
    new: list[NewLink] = []
    for *row, made in rows(frames.links):
        there = here.get(tuple(row[:3]))
        if there is not None and [there.row.strength, there.row.reason] == row[3:]:
            continue
        if there is not None:
            require_changeable(there, now)
            if there.row.member_id != member.id:
                require(session, member, Action.revise, there.one.question, now=now)
        one, other, kind, strength, reason = row
        for end in (seen[slug].question for slug in (one, other) if slug in seen):
            require(session, member, Action.forecast, end, now=now)
            if strength == LinkStrength.certain:  # for both: they become one family
                require(session, member, Action.revise, end, now=now)
        made_at = None
        if {one, other} <= opened.keys():
            made_at = min(opened[one], opened[other]) if pd.isna(made) else made
            made_at = min(utc(made_at), now)
        new.append((one, other, kind, strength, reason, made_at))
    return new


def write_dependence(
    session: Session, new: NewDependence, *, member: Member, now: datetime
) -> None:
    """Write the rows, whose questions are written already."""
    slugs = {*new.places, *new.conditions}
    slugs |= {parent for parent, _ in new.conditions.values()}
    slugs |= {slug for row in new.links for slug in row[:2]}
    found = select(Question.slug, Question.id)
    ids: dict[str, int] = dict(rows_with(session, found, Question.slug, sorted(slugs)))
    for slug, (title, kind) in new.groups.items():
        write_group(session, slug, title, kind, member=member, now=now)
    by = {"member_id": member.id, "recorded_at": now}
    if new.places:
        firsts = dict[str, int]()
        every = select(QuestionGroup.slug, QuestionGroup.id).order_by(col(QuestionGroup.id).desc())
        firsts.update(session.exec(every).all())
        made = [
            {
                "question_id": ids[slug],
                "group_id": firsts[group],
                "label": label,
                "position": place,
                **by,
            }
            for slug, (group, label, place) in new.places.items()
        ]
        _append(session, "group_place", made)
    _append(
        session,
        "condition",
        [
            {"question_id": ids[slug], "parent_id": ids[parent], "outcome": outcome, **by}
            for slug, (parent, outcome) in new.conditions.items()
        ],
    )
    made_links = []
    for one, other, kind, strength, reason, made_at in new.links:
        first, second = ids[one], ids[other]
        if kind in SYMMETRIC and second < first:
            first, second = second, first
        made_links.append(
            {
                "question_id": first,
                "other_id": second,
                "kind": kind,
                "strength": strength,
                "reason": reason,
                "removed": False,
                "made_at": made_at,
                **by,
            }
        )
    _append(session, "question_link", made_links)


def _append(session: Session, kind: str, made: Sequence[Mapping[str, Any]]) -> None:
    if made:
        append(session, kind, {name: [row[name] for row in made] for name in made[0]})


def settle_imported(
    session: Session, new: NewDependence, resolved: Sequence[int], *, member: Member, now: datetime
) -> None:
    """Let branches follow the outcomes of this import, and new ones those that the ledger has."""
    parents = [parent for parent, _ in new.conditions.values()]
    ids = rows_with(session, select(Question.id), Question.slug, parents) if parents else ()
    settle_branches(session, sorted({*resolved, *ids}), member, now)
