"""Where the articles of a page begin, and what stands at their heads.

A *head* is found in a run of lines without prose: a title, with a publisher, a time or a
byline around it in any order, or with its own repetition. A title alone is no head, because
a subheading looks the same; only the first article of a page may have no more than that.
Teasers have heads too, so of several in one run the last one belongs to the text below it.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from forecasts.articles import lines as kinds
from forecasts.articles.dates import find_stamp

NEAR = 8  # a title is repeated within so many lines that hold text

_LABEL = re.compile(
    r"(?:time|date|clock|calendar|icon|(?:first |last )?(?:posted|published|updated|modified)"
    r"|created|on|at|as of|(?:release|publi(?:cation|sh)) date|reading time|from|source|via|by)?"
    r"\s*[:.]?",
    re.IGNORECASE,
)
_ASIDE = re.compile(
    r"(?:\d+\s*-?\s*min(?:ute)?s?(?: read)?|\d[\d,.]*k?\s+(?:comments?|views?|shares?|reads?)"
    r"|share|save|print|listen|(?:last )?(?:updated|modified|edited)\b.*|[A-Z]{2,4}|breaking"
    r"|exclusive|live|premium|free)",
    re.IGNORECASE,
)
_FIELD = re.compile(
    r"(?P<label>title|headline|source|publisher|publication|outlet|site|author|url|link)\s*:\s*"
    r"(?P<value>\S.*)",
    re.IGNORECASE,
)
_URL = re.compile(r"https?://\S+", re.IGNORECASE)
_SEPARATOR = re.compile(r"\s*[•·|‧∙—–]\s*|\s+[-/]\s+|,\s+(?=[A-Z])|\t+|\s{3,}")
_BYLINE = re.compile(
    r"(?:(?:written|reported|posted|story|words|text) )?by:?\s+"
    r"(?P<names>(?-i:[A-ZÀ-Þ])[\w.'’-]*(?:,? (?:and |& )?[\w.'’-]+){0,11})",
    re.IGNORECASE,
)
_ROLE = re.compile(
    r"\b(?:staff|writers?|reporter|correspondent|editor|columnist|contributor|bureau|chief|analyst"
    r"|special|senior)\b",
    re.IGNORECASE,
)
_SECTION = re.compile(
    r"(?:world|politics|business|economy|markets?|finance|technology|tech|science|health|sports?"
    r"|opinion|culture|arts|entertainment|lifestyle|environment|climate|energy|asia"
    r"|asia[- ]pacific|africa|europe|americas|middle east|u\.?s\.?|u\.?k\.?|china|india|japan"
    r"|international|national|local|news|general|travel|education|law|crime|defen[cs]e|security"
    r"|top stories|breaking news|features?|analysis|commentary|editorial|explainer)",
    re.IGNORECASE,
)
_PUBLISHER = re.compile(
    r"\b(?:times|post|news|herald|guardian|reuters|afp|ap|bbc|cnn|nbc|cbs|abc|npr|pbs|rfi|dw"
    r"|journal|tribune|gazette|daily|weekly|wire|newswire|today|review|magazine|press|observer"
    r"|standard|tv|radio|network|mail|chronicle|globe|star|sun|telegraph|independent|economist"
    r"|diplomat|bloomberg|axios|politico|nikkei|nhk|xinhua|jazeera|agency|broadcasting|media"
    r"|report|digest|bulletin|courier|dispatch|ledger|monitor|mirror|express|insider|online|week"
    r"|world|hill|yahoo|business|record|register|sentinel|examiner|inquirer|argus|echo|advocate"
    r"|wired|verge|atlantic|forbes|fortune|newsweek|spectator|statesman|hindu|nation|scmp"
    r"|euronews|public|quartz|vox|slate|semafor)\b|\.(?:com|org|net|io|co|ai|in|uk|jp|news)\b",
    re.IGNORECASE,
)
_SMALL = {"of", "the", "and", "for", "de", "la", "le", "el", "on", "in", "&", "du", "des", "to"}


@dataclass(frozen=True, slots=True)
class Line:
    """A line with text: ``key`` compares it with others, ``level`` is that of a # heading."""

    text: str
    key: str
    level: int = 0
    bullet: bool = False
    ruled: bool = False  # a line drawn across the page stands above


