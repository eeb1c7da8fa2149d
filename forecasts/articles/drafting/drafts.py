"""Draft questions from an article: its forward-looking sentences.

A sentence is forward-looking if it suggests a question whose answer is unknown at publication
but will become known. It has

- a modal: will, would, could, may, might, is likely to, is expected to, is set to, is due to;
- an intention: plans to, aims to, vows to, wants to, is considering;
- a schedule: is to be held on 4 May, is scheduled for, takes effect, expires;
- or a deadline with a present tense, a plan or a duty: meets on Friday, is travelling next week,
  the visit planned for this fall, must file by 2 May.

``forward_looking`` decides this and lists the exclusions, ``deadlines`` finds the close date,
``question_wording`` proposes the question. A user confirms every draft, so doubtful sentences are
kept.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from forecasts.articles.drafting.deadlines import find_deadlines, find_overdue
from forecasts.articles.drafting.forward_looking import Outlook, find_outlooks
from forecasts.articles.drafting.predicates import long_date
from forecasts.articles.drafting.question_wording import word_question
from forecasts.articles.drafting.sentences import find_sentences
from forecasts.articles.drafting.subjects import UNNAMED
from forecasts.articles.text_quotes import TextQuote, quote_at
from forecasts.common.errors import NotFound
from forecasts.ledger.models import Article, QuestionType

MAX_LENGTH = 1_000  # characters; a longer sentence is a list or a table


class Strength(StrEnum):
    """How sure the grammar is of a draft; weak ones are folded on the page."""

    strong = "strong"
    weak = "weak"


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
        """Return the question with ``day`` as its deadline."""
        if self.close_date is not None:
            return self.question.replace(long_date(self.close_date), long_date(day))
        opening, colon, statement = self.question.partition(": “")
        if colon:
            return f"{opening} by {long_date(day)}{colon}{statement}"
        return f"{self.question.removesuffix('?')} by {long_date(day)}?"


def draft_questions(text: str, *, published_at: date) -> list[Draft]:
    """Return a draft for each forward-looking sentence of ``text``, in the order of the text.

    Relative times such as "Friday" and "next month" count from ``published_at``.
    """
    lowercase_words = frozenset(re.findall(r"\b[a-z]{2,}\b", text))
    drafts = []
    for start, end in find_sentences(text):
        if end - start > MAX_LENGTH:
            continue
        sentence = text[start:end]
        outlooks = find_outlooks(sentence, find_deadlines(sentence, anchor=published_at))
        if not outlooks:
            continue
        deadline = outlooks[0].deadline
        question = _question(sentence, outlooks, lowercase_words, published_at)
        doubt = _doubt(question, outlooks[0])
        drafts.append(
            Draft(
                source=quote_at(text, start, end),
                start=start,
                end=end,
                question=question,
                close_date=deadline.last_day if deadline else None,
                strength=Strength.weak if doubt else Strength.strong,
                reason=doubt or "clear wording",
            )
        )
    return drafts


def drafts_of(article: Article) -> list[Draft]:
    """Return the drafts of a stored article, in the order of its text.

    Relative times count from the day of publication, or of capture if that is unknown.
    """
    published = article.published_at or article.captured_at
    return draft_questions(article.text, published_at=published.date())


def find_draft(article: Article, number: int) -> Draft:
    """Return the article's draft with this number, counted from 1. Raises NotFound."""
    drafts = drafts_of(article)
    if 0 < number <= len(drafts):
        return drafts[number - 1]
    count = "one draft" if len(drafts) == 1 else f"{len(drafts) or 'no'} drafts"
    raise NotFound(
        f"There is no draft {number}: article {article.id}, {article.title!r}, has {count}.",
        remedy=f"See: forecasts articles {article.id}.",
    )


def _question(
    sentence: str, outlooks: Sequence[Outlook], lowercase_words: Collection[str], published_at: date
) -> str:
    """Return the question of a sentence, without a day that has passed: its outcome is known."""
    first = outlooks[0]
    if first.deadline is None:
        for limit in reversed(find_overdue(sentence, anchor=published_at)):
            rest = sentence[: limit.start].rstrip(" ,") + sentence[limit.end :]
            has_preposition = limit.phrase[0].islower() and limit.start >= first.match.end()
            if has_preposition and not _NOTHING_LEFT.search(rest) and find_outlooks(rest, ()):
                sentence = rest
        outlooks = find_outlooks(sentence, ())
    return word_question(sentence, outlooks, lowercase_words)


def _doubt(question: str, outlook: Outlook) -> str:
    """Return why a draft is weak, or ''."""
    if not question or UNNAMED in question:
        return "no clear subject"
    if outlook.deadline is None and outlook.cue.kind in ("might", "would"):
        return f"only “{outlook.match.group().split()[0]}”, and no deadline"
    return ""


_NOTHING_LEFT = re.compile(r"\bbe\W*$")  # of "The vote will be on 12 November."
