"""Draft questions from an article: its forward-looking sentences.

A sentence is forward-looking if it suggests a question whose answer is unknown at publication
but will become known. It has

- a modal: will, would, could, may, might, is likely to, is expected to, is set to, is due to;
- an intention: plans to, aims to, vows to, wants to, is considering;
- a schedule: is to be held on 4 May, is scheduled for, takes effect, expires;
- a stated chance: a 70 percent chance of rain, has a good chance of winning;
- or a deadline with a present tense, a plan or a duty: meets on Friday, is travelling next week,
  the visit planned for this fall, must file by 2 May.

``forward_looking`` decides this and lists the exclusions, ``deadlines`` finds the close date,
``question_wording`` proposes the question, ``strength`` judges it, and ``outcomes_told`` looks for
its outcome in the same text. A user confirms every draft, so doubtful sentences are kept.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import islice
from typing import Any, TypeAlias

from forecasts.common.errors import BadInput, NotFound, Remedy
from forecasts.common.times import add_months
from forecasts.ledger.models import Article, QuestionType
from forecasts.reading.datelines import find_dateline
from forecasts.reading.drafting.deadlines import find_deadlines, find_overdue
from forecasts.reading.drafting.events import (
    LEAD,
    Event,
    calendar_days,
    find_candidates,
    find_choice,
    find_events,
)
from forecasts.reading.drafting.forward_looking import Outlook, find_outlooks
from forecasts.reading.drafting.intervals import long_date
from forecasts.reading.drafting.outcomes_told import find_told
from forecasts.reading.drafting.pronouns import UNNAMED, Context
from forecasts.reading.drafting.question_wording import Wording, word_question
from forecasts.reading.drafting.sentences import find_sentences
from forecasts.reading.drafting.strength import (
    Strength,
    find_fault,
    is_about_a_name,
    judge,
    names_someone,
    without_asides,
)
from forecasts.reading.text_quotes import TextQuote, quote_at

MAX_LENGTH = 1_000  # characters; a longer sentence is a list or a table
HORIZON_MONTHS = 6
FEW = 4  # strong drafts of an article
MOST_PARTS = 50  # articles of a page whose events are found
_YEAR = re.compile(r"(?:by|until|on|from) (?:\d+ )?(?:[A-Z][a-z]+ )?\d{4}")
_BEFORE_DAY = re.compile(r" (?:on|by|in|before|until|from|at)?\s*$")
_ITS_EVENT = "the main event of the article"
_NO_DEADLINE = "gives no deadline"
_REPEATS = "repeats a draft above"
# Sentences before and after one in which its outcome is looked for: in all of them, the time would
# grow with the square of their number.
NEAR = 100
_REPEATED = re.compile(r"^((?:\S+ ){4,20}\S*[^.:;,\s])\n+\1$", re.MULTILINE)
Span: TypeAlias = tuple[int, int]
_LONG_WORD = re.compile(r"\w{5,}")
_CONTEXT = 600  # characters before a sentence in which its pronouns find their nouns


@dataclass(frozen=True, slots=True)
class Draft:
    """A proposed question and its source sentence, ``text[start:end]``.

    ``question`` is blank if the grammar found no wording; "…" in it is for the user to fill in.
    ``close_date`` is None if the text gives no deadline. ``reason`` explains the ``strength``.
    ``told`` is a sentence of the article that seems to tell the outcome, or ''. ``options``,
    the bounds and ``unit`` are proposals for a ``kind`` that has them.
    """

    source: TextQuote
    start: int
    end: int
    question: str
    close_date: date | None
    strength: Strength
    reason: str
    told: str = ""
    kind: QuestionType = QuestionType.binary
    options: tuple[str, ...] = ()
    lower_bound: str | None = None
    upper_bound: str | None = None
    unit: str | None = None

    @property
    def quote(self) -> str:
        """The source sentence."""
        return self.source.quote

    @property
    def place(self) -> str:
        """Its name among the drafts of its article."""
        return str(self.start)

    @property
    def is_complete(self) -> bool:
        """Whether the question can be registered as worded."""
        return bool(self.question) and UNNAMED not in self.question

    @property
    def type_fields(self) -> dict[str, Any]:
        """The fields of ``QuestionText`` that depend on the question's type."""
        return {
            "type": self.kind,
            "options": list(self.options) or None,
            "lower_bound": self.lower_bound,
            "upper_bound": self.upper_bound,
            "unit": self.unit,
        }

    def question_by(self, day: date) -> str:
        """Return the question with ``day`` as its deadline.

        The day from which something starts stays. BadInput if the question has a gap or is blank.
        """
        if not self.is_complete:
            raise BadInput(
                f"The draft has no complete wording: {self.question or self.quote!r}.",
                remedy='Write it yourself: "Will …?".',
            )
        if self.close_date is not None:
            known = rf"\b(by|until) {long_date(self.close_date)}\b"
            return re.sub(known, rf"\1 {long_date(day)}", self.question)
        return _END.sub(rf" by {long_date(day)}\g<0>", self.question)


_END = re.compile(r"(?:, in [^?,]+)?\?$")  # a number's unit comes last


