"""Matching: the questions that an article bears on, by their words.

A question is a list of weighted words: those of its title, without its deadline, and with a third
of their weight those of its criteria. A word weighs more the fewer questions have it, and a name or
a number more than another word. An article is its words: one in the title counts twice, one in the
first ``LEAD`` words once, one further on a quarter, and repetitions count less and less, as in BM25
(Robertson and Zaragoza, 2009, doi:10.1561/1500000019, with k1 = 1.2). Their sum, divided by that of
the title's words, is ``ratio``; the score is ratio / (1 + ratio), so it is comparable between
questions: 0.5 says that the article has as much of the question as if it had each word of the title
once in its lead.

It depends on the open questions alone, not on the other articles, so an article has the same score
whenever it is read. All articles against all questions are one product of two sparse matrices.

Measured on 533 snippets and 83 questions (``benchmarks.matching``): the own article is in the first
place for 0.95 of the questions, in the first five for all; 1.2 matches a question at the score that
finds 95% of the articles, 2.2 at 99%. Rejected: ``bm25s`` (0.95 and all, 1.1 and 8.7: its sums are
not comparable between questions, and it is built again for each new article); SQLite's FTS5 (0.94
and all, 1.3 and 3.9), which PostgreSQL's tsvector would score differently; embeddings (worse, and a
model to ship).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from itertools import groupby, pairwise
from typing import NamedTuple

import numpy as np
import scipy

from forecasts.questions.likeness import Title
from forecasts.reading.drafting.sentences import find_sentences

LEAD = 60  # words
IN_TITLE, IN_LEAD, IN_REST = 2.0, 1.0, 0.25
OF_CRITERIA = 0.3
OF_NAMES = 1.5
SATURATION = 1.2
MOST_WORDS = 5_000  # of an article
SHOWN_WORDS = 6
THRESHOLD = 0.33  # the score from which a question is suggested, unless answers teach another one
ANSWERS_A_TENTH = 1  # more answers one way than the other, to move a threshold by 0.1
A_MONTH = 20  # suggestions of a question, the best ones
_TOGETHER = 500  # articles whose scores are in memory at a time

_WORD = re.compile(r"\d+(?:[.,]\d+)*|[^\W\d_]+(?:['’][^\W\d_]+)*")
_ENDING = re.compile(
    r"(?<=.{4})(?:ational|ations?|ments?|ing(?:ly|s)?|ed(?:ly)?|ers?|ies|ied|ions?|ive|ly|es|s|e|y)$"
)
_UNSPACED = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\u0e00-\u0e7f]")
# Words that say nothing about a question's topic.
_COMMONPLACE = """
    a about above after again against all also an and any are as at be been before being below
    between both but by can case close could did do does during each either end ever exceed first
    for four five from future get given had happen has have he her his how if in into is it its last
    least less lie like made make many may might more most much must new next no not number of off
    on once one only open or other our out over own per percent point question reach rise s said
    same say says second shall she should since so some still such t take than that the their them
    then there these they this those three through time to top two under until up upon us value very
    was week were what when where whether which while who whom whose why will with within without
    would year yet you your
    january february march april june july august september october november december
    ap afp associated bbc press reuters
    according announce announced announcement answer basis confirm confirmed confirmation consider
    considered count credible criteria date day days following include included includes including
    major media month news occur official officially officials otherwise outcome public publicly
    published purpose purposes recognized refer refers release released reliable report reported
    reports reputable require required resolution resolve resolved resolves source sources specific
    specified statement statements verifiable verified verify yes
