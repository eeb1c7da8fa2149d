"""The articles of an HTML page: the text by trafilatura, the details by the page's metadata.

trafilatura's result is cleaned: titles contain the site's name, the text repeats the title, and
dates without a zone would look exact. An aggregator's page has several articles: those marked as
such in its HTML, however short, or else those shown in full, which are split like plain text.

Plain text needs a minimum length to tell a story from a teaser, an ``article`` element with a
heading and text of its own does not. Links to other articles, called cards, use the same markup. A
card is in a box of related stories, has a linked heading, or is much shorter than the main article
and has neither a byline nor a date.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from forecasts.common.errors import CaptureError
from forecasts.reading.article import PARAGRAPH, CapturedArticle, canonical_url, completed
from forecasts.reading.lines import fold, trails_off, words
from forecasts.reading.page.boilerplate import ends_article, is_boilerplate
from forecasts.reading.page.bylines import is_name, is_person, is_publisher_name, without_time
from forecasts.reading.page.dates import read_iso
from forecasts.reading.page.plain_text import (
    SNIPPET_WORDS,
    body_text,
    dateline_day,
    read_text,
    split_text,
)

if TYPE_CHECKING:
    import lxml.html  # type: ignore[import-untyped]

MAX_ELEMENTS = 20_000
FULL_WORDS = 60  # of a full article with one detail (publisher, author, time); half with two

# These would log to standard error; the user gets a CaptureError instead.
for _name in ("trafilatura", "htmldate", "readability", "justext"):
    logging.getLogger(_name).addHandler(logging.NullHandler())

_ENDS = re.compile(r"\s+[|–—•·»-]\s+(?P<name>[^|–—•·»]{2,60})$")
_BEGINS = re.compile(r"^(?P<name>[^|–—•·»:]{2,60}?)\s*(?:\s[|–—•·»-]|:)\s+")


@dataclass(frozen=True, slots=True)
class PageReading:
    """A page's articles, its whole visible text, and the omitted pieces.

    Omitted pieces look like a story but are not part of any article.
    """

    articles: list[CapturedArticle]
    shown: str
    omitted: list[CapturedArticle]


def read_page(html: str, *, url: str | None, captured_at: datetime) -> PageReading:
    """Return the articles of an HTML page, usually one, and none if no text was found.

    ``url`` is the page's address, None for a file. Raises ``CaptureError`` if the page cannot be
    read as HTML.
    """
    try:
        tree = _parsed(html)
        shown = visible_text(tree)
        split, omitted = read_text(shown, captured_at=captured_at)  # limits the length
        marked, short = marked_articles(tree, url=url, captured_at=captured_at)
        main = _main_article(tree, url, captured_at)
    except CaptureError:
        raise
    except Exception as error:  # a stranger's page can trip the parsers in many ways
        raise CaptureError(
            f"The page cannot be read as HTML ({type(error).__name__}).",
            remedy="Open it in your browser and paste its text instead.",
        ) from error
    if marked:
        found = [_with_page_details(article, main) for article in marked]
    elif main is None or _are_several(split, main):
        found = split
    else:  # missing details may be in the lines around its title
        same = (article for article in split if fold(article.title) == fold(main.title))
        found = [completed(main, next(same, main))]
    address = canonical_url(url) if main is None else main.url
    if found and found[0].url is None:
        found = [replace(found[0], url=address), *found[1:]]
    full = [article for article in split if _is_full(article)]
    pieces = {fold(piece.title): piece for piece in (*omitted, *full, *short, *marked)}
    return PageReading(found, shown, [p for p in pieces.values() if not _is_in(p, found)])


def _is_in(article: CapturedArticle, others: list[CapturedArticle]) -> bool:
    """Return whether one of the others contains a paragraph of the article."""
    return any(
        paragraph in other.text for paragraph in article.text.split(PARAGRAPH) for other in others
    )


def _with_page_details(article: CapturedArticle, main: CapturedArticle | None) -> CapturedArticle:
    """Return a marked article, completed with the page's own details."""
    if main is None:
        return article
    if fold(article.title) == fold(main.title):
        return completed(article, main)
    return replace(article, publisher=article.publisher or main.publisher)


def _are_several(found: list[CapturedArticle], main: CapturedArticle) -> bool:
    """Return whether there are several full articles: trafilatura omits or joins the others."""
    if len(found) < 2 or not all(map(_is_full, found)):
        return False
    total = sum(len(words(article.text)) for article in found)
    openings = [article.text.partition(PARAGRAPH)[0] in main.text for article in found]
    return total > 1.2 * len(words(main.text)) or sum(openings) > 1


def _is_full(article: CapturedArticle) -> bool:
    details = (article.publisher, article.author, article.published_at)
    known = sum(detail is not None for detail in details)
    return known > 0 and len(words(article.text)) * known >= FULL_WORDS