@dataclass(slots=True)
class Meta:
    """What a line says that says nothing but who, where and when."""

    names: list[str] = field(default_factory=list)
    title: str | None = None
    author: str | None = None
    when: datetime | None = None
    relative: bool = False
    url: str | None = None


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
        self.metas = [_meta(line, captured_at) for line in lines]
        self._places: dict[str, list[int]] = defaultdict(list)
        for index, line in enumerate(lines):
            self._places[line.key].append(index)
        self.captions = [
            self.metas[i] is None and kinds.is_caption(lines[i].text, self._text(i + 1))
            for i in range(len(lines))
        ]
        self.prose = [self._is_prose(i) for i in range(len(lines))]
        self._chapters = self._chapter_marks()

    def _text(self, index: int) -> str | None:
        return self.lines[index].text if index < len(self.lines) else None

    def _is_prose(self, index: int) -> bool:
        line = self.lines[index]
        if line.level or self.metas[index] is not None or self.captions[index]:
            return False
        if not kinds.is_prose(line.text) or kinds.is_furniture(line.text):
            return False
        return not self._is_title_in_prose(index)

    def _is_title_in_prose(self, index: int) -> bool:
        """Return whether a line that ends like a sentence stands where a title does."""
        text = self.lines[index].text
        if len(text) > 220 or kinds.trails_off(text):
            return False
        if self.is_repeated(index):
            near = self.metas[max(0, index - 4) : index + 5]
            return any(meta is not None and (meta.when or meta.author) for meta in near)
        asks = text.rstrip("'\"’”)").endswith(("?", "!")) and len(kinds.words(text)) <= 20
        below = self.metas[index + 1] if index + 1 < len(self.metas) else None
        return asks and below is not None and not self.lines[index + 1].bullet

    def is_repeated(self, index: int) -> bool:
        """Return whether the same line stands near, as titles do and names at their side do."""
        line = self.lines[index]
        places = self._places[line.key]
        if line.bullet or len(line.key) < 6 or len(places) > 50:
            return False
        near = [
            place
            for place in places
            if 0 < abs(place - index) <= NEAR and not self.lines[place].bullet
        ]
        return bool(near) and (
            len(kinds.words(line.text)) >= 4
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
        # What no head contains cuts the run into blocks; the last block with a mark counts.
        cuts = [i for i in range(start, stop) if not self._is_head_part(i)]
        edges = list(zip([start, *(i + 1 for i in cuts)], [*cuts, stop], strict=True))
        for low, high in reversed(edges):
            if any(self._is_mark(i) for i in range(low, high)):
                title = self._title(low, high)
                if title is not None:
                    return self._filled(low, high, title)
                above = self._under_standfirst(low, high) if low == start else None
                return above or self._under_short_title(low, high)
        return None

    def _is_head_part(self, index: int) -> bool:
        text = self.lines[index].text
        return (
            self.metas[index] is not None
            or self._is_candidate(index)
            or _ASIDE.fullmatch(text) is not None
            or _SECTION.fullmatch(text) is not None
            or (is_name(text) and is_publisher(text))
        )

    def _is_candidate(self, index: int) -> bool:
        """Return whether a line can be a title."""
        line = self.lines[index]
        return (
            self.metas[index] is None
            and not self.captions[index]
            and (
                line.level > 0 or kinds.is_heading_like(line.text) or self._is_title_in_prose(index)
            )
            and not kinds.is_furniture(line.text)
            and not kinds.ends_article(line.text)
            and not kinds.is_credit(line.text)
            and _SECTION.fullmatch(line.text) is None
            and _ASIDE.fullmatch(line.text) is None
        )

    def _is_mark(self, index: int) -> bool:
        """Return whether a line shows that a head is here, and not a subheading."""
        meta = self.metas[index]
        if meta is not None:
            return meta.when is not None or meta.author is not None or meta.title is not None
        return index in self._chapters or (self._is_candidate(index) and self.is_repeated(index))

    def _is_side_name(self, index: int) -> bool:
        """Return whether a line names the publisher (or the author) beside a time."""
        text = self.lines[index].text
        if self.metas[index] is not None or not is_name(text) or self.lines[index].level:
            return False
        count = len(kinds.words(text))
        beside = [self.metas[i] for i in (index - 1, index + 1) if 0 <= i < len(self.metas)]
        timed = any(meta is not None for meta in beside)
        return (count <= 4 and is_publisher(text)) or (count <= 3 and timed)

    def _title(self, low: int, high: int) -> int | None:
        """Return which line of a block is the title of its last head."""
        block = range(low, high)
        told = [i for i in block if (meta := self.metas[i]) is not None and meta.title]
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
        if low == 0:
            return next((i for i in above if self._count(i) >= 4), above[0])
        if len(above) > 1 and self._count(above[-1]) >= 10 and self._count(above[-2]) >= 3:
            return above[-2]  # what is as long as that stands under a title
        return above[-1]

    def _count(self, index: int) -> int:
        return len(kinds.words(self.lines[index].text))

    def _filled(self, low: int, high: int, title: int) -> Head | None:
        """Return the head around a title with what the lines beside it say, if it is one."""
        key = self.lines[title].key
        same = [i for i in range(low, high) if self.lines[i].key == key and title - i <= NEAR]
        beside = [i for i in range(low, high) if self.metas[i] is not None or self._is_side_name(i)]
        # What stands above the title belongs to the head before, unless nothing stands below.
        own = [i for i in beside if i > same[0]]
        if not any((meta := self.metas[i]) is not None and meta.when for i in own):
            own = beside
        elif same[0] - 1 in beside and not any(self._names(i) for i in own):
            own = [same[0] - 1, *own]
        metas = [meta for i in own if (meta := self.metas[i]) is not None]
        names = [name for i in own for name in self._names(i)]
        publisher, writer = told_apart(names)
        author = next((meta.author for meta in metas if meta.author), None)
        when = next((meta.when for meta in metas if meta.when is not None), None)
        told = self.metas[title]
        text = told.title if told is not None and told.title else self.lines[title].text
        certain = len(same) > 1 or title in self._chapters or told is not None or low == 0
        if not (certain or self._is_full(title, named=publisher is not None or author is not None)):
            return None
        url = next((meta.url for meta in metas if meta.url), None)
        taken = frozenset({*same, *own, *self._asides(low, high)})
        return Head(min(taken), taken, text, publisher, author or writer, when, url)

    def _names(self, index: int) -> list[str]:
        meta = self.metas[index]
        return [self.lines[index].text.strip("|•· ")] if meta is None else meta.names

    def _asides(self, low: int, high: int) -> set[int]:
        return {
            i
            for i in range(low, high)
            if _ASIDE.fullmatch(self.lines[i].text) or _SECTION.fullmatch(self.lines[i].text)
        }

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
        own = [i for i in range(low, high) if self.metas[i] is not None or self._is_side_name(i)]
        metas = [meta for i in own if (meta := self.metas[i]) is not None]
        publisher, writer = told_apart([name for i in own for name in self._names(i)])
        return Head(
            title,
            frozenset({title, *own, *self._asides(low, high)}),
            self.lines[title].text,
            publisher,
            next((meta.author for meta in metas if meta.author), writer),
            next((meta.when for meta in metas if meta.when is not None), None),
            next((meta.url for meta in metas if meta.url), None),
        )

    def _under_short_title(self, low: int, high: int) -> Head | None:
        """Return the head whose title is as short as a name: the first line of all."""
        titles = [i for i in range(low, high) if self._is_candidate(i)]
        return self._filled(low, high, titles[0]) if titles else None

    def _plain_head(self, stop: int) -> Head:
        """Return the head of a text that begins with no more than a title, or without one."""
        titles = [i for i in range(stop) if self._is_candidate(i)]
        if not titles:
            return Head(0, frozenset(), None)
        marked = [i for i in titles if self.lines[i].level]
        title = next(iter(marked or [i for i in titles if self._count(i) >= 3] or titles))
        names: dict[int, str] = {}
        for i in range(title + 1, stop):
            text = self.lines[i].text.strip("| ")
            if not is_name(text) or len(kinds.words(text)) > 4:
                break
            names[i] = text
        publisher, author = told_apart(list(names.values()))
        if publisher is not None and author is None and not is_publisher(publisher):
            publisher, author = None, publisher  # under a title alone, a name is a person's
        return Head(title, frozenset({title, *names}), self.lines[title].text, publisher, author)


def _meta(line: Line, captured_at: datetime) -> Meta | None:
    """Return what a line says, if it says nothing but who, where and when."""
    text = line.text
    if len(text) > kinds.LONG or line.level:
        return None
    meta = Meta()
    if _URL.fullmatch(text):
        meta.url = text
        return meta
    if told := _FIELD.fullmatch(text):
        label, value = told["label"].lower(), told["value"]
        if label in ("title", "headline"):
            meta.title = value
        elif label in ("url", "link"):
            meta.url = value if _URL.fullmatch(value) else None
        elif label == "author":
            meta.author = value
        else:
            meta.names.append(value)
        return meta if label != "source" or is_name(value) else None
    stamp = find_stamp(text, captured_at)
    sides = [text] if stamp is None else [stamp.before, stamp.after]
    if stamp is not None:
        meta.when = stamp.when
        meta.relative = re.search(r"\d{4}|\d[/.-]\d", text) is None
    for part in (piece.strip(" ,;()[]") for side in sides for piece in _SEPARATOR.split(side)):
        byline = _BYLINE.fullmatch(part)
        if _LABEL.fullmatch(part) or _ASIDE.fullmatch(part):
            continue
        if byline is not None and meta.author is None:
            meta.author = byline["names"]
        elif meta.author is not None and _ROLE.search(part):
            continue
        elif meta.author is not None and is_name(part) and not is_publisher(part):
            meta.author += ", " + part
        elif is_name(part):
            meta.names.append(re.sub(r"^(?:source|via|from):?\s+", "", part, flags=re.IGNORECASE))
        else:
            return None
    if meta.when is None and meta.author is None and not (line.bullet and meta.names):
        return None
    return meta


def is_name(text: str) -> bool:
    """Return whether a line could be the name of a person or a publisher."""
    parts = text.split()
    if not parts or len(parts) > 7 or len(text) > 60 or text[-1] in "?!…:;,":
        return False
    if text.endswith(".") and not re.search(r"\b(?:Inc|Ltd|Co|Jr|[A-Z]\.[A-Z])\.$", text):
        return False
    if len(parts) == 1:
        return text[0].isalnum()
    return all(part in _SMALL or part[0].isupper() or part[0].isdigit() for part in parts) or (
        len(parts) <= 3 and is_publisher(text) and all(part.isalnum() for part in parts)
    )


def is_publisher(text: str) -> bool:
    """Return whether a name is of the kind that newspapers, agencies and sites have."""
    return len(kinds.words(text)) <= 7 and (
        _PUBLISHER.search(text) is not None
        or re.fullmatch(r"[A-Z][A-Z\d&]{1,7}(?:[ -]?[A-Z\d]{1,7})?", text) is not None
        or re.match(r"The [A-Z]", text) is not None
    )


def told_apart(names: Sequence[str]) -> tuple[str | None, str | None]:
    """Return the publisher and the author among the names at a head; None where there is none."""
    counts = Counter(name for name in names if _SECTION.fullmatch(name) is None)
    if not counts:
        return None, None
    order = list(counts)
    publisher = max(order, key=lambda name: (is_publisher(name), counts[name], -order.index(name)))
    author = next((name for name in order if name != publisher and _is_person(name)), None)
    return publisher, author


def _is_person(name: str) -> bool:
    return (
        2 <= len(name.split()) <= 4 and not is_publisher(name) and not any(map(str.isdigit, name))
    )
