"""The lines of a page, classified by their neighbours, and the heads of its articles.

The same short line is a title above a time, a subheading in a text, or a button among buttons.
Lines in isolation are classified by ``lines``, ``bylines``, ``captions`` and ``boilerplate``.

A *head* is in a run of lines without prose: a title with a publisher, a time or a byline around
it in any order, or with its own repetition. A title alone is not a head, because a subheading
looks the same, except for the first article of a page. Teasers have heads too, so the last of
several heads in a run belongs to the text below.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import pairwise, takewhile

from forecasts.reading.lines import ends_as_sentence, is_heading_like, is_prose, trails_off, words
from forecasts.reading.page.boilerplate import is_boilerplate, opens_box
from forecasts.reading.page.bylines import (
    Imprint,
    is_aside,
    is_name,
    is_person,
    is_publisher,
    is_publisher_name,
    publisher_and_author,
    read_imprint,
    reporter_names,
)
from forecasts.reading.page.captions import is_caption, is_credit

NEAR = 8  # lines with text within which a title is repeated


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
        return not self.has_time(range(index + 1, index + 4))

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
        if not asks or index + 1 == len(self.lines) or self.lines[index + 1].bullet:
            return False
        return self.imprints[index + 1] is not None

    def is_repeated(self, index: int) -> bool:
        """Return whether the same line occurs nearby, as with titles and the names beside them."""
        line = self.lines[index]
        places = self._places[line.key]
        if line.bullet or len(line.key) < 6 or is_aside(line.text):
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

    def _chapter_marks(self) -> set[int]:
        """Return the lines that begin articles: several top # headings, titles below all rules."""
        levels = [line.level for line in self.lines if line.level]
        top = min(levels, default=0)
        found: set[int] = set()
        if levels.count(top) > 1 and self.lines[0].level == top:
            found = {i for i, line in enumerate(self.lines) if line.level == top}
        ruled = [
            i for i, line in enumerate(self.lines) if line.ruled and not is_boilerplate(line.text)
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
            and not opens_box(line.text)
            and not is_credit(line.text)
            and not is_aside(line.text)
        )

    def is_side_name(self, index: int) -> bool:
        """Return whether a line is the name of a publisher or an author beside a time."""
        text = self.lines[index].text
        if self.imprints[index] is not None or not is_name(text) or is_boilerplate(text):
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


# ---- heads


@dataclass(frozen=True, slots=True)
class Head:
    """The head of an article, which begins at line ``first`` and consists of ``lines``.

    Other lines between them, such as a standfirst, belong to the text.
    """

    first: int
    lines: frozenset[int]
    title: str | None
    publisher: str | None = None
    author: str | None = None
    when: datetime | None = None
    url: str | None = None


def find_heads(page: Page) -> list[Head]:
    """Return the heads of all articles and teasers, in order; the first may lack a title."""
    heads: list[Head] = []
    start = 0
    for stop in [*(i for i, prose in enumerate(page.prose) if prose), len(page.lines)]:
        head = _head(page, start, stop)
        if head is None and not heads:
            head = _bare_head(page, stop)
        if head is not None:
            heads.append(head)
        start = stop + 1
    return [_with_author(page, heads[0])] if len(heads) == 1 else heads


def _with_author(page: Page, head: Head) -> Head:
    """Return a page's only head; a person beside its date, other than relative, is the author."""
    imprints = page.imprints_of(head.lines)
    dated = any(imprint.when and not imprint.relative for imprint in imprints)
    stated = any(head.publisher in imprint.names for imprint in imprints)
    if head.author or stated or not dated or not is_person(head.publisher or ""):
        return head
    return replace(head, publisher=None, author=head.publisher)


def _head(page: Page, start: int, stop: int) -> Head | None:
    """Return the last head in the lines ``start`` to ``stop``, which have no prose."""
    # Other lines cut the run into blocks; the last block with a mark counts.
    cuts = [i for i in range(start, stop) if not _is_head_part(page, i)]
    edges = list(zip([start, *(i + 1 for i in cuts)], [*cuts, stop], strict=True))
    for low, high in reversed(edges):
        if any(_is_mark(page, i) for i in range(low, high)):
            title = _title(page, low, high)
            if title is not None:
                return _head_around(page, low, high, title)
            if (head := _under_standfirst(page, start, high)) is not None:
                return head
    return None


def _is_head_part(page: Page, index: int) -> bool:
    text = page.lines[index].text
    return (
        page.imprints[index] is not None
        or page.is_candidate(index)
        or is_aside(text)
        or is_publisher_name(text)
    )


def _is_mark(page: Page, index: int) -> bool:
    """Return whether a line marks a head, unlike a subheading."""
    imprint = page.imprints[index]
    if imprint is not None:
        return imprint.when is not None or imprint.author is not None or imprint.title is not None
    return index in page.chapters or (page.is_candidate(index) and page.is_repeated(index))


