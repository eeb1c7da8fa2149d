"""The rows that the groups of a report are made from, each computed when it is first asked for.

Some numbers come from the forecasts of all groups together (``joint``); everything else about a
group comes from its own. So a ledger of any size is reported in two steps: ``joint`` on parts of
the questions, each with all of their forecasts, and then ``build.groups`` on some groups at a time,
each with all of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from forecasts.folder.frames import Frames
from forecasts.reports import calibration, member_scores
from forecasts.reports.coherence import priced
from forecasts.reports.cohort import families, with_outcomes
from forecasts.reports.estimates import BRIER, mean_over_questions
from forecasts.reports.evidence_points import NOTHING, Parts, parts
from forecasts.reports.groups import (
    LEADS,
    Entries,
    by_account,
    group_entries,
    group_questions,
    lead_days,
    of_members,
    only,
    tagged,
)
from forecasts.reports.movement import movements
from forecasts.reports.report import Adjusted, Lead, Provenance
from forecasts.reports.scope import Scope
from forecasts.reports.skills import skills
from forecasts.reports.staleness import unrevised
from forecasts.reports.when_made import Forecasts, forecasts_made, forecasts_of
from scoring.arrays import Flags, Places
from scoring.outcome_draws import link_of

# Everyone, a tag and a lead have no others to be compared with.
SIDES = ("forecaster", "team", "kind", "model", "owner")


@dataclass(frozen=True)
class Rows:
    """The rows of all groups, each with its group and question (a position).

    ``frames`` are numbered, with the forecasts that the choice takes: all of them, those on some
    questions (``joint``), or those of some groups. Every row of a group and question comes from
    that group's forecasts on that question alone, except in ``skills``. ``alone``: only the groups
    wanted have rows.
    """

    frames: Frames
    scope: Scope
    alone: bool = False

    @cached_property
    def entries(self) -> Entries:
        """The forecasts as the groups made them."""
        every = group_entries(self.frames, by=self.scope.by)
        return only(every, self.scope.wanted) if self.alone else every

    @cached_property
    def paths(self) -> Entries:
        """The same with a member for each account: two accounts of one member are two paths."""
        return by_account(self.entries, self.frames.forecasts)

    @cached_property
    def live(self) -> pd.DataFrame:
        """The live segments of every member of a group."""
        return member_scores.live_segments(self.scope.counting, self.entries)

    @cached_property
    def untagged(self) -> pd.DataFrame:
        """The scores of every member; in a report by tag, everyone's once."""
        return self._scores(self.scope.choice.lead)

    @cached_property
    def members(self) -> pd.DataFrame:
        """The scores of every member, in a report by lead at each lead."""
        if self.scope.by != "lead":
            return self._tagged(self.untagged)
        each = [self._scores(lead_days(name)).assign(group=name) for name in self.scope.wanted]
        return pd.concat(each, ignore_index=True)

    @cached_property
    def scores(self) -> pd.DataFrame:
        """The scores of every group, one row a question."""
        return member_scores.question_scores(self.members)

    @cached_property
    def every(self) -> dict[float | None, Forecasts]:
        """All forecasts when made: by lead at each lead, else those of the choice."""
        counting, live = self.scope.counting, self.live
        if self.paths is not self.entries:
            live = member_scores.live_segments(counting, self.paths)
        group = self.paths.group
        return {days: forecasts_made(counting, live, group, days) for days in self._leads}

    @cached_property
    def made(self) -> Callable[[str], Forecasts]:
        """A function from a group's name to its forecasts when made."""
        return self._of_groups(self.every)

    @cached_property
    def undated(self) -> dict[str, int]:
        """The number of each group's questions with a forecast without the time of its making."""
        live = self.live[self.live["undated"].to_numpy(dtype=np.bool_)]
        group = of_members(self.entries.group, live["forecaster"])
        asked = pd.DataFrame({"group": group, "question": live["question"].to_numpy()})
        of_groups = self._tagged(asked.drop_duplicates()).groupby("group", observed=True).size()
        if self.scope.by == "lead":
            return dict.fromkeys(self.scope.wanted, int(of_groups.sum()))
        return {str(name): int(many) for name, many in of_groups.items()}

    @cached_property
    def at_lead(self) -> Callable[[str], Forecasts] | None:
        """A function from a group's name to its forecasts current at the lead, if there is one."""
        if self.follows:
            return None
        return self._of_groups({days: self._at(days) for days in self._leads if days is not None})

    @cached_property
    def waiting(self) -> Callable[[str], Forecasts]:
        """A function from a group's name to its forecasts when made on questions that wait.

        Their questions are numbered after those that count, and their outcomes are not known.
        """
        scope, first = self.scope, len(self.scope.counting)
        live = member_scores.live_segments(next(with_outcomes(scope.waiting)), self.paths)
        every = {}
        for days in self._leads:
            found = forecasts_made(scope.waiting, live, self.paths.group, days)
            question = first + found.rows["question"].to_numpy()
            family = families(scope.asked)[question]
            every[days] = replace(found, rows=found.rows.assign(question=question, family=family))
        return self._of_groups(every)

    @property
    def compares(self) -> bool:
        """Whether the groups can be compared with others."""
        return self.scope.by in SIDES

    @property
    def follows(self) -> bool:
        """Whether the forecasts are followed over time, not taken at a lead."""
        return self.scope.by != "lead" and self.scope.choice.lead is None

    @cached_property
    def skills(self) -> pd.DataFrame:
        """The skills of groups: needs all forecasts on each question."""
        return skills(self.scope.counting, self.frames, self.entries, self.scope.choice.lead)

    def earned(self, people: pd.Series) -> Parts:
        """Return the points of updates; ``people``: the number of members of each group."""
        if not self.follows:
            return NOTHING
        found = parts(self.scope.counting, self.frames, self.entries, people)
        return Parts(self._tagged(found.updates), self._tagged(found.cited))

    @cached_property
    def leads(self) -> dict[Any, tuple[Lead, ...]]:
        """The lead-time profile of each group."""
        found: dict[Any, tuple[Lead, ...]] = {}
        for days in LEADS if self.follows else ():
            made = self._at(days)
            for name, own in self._tagged(made.rows).groupby("group", sort=False, observed=True):
                lead = _lead(days, made.of(own), self.scope.family)
                found[name] = (*found.get(name, ()), lead)
        return found

    @cached_property
    def unrevised(self) -> pd.DataFrame | None:
        """The binary forecasts and how long each was active."""
        return self._tagged(unrevised(self.live, self.entries)) if self.follows else None

    @cached_property
    def priced(self) -> pd.DataFrame | None:
        """The price of forecasts that contradict each other."""
        if not self.follows:
            return None
        scope = self.scope
        found = priced(scope.questions, scope.counting, self.frames.links, self.entries)
        return self._tagged(found)

    @cached_property
    def moved(self) -> pd.DataFrame | None:
        """The excess movement on all selected questions, also those that do not count."""
        if not self.follows:
            return None
        scope = self.scope
        found = movements(scope.questions, self.paths, scope.as_of, scope.counts)
        return tag_rows(found, scope.questions) if scope.by == "tag" else found

    @cached_property
    def imported(self) -> pd.DataFrame:
        """Each group with the questions on which it has a forecast with an imported time."""
        made, imported = self.entries.forecasts, self.frames.imported
        assert imported is not None  # ``provenance`` asks
        made = made[made["inside"].to_numpy() & imported[made["row"].to_numpy()]]
        place = member_scores.places(self.scope.counting, made["question_id"])
        group = of_members(self.entries.group, made["forecaster"])
        return self._tagged(pd.DataFrame({"group": group, "question": place})[place >= 0])

    def provenance(self, question: Places, name: str | None = None) -> Provenance:
        """Return the provenance of scored questions of a group, or of all groups."""
        ids = set(self.scope.counting["id"].iloc[question])
        same = sum(ids.issuperset(pair) for pair in self.frames.likely_same)
        if self.frames.imported is None:
            return Provenance(duplicates=same)
        own = self.imported
        if name is not None and self.scope.by != "lead":
            own = own[own["group"] == name]
        alone = self.scope.counting["id"].iloc[question].isin(self.frames.resolved_alone)
        imported = np.isin(question, own["question"])
        return Provenance(len(question), int(imported.sum()), int(alone.sum()), same)

    @cached_property
    def in_groups(self) -> pd.DataFrame:
        """The questions of each group, scored or not."""
        return group_questions(self.entries, self.scope.questions, self.scope.by, self.scope.wanted)

    def _scores(self, lead: float | None) -> pd.DataFrame:
        return member_scores.member_scores(self.scope.counting, self.entries, lead)

    @property
    def _leads(self) -> tuple[float | None, ...]:
        if self.scope.by == "lead":
            return tuple(map(lead_days, self.scope.wanted))
        return (self.scope.choice.lead,)

    def _at(self, days: float) -> Forecasts:
        then = member_scores.at_lead(self.live, days)
        return forecasts_of(self.scope.counting, then, self.entries.group)

    def _of_groups(self, every: Mapping[Any, Forecasts]) -> Callable[[str], Forecasts]:
        """Return a function from a group's name to its part of forecasts by lead."""
        if self.scope.by == "lead":
            return lambda name: every[lead_days(name)]
        [all_] = every.values()
        of_group = by_group(self._tagged(all_.rows))
        return lambda name: all_.of(of_group(name))

    def _tagged(self, rows: pd.DataFrame) -> pd.DataFrame:
        return tag_rows(rows, self.scope.asked) if self.scope.by == "tag" else rows


