"""A captured article, its address and identity, and what a person may correct before storing it."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from dataclasses import dataclass, replace
from datetime import datetime
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit, urlunsplit

from forecasts.articles.lines import first_sentence, is_heading_like, key

PARAGRAPH = "\n\n"  # what stands between two paragraphs of every text

_TRACKING = re.compile(
    r"(?:utm_|at_|mc_|mkt_|ns_|pk_|hsa_|oly_|vero_)\w*|fbclid|gclid|gclsrc|dclid|msclkid|igshid"
    r"|yclid|twclid|ocid|cmpid|smid|ref|ref_src|ref_url|feature|guccounter|guce_\w+|share\w*|_ga"
)


@dataclass(frozen=True, slots=True)
class CapturedArticle:
    """One article as it was read: not stored yet, and open to correction.

    ``published_at`` is in UTC; midnight means that only the day is known. ``url`` is the
    canonical address. The paragraphs of ``text`` are separated by one blank line.
    """

    title: str
    publisher: str | None
    author: str | None
    published_at: datetime | None
    url: str | None
    text: str


def canonical(url: str | None, base: str | None = None) -> str | None:
    """Return an address without fragment and tracking, None where it is not a web page's."""
    if not url:
        return None
    try:
        parts = urlsplit(urljoin(base, url.strip()) if base else url.strip())
        if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc:
            return None
        port = parts.port
    except ValueError:
        return None
    usual = {"http": 80, "https": 443}[parts.scheme]
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    query = [
        (name, value)
        for name, value in parse_qsl(parts.query, keep_blank_values=True)
        if not _TRACKING.fullmatch(name.lower())
    ]
    return urlunsplit(
        (
            parts.scheme,
            host if port in (None, usual) else f"{host}:{port}",
            parts.path or "/",
            urlencode(query),
            "",
        )
    )


def content_hash(article: CapturedArticle) -> str:
    """Return the SHA-256 (hex) by which two captures are recognised as the same article.

    It covers the letters and digits of the text alone, folded: white space, paragraph breaks,
    typographic quotes and the title that an aggregator gave do not count.
    """
    folded = unicodedata.normalize("NFKC", article.text).casefold()
    signs = "".join(sign for sign in folded if sign.isalnum()) or folded.strip()
    return hashlib.sha256(signs.encode("utf-8", "replace")).hexdigest()


def merge(first: CapturedArticle, second: CapturedArticle) -> CapturedArticle:
    """Return both as one article: what is known of ``first`` wins, the texts follow each other.

    The title of ``second`` becomes a subheading between the two texts, because a split at a
    subheading is what a merge most often undoes. It is left out where it repeats the title or is
    the first sentence below it.
    """
    opening = second.text.partition(PARAGRAPH)[0]
    repeats = key(second.title) == key(first.title) or second.title == first_sentence(opening)
    parts = (first.text, "" if repeats else second.title, second.text)
    return replace(
        first,
        publisher=first.publisher or second.publisher,
        author=first.author or second.author,
        published_at=first.published_at or second.published_at,
        url=first.url or second.url,
        text=PARAGRAPH.join(part for part in parts if part),
    )


def split_at(article: CapturedArticle, paragraph: int) -> tuple[CapturedArticle, CapturedArticle]:
    """Return two articles, the second beginning with the given paragraph.

    Paragraphs count from 0. A line that can be a headline becomes the second title; a sentence
    stays in the text and gives its beginning as the title. Publisher, author, date and URL are
    taken over by both; ``merge`` undoes the split. Raises ``ValueError`` where one of the two
    would have no text.
    """
    paragraphs = article.text.split(PARAGRAPH)
    if paragraph not in openings(article.text):
        raise ValueError(
            f"paragraph {paragraph} cannot open a second article: there must be text before it "
            f"and after it (there are {len(paragraphs)} paragraphs, counted from 0)"
        )
    opening, rest = paragraphs[paragraph], paragraphs[paragraph:]
    if is_heading_like(opening):
        title, rest = " ".join(opening.split()), rest[1:]
    else:
        title = first_sentence(opening)
    return (
        replace(article, text=PARAGRAPH.join(paragraphs[:paragraph])),
        replace(article, title=title, text=PARAGRAPH.join(rest)),
    )


def openings(text: str) -> list[int]:
    """Return the paragraphs of ``text``, counted from 0, with which a second article can begin."""
    paragraphs = text.split(PARAGRAPH)
    last = len(paragraphs) - 1
    return [
        place
        for place in range(1, len(paragraphs))
        if place < last or not is_heading_like(paragraphs[place])
    ]
