"""Revisions: reword a question or several, move its close, close it early, reopen it.

Each revision is a new row with the whole wording; earlier wordings stay readable. ``resolutions``
uses the same rows for a close that an outcome implies.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple, TypeAlias

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, or_, select, union_all

from forecasts.access import roles, visibility
from forecasts.access.roles import Action
from forecasts.common.errors import FILL_IN, BadInput, LedgerError, Problem, Refused, Remedy
from forecasts.common.limits import too_much
from forecasts.common.text import count, in_words
from forecasts.common.times import to_minute
from forecasts.ledger.append import written
from forecasts.ledger.current import in_order
from forecasts.ledger.models import (
    Member,
    Question,
    QuestionRevision,
    QuestionText,
    Resolution,
    ResolutionState,
    Team,
    Visibility,
)
from forecasts.questions.registry import (
    others_see,
    question_text,
    require_can_ask,
    require_distinct,
)
from forecasts.questions.standing import (
    QuestionState,
    by_id,
    current_state,
    in_batches,
    listing,
    rows_with,
)

# Reasons that the ledger gives itself.
CLOSED = "closed early"
REOPENED = "early close taken back"
FAMILY_GIVEN = "its family"
OUTCOME_KNOWN = "the outcome became known"
OUTCOME_WITHDRAWN = "the outcome was withdrawn"
OF_OUTCOMES = (OUTCOME_KNOWN, OUTCOME_WITHDRAWN)
# Those of an import, with the times that its file does not give.
ASSUMED = {
    "open time assumed": frozenset({"open_time"}),
    "close assumed": frozenset({"scheduled_close_time"}),
    "open time and close assumed": frozenset({"open_time", "scheduled_close_time"}),
}

# Of these, the ones that decide how a wording counts.
_OWN = {FAMILY_GIVEN, *OF_OUTCOMES, *ASSUMED}

_ANY_TIME = datetime(1970, 1, 1, tzinfo=UTC)  # no status is read
_FIELDS = tuple(QuestionText.model_fields)
_FEW = 3  # questions that a refusal names
MAX_QUESTIONS = 200  # of one change, since other writers wait meanwhile

# The fields that scores depend on; they are fixed once the question is resolved.
DECIDES_SCORES = (
    "type", "options", "ordered", "lower_bound", "upper_bound", "open_time", "scheduled_close_time",
    "actual_close_time", "spot_time",
)  # fmt: skip


@dataclass(frozen=True)
class Change:
    """A field in which two wordings differ; None and '' are blank."""

    field: str
    before: Any
    after: Any

    @property
    def name(self) -> str:
        """The field's name in words."""
        return self.field.removesuffix("_id").replace("_", " ")

    def formatted(self, format_time: Callable[[datetime], str] = to_minute) -> tuple[str, str]:
        """Return the value before and after, formatted for a page."""
        return _format(self.before, format_time), _format(self.after, format_time)


def _format(value: Any, format_time: Callable[[datetime], str]) -> str:
    if isinstance(value, datetime):
        return format_time(value)
    if isinstance(value, list):
        return ", ".join(value) or "blank"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value or "blank")


def changes(before: QuestionText, after: QuestionText) -> list[Change]:
    """Return the fields in which two wordings differ, in the order of the model."""
    pairs = ((name, getattr(before, name), getattr(after, name)) for name in _FIELDS)
    return [Change(name, old, new) for name, old, new in pairs if (old or None) != (new or None)]


def named_changes(session: Session, before: QuestionText, after: QuestionText) -> list[Change]:
    """Return the changes, with the names of audiences and teams."""
    names: dict[str, Callable[[QuestionText], str]] = {
        "visibility": lambda text: visibility.audience_label(session, text) or "everyone",
        "team_id": lambda of: session.get_one(Team, of.team_id).name if of.team_id else "",
    }
    return [
        Change(one.field, name(before), name(after)) if (name := names.get(one.field)) else one
        for one in changes(before, after)
    ]


def history(session: Session, question: Question) -> list[QuestionRevision]:
    """Return every wording of the question, oldest first."""
    visibility.require_visible(session, question)
    return in_order(session, QuestionRevision, QuestionRevision.question_id == question.id)


