"""Groups: questions under one title, such as the deadlines of one event or the options of a choice.

Each member is a question of its own; the group is their family, so that reports count it once. A
group exists for a reader who may see one of its members, and has only those that they may see.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any, NamedTuple

from sqlalchemy.orm import aliased
from sqlmodel import Session, col, func, select

from forecasts.access import roles
from forecasts.access.roles import Action
from forecasts.access.visibility import question_visible, reading_everything
from forecasts.common.errors import BadInput, NotFound, Refused
from forecasts.common.limits import require_name, too_much
from forecasts.common.times import to_minute
from forecasts.ledger.append import written
from forecasts.ledger.current import is_newest_wording
from forecasts.ledger.models import (
    Forecast,
    GroupKind,
    GroupPlace,
    Member,
    Question,
    QuestionGroup,
    QuestionRevision,
    QuestionText,
    QuestionType,
)
from forecasts.questions.families import move_to_family
from forecasts.questions.passages import Passage
from forecasts.questions.registry import free_slug, is_slug, register, stem_of
from forecasts.questions.revisions import MAX_QUESTIONS, ended, first_ends
from forecasts.questions.standing import QuestionState, by_id, current_state, rows_with
from forecasts.values.dependence import contradicted

_LATER = aliased(GroupPlace)
_ANY_TIME = datetime(1970, 1, 1, tzinfo=UTC)  # no status is read


class NewPlace(NamedTuple):
    """A member to be registered: its label in the group, and its wording."""

    label: str
    text: QuestionText


@dataclass(frozen=True)
class Placed:
    """A member of a group."""

    label: str
    state: QuestionState

    @property
    def outcome(self) -> str | None:
        """The question's outcome; None without one."""
        return None if self.state.resolution is None else self.state.resolution.outcome


@dataclass(frozen=True)
class Group:
    """A group as its reader sees it, with its members in order.

    ``kind``: the one that holds of them. Of an exhaustive group some of which are hidden from the
    reader, or discarded, at most one comes true, so that it is exclusive.
    """

    id: int
    slug: str
    title: str
    kind: GroupKind
    members: tuple[Placed, ...]

    @property
    def outcomes(self) -> list[str | None]:
        """The members' outcomes, None without one."""
        return [one.outcome for one in self.members]

    def place_of(self, question_id: int) -> int:
        """Return the place of a member, from 0."""
        return [one.state.id for one in self.members].index(question_id)


def member_title(title: str, label: str) -> str:
    """Return the title of a member's question.

    >>> member_title("Will Brenholt open its bridge?", "June 2027")
    'Will Brenholt open its bridge? (June 2027)'
    """
    return f"{title} ({label})"


def register_group(
    session: Session,
    title: str,
    members: Sequence[NewPlace],
    *,
    kind: GroupKind = GroupKind.independent,
    member: Member,
    now: datetime,
    slug: str | None = None,
    sources: Sequence[Passage] = (),
) -> Group:
    """Return the new group, which is written with its members' questions, in that order.

    Without ``slug``, one is made from the title. Each question is registered as by ``register``,
    with its errors, and has the group as its family. BadInput for fewer than two members, for two
    with one label, and for those that a group of this kind cannot have (``check_kind``).
    """
    _require_words(title, [one.label for one in members])
    if len(members) < 2:
        raise BadInput("A group takes at least two questions.", remedy="Name two or more.")
    check_kind(kind, [one.text for one in members])
    slug = _new_slug(session, title, slug)
    group = write_group(session, slug, title, kind, member=member, now=now)
    for position, (label, text) in enumerate(members):
        own = text.model_copy(update={"family": slug})
        question = register(session, own, member=member, now=now, sources=sources)
        _write_place(session, question.id, group.id, label.strip(), position, member, now)
    return find_group(session, slug, now=now)


def write_group(
    session: Session, slug: str, title: str, kind: str, *, member: Member, now: datetime
) -> QuestionGroup:
    """Return the row of a group, which is written without further checks."""
    row = QuestionGroup(
        slug=slug, title=title.strip(), kind=GroupKind(kind), member_id=member.id, recorded_at=now
    )
    return written(session, row)


def _write_place(
    session: Session,
    question_id: int,
    group_id: int,
    label: str,
    position: int,
    member: Member,
    now: datetime,
) -> None:
    row = GroupPlace(
        question_id=question_id,
        group_id=group_id,
        label=label,
        position=position,
        member_id=member.id,
        recorded_at=now,
    )
    written(session, row)


