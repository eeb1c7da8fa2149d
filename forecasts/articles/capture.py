"""The entry: a URL, a file, or pasted text becomes articles, which are not stored yet.

    source -> fetch (a URL) -> decode -> pages (HTML) | split (plain text) -> articles

A person sees them, corrects the split (``merge``, ``split_at``, ``dataclasses.replace``), and
what is confirmed is stored elsewhere, once for each ``content_hash``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from forecasts.articles.article import (
    PARAGRAPH,
    CapturedArticle,
    canonical,
    content_hash,
    merge,
    split_at,
)
from forecasts.articles.lines import words
from forecasts.articles.page.decode import clean, looks_like_html, to_text
from forecasts.articles.page.plain_text import read_text
from forecasts.common.errors import CaptureError
from forecasts.common.limits import TEXT_BYTES, said

__all__ = [
    "PARAGRAPH",
    "CapturedArticle",
    "capture",
    "capture_bytes",
    "capture_text",
    "content_hash",
    "merge",
    "split_at",
]

Tell = Callable[[str], None]  # what takes a sentence to the person

LEAST_WORDS = 12  # of an article; what a page without one says ("not found") is shorter
STUB_WORDS = 150  # a shorter text beside "to read on, subscribe" is the visible part of one
NAMED = 5  # of the pieces left out by their titles
SCRAP_WORDS = 60  # and a text as short as this is beside any word of accounts and subscribers

_URL = re.compile(r"[a-z][a-z\d+.-]*://", re.IGNORECASE)
_PAYWALL = re.compile(
    r"\b(?:subscribe|register|sign up|log in|sign in|join)(?: now| today| for free| or \w+)*"
    r" to (?:continue|keep|read|view|see the"
    r"|(?:unlock|access) (?:this|the|full|our) (?:\w+ )?(?:article|story|content))\b"
    r"|\bto (?:continue|keep) reading\b|\bto read the (?:full|rest|entire|whole)\b"
    r"|\b(?:this|the) (?:article|story|content|page) is (?:only )?"
    r"(?:for|available (?:only )?(?:to|for)|exclusive to|reserved for|limited to)"
    r" (?:\w+ )?(?:subscribers?|members?|registered)\b"
    r"|\bunlock (?:this|the) (?:article|story)\b"
    r"|\byou(?:['’]ve| have) (?:reached|used|read) (?:your|all|the) .{0,30}\b(?:limit|articles?)\b",
    re.IGNORECASE,
)
_ACCOUNT = re.compile(
    r"\balready (?:a|an|have an?) (?:subscriber|member|account)\s*\?"
    r"|\bsubscribers?[- ]only\b|\b(?:sign|log) in to unlock\b"
    r"|\bcreate (?:a|your) free account\b|\bstart your (?:free )?trial\b",
    re.IGNORECASE,
)
_LOGIN = re.compile(
    r"\b(?:please|you must|you need to|first) (?:log|sign) ?in\b|\bforgot (?:your )?password\b",
    re.IGNORECASE,
)
_ROBOT = re.compile(
    r"\bverify (?:that )?you(?:['’]re| are) (?:a |not a )?(?:human|robot)\b"
    r"|\bchecking your browser\b|\bare you a (?:robot|human)\b|\bunusual traffic\b"
    r"|\bcomplete the captcha\b|\benable javascript\b|\bjavascript is (?:disabled|required)\b"
    r"|\baccess (?:to this page has been )?denied\b",
    re.IGNORECASE,
)


def capture(
    source: str | Path,
    *,
    captured_at: datetime,
    allow_private: bool = False,
    tell: Tell | None = None,
) -> list[CapturedArticle]:
    """Return the articles at ``source``: an http(s) URL, or the path of an HTML or text file.

    ``captured_at`` is when the person saw it; "2 days ago" counts from then. There is at least
    one article. ``allow_private`` lets addresses inside the network be fetched.
    ``tell`` is called with a sentence where something that looks like a story was left out.
    Raises ``CaptureError`` for everything that goes wrong.
    """
    _refuse_naive(captured_at)
    if isinstance(source, str) and not source.strip():
        raise CaptureError(
            "There is nothing to read: the source is blank.",
            remedy="Give a web address with https://, or the path of an HTML or text file.",
        )
    if isinstance(source, str) and _URL.match(source.strip()):
        # Its HTTP client takes a while to import, and files have no need of it.
        from forecasts.common.web import fetch

        page = fetch(source, allow_private=allow_private)
        text = to_text(page.data, page.charset)
        html = page.content_type != "text/plain"
        html = html or looks_like_html(text)
        return _articles(text, captured_at, url=page.url, html=html, tell=tell)
    return capture_bytes(_contents(source), captured_at=captured_at, tell=tell)


def capture_bytes(
    data: bytes, *, captured_at: datetime, tell: Tell | None = None
) -> list[CapturedArticle]:
    """Return the articles in a file's contents, HTML or plain text by what it holds.

    ``tell`` is called as by ``capture``. Raises ``CaptureError`` where there is none.
    """
    _refuse_naive(captured_at)
    _refuse_size(len(data), "file")
    text = to_text(data)
    return _articles(text, captured_at, url=None, html=looks_like_html(text), tell=tell)


def capture_text(
    text: str, *, captured_at: datetime, tell: Tell | None = None
) -> list[CapturedArticle]:
    """Return the articles in pasted text; HTML source is read as such.

    ``tell`` is called as by ``capture``. Raises ``CaptureError`` where there is none.
    """
    _refuse_naive(captured_at)
    _refuse_size(len(text), "text")
    text = clean(text)
    return _articles(text, captured_at, url=None, html=looks_like_html(text), tell=tell)


def _articles(
    text: str, captured_at: datetime, *, url: str | None, html: bool, tell: Tell | None
) -> list[CapturedArticle]:
    if not text.strip():
        raise CaptureError("There is no text in it.", remedy="Paste the article's text.")
    if html:
        # trafilatura takes a while to import, and plain text has no need of it.
        from forecasts.articles.page.html import read_page

        page = read_page(text, url=url, captured_at=captured_at)
        found, seen, left_out = page.articles, page.seen, page.left_out
    else:
        (found, left_out), seen = read_text(text, captured_at=captured_at), text
        if len(found) == 1 and found[0].url is None:
            found = [replace(found[0], url=canonical(url))]
    count = sum(len(words(article.text)) for article in found)
    if count < STUB_WORDS:
        _refuse_stub(seen, count)
    if count < LEAST_WORDS:
        raise CaptureError(
            f"There is no article in it: {count} words of running text, of at least {LEAST_WORDS}.",
            remedy="Paste the article's text with its title in the first line.",
        )
    if tell is not None and (said := _said_of(left_out)):
        tell(said)
    return found


def _said_of(left_out: Sequence[CapturedArticle]) -> str:
    """Return the sentence that names the pieces left out, empty where none can be a story."""
    sizes = {piece.title: len(words(piece.text)) for piece in left_out}
    pieces = [f"“{title}” ({size} words)" for title, size in sizes.items() if size >= LEAST_WORDS]
    if not pieces:
        return ""
    were = "1 short piece was" if len(pieces) == 1 else f"{len(pieces)} short pieces were"
    more = f" and {len(pieces) - NAMED} more" if len(pieces) > NAMED else ""
    return f"{were} left out: {', '.join(pieces[:NAMED])}{more}."


def _refuse_stub(seen: str, count: int) -> None:
    """Refuse what a site shows in place of an article, of which ``count`` words were read."""
    closed = "No more than the beginning is shown without a subscription or a login"
    for pattern, why in (
        (_PAYWALL, closed),
        *([(_ACCOUNT, closed)] if count < SCRAP_WORDS else []),
        (_LOGIN, "The page asks for a login"),
        (_ROBOT, "The page shows itself to browsers only"),
    ):
        if words := pattern.search(seen):
            raise CaptureError(
                f'{why} ("{words[0]}").',
                remedy="Open the article where you may read it and paste its text.",
            )


def _contents(source: str | Path) -> bytes:
    try:
        path = Path(source)
        if not path.is_file():
            what = "is a folder" if path.is_dir() else "is not there"
            raise CaptureError(
                f"The file {str(source)[:200]!r} {what}.",
                remedy="Give the path of an HTML or text file, or an address with https://.",
            )
        with path.open("rb") as file:
            return file.read(TEXT_BYTES + 1)
    except (OSError, ValueError) as error:
        raise CaptureError(f"The file {str(source)[:200]!r} cannot be read: {error}.") from None


def _refuse_size(size: int, what: str) -> None:
    # Where it came from may hold more than was taken from it.
    if size > TEXT_BYTES:
        raise CaptureError(
            f"The {what} has more than {said(TEXT_BYTES)}; at most {said(TEXT_BYTES)} are read.",
            remedy="Give the article alone, or paste its text.",
        )


def _refuse_naive(captured_at: datetime) -> None:
    if captured_at.utcoffset() is None:
        raise CaptureError(
            f"The time of capture {captured_at.isoformat()} has no time zone.",
            remedy="Give it with one, for example 2025-07-24T09:00:00+00:00.",
        )
