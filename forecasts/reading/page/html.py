"""The articles of an HTML page: the text by trafilatura, the details by the page's metadata.

trafilatura's result is cleaned: titles contain the site's name, the text repeats the title, and
dates without a zone would look exact. An aggregator's page has several articles: those marked as
such in its HTML (``marked_articles``), however short, or else those shown in full, which are split
like plain text.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from forecasts.common.errors import CaptureError
from forecasts.reading.article import PARAGRAPH, CapturedArticle, canonical_url, completed
from forecasts.reading.lines import fold, words
from forecasts.reading.page.boilerplate import is_boilerplate
from forecasts.reading.page.bylines import is_name, is_publisher_name, without_time
from forecasts.reading.page.dates import read_iso
from forecasts.reading.page.marked_articles import marked_articles, visible_text
from forecasts.reading.page.plain_text import body_text, dateline_day, read_text, split_text

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
    several = main is None or _are_several(split, main)
    if marked and not (several and any(_is_full(a) and not _is_in(a, marked) for a in split)):
        found = [_with_page_details(article, main) for article in marked]
    elif several or main is None:
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
    data = list(_linked_data(tree))
    address = canonical_url(_attribute(tree, "//link[@rel='canonical']/@href"), url)
    address = address or canonical_url(_attribute(tree, "//meta[@property='og:url']/@content"), url)
    if address is None or (urlsplit(address).path == "/" and url is not None):
        address = canonical_url(url)  # a canonical link to the front page is a site's mistake
    host = (urlsplit(address).hostname or "") if address else ""
    publisher = _publisher(tree, data, document.sitename, host)
    site = {publisher or "", host, host.removeprefix("www.")}
    title = _title(tree, data, document.title, site)
    author = _author(data, (document.author or "").split(";"), publisher, captured_at)
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


def _linked_data(tree: lxml.html.HtmlElement) -> Iterator[dict[str, Any]]:
    """Yield the JSON-LD objects that describe an article."""
    for script in tree.xpath("//script[@type='application/ld+json']/text()")[:20]:
        try:
            pending = [json.loads(str(script), strict=False)]
        except (ValueError, RecursionError):
            continue
        while pending:
            item = pending.pop()
            if isinstance(item, list):
                pending.extend(item[:50])
            elif isinstance(item, dict):
                if "Article" in str(item.get("@type")) or "Posting" in str(item.get("@type")):
                    yield item
                pending.extend(item[key] for key in ("@graph", "mainEntity") if key in item)


def _publisher(
    tree: lxml.html.HtmlElement, data: list[dict[str, Any]], found: str | None, host: str
) -> str | None:
    owners = (item.get("publisher") for item in data)
    for name in (
        _attribute(tree, "//meta[@property='og:site_name']/@content"),
        *(owner.get("name") for owner in owners if isinstance(owner, dict)),
        _attribute(tree, "//meta[@name='application-name']/@content"),
        found if found and "." not in found else None,
    ):
        text = " ".join(name.split()) if isinstance(name, str) else ""
        if 1 < len(text) <= 80 and "/" not in text and not text.startswith(("@", "©")):
            return text
    end = _ENDS.search(_attribute(tree, "//head/title/text()") or "")
    if end is not None and _is_site(end):
        return end["name"]
    title = " ".join((_attribute(tree, "//head/title/text()") or "").split())
    heading = _named_heading(tree)
    if heading and heading in title:
        rest = title.replace(heading, "").strip(" |–—•·»-:")
        if is_name(rest):
            return rest
    return host.removeprefix("www.") or None


def _title(
    tree: lxml.html.HtmlElement, data: list[dict[str, Any]], found: str | None, site: set[str]
) -> str | None:
    """Return the title without a name of the site, from a heading rather than the metadata."""
    headings = [" ".join(node.text_content().split()) for node in tree.xpath("//h1")]
    long = [heading for heading in headings if len(heading.split()) >= 2]
    headlines = {fold(str(item.get("headline"))) for item in data}
    certain = next((heading for heading in long if fold(heading) in headlines), None)
    if certain := certain or _named_heading(tree):
        return certain
    title = " ".join((found or "").split())
    if title and is_boilerplate(title):  # the only heading can be a menu's
        title = " ".join((_attribute(tree, "//head/title/text()") or "").split())
    if not title:
        return headings[0] if headings and headings[0] else None
    for heading in long:
        if fold(title).startswith(fold(heading)):
            return heading
    names = {fold(name) for name in site if name}
    names |= {name.removeprefix("the") for name in names}
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


def _author(
    data: list[dict[str, Any]], found: list[str], publisher: str | None, captured_at: datetime
) -> str | None:
    """Return the distinct personal names, joined by commas, or None."""
    listed = [item.get("author") for item in data]
    flat = [one for some in listed for one in (some if isinstance(some, list) else [some])]
    named = [author.get("name") if isinstance(author, dict) else author for author in flat]
    names: dict[str, str] = {}
    for name in [*found, *(name for name in named if isinstance(name, str))]:
        name = re.sub(r"^by\s+", "", " ".join(name.split()), flags=re.IGNORECASE)
        name = without_time(name, captured_at)
        if name and "/" not in name and "@" not in name and fold(name) != fold(publisher or ""):
            names.setdefault(fold(name), name)
    return ", ".join(names.values())[:200] or None