def _parsed(html: str) -> lxml.html.HtmlElement:
    import lxml.html  # slow to import, and pasted text does not need it

    parser = lxml.html.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True)
    tree = lxml.html.document_fromstring(html.encode("utf-8"), parser=parser)
    for table in tree.xpath("//table[.//td[p or h1 or h2 or h3 or .//table]]"):
        # An old page that uses a table for its layout, not for figures.
        for node in table.iter("table", "tbody", "tr", "td", "font"):
            node.tag = "div"
    count = sum(1 for _ in tree.iter())
    if count > MAX_ELEMENTS:
        raise CaptureError(
            f"The page has {count:,} elements; at most {MAX_ELEMENTS:,} are read.",
            remedy="Paste the article's text instead.",
        )
    return tree


def _main_article(
    tree: lxml.html.HtmlElement, url: str | None, captured_at: datetime
) -> CapturedArticle | None:
    import trafilatura  # takes 0.3 s to import, and pasted text does not need it

    document: Any = trafilatura.bare_extraction(
        tree,
        url=url,
        with_metadata=True,
        include_comments=False,
        date_extraction_params={
            "original_date": True,
            "extensive_search": False,  # or it would find the year in the footer
            "max_date": captured_at.strftime("%Y-%m-%d"),
            "outputformat": "%Y-%m-%dT%H:%M:%S%z",
        },
    )
    if document is None or not document.text:
        return None
    address = canonical_url(_attribute(tree, "//link[@rel='canonical']/@href"), url)
    if address is None:
        address = canonical_url(url)  # a canonical link to the front page is a site's mistake
    host = (urlsplit(address).hostname or "") if address else ""
    publisher = _publisher(tree, document.sitename, host)
    site = {publisher or "", host, host.removeprefix("www.")}
    title = _title(tree, document.title, site)
    author = _author(document.author or "", publisher, captured_at)
    text = body_text(document.text, title=title, author=author, captured_at=captured_at)
    if not text:
        return None
    if title is None:
        title = split_text(text, captured_at=captured_at)[0].title
    when = read_iso(document.date) or dateline_day(text.split(PARAGRAPH), captured_at)
    return CapturedArticle(title, publisher, author, when, address, text)


def _attribute(tree: lxml.html.HtmlElement, path: str) -> str | None:
    found = [str(value).strip() for value in tree.xpath(path)]
    return next((value for value in found if value), None)


def _publisher(tree: lxml.html.HtmlElement, found: str | None, host: str) -> str | None:
    name = _attribute(tree, "//meta[@property='og:site_name']/@content")
    for text in (name, found if found and "." not in found else None):
        if text and 1 < len(text) <= 80 and "/" not in text and not text.startswith(("@", "©")):
            return " ".join(text.split())
    title = " ".join((_attribute(tree, "//head/title/text()") or "").split())
    end = _ENDS.search(title)
    if end is not None and _is_site(end):
        return end["name"]
    if heading := _named_heading(tree):
        rest = title.replace(heading, "").strip(" |–—•·»-:")
        if heading in title and is_name(rest):
            return rest
    return host.removeprefix("www.") or None


def _title(tree: lxml.html.HtmlElement, found: str | None, site: set[str]) -> str | None:
    """Return the title without a name of the site, from a heading rather than the metadata."""
    if heading := _named_heading(tree):
        return heading
    title = " ".join((found or "").split())
    if not title:
        headings = (" ".join(node.text_content().split()) for node in tree.xpath("//h1"))
        return next(filter(None, headings), None)
    names = {fold(name).removeprefix("the") for name in site if name}
    while end := _ENDS.search(title):  # "Title | World | Site"
        if fold(end["name"]).removeprefix("the") not in names and not _is_site(end):
            break
        title = title[: end.start()]
    begin = _BEGINS.match(title)
    if begin and fold(begin["name"]).removeprefix("the") in names:
        title = title[begin.end() :]
    return title


def _named_heading(tree: lxml.html.HtmlElement) -> str | None:
    """Return the heading that is repeated in the page's title, which also names the site."""
    title = fold(_attribute(tree, "//head/title/text()") or "")
    headings = (" ".join(node.text_content().split()) for node in tree.xpath("//h1|//h2"))
    return next((text for text in headings if len(text.split()) >= 3 and fold(text) in title), None)


def _is_site(end: re.Match[str]) -> bool:
    """Return whether the last part of a title is the name of a site or a section."""
    return is_publisher_name(end["name"]) or ("|" in end[0] and is_name(end["name"]))


def _author(found: str, publisher: str | None, captured_at: datetime) -> str | None:
    """Return the distinct personal names, joined by commas, or None."""
    names: dict[str, str] = {}
    for one in found.split(";"):
        name = re.sub(r"(?i)^by\s+", "", " ".join(one.split()))
        name = without_time(name, captured_at)
        if name and "/" not in name and "@" not in name and fold(name) != fold(publisher or ""):
            names.setdefault(fold(name), name)
    return ", ".join(names.values())[:200] or None


# ---- articles that the page marks

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
_READ_ON = re.compile(r"(?i)(?:read|continue|full|more)\b")
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
    if heading is None or is_boilerplate(title):
        return None
    lines = visible_text(element, _BESIDE_TEXT, heading).splitlines()
    body = "\n".join(line for line in lines if fold(line) != fold(title))
    read = split_text(f"# {title}\n{body}", captured_at=captured_at)
    if not read:
        return None
    article = replace(read[0], title=title, url=_own_address(heading, url))
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
