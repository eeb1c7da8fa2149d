"""The sources of feeds: an address, a file, a folder or a maildir, read with limits.

A page is fetched as everywhere (``common.web``): from the public internet alone, within
``SECONDS`` and ``SOURCE`` bytes, and only if it changed. A folder's files are read once each.
"""

from __future__ import annotations

import stat
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from urllib.parse import urljoin

from forecasts.articles.capture import capture_bytes
from forecasts.common.errors import BadInput, CaptureError, LedgerError
from forecasts.common.ip_addresses import ALLOW_PRIVATE
from forecasts.common.limits import TEXT_BYTES, require_file
from forecasts.common.permitted_sources import allowed, is_page
from forecasts.common.web import Fetched, Version, fetch
from forecasts.reading.feed_files import (
    Document,
    Entry,
    key_of,
    read_document,
    read_mail,
    read_pdf,
)

SECONDS = 15.0  # of a request, with its redirects
MOST_FILES = 10_000  # in a folder
FILES_A_READ = 500  # new ones; the next read takes more
MEDIA = {
    "application/rss+xml", "application/atom+xml", "application/rdf+xml", "application/xml",
    "text/xml", "application/x-rss+xml", "application/feed+json", "application/json",
    "text/x-opml", "application/octet-stream", "text/plain", "text/html", "application/xhtml+xml",
}  # fmt: skip
# Where a site's feed is when its page names none.
USUAL = ("feed", "rss", "feed.xml", "rss.xml", "atom.xml", "index.xml", "news-sitemap.xml")
_MAIL, _PDF = {".eml"}, {".pdf"}
_TEXT = {".txt", ".md", ".html", ".htm", ".xhtml"}
_FEEDS = {".xml", ".rss", ".atom", ".rdf", ".json", ".opml"}
_AGAIN = "It is read again later. If that does not help, check the address, or remove the feed."


@dataclass(frozen=True)
class Read:
    """One reading of a source: its document, and its version for the next time.

    ``unchanged``: the document is that of the time before, and is blank here. ``problems``: a
    sentence for each file that could not be read.
    """

    document: Document
    version: Version = field(default_factory=Version)
    unchanged: bool = False
    problems: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Found:
    """A feed at an address, with a title to list it by.

    ``listed``: a document names it, which may name only web addresses (see ``feeds.add_all``).
    """

    address: str
    title: str
    listed: bool = False


def find_feeds(
    address: str, *, now: datetime, allow_private: bool = False, shared: bool = False
) -> list[Found]:
    """Return the feeds at an address, in a file or a folder; nothing is stored.

    A feed, a file of entries, a folder or a maildir is itself; a site's page leads to the first of
    the feeds that it names, or else to one in a usual place; an OPML file and an index of sitemaps
    lead to all that they name. ``shared``: of the ledger, as for ``allowed``. CaptureError or
    BadInput if there is none.
    """
    if not is_page(address):
        path = _typed_path(address, shared)
        if path.is_dir():
            return [Found(str(path), path.name)]
        if path.suffix.lower() not in _FEEDS:
            _of_file(path, now)
            return [Found(str(path), path.name)]
        document = read_document(_bytes(path), url=None, captured_at=now)
        named = [Found(one, title or one, True) for one, title in document.feeds]
        return named or [Found(str(path), document.title or path.name)]
    page = _page(address, None, allow_private)
    document = read_document(page.data, url=page.url, captured_at=now, charset=page.charset)
    if document.entries:
        return [Found(address, document.title or address)]
    if _is_html(page) and not document.feeds:
        return [_in_usual_place(page.url, document.title, now, allow_private)]
    named = [Found(one, title or document.title or one, True) for one, title in document.feeds]
    if _is_html(page):
        return named[:1]
    return named or [Found(address, document.title or address)]


def _in_usual_place(url: str, title: str, now: datetime, allow_private: bool) -> Found:
    for place in USUAL:
        address = urljoin(url, f"/{place}")
        try:
            page = _page(address, None, allow_private)
            document = read_document(page.data, url=page.url, captured_at=now, charset=page.charset)
        except CaptureError:
            continue
        if document.entries:
            return Found(address, document.title or title or address)
    raise CaptureError(
        f"The page {url} names no feed, and there is none in the usual places.",
        remedy="Look on the site for RSS, and give that address.",
    )


def _is_html(page: Fetched) -> bool:
    return b"<html" in page.data[:4_000].lower() or b"<!doctype html" in page.data[:4_000].lower()


