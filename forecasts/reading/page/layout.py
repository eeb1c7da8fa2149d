"""The lines of a page, classified by their neighbours: captions, prose, titles, names.

The same short line is a title above a time, a subheading in a text, or a button among buttons.
Lines in isolation are classified by ``lines``, ``bylines``, ``captions`` and ``boilerplate``.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice, pairwise

from forecasts.reading.lines import ends_as_sentence, is_heading_like, is_prose, trails_off, words
from forecasts.reading.page.boilerplate import ends_article, is_boilerplate, opens_box
from forecasts.reading.page.bylines import (
    Imprint,
    is_aside,
    is_name,
    is_publisher,
    is_publisher_name,
    read_imprint,
    reporter_names,
)
from forecasts.reading.page.captions import is_caption, is_credit

NEAR = 8  # lines with text within which a title is repeated
_PUNCTUATION = ".,;:!?'\"‘’“”()[]–—"


@dataclass(frozen=True, slots=True)
class Line:
    """A line with text; ``key`` is for comparisons, ``level`` is that of a # heading."""

    text: str
    key: str
    level: int = 0
    bullet: bool = False
    ruled: bool = False  # below a horizontal rule


class Page:
    """The lines of a text, classified by their neighbours."""

    def __init__(self, lines: Sequence[Line], captured_at: datetime) -> None:
        self.lines = lines
        self.imprints = [
            None if line.level else read_imprint(line.text, captured_at, bullet=line.bullet)
            for line in lines
        ]
        self._places: dict[str, list[int]] = defaultdict(list)
        for index, line in enumerate(lines):
            self._places[line.key].append(index)
        for index, line in enumerate(lines):
            if (names := reporter_names(line.text)) and self._is_below_title(index):
                self.imprints[index] = Imprint(author=names)
        candidates = (i for i in range(len(lines)) if self.count(i) >= 3)
        self.opening = next((i for i in candidates if not is_boilerplate(lines[i].text)), 0)
        self.captions = [self._is_caption(i) for i in range(len(lines))]
        for i, (line, below) in enumerate(pairwise(lines)):
            # The alternative text of a picture is often repeated.
            if self.captions[i + 1] and len(line.key) >= 20 and below.key.startswith(line.key):
                self.captions[i] = True
        self.prose = [self._is_prose(i) for i in range(len(lines))]
        self.first_prose = self.prose.index(True) if True in self.prose else len(lines)
        self.chapters = self._chapter_marks()

    def _is_below_title(self, index: int) -> bool:
        """Return whether a line has a time beside it and a possible title above it."""
        return self.has_time(range(index - 1, index + 2)) and any(
            self.imprints[i] is None and self.count(i) >= 5 for i in range(max(0, index - 4), index)
        )

    def _is_caption(self, index: int) -> bool:
        """Return whether a line is a caption, and not a title above an agency's name."""
        text = self.lines[index].text
        following = self.lines[index + 1].text if index + 1 < len(self.lines) else None
        if self.imprints[index] is not None or not is_caption(text, following):
            return False
        if ends_as_sentence(text) or is_caption(text, None):
            return True
        timed = self.has_time(range(index + 1, index + 4))
        return not (timed or index == self.opening or self.is_repeated(index))

    def _is_prose(self, index: int) -> bool:
        line = self.lines[index]
        if line.level or self.imprints[index] is not None or self.captions[index]:
            return False
        is_text = is_prose(line.text) and not is_boilerplate(line.text)
        return is_text and not self._is_title_in_prose(index)

    def _is_title_in_prose(self, index: int) -> bool:
        """Return whether a line that ends like a sentence has a title's position."""
        text = self.lines[index].text
        if len(text) > 220 or trails_off(text):
            return False
        if self.is_repeated(index):
            # Only imprints and names are between a title and its repetition.
            place = min(
                (i for i in self._places[self.lines[index].key] if i != index),
                key=lambda i: abs(i - index),
            )
            between = range(min(place, index) + 1, max(place, index))
            return self.has_time(range(index - 4, index + 5)) and all(
                self.imprints[i] is not None or is_name(self.lines[i].text) for i in between
            )
        asks = text.rstrip("'\"’”)").endswith(("?", "!")) and len(words(text)) <= 20
        below = self.imprints[index + 1 : index + 3]
        if not asks or not below or self.lines[index + 1].bullet:
            return False
        is_byline = below[-1] is not None and is_name(self.lines[index + 1].text)
        return below[0] is not None or is_byline

    def is_repeated(self, index: int) -> bool:
        """Return whether the same line occurs nearby, as with titles and the names beside them."""
        line = self.lines[index]
        places = self._places[line.key]
        if line.bullet or len(line.key) < 6 or len(places) > 50 or is_aside(line.text):
            return False
        near = [
            place
            for place in places
            if 0 < abs(place - index) <= NEAR
            and not (self.lines[place].bullet or is_aside(self.lines[place].text))
            and not any(
                is_prose(between.text) and between.key != line.key
                for between in self.lines[min(place, index) : max(place, index)]
            )
        ]
        is_beside = any(abs(place - index) == 1 for place in near)
        is_long = len(words(line.text)) >= 4 or not is_name(line.text)
        return bool(near) and (is_long or is_beside)

    def fits_text(self, index: int) -> bool:
        """Return whether a line shares a word with the three paragraphs below it."""
        below = (i for i in range(index, len(self.lines)) if self.prose[i])
        text = " ".join(self.lines[i].text for i in islice(below, 3))
        return not _stems(self.lines[index].text).isdisjoint(_stems(text))

    def _chapter_marks(self) -> set[int]:
        """Return the lines that begin articles: several top # headings, titles below all rules."""
        levels = [line.level for line in self.lines if line.level]
        top = min(levels, default=0)
        found: set[int] = set()
        if levels.count(top) > 1 and self.lines[0].level == top:
            found = {i for i, line in enumerate(self.lines) if line.level == top}
        ruled = [
            i
            for i, line in enumerate(self.lines)
            if line.ruled and not is_boilerplate(line.text) and not ends_article(line.text)
        ]
        if all(self.is_candidate(i) and any(self.prose[i + 1 : i + 4]) for i in ruled):
            found |= set(ruled)
        return found

    def is_candidate(self, index: int) -> bool:
        """Return whether a line could be a title."""
        line = self.lines[index]
        return (
            self.imprints[index] is None
            and not self.captions[index]
            and (line.level > 0 or is_heading_like(line.text) or self._is_title_in_prose(index))
            and not is_boilerplate(line.text)
            and not ends_article(line.text)
            and not opens_box(line.text)
            and not is_credit(line.text)
            and not is_aside(line.text)
        )

    def is_side_name(self, index: int) -> bool:
        """Return whether a line is the name of a publisher or an author beside a time."""
        text = self.lines[index].text
        if self.imprints[index] is not None or not is_name(text) or self.lines[index].level:
            return False
        if is_boilerplate(text) or (is_credit(text) and not is_publisher(text)):
            return False
        count = len(words(text))
        if is_publisher(text):
            return count <= 4
        beside = [i for i in (index - 1, index + 1) if 0 <= i < len(self.lines)]
        return count <= 3 and any(
            self.imprints[i] is not None or is_publisher_name(self.lines[i].text) for i in beside
        )

    def imprints_of(self, lines: Iterable[int]) -> list[Imprint]:
        """Return the imprints among the given lines, of which some may not exist."""
        inside = (self.imprints[i] for i in lines if 0 <= i < len(self.lines))
        return [imprint for imprint in inside if imprint is not None]

    def has_time(self, lines: Iterable[int]) -> bool:
        """Return whether one of the lines is an imprint with a time."""
        return any(imprint.when for imprint in self.imprints_of(lines))

    def count(self, index: int) -> int:
        """Return the number of words in a line."""
        return len(words(self.lines[index].text))


def _stems(text: str) -> set[str]:
    """Return the first letters of the longer words of a text."""
    return {word[:5] for raw in words(text.casefold()) if len(word := raw.strip(_PUNCTUATION)) >= 4}