"""


class Wording(NamedTuple):
    """The words of a question; ``anchor``: the day from which its deadline is read."""

    title: str
    criteria: str
    anchor: date


class Text(NamedTuple):
    """The words of an article."""

    title: str
    text: str


@dataclass(frozen=True)
class Match:
    """A question that an article bears on.

    ``article`` and ``question``: their places. ``score``: above 0 and below 1. ``passage``: the
    sentence with the most of the question; the title if no sentence has any of it. ``words``: the
    words that the two share, as the question spells them, the weightiest first.
    """

    article: int
    question: int
    score: float
    passage: str
    words: tuple[str, ...]


def stems(text: str) -> list[tuple[str, str]]:
    """Return the words of a text in order, each as compared and as written.

    Without case and common endings; where no space is between words, two characters are one.
    """
    written = _WORD.findall(text)
    if not _UNSPACED.search(text):
        return [(_stem(word), word) for word in written]
    found = []
    for word in written:
        if _UNSPACED.match(word):
            found += [(pair, pair) for pair in map("".join, pairwise(word))]
        else:
            found.append((_stem(word), word))
    return found


@lru_cache(100_000)
def _stem(word: str) -> str:
    folded = word.casefold().replace("’", "'")
    return _ENDING.sub("", folded.removesuffix("'s").removesuffix("s'"))


_COMMON = frozenset(map(_stem, _COMMONPLACE.split()))


class Questions:
    """The questions that articles are matched to."""

    def __init__(self, wordings: Sequence[Wording]) -> None:
        titles = [_topics(_subject(one.title, one.anchor)) for one in wordings]
        criteria = [_topics(one.criteria) for one in wordings]
        among = Counter(
            stem for pair in zip(titles, criteria, strict=True) for stem in pair[0].keys() | pair[1]
        )
        rarity = {
            stem: 1 + np.log((len(wordings) + 1) / (number + 0.5)) for stem, number in among.items()
        }
        self._spelled = [rest | title for title, rest in zip(titles, criteria, strict=True)]
        self._weights: list[dict[str, float]] = []
        self._number = {stem: place for place, stem in enumerate(among)}
        for title, rest in zip(titles, criteria, strict=True):
            weighed = {
                stem: rarity[stem] * (OF_NAMES if _is_name(word) else 1.0)
                for stem, word in (rest | title).items()
            }
            total = sum(weighed[stem] for stem in title)
            parts = {stem: 1.0 if stem in title else OF_CRITERIA for stem in weighed}
            self._weights.append(
                {stem: parts[stem] * weight / total for stem, weight in weighed.items()}
                if total
                else {}
            )
        self._matrix = _matrix(
            ({self._number[stem]: weight for stem, weight in of.items()} for of in self._weights),
            len(among),
        ).T.tocsr()

    def matches(
        self, articles: Sequence[Text], *, least: float, among: Sequence[int] | None = None
    ) -> Iterator[Match]:
        """Yield the matches with a score of ``least`` or more, article by article.

        ``among``: only to the questions at these places.
        """
        for start in range(0, len(articles), _TOGETHER):
            some = articles[start : start + _TOGETHER]
            counts = _matrix(map(self._counted, some), len(self._number))
            counts.data *= (SATURATION + 1) / (counts.data + SATURATION)
            ratios = (counts @ self._matrix).tocoo()
            scores = ratios.data / (1 + ratios.data)
            kept = np.flatnonzero(
                (scores >= least) & (True if among is None else np.isin(ratios.col, among))
            )
            rows = kept[np.lexsort((ratios.col[kept], ratios.row[kept]))]
            for article, places in groupby(rows, key=lambda at: int(ratios.row[at])):
                sentences = _sentences(some[article])
                for at in places:
                    question = int(ratios.col[at])
                    passage, words = self._why(sentences, question)
                    yield Match(start + article, question, float(scores[at]), passage, words)

    def _counted(self, article: Text) -> dict[int, float]:
        """Return how much of each known word an article has, by the word's number."""
        counts: dict[int, float] = {}
        for stem, _ in stems(article.title):
            if (number := self._number.get(stem)) is not None:
                counts[number] = counts.get(number, 0.0) + IN_TITLE
        for place, (stem, _) in enumerate(stems(article.text)[:MOST_WORDS]):
            if (number := self._number.get(stem)) is not None:
                part = IN_LEAD if place < LEAD else IN_REST
                counts[number] = counts.get(number, 0.0) + part
        return counts

    def _why(
        self, sentences: Sequence[tuple[str, frozenset[str]]], question: int
    ) -> tuple[str, tuple[str, ...]]:
        """Return the sentence with the most of the question, of equal ones the first, and why."""
        weights, spelled = self._weights[question], self._spelled[question]
        (title, of_title), *rest = ((one, words & weights.keys()) for one, words in sentences)
        passage, words = max(
            rest or [(title, of_title)], key=lambda one: sum(map(weights.__getitem__, one[1]))
        )
        shared = of_title.union(*(words for _, words in rest))
        shown = sorted(shared, key=lambda stem: (-weights[stem], stem))[:SHOWN_WORDS]
        return passage if words else title, tuple(spelled[stem] for stem in shown)


@lru_cache(4)  # readers who see the same questions share one
def questions_of(wordings: tuple[Wording, ...]) -> Questions:
    """Return the questions, prepared; 500 take some tenths of a second."""
    return Questions(wordings)


def _sentences(article: Text) -> list[tuple[str, frozenset[str]]]:
    """Return the title and the sentences of an article, each with its words."""
    spans = find_sentences(article.text)
    every = [article.title, *(article.text[start:end] for start, end in spans)]
    return [(one, frozenset(stem for stem, _ in stems(one))) for one in every]


@lru_cache(10_000)  # reading deadlines takes most of the time
def _subject(title: str, anchor: date) -> str:
    return Title(title, anchor).subject


def _topics(text: str) -> dict[str, str]:
    """Return the words of a text that say something of its topic, each once, as first written."""
    found: dict[str, str] = {}
    for stem, word in stems(text):
        if stem not in _COMMON and len(stem) > 1:
            found.setdefault(stem, word)
    return found


def _is_name(word: str) -> bool:
    return word[0].isupper() or word[0].isdecimal()


def _matrix(rows: Iterable[dict[int, float]], width: int) -> scipy.sparse.csr_array:
    """Return a sparse matrix of rows, each with its numbers by column."""
    data: list[float] = []
    columns: list[int] = []
    ends = [0]
    for row in rows:
        columns += row.keys()
        data += row.values()
        ends.append(len(data))
    return scipy.sparse.csr_array(
        (np.array(data), np.array(columns, dtype=np.int32), np.array(ends)),
        shape=(len(ends) - 1, width),
    )


def learned_threshold(accepted: Sequence[float], dismissed: Sequence[float]) -> float:
    """Return the score from which a question is suggested, given the scores of those answered.

    It shows the accepted and hides the dismissed ones, as near to ``THRESHOLD`` as they allow: to
    move it by a tenth takes more than ``ANSWERS_A_TENTH``.

    >>> learned_threshold([], [])
    0.33
    >>> learned_threshold([0.5], [0.36, 0.38, 0.42])
    0.421
    """
    above = [round(score + 0.001, 3) for score in dismissed]

    def cost(threshold: float) -> float:
        wrong = sum(score < threshold for score in accepted)
        wrong += sum(score >= threshold for score in dismissed)
        return wrong + 10 * ANSWERS_A_TENTH * abs(threshold - THRESHOLD)

    return min([THRESHOLD, *accepted, *above], key=cost)
