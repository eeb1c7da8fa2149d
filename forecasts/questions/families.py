"""Questions that are the same on two platforms: proposed, then joined in a family by a person.

Reports count a family once. A proposal is never acted on by itself: two titles that read alike may
have other criteria.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import combinations

import numpy as np
from sqlmodel import Session, col, func, select

from forecasts.access.roles import Action, allows, member_rights, require
from forecasts.access.visibility import question_visible
from forecasts.common.commands import command
from forecasts.common.errors import BadInput, NotFound, Refused
from forecasts.ledger.append import written
from forecasts.ledger.current import is_newest_wording
from forecasts.ledger.models import DistinctPair, Member, Question, QuestionOrigin, QuestionRevision
from forecasts.questions.registry import find, newest_wording
from forecasts.questions.revisions import revise
from forecasts.questions.similar_titles import Title, similar_pairs
from forecasts.questions.standing import QuestionState, by_id, current_state, listing

CLOSE = timedelta(days=14)  # between the scheduled closes of the same question on two platforms


@dataclass(frozen=True)
class SamePair:
    """Two questions of different platforms that may be the same, the one with the lower id first.

    ``similarity``: the cosine of their titles, 1 for equal ones.
    """

    one: QuestionState
    other: QuestionState
    similarity: float

    @property
    def slugs(self) -> tuple[str, str]:
        """The IDs of the two."""
        return self.one.slug, self.other.slug

    @property
    def is_identical(self) -> bool:
        """Whether the two have the same title, type and scheduled close."""
        one, other = self.one.text, self.other.text
        return (one.title, one.type, one.scheduled_close_time) == (
            other.title,
            other.type,
            other.scheduled_close_time,
        )


@dataclass(frozen=True)
class Joined:
    """A family that questions were put into, and the family that each had before, by slug."""

    family: str
    before: dict[str, str]


@dataclass(frozen=True)
class _Row:
    id: int
    slug: str
    title: str
    type: str
    family: str
    opens: datetime
    closes: datetime
    platforms: frozenset[str]

    @property
    def platform(self) -> str:
        """The platform by which it is compared; blank for a question asked here."""
        return min(self.platforms, default="")


_Found = tuple[float, _Row, _Row]  # with their similarity


def same_pairs(
    session: Session, *, now: datetime, only: Sequence[str] | None = None, most: int | None = None
) -> list[SamePair]:
    """Return the pairs of visible questions that may be the same, the most certain first.

    The two have no platform in common (questions asked here count as one platform), the same type,
    scheduled closes within ``CLOSE``, titles in which nothing makes another question, and no common
    family. Pairs that someone judged not to be the same are left out; a question has at most one
    proposal a platform. Identical ones are first, then the most similar. ``only``: pairs with one
    of these slugs. ``most``: the most similar ones.
    """
    rows = _rows(session)
    apart = _apart(session)
    wanted = None if only is None else set(only)
    groups: defaultdict[str, list[_Row]] = defaultdict(list)
    for row in rows:  # by close
        groups[row.platform].append(row)
    found: list[_Found] = []
    for ones, others in combinations(groups.values(), 2):
        if wanted is not None:
            # The new ones against all others, on both sides.
            for part, whole in ((ones, others), (others, ones)):
                found += _similar([row for row in part if row.slug in wanted], whole)
        else:
            found += _similar(*sorted((ones, others), key=len))
    together = [pair for pair in found if tuple(sorted((pair[1].id, pair[2].id))) not in apart]
    chosen = _best(together)[:most]
    states = by_id(session, [row.id for _, *pair in chosen for row in pair], now=now)
    pairs = [SamePair(states[one.id], states[other.id], value) for value, one, other in chosen]
    return sorted(pairs, key=lambda pair: not pair.is_identical)


def join_family(session: Session, slugs: Sequence[str], *, member: Member, now: datetime) -> Joined:
    """Return the family that now has all these questions; new wordings are written.

    It is the first family that one of them has, or else named after the first question. The other
    questions of their other families come along. The member must be allowed to change each question
    whose family changes. BadInput for fewer than two questions. Refused if they are in one family.
    """
    states = [current_state(session, find(session, slug), now=now) for slug in dict.fromkeys(slugs)]
    if len({state.id for state in states}) < 2:
        raise BadInput("A family takes at least two questions.", remedy="Name two or more.")
    families = list(dict.fromkeys(state.text.family for state in states if state.text.family))
    family = families[0] if families else states[0].slug
    if families[1:]:
        known = {state.id for state in states}
        merged = _slugs_of_families(session, families[1:])
        states += [one for one in listing(session, now=now, only=merged) if one.id not in known]
    changed = [state for state in states if state.text.family != family]
    if not changed:
        raise Refused(f"They are already in one family, {family!r}; nothing was changed.")
    for state in changed:
        other = next(one.slug for one in states if one is not state)
        reason = f"the same question as {other}"
        revise(session, state.question, member=member, now=now, reason=reason, family=family)
    return Joined(family, {state.slug: state.text.family for state in changed})


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
            remedy="Take one of them out first: "
            + command("revise", other, options=["--family", ""]),
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


def _rows(session: Session) -> list[_Row]:
    """Return the visible questions, soonest close first."""
    text = QuestionRevision
    origins: defaultdict[int, set[str]] = defaultdict(set)
    for id_, platform in session.exec(select(QuestionOrigin.question_id, QuestionOrigin.platform)):
        origins[id_].add(platform)
    if not origins:
        return []
    found = session.exec(
        select(  # type: ignore[call-overload]
            *(text.question_id, Question.slug, text.title, text.type, text.family),
            *(text.open_time, text.scheduled_close_time),
        )
        .join(Question, col(Question.id) == col(text.question_id))
        .where(is_newest_wording(), question_visible(session))
        .order_by(col(text.scheduled_close_time), col(text.question_id))
    )
    return [
        _Row(id_, slug, title, type_, family, opens, closes, frozenset(origins[id_]))
        for id_, slug, title, type_, family, opens, closes in found
    ]


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


def _apart(session: Session) -> set[tuple[int, ...]]:
    """Return the ids of the pairs that are not the same, each in order."""
    rows = session.exec(
        select(DistinctPair.question_id, DistinctPair.other_id, DistinctPair.apart).order_by(
            col(DistinctPair.id)
        )
    )
    newest = {(one, other): apart for one, other, apart in rows}
    return {pair for pair, apart in newest.items() if apart}


def _similar(ones: Sequence[_Row], others: Sequence[_Row]) -> Iterator[_Found]:
    """Yield the pairs that may be the same; both are in the order of their closes."""
    if not ones or not others:
        return
    closes = np.array([row.closes.timestamp() for row in others])
    own = np.array([row.closes.timestamp() for row in ones])
    margin = CLOSE.total_seconds()
    within = np.column_stack(
        [closes.searchsorted(own - margin, "left"), closes.searchsorted(own + margin, "right")]
    )
    titles = [[Title(row.title, row.opens.date()) for row in rows] for rows in (ones, others)]
    for place, there, cosine in similar_pairs(
        [row.title for row in ones], [row.title for row in others], within
    ):
        one, other = ones[place], others[there]
        if (
            one.type == other.type
            and one.platforms.isdisjoint(other.platforms)
            and not (one.family and one.family == other.family)
            and titles[0][place].may_equal(titles[1][there])
        ):
            yield (cosine, one, other) if one.id < other.id else (cosine, other, one)


def _best(found: Iterable[_Found]) -> list[_Found]:
    """Return the pairs, the most similar first, with at most one of a question and a platform."""
    best, taken = [], set[tuple[int, str]]()
    for pair in sorted(found, key=lambda pair: (-pair[0], pair[1].id, pair[2].id)):
        _, one, other = pair
        ends = {(one.id, other.platform), (other.id, one.platform)}
        if taken.isdisjoint(ends):
            taken |= ends
            best.append(pair)
    return best