def read_source(
    address: str,
    *,
    version: Version,
    known: Collection[str] = (),
    now: datetime,
    allow_private: bool = False,
    shared: bool = False,
) -> Read:
    """Return the entries of a source. ``version``: as read before; ``known``: the keys so far.

    LedgerError, with a remedy, if it cannot be read.
    """
    if is_page(address):
        page = _page(address, version, allow_private)
        if page.unchanged:
            return Read(Document(""), version, unchanged=True)
        document = read_document(page.data, url=page.url, captured_at=now, charset=page.charset)
        return Read(document, page.version)
    path = _path(address, shared)
    if path.is_dir():
        return _of_folder(path, known, now)
    state = _state(path)
    if version.etag == state:
        return Read(Document(""), version, unchanged=True)
    if path.suffix.lower() in _FEEDS:
        return Read(read_document(_bytes(path), url=None, captured_at=now), Version(state))
    return Read(Document(path.name, _of_file(path, now)), Version(state))


def _page(address: str, version: Version | None, allow_private: bool) -> Fetched:
    try:
        return fetch(
            address,
            allow_private=allow_private,
            seconds=SECONDS,
            max_bytes=TEXT_BYTES,
            content_types=MEDIA,
            known=version,
        )
    except CaptureError as error:
        remedy = ALLOW_PRIVATE if ALLOW_PRIVATE in error.remedy else _AGAIN
        raise type(error)(error.message, remedy=remedy) from None


def _typed_path(address: str, shared: bool) -> Path:
    """Return the path that a member typed; BadInput without telling where this program runs."""
    try:
        path = Path(address.strip()).expanduser()
    except RuntimeError:  # an unknown user's home
        path = Path()
    if not path.parts or (shared and not path.is_absolute()):
        raise BadInput(
            f"{address!r} does not look like a web address.",
            remedy="Give an address that starts with https://.",
        )
    return _path(str(path), shared)


def _path(address: str, shared: bool) -> Path:
    path = allowed(Path(address).expanduser().absolute(), shared=shared)
    try:
        found = path.exists()
    except (OSError, ValueError):
        found = False
    if not found:
        raise BadInput(
            f"There is no file or folder {address!r}.",
            remedy="Give a path, or an address that starts with https://.",
        )
    return path


def _bytes(path: Path) -> bytes:
    try:
        require_file(path, TEXT_BYTES, "Use a smaller one.")
        return path.read_bytes()
    except OSError as error:
        raise BadInput(
            f"The file {path.name!r} cannot be read: {error.strerror or error}.",
            remedy="Check its permissions.",
        ) from None


def _state(path: Path) -> str:
    found = path.stat()
    return f"{found.st_size}-{found.st_mtime_ns}"


def _of_file(path: Path, now: datetime) -> list[Entry]:
    """Return the articles in a file; a file without a known suffix is an e-mail of a maildir."""
    suffix, data = path.suffix.lower(), _bytes(path)
    if suffix in _PDF:
        return read_pdf(data, name=path.stem, captured_at=now)
    if suffix in _TEXT:
        found = capture_bytes(data, captured_at=now)
        return [Entry(key_of(one.url or one.text), one) for one in found]
    return read_mail(data, captured_at=now)


def _of_folder(folder: Path, known: Collection[str], now: datetime) -> Read:
    """Return the articles of the files that are new, by name, size and time of change."""
    entries: list[Entry] = []
    problems: list[str] = []
    fresh = 0
    for path, name in _files(folder):
        try:
            key = key_of(name) if name else key_of(path.name, _state(path))
            if key in known:
                continue
            if fresh == FILES_A_READ:
                break
            fresh += 1
            found = _of_file(path, now)
        except (LedgerError, OSError) as error:
            problems.append(f"{path.name}: {error}")
            continue
        # A file's first article has the key of the file, by which it is known.
        entries += [
            replace(one, key=key_of(key, str(place)) if place else key)
            for place, one in enumerate(found)
        ]
    return Read(Document(folder.name, entries), problems=problems)


def _files(folder: Path) -> Iterator[tuple[Path, str]]:
    """Yield the files to read, those of a maildir with the name that they keep when moved."""
    mail = [folder / name for name in ("new", "cur") if (folder / name).is_dir()]
    many = 0
    for place in mail or [folder]:
        for path in sorted(place.iterdir()):
            is_hidden = path.name.startswith((".", "_"))
            if is_hidden or not (mail or path.suffix.lower() in _MAIL | _PDF | _TEXT):
                continue
            if not stat.S_ISREG(path.lstat().st_mode):  # a link may lead elsewhere
                continue
            many += 1
            if many > MOST_FILES:
                raise BadInput(
                    f"The folder {folder.name!r} has more than {MOST_FILES:,} files to read.",
                    remedy="Move those that were read elsewhere.",
                )
            yield path, path.name.partition(":")[0] if mail else ""
