"""Likeness of texts: titles that may ask the same question, and words that may be mistyped.

Titles are alike if they share much of their wording (the cosine of TF-IDF over the trigrams of
their words) and differ in nothing that makes another question:

- a number, or a deadline by more than ``_DAYS``, where deadlines are read as in articles ("before
  2027" is the same as "by 31 December 2026");
- a word that reverses the question, on one side only;
- a word replaced by another one (Germany by France, "cut" by "raise"). An additional word is
  allowed, and so is another form of a word (Turkey, Turkish), an acronym, or a word for the same
  direction (above, exceed).

Synonyms are missed rather than other countries and parties proposed. Titles that only exchange two
words ("Will A beat B?", "Will B beat A?") pass: a person confirms each pair.

Rejected: scikit-learn (150 MB for one class of it), and string distances such as RapidFuzz's, which
compare every pair and weigh "Will the" like a name. For mistyped words, an index of trigrams
(SQLite's FTS5, PostgreSQL's pg_trgm): it needs an extension on one database and a table kept up to
date on the other, and only tells that words are similar, not which ones.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches
from functools import cached_property

import numpy as np
import numpy.typing as npt
import scipy

from forecasts.reading.drafting.deadlines import Deadline, find_deadlines
from forecasts.reading.typography import plain_punctuation

LEAST = 0.5  # cosine of two titles that are compared word by word
_DAYS = 3  # between deadlines: "by 31 March" and "before 31 March" are alike
_UNCHANGED = 0.55  # share of the longer of two forms of a word that both begin with
_MOST = 20  # candidates of a title that are compared so, the most similar
_TOGETHER = 100  # titles whose cosines are in memory at a time
_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)*")
_SCALES = {"thousand": 1e3, "k": 1e3, "million": 1e6, "m": 1e6, "billion": 1e9, "bn": 1e9}
_SCALES |= {"b": 1e9, "trillion": 1e12, "tn": 1e12, "t": 1e12}
_NUMBER = re.compile(rf"(?i)(\d+(?:[.,]\d+)*)(?:\s?({'|'.join(_SCALES)})\b)?")


def _listed(words: str) -> frozenset[str]:
    return frozenset(words.split())


_SPELT = {
    "two": 2.0, "three": 3.0, "four": 4.0, "five": 5.0, "six": 6.0, "seven": 7.0, "eight": 8.0,
    "nine": 9.0, "ten": 10.0, "eleven": 11.0, "twelve": 12.0,
}  # fmt: skip
_WEAK = _SPELT.keys() | _listed(
    "a an the of in on at to by for from with and or as its his her their this that than there it "
    "will would be been is are was were do does did has have had get gets which when "
    "where how many much number any before until through during within between year month week day "
    "end time take place occur happen conduct hold per who whom what"
)
_REVERSING = re.compile(
    "(?:not|no|never|neither|nor|none|without|fail|avoid|refuse|decline|reject|unless|except|cannot"
    "|prevent|after|since)(?:e?d|ing|e?s)?|.*n't",
    re.IGNORECASE,
)
_DIRECTIONS = (
    _listed("above exceed exceeds over more greater higher least surpass"),
    _listed("below under fewer less lower most"),
)
_SIMILAR_WORDS, _SPELLING = 3, 0.74  # "rian" and "rain" have 0.75


@dataclass(frozen=True)
class Title:
    """A title, with its deadlines read as of the day ``anchor``."""

    text: str
    anchor: date

    def may_equal(self, other: Title) -> bool:
        """Return whether nothing in the two titles makes another question."""
        return (
            self._is_reversed == other._is_reversed
            and self._numbers <= other._all_numbers
            and other._numbers <= self._all_numbers
            and self._ends_with(other)
            and not (self._lacking_in(other) and other._lacking_in(self))
        )

    def has_words_of(self, other: Title) -> bool:
        """Return whether it has each word of the other title, in some form."""
        return not other._lacking_in(self)

    @cached_property
    def words(self) -> list[str]:
        """The words that carry meaning, as written, without those of deadlines."""
        found = [re.sub("'s?$", "", word) for word in _WORD.findall(self.subject)]
        return [word for word in found if word.lower() not in _WEAK]

    @cached_property
    def _plain(self) -> str:
        return plain_punctuation(self.text)

    @cached_property
    def _deadlines(self) -> list[Deadline]:
        return find_deadlines(self._plain, anchor=self.anchor)

    @cached_property
    def subject(self) -> str:
        """The title without its deadlines."""
        subject = self._plain
        for found in reversed(self._deadlines):
            subject = f"{subject[: found.start]} {subject[found.end :]}"
        return subject

    @cached_property
    def _numbers(self) -> frozenset[float]:
        return _numbers(self.subject)

    @cached_property
    def _all_numbers(self) -> frozenset[float]:
        return _numbers(self._plain)

    @cached_property
    def _is_reversed(self) -> bool:
        return any(map(_REVERSING.fullmatch, _WORD.findall(self.subject)))

    def _ends_with(self, other: Title) -> bool:
        if not self._deadlines or not other._deadlines:
            return True
        last, others = (max(one.last_day for one in each._deadlines) for each in (self, other))
        return abs((last - others).days) <= _DAYS

    def _lacking_in(self, other: Title) -> list[str]:
        """Return the words that the other title has in no form."""
        spelt_out = {
            word
            for acronym in filter(_is_acronym, other.words)
            for start in range(len(self.words))
            if _initials(some := self.words[start : start + len(acronym)]) == acronym
            for word in some
        }
        return [
            word
            for word in self.words
            if word not in spelt_out
            and not (_is_acronym(word) and word in _initials(other.words))
            and not any(_are_forms(word.lower(), one.lower()) for one in other.words)
        ]


def alike(
    ones: Sequence[Title],
    others: Sequence[Title],
    within: npt.NDArray[np.intp] | None = None,
    *,
    least: float = LEAST,
) -> Iterator[tuple[int, int, float]]:
    """Yield (place in ``ones``, place in ``others``, cosine) of the titles that are alike.

    ``within`` (n, 2): for each of ``ones``, the first of ``others`` to compare, and the one after
    the last; None: all. The cosine is ``least`` or more; of many candidates, each of ``ones`` has
    its ``_MOST`` best compared word by word.
    """
    if within is None:
        within = np.tile([0, len(others)], (len(ones), 1))
    weights = _tf_idf([title.text for title in (*ones, *others)])
    left, right = weights[: len(ones)], weights[len(ones) :].T.tocsc()
    for start in range(0, len(ones), _TOGETHER):
        some = slice(start, start + _TOGETHER)
        first, stop = within[some, 0].min(), within[some, 1].max()
        found = (left[some] @ right[:, first:stop]).tocoo()
        rows, columns = found.row + start, found.col + first
        inside = (columns >= within[rows, 0]) & (columns < within[rows, 1])
        kept = np.flatnonzero(inside & (found.data >= least))
        kept = kept[np.lexsort((-found.data[kept], rows[kept]))]
        place = np.arange(len(kept)) - np.searchsorted(rows[kept], rows[kept])
        for at in kept[place < _MOST]:
            one, other = int(rows[at]), int(columns[at])
            if ones[one].may_equal(others[other]):
                yield one, other, float(found.data[at])


def _tf_idf(titles: Sequence[str]) -> scipy.sparse.csr_array:
    """Return a row of weights a title, of length 1: one a trigram of its words."""
    found = (_WORD.findall(plain_punctuation(title).lower()) for title in titles)
    texts = [f" {' '.join(w for w in words if w not in _WEAK)} " for words in found]
    codes = np.frombuffer("".join(texts).encode("utf-32-le"), dtype=np.uint32).astype(np.uint64)
    of = np.repeat(np.arange(len(titles)), [len(text) for text in texts])
    # A code point has 21 bits; no trigram goes over from one title into the next.
    grams = (codes[:-2] << 42) | (codes[1:-1] << 21) | codes[2:]
    whole = of[:-2] == of[2:]
    known, number = np.unique(grams[whole], return_inverse=True)
    counts = scipy.sparse.coo_array(
        (np.ones(len(number)), (of[:-2][whole], number)), shape=(len(titles), len(known))
    ).tocsr()
    titles_with = np.bincount(counts.indices, minlength=len(known))
    counts.data *= np.log((1 + len(titles)) / (1 + titles_with))[counts.indices] + 1
    length = np.sqrt(np.asarray(counts.multiply(counts).sum(axis=1)).ravel())
    counts.data /= np.repeat(np.where(length > 0, length, 1), np.diff(counts.indptr))
    return counts


def _is_acronym(word: str) -> bool:
    return len(word) > 1 and word.isupper()


def _initials(words: Sequence[str]) -> str:
    return "".join(word[0] for word in words).upper()


def _are_forms(one: str, other: str) -> bool:
    """Return whether two words are forms of one, or say the same direction."""
    if any(one in words and other in words for words in _DIRECTIONS):
        return True
    shorter, longer = sorted((one, other), key=len)
    if longer == shorter or (len(shorter) > 2 and longer.startswith(shorter)):
        return True
    pairs = enumerate(zip(shorter, longer, strict=False))
    same = next((n for n, (a, b) in pairs if a != b), len(shorter))
    return same > 3 and same >= _UNCHANGED * len(longer)


def _numbers(text: str) -> frozenset[float]:
    """Return the numbers of a text: 2,000 and 2000, $150k and 150 thousand are the same."""
    written = {
        float(re.sub(r",(?=\d{3}(?!\d))", "", digits).replace(",", "."))
        * _SCALES.get(scale.lower(), 1.0)
        for digits, scale in _NUMBER.findall(text)
        if digits.count(".") < 2
    }
    return frozenset(written) | {_SPELT[word] for word in text.lower().split() if word in _SPELT}


def similar_words(typed: str, titles: Iterable[str]) -> dict[str, list[str]]:
    """Return, for each typed word that no title has, the most similar words of the titles.

    Case and accents make no difference. Empty if nothing is similar.

    >>> similar_words("huwaei chips", ["Will Huawei sell chips?"])
    {'huwaei': ['Huawei']}
    """
    words = set(re.findall(r"\w{3,}", "\n".join(titles)))
    every = "\n".join(words).casefold()
    known = {_without_accents(word): word for word in sorted(words)}
    found = {
        word: get_close_matches(_without_accents(word), known, _SIMILAR_WORDS, _SPELLING)
        for word in typed.split()
        if word.casefold() not in every
    }
    return {word: [known[one] for one in close] for word, close in found.items() if close}


def _without_accents(word: str) -> str:
    parts = unicodedata.normalize("NFKD", word)
    return "".join(part for part in parts if not unicodedata.combining(part)).casefold()
