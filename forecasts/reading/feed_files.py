"""The entries of a feed: RSS, Atom, JSON Feed, a news sitemap; of an e-mail, and of a PDF.

Everyone's words are data: markup is reduced to text, entities of a document are not expanded beyond
the parsers' own limits, nothing is loaded, and an address in a feed is not opened.

The parsers take quadratic time in several places, or longer. So ``feedparser`` gets at most
``FEED_BYTES``, without elements of ``ATTRIBUTES``; its HTML sanitizer is off, since no HTML is
displayed. Of an e-mail, each header is cut, and its parts are counted; a PDF has a time limit.
"""

from __future__ import annotations

import email
import email.policy
import hashlib
import json
import re
from calendar import timegm
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.utils import parseaddr
from io import BytesIO
from time import monotonic
from typing import Any
from urllib.parse import urljoin, urlsplit

from forecasts.common.errors import CaptureError
from forecasts.common.limits import NAME_BYTES, format_bytes
from forecasts.common.text import cut
from forecasts.reading.article import PARAGRAPH, CapturedArticle, canonical_url
from forecasts.reading.lines import first_sentence, words
from forecasts.reading.page.dates import read_iso
from forecasts.reading.page.decode import clean, to_text
from forecasts.reading.page.marked_articles import visible_text

FEED_BYTES = 1_000_000  # of RSS and Atom
MOST_ENTRIES = 1_000  # of one document; a news sitemap may have as many
TITLE_CHARACTERS = 300
TEXT_CHARACTERS = 200_000  # of an entry
ATTRIBUTES = 500  # of one element
HEADER_CHARACTERS = 1_000  # of an e-mail or of a part of it
MAIL_PARTS = 500
PDF_PAGES = 60
PDF_SECONDS = 10.0
TEASER_WORDS = 12  # a shorter text says too little without its title

_ROOT = re.compile(rb"<(?:[\w.-]+:)?(rss|feed|rdf|channel|urlset|sitemapindex|opml)[\s>]", re.I)
_HTML = re.compile(rb"<(?:!doctype html|html|head|body)\b", re.I)
_NAME = rb"[^\s<>=/'\"]+"
_CROWDED = re.compile(
    rb"<%b(?:\s+%b\s*=\s*(?:'[^'<]*'|\"[^\"<]*\")){%d}" % (_NAME, _NAME, ATTRIBUTES)
)
_FEED_TYPES = ("application/rss+xml", "application/atom+xml", "application/feed+json")
_UNREADABLE = "Check that the address is that of a feed, or give the site's address."


@dataclass(frozen=True, slots=True)
class Entry:
    """An article of a feed; ``key`` is the same whenever the entry is read again."""

    key: str
    article: CapturedArticle


@dataclass(frozen=True)
class Document:
    """A feed's title and entries, or the feeds that a document names instead.

    ``feeds``: the addresses with titles in an OPML file, in the head of a page, or in an index of
    sitemaps. ``left_out``: the entries that could not be read, or were too many.
    """

    title: str
    entries: list[Entry] = field(default_factory=list)
    feeds: list[tuple[str, str]] = field(default_factory=list)
    left_out: int = 0


def key_of(*parts: str) -> str:
    """Return the key of an entry: the SHA-256 of its address or words.

    >>> key_of("https://example.org/a")[:8]
    'b5b10dd0'
    """
    return hashlib.sha256("\n".join(parts).encode("utf-8", "replace")).hexdigest()


def read_document(
    data: bytes, *, url: str | None, captured_at: datetime, charset: str | None = None
) -> Document:
    """Return the entries or feeds in ``data``, which is recognised by its beginning.

    ``url``: for relative links. Times after ``captured_at`` are left out. CaptureError if it is
    neither a feed, a sitemap, a list of feeds nor a page, and if it is too large.
    """
    start = data[:4_000].replace(b"\0", b"").lstrip(b"\xef\xbb\xbf\xff\xfe\r\n\t ")
    if start.startswith(b"{"):
        return _json_feed(data, url, captured_at)
    root = _ROOT.search(start)
    kind = root[1].lower() if root else b""
    is_page = (page := _HTML.search(start)) and (root is None or page.start() < root.start())
    if is_page:
        return _page(data, url, charset)
    if kind in (b"urlset", b"sitemapindex"):
        return _sitemap(data, url, captured_at)
    if kind == b"opml":
        return _opml(data)
    return _rss(data, url, captured_at, charset)


