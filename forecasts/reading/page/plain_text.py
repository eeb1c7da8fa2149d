"""The articles in plain text, pasted or scraped.

An article reaches from its head to the next one (see ``heads``). Captions, credits and
boilerplate are removed; subheadings are kept, because they are part of the text. A page without a
head is one article, and its first title-like line or its first sentence is the title.

Rejected: learning the site's template from repeated lines (a page with one article has none), and
a list of sites (the next page is from another one).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from itertools import pairwise

from forecasts.common.errors import CaptureError
from forecasts.reading.article import PARAGRAPH, CapturedArticle, canonical_url
from forecasts.reading.datelines import find_dateline
from forecasts.reading.lines import (
    ends_as_sentence,
    first_sentence,
    fold,
    sentences,
    trails_off,
    words,
)
from forecasts.reading.page.boilerplate import (
    ends_article,
    is_boilerplate,
    opens_box,
    opens_comments,
)
from forecasts.reading.page.bylines import is_name, is_publisher, is_publisher_name, site_owner
from forecasts.reading.page.captions import is_credit, opens_with_source
from forecasts.reading.page.dates import find_timestamp
from forecasts.reading.page.heads import Head, find_heads
from forecasts.reading.page.layout import Line, Page

MAX_CHARACTERS = 500_000  # the length of a book; pages are shorter
MAX_LINES = 20_000
TITLE_WORDS = 12  # in a box of related stories, a question up to this length is a title
TEASER_WORDS = 25  # below "Related articles", a sentence up to this length is a teaser
SNIPPET_WORDS = 60  # a text up to this length that breaks off is a teaser anywhere
WIDEST, WORD = 110, 8  # characters of a wrapped row, and of its last word
PREAMBLE_WORDS = 40  # a shorter text above the first head is the site's own

_BULLET = re.compile(r"(?:[•·‣▪●◦∙]\s*|[*–|-]\s+|\|\s*)(?=\S)")
_HEADING = re.compile(r"(#{1,6})\s+(?=\S)")
_RULE = re.compile(r"(?:-\s?){3,}|(?:_\s?){3,}|(?:=\s?){3,}|[═─—]{3,}|(?:\*\s?){3,}|~{3,}")
_DRAWN = re.compile(r"-{3,}|_{3,}|={3,}|[═─—]{3,}")
_EMPHASIS = re.compile(r"(?P<mark>\*{1,3}|_{1,3})(?P<inner>[^*_\s](?:[^*_]*[^*_\s])?)(?P=mark)")
_CLOCK = re.compile(r"\d{1,2}[:.]\d{2}")
_NUMBER = re.compile(r"\d{1,2}[.)]\s+(?=\S)")
_TITLE_END = re.compile(r"\s+[|–—-]\s+(?P<name>[^|–—]{2,50})$")


def split_text(text: str, *, captured_at: datetime) -> list[CapturedArticle]:
    """Return the articles in ``text``, in order; none if it has no prose.

    Relative times count from ``captured_at``, which must be aware. Raises ``CaptureError`` for a
    text of more than ``MAX_CHARACTERS`` or ``MAX_LINES``.
    """
    return read_text(text, captured_at=captured_at)[0]


def read_text(
    text: str, *, captured_at: datetime
) -> tuple[list[CapturedArticle], list[CapturedArticle]]:
    """Return the articles like ``split_text``, and the omitted teasers that have a title."""
    lines = text.count("\n")
    if len(text) > MAX_CHARACTERS or lines > MAX_LINES:
        raise CaptureError(
            f"The text has {len(text):,} characters in {lines:,} lines; at most "
            f"{MAX_CHARACTERS:,} characters in {MAX_LINES:,} lines are read.",
            remedy="Paste one article at a time.",
        )
    page = Page(_read_lines(text), captured_at)
    heads = _without_numbers(find_heads(page))
    titles = {page.lines[i].key for head in heads for i in head.lines}
    others = next((i for i, line in enumerate(page.lines) if ends_article(line.text)), None)
    found: list[tuple[Head, list[str], bool]] = []
    teasers: list[tuple[Head, list[str]]] = []
    for place, head in enumerate(heads):
        end = heads[place + 1].first if place + 1 < len(heads) else len(page.lines)
        body = _body(page, head, end, titles)
        below = others is not None and others < head.first
        start = next((i for i in range(head.first, end) if page.prose[i]), end)
        if below and any(opens_comments(line.text) for line in page.lines[head.first : start]):
            continue
        if body and len(heads) > 1 and _is_teaser(head, body, first=place == 0):
            teasers.append((head, body))
        elif body:
            brief = len(words(body[0])) <= TEASER_WORDS and len(sentences(body[0])) == 1
            found.append((head, body, below and len(body) == 1 and brief))
    # A single sentence is a teaser among teasers, but a brief among full related stories.
    briefs = sum(brief for _, _, brief in found)
    keeps_briefs = len(found) - briefs > briefs
    kept = [(head, body) for head, body, brief in found if keeps_briefs or not brief]
    articles = [_article(head, body, captured_at) for head, body in kept]
    owners = [name for line in page.lines if (name := site_owner(line.text))]
    if len(articles) == 1 and articles[0].publisher is None and owners:
        articles = [replace(articles[0], publisher=owners[-1])]
    return articles, [
        _article(head, body, captured_at)
        for head, body in teasers
        if head.title and not trails_off(body[-1])
    ]


def _without_numbers(heads: list[Head]) -> list[Head]:
    """Return the heads, without the numbers if all titles are numbered as in a digest."""
    if len(heads) > 1 and all(head.title and _NUMBER.match(head.title) for head in heads):
        return [replace(head, title=_NUMBER.sub("", head.title or "")) for head in heads]
    return heads


def body_text(text: str, *, title: str | None, author: str | None, captured_at: datetime) -> str:
    """Return the body of a text that is known to be one article, without its title."""
    page = Page(_read_lines(text), captured_at)
    keys = {fold(title)} if title else set()
    lines = frozenset(i for i, line in enumerate(page.lines[:5]) if line.key in keys)
    head = Head(0, lines, title, author=author)
    return PARAGRAPH.join(_body(page, head, len(page.lines), keys))


def _read_lines(text: str) -> list[Line]:
    """Return the lines with text, normalised, with wrapped paragraphs joined."""
    found: list[Line] = []
    ruled = False
    rows = unicodedata.normalize("NFC", text).splitlines()
    for row in _unwrapped([" ".join(row.split()) for row in rows]):
        if _RULE.fullmatch(row):
            ruled = _DRAWN.fullmatch(row) is not None
            continue
        level = 0
        bullet = _BULLET.match(row)
        if heading := _HEADING.match(row):
            level, row = len(heading[1]), row[heading.end() :].rstrip("# ").strip("*_ ")
        elif emphasis := _EMPHASIS.fullmatch(row):
            row = emphasis["inner"]
        if key := fold(row):
            found.append(Line(row, key, level, bullet is not None, ruled))
            ruled = False
    return found


def _unwrapped(rows: list[str]) -> Iterator[str]:
    """Yield the rows, joined where the next row's first word would not have fitted in the width.

    Titles, rules, addresses and a footer are often wider than the rows that are wrapped: those
    that go on in lower case tell the width.
    """
    wrapped = [
        len(row)
        for row, below in pairwise(rows)
        if 45 <= len(row) <= WIDEST and below[:1].islower() and not ends_as_sentence(row)
    ]
    width = max(wrapped, default=0)
    if len(wrapped) <= sum(len(row) > WIDEST and "://" not in row for row in rows):
        yield from rows
        return
    held: list[str] = []
    for row in rows:
        last = len(held[-1]) if held else 0
        is_full = last <= width + WORD and last + len(row.partition(" ")[0]) >= width
        if row and last and is_full and not _BULLET.match(row):
            held.append(row)
        else:
            yield " ".join(held)
            held = [row]
    yield " ".join(held)


def _body(page: Page, head: Head, end: int, titles: set[str]) -> list[str]:
    """Return the paragraphs of the article from its head to line ``end``."""
    inside = [i for i in _text_lines(page, head, end) if i not in head.lines]
    boxes = _boxes(page, inside)
    kept = {i: page.lines[i].text for i in inside if i not in boxes and _is_text(page, i, titles)}
    if head.publisher is not None:
        kept = {i: text for i, text in kept.items() if fold(text) != fold(head.publisher)}
    prose = [i for i in kept if page.prose[i]]
    if not prose:
        return []
    last = prose[-1]
    while last + 1 in kept and page.lines[last + 1].bullet:
        last += 1  # a list may end an article
    listed = {i for i in kept if page.lines[i].bullet and {i - 1, i + 1} & kept.keys()}
    leading = {i for i in kept if i < prose[0] and (len(words(kept[i])) >= 5 or i in listed)}
    paragraphs = [text for i, text in kept.items() if prose[0] <= i <= last or i in leading]
    return _without_bio(_without_pull_quotes(paragraphs), head.author)


def _boxes(page: Page, inside: list[int]) -> set[int]:
    """Return the short lines among buttons between two paragraphs: a video, a newsletter.

    The line above the next paragraph can be a subheading, and a list below a colon is not a box.
    """
    found: set[int] = set()
    prose = [i for i in inside if page.prose[i]]
    for above, below in pairwise(prose):
        run = range(above + 1, below)
        texts = [i for i in (above, *run) if not is_boilerplate(page.lines[i].text)]
        listed = any(page.lines[i].text.endswith(":") for i in texts)
        if listed or any(page.lines[i].level for i in run):
            continue
        short = [i for i in texts if i != above and not page.captions[i]]
        if len(short) >= 2 and len(short) < len(run):
            found |= {i for i in short if i != below - 1 and not page.lines[i].bullet}
    return found


def _without_pull_quotes(paragraphs: list[str]) -> list[str]:
    """Return the paragraphs without pull quotes, which repeat a sentence of another paragraph."""
    keys = [fold(paragraph) for paragraph in paragraphs]

    def is_pull_quote(place: int, paragraph: str) -> bool:
        key, near = keys[place], keys[max(0, place - 4) : place + 5]
        is_quote = paragraph[0] in "\"“‘'" and len(words(paragraph)) >= 5
        return is_quote and any(len(key) < len(other) and key in other for other in near)

    return [text for place, text in enumerate(paragraphs) if not is_pull_quote(place, text)]


def _without_bio(paragraphs: list[str], author: str | None) -> list[str]:
    """Return the paragraphs without the author's biography at the end."""
    names = re.split(r",? and |, ", author or "")
    bio = re.compile(
        rf"(?:{'|'.join(map(re.escape, names))}) "
        r"(?:is|was|are|covers|writes|reports|works|teaches|leads|has (?:been|covered|written))\b",
        re.IGNORECASE,
    )
    while author and len(paragraphs) > 1 and bio.match(paragraphs[-1]):
        paragraphs = paragraphs[:-1]
    return paragraphs