def find_group(session: Session, slug: str, *, now: datetime) -> Group:
    """Return the group as the reader sees it; NotFound if it has no member that they may see."""
    found = groups(session, now=now, where=QuestionGroup.slug == slug)
    if not found:
        raise NotFound(f"There is no group {slug!r} in this ledger.")
    return found[0]


def group_of(session: Session, question: Question, *, now: datetime) -> Group | None:
    """Return the question's group as the reader sees it; None if it is in none."""
    found = groups(session, now=now, where=has_member([question.id]))
    return found[0] if found else None


def has_member(questions: Iterable[int]) -> Any:
    """Return the SQL condition, for ``groups``: one of these questions is in the group, by id."""
    own = select(GroupPlace.group_id).where(
        col(GroupPlace.question_id).in_(questions),
        _is_current_place(),
    )
    return col(QuestionGroup.id).in_(own)


def groups(session: Session, *, now: datetime, where: Any = True) -> list[Group]:
    """Return the groups of which the reader may see a member, the oldest first.

    ``where``: an SQL condition on the first row of a group.
    """
    found = group_rows(session, where)
    ids = [id_ for one in found for _, id_ in one.places]
    states = by_id(session, ids, now=now) if ids else {}
    return [
        Group(
            *(one.id, one.slug, one.title, one.kind),
            tuple(Placed(label, states[id_]) for label, id_ in one.places),
        )
        for one in found
    ]


class GroupRow(NamedTuple):
    """A group as its reader sees it, with the label and the question's id of each member."""

    id: int
    slug: str
    title: str
    kind: GroupKind
    places: list[tuple[str, int]]


def group_rows(session: Session, where: Any = True) -> list[GroupRow]:
    """Return the groups as ``groups`` does, without the states of their members."""
    place, group = GroupPlace, QuestionGroup
    columns = col(place.group_id), col(group.slug), col(place.label), col(place.question_id)
    rows = session.exec(
        select(*columns)
        .join(group, col(group.id) == col(place.group_id))
        .where(_is_current_place(), question_visible(session, place.question_id), where)
        .order_by(col(place.group_id), col(place.position), col(place.id))
    ).all()
    if not rows:
        return []
    own = col(group.slug).in_({slug for _, slug, *_ in rows})
    said = select(group.slug, group.title, group.kind).where(own).order_by(col(group.id))
    newest = {slug: (title, kind) for slug, title, kind in session.exec(said)}
    places: dict[tuple[int, str], list[tuple[str, int]]] = {}
    for id_, slug, label, question in rows:
        places.setdefault((id_, slug), []).append((label, question))
    exhaustive = [id_ for id_, slug in places if newest[slug][1] == GroupKind.exhaustive]
    sizes = dict[int, int]()
    if exhaustive:
        every = select(place.group_id, func.count()).where(
            _is_current_place(), col(place.group_id).in_(exhaustive)
        )
        sizes = dict(session.exec(every.group_by(col(place.group_id))).all())
    found = []
    for (id_, slug), members in places.items():
        title, kind = newest[slug]
        is_partial = sizes.get(id_, 0) > len(members)
        shown = GroupKind.exclusive if is_partial else GroupKind(kind)
        found.append(GroupRow(id_, slug, title, shown, members))
    return found


def counted_kinds(session: Session) -> dict[int, GroupKind]:
    """Return the kind in which reports count a group, by its id, where a later one does not count.

    It is the kind that it had when an outcome of a member could first be known: a member who
    changes it later could choose which contradictions cost something. A kind that the outcomes turn
    out to forbid was wrong, and does not count.
    """
    group = QuestionGroup
    said = select(group.slug, group.kind, group.recorded_at).order_by(col(group.id))
    kinds: dict[str, list[tuple[datetime, GroupKind]]] = {}
    for slug, kind, at in session.exec(said):
        kinds.setdefault(slug, []).append((at, GroupKind(kind)))
    changed = [slug for slug, every in kinds.items() if len({kind for _, kind in every}) > 1]
    if not changed:
        return {}
    counted = {}
    for one in groups(session, now=_ANY_TIME, where=col(group.slug).in_(changed)):
        first = min(first_ends(session, [each.state for each in one.members]).values())
        (_, kind), *later = kinds[one.slug]
        for at, newer in later:
            kind = newer if at < first else kind
        if kind != kinds[one.slug][-1][1] and not _is_contradicted(kind, one.outcomes):
            counted[one.id] = kind
    return counted


def _is_contradicted(kind: GroupKind, outcomes: Sequence[str | None]) -> bool:
    every = enumerate(outcomes)
    return any(
        one is not None and contradicted(kind, outcomes, place, one) is not None
        for place, one in every
    )


