"""The articles that a page marks as such: article elements with a heading and a text of their own.

Where the HTML says that there are several, no length is asked of them, which a text alone needs
to tell a story from a teaser. Links to other articles are marked the same way, as cards; they
stand in a box of related stories, link their heading, or are far shorter than the article that
they surround, without a byline or a day.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import lxml.html  # type: ignore[import-untyped]
from lxml import etree

from forecasts.articles.article import CapturedArticle, canonical
from forecasts.articles.lines import key, trails_off, words
from forecasts.articles.page.boilerplate import ends_article, is_furniture
from forecasts.articles.page.bylines import is_person, without_time
from forecasts.articles.page.plain_text import SNIPPET_WORDS, article_text, split

STORY_WORDS = 18  # of an article that the HTML marks; what is shorter only announces one
CARD_WORDS = 25  # of one whose heading is a link
MUCH_LONGER = 4  # times as long as what stands beside it: the article of the page

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
_WRITER = "@rel='author' or @itemprop='author' or contains(concat(' ', @class, ' '), ' author ')"


@dataclass(frozen=True, slots=True)
class Marked:
    """What an article element holds, and whether it is a card, or stands among related stories."""

    article: CapturedArticle
    is_card: bool
    is_aside: bool

    @property
    def count(self) -> int:
        """The number of words of its text."""
        return len(words(self.article.text))

    @property
    def is_known(self) -> bool:
        """Whether it says who wrote or published it, or when."""
        article = self.article
        return (article.publisher or article.author or article.published_at) is not None


def marked_articles(
    tree: lxml.html.HtmlElement, *, url: str | None, captured_at: datetime
) -> tuple[list[CapturedArticle], list[CapturedArticle]]:
    """Return the articles that a page marks as such, and what looks like one and is none.

    The first list is empty where fewer than two are marked. What stands among related stories,
    or breaks off, is in neither.
    """
    marked = [
        read
        for element, is_aside in _elements(tree)
        if (read := _read(element, is_aside, url, captured_at)) is not None
    ]
    # A whole page may stand under "Top stories".
    told = [one for one in marked if not one.is_aside] or marked
    longest = max((one.count for one in told), default=0)
    found: list[CapturedArticle] = []
    left_out: list[CapturedArticle] = []
    for one in told:
        if one.count <= SNIPPET_WORDS and trails_off(one.article.text):
            continue
        is_short = one.count < (CARD_WORDS if one.is_card else STORY_WORDS)
        beside = longest >= MUCH_LONGER * one.count and (one.is_card or not one.is_known)
        (left_out if is_short or beside else found).append(one.article)
    return (found if len(found) > 1 else []), left_out


def visible(
    tree: lxml.html.HtmlElement,
    unseen: frozenset[str] = frozenset(),
    heading: lxml.html.HtmlElement | None = None,
) -> str:
    """Return the text of an element, one line a block, without its ``heading``.

    The elements inside it that are named ``unseen`` are left out, and always those that no
    reader sees.
    """
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
    """Yield the article elements, and whether each stands among related stories."""
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
) -> Marked | None:
    """Return what an article element holds; None without a heading and a text of its own."""
    heading = next(
        (
            node
            for node in element.iter(*_HEADINGS)
            if next(node.iterancestors("article"), None) is element
            and len(words(node.text_content())) >= 2
        ),
        None,
    )
    title = "" if heading is None else " ".join(heading.text_content().split())
    if heading is None or is_furniture(title) or ends_article(title):
        return None
    lines = visible(element, _BESIDE_TEXT, heading).splitlines()
    body = "\n".join(line for line in lines if key(line) != key(title))
    read = split(f"# {title}\n{body}", captured_at=captured_at)
    if not read:
        return None
    article = replace(read[0], title=title, url=_own_address(heading, url))
    if len(read) > 1:  # the element says that they are one
        text = article_text(body, title=title, author=article.author, captured_at=captured_at)
        article = replace(article, text=text or article.text)
    article = _signed(article, element, captured_at)
    links = [" ".join(link.text_content().split()) for link in element.xpath(".//a[@href]")]
    is_card = article.url is not None or any(
        not words(link) or _READ_ON.match(link) or key(link).startswith(key(title))
        for link in [*links, *(title for _ in element.iterancestors("a"))]
    )
    return Marked(article, is_card, is_aside)


def _own_address(heading: lxml.html.HtmlElement, url: str | None) -> str | None:
    """Return the address to which a heading links, other than that of the page."""
    links = [*heading.iterancestors("a"), *heading.iter("a")]
    addresses = (canonical(link.get("href"), url) for link in links)
    return next((address for address in addresses if address != canonical(url)), None)


def _signed(
    article: CapturedArticle, element: lxml.html.HtmlElement, captured_at: datetime
) -> CapturedArticle:
    """Return the article with the day and the writer that its markup names."""
    # A page that was saved says "2 days ago" for ever; its markup holds the day.
    moments = (_moment(str(told)) for told in element.xpath(".//time/@datetime")[:1])
    for moment in moments:
        if moment is not None and moment <= captured_at + timedelta(days=1):
            article = replace(article, published_at=moment)
    for node in element.xpath(f".//*[{_WRITER}]")[:1]:
        name = re.sub(r"^by:?\s+", "", " ".join(node.text_content().split()), flags=re.IGNORECASE)
        name = without_time(name, captured_at)
        if is_person(name) and article.author is None:
            publisher = None if article.publisher == name else article.publisher
            article = replace(article, author=name, publisher=publisher)
    return article


def _moment(told: str) -> datetime | None:
    """Return a time of the markup in UTC; only the day where it has no zone."""
    try:
        moment = datetime.fromisoformat(told.strip())
    except ValueError:
        return None
    if moment.tzinfo is None:
        return moment.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=UTC)
    return moment.astimezone(UTC)