def _text_lines(page: Page, head: Head, end: int) -> Iterator[int]:
    """Yield the lines before the related stories or comments.

    Related stories above two consecutive paragraphs are only a box in the middle of the text.
    """
    bare = [i for i in range(head.first, end) if page.prose[i] or not _is_between(page, i)]
    pairs = [i for i, below in pairwise(bare) if page.prose[i] and page.prose[below]]
    last_pair = max((i for i in pairs if not trails_off(page.lines[i].text)), default=-1)
    in_box = begun = False
    for i in range(head.first, end):
        text = page.lines[i].text
        asks = text.endswith("?") and page.prose[i + 1 : i + 2] == [False]
        title = in_box and asks and len(words(text)) <= TITLE_WORDS
        if page.prose[i] and not title:
            in_box, begun = False, True
        elif begun and (ends_article(text) or opens_box(text)):
            if opens_comments(text) or not (i < last_pair or opens_box(text)):
                return
            in_box = True
        if not in_box:
            yield i


def _is_between(page: Page, index: int) -> bool:
    """Return whether a line between two paragraphs can be a caption or boilerplate."""
    text = page.lines[index].text
    return page.captions[index] or (is_boilerplate(text) and not ends_article(text))


def _is_text(page: Page, index: int, titles: set[str]) -> bool:
    """Return whether a line between two heads belongs to the text."""
    line, imprint = page.lines[index], page.imprints[index]
    if page.prose[index]:
        return True
    if page.captions[index] or is_boilerplate(line.text) or ends_article(line.text):
        return False
    above = page.lines[index - 1].text if index else ""
    if index > 0 and page.captions[index - 1]:
        # Any name after "… |" is the photographer's.
        if is_credit(line.text) or (above.endswith("|") and is_name(line.text)):
            return False
        if opens_with_source(above) and len(words(line.text)) >= 7:
            return False  # the caption after the alternative text
    if _CLOCK.fullmatch(line.text) and is_boilerplate(above):
        return False  # the length of a video; in a live report it would be a time
    if is_credit(line.text) or line.key in titles:
        return False
    if imprint is None:
        return True
    if imprint.when is None:
        return line.bullet  # of a list
    is_byline = imprint.author is not None or any(map(is_publisher, imprint.names))
    return not imprint.relative and not is_byline  # a date can be a chronicle's