def change_group(
    session: Session,
    slug: str,
    *,
    title: str | None = None,
    kind: GroupKind | None = None,
    member: Member,
    now: datetime,
) -> Group:
    """Return the group with another title or kind, which is written.

    The member must be allowed to change each of its questions. Refused if nothing changes, and for
    a kind that forbids the members' outcomes; BadInput for one that they cannot have
    (``check_kind``). Once an outcome of a member may be known, reports count the kind before
    (``counted_kinds``).
    """
    group = _may_change(session, slug, member, now)
    newest = select(QuestionGroup).where(QuestionGroup.slug == slug)
    stored = session.exec(newest.order_by(col(QuestionGroup.id).desc())).first()
    assert stored is not None
    new_title = stored.title if title is None else title.strip()
    new_kind = GroupKind(stored.kind if kind is None else kind)
    if (new_title, new_kind) == (stored.title, stored.kind):
        raise Refused(f"The group {slug!r} already has this title and kind; nothing was changed.")
    _require_words(new_title, [])
    _check(new_kind, group.members)
    write_group(session, slug, new_title, new_kind, member=member, now=now)
    return find_group(session, slug, now=now)


def add_to_group(
    session: Session,
    slug: str,
    question: Question,
    label: str,
    *,
    before: Question | None = None,
    member: Member,
    now: datetime,
) -> Group:
    """Return the group with another member, at its end or ``before`` one; rows are written.

    The question and the others of its family come into the group's family. The member must be
    allowed to change it and each question of the group. Refused if it is in a group already, and if
    its own outcome or, since it was first forecast, that of a member may be known; BadInput if the
    group cannot have it (``check_kind``).
    """
    group = _may_change(session, slug, member, now)
    roles.require(session, member, Action.revise, question, now=now)
    state = current_state(session, question, now=now)
    if (there := group_of(session, question, now=now)) is not None:
        raise Refused(
            f"{state.slug!r} is in the group {there.slug!r} already; nothing was changed.",
            remedy="Take it out of that group first.",
        )
    new = Placed(label.strip(), state)
    _check(group.kind, _inserted(group, new, before))
    _require_words(group.title, [one.label for one in (*group.members, new)])
    whole = _whole(session, slug, now)
    _require_joinable(session, group, state, now=now)
    members = _inserted(whole, new, before)
    for position, one in enumerate(members[members.index(new) :], members.index(new)):
        _write_place(session, one.state.id, whole.id, one.label, position, member, now)
    reason = f"in the group {slug}"
    move_to_family(session, [state], slug, member=member, now=now, reason=reason)
    return find_group(session, slug, now=now)


def _inserted(group: Group, new: Placed, before: Question | None) -> list[Placed]:
    members = list(group.members)
    place = len(members) if before is None else group.place_of(before.id)
    return [*members[:place], new, *members[place:]]


def take_out(session: Session, question: Question, *, member: Member, now: datetime) -> str:
    """Return the slug of the group that the question is no longer in; a row is written.

    It stays in the family, since its outcome still hangs together with theirs. The member must be
    allowed to change the question. Refused if it is in no group, and once an outcome of a member
    may be known.
    """
    roles.require(session, member, Action.revise, question, now=now)
    group = group_of(session, question, now=now)
    if group is None:
        raise Refused(f"{question.slug!r} is not in a group; nothing was changed.")
    if ended(session, [one.state for one in group.members], now=now):
        raise Refused(
            f"{question.slug!r} can no longer leave the group {group.slug!r}: an outcome in the "
            "group may already be known.",
            remedy="Leave it as it is, or ask a new group.",
        )
    _write_place(session, question.id, group.id, "", 0, member, now)
    return group.slug


def first_forecasts(session: Session, ids: Sequence[int]) -> dict[int, datetime]:
    """Return when each of these questions was first forecast, by anyone; by id."""
    first = select(Forecast.question_id, func.min(Forecast.made_at))
    every = first.group_by(col(Forecast.question_id))
    return dict(rows_with(session, every, Forecast.question_id, ids))


def _whole(session: Session, slug: str, now: datetime) -> Group:
    """Return the group with all members, also those that its reader may not see."""
    with reading_everything(session):
        return find_group(session, slug, now=now)