def _title(page: Page, low: int, high: int) -> int | None:
    """Return the line with the title of the last head in a block."""
    block = range(low, high)
    labelled = [i for i in block if any(one.title for one in page.imprints_of([i]))]
    chapters = [i for i in block if i in page.chapters]
    repeated = [i for i in block if page.is_candidate(i) and page.is_repeated(i)]
    if certain := labelled or chapters or repeated:
        return certain[-1]
    titles = [i for i in block if page.is_candidate(i) and not page.is_side_name(i)]
    marks = [i for i in block if _is_mark(page, i)]
    # The time and the byline of the same head have no title between them.
    starts = [i for k, i in enumerate(marks) if k == 0 or any(marks[k - 1] < t < i for t in titles)]
    above = [i for i in titles if i < starts[-1] and not any(i < m < starts[-1] for m in marks)]
    below = [i for i in titles if i > marks[-1]]
    # A page may have the title below publisher and time.
    if not above or titles[0] > marks[0]:
        return below[0] if below else None
    if low <= page.first_prose:
        return next((i for i in above if page.count(i) >= 4), above[0])
    return above[-1]


def _head_around(page: Page, low: int, high: int, title: int) -> Head | None:
    """Return the head with this title and the details in the lines beside it, if it is one."""
    key = page.lines[title].key
    same = [i for i in range(low, high) if page.lines[i].key == key and title - i <= NEAR]
    beside = [i for i in range(low, high) if page.imprints[i] is not None or page.is_side_name(i)]
    # Lines above the title belong to the previous head, unless there are none below.
    own = [i for i in beside if i > same[0]]
    if not page.has_time(own):
        # Above another title, they belong to a teaser.
        others = [i for i in range(low, same[0]) if page.is_candidate(i) and i not in beside]
        own = [i for i in beside if i > max(others, default=-1)] or beside
    elif same[0] - 1 in beside:
        names = [name for i in own for name in _names(page, i)]
        above = is_publisher_name(page.lines[same[0] - 1].text)
        if not names or (above and not any(map(is_publisher, names))):
            own = [same[0] - 1, *own]
    certain = len(same) > 1 or title in page.chapters or low == 0
    certain = certain or page.imprints[title] is not None or page.count(title) >= 3
    head = _build_head(page, title, same, own)
    # A shorter title that occurs once, with no name beside it, may be a reader's name.
    is_named = head.publisher is not None or head.author is not None
    return head if certain or (is_named and page.count(title) >= 2) else None


def _masthead(page: Page, title: int) -> list[int]:
    """Return the publisher's line above a title: of a publisher, or with a "Follow" button."""
    above = title - 1
    while above >= max(0, title - 3) and _is_button(page.lines[above].text):
        above -= 1
    if not 0 <= above < title - 1 or not is_name(page.lines[above].text):
        return []
    follow = "follow" in page.lines[above + 1].key
    first = title <= page.first_prose and is_publisher(page.lines[above].text)
    return [above] if follow or first else []


def _is_button(text: str) -> bool:
    if is_aside(text):
        return True
    return not is_publisher_name(text) and (is_boilerplate(text) or is_credit(text))


def _build_head(page: Page, title: int, others: Sequence[int], own: Sequence[int]) -> Head:
    """Return the head with this title, the details in the lines ``own``, and other lines."""
    names = [name for i in own for name in _names(page, i)]
    if not any(map(is_publisher, names)):
        masthead = _masthead(page, min([title, *others]))
        own = [*masthead, *own]
        names = [*(page.lines[i].text for i in masthead), *names]
    imprints = page.imprints_of(own)
    publisher, author = publisher_and_author(names)
    author = next((imprint.author for imprint in imprints if imprint.author), author)
    if publisher is None and author is not None and is_publisher(author):
        publisher, author = author.partition(" Staff")[0].partition(" and ")[0], None
    labelled = [imprint.title for imprint in page.imprints_of([title]) if imprint.title]
    lines = frozenset({title, *others, *own})
    return Head(
        min(lines),
        lines,
        labelled[0] if labelled else page.lines[title].text,
        publisher,
        author,
        next((imprint.when for imprint in imprints if imprint.when is not None), None),
        next((imprint.url for imprint in imprints if imprint.url), None),
    )


def _names(page: Page, index: int) -> list[str]:
    imprint = page.imprints[index]
    return [page.lines[index].text.strip("|•· ")] if imprint is None else imprint.names


def _under_standfirst(page: Page, low: int, high: int) -> Head | None:
    """Return the head with one sentence, the standfirst, between its title and its time."""
    title = low - 2
    if title < 0 or not page.prose[low - 1] or page.prose[title] or not page.is_candidate(title):
        return None
    own = [i for i in range(low, high) if page.imprints[i] is not None or page.is_side_name(i)]
    asides = [i for i in range(low, high) if is_aside(page.lines[i].text)]
    return _build_head(page, title, asides, own)


def _bare_head(page: Page, stop: int) -> Head:
    """Return the head of a text that begins with only a title, or without one."""
    titles = [i for i in range(stop) if page.is_candidate(i)]
    if not titles:
        return Head(0, frozenset(), None)
    title = next((i for i in titles if page.count(i) >= 3), titles[0])
    below = range(title + 1, stop)
    named = takewhile(lambda i: page.imprints[i] is not None or _is_bare_name(page, i), below)
    own = sorted({*named, *(i for i in below if page.imprints[i] is not None)})
    head = _build_head(page, title, (), own)
    if head.publisher is None or head.author is not None or is_publisher(head.publisher):
        return head
    return replace(head, publisher=None, author=head.publisher)  # a person's, below a title alone


def _is_bare_name(page: Page, index: int) -> bool:
    text = page.lines[index].text.strip("| ")
    return (
        is_name(text) and page.count(index) <= 4 and not (is_boilerplate(text) or is_credit(text))
    )
