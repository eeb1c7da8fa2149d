"""A captured article: its canonical URL, its hash, and the corrections made before storing it."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from dataclasses import dataclass, replace
from datetime import datetime
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit, urlunsplit

from forecasts.reading.lines import first_sentence, fold, is_heading_like

PARAGRAPH = "\n\n"  # separates the paragraphs of every text

_TRACKING = re.compile(
    r"(?:utm_|at_|mc_|mkt_|ns_|pk_|hsa_|oly_|vero_)\w*|fbclid|gclid|gclsrc|dclid|msclkid|igshid"
    r"|yclid|twclid|ocid|cmpid|smid|ref|ref_src|ref_url|feature|guccounter|guce_\w+|share\w*|_ga"
)


@dataclass(frozen=True, slots=True)
class CapturedArticle:
    """An article that has been read but not stored, and can still be corrected.

    ``published_at`` is in UTC; midnight means that only the day is known. ``url`` is canonical.
    The paragraphs of ``text`` are separated by ``PARAGRAPH``.
    """

    title: str
    publisher: str | None
    author: str | None
    published_at: datetime | None
    url: str | None
    text: str


def canonical_url(url: str | None, base: str | None = None) -> str | None:
    """Return a URL without its fragment and tracking parameters, None if it is not a web page."""
    if not url:
        return None
    try:
        parts = urlsplit(urljoin(base, url.strip()) if base else url.strip())
        if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc:
            return None
        port = parts.port
    except ValueError:
        return None
    default = {"http": 80, "https": 443}[parts.scheme]
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    query = [
        (name, value)
        for name, value in parse_qsl(parts.query, keep_blank_values=True)
        if not _TRACKING.fullmatch(name.lower())
    ]
    address = host if port in (None, default) else f"{host}:{port}"
    return urlunsplit((parts.scheme, address, parts.path or "/", urlencode(query), ""))


def content_hash(article: CapturedArticle) -> str:
    """Return the SHA-256 (hex) that is equal for two captures of the same article.

    It covers only the letters and digits of the text, case-folded. White space, paragraph breaks,
    typographic quotes and the title, which an aggregator may change, do not matter.
    """
    folded = unicodedata.normalize("NFKC", article.text).casefold()
    characters = "".join(filter(str.isalnum, folded)) or folded.strip()
    return hashlib.sha256(characters.encode("utf-8", "replace")).hexdigest()


def merge(first: CapturedArticle, second: CapturedArticle) -> CapturedArticle:
    """Return both as one article: the details of ``first`` win, the texts are joined.

    The title of ``second`` becomes a subheading between the texts, because most merges undo a
    split at a subheading. It is omitted if it repeats the title or its own first sentence.
    """
    opening = second.text.partition(PARAGRAPH)[0]
    repeats = fold(second.title) == fold(first.title) or second.title == first_sentence(opening)
    parts = (first.text, "" if repeats else second.title, second.text)
    return replace(
        completed(first, second),
        url=first.url or second.url,
        text=PARAGRAPH.join(part for part in parts if part),
    )


def completed(article: CapturedArticle, other: CapturedArticle) -> CapturedArticle:
    """Return an article, with the other's publisher, author and time where it has none."""
    return replace(
        article,
        publisher=article.publisher or other.publisher,
        author=article.author or other.author,
        published_at=article.published_at or other.published_at,
    )


def split_at(article: CapturedArticle, paragraph: int) -> tuple[CapturedArticle, CapturedArticle]:
    """Return two articles; the second begins with the given paragraph, counted from 0.

    A headline becomes the second title; a sentence stays in the text, and its beginning serves
    as the title. Both keep the publisher, author, date and URL; ``merge`` undoes the split.
    Raises ``ValueError`` if one of them would have no text.
    """
    paragraphs = article.text.split(PARAGRAPH)
    if paragraph not in split_points(article.text):
        raise ValueError(
            f"paragraph {paragraph} of {len(paragraphs)}, counted from 0, cannot begin a second "
            "article: there must be text before it and after it"
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


def split_points(text: str) -> list[int]:
    """Return the paragraphs of ``text``, counted from 0, that can begin a second article."""
    paragraphs = text.split(PARAGRAPH)
    end = len(paragraphs) - is_heading_like(paragraphs[-1])
    return list(range(1, end))
