"""The ``article`` elements of a page that have a heading and text of their own.

Articles marked in the HTML may be short, while plain text needs a minimum length to tell a story
from a teaser. Links to other articles, called cards, use the same markup. A card is in a box of
related stories, has a linked heading, or is much shorter than the main article and has neither a
byline nor a date.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from forecasts.reading.article import CapturedArticle, canonical_url
from forecasts.reading.lines import fold, trails_off, words
from forecasts.reading.page.boilerplate import ends_article, is_boilerplate
from forecasts.reading.page.bylines import is_person, without_time
from forecasts.reading.page.dates import read_iso
from forecasts.reading.page.plain_text import SNIPPET_WORDS, body_text, split_text

if TYPE_CHECKING:
    import lxml.html  # type: ignore[import-untyped]

STORY_WORDS = 18  # of a marked article; a shorter one is an announcement
CARD_WORDS = 25  # the same for an article whose heading is a link
MUCH_LONGER = 4  # the main article is this many times as long as a card

_BLOCKS = {
    "address", "article", "aside", "blockquote", "body", "br", "caption", "dd", "div", "dl", "dt",
    "figcaption", "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr",
    "li", "main", "nav", "ol", "option", "p", "pre", "section", "table", "td", "th", "title", "tr",
    "ul", "time", "button",
}  # fmt: skip
_UNSEEN = {"script", "style", "noscript", "template", "svg", "head", "iframe", "object", "select"}
_BESIDE_TEXT = frozenset({"article", "aside", "nav", "form", "figcaption", "button"})
_HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
_SIDE_TAGS = {"aside", "nav", "footer"}
_WHOLE = {"html", "body", "main"}
_LABELS = {"div", "p", "span", "strong", "b"}
_SIDE = re.compile(
    r"(?:^|[\s_-])(?:related|recommend\w*|promo\w*|sidebar|teasers?|more-stories|read-next|comments?)(?:$|[\s_-])"
)
_READ_ON = re.compile(r"(?:read|continue|full|more)\b", re.IGNORECASE)
_AUTHOR = "@rel='author' or @itemprop='author' or contains(concat(' ', @class, ' '), ' author ')"


@dataclass(frozen=True, slots=True)
class MarkedArticle:
    """An ``article`` element, and whether it is a card or among related stories."""

    article: CapturedArticle
    is_card: bool
    is_aside: bool

    @property
    def count(self) -> int:
        """The number of words in its text."""
        return len(words(self.article.text))


def marked_articles(
    tree: lxml.html.HtmlElement, *, url: str | None, captured_at: datetime
) -> tuple[list[CapturedArticle], list[CapturedArticle]]:
    """Return the marked articles of a page, and the elements that only look like articles.

    The first list is empty if there are fewer than two. Neither list has related stories or
    texts that break off.
    """
    found_marks = (_read(element, aside, url, captured_at) for element, aside in _elements(tree))
    marked = [one for one in found_marks if one is not None]
    # If all are "related", the whole page may be under a heading such as "Top stories".
    candidates = [one for one in marked if not one.is_aside] or marked
    longest = max((one.count for one in candidates), default=0)
    found: list[CapturedArticle] = []
    omitted: list[CapturedArticle] = []
    for one in candidates:
        if one.count <= SNIPPET_WORDS and trails_off(one.article.text):
            continue
        is_short = one.count < (CARD_WORDS if one.is_card else STORY_WORDS)
        known = one.article.publisher or one.article.author or one.article.published_at
        is_teaser = longest >= MUCH_LONGER * one.count and (one.is_card or known is None)
        (omitted if is_short or is_teaser else found).append(one.article)
    return (found if len(found) > 1 else []), omitted


def visible_text(
    tree: lxml.html.HtmlElement,
    unseen: frozenset[str] = frozenset(),
    heading: lxml.html.HtmlElement | None = None,
) -> str:
    """Return the visible text of an element, one line per block, without its ``heading``.

    Elements inside it with a tag in ``unseen`` are omitted too.
    """
    from lxml import etree  # slow to import, and pasted text does not need it

    pieces: list[str] = []
    walk = etree.iterwalk(tree, events=("start", "end"))
    for event, node in walk:
        tag = node.tag
        if tag in _BLOCKS:
            pieces.append("\n")
        if event == "start":
            if tag in _UNSEEN or node is heading or (tag in unseen and node is not tree):
                walk.skip_subtree()
            elif node.text:
                pieces.append(" ".join(re.split(r"[\t\r\n ]+", node.text)))
        elif node.tail and node is not tree:
            pieces.append(" ".join(re.split(r"[\t\r\n ]+", node.tail)))
    return "".join(pieces)


def _elements(tree: lxml.html.HtmlElement) -> Iterator[tuple[lxml.html.HtmlElement, bool]]:
    """Yield the ``article`` elements, and whether each is among related stories."""
    from lxml import etree  # slow to import, and pasted text does not need it

    side, inside, announced = 0, 0, False
    for event, node in etree.iterwalk(tree, events=("start", "end")):
        tag, step = node.tag, 1 if event == "start" else -1
        named = "" if tag in _WHOLE else f"{node.get('class', '')} {node.get('id', '')}"
        if tag in _SIDE_TAGS or _SIDE.search(named):
            side += step
        if tag == "article":
            if step == 1:
                yield node, announced or side > 0
            inside += step
        elif step == 1 and not inside and not side:
            if tag in _HEADINGS:
                announced = ends_article(" ".join(node.text_content().split()))
            elif tag in _LABELS and len(node) == 0 and ends_article((node.text or "").strip()):
                announced = True


def _read(
    element: lxml.html.HtmlElement, is_aside: bool, url: str | None, captured_at: datetime
) -> MarkedArticle | None:
    """Return the element as an article; None without a heading and text of its own."""
    own = (
        node
        for node in element.iter(*_HEADINGS)
        if next(node.iterancestors("article"), None) is element
    )
    heading = next((node for node in own if len(words(node.text_content())) >= 2), None)
    title = "" if heading is None else " ".join(heading.text_content().split())
    if heading is None or is_boilerplate(title) or ends_article(title):
        return None
    lines = visible_text(element, _BESIDE_TEXT, heading).splitlines()
    body = "\n".join(line for line in lines if fold(line) != fold(title))
    read = split_text(f"# {title}\n{body}", captured_at=captured_at)
    if not read:
        return None
    article = replace(read[0], title=title, url=_own_address(heading, url))
    if len(read) > 1:  # one element is one article
        text = body_text(body, title=title, author=article.author, captured_at=captured_at)
        article = replace(article, text=text or article.text)
    article = _with_details(article, element, captured_at)
    links = [" ".join(link.text_content().split()) for link in element.xpath(".//a[@href]")]
    is_card = article.url is not None or any(
        not words(link) or _READ_ON.match(link) or fold(link).startswith(fold(title))
        for link in [*links, *(title for _ in element.iterancestors("a"))]
    )
    return MarkedArticle(article, is_card, is_aside)


def _own_address(heading: lxml.html.HtmlElement, url: str | None) -> str | None:
    """Return the address that a heading links to, if it is not the page's own."""
    links = [*heading.iterancestors("a"), *heading.iter("a")]
    addresses = (canonical_url(link.get("href"), url) for link in links)
    return next((address for address in addresses if address != canonical_url(url)), None)


def _with_details(
    article: CapturedArticle, element: lxml.html.HtmlElement, captured_at: datetime
) -> CapturedArticle:
    """Return the article with the time and the author from its markup."""
    # A saved page still says "2 days ago", but its markup has the date.
    for value in element.xpath(".//time/@datetime")[:1]:
        moment = read_iso(str(value))
        if moment is not None and moment <= captured_at + timedelta(days=1):
            article = replace(article, published_at=moment)
    for node in element.xpath(f".//*[{_AUTHOR}]")[:1]:
        name = re.sub(r"^by:?\s+", "", " ".join(node.text_content().split()), flags=re.IGNORECASE)
        name = without_time(name, captured_at)
        if is_person(name) and article.author is None:
            publisher = None if article.publisher == name else article.publisher
            article = replace(article, author=name, publisher=publisher)
    return article