def _rss(data: bytes, url: str | None, captured_at: datetime, charset: str | None) -> Document:
    parsed = parsed_feed(data, charset)
    if not parsed.get("version") and not parsed.entries:
        raise CaptureError("This is not a feed.", remedy=_UNREADABLE)
    title = _line(parsed.feed.get("title", ""))
    found = [_of_rss(one, title, url, captured_at) for one in parsed.entries[:MOST_ENTRIES]]
    return _document(title, found, len(parsed.entries))


def parsed_feed(data: bytes, charset: str | None = None) -> Any:
    """Return feedparser's reading of an RSS or Atom feed.

    CaptureError if it is too large, or has an element with ``ATTRIBUTES``.
    """
    # Imported here: feedparser takes long to import, and most commands do not need it.
    import feedparser

    if len(data) > FEED_BYTES:
        raise CaptureError(
            f"A feed may have up to {format_bytes(FEED_BYTES)}, got {format_bytes(len(data))}.",
            remedy="Use a feed of recent entries.",
        )
    if _CROWDED.search(data.replace(b"\0", b"")):  # in UTF-16, too
        raise CaptureError(
            f"This feed is malformed: an element has {ATTRIBUTES} attributes or more.",
            remedy="Choose another feed of the site.",
        )
    headers = {"content-type": f"application/xml; charset={charset}"} if charset else {}
    # As a stream: feedparser would fetch a text that looks like an address, or open a file.
    return feedparser.parse(
        BytesIO(data),
        sanitize_html=False,
        resolve_relative_uris=False,
        response_headers=headers,
    )


_Found = tuple[str, CapturedArticle] | None  # an identifier of the entry's own, "" without one


def _of_rss(one: Any, publisher: str, url: str | None, captured_at: datetime) -> _Found:
    when = one.get("published_parsed")
    if not when and "updated_parsed" in one:  # without it, feedparser warns
        when = one["updated_parsed"]
    try:
        at = None if when is None else datetime.fromtimestamp(timegm(when), UTC)
    except (ValueError, OverflowError, OSError):
        at = None
    texts = [str(part.get("value", "")) for part in one.get("content", ())]
    return _entry(
        title=one.get("title", ""),
        text=max([str(one.get("summary", "")), *texts], key=len),
        link=one.get("link"),
        base=url,
        own=str(one.get("id", "")),
        publisher=(one.get("source") or {}).get("title") or publisher,
        author=one.get("author"),
        at=at,
        captured_at=captured_at,
    )


def _json_feed(data: bytes, url: str | None, captured_at: datetime) -> Document:
    try:
        read = json.loads(data.decode("utf-8-sig", "replace"))
        items = read["items"]
        if not isinstance(items, list):
            raise TypeError
    except (ValueError, KeyError, TypeError, RecursionError):
        raise CaptureError("This JSON is not a JSON Feed.", remedy=_UNREADABLE) from None
    title = _line(_string(read.get("title")))
    found = [
        _of_json(one, title, url, captured_at)
        for one in items[:MOST_ENTRIES]
        if isinstance(one, dict)
    ]
    return _document(title, found, len(items))


def _of_json(one: dict[str, Any], publisher: str, url: str | None, captured_at: datetime) -> _Found:
    authors = one.get("authors") or [one.get("author")]
    names = [_string(a.get("name")) for a in authors if isinstance(a, dict)]
    html = _string(one.get("content_html"))
    plain = _string(one.get("content_text")) or _string(one.get("summary"))
    return _entry(
        title=_string(one.get("title")),
        text=html or plain.replace("<", "&lt;"),
        link=_string(one.get("url")) or _string(one.get("external_url")),
        base=url,
        own=str(one.get("id", "")),
        publisher=publisher,
        author=", ".join(filter(None, names)),
        at=read_iso(_string(one.get("date_published")) or _string(one.get("date_modified"))),
        captured_at=captured_at,
    )


def _string(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _tree(data: bytes) -> Any:
    from lxml import etree  # type: ignore[import-untyped]  # slow to import

    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, recover=True, huge_tree=False
    )
    try:
        tree = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError):
        tree = None
    if tree is None:
        raise CaptureError("This XML cannot be read.", remedy=_UNREADABLE)
    return tree