def tag_rows(rows: pd.DataFrame, questions: pd.DataFrame) -> pd.DataFrame:
    """Return everyone's rows, once for each tag of the question."""
    tags = tagged(questions)
    tags["question"] = pd.Index(questions["question_id"]).get_indexer(tags.pop("question_id"))
    return rows.drop(columns="group").merge(tags, on="question")


def by_group(rows: pd.DataFrame) -> Callable[[str], pd.DataFrame]:
    """Return a function from a group's name to its rows, which may be none."""
    parts = dict(iter(rows.groupby("group", sort=False, observed=True)))
    return lambda name: parts.get(name, rows.iloc[:0])


def _lead(days: float, made: Forecasts, family: Places) -> Lead:
    # A member has one forecast at a lead, so a question's score is the mean of its rows.
    ordered = made.ordered
    asked, of = made.question[ordered.first], np.cumsum(ordered.starts) - 1
    many = np.bincount(of)
    brier, expected = (
        np.bincount(of, each.sum(axis=1) / 2) / many
        for each in ((made.p - made.y) ** 2, made.p * (1 - made.p))
    )
    cluster = family[asked]
    return Lead(
        days=days,
        questions=len(asked),
        families=len(np.unique(cluster)),
        brier=mean_over_questions(brier, cluster, BRIER, lopsided=True),
        expected=float(expected.mean()),
    )


