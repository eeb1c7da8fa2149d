"""Families: questions that a person has joined, since they are the same, or told apart.

Reports count a family once. ``same_questions`` proposes pairs that may be the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from sqlmodel import Session, col, func, select

from forecasts.access.roles import Action, allows, member_rights, require
from forecasts.common.errors import BadInput, NotFound, Refused, Remedy
from forecasts.ledger.append import written
from forecasts.ledger.current import is_newest_wording
from forecasts.ledger.models import DistinctPair, Member, Question, QuestionRevision
from forecasts.questions.registry import find, newest_wording
from forecasts.questions.revisions import revise
from forecasts.questions.standing import QuestionState, current_state, listing

if TYPE_CHECKING:  # it loads NumPy and the grammar of drafts, which a run needs not
    from forecasts.questions.same_questions import SamePair


@dataclass(frozen=True)
class Joined:
    """A family that questions were put into, and the family that each had before, by slug."""

    family: str
    before: dict[str, str]


def join_family(session: Session, slugs: Sequence[str], *, member: Member, now: datetime) -> Joined:
    """Return the family that now has all these questions; new wordings are written.

    It is the first family that one of them has, or else named after the first question. The other
    questions of their other families come along. The member must be allowed to change each question
    whose family changes. BadInput for fewer than two questions. Refused if they are in one family.
    """
    states = [current_state(session, find(session, slug), now=now) for slug in dict.fromkeys(slugs)]
    if len({state.id for state in states}) < 2:
        raise BadInput("A family takes at least two questions.", remedy="Name two or more.")
    family = next((one.text.family for one in states if one.text.family), states[0].slug)
    states = with_families(session, states, now=now)
    changed = [state for state in states if state.text.family != family]
    if not changed:
        raise Refused(f"They are already in one family, {family!r}; nothing was changed.")
    for state in changed:
        other = next(one.slug for one in states if one is not state)
        reason = f"the same question as {other}"
        revise(session, state.question, member=member, now=now, reason=reason, family=family)
    return Joined(family, {state.slug: state.text.family for state in changed})


def with_families(
    session: Session, states: Sequence[QuestionState], *, now: datetime
) -> list[QuestionState]:
    """Return the questions, followed by the others of their families that the reader may see."""
    families, known = {one.text.family for one in states} - {""}, {one.id for one in states}
    slugs = _slugs_of_families(session, sorted(families)) if families else []
    others = listing(session, now=now, only=slugs) if slugs else []
    return [*states, *(one for one in others if one.id not in known)]


def move_to_family(
    session: Session,
    states: Sequence[QuestionState],
    family: str,
    *,
    member: Member,
    now: datetime,
    reason: str,
) -> None:
    """Put questions, and the others of their families, into a family; new wordings are written.

    The member must be allowed to change each question whose family changes.
    """
    for one in with_families(session, states, now=now):
        if one.text.family != family:
            revise(session, one.question, member=member, now=now, reason=reason, family=family)


def join_pairs(
    session: Session, pairs: Sequence[SamePair], *, member: Member, now: datetime
) -> list[Joined]:
    """Join each pair in turn and return the families; new wordings are written.

    Pairs that are in one family by then, such as the third of three platforms, are passed over. An
    error names the pair. Refused if all are in one family already.
    """
    done = []
    for pair in pairs:
        with _named(pair):
            texts = [newest_wording(session, find(session, slug)) for slug in pair.slugs]
            if not texts[0].family or texts[0].family != texts[1].family:
                done.append(join_family(session, pair.slugs, member=member, now=now))
    if not done:
        raise Refused("The questions of each pair are already in one family; nothing was changed.")
    return done


def leave_family(session: Session, joined: Joined, *, member: Member, now: datetime) -> int:
    """Return the number of questions that are back in the family they had before ``joined``.

    New wordings are written. Questions that have got another family since keep it.
    """
    count = 0
    for slug, family in joined.before.items():
        state = current_state(session, find(session, slug), now=now)
        if state.text.family == joined.family:
            revise(session, state.question, member=member, now=now, family=family)
            count += 1
    return count


def tell_apart(
    session: Session, one: str, other: str, *, member: Member, now: datetime, apart: bool = True
) -> DistinctPair:
    """Return the row that says the two are not the same, which is written: they are not proposed.

    With ``apart`` False they are proposed again. The member must be allowed to change one of them.
    Refused for questions that have a common family.
    """
    states = [current_state(session, find(session, slug), now=now) for slug in (one, other)]
    ids = sorted(state.id for state in states)
    if ids[0] == ids[1]:
        raise BadInput(f"{one!r} and {other!r} are one question.", remedy="Name two.")
    rights = member_rights(session, member, now=now)
    may = (one for one in states if allows(rights, Action.revise, one.question, one.text))
    require(session, member, Action.revise, next(may, states[0]).question, now=now)
    family = states[0].text.family
    if apart and family and family == states[1].text.family:
        raise Refused(
            f"{one!r} and {other!r} are in one family, {family!r}.",
            remedy=Remedy("Take one of them out first: {}", "revise", other, family=""),
        )
    row = DistinctPair(
        question_id=ids[0], other_id=ids[1], apart=apart, member_id=member.id, recorded_at=now
    )
    return written(session, row)


def tell_pairs_apart(
    session: Session,
    pairs: Sequence[SamePair],
    *,
    member: Member,
    now: datetime,
    apart: bool = True,
) -> list[DistinctPair]:
    """Tell each pair apart and return the rows, which are written; an error names the pair."""
    rows = []
    for pair in pairs:
        with _named(pair):
            rows.append(tell_apart(session, *pair.slugs, member=member, now=now, apart=apart))
    return rows


@contextmanager
def _named(pair: SamePair) -> Iterator[None]:
    """Name the pair in a refusal."""
    try:
        yield
    except (NotFound, Refused) as error:
        title = pair.one.text.title
        error.message = f"“{title}” ({' and '.join(pair.slugs)}): {error.message}"
        raise


def judgements(session: Session) -> int:
    """Return a number that changes when two questions are told apart, or that is taken back."""
    return session.exec(select(func.max(DistinctPair.id))).one() or 0


def _slugs_of_families(session: Session, families: Sequence[str]) -> list[str]:
    """Return the questions in one of these families."""
    text = QuestionRevision
    return list(
        session.exec(
            select(Question.slug)
            .join(text, col(Question.id) == col(text.question_id))
            .where(is_newest_wording(), col(text.family).in_(families))
        )
    )