def _is_teaser(head: Head, body: list[str], *, first: bool) -> bool:
    """Return whether a head and its text are only a teaser, or if ``first`` the site's preamble."""
    count = sum(len(words(paragraph)) for paragraph in body)
    if trails_off(body[-1]) and count <= SNIPPET_WORDS:
        return True
    known = head.when or head.publisher or head.author
    titled = len(words(head.title or "")) >= 3
    return first and known is None and count < PREAMBLE_WORDS / (2 if titled else 1)


def _article(head: Head, body: list[str], captured_at: datetime) -> CapturedArticle:
    title, publisher, author, when = head.title, head.publisher, head.author, head.when
    dateline = find_dateline(body[0])
    if title is None:
        title = first_sentence(body[0][dateline.end if dateline else 0 :])
    elif (end := _TITLE_END.search(title)) and _names_site(end["name"], publisher):
        title, publisher = title[: end.start()], publisher or end["name"]
    if dateline is not None:
        if dateline.agency and publisher and author is None and not is_publisher(publisher):
            publisher, author = None, publisher
        publisher = publisher or dateline.agency
        when = when or dateline_day(body, captured_at)
    url = canonical_url(head.url)
    return CapturedArticle(title, publisher, author, when, url, PARAGRAPH.join(body))


def dateline_day(body: list[str], captured_at: datetime) -> datetime | None:
    """Return the day of the first paragraph's dateline, None if others have days: a chronicle."""
    days = [line.day if (line := find_dateline(text)) else "" for text in body]
    stamp = None if any(days[1:]) else find_timestamp(days[0], captured_at)
    return None if stamp is None else stamp.when


def _names_site(name: str, publisher: str | None) -> bool:
    is_in = name.casefold().removeprefix("the ") in (publisher or "").casefold()
    return is_in or is_publisher_name(name)
