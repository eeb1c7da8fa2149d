"""Question drafts from an article: the sentences from which a person may make a question.

A draft is a sentence that looks ahead: one from which a question could be written whose answer
is not yet known when the article is published, but will be. That is a sentence with

- a modal: will, would, could, may, might, is likely to, is expected to, is set to, is due to;
- an intention: plans to, aims to, vows to, wants to, is considering;
- a schedule: is to be held on 4 May, is scheduled for, takes effect, expires;
- a plain present, a plan or a duty together with a deadline: meets on Friday, is travelling next
  week, the visit planned for this fall, must file by 2 May.

Not drafts: what has happened, would have happened or was only planned; what is generally or
habitually so; permissions and abilities; questions and requests. ``outlook`` judges this,
``deadlines`` reads the close date, ``wording`` proposes the question. All of it is a proposal:
a person confirms every draft, so a doubtful sentence that looks ahead is better kept than lost.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date

from forecasts.articles.drafting.deadlines import find_deadlines, find_overdue
from forecasts.articles.drafting.forward_looking import Outlook, find_outlooks
from forecasts.articles.drafting.predicates import long_date
from forecasts.articles.drafting.question_wording import question
from forecasts.articles.drafting.sentences import find_sentences
from forecasts.articles.text_quotes import context

LONGEST = 1_000  # characters; what runs on without a stop for longer is a list or a table


@dataclass(frozen=True, slots=True)
class Draft:
    """A question to be: ``quote == text[start:end]``, with the words around it.

    ``prefix``, ``quote`` and ``suffix`` are a W3C TextQuoteSelector; ``quotes.locate`` finds the
    place again. ``close_date`` is None where the text gives no deadline.
    """

    quote: str
    prefix: str
    suffix: str
    start: int
    end: int
    question: str
    close_date: date | None

    def question_by(self, day: date) -> str:
        """Return the question with ``day`` for its deadline, whether the text gives one or not."""
        if self.close_date is not None:
            return self.question.replace(long_date(self.close_date), long_date(day))
        opening, colon, statement = self.question.partition(": “")
        if colon:
            return f"{opening} by {long_date(day)}{colon}{statement}"
        return f"{self.question.removesuffix('?')} by {long_date(day)}?"


def draft_questions(text: str, *, published_at: date) -> list[Draft]:
    """Return a draft for each sentence of ``text`` that looks ahead, in the order of the text.

    ``published_at`` is the day from which "Friday" and "next month" are counted.
    """
    small_words = frozenset(re.findall(r"\b[a-z]{2,}\b", text))
    drafts = []
    for start, end in find_sentences(text):
        if end - start > LONGEST:
            continue
        sentence = text[start:end]
        outlooks = find_outlooks(sentence, find_deadlines(sentence, anchor=published_at))
        if not outlooks:
            continue
        deadline = outlooks[0].deadline
        prefix, suffix = context(text, start, end)
        drafts.append(
            Draft(
                quote=sentence,
                prefix=prefix,
                suffix=suffix,
                start=start,
                end=end,
                question=_worded(sentence, outlooks, small_words, published_at),
                close_date=deadline.last_day if deadline else None,
            )
        )
    return drafts


def _worded(
    sentence: str, outlooks: Sequence[Outlook], small_words: Collection[str], published_at: date
) -> str:
    """Return the question of a sentence, without a day that is over already.

    "Will the council vote on 12 November?", read in December, would ask for what is known.
    """
    first = outlooks[0]
    if first.deadline is None:
        for limit in reversed(find_overdue(sentence, anchor=published_at)):
            rest = sentence[: limit.start].rstrip(" ,") + sentence[limit.end :]
            is_held = limit.phrase[0].islower() and limit.start >= first.match.end()
            if is_held and not _NOTHING_LEFT.search(rest) and find_outlooks(rest, ()):
                sentence = rest
        outlooks = find_outlooks(sentence, ())
    return question(sentence, outlooks, small_words)


_NOTHING_LEFT = re.compile(r"\bbe\W*$")  # of "The vote will be on 12 November."