def _sitemap(data: bytes, url: str | None, captured_at: datetime) -> Document:
    tree = _tree(data)
    site = urlsplit(url or "").hostname or ""
    indexed = tree.xpath("//*[local-name()='sitemap']/*[local-name()='loc']/text()")
    if indexed:
        news = [one.strip() for one in indexed if "news" in one.lower()]
        return Document(site, feeds=[(one, site) for one in news[:20]])
    found = []
    # Not one in another: each would be read with those in it.
    pages = tree.xpath("//*[local-name()='url'][not(ancestor::*[local-name()='url'])]")
    for page in pages[:MOST_ENTRIES]:
        said = {
            name: " ".join("".join(page.xpath(f".//*[local-name()='{name}']//text()")).split())
            for name in ("title", "publication_date", "name")
        }
        if not said["title"]:
            continue
        links = page.xpath("./*[local-name()='loc']/text()")
        found.append(
            _entry(
                title=said["title"].replace("<", "&lt;"),
                text="",
                link=links[0] if links else None,
                base=url,
                own="",
                publisher=said["name"] or site,
                author=None,
                at=read_iso(said["publication_date"]),
                captured_at=captured_at,
            )
        )
    if not found and pages:
        raise CaptureError(
            "This sitemap lists pages without titles, so it is not one of news.",
            remedy="Look for the site's news sitemap or feed.",
        )
    return _document(site, found, len(pages))


def _opml(data: bytes) -> Document:
    outlines = _tree(data).xpath("//*[local-name()='outline'][@xmlUrl]")
    feeds = [
        (o.get("xmlUrl").strip(), _line(o.get("title") or o.get("text") or "")) for o in outlines
    ]
    if not feeds:
        raise CaptureError(
            "This OPML file names no feeds.", remedy="Export it from your reader again."
        )
    return Document("", feeds=feeds)


def _page(data: bytes, url: str | None, charset: str | None) -> Document:
    import lxml.html  # type: ignore[import-untyped]  # slow to import

    parser = lxml.html.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True)
    tree = lxml.html.document_fromstring(
        to_text(data, charset).encode("utf-8") or b"<p>", parser=parser
    )
    feeds = []
    for link in tree.iter("link"):
        rel = (link.get("rel") or "").lower().split()
        kind = (link.get("type") or "").lower().partition(";")[0].strip()
        if "alternate" in rel and kind in _FEED_TYPES and link.get("href"):
            try:
                address = urljoin(url or "", link.get("href").strip())
            except ValueError:
                continue
            feeds.append((address, _line(link.get("title") or "")))
    return Document(_line(tree.findtext(".//title") or ""), feeds=list(dict.fromkeys(feeds)))


def _entry(
    *,
    title: str,
    text: str,
    link: str | None,
    base: str | None,
    own: str,
    publisher: str | None,
    author: str | None,
    at: datetime | None,
    captured_at: datetime,
) -> _Found:
    """Return an entry of a feed; None if it says nothing, or nothing readable."""
    try:
        said = _plain(text)[:TEXT_CHARACTERS]
        head = cut(_line(title), TITLE_CHARACTERS) or first_sentence(said)
    except CaptureError:  # not text
        return None
    if not head:
        return None
    if len(words(said)) < TEASER_WORDS and head not in said:
        said = PARAGRAPH.join(filter(None, (head, said)))
    address = canonical_url(link, base)
    if address and len(address.encode()) > NAME_BYTES:
        address = None
    if at is not None and at > captured_at + timedelta(days=1):
        at = None
    article = CapturedArticle(
        head,
        _line(publisher or "")[:200] or None,
        _line(author or "")[:200] or None,
        at,
        address,
        said,
    )
    return own, article


def _document(title: str, found: list[_Found], listed: int) -> Document:
    kept = [one for one in found if one is not None]
    links = Counter(article.url for _, article in kept)
    entries: dict[str, Entry] = {}
    for own, article in kept:
        # Some feeds give the site's address for every entry.
        alone = article.url is not None and links[article.url] == 1
        key = (
            key_of(article.url or "")
            if alone
            else key_of(article.url or "", own or f"{article.title}\n{article.text}")
        )
        entries.setdefault(key, Entry(key, article))
    return Document(title, list(entries.values()), left_out=listed - len(kept))


def _line(text: str) -> str:
    return " ".join(_plain(text).split())


