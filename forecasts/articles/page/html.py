"""An HTML page to its article: the text by trafilatura, the head by the page's own metadata.

What trafilatura gives is checked and cleaned here: titles carry the site's name, its text
begins with the title once more, and dates without a zone would read as exact. An aggregator's
page holds several articles: those that it marks (``structure``), however short, or else those
that show in full, which are split like plain text.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import lxml.html  # type: ignore[import-untyped]
import trafilatura

from forecasts.articles.article import PARAGRAPH, CapturedArticle, canonical
from forecasts.articles.lines import key, words
from forecasts.articles.page.boilerplate import is_furniture
from forecasts.articles.page.bylines import is_agency, is_name, without_time
from forecasts.articles.page.marked_articles import marked_articles, visible
from forecasts.articles.page.plain_text import article_text, read_text, split
from forecasts.common.errors import CaptureError

MAX_ELEMENTS = 20_000
FULL_WORDS = 60  # of an aggregator's article: for two of publisher, writer and time, half as many

# These report on standard error what is told to the person as a CaptureError.
for _name in ("trafilatura", "htmldate", "readability", "justext"):
    logging.getLogger(_name).addHandler(logging.NullHandler())

_ENDS = re.compile(r"\s+[|–—•·»-]\s+(?P<name>[^|–—•·»]{2,60})$")
_BEGINS = re.compile(r"^(?P<name>[^|–—•·»:]{2,60}?)\s*(?:\s[|–—•·»-]|:)\s+")


@dataclass(frozen=True, slots=True)
class Reading:
    """What a page was read as: its articles, all that a reader sees on it, and the pieces left out.

    ``left_out`` are those that look like a story and are in no article.
    """

    articles: list[CapturedArticle]
    seen: str
    left_out: list[CapturedArticle]


def read_page(html: str, *, url: str | None, captured_at: datetime) -> Reading:
    """Return the articles of an HTML page.

    ``url`` is where the page came from, None for a file. There is usually one article, none
    where no text was found. Raises ``CaptureError`` for what cannot be read as HTML.
    """
    try:
        tree = _parsed(html)
        seen = visible(tree)
        told, left_out = read_text(seen, captured_at=captured_at)  # refuses what is too long
        marked, short = marked_articles(tree, url=url, captured_at=captured_at)
        main = _main_article(tree, url, captured_at)
    except CaptureError:
        raise
    except Exception as error:  # strangers wrote it; whatever a parser trips over ends here
        raise CaptureError(
            f"The page cannot be read as HTML ({type(error).__name__}).",
            remedy="Open it in your browser and paste its text instead.",
        ) from error
    several = main is None or _are_several(told, main)
    if marked and not (several and any(_is_full(a) and not _is_in(a, marked) for a in told)):
        found = [_of_page(article, main) for article in marked]
    elif several:
        found = told
    else:
        found = [_completed(main, told)] if main is not None else []
    address = canonical(url) if main is None else main.url
    if found and found[0].url is None:
        found = [replace(found[0], url=address), *found[1:]]
    full = [article for article in told if _is_full(article)]
    pieces = {key(piece.title): piece for piece in (*left_out, *full, *short, *marked)}
    return Reading(found, seen, [p for p in pieces.values() if not _is_in(p, found)])


def _is_in(article: CapturedArticle, others: list[CapturedArticle]) -> bool:
    """Return whether a paragraph of an article stands in one of the others."""
    return any(
        paragraph in other.text for paragraph in article.text.split(PARAGRAPH) for other in others
    )


def _of_page(article: CapturedArticle, main: CapturedArticle | None) -> CapturedArticle:
    """Return an article that a page marks with what the page says of itself."""
    if main is None:
        return article
    if key(article.title) == key(main.title):
        article = _completed(article, [main])
    return replace(article, publisher=article.publisher or main.publisher)


def _completed(main: CapturedArticle, found: list[CapturedArticle]) -> CapturedArticle:
    """Return the article with what its metadata lack taken from the lines around its title."""
    same = next((article for article in found if key(article.title) == key(main.title)), None)
    if same is None:
        return main
    return replace(
        main,
        publisher=main.publisher or same.publisher,
        author=main.author or same.author,
        published_at=main.published_at or same.published_at,
    )


def _are_several(found: list[CapturedArticle], main: CapturedArticle) -> bool:
    """Return whether a page holds several articles in full, not one and a few teasers.

    Then either trafilatura left all but one out, or it ran them together.
    """
    if len(found) < 2 or not all(_is_full(article) for article in found):
        return False
    total = sum(len(words(article.text)) for article in found)
    openings = [article.text.partition(PARAGRAPH)[0] in main.text for article in found]
    return total > 1.2 * len(words(main.text)) or sum(openings) > 1


def _is_full(article: CapturedArticle) -> bool:
    known = sum(
        said is not None for said in (article.publisher, article.author, article.published_at)
    )
    return known > 0 and len(words(article.text)) * known >= FULL_WORDS


def _parsed(html: str) -> lxml.html.HtmlElement:
    parser = lxml.html.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True)
    tree = lxml.html.document_fromstring(html.encode("utf-8"), parser=parser)
    for table in tree.xpath("//table[.//td[p or h1 or h2 or h3 or .//table]]"):
        # A page laid out as a table, as was once done: it is no table of figures.
        for node in table.iter("table", "tbody", "tr", "td", "font"):
            node.tag = "div"
    count = sum(1 for _ in tree.iter())
    if count > MAX_ELEMENTS:
        raise CaptureError(
            f"The page has {count} elements; at most {MAX_ELEMENTS} are read.",
            remedy="Paste the article's text instead.",
        )
    return tree


def _main_article(
    tree: lxml.html.HtmlElement, url: str | None, captured_at: datetime
) -> CapturedArticle | None:
    document: Any = trafilatura.bare_extraction(
        tree,
        url=url,
        with_metadata=True,
        include_comments=False,
        date_extraction_params={
            "original_date": True,
            "extensive_search": False,  # a year in a footer is no date of publication
            "max_date": captured_at.strftime("%Y-%m-%d"),
            "outputformat": "%Y-%m-%dT%H:%M:%S%z",
        },
    )
    if document is None or not document.text:
        return None
    data = list(_linked_data(tree))
    address = canonical(_attribute(tree, "//link[@rel='canonical']/@href"), url)
    address = address or canonical(_attribute(tree, "//meta[@property='og:url']/@content"), url)
    if address is None or (urlsplit(address).path == "/" and url is not None):
        address = canonical(url)  # a canonical link to the front page is a mistake of the site
    publisher = _publisher(tree, data, document.sitename, address)
    title = _title(tree, data, document.title, publisher, address)
    author = _author([*(document.author or "").split(";"), *_writers(data)], publisher, captured_at)
    text = article_text(document.text, title=title, author=author, captured_at=captured_at)
    if not text:
        return None
    if title is None:
        title = split(text, captured_at=captured_at)[0].title
    return CapturedArticle(title, publisher, author, _instant(document.date), address, text)


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
    tree: lxml.html.HtmlElement,
    data: list[dict[str, Any]],
    found: str | None,
    address: str | None,
) -> str | None:
    named = [_attribute(tree, "//meta[@property='og:site_name']/@content")]
    for item in data:
        owner = item.get("publisher")
        named.append(owner.get("name") if isinstance(owner, dict) else None)
    named += [_attribute(tree, "//meta[@name='application-name']/@content")]
    named += [found if found and "." not in found else None]
    for name in named:
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
    host = urlsplit(address).hostname if address else None
    return host.removeprefix("www.") if host else None


def _title(
    tree: lxml.html.HtmlElement,
    data: list[dict[str, Any]],
    found: str | None,
    publisher: str | None,
    address: str | None,
) -> str | None:
    """Return the title without the site's name before or behind it.

    A heading counts more than the title that is written for others to link with.
    """
    headings = [" ".join(node.text_content().split()) for node in tree.xpath("//h1")]
    told = {key(str(item.get("headline"))) for item in data}
    for heading in headings:
        if len(heading.split()) >= 2 and key(heading) in told:
            return heading
    if named := _named_heading(tree):
        return named
    title = " ".join((found or "").split())
    if title and is_furniture(title):  # the only heading can be that of a menu
        title = " ".join((_attribute(tree, "//head/title/text()") or "").split())
    if not title:
        return headings[0] if headings and headings[0] else None
    for heading in headings:
        if len(heading.split()) >= 2 and key(title).startswith(key(heading)):
            return heading
    host = (urlsplit(address).hostname or "") if address else ""
    names = {key(name) for name in (publisher, host, host.removeprefix("www.")) if name}
    names |= {name.removeprefix("the") for name in names}
    while end := _ENDS.search(title):  # "Title | World | Site"
        if key(end["name"]).removeprefix("the") not in names and not _is_site(end):
            break
        title = title[: end.start()]
    begin = _BEGINS.match(title)
    if begin and key(begin["name"]).removeprefix("the") in names:
        title = title[begin.end() :]
    return title


def _named_heading(tree: lxml.html.HtmlElement) -> str | None:
    """Return the heading that the title of the page, which names the site too, repeats."""
    title = key(_attribute(tree, "//head/title/text()") or "")
    headings = (" ".join(node.text_content().split()) for node in tree.xpath("//h1|//h2"))
    return next((text for text in headings if len(text.split()) >= 3 and key(text) in title), None)


def _is_site(end: re.Match[str]) -> bool:
    """Return whether the last part of a title is the name of a site or one of its sections."""
    return is_agency(end["name"]) or ("|" in end[0] and is_name(end["name"]))


def _writers(data: list[dict[str, Any]]) -> Iterator[str]:
    for item in data:
        found = item.get("author")
        for writer in found if isinstance(found, list) else [found]:
            name = writer.get("name") if isinstance(writer, dict) else writer
            if isinstance(name, str):
                yield name


def _author(found: list[str], publisher: str | None, captured_at: datetime) -> str | None:
    """Return the names of persons, once each, joined by commas; None where there is none."""
    names: dict[str, str] = {}
    for name in found:
        name = re.sub(r"^by\s+", "", " ".join(name.split()), flags=re.IGNORECASE)
        name = without_time(name, captured_at)
        if name and "/" not in name and "@" not in name and key(name) != key(publisher or ""):
            names.setdefault(key(name), name)
    return ", ".join(names.values())[:200] or None


def _instant(found: str | None) -> datetime | None:
    """Return a date as trafilatura gives it, in UTC; only the day where it has no zone."""
    if not found:
        return None
    try:
        moment = datetime.fromisoformat(found)
    except ValueError:
        return None
    if moment.tzinfo is None:
        return moment.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=UTC)
    return moment.astimezone(UTC)