def earlier_closes(
    session: Session, questions: Sequence[int] | None = None
) -> dict[int, dict[datetime, datetime]]:
    """Return the scheduled closes that were replaced, by question and the time of the change.

    A close that an import assumed, and widened later, was not known to anyone: it has no history.
    """
    before, after = aliased(QuestionRevision), aliased(QuestionRevision)
    changed = (
        _changes(before, after)
        .add_columns(col(before.scheduled_close_time))
        .where(
            col(before.scheduled_close_time) != col(after.scheduled_close_time),
            col(after.reason).not_in(ASSUMED),
        )
    )
    found: dict[int, dict[datetime, datetime]] = defaultdict(dict)
    for question_id, at, close in _rows_on(session, changed, after, questions):
        found[question_id][at] = close
    return found


def first_ends(session: Session, states: Sequence[QuestionState]) -> dict[int, datetime]:
    """Return the first time at which each question's outcome may have been known, by id.

    That of its outcome, or its close if that was earlier. Earlier ones count, too, since nobody
    forgets: a scheduled close that had passed when it was replaced, and an early close or an
    outcome that was taken back.
    """
    ends = {one.id: min(one.ends) for one in states}
    for ids in in_batches(list(ends)):
        for id_, at in session.exec(_once_known(ids)):
            ends[id_] = min(ends[id_], at)
    return ends


def ended(
    session: Session,
    states: Sequence[QuestionState],
    *,
    now: datetime,
    since: datetime | None = None,
) -> list[str]:
    """Return the slugs of those whose outcome may be known by ``now``, in order.

    ``since``: without those whose outcome may have been known by then.
    """
    ends = first_ends(session, states)
    return sorted(
        one.slug
        for one in states
        if ends[one.id] <= now and (since is None or since < ends[one.id])
    )


def _once_known(ids: Sequence[int]) -> Any:
    """Return the statement for the times at which outcomes may have been known by these rows."""
    before, after, text = aliased(QuestionRevision), aliased(QuestionRevision), QuestionRevision
    close, own = col(before.scheduled_close_time), col(text.actual_close_time)
    passed = (
        _changes(before, after)
        .with_only_columns(col(after.question_id), close)
        .where(close != col(after.scheduled_close_time), close <= col(after.recorded_at))
        .where(col(after.reason).not_in(ASSUMED), col(after.question_id).in_(ids))
        .order_by(None)
    )
    early = select(text.question_id, own).where(
        own <= col(text.recorded_at), col(text.question_id).in_(ids)
    )
    confirmed = Resolution.state == ResolutionState.confirmed
    known = [
        select(Resolution.question_id, col(time)).where(
            confirmed, col(time).is_not(None), col(Resolution.question_id).in_(ids)
        )
        for time in (Resolution.known_at, Resolution.resolved_at, Resolution.recorded_at)
    ]
    return union_all(passed, early, *known)


def counted_families(session: Session) -> dict[int, str]:
    """Return the family in which reports count a question, by id, where a later one does not count.

    It is the family that it had when its outcome could first be known: who joins or separates
    questions later could choose, by the outcomes, the faults that count once.
    """
    found = _counted(session, {"family": {FAMILY_GIVEN}})
    return {id_: family for id_, (family,) in found.items()}


class Asked(NamedTuple):
    """The fields by which a question is likely the same as another."""

    title: str
    open_time: datetime
    scheduled_close_time: datetime


def counted_titles(session: Session) -> dict[int, Asked]:
    """Return these fields by id, as ``counted_families``, where later ones do not count."""
    widened = {
        name: [reason for reason, fields in ASSUMED.items() if name in fields]
        for name in Asked._fields
    }
    found = _counted(session, widened)
    return {id_: Asked(*fields) for id_, fields in found.items()}


