"""Import frames into the ledger: all or nothing; a second import of the same changes nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from datetime import datetime

import numpy as np
from sqlmodel import Session

from forecasts.access.members import members_or_new
from forecasts.access.roles import (
    Action,
    Rights,
    allows,
    is_shared,
    member_rights,
    require,
    require_scope,
)
from forecasts.access.teams import EVERYONE, ME, visibility_fields
from forecasts.access.visibility import reading_everything
from forecasts.common import limits
from forecasts.common.errors import Advice, Forbidden, Remedy
from forecasts.common.text import count
from forecasts.folder.frames import FRAME_COLUMNS, Frames, rows
from forecasts.importing.dependence import (
    NewDependence,
    compare_dependence,
    settle_imported,
    write_dependence,
)
from forecasts.importing.forecasts import (
    NewForecasts,
    compare_forecasts,
    withdrawals,
    write_forecasts,
)
from forecasts.importing.memberships import NewStay, compare_memberships, write_memberships
from forecasts.importing.questions import (
    AssumedTimes,
    Conflict,
    Progress,
    QuestionChanges,
    Tolerance,
    changes,
    compare_questions,
    write_questions,
)
from forecasts.importing.sources import (
    Articles,
    Pieces,
    compare_articles,
    compare_evidence,
    write_evidence,
)
from forecasts.ledger.models import Member, Resolution
from forecasts.questions.standing import QuestionState, listing
from forecasts.scores import scores
from forecasts.scores.scores import Scored

_ROWS_A_SECOND = 15_000  # of forecasts, written with their entries in the chain


@dataclass(frozen=True)
class Imported:
    """The numbers of rows of each kind that were new to the ledger.

    ``forecasts`` includes ``withdrawals``. ``memberships``: a clause on each change to them.
    ``audiences``: the new questions by the audience named for them, "" for none; empty where all
    see everything. ``lacking``: those without resolution criteria. ``dependence``: the questions
    with a new group or condition, and new links.
    """

    questions: int
    revised: int
    forecasts: int
    resolutions: int
    scores: int
    evidence: int
    articles: int
    unvouched: int = 0
    kept_private: int = 0  # of the questions
    withdrawals: int = 0
    memberships: Sequence[str] = ()
    audiences: Mapping[str, int] = field(default_factory=dict)
    lacking: int = 0
    dependence: int = 0

    @property
    def changes_nothing(self) -> bool:
        """Whether the ledger has everything already."""
        numbers = (self.questions, self.revised, self.forecasts, self.resolutions, self.evidence)
        return not (any(numbers) or self.articles or self.memberships or self.dependence)

    @property
    def made(self) -> int:
        """The number of new forecasts that are not withdrawals."""
        return self.forecasts - self.withdrawals

    def __str__(self) -> str:
        """Return the numbers on one line."""
        withdrawals = f"{self.withdrawals} withdrawals, " if self.withdrawals else ""
        memberships = f", {len(self.memberships)} memberships" if self.memberships else ""
        groups = f", {self.dependence} groups, conditions or links" if self.dependence else ""
        return (
            f"{self.questions} new questions, {self.revised} revised, {self.made} forecasts, "
            f"{withdrawals}{self.resolutions} resolutions, {self.scores} scores, "
            f"{self.evidence} pieces of evidence, {self.articles} articles{memberships}{groups}"
        )

    @property
    def wait_note(self) -> str:
        """How long others will wait to write while it is imported; '' if under a second."""
        seconds = round(self.forecasts / _ROWS_A_SECOND)
        about = count(seconds, "second")
        return f"Others wait about {about} to write while it is imported." if seconds else ""

    def audience_note(self, chosen: str | None = None) -> str:
        """Return how many new questions each audience will see, '' if all see everything.

        ``chosen``: the audience of those for which none is named.
        """
        named = Counter(self.audiences)
        left = named.pop("", 0)
        private = 0 if chosen else self.kept_private
        named += Counter({chosen or EVERYONE: left - private, ME: private})
        if not named:
            return ""
        said = "; ".join(f"{who}: {many:,}" for who, many in named.items())
        without = f" Without resolution criteria: {self.lacking:,}." if self.lacking else ""
        return f"New questions visible to {said}.{without}"

    def private_note(self, way: Remedy) -> Advice:
        """Return that some questions are visible to their importer only, and ``way``; or ''."""
        if not self.kept_private:
            return ""
        lacking = count(self.kept_private, "new question lacks", "new questions lack")
        return (
            f"{lacking} resolution criteria, so only you can see "
            f"{'it' if self.kept_private == 1 else 'them'}.",
            way,
        )


def import_frames(
    session: Session,
    frames: Frames,
    *,
    member: Member,
    now: datetime,
    vouch: bool = False,
    visible_to: str | None = None,
    dry_run: bool = False,
    on_progress: Progress = lambda _step, _share: None,
) -> Imported:
    """Return the numbers of new rows; everything that the ledger does not have yet is written.

    A question with a new wording is revised, and blank cells are ignored. BadInput for
    contradictions that an import cannot correct (a resolution, the terms of a resolved question, a
    question's type, evidence, the end of a membership) and for times after ``now``.
    Forbidden if the member could not do the same one by one (``_require_may_import``). In a shared
    ledger, new questions without resolution criteria are visible to the member only, unless
    ``visible_to`` (everyone, me or a team) names the audience of the new ones.

    Forecasts are marked as imports. With ``vouch``, and always in an unshared ledger, they count as
    made at the times in the file; otherwise as made ``now``, with those times as claims, and a
    later import that vouches adds them at those times. Current resolutions are scored again if
    their questions have new forecasts or wordings. An error in ``on_progress`` ends the import.

    A ``dry_run`` has the same result and errors, but for the scores. It writes nothing, so others
    can write meanwhile.
    """
    visibility_fields(session, visible_to)  # one that does not exist is refused as such
    found = compare_frames(
        session,
        frames,
        member=member,
        now=now,
        vouch=vouch,
        on_progress=on_progress,
        visible_to=dict.fromkeys(frames.questions["question_id"], visible_to or ""),
    )
    return found.counts if dry_run else write_frames(session, found, on_progress=on_progress)


def without(frames: Frames, questions: Collection[str]) -> Frames:
    """Return the frames without these questions and their forecasts; places stay as they were."""
    kept = {
        name: np.flatnonzero(~getattr(frames, name)["question_id"].isin(list(questions)))
        for name in ("questions", "forecasts")
    }
    tables = {
        name: getattr(frames, name).iloc[rows].reset_index(drop=True) for name, rows in kept.items()
    }
    return replace(
        frames,
        **tables,
        models=None if frames.models is None else frames.models.iloc[kept["forecasts"]],
        place=lambda name, row: frames.place(name, int(kept[name][row]) if name in kept else row),
    )


@dataclass(frozen=True)
class Comparison:
    """The differences of the frames from the ledger, and who imports them.

    ``known``: the visible questions that the ledger has, by slug. ``is_limited``: the member
    imports with their own rights, not with those of an admin. ``conflicts``: what a tolerant import
    leaves out.
    """

    frames: Frames
    member: Member
    now: datetime
    known: Mapping[str, QuestionState]
    memberships: Sequence[NewStay]
    articles: Articles
    questions: QuestionChanges
    conflicts: Sequence[Conflict]
    dependence: NewDependence
    evidence: Pieces
    forecasts: NewForecasts
    vouched: bool
    is_limited: bool

    def times(self, name: str) -> dict[str, datetime]:
        """Return a time of each known question as its wording after the import has it, by slug."""
        return {
            slug: getattr(self.questions.revised.get(slug, state.text), name)
            for slug, state in self.known.items()
        }

    @property
    def counts(self) -> Imported:
        """The numbers of new rows, without those of scores."""
        new_forecasts = len(self.forecasts.rows)
        return Imported(
            questions=len(self.questions.new),
            revised=len(self.questions.revised),
            forecasts=new_forecasts,
            resolutions=len(self.questions.resolutions),
            scores=0,
            evidence=len(self.evidence.keys) - len(self.evidence.known),
            articles=len(self.articles.new),
            unvouched=0 if self.vouched else new_forecasts,
            kept_private=len(self.questions.private),
            withdrawals=int(withdrawals(self.forecasts.rows).sum()),
            memberships=tuple(map(str, self.memberships)),
            audiences=self.questions.audiences,
            lacking=sum(not one.text.has_criteria for one in self.questions.new.values()),
            dependence=self.dependence.number,
        )


def compare_frames(
    session: Session,
    frames: Frames,
    *,
    member: Member,
    now: datetime,
    vouch: bool,
    on_progress: Progress,
    tolerant: AssumedTimes | None = None,
    visible_to: Mapping[str, str],
) -> Comparison:
    """Return the differences; nothing is written. Errors as in ``import_frames``.

    ``visible_to``: as in ``compare_questions``.

    With ``tolerant``, what conflicts with the ledger is left out instead (``Tolerance``).
    """
    vouched = vouch or not is_shared(session)
    if vouch:
        require(session, member, Action.vouch, now=now)
    rights = member_rights(session, member, now=now)
    is_limited = not rights.unrestricted
    if is_limited:
        _require_small(frames)
    slugs = frames.questions["question_id"].tolist()
    known = {state.slug: state for state in listing(session, now=now, only=slugs)}
    tolerance = None
    if tolerant is not None:
        tolerance = Tolerance(lambda act, on: allows(rights, act, on.question, on.text), tolerant)
    if is_limited:
        _require_may_import(
            session, frames, known, member, rights, now, tolerant=tolerant is not None
        )
    on_progress("Members, articles and evidence", 0.0)
    memberships = compare_memberships(session, frames)
    articles = compare_articles(session, frames.articles, member, now)
    questions = compare_questions(
        session, frames, known, member, now, on_progress, tolerance, visible_to
    )
    dependence = compare_dependence(session, frames, known, member, now, vouched=vouched)
    fitting = frames if tolerance is None else without(frames, tolerance.unfit)
    with nullcontext() if is_limited else reading_everything(session):
        evidence = compare_evidence(session, frames.evidence, member)
        forecasts = compare_forecasts(
            session, fitting, new_only=not known, vouched=vouched, now=now
        )
    return Comparison(
        frames,
        member,
        now,
        known,
        memberships,
        articles,
        questions,
        [] if tolerance is None else tolerance.conflicts,
        dependence,
        evidence,
        forecasts,
        vouched,
        is_limited,
    )


def write_frames(
    session: Session, found: Comparison, *, on_progress: Progress, origin: str = "import"
) -> Imported:
    """Return the numbers of new rows, which are written, as ``compare_frames`` found them.

    ``origin``: of the forecasts. New members get their kinds in ``frames.members``.
    """
    frames, member, now, known = found.frames, found.member, found.now, found.known
    handles = dict.fromkeys([*frames.forecasts["forecaster"].unique(), *frames.teams["forecaster"]])
    kinds = {} if frames.members is None else dict(rows(frames.members[["forecaster", "kind"]]))
    members = members_or_new(session, list(handles), now=now, kinds=kinds)
    write_memberships(session, found.memberships, members, now)
    session.add_all(found.articles.new)
    session.flush()
    articles, many = found.articles.by_address, len(found.forecasts.rows)
    evidence = write_evidence(session, frames.evidence, found.evidence, articles, member, now)
    resolutions = write_questions(session, found.questions, frames, known, articles, member, now)
    write_dependence(session, found.dependence, member=member, now=now)
    with nullcontext() if found.is_limited else reading_everything(session):
        forecasts = write_forecasts(
            session,
            found.forecasts,
            members,
            evidence,
            vouched_by=member if found.vouched else None,
            now=now,
            origin=origin,
            on_progress=lambda done: on_progress(
                f"Forecast {done + 1:,} of {many:,}", 0.5 + 0.3 * done / many
            ),
        )
    session.flush()
    touched = {known[slug].id for slug in found.questions.revised} | forecasts
    again = [one.resolution for one in known.values() if one.resolution and one.id in touched]
    to_score: list[Scored | Resolution] = [*resolutions, *again]
    on_progress("Scores", 0.8)
    scored = scores.store(session, to_score) if to_score else 0
    resolved = [one.question_id for one in resolutions]
    settle_imported(session, found.dependence, resolved, member=member, now=now)
    return replace(found.counts, scores=scored)


def _require_small(frames: Frames) -> None:
    """Refuse an import that would keep others from writing for long; admins decide on those."""
    many = sum(len(getattr(frames, name)) for name in FRAME_COLUMNS)
    if many > limits.MEMBER_ROWS:
        raise Forbidden(
            f"The import has {many:,} rows; without an admin's rights at most "
            f"{limits.MEMBER_ROWS:,} can be imported at once.",
            remedy="Divide it, or ask an admin to import it.",
        )


def _require_may_import(
    session: Session,
    frames: Frames,
    known: Mapping[str, QuestionState],
    member: Member,
    rights: Rights,
    now: datetime,
    *,
    tolerant: bool,
) -> None:
    """Refuse an import of anything that this member, without an admin's rights, could not add.

    Only admins import others' forecasts, and memberships. For their own forecasts, new questions,
    wordings and resolutions, members need the same rights as without an import; if ``tolerant``,
    wordings and resolutions are left out otherwise (``compare_questions``).
    """
    if len(frames.teams) or set(frames.forecasts["forecaster"].unique()) - {member.handle}:
        require(session, member, Action.record, now=now)
    require(session, member, Action.ask, now=now)

    def require_on(state: QuestionState, action: Action) -> None:
        require_scope(session, action.scope)
        if not allows(rights, action, state.question, state.text):
            require(session, member, action, state.question, now=now)  # reads it, to say why

    for row in rows(frames.questions):
        state = known.get(row.question_id)
        if state is None:
            continue
        require_on(state, Action.forecast)
        if tolerant:
            continue
        if changes(row, state, lambda *_: None):  # problems are noted when the row is imported
            require_on(state, Action.revise)
        if row.resolution.strip() and state.resolution is None:
            require_on(state, Action.resolve)
