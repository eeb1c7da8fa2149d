"""Where the articles of a page begin, and what stands at their heads.

A *head* is found in a run of lines without prose: a title, with a publisher, a time or a
byline around it in any order, or with its own repetition. A title alone is no head, because
a subheading looks the same; only the first article of a page may have no more than that.
Teasers have heads too, so of several in one run the last one belongs to the text below it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from forecasts.articles.captions import is_caption, is_credit
from forecasts.articles.furniture import ends_article, is_furniture
from forecasts.articles.imprints import (
    is_agency,
    is_aside,
    is_name,
    is_publisher,
    read_imprint,
    told_apart,
)
from forecasts.articles.lines import (
    ends_as_sentence,
    is_heading_like,
    is_prose,
    trails_off,
    words,
)

NEAR = 8  # a title is repeated within so many lines that hold text
REACH = 200  # a head is looked for in so many lines above its text


@dataclass(frozen=True, slots=True)
class Line:
    """A line with text: ``key`` compares it with others, ``level`` is that of a # heading."""

    text: str
    key: str
    level: int = 0
    bullet: bool = False
    ruled: bool = False  # a line drawn across the page stands above


@dataclass(frozen=True, slots=True)
class Head:
    """The head of an article, which begins at line ``first``; its own lines are ``taken``.

    What lies between and is not taken (a standfirst, say) belongs to the text.
    """

    first: int
    taken: frozenset[int]
    title: str | None
    publisher: str | None = None
    author: str | None = None
    when: datetime | None = None
    url: str | None = None