def draft_questions(text: str, *, published_at: date, title: str = "") -> list[Draft]:
    """Return a draft for each forward-looking sentence of ``text``, in the order of the text.

    Relative times such as "Friday" and "next month" count from ``published_at``. A ``title`` that
    does not look ahead itself may tell the outcome of a draft.
    """
    return _of_sentences(text, _spans(text, published_at), published_at=published_at, title=title)


def _spans(text: str, published_at: date) -> list[Span]:
    """Return the sentences of a text up to MAX_LENGTH, each without its dateline."""
    return [
        (start + _after_dateline(text[start:end], published_at), end)
        for start, end in find_sentences(text)
        if end - start <= MAX_LENGTH
    ]


def _of_sentences(
    text: str, spans: Sequence[Span], *, published_at: date, title: str
) -> list[Draft]:
    """Return the drafts of these sentences of a text (see ``draft_questions``)."""
    lowercase_words = frozenset(re.findall(r"\b[a-z]{2,}\b", text))
    sentences = [text[start:end] for start, end in spans]
    looks_ahead = find_outlooks(title, find_deadlines(title, anchor=published_at))
    headline = "" if looks_ahead else title
    drafts: list[Draft] = []
    asked: set[str] = set()
    for number, (start, end) in enumerate(spans):
        sentence = text[start:end]
        outlooks = find_outlooks(sentence, find_deadlines(sentence, anchor=published_at))
        if not outlooks:
            continue
        context = Context(lowercase_words, text[max(0, start - _CONTEXT) : start])
        wording = _word(sentence, outlooks, context, published_at)
        deadline = outlooks[0].deadline
        strength, reason = judge(wording, sentence)
        if wording.question and wording.question in asked:
            strength, reason = Strength.weak, _REPEATS
        asked.add(wording.question)
        amount = wording.amount
        near = sentences[max(0, number - NEAR) : number + NEAR + 1]
        drafts.append(
            Draft(
                source=quote_at(text, start, end),
                start=start,
                end=end,
                question=wording.question,
                close_date=deadline.last_day if deadline else None,
                strength=strength,
                reason=reason,
                told=find_told(wording, sentence, near, headline),
                kind=wording.kind,
                options=wording.options,
                lower_bound=amount.lower_bound if amount else None,
                upper_bound=amount.upper_bound if amount else None,
                unit=amount.unit or None if amount else None,
            )
        )
    return drafts


def _after_dateline(sentence: str, published_at: date) -> int:
    """Return where the sentence begins after its dateline.

    A day to come is an event's, as in a list: "12 December 2026 - The council votes."
    """
    dateline = find_dateline(sentence)
    if dateline is None:
        return 0
    days = [limit.last_day for limit in find_deadlines(dateline.day, anchor=published_at)]
    is_ahead = dateline.agency is None and any(day > published_at for day in days)
    return 0 if is_ahead else dateline.end


def draft_article(text: str, *, published_at: date, title: str) -> list[Draft]:
    """Return the drafts of a whole article: strong ones, then weak ones, each in its text's order.

    Its events come first (``events``). Titles are without asides. If it has no event and fewer than
    ``FEW`` are strong, those of its lead that lack only a deadline get ``HORIZON_MONTHS``.
    """
    horizon = add_months(published_at, HORIZON_MONTHS)
    every = _spans(text, published_at)
    found = {
        one.start: _checked(one, published_at)
        for one in _of_sentences(text, every, published_at=published_at, title=title)
        if one.quote != title or one.close_date is not None  # else the lead says when
    }
    below = len(title) if text.startswith(title) else -1
    spans = [(start, end) for start, end in every if end > below]
    events, leads = _events(text, title, spans, published_at)
    first = []
    for span, event in events.items():
        draft = _of_event(text, span, event, horizon)
        if event.options or not find_fault(draft.question, is_named=True):
            told = found.pop(draft.start).told if draft.start in found else ""
            told = "" if told == title else told  # headlines are in the present tense
            first.append(replace(draft, told=told))
    drafts = [*first, *(one for _, one in sorted(found.items()))]
    strong = [one for one in drafts if one.strength is Strength.strong]
    starts = {start for start, _ in spans[:LEAD]}
    lead = [one for one in strong if one.start in starts]
    few = FEW * len(leads) - len(strong)
    asked: set[str] = set()
    for at, one in enumerate(drafts):
        is_lead = any(start <= one.start < end for start, end in leads)
        if few > 0 and is_lead and (longer := _with_horizon(one, horizon)):
            drafts[at], few = longer, few - 1
        elif one.question in asked or (
            one.quote == title and any(_says(two, title) for two in lead)
        ):
            drafts[at] = replace(one, strength=Strength.weak, reason=_REPEATS)
        asked.add(drafts[at].question)
    return sorted(drafts, key=lambda one: (one.strength is Strength.weak, bool(one.told)))