@dataclass(frozen=True)
class Joint:
    """The joint numbers of some questions, from all of their forecasts.

    ``questions``: of each selected one, by number, whether it has a ``forecast``, belongs to a
    group (``in_group``), and is ``scored``. ``sums``: from ``calibration.question_sums``, of those
    that count, by row (``Scope``). ``scores`` (group, question, family, brier): of groups that are
    compared; a question is its row, and a family its cluster. ``people`` (group, forecaster): the
    members of each group with a score; in a report by tag or lead, everyone once.
    """

    questions: pd.DataFrame
    sums: pd.DataFrame
    scores: pd.DataFrame
    people: pd.DataFrame


def joint(rows: Rows) -> Joint:
    """Return the joint numbers of these questions; ``rows`` have all of their forecasts."""
    scope, counting = rows.scope, rows.scope.counting
    number = scope.questions["question_id"]
    scores = rows.scores[["group", "question", "brier"]]
    at = scores["question"].to_numpy(dtype=np.intp)
    place = np.arange(len(number))
    is_seen = {
        "forecast": number.isin(rows.frames.forecasts["question_id"]).to_numpy(),
        "in_group": np.isin(place, rows.in_groups["place"]),
        "scored": np.isin(place, np.flatnonzero(scope.counts)[at]),
    }
    sums = calibration.question_sums(rows.every.values(), len(counting)).T
    row, cluster = counting["row"].to_numpy(), counting["cluster"].to_numpy()
    scores = scores.assign(question=row[at], family=cluster[at])
    people = rows.untagged[["group", "member"]].drop_duplicates()
    who = rows.entries.forecaster.to_numpy(dtype=object)[people["member"].to_numpy(dtype=np.intp)]
    return Joint(
        pd.DataFrame(is_seen, index=number.to_numpy()),
        pd.DataFrame(sums, index=row),
        scores if rows.compares else scores.iloc[:0],
        people[["group"]].assign(forecaster=who),
    )


def together(parts: Sequence[Joint]) -> Joint:
    """Return the joint numbers of all questions, from those of parts of them."""
    questions, sums, scores, people = (
        pd.concat([getattr(part, field.name) for part in parts]) for field in fields(Joint)
    )
    return Joint(
        questions.sort_index(),
        sums.sort_index(),
        scores.reset_index(drop=True),
        people.drop_duplicates(ignore_index=True),
    )


@dataclass(frozen=True)
class Shared:
    """The facts that the groups of a report share.

    ``people``: the members of each group with a score. ``link``: how closely the questions of a
    family are linked; ``family``: the cluster of every question that counts. ``otherwise``: why a
    selected question that counts has no score. ``scored``: which questions have one.
    ``in_several``: the members with a score in several of the groups wanted.
    """

    people: pd.Series
    link: float
    family: Places
    adjusted: dict[str, Adjusted]
    otherwise: npt.NDArray[np.object_]
    scored: Flags
    in_several: frozenset[str]

    def why(self, scope: Scope) -> npt.NDArray[np.object_]:
        """Return why each selected question has no score, if it has none."""
        return np.where(scope.counts, self.otherwise, scope.reason)


def shared(found: Joint, scope: Scope, adjusted: dict[str, Adjusted], *, follows: bool) -> Shared:
    """Return the facts that the groups share, from all questions of the report.

    ``adjusted``: the groups' scores from ``difficulty``.
    """
    elsewhere = (found.questions["forecast"] & ~found.questions["in_group"]).to_numpy()
    otherwise = np.where(elsewhere, "in_no_group", "never_live" if follows else "none_at_lead")
    members = found.people.loc[found.people["group"].isin(scope.wanted), "forecaster"]
    return Shared(
        people=found.people.groupby("group").size(),
        link=link_of(found.sums.to_numpy().T, scope.family),
        family=scope.family,
        adjusted=adjusted,
        otherwise=otherwise.astype(object),
        scored=found.questions["scored"].to_numpy(),
        in_several=frozenset(members[members.duplicated()]),
    )
