"""An article's drafts against the ledger: those that double a question, those that are ready."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta

from sqlmodel import Session, col, or_, select

from forecasts.access.visibility import question_visible
from forecasts.articles.drafts import Draft, drafts_of
from forecasts.ledger.current import is_newest_wording
from forecasts.ledger.models import Article, Question, QuestionRevision
from forecasts.questions.sources import questions_from
from forecasts.questions.standing import QuestionState, Status, listing
from forecasts.reading.drafting.intervals import MONTHS
from forecasts.reading.drafting.strength import Strength
from forecasts.reading.typography import alternatives

_SAME = 0.75  # share of the shorter title's words that the other one has too
_STEM = 6  # letters: "lifts" and "lifting", "government" and "governments" are alike
_FILLER = re.compile(
    alternatives(
        "will would the and for from that this with have has had its his her their who which what "
        "how many much than more there take place end come get when before after until into out "
        "off over about against new next last year month week day least most some any all not are "
        "was were been being does did can may could should must between each every our your"
    )
    + "|"
    + "|".join(MONTHS),
    re.IGNORECASE,
)


def ready_drafts(session: Session, article: Article, *, now: datetime) -> list[int]:
    """Return the numbers of the drafts that can be registered as they are, counted from 1.

    They are strong, with a complete wording and a deadline ahead. Drafts whose outcome the article
    tells are left out, and those that have or resemble a question or another of these drafts.
    """
    drafts = drafts_of(article)
    used = {source.quote for source, _ in questions_from(session, article, now=now)}
    duplicates = find_duplicates(session, drafts, now=now)
    ready: dict[int, Draft] = {}
    for number, (draft, double) in enumerate(zip(drafts, duplicates, strict=True), 1):
        if (
            draft.strength is Strength.strong
            and draft.is_complete
            and not draft.told
            and draft.close_date is not None
            and draft.close_date >= now.date()
            and draft.quote not in used
            and double is None
            and not any(_same_draft(draft, other) for other in ready.values())
        ):
            ready[number] = draft
    return list(ready)


def _same_draft(draft: Draft, other: Draft) -> bool:
    words, others = _subject_words(draft.question), _subject_words(other.question)
    return draft.close_date == other.close_date and _are_alike(words, others)


def find_duplicates(
    session: Session, drafts: Sequence[Draft], *, now: datetime
) -> list[QuestionState | None]:
    """Return, for each draft, a question with the same subject and last day, or None.

    Only questions that the reader may see count, without annulled ones. The last day is that of
    any time zone. Two titles have the same subject if they share three quarters of the shorter
    one's words, without dates and fillers.
    """
    days = {draft.close_date for draft in drafts if draft.close_date and draft.question}
    known = _closing_on(session, days, now)
    return [_twin(draft, known) for draft in drafts]


def _twin(draft: Draft, known: dict[date, list[QuestionState]]) -> QuestionState | None:
    words = _subject_words(draft.question)
    closing = known.get(draft.close_date, []) if draft.close_date else []
    return next(
        (state for state in closing if _are_alike(words, _subject_words(state.text.title))), None
    )


def _closing_on(
    session: Session, days: set[date], now: datetime
) -> dict[date, list[QuestionState]]:
    """Return by day the visible questions whose scheduled close may be the end of that day."""
    if not days:
        return {}
    closes = col(QuestionRevision.scheduled_close_time)
    closing = session.exec(
        select(Question.slug)
        .join(QuestionRevision, col(QuestionRevision.question_id) == col(Question.id))
        .where(
            question_visible(session),
            is_newest_wording(),
            or_(*(closes.between(*_ends(day)) for day in days)),
        )
    ).all()
    found = defaultdict(list)
    for state in listing(session, now=now, only=closing):
        for day in days:
            first, last = _ends(day)
            if first <= state.text.scheduled_close_time <= last and (
                state.status is not Status.annulled
            ):
                found[day].append(state)
    return found


def _ends(day: date) -> tuple[datetime, datetime]:
    """Return when the day ends in the first and in the last time zone."""
    end = datetime.combine(day, time.max, UTC)
    return end - timedelta(hours=14), end + timedelta(hours=12)


def _subject_words(title: str) -> frozenset[str]:
    words = re.findall(r"[^\W\d_]{3,}", title.lower())
    return frozenset(word[:_STEM] for word in words if not _FILLER.fullmatch(word))


def _are_alike(one: frozenset[str], other: frozenset[str]) -> bool:
    shorter = min(len(one), len(other))
    return shorter > 0 and len(one & other) >= _SAME * shorter