def _events(
    text: str, title: str, spans: Sequence[Span], published_at: date
) -> tuple[dict[Span, Event], list[Span]]:
    """Return the events of a page's articles, by sentence, and the leads of those without any."""
    candidates = find_candidates(text)
    events = {
        span: event
        for span in spans
        if (event := find_choice(text[slice(*span)], candidates, published_at=published_at))
    }
    leads: list[Span] = []
    for heading, start, end in _parts(text, title):
        own = spans[bisect_left(spans, (start, 0)) : bisect_left(spans, (end, 0))]
        if not own:
            continue
        sentences = [text[slice(*span)] for span in own]
        about = find_events(heading, sentences, published_at=published_at)
        for at, event in about:
            events.setdefault(own[at], event)
        if not about:
            leads.append((start, own[: LEAD + 1][-1][1]))
    return events, leads


def _of_event(text: str, span: Span, event: Event, horizon: date) -> Draft:
    """Return the draft of an event, by ``horizon`` if the text has no day."""
    day = event.last_day or horizon
    return Draft(
        source=quote_at(text, *span),
        start=span[0],
        end=span[1],
        question=without_asides(event.by(day)),
        close_date=day,
        strength=Strength.strong,
        reason=_ITS_EVENT,
        kind=QuestionType.multiple_choice if event.options else QuestionType.binary,
        options=event.options,
    )


def _says(draft: Draft, title: str) -> bool:
    """Return whether a draft is the main event's, or has the words of the title."""
    words = set(_LONG_WORD.findall(draft.question.lower()))
    shared = words.intersection(_LONG_WORD.findall(title.lower()))
    return draft.reason == _ITS_EVENT or len(shared) > 1


def _parts(text: str, title: str) -> list[tuple[str, int, int]]:
    """Return the title and the span of each article of a page.

    A page of an aggregator repeats the title of each at its beginning.
    """
    starts = {title: 0}
    for match in islice(_REPEATED.finditer(text), MOST_PARTS):
        starts.setdefault(match[1], match.start())
    ends = [*starts.values(), len(text)][1:]
    return [(known, start, end) for (known, start), end in zip(starts.items(), ends, strict=True)]


def _checked(draft: Draft, published_at: date) -> Draft:
    """Return a draft without asides, with a day in its title as its deadline, weak if garbled."""
    if draft.kind is not QuestionType.binary or not draft.is_complete:
        return draft
    draft = replace(draft, question=without_asides(draft.question))
    days = [] if draft.close_date else calendar_days(draft.question, published_at)
    for start, end, day in days[:1]:
        rest = _BEFORE_DAY.sub("", draft.question[:start]) + draft.question[end:]
        asked = replace(draft, question=rest).question_by(day)
        draft = replace(draft, question=asked, close_date=day)
        if names_someone(asked) and draft.reason.endswith(_NO_DEADLINE):
            draft = replace(draft, strength=Strength.strong, reason="a day to come")
    has_day = _YEAR.search(draft.question) is not None
    fault = find_fault(draft.question) if has_day else "its deadline is not in the title"
    is_weak = draft.strength is Strength.weak or not fault
    return draft if is_weak else replace(draft, strength=Strength.weak, reason=fault)


def _with_horizon(draft: Draft, day: date) -> Draft | None:
    """Return a draft that lacks only a deadline with that one, or None."""
    is_binary = draft.kind is QuestionType.binary and draft.is_complete
    if not (is_binary and draft.reason.endswith(_NO_DEADLINE) and is_about_a_name(draft.question)):
        return None
    asked = draft.question_by(day)
    if find_fault(asked):
        return None
    reason = f"no deadline in the text: {HORIZON_MONTHS} months"
    return replace(draft, question=asked, close_date=day, strength=Strength.strong, reason=reason)


def drafts_of(article: Article) -> list[Draft]:
    """Return the drafts of a stored article, clear ones first (``draft_article``).

    Relative times count from the day of publication, or of capture if that is unknown.
    """
    published = article.published_at or article.captured_at
    return draft_article(article.text, published_at=published.date(), title=article.title)


def find_draft(article: Article, number: int) -> Draft:
    """Return the article's draft with this number, counted from 1. Raises NotFound."""
    drafts = drafts_of(article)
    if 0 < number <= len(drafts):
        return drafts[number - 1]
    count = "one draft" if len(drafts) == 1 else f"{len(drafts) or 'no'} drafts"
    raise NotFound(
        f"There is no draft {number}: article {article.id}, {article.title!r}, has {count}.",
        remedy=Remedy("To see them: {}", "articles", str(article.id)),
    )


def _word(
    sentence: str, outlooks: Sequence[Outlook], context: Context, published_at: date
) -> Wording:
    """Return the wording of a sentence, without a day that has passed: its outcome is known."""
    first = outlooks[0]
    if first.deadline is None:
        for limit in reversed(find_overdue(sentence, anchor=published_at)):
            rest = sentence[: limit.start].rstrip(" ,") + sentence[limit.end :]
            has_preposition = limit.phrase[0].islower() and limit.start >= first.match.end()
            if has_preposition and not _NOTHING_LEFT.search(rest) and find_outlooks(rest, ()):
                sentence = rest
        outlooks = find_outlooks(sentence, ())
    return word_question(sentence, outlooks, context)


_NOTHING_LEFT = re.compile(r"\bbe\W*$")  # of "The vote will be on 12 November."
