"""How often the findings of each kind of resolver agreed with the outcome in the end.

A run that confirms its own finding agrees with itself. So agreement is counted only where a person
decided: a member confirmed, rejected or corrected the finding. An outcome that only runs confirmed
is left out even if they reversed it later: otherwise such outcomes would enter only when wrong.
The unit is the family of questions: a family counts its mean, and the interval is Wilson's with as
many observations as families.

A member who corrects what a run confirmed counts, and seldom confirms what was right there: where
runs confirm, the rate is rather too low.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, case, col, func, select

from forecasts.access.visibility import question_visible
from forecasts.ledger.models import (
    Question,
    QuestionType,
    Resolution,
    ResolutionState,
    Resolver,
    ResolverRun,
    RunState,
)
from forecasts.questions.standing import QuestionState, listing
from forecasts.resolution.dependents import FOLLOWS
from forecasts.scores.shares import share
from forecasts.values.outcomes import NOT_SCORED


@dataclass(frozen=True)
class ResolverRecord:
    """The record of a kind of resolver on a type of question.

    ``questions``: resolved ones on which it found an outcome; ``families`` and ``agreed``: of those
    that a person decided, their families and the mean agreement (None without any), with its 95%
    interval. ``unreviewed``: confirmed by a run, and never touched by a person.
    ``cancelled``: annulled or ambiguous questions, on ``abstained`` of which it gave no other
    outcome. ``too_early``: findings written before the outcome was known. ``not_yet``: lookups
    that found no outcome so far. ``reversed``: questions on which it changed its outcome after its
    source was corrected, on ``found_again`` of which the last one agrees.
    """

    kind: str
    type: QuestionType
    questions: int
    families: int
    agreed: float | None
    agreed_interval: tuple[float, float] | None
    unreviewed: int
    cancelled: int
    abstained: int
    too_early: int
    not_yet: int
    reversed: int
    found_again: int


def scoreboard(session: Session, *, now: datetime) -> list[ResolverRecord]:
    """Return the record of each kind of resolver and type of question that the reader may see."""
    rows = session.exec(
        select(Question.slug, Resolver.kind, Resolution)
        .join(Question, col(Question.id) == col(Resolution.question_id))
        .outerjoin(Resolver, col(Resolver.id) == col(Resolution.resolver_id))
        .where(question_visible(session))
        .order_by(col(Resolution.id))
    ).all()
    history: dict[str, list[Resolution]] = defaultdict(list)
    findings: dict[tuple[str, str], list[Resolution]] = defaultdict(list)
    for slug, kind, row in rows:
        history[slug].append(row)
        if row.resolver_id is not None and row.state != ResolutionState.rejected and row.outcome:
            findings[slug, kind].append(row)
    not_yet = func.sum(case((col(ResolverRun.state) == RunState.not_yet, 1), else_=0))
    counts = session.exec(
        select(Question.slug, Resolver.kind, not_yet)
        .join(Resolver, col(Resolver.id) == col(ResolverRun.resolver_id))
        .join(Question, col(Question.id) == col(Resolver.question_id))
        .where(question_visible(session))
        .group_by(Question.slug, Resolver.kind)
    ).all()
    looked: dict[tuple[str, str], int] = defaultdict(int)
    looked |= {(slug, kind): number for slug, kind, number in counts}
    slugs = sorted({slug for slug, _ in (*findings, *looked)})
    states = {one.slug: one for one in listing(session, now=now, only=slugs)}
    groups: dict[tuple[str, QuestionType], list[_Seen]] = defaultdict(list)
    for slug, kind in sorted({*findings, *looked}):
        state = states.get(slug)
        if state is not None and state.resolution is not None:
            seen = _Seen(state, history[slug], findings[slug, kind], looked[slug, kind])
            groups[kind, QuestionType(state.text.type)].append(seen)
    return [_record(*key, groups[key]) for key in sorted(groups)]


@dataclass(frozen=True)
class _Seen:
    """A resolved question with its history, a resolver's findings in order, and its "not yet"."""

    state: QuestionState
    history: Sequence[Resolution]
    findings: Sequence[Resolution]
    not_yet: int

    @property
    def outcome(self) -> str:
        return "" if self.state.resolution is None else self.state.resolution.outcome

    @property
    def is_cancelled(self) -> bool:
        return self.outcome in NOT_SCORED

    @property
    def is_decided(self) -> bool:
        """Whether a person decided; rows that follow from a condition are written by nobody."""
        follow = {row.id for row in self.history if row.source.startswith(FOLLOWS)}
        return any(
            row.member_id is not None
            and row.resolver_id is None
            and row.state != ResolutionState.proposed
            and not follow & {row.id, row.supersedes_id}
            for row in self.history
        )

    @property
    def is_reversed(self) -> bool:
        return len({row.outcome for row in self.findings}) > 1


def _record(kind: str, type_: QuestionType, seen: Sequence[_Seen]) -> ResolverRecord:
    found = [one for one in seen if one.findings]
    decided = [one for one in found if one.is_decided and not one.is_cancelled]
    by_family: dict[str, list[bool]] = defaultdict(list)
    for one in decided:
        family = one.state.text.family or one.state.slug
        by_family[family].append(one.findings[0].outcome == one.outcome)
    agreed = share(by_family.values())
    cancelled = [one for one in seen if one.is_cancelled]
    reversals = [one for one in found if one.is_reversed]
    return ResolverRecord(
        kind=kind,
        type=type_,
        questions=len(found),
        families=agreed.groups,
        agreed=agreed.mean,
        agreed_interval=agreed.interval,
        unreviewed=sum(not one.is_decided for one in found),
        cancelled=len(cancelled),
        abstained=sum(all(row.outcome in NOT_SCORED for row in one.findings) for one in cancelled),
        too_early=sum(_too_early(one) for one in found),
        not_yet=sum(one.not_yet for one in seen),
        reversed=len(reversals),
        found_again=sum(one.findings[-1].outcome == one.outcome for one in reversals),
    )


def _too_early(one: _Seen) -> int:
    known = None if one.state.resolution is None else one.state.resolution.known_at
    return 0 if known is None else sum(row.recorded_at < known for row in one.findings)