class Page:
    """The lines of a text, with what their neighbours make of them."""

    def __init__(self, lines: Sequence[Line], captured_at: datetime) -> None:
        self.lines = lines
        self.imprints = [
            None if line.level else read_imprint(line.text, captured_at, bullet=line.bullet)
            for line in lines
        ]
        self._places: dict[str, list[int]] = defaultdict(list)
        for index, line in enumerate(lines):
            self._places[line.key].append(index)
        self._opening = next((i for i in range(len(lines)) if self._could_open(i)), 0)
        self.captions = [self._is_caption(i) for i in range(len(lines))]
        self.prose = [self._is_prose(i) for i in range(len(lines))]
        self._first_prose = self.prose.index(True) if True in self.prose else len(lines)
        self._chapters = self._chapter_marks()

    def _text(self, index: int) -> str | None:
        return self.lines[index].text if index < len(self.lines) else None

    def _could_open(self, index: int) -> bool:
        text = self.lines[index].text
        return len(words(text)) >= 3 and not is_furniture(text)

    def _is_caption(self, index: int) -> bool:
        """Return whether a line is a caption; a title above the name of an agency is none."""
        text = self.lines[index].text
        if self.imprints[index] is not None or not is_caption(text, self._text(index + 1)):
            return False
        if ends_as_sentence(text) or is_caption(text, None):
            return True
        below = self.imprints[index + 1 : index + 4]
        timed = any(imprint is not None and imprint.when for imprint in below)
        return not (timed or index == self._opening or self.is_repeated(index))

    def _is_prose(self, index: int) -> bool:
        line = self.lines[index]
        if line.level or self.imprints[index] is not None or self.captions[index]:
            return False
        if not is_prose(line.text) or is_furniture(line.text):
            return False
        return not self._is_title_in_prose(index)

    def _is_title_in_prose(self, index: int) -> bool:
        """Return whether a line that ends like a sentence stands where a title does."""
        text = self.lines[index].text
        if len(text) > 220 or trails_off(text):
            return False
        if self.is_repeated(index):
            # Between the two, there is nothing but what stands beside a title.
            place = min(
                (i for i in self._places[self.lines[index].key] if i != index),
                key=lambda i: abs(i - index),
            )
            between = range(min(place, index) + 1, max(place, index))
            near = self.imprints[max(0, index - 4) : index + 5]
            return any(imprint is not None and imprint.when for imprint in near) and all(
                self.imprints[i] is not None or is_name(self.lines[i].text) for i in between
            )
        asks = text.rstrip("'\"’”)").endswith(("?", "!")) and len(words(text)) <= 20
        below = self.imprints[index + 1 : index + 3]
        if not asks or not below or self.lines[index + 1].bullet:
            return False
        return below[0] is not None or (
            below[-1] is not None and is_name(self.lines[index + 1].text)
        )

    def is_repeated(self, index: int) -> bool:
        """Return whether the same line stands near, as titles do and names at their side do."""
        line = self.lines[index]
        places = self._places[line.key]
        if line.bullet or len(line.key) < 6 or len(places) > 50:
            return False
        near = [
            place
            for place in places
            if 0 < abs(place - index) <= NEAR
            and not self.lines[place].bullet
            and not any(
                is_prose(between.text) and between.key != line.key
                for between in self.lines[min(place, index) : max(place, index)]
            )
        ]
        return bool(near) and (
            len(words(line.text)) >= 4
            or not is_name(line.text)
            or any(abs(place - index) == 1 for place in near)
        )

    def _chapter_marks(self) -> set[int]:
        """Return the lines that open articles by their markup alone.

        These are the # headings of the top level, if there are several, and the lines under
        a line drawn across the page, if each such line has a title below it.
        """
        levels = [line.level for line in self.lines if line.level]
        top = min(levels, default=0)
        found: set[int] = set()
        if levels.count(top) > 1 and self.lines[0].level == top:
            found |= {i for i, line in enumerate(self.lines) if line.level == top}
        ruled = [i for i, line in enumerate(self.lines) if line.ruled]
        if all(self._is_candidate(i) and any(self.prose[i + 1 : i + 4]) for i in ruled):
            found |= set(ruled)
        return found

    # -- heads ---------------------------------------------------------------------------

    def heads(self) -> list[Head]:
        """Return the head of every article and teaser, in order; the first may lack a title."""
        heads: list[Head] = []
        start = 0
        for stop in [*(i for i, prose in enumerate(self.prose) if prose), len(self.lines)]:
            if stop == len(self.lines) and heads:
                break
            head = self._head(start, stop)
            if head is None and not heads:
                head = self._plain_head(stop)
            if head is not None:
                if heads and not any(self.prose[heads[-1].first : head.first]):
                    heads.pop()  # it is the same article, of which more is known now
                heads.append(head)
            start = stop + 1
        return heads

    def _head(self, start: int, stop: int) -> Head | None:
        """Return the last head in the lines ``start`` to ``stop``, which hold no prose."""
        start = max(start, stop - REACH)
        # What no head contains cuts the run into blocks; the last block with a mark counts.
        cuts = [i for i in range(start, stop) if not self._is_head_part(i)]
        if start == 0:  # below the page's first title, buttons stand between its parts
            opening = next((i for i in range(stop) if self._is_opening_title(i)), stop)
            cuts = [i for i in cuts if i < opening or ends_article(self.lines[i].text)]
        edges = list(zip([start, *(i + 1 for i in cuts)], [*cuts, stop], strict=True))
        for low, high in reversed(edges):
            if any(self._is_mark(i) for i in range(low, high)):
                title = self._title(low, high)
                if title is not None:
                    return self._filled(low, high, title)
                head = self._under_standfirst(low, high) if low == start else None
                head = head or self._under_short_title(low, high)
                if head is not None:
                    return head
        return None

    def _is_opening_title(self, index: int) -> bool:
        return self._is_candidate(index) and self._count(index) >= 4

    def _is_head_part(self, index: int) -> bool:
        text = self.lines[index].text
        return (
            self.imprints[index] is not None
            or self._is_candidate(index)
            or is_aside(text)
            or is_agency(text)
        )

    def _is_candidate(self, index: int) -> bool:
        """Return whether a line can be a title."""
        line = self.lines[index]
        return (
            self.imprints[index] is None
            and not self.captions[index]
            and (line.level > 0 or is_heading_like(line.text) or self._is_title_in_prose(index))
            and not is_furniture(line.text)
            and not ends_article(line.text)
            and not is_credit(line.text)
            and not is_aside(line.text)
        )

    def _is_mark(self, index: int) -> bool:
        """Return whether a line shows that a head is here, and not a subheading."""
        imprint = self.imprints[index]
        if imprint is not None:
            return (
                imprint.when is not None or imprint.author is not None or imprint.title is not None
            )
        return index in self._chapters or (self._is_candidate(index) and self.is_repeated(index))

    def _is_side_name(self, index: int) -> bool:
        """Return whether a line names the publisher (or the author) beside a time."""
        text = self.lines[index].text
        if self.imprints[index] is not None or not is_name(text) or self.lines[index].level:
            return False
        if is_furniture(text):
            return False
        count = len(words(text))
        if is_publisher(text):
            return count <= 4
        beside = [i for i in (index - 1, index + 1) if 0 <= i < len(self.lines)]
        return count <= 3 and any(
            self.imprints[i] is not None or is_agency(self.lines[i].text) for i in beside
        )

    def _title(self, low: int, high: int) -> int | None:
        """Return which line of a block is the title of its last head."""
        block = range(low, high)
        told = [i for i in block if (imprint := self.imprints[i]) is not None and imprint.title]
        chapters = [i for i in block if i in self._chapters]
        repeated = [i for i in block if self._is_candidate(i) and self.is_repeated(i)]
        for certain in (told, chapters, repeated):
            if certain:
                return certain[-1]
        titles = [i for i in block if self._is_candidate(i) and not self._is_side_name(i)]
        marks = [i for i in block if self._is_mark(i)]
        # Time and byline of one head have no title between them; those of two heads have.
        starts = [
            i for k, i in enumerate(marks) if k == 0 or any(marks[k - 1] < t < i for t in titles)
        ]
        above = [
            i for i in titles if i < starts[-1] and not any(i < mark < starts[-1] for mark in marks)
        ]
        below = [i for i in titles if i > marks[-1]]
        if titles and titles[0] > marks[0]:  # on this page the title follows publisher and time
            above = []
        if not above:
            return below[0] if below else None
        if low <= self._first_prose:
            return next((i for i in above if self._is_opening_title(i)), above[0])
        if len(above) > 1 and self._count(above[-1]) >= 10 and self._count(above[-2]) >= 3:
            return above[-2]  # what is as long as that stands under a title
        return above[-1]

    def _count(self, index: int) -> int:
        return len(words(self.lines[index].text))

    def _filled(self, low: int, high: int, title: int) -> Head | None:
        """Return the head around a title with what the lines beside it say, if it is one."""
        key = self.lines[title].key
        same = [i for i in range(low, high) if self.lines[i].key == key and title - i <= NEAR]
        beside = [
            i for i in range(low, high) if self.imprints[i] is not None or self._is_side_name(i)
        ]
        # What stands above the title belongs to the head before, unless nothing stands below.
        own = [i for i in beside if i > same[0]]
        if not any((imprint := self.imprints[i]) is not None and imprint.when for i in own):
            own = beside
        elif same[0] - 1 in beside:
            names = [name for i in own for name in self._names(i)]
            photo = same[0] > 1 and self.captions[same[0] - 2]
            if not photo and (
                not names
                or (is_agency(self.lines[same[0] - 1].text) and not any(map(is_publisher, names)))
            ):
                own = [same[0] - 1, *own]
        imprints = [imprint for i in own if (imprint := self.imprints[i]) is not None]
        names = [name for i in own for name in self._names(i)]
        publisher, writer = told_apart(names)
        author = next((imprint.author for imprint in imprints if imprint.author), None)
        when = next((imprint.when for imprint in imprints if imprint.when is not None), None)
        told = self.imprints[title]
        text = told.title if told is not None and told.title else self.lines[title].text
        certain = len(same) > 1 or title in self._chapters or told is not None or low == 0
        if not (certain or self._is_full(title, named=publisher is not None or author is not None)):
            return None
        url = next((imprint.url for imprint in imprints if imprint.url), None)
        taken = frozenset({*same, *own, *self._asides(low, high)})
        return Head(min(taken), taken, text, publisher, author or writer, when, url)

    def _names(self, index: int) -> list[str]:
        imprint = self.imprints[index]
        return [self.lines[index].text.strip("|•· ")] if imprint is None else imprint.names

    def _asides(self, low: int, high: int) -> set[int]:
        return {i for i in range(low, high) if is_aside(self.lines[i].text)}

    def _is_full(self, index: int, *, named: bool) -> bool:
        """Return whether a title that stands once is long enough not to be a reader's name."""
        count = self._count(index)
        return (
            count >= 4
            or (named and count >= 2)
            or (count == 3 and not is_name(self.lines[index].text))
        )

    def _under_standfirst(self, low: int, high: int) -> Head | None:
        """Return the head whose title and time are parted by one sentence, the standfirst."""
        title = low - 2
        if title < 0 or not self.prose[low - 1] or self.prose[title]:
            return None
        if not self._is_candidate(title):
            return None
        own = [i for i in range(low, high) if self.imprints[i] is not None or self._is_side_name(i)]
        imprints = [imprint for i in own if (imprint := self.imprints[i]) is not None]
        publisher, writer = told_apart([name for i in own for name in self._names(i)])
        return Head(
            title,
            frozenset({title, *own, *self._asides(low, high)}),
            self.lines[title].text,
            publisher,
            next((imprint.author for imprint in imprints if imprint.author), writer),
            next((imprint.when for imprint in imprints if imprint.when is not None), None),
            next((imprint.url for imprint in imprints if imprint.url), None),
        )

    def _under_short_title(self, low: int, high: int) -> Head | None:
        """Return the head whose title is as short as a name: the first line of all."""
        titles = [i for i in range(low, high) if self._is_candidate(i)]
        return self._filled(low, high, titles[0]) if titles else None

    def _plain_head(self, stop: int) -> Head:
        """Return the head of a text that begins with no more than a title, or without one."""
        titles = [i for i in range(min(stop, REACH)) if self._is_candidate(i)]
        if not titles:
            return Head(0, frozenset(), None)
        marked = [i for i in titles if self.lines[i].level]
        title = next(iter(marked or [i for i in titles if self._count(i) >= 3] or titles))
        beside = [i for i in range(title + 1, stop) if self.imprints[i] is not None]
        names: list[str] = []
        for i in range(title + 1, stop):
            text = self.lines[i].text.strip("| ")
            if self.imprints[i] is None and (not is_name(text) or len(words(text)) > 4):
                break
            if self.imprints[i] is None:
                names.append(text)
                beside.append(i)
        imprints = [imprint for i in beside if (imprint := self.imprints[i]) is not None]
        publisher, author = told_apart(
            [*names, *(n for imprint in imprints for n in imprint.names)]
        )
        if publisher is not None and author is None and not is_publisher(publisher):
            publisher, author = None, publisher  # under a title alone, a name is a person's
        return Head(
            title,
            frozenset({title, *beside}),
            self.lines[title].text,
            publisher,
            next((imprint.author for imprint in imprints if imprint.author), author),
            next((imprint.when for imprint in imprints if imprint.when is not None), None),
            next((imprint.url for imprint in imprints if imprint.url), None),
        )