def _require_joinable(session: Session, group: Group, new: QuestionState, *, now: datetime) -> None:
    """Raise Refused if an outcome of the group, as its reader sees it, may be known.

    A change could then choose, by the outcomes, which contradictions have a price. The question
    contradicts no forecast on a member that had ended before it was forecast itself.
    """
    states = [one.state for one in group.members]
    if ended(session, [new], now=now):
        raise Refused(
            f"{new.slug!r} cannot join the group {group.slug!r}: its own outcome may already be "
            "known.",
            remedy="Ask a new group of questions that are still open.",
        )
    if group.kind == GroupKind.exhaustive:
        # It loses a contradiction even with a member that was not forecast.
        if ended(session, states, now=now):
            raise Refused(
                f"The exhaustive group {group.slug!r} accepts no more questions: an outcome in it "
                "may already be known.",
                remedy="Ask a new group with this question.",
            )
        return
    since = first_forecasts(session, [new.id]).get(new.id, now)
    if ended(session, states, now=now, since=since):
        raise Refused(
            f"{new.slug!r} cannot join the group {group.slug!r}: it was forecast before an outcome "
            "in the group could be known.",
            remedy="Ask a new group with this question.",
        )


def _may_change(session: Session, slug: str, member: Member, now: datetime) -> Group:
    group = find_group(session, slug, now=now)
    for one in group.members:
        roles.require(session, member, Action.revise, one.state.question, now=now)
    return group


def _check(kind: GroupKind, members: Sequence[Placed]) -> None:
    """Refuse members that a group of this kind cannot have, or cannot have with their outcomes."""
    texts = [one.state.text for one in members]
    check_kind(kind, texts)
    outcomes = [one.outcome for one in members]
    for place, outcome in enumerate(outcomes):
        other = None if outcome is None else contradicted(kind, outcomes, place, outcome)
        if other is not None:
            raise Refused(
                f"A group of the kind {kind} cannot have {texts[place].title!r} resolved {outcome} "
                f"beside {texts[other].title!r} resolved {outcomes[other]}.",
                remedy="Correct one of them first, or choose another kind.",
            )


def check_kind(kind: GroupKind, texts: Sequence[QuestionText]) -> None:
    """Refuse, with BadInput, questions that a group of this kind cannot have in this order.

    All kinds but independent take questions with the answers yes and no, and in a nested group no
    member closes before the one before it.
    """
    if len(texts) > MAX_QUESTIONS:
        raise too_much("One group", f"{len(texts):,} questions", f"{MAX_QUESTIONS}", "Split it.")
    if kind == GroupKind.independent:
        return
    for text in texts:
        if text.type != QuestionType.binary:
            raise BadInput(
                f"A group of the kind {kind} has questions with the answers yes and no; "
                f"{text.title!r} is {text.type}.",
                remedy="Ask it as yes or no, or make the group independent.",
            )
    if kind == GroupKind.nested:
        for one, later in pairwise(texts):
            if later.scheduled_close_time < one.scheduled_close_time:
                raise BadInput(
                    f"In a nested group each yes makes the later ones yes, but {later.title!r} "
                    f"closes {to_minute(later.scheduled_close_time)}, before {one.title!r}.",
                    remedy="Put the earliest deadline first.",
                )


def _require_words(title: str, labels: Sequence[str]) -> None:
    for words, name in ((title, "title"), *((label, "label") for label in labels)):
        if not words.strip():
            raise BadInput(f"The group has a blank {name}.", remedy=f"Give a {name}.")
        require_name(words, f"The {name}")
    folded = [label.strip().casefold() for label in labels]
    for label in labels:
        if folded.count(label.strip().casefold()) > 1:
            raise BadInput(f"Two members have the label {label!r}.", remedy="Name them apart.")


def _new_slug(session: Session, title: str, slug: str | None) -> str:
    """Return the group's slug, one that no group, question or family has, seen or not."""
    stem = (stem_of(title) or "question") if slug is None else slug
    taken = set[str]()
    for names, newest in (
        (QuestionGroup.slug, True),
        (Question.slug, True),
        (QuestionRevision.family, is_newest_wording()),
    ):
        taken.update(session.exec(select(names).where(col(names).startswith(stem), newest)))
    if slug is None:
        return free_slug(title, taken)
    if not is_slug(slug):
        raise Refused(
            f"{slug!r} cannot be a group's ID: an ID has up to 100 letters, digits, hyphens, dots "
            "and underscores, and begins with a letter or digit.",
            remedy="Change it, or leave it out.",
        )
    if slug in taken:
        raise Refused(
            f"The ID {slug!r} is already taken.", remedy="Choose another, or leave it out."
        )
    return slug


def _is_current_place() -> Any:
    """Return the SQL condition: the question is in the group, by the newest row on it."""
    later = col(_LATER.id) > col(GroupPlace.id)
    newer = select(_LATER.id).where(_LATER.question_id == GroupPlace.question_id, later)
    return (col(GroupPlace.label) != "") & ~newer.exists()
