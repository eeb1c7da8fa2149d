"""Questions that may be the same: asked twice, or drafted from an article and asked already.

A proposal is never acted on automatically: two titles that are alike may have other criteria. A
person's decision about it is in ``families``.

One platform asks in series (each week, each match), whose titles differ in little. So two of its
questions must have the same words and close within ``CLOSE_OF_ONE``, half of the shortest usual
step of a series, a day. Of 6,000 baseball games, titled by their teams, 185 pairs are then alike
(two games of a day); 4,180 within a day and 10,433 within ``CLOSE``.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import combinations_with_replacement
from typing import TYPE_CHECKING

import numpy as np
from sqlmodel import Session, col, or_, select

from forecasts.access.visibility import question_visible
from forecasts.articles.drafts import Draft, drafts_of
from forecasts.ledger.current import is_newest_wording
from forecasts.ledger.models import (
    Article,
    DistinctPair,
    Question,
    QuestionOrigin,
    QuestionRevision,
)
from forecasts.questions.likeness import Title, alike
from forecasts.questions.passages import questions_from
from forecasts.questions.revisions import Asked, counted_families, counted_titles, first_ends
from forecasts.questions.standing import QuestionState, Status, by_id, listing
from forecasts.reading.drafting.strength import Strength

if TYPE_CHECKING:
    import pandas as pd

_ANY_TIME = datetime(1970, 1, 1, tzinfo=UTC)  # no status is read
_LEAST_DRAFTED = 0.3  # cosine of a draft's title and that of a question with the same last day
# Between the scheduled closes of the same question on two platforms, and on one.
CLOSE, CLOSE_OF_ONE = timedelta(days=14), timedelta(hours=12)


@dataclass(frozen=True)
class SamePair:
    """Two questions that may be the same, the one with the lower id first.

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
class _Row:
    id: int
    slug: str
    title: Title
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

    The two have the same type, titles that are alike, scheduled closes within ``CLOSE``, and no
    common family. If they are of one platform (questions asked here count as one), the titles have
    the same words and the closes are within ``CLOSE_OF_ONE``. Pairs that someone judged not to be
    the same are left out. A question has at most one proposal on each other platform, and
    one among those that were there before it. Identical ones are first, then the most similar.
    ``only``: pairs with one of these slugs. ``most``: the most similar ones.
    """
    chosen = _proposed(session, only)[:most]
    states = by_id(session, [row.id for _, *pair in chosen for row in pair], now=now)
    pairs = [SamePair(states[one.id], states[other.id], value) for value, one, other in chosen]
    return sorted(pairs, key=lambda pair: not pair.is_identical)


def likely_same(session: Session) -> frozenset[tuple[str, str]]:
    """Return the IDs of the pairs that ``same_pairs`` proposes, for reports.

    As they were when the first of the two outcomes could be known: a family that was changed later,
    and a pair that was told apart later, could have been chosen by the outcomes.
    """
    found = _proposed(session, None, in_time=True)
    return frozenset((one.slug, other.slug) for _, one, other in found)


def likely_same_in(questions: pd.DataFrame) -> frozenset[tuple[str, str]]:
    """Return the IDs of the pairs in a frame of questions that are likely the same.

    A ledger folder does not say where a question was asked, so all count as asked in one place. Two
    families tell two questions apart.
    """
    named = ["question_id", "title", "type", "family", "open_time", "scheduled_close_time"]
    every = zip(*(questions[name].tolist() for name in named), strict=True)
    found = [
        _Row(number, slug, Title(title, opens.date()), type_, family, opens, closes, frozenset())
        for number, (slug, title, type_, family, opens, closes) in enumerate(every)
    ]
    pairs = _alike(sorted(found, key=lambda row: row.closes), None)
    chosen = _best(pair for pair in pairs if not (pair[1].family and pair[2].family))
    return frozenset((one.slug, other.slug) for _, one, other in chosen)


def _proposed(
    session: Session, only: Sequence[str] | None, *, in_time: bool = False
) -> list[_Found]:
    apart = _apart(session, in_time=in_time)
    families = counted_families(session) if in_time else {}
    titles = counted_titles(session) if in_time else {}
    found = _alike(_rows(session, families, titles), only)
    if in_time:
        found = _together(session, found)
    return _best(pair for pair in found if (pair[1].id, pair[2].id) not in apart)


def _together(session: Session, found: Sequence[_Found]) -> list[_Found]:
    """Return the pairs of which neither opened when the outcome of the other could be known.

    A question that is asked later could join others by their outcomes.
    """
    ids = sorted({row.id for _, *pair in found for row in pair})
    ends = first_ends(session, list(by_id(session, ids, now=_ANY_TIME).values())) if ids else {}
    return [
        (alike, one, other)
        for alike, one, other in found
        if max(one.opens, other.opens) < min(ends[one.id], ends[other.id])
    ]


def _alike(rows: Iterable[_Row], only: Sequence[str] | None) -> list[_Found]:
    groups: defaultdict[str, list[_Row]] = defaultdict(list)
    for row in rows:  # by close
        groups[row.platform].append(row)
    found: list[_Found] = []
    for ones, others in combinations_with_replacement(groups.values(), 2):
        if only is None:
            found += _similar(*sorted((ones, others), key=len))
        else:  # these against all others, on both sides
            for part, whole in ((ones, others), (others, ones)):
                found += _similar([row for row in part if row.slug in only], whole)
    return found


def _rows(session: Session, families: Mapping[int, str], titles: Mapping[int, Asked]) -> list[_Row]:
    """Return the visible questions, soonest close first.

    ``families``, ``titles``: of some, by id, instead of their newest ones.
    """
    origins: defaultdict[int, set[str]] = defaultdict(set)
    for id_, platform in session.exec(select(QuestionOrigin.question_id, QuestionOrigin.platform)):
        origins[id_].add(platform)
    text = QuestionRevision
    found = session.exec(
        select(  # type: ignore[call-overload]
            *(text.question_id, Question.slug, text.title, text.type, text.family),
            *(text.open_time, text.scheduled_close_time),
        )
        .join(Question, col(Question.id) == col(text.question_id))
        .where(is_newest_wording(), question_visible(session))
    )
    rows = []
    for id_, slug, title, type_, family, opens, closes in found:
        asked = titles.get(id_, Asked(title, opens, closes))
        worded = Title(asked.title, asked.open_time.date())
        own = families.get(id_, family)
        rows.append(
            _Row(
                *(id_, slug, worded, type_, own, asked.open_time, asked.scheduled_close_time),
                frozenset(origins[id_]),
            )
        )
    return sorted(rows, key=lambda row: (row.closes, row.id))


def _similar(ones: Sequence[_Row], others: Sequence[_Row]) -> Iterator[_Found]:
    """Yield the pairs that may be the same; both are in the order of their closes."""
    own, closes = (np.array([row.closes.timestamp() for row in rows]) for rows in (ones, others))
    of_one = {row.platform for row in ones} == {row.platform for row in others}
    margin = (CLOSE_OF_ONE if of_one else CLOSE).total_seconds()
    first = np.arange(len(own)) + 1 if ones is others else closes.searchsorted(own - margin, "left")
    within = np.column_stack([first, closes.searchsorted(own + margin, "right")])
    titles, theirs = ([row.title for row in rows] for rows in (ones, others))
    for place, there, cosine in alike(titles, theirs, within):
        one, other = sorted((ones[place], others[there]), key=lambda row: row.id)
        in_one_family = one.family and one.family == other.family
        if one.id == other.id or one.type != other.type or in_one_family:
            continue
        if (of_one and _are_close(one, other)) or not (of_one or one.platforms & other.platforms):
            yield cosine, one, other


def _are_close(one: _Row, other: _Row) -> bool:
    return one.title.has_words_of(other.title) and other.title.has_words_of(one.title)


def _best(found: Iterable[_Found]) -> list[_Found]:
    """Return the pairs, the most similar first: of a question, at most one on another platform.

    On its own, at most one with a question before it, which brings any number of them together.
    """
    best, taken = [], set[tuple[int, str]]()
    for pair in sorted(found, key=lambda pair: (-pair[0], pair[1].id, pair[2].id)):
        _, one, other = pair
        ends = {(other.id, one.platform)}
        if one.platform != other.platform:
            ends.add((one.id, other.platform))
        if taken.isdisjoint(ends):
            taken |= ends
            best.append(pair)
    return best


def _apart(session: Session, *, in_time: bool = False) -> set[tuple[int, int]]:
    """Return the ids of the pairs that are not the same, the lower id first.

    ``in_time``: as judged before the first of the two outcomes could be known.
    """
    pair = DistinctPair
    every = select(pair.question_id, pair.other_id, pair.apart, pair.recorded_at)
    rows = session.exec(every.order_by(col(pair.id))).all()
    ends: dict[int, datetime] = {}
    if in_time:
        ids = sorted({id_ for one, other, *_ in rows for id_ in (one, other)})
        ends = first_ends(session, list(by_id(session, ids, now=_ANY_TIME).values()))
    newest = {
        (one, other): apart
        for one, other, apart, at in rows
        if all(id_ not in ends or at < ends[id_] for id_ in (one, other))
    }
    return {ids for ids, apart in newest.items() if apart}


def ready_drafts(session: Session, article: Article, *, now: datetime) -> list[int]:
    """Return the numbers of the drafts that can be registered as they are, counted from 1.

    They are strong, with a complete wording and a deadline ahead. Drafts whose outcome the article
    tells are left out, and those that have or resemble a question or another of these drafts.
    """
    drafts = drafts_of(article)
    used = {source.quote for source, _ in questions_from(session, article, now=now)}
    duplicates = find_duplicates(session, drafts, now=now)
    ready = [
        place
        for place, draft in enumerate(drafts)
        if draft.strength is Strength.strong
        and draft.is_complete
        and not draft.told
        and draft.close_date is not None
        and draft.close_date >= now.date()
        and draft.quote not in used
        and duplicates[place] is None
    ]
    titles = [Title(drafts[place].question, now.date()) for place in ready]
    repeated = {
        later
        for later, first, _ in alike(titles, titles, least=_LEAST_DRAFTED)
        if first < later and drafts[ready[first]].close_date == drafts[ready[later]].close_date
    }
    return [place + 1 for at, place in enumerate(ready) if at not in repeated]


def find_duplicates(
    session: Session, drafts: Sequence[Draft], *, now: datetime
) -> list[QuestionState | None]:
    """Return, for each draft, a question with a title like it and the same last day, or None.

    Only questions that the reader may see count, without annulled ones. The last day is that of
    any time zone.
    """
    days = {draft.close_date for draft in drafts if draft.close_date and draft.question}
    closing = _closing_on(session, days, now)
    drafted = [Title(draft.question, now.date()) for draft in drafts]
    asked = [Title(state.text.title, state.text.open_time.date()) for state in closing]
    found: list[QuestionState | None] = [None] * len(drafts)
    for place, there, _ in alike(drafted, asked, least=_LEAST_DRAFTED):
        day, state = drafts[place].close_date, closing[there]
        if found[place] is None and day is not None:
            first, last = _ends(day)
            if first <= state.text.scheduled_close_time <= last:
                found[place] = state
    return found


def _closing_on(session: Session, days: set[date], now: datetime) -> list[QuestionState]:
    """Return the visible questions whose scheduled close may be the end of one of these days."""
    if not days:
        return []
    closes = col(QuestionRevision.scheduled_close_time)
    slugs = session.exec(
        select(Question.slug)
        .join(QuestionRevision, col(QuestionRevision.question_id) == col(Question.id))
        .where(
            question_visible(session),
            is_newest_wording(),
            or_(*(closes.between(*_ends(day)) for day in days)),
        )
    ).all()
    states = listing(session, now=now, only=slugs)
    return [state for state in states if state.status is not Status.annulled]


def _ends(day: date) -> tuple[datetime, datetime]:
    """Return when the day ends in the first and in the last time zone."""
    end = datetime.combine(day, time.max, UTC)
    return end - timedelta(hours=14), end + timedelta(hours=12)