def _counted(session: Session, fields: Mapping[str, Collection[str]]) -> dict[int, tuple[Any, ...]]:
    """Return the fields before the first change of them that came too late to count, by id.

    ``fields``: of each, the reasons of changes that do not matter.
    """
    before, after = aliased(QuestionRevision), aliased(QuestionRevision)
    matters = [
        (getattr(before, name) != getattr(after, name)) & col(after.reason).not_in(reasons)
        for name, reasons in fields.items()
    ]
    values_before = (getattr(before, name) for name in fields)
    changed = _changes(before, after).add_columns(*values_before).where(or_(*matters))
    rows = session.exec(changed).all()
    ids = sorted({id_ for id_, *_ in rows})
    states = by_id(session, ids, now=_ANY_TIME) if ids else {}
    ends = first_ends(session, list(states.values()))
    found: dict[int, tuple[Any, ...]] = {}
    for question_id, at, *values in rows:
        if question_id in ends and at >= ends[question_id]:
            found.setdefault(question_id, tuple(values))
    return found


def _changes(before: Any, after: Any) -> Any:
    """Return the statement for each wording but the first, beside the one before it."""
    return (
        select(after.question_id, after.recorded_at)
        .join(before, col(before.question_id) == col(after.question_id))
        .where(col(before.number) == col(after.number) - 1)
        .order_by(col(after.id))
    )


def _rows_on(
    session: Session, changed: Any, after: Any, questions: Sequence[int] | None
) -> Iterator[Any]:
    if questions is None:
        return iter(session.exec(changed))
    return rows_with(session, changed, after.question_id, questions)


def reworded(text: QuestionText, **fields: Any) -> QuestionText:
    """Return ``text`` with these fields changed and validated; nothing is written.

    The type and the order of the options are fixed, since forecasts are aligned with them. Options
    may be added before the last one, which covers them in earlier forecasts. Refused
    otherwise; BadInput for an invalid field.
    """
    new = question_text(**({name: getattr(text, name) for name in _FIELDS} | fields))
    if "options" in fields:
        require_distinct(new.options or ())
    before, after = text.options or [], new.options or []
    added = len(after) - len(before)
    rest = after[: len(before) - 1] + after[-1:] if before else after
    if new.type != text.type or added < 0 or rest != before:
        raise Refused(
            "The type of a question is fixed, and new options go before the last one, which "
            "covers them in earlier forecasts.",
            remedy="Register a new question and annul this one.",
        )
    return new


def revise(
    session: Session,
    question: Question,
    *,
    member: Member,
    now: datetime,
    reason: str = "",
    **fields: Any,
) -> QuestionRevision:
    """Return the new wording, the newest one with these fields changed; it is written.

    The member must be the author or a resolver, and to give the question to a team also a
    forecaster of that team. Refused if nothing changes, if others would see it without resolution
    criteria, if the scheduled close is in the past, and for a field that scores depend on if the
    question is resolved. Other errors as in ``reworded``.
    """
    reason = _own_words(reason)
    roles.require(session, member, Action.revise, question, now=now)
    state = current_state(session, question, now=now)
    one = Revised(state, state.text, reworded(state.text, **fields))
    _check(session, one, member, now, fields)
    return append_wording(session, state.text, one.after, member=member, now=now, reason=reason)


def _own_words(reason: str) -> str:
    """Return the reason of a member, Refused if it is one of the ledger's, which have effects."""
    reason = reason.strip()
    if reason in _OWN:
        raise Refused(
            f"{reason!r} is a reason that only the ledger gives.", remedy="Use other words."
        )
    return reason


# The fields to change in a question with a given wording.
Edit: TypeAlias = Callable[[QuestionText], Mapping[str, Any]]
CRITERIA = "resolution_criteria"


def keeping_criteria(fields: Mapping[str, Any]) -> Edit:
    """Return the edit to these fields, with criteria only for a question that has none."""
    others = {name: value for name, value in fields.items() if name != CRITERIA}
    return lambda text: others if text.has_criteria else fields


def criteria_kept(session: Session, slugs: Sequence[str], *, now: datetime) -> str:
    """Return how many of the questions ``keeping_criteria`` leaves their criteria; '' for none."""
    kept = sum(one.text.has_criteria for one in listing(session, now=now, only=slugs))
    return f"{count(kept, 'question keeps its', 'questions keep their')} criteria." if kept else ""


class Revised(NamedTuple):
    """A question that is changed, with its wording before and after."""

    state: QuestionState
    before: QuestionRevision
    after: QuestionText