def _plain(markup: str) -> str:
    """Return a text or HTML as paragraphs of text."""
    markup = clean(markup)
    if "<" in markup or "&" in markup:
        import lxml.html  # slow to import

        parser = lxml.html.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True)
        whole = f"<body>{markup}</body>".encode()
        try:
            markup = clean(visible_text(lxml.html.document_fromstring(whole, parser=parser)))
        except (ValueError, AssertionError, lxml.etree.ParserError):
            return ""
        lines: Iterator[str] = (line.strip() for line in markup.split("\n"))
    else:
        lines = (" ".join(part.split()) for part in re.split(r"\n\s*\n", markup))
    return PARAGRAPH.join(filter(None, lines))


class _ShortHeaders(email.policy.EmailPolicy):
    """The usual policy, with headers cut, whose parsing takes quadratic time."""

    def header_fetch_parse(self, name: str, value: str) -> Any:
        return super().header_fetch_parse(name, value[:HEADER_CHARACTERS])


def read_mail(data: bytes, *, captured_at: datetime) -> list[Entry]:
    """Return the article of an e-mail, such as a newsletter: its HTML part, or else its text.

    CaptureError if it cannot be read, has no text, or more than ``MAIL_PARTS``.
    """
    # A part has a line before it, and some one after it; each line ends in LF, CR, or both.
    if sum(1 for _ in re.finditer(rb"[\r\n]--", data)) > 2 * MAIL_PARTS:
        raise CaptureError(
            f"This e-mail has more than {MAIL_PARTS} parts.", remedy="Save its text as .txt."
        )
    try:
        message = email.message_from_bytes(data, policy=_ShortHeaders())
        assert isinstance(message, EmailMessage)
        body = message.get_body(("html", "plain"))
        text = "" if body is None else str(body.get_content())
        if body is not None and body.get_content_subtype() != "html":
            text = text.replace("<", "&lt;")
        subject, sender = str(message["subject"] or ""), parseaddr(str(message["from"] or ""))
        when = message["date"].datetime if message["date"] else None
        own = str(message["message-id"] or "")
    except Exception:  # the parser raises many kinds of errors on other bytes
        raise CaptureError("This e-mail cannot be read.", remedy="Save it again as .eml.") from None
    at = None if when is None else when.replace(tzinfo=when.tzinfo or UTC).astimezone(UTC)
    found = _entry(
        title=subject.replace("<", "&lt;"),
        text=text,
        link=None,
        base=None,
        own=own,
        publisher=sender[0] or sender[1],
        author=None,
        at=at,
        captured_at=captured_at,
    )
    if found is None or not text.strip():
        raise CaptureError("This e-mail has no text.", remedy="Save one with its text.")
    return _document("", [found], 1).entries


def read_pdf(data: bytes, *, name: str, captured_at: datetime) -> list[Entry]:
    """Return the article of a PDF, of at most ``PDF_PAGES`` pages; ``name`` if it has no title.

    CaptureError if it cannot be read, is encrypted, has no text, or takes ``PDF_SECONDS``.
    """
    import pypdf  # slow to import

    ends = monotonic() + PDF_SECONDS

    def in_time(*_: object) -> None:  # before each operation of a page
        if monotonic() > ends:
            raise TimeoutError

    try:
        pdf = pypdf.PdfReader(BytesIO(data))
        pages = [
            page.extract_text(visitor_operand_before=in_time) for page in pdf.pages[:PDF_PAGES]
        ]
        facts = pdf.metadata
        title = str(facts.title or "") if facts else ""
        author = str(facts.author or "") if facts else ""
        at = facts.creation_date if facts else None
    except TimeoutError:
        raise CaptureError(
            f"The PDF {name!r} takes longer than {PDF_SECONDS:g} seconds to read.",
            remedy="Save its text as a .txt file.",
        ) from None
    except Exception as error:  # the parser raises many kinds of errors on other bytes
        locked = "encrypted" in str(error).lower() or "decrypt" in str(error).lower()
        raise CaptureError(
            f"The PDF {name!r} {'is encrypted' if locked else 'cannot be read'}.",
            remedy="Save its text as a .txt file.",
        ) from None
    text = "\n\n".join(pages)
    if len(words(text)) < TEASER_WORDS:
        raise CaptureError(
            f"The PDF {name!r} has no text, only pictures.", remedy="Save its text as a .txt file."
        )
    found = _entry(
        title=(title or name).replace("<", "&lt;"),
        text=text.replace("<", "&lt;").replace("\n", "<br>"),
        link=None,
        base=None,
        own="",
        publisher=None,
        author=author,
        at=at.astimezone(UTC) if isinstance(at, datetime) else None,
        captured_at=captured_at,
    )
    return _document("", [found], 1).entries
