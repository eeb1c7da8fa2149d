"""The heads of a page's articles: their titles, publishers, authors and times.

A *head* is in a run of lines without prose: a title with a publisher, a time or a byline around
it in any order, or with its own repetition. A title alone is not a head, because a subheading
looks the same, except for the first article of a page. Teasers have heads too, so the last of
several heads in a run belongs to the text below.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from forecasts.reading.lines import words
from forecasts.reading.page.boilerplate import ends_article, is_boilerplate
from forecasts.reading.page.bylines import (
    is_aside,
    is_name,
    is_person,
    is_publisher,
    is_publisher_name,
    publisher_and_author,
)
from forecasts.reading.page.captions import is_credit
from forecasts.reading.page.layout import NEAR, Page

REACH = 200  # lines above a text that are searched for its head


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
        if stop == len(page.lines) and heads:
            break
        head = _head(page, start, stop)
        if head is None and not heads:
            head = _bare_head(page, stop)
        if head is not None:
            if heads and not any(page.prose[heads[-1].first : head.first]):
                heads.pop()  # the same article, with more details now
            heads.append(head)
        start = stop + 1
    return [_with_author(page, heads[0])] if len(heads) == 1 else heads


def _with_author(page: Page, head: Head) -> Head:
    """Return a page's only head; a person beside its date, other than relative, is the author."""
    name = head.publisher
    if name is None or head.author is not None or not is_person(name):
        return head
    imprints = page.imprints_of(head.lines)
    dated = any(imprint.when is not None and not imprint.relative for imprint in imprints)
    if not dated or any(name in imprint.names for imprint in imprints):
        return head
    return replace(head, publisher=None, author=name)


def _head(page: Page, start: int, stop: int) -> Head | None:
    """Return the last head in the lines ``start`` to ``stop``, which have no prose."""
    start = max(start, stop - REACH)
    # Other lines cut the run into blocks; the last block with a mark counts.
    cuts = [i for i in range(start, stop) if not _is_head_part(page, i)]
    if start == 0:  # the parts of the page's first head may have buttons between them
        long = (i for i in range(stop) if page.count(i) >= 4)
        opening = next((i for i in long if page.is_candidate(i)), stop)
        cuts = [i for i in cuts if i < opening or ends_article(page.lines[i].text)]
    edges = list(zip([start, *(i + 1 for i in cuts)], [*cuts, stop], strict=True))
    for low, high in reversed(edges):
        if any(_is_mark(page, i) for i in range(low, high)):
            title = _title(page, low, high)
            if title is not None:
                return _head_around(page, low, high, title)
            pictures = all(page.captions[i] or _is_button(page, i) for i in range(start, low))
            if pictures and (head := _under_standfirst(page, start, high)) is not None:
                return head
            # The title may be as short as a name.
            short = next((i for i in range(low, high) if page.is_candidate(i)), None)
            if short is not None and (head := _head_around(page, low, high, short)) is not None:
                return head
    return None


def _is_button(page: Page, index: int) -> bool:
    text = page.lines[index].text
    return is_boilerplate(text) or is_credit(text) or is_aside(text)


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
    if titles and titles[0] > marks[0]:  # this page has the title below publisher and time
        above = []
    if not above:
        return below[0] if below else None
    if low <= page.first_prose:
        opening = [i for i in above if page.count(i) >= 4]
        fitting = [i for i in opening if page.fits_text(i)]
        return next(iter(fitting or opening or above))
    if len(above) > 1 and page.count(above[-1]) >= 10 and page.count(above[-2]) >= 3:
        return above[-2]  # the longer line below it is a standfirst
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
        photo = same[0] > 1 and page.captions[same[0] - 2]
        above = is_publisher_name(page.lines[same[0] - 1].text)
        if not photo and (not names or (above and not any(map(is_publisher, names)))):
            own = [same[0] - 1, *own]
    certain = len(same) > 1 or title in page.chapters or low == 0
    certain = certain or page.imprints[title] is not None
    count = page.count(title)
    certain = certain or count >= 4 or (count == 3 and not is_name(page.lines[title].text))
    head = _build_head(page, title, {*same, *_asides(page, low, high)}, own)
    # A shorter title that occurs once, with no name beside it, may be a reader's name.
    is_named = head.publisher is not None or head.author is not None
    return head if certain or (is_named and count >= 2) else None


def _masthead(page: Page, title: int) -> list[int]:
    """Return the publisher's line above a title: of a publisher, or with a "Follow" button."""
    above = title - 1
    while above >= max(0, title - 3) and _is_button(page, above):
        text = page.lines[above].text
        if is_publisher_name(text) and not is_aside(text):
            break
        above -= 1
    if above < 0 or above == title - 1 or not is_name(page.lines[above].text):
        return []
    follow = "follow" in page.lines[above + 1].key
    first = title <= page.first_prose and is_publisher(page.lines[above].text)
    return [above] if follow or first else []


def _build_head(page: Page, title: int, others: set[int], own: Sequence[int]) -> Head:
    """Return the head with this title, the details in the lines ``own``, and other lines."""
    names = [name for i in own for name in _names(page, i)]
    if not any(map(is_publisher, names)):
        key = page.lines[title].key
        masthead = _masthead(page, min(i for i in {title, *others} if page.lines[i].key == key))
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


def _asides(page: Page, low: int, high: int) -> set[int]:
    return {i for i in range(low, high) if is_aside(page.lines[i].text)}


def _under_standfirst(page: Page, low: int, high: int) -> Head | None:
    """Return the head with one sentence, the standfirst, between its title and its time."""
    title = low - 2
    if title < 0 or not page.prose[low - 1] or page.prose[title] or not page.is_candidate(title):
        return None
    own = [i for i in range(low, high) if page.imprints[i] is not None or page.is_side_name(i)]
    return _build_head(page, title, _asides(page, low, high), own)


def _bare_head(page: Page, stop: int) -> Head:
    """Return the head of a text that begins with only a title, or without one."""
    titles = [i for i in range(min(stop, REACH)) if page.is_candidate(i)]
    if not titles:
        return Head(0, frozenset(), None)
    marked = [i for i in titles if page.lines[i].level]
    title = next(iter(marked or [i for i in titles if page.count(i) >= 3] or titles))
    beside = [i for i in range(title + 1, stop) if page.imprints[i] is not None]
    for i in range(title + 1, stop):
        text = page.lines[i].text.strip("| ")
        if page.imprints[i] is not None:
            continue
        if not is_name(text) or len(words(text)) > 4 or is_boilerplate(text) or is_credit(text):
            break
        beside.append(i)
    head = _build_head(page, title, set(), beside)
    if head.publisher is None or head.author is not None or is_publisher(head.publisher):
        return head
    # A name below a title alone is a person's.
    return replace(head, publisher=None, author=head.publisher)