def to_revise(
    session: Session,
    slugs: Sequence[str],
    edit: Edit,
    *,
    now: datetime,
    member: Member | None = None,
) -> list[Revised]:
    """Return those of the questions that the edit changes, before and after; nothing is written.

    Each keeps the rules of ``revise`` for the member; without one, those of ``reworded``. BadInput
    for more than ``MAX_QUESTIONS``, and if several break a rule: it names each rule once, with the
    questions. The error of only one is raised as it is, if it names the question.
    """
    if (many := len(set(slugs))) > MAX_QUESTIONS:
        raise too_much(
            "One change", f"{many:,} questions", f"{MAX_QUESTIONS}", "Split it into several."
        )
    found = list[Revised]()
    refused = list[tuple[QuestionState, LedgerError]]()
    for state in listing(session, now=now, only=slugs):
        fields = edit(state.text)
        try:
            one = Revised(state, state.text, reworded(state.text, **fields))
            if not changes(one.before, one.after):
                continue
            if member is not None:
                roles.require(session, member, Action.revise, state.question, now=now)
                _check(session, one, member, now, fields)
        except LedgerError as error:
            refused.append((state, error))
        else:
            found.append(one)
    if len(refused) == 1 and repr(refused[0][0].slug) in refused[0][1].message:
        raise refused[0][1]
    if refused:
        raise BadInput(
            f"{len(refused):,} of {count(len(found) + len(refused), 'question')} cannot be changed "
            "in this way; nothing was changed.",
            problems=_by_rule(refused),
            remedy="Leave these questions out, or fix the reasons given first.",
        )
    return found


def _by_rule(refused: Sequence[tuple[QuestionState, LedgerError]]) -> list[Problem]:
    """Return each rule once, with the questions that break it; a remedy if all have the same."""
    rules = defaultdict[str, dict[str, str]](dict)
    for state, error in refused:
        rule = error.message.replace(repr(state.slug), "the question")
        rules[rule][state.slug] = f" {error.remedy}".rstrip()
    return [
        Problem(
            count(len(of), "question"),
            in_words(list(of), _FEW),
            rule + (min(of.values()) if len(set(of.values())) == 1 else ""),
        )
        for rule, of in rules.items()
    ]


def revise_all(
    session: Session,
    slugs: Sequence[str],
    edit: Edit,
    *,
    member: Member,
    now: datetime,
    reason: str = "",
) -> list[Revised]:
    """Write the changes of ``to_revise``, and return them; errors as there."""
    reason = _own_words(reason)
    found = to_revise(session, slugs, edit, now=now, member=member)
    for one in found:
        append_wording(session, one.before, one.after, member=member, now=now, reason=reason)
    return found


def _check(
    session: Session, one: Revised, member: Member, now: datetime, fields: Mapping[str, Any]
) -> None:
    """Refuse a wording that breaks a rule of ``revise``, for a member who may revise."""
    state, new = one.state, one.after
    changed = [change.field for change in changes(state.text, new)]
    if "visibility" in changed or "team_id" in changed:
        require_can_ask(session, new, member=member, now=now)
    if "team_id" in changed and "visibility" not in fields and new.visibility == Visibility.team:
        others, label = session.get_one(Team, new.team_id).name, visibility.audience_label
        raise Refused(
            f"{state.slug!r} is visible only to {label(session, state.text)}, and would be to "
            f"{label(session, new)}.",
            remedy=Remedy("If you mean that: {}", "revise", state.slug, visible_to=others),
        )
    # One that is visible without them already, as an import can be, may be changed in other ways.
    was_fine = state.text.has_criteria or not others_see(session, state.text)
    if was_fine and not new.has_criteria and others_see(session, new):
        raise Refused(
            f"{state.slug!r} has no resolution criteria, and what others see needs them.",
            remedy=Remedy("Write them first: {}", "revise", state.slug, criteria=FILL_IN),
        )
    if not changed:
        raise Refused(f"{state.slug!r} already has this wording; nothing was changed.")
    fixed = [name.replace("_", " ") for name in DECIDES_SCORES if name in changed]
    if fixed and state.resolution is not None:
        raise Refused(
            f"{state.slug!r} is resolved, and its scores depend on its {' and '.join(fixed)}.",
            remedy="Correct the resolution, or annul the question and register another.",
        )
    if "scheduled_close_time" in changed and new.scheduled_close_time <= now:
        raise Refused(
            f"The scheduled close {to_minute(new.scheduled_close_time)} has already passed: it is "
            f"{to_minute(now)}.",
            remedy=Remedy("To close the question early: {}", "close", state.slug),
        )


