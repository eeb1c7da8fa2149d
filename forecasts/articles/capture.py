"""The entry point: a URL, a file or pasted text becomes articles, not stored yet.

    source -> web (a URL) -> page.decode -> page.html | page.plain_text -> articles

A user reviews and corrects them (``article.merge``, ``article.split_at``), and ``library``
stores the result, once for each ``content_hash``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from forecasts.common.errors import CaptureError
from forecasts.common.limits import TEXT_BYTES, format_bytes
from forecasts.common.times import utc
from forecasts.common.web import fetch
from forecasts.reading.article import CapturedArticle, canonical_url
from forecasts.reading.lines import words
from forecasts.reading.page.decode import clean, looks_like_html, to_text
from forecasts.reading.page.html import read_page
from forecasts.reading.page.plain_text import read_text

Notify = Callable[[str], None]  # shows a sentence to the user

MIN_WORDS = 12  # of an article; error pages ("not found") are shorter
STUB_WORDS = 150  # a shorter text on a page that asks for a subscription is only the beginning
SNIPPET_WORDS = 60  # the same on a page that mentions accounts or subscribers at all
MAX_TITLES = 5  # omitted pieces that are listed by title

_URL = re.compile(r"(?i)[a-z][a-z\d+.-]*://")
_PAYWALL = re.compile(
    r"(?i)\b(?:subscribe|register|sign up|log in|sign in|join)(?: now| today| for free| or \w+)*"
    r" to (?:continue|keep|read|view|see the"
    r"|(?:unlock|access) (?:this|the|full|our) (?:\w+ )?(?:article|story|content))\b"
    r"|\bto (?:continue|keep) reading\b|\bto read the (?:full|rest|entire|whole)\b"
    r"|\b(?:this|the) (?:article|story|content|page) is (?:only )?"
    r"(?:for|available (?:only )?(?:to|for)|exclusive to|reserved for|limited to)"
    r" (?:\w+ )?(?:subscribers?|members?|registered)\b"
    r"|\bunlock (?:this|the) (?:article|story)\b"
    r"|\byou(?:['’]ve| have) (?:reached|used|read) (?:your|all|the) .{0,30}\b(?:limit|articles?)\b"
)
_ACCOUNT = re.compile(
    r"(?i)\balready (?:a|an|have an?) (?:subscriber|member|account)\s*\?"
    r"|\bsubscribers?[- ]only\b|\b(?:sign|log) in to unlock\b"
    r"|\bcreate (?:a|your) free account\b|\bstart your (?:free )?trial\b"
)
_LOGIN = re.compile(
    r"(?i)\b(?:please|you must|you need to|first) (?:log|sign) ?in\b|\bforgot (?:your )?password\b"
)
_ROBOT = re.compile(
    r"(?i)\bverify (?:that )?you(?:['’]re| are) (?:a |not a )?(?:human|robot)\b"
    r"|\bchecking your browser\b|\bare you a (?:robot|human)\b|\bunusual traffic\b"
    r"|\bcomplete the captcha\b|\benable javascript\b|\bjavascript is (?:disabled|required)\b"
    r"|\baccess (?:to this page has been )?denied\b"
)


def capture(
    source: str | Path,
    *,
    captured_at: datetime,
    allow_private: bool = False,
    notify: Notify | None = None,
) -> list[CapturedArticle]:
    """Return the articles at ``source``: an http(s) URL, or the path of an HTML or text file.

    The list is not empty. Relative times ("2 days ago") count from ``captured_at``.
    ``allow_private`` permits private addresses. ``notify`` is called with a sentence if a
    piece that looks like a story was omitted. Raises ``CaptureError`` for every failure, and
    BadInput for a naive ``captured_at``.
    """
    if isinstance(source, str) and not source.strip():
        raise CaptureError(
            "The source is blank.",
            remedy="Give a web address with https://, or the path of an HTML or text file.",
        )
    if isinstance(source, str) and _URL.match(source.strip()):
        page = fetch(source, allow_private=allow_private)
        text, html = to_text(page.data, page.charset), page.content_type != "text/plain"
        return _articles(text, captured_at, notify, url=page.url, html=html)
    return capture_bytes(_contents(source), captured_at=captured_at, notify=notify)


def capture_bytes(
    data: bytes, *, captured_at: datetime, notify: Notify | None = None
) -> list[CapturedArticle]:
    """Return the articles in a file's contents, which are detected as HTML or plain text.

    ``notify`` is called as by ``capture``. Raises ``CaptureError`` if there is no article.
    """
    _refuse_size(len(data), "file")
    return _articles(to_text(data), captured_at, notify)


def capture_text(
    text: str, *, captured_at: datetime, notify: Notify | None = None
) -> list[CapturedArticle]:
    """Return the articles in pasted text, which may be HTML source.

    ``notify`` is called as by ``capture``. Raises ``CaptureError`` if there is no article.
    """
    _refuse_size(len(text), "text")
    return _articles(clean(text), captured_at, notify)


def _articles(
    text: str, captured_at: datetime, notify: Notify | None, *, url: str = "", html: bool = False
) -> list[CapturedArticle]:
    captured_at = utc(captured_at)
    if not text.strip():
        raise CaptureError("There is no text.", remedy="Paste the article's text.")
    if html or looks_like_html(text):
        page = read_page(text, url=url or None, captured_at=captured_at)
        found, shown, omitted = page.articles, page.shown, page.omitted
    else:
        (found, omitted), shown = read_text(text, captured_at=captured_at), text
        if len(found) == 1 and found[0].url is None:
            found = [replace(found[0], url=canonical_url(url))]
    count = sum(len(words(article.text)) for article in found)
    _refuse_stub(shown, count)
    if count < MIN_WORDS:
        raise CaptureError(
            f"There is no article in it: {count} words of running text, of at least {MIN_WORDS}.",
            remedy="Paste the article's text with its title in the first line.",
        )
    if notify is not None and (message := _omission_message(omitted)):
        notify(message)
    return found


def _omission_message(omitted: Sequence[CapturedArticle]) -> str:
    """Return a sentence that lists the omitted pieces, or '' if none could be a story."""
    sizes = {piece.title: len(words(piece.text)) for piece in omitted}
    pieces = [f"“{title}” ({size} words)" for title, size in sizes.items() if size >= MIN_WORDS]
    if not pieces:
        return ""
    were = "1 short piece was" if len(pieces) == 1 else f"{len(pieces)} short pieces were"
    more = f" and {len(pieces) - MAX_TITLES} more" if len(pieces) > MAX_TITLES else ""
    return f"{were} left out: {', '.join(pieces[:MAX_TITLES])}{more}."


def _refuse_stub(shown: str, count: int) -> None:
    """Raise CaptureError if a page with ``count`` words of article text hides the rest."""
    closed = "Only the beginning is shown without a subscription or a login"
    for pattern, limit, problem in (
        (_PAYWALL, STUB_WORDS, closed),
        (_ACCOUNT, SNIPPET_WORDS, closed),
        (_LOGIN, STUB_WORDS, "The page asks for a login"),
        (_ROBOT, STUB_WORDS, "The page is shown to browsers only"),
    ):
        if count < limit and (match := pattern.search(shown)):
            raise CaptureError(
                f'{problem} ("{match[0]}").',
                remedy="Open the article in your browser and paste its text.",
            )


def _contents(source: str | Path) -> bytes:
    try:
        path = Path(source)
        if not path.is_file():
            problem = "is a folder" if path.is_dir() else "does not exist"
            raise CaptureError(
                f"The file {str(source)[:200]!r} {problem}.",
                remedy="Give the path of an HTML or text file, or an address with https://.",
            )
        with path.open("rb") as file:
            return file.read(TEXT_BYTES + 1)
    except (OSError, ValueError) as error:
        raise CaptureError(f"The file {str(source)[:200]!r} cannot be read: {error}.") from None


def _refuse_size(size: int, kind: str) -> None:
    if size > TEXT_BYTES:  # the exact size is unknown: reading stops just beyond the limit
        raise CaptureError(
            f"The {kind} is larger than {format_bytes(TEXT_BYTES)}.",
            remedy="Give only the article, or paste its text.",
        )