def close(
    session: Session, question: Question, *, at: datetime, member: Member, now: datetime
) -> QuestionRevision:
    """Return the new wording that closes the question early, ``at`` a time not after ``now``.

    Refused for a time outside the open period, and once the question is resolved.
    """
    state = _unresolved(session, question, member, now)
    text = state.text
    if not text.open_time < at <= now or at >= text.scheduled_close_time:
        raise Refused(
            f"{to_minute(at)} is not an early close: that must be after the open time "
            f"{to_minute(text.open_time)}, before the scheduled close "
            f"{to_minute(text.scheduled_close_time)}, and not later than now, {to_minute(now)}."
        )
    if text.actual_close_time == at:
        raise Refused(f"{state.slug!r} already closed at {to_minute(at)}; nothing was changed.")
    new = reworded(text, actual_close_time=at)
    return append_wording(session, text, new, member=member, now=now, reason=CLOSED)


def reopen(
    session: Session, question: Question, *, member: Member, now: datetime
) -> QuestionRevision:
    """Return the new wording in which the question closes at its scheduled time again.

    Refused if it was not closed early, and once it is resolved.
    """
    state = _unresolved(session, question, member, now)
    if state.text.actual_close_time is None:
        raise Refused(f"{state.slug!r} was not closed early; nothing was changed.")
    new = reworded(state.text, actual_close_time=None)
    return append_wording(session, state.text, new, member=member, now=now, reason=REOPENED)


def edits(rows: Sequence[QuestionRevision]) -> list[tuple[QuestionRevision, QuestionRevision]]:
    """Return the pairs of consecutive wordings between which a member changed something.

    Pairs that differ only in the close that an outcome or its withdrawal implies are left out.
    """
    return [
        (before, after)
        for before, after in itertools.pairwise(rows)
        if after.reason not in OF_OUTCOMES
        or [change.field for change in changes(before, after)] != ["actual_close_time"]
    ]


def _unresolved(
    session: Session, question: Question, member: Member, now: datetime
) -> QuestionState:
    """Return the state of a question that the member may revise; Refused if it is resolved."""
    roles.require(session, member, Action.revise, question, now=now)
    state = current_state(session, question, now=now)
    if state.resolution is not None:
        raise Refused(
            f"{state.slug!r} is resolved: it closed when its outcome became known.",
            remedy="To change that time, correct the resolution.",
        )
    return state


def append_wording(
    session: Session,
    current: QuestionRevision,
    text: QuestionText,
    *,
    member: Member,
    now: datetime,
    reason: str,
) -> QuestionRevision:
    """Return the row that follows ``current``, which is written without further checks.

    Used by ``revise``, imports and resolutions. Refused if another revision came first.
    """
    row = QuestionRevision(
        **{name: getattr(text, name) for name in _FIELDS},
        question_id=current.question_id,
        number=current.number + 1,
        member_id=member.id,
        recorded_at=now,
        reason=reason,
    )
    try:
        return written(session, row)
    except IntegrityError:
        raise Refused(
            "Someone else changed the question at the same time.",
            remedy="Review the new wording, and repeat your change if it is still needed.",
        ) from None


def close_by_hand(session: Session, question: Question) -> datetime | None:
    """Return the early close set by a member or an import, None without one.

    A wording written together with a resolution that closes when the outcome became known belongs
    to that resolution, and does not count.
    """
    confirmed = Resolution.state == ResolutionState.confirmed
    outcomes = in_order(session, Resolution, Resolution.question_id == question.id, confirmed)
    implied_by_outcome = {(row.recorded_at, row.known_at) for row in outcomes}
    before = close = None
    for revision in history(session, question):
        after = revision.actual_close_time
        implied = revision.reason != CLOSED and (revision.recorded_at, after) in implied_by_outcome
        if after != before and not implied:
            close = after
        before = after
    return close
