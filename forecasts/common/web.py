"""Fetch a web page, within limits and only from the public internet.

Users give the URL and strangers give the redirects, so every hop is checked: the scheme, the
port, and each address of its host. The host is resolved once and the connection goes to a
checked address, so that a second DNS answer cannot lead elsewhere; the ``Host`` header and the
certificate still use the host's name. One deadline covers the DNS lookup, the connection, the
handshake, every read and every redirect.

``httpcore`` is used directly because its network backend applies both rules (address and
deadline) to every byte; ``httpx`` has a timeout for each read only. It ignores proxies in the
environment, keeps no cookies and does not follow redirects by itself.
"""

from __future__ import annotations

import contextlib
import logging
import re
import ssl
import zlib
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache

import httpcore
import httpx

from forecasts.common.connections import Network
from forecasts.common.errors import CaptureError, NoAnswer, Unreached
from forecasts.common.ip_addresses import ALLOW_PRIVATE, is_private_host, private_address
from forecasts.common.limits import SOURCE_BYTES, TEXT_BYTES
from forecasts.common.text import cut

SECONDS = 10.0
MAX_REDIRECTS = 3
REDIRECTS = (301, 302, 303, 307, 308)
PORTS = {80, 443}
CONTENT_TYPES = {"text/html", "application/xhtml+xml", "text/plain"}
HEADERS = {
    "User-Agent": "forecast-ledger (article capture)",
    "Accept": "text/html,application/xhtml+xml,text/plain;q=0.8",
    "Accept-Language": "en,*;q=0.5",
    "Accept-Encoding": "gzip, deflate",
    "Connection": "close",
}
OWN = {"User-Agent": "forecast-ledger", "Connection": "close"}  # of other requests
PASTE = "Open the page in your browser and paste its text instead."


@dataclass(frozen=True, slots=True)
class Version:
    """A version of a page, as its server names it."""

    etag: str | None = None
    last_modified: str | None = None

    @property
    def headers(self) -> dict[str, str]:
        """The headers of a request for a newer version only."""
        named = {"If-None-Match": self.etag, "If-Modified-Since": self.last_modified}
        return {name: value for name, value in named.items() if value}


@dataclass(frozen=True, slots=True)
class Fetched:
    """A server's response: the final URL after redirects, the media type, the decoded body.

    ``unchanged``: it is the response that ``known`` of ``fetch`` names, and there is no body.
    """

    url: str
    content_type: str | None
    charset: str | None
    data: bytes
    version: Version = Version()
    unchanged: bool = False


def fetch(
    url: str,
    *,
    allow_private: bool = False,
    seconds: float = SECONDS,
    max_bytes: int = TEXT_BYTES,
    content_types: Collection[str] = CONTENT_TYPES,
    known: Version | None = None,
) -> Fetched:
    """Return the response at ``url``, after at most ``MAX_REDIRECTS`` redirects.

    ``content_types`` are the accepted media types. ``known``: the version that need not be sent.
    ``max_bytes`` limits the body both as sent and decompressed. ``allow_private`` permits private
    addresses and ports other than 80 and 443.
    Raises ``CaptureError`` for every failure.
    """
    network = Network(seconds, allow_private=allow_private)
    here = checked_url(url, allow_private=allow_private)
    for _ in range(MAX_REDIRECTS + 1):
        answer = _get(here, network, max_bytes, content_types, known or Version())
        if isinstance(answer, Fetched):
            return answer
        here = checked_url(answer, base=here, allow_private=allow_private)
    raise CaptureError(
        f"{url} redirects more than {MAX_REDIRECTS} times.",
        remedy="Give the final address that your browser shows.",
    )


def post(
    url: str,
    data: bytes,
    *,
    content_type: str = "text/plain; charset=utf-8",
    max_bytes: int = 0,
    allow_private: bool = False,
    seconds: float = SECONDS,
) -> bytes:
    """Return the answer to ``data``, sent with the limits of ``fetch`` and without redirects.

    ``max_bytes`` limits the answer, which is not read by default. Raises ``CaptureError`` unless
    the server accepts it (2xx). No error shows more of the address than its host: it may be secret.
    """
    network = Network(seconds, allow_private=allow_private)
    here = _secret_url(url, allow_private=allow_private)
    headers = {"Content-Type": content_type, "Content-Length": str(len(data))}
    answered = bytearray()
    with _without_paste(), _answer(here, network, OWN | headers, "POST", data) as answer:
        status = answer.status
        for chunk in answer.iter_stream() if max_bytes else ():
            answered += chunk
            if len(answered) > max_bytes:
                raise CaptureError(f"{_name(here)} sent more than {max_bytes / 1e6:g} MB.")
    if not 200 <= status < 300:
        raise CaptureError(f"{_name(here)} did not accept it (HTTP status {status}).")
    return bytes(answered)


@dataclass(frozen=True, slots=True)
class Answer:
    """A server's answer, whatever its status: its headers and the decoded body."""

    status: int
    headers: httpx.Headers
    data: bytes


def ask(
    url: str,
    *,
    headers: Mapping[str, str],
    data: bytes | None = None,
    allow_private: bool = False,
    seconds: float = 6 * SECONDS,
    max_bytes: int = SOURCE_BYTES,
) -> Answer:
    """Return the answer to a request whose address or headers hold a secret.

    The limits are those of ``fetch``. Redirects are followed on the same host alone, so that no
    other learns the secret, and nothing is logged. ``data`` is posted, and then no redirect is
    followed. Raises NoAnswer if a further attempt may succeed, else CaptureError; no error shows
    more of the address than its host.
    """
    network = Network(seconds, allow_private=allow_private)
    here = _secret_url(url, allow_private=allow_private)
    with _without_paste(), _unlogged():
        for _ in range(MAX_REDIRECTS + 1):
            answer = _ask(here, headers, network, max_bytes, data)
            location = answer.headers.get("location")
            if answer.status not in REDIRECTS or not location or data is not None:
                return answer
            try:
                there = here.join(location)
                name = _name(there)  # this decodes the host, which can fail too
            except (httpx.InvalidURL, ValueError, TypeError):
                raise CaptureError(f"{_name(here)} redirects to an invalid address.") from None
            if (there.scheme, there.netloc) != (here.scheme, here.netloc):
                raise CaptureError(f"{_name(here)} redirects to another host: {name}.")
            here = there
    raise CaptureError(f"{_name(here)} redirects more than {MAX_REDIRECTS} times.")


def _secret_url(url: str, *, allow_private: bool) -> httpx.URL:
    """Return an address that may hold a secret; CaptureError, without it, if it cannot be used."""
    try:
        here = checked_url(url, allow_private=True)
        # The connection refuses a private host, and names it.
        return here if is_private_host(here.host) else checked_url(url, allow_private=allow_private)
    except CaptureError:
        raise CaptureError(
            "The address cannot be used.",
            remedy="Give an https address with a host, without a user name, on port 443. "
            f"{ALLOW_PRIVATE}",
        ) from None


def _ask(
    url: httpx.URL,
    headers: Mapping[str, str],
    network: Network,
    max_bytes: int,
    data: bytes | None,
) -> Answer:
    sent = OWN | {"Accept-Encoding": "gzip, deflate"} | dict(headers)
    if data is not None:
        sent["Content-Length"] = str(len(data))
    with _answer(url, network, sent, "GET" if data is None else "POST", data) as answer:
        received = httpx.Headers(answer.headers)
        return Answer(answer.status, received, _body(url, answer, received, max_bytes))


@contextlib.contextmanager
def _without_paste() -> Iterator[None]:
    """Drop the remedies for a page that is captured, such as to paste its text."""
    try:
        yield
    except CaptureError as error:
        is_private = ALLOW_PRIVATE in error.remedy
        raise type(error)(error.message, remedy=ALLOW_PRIVATE if is_private else "") from None


@contextlib.contextmanager
def _unlogged() -> Iterator[None]:
    """Keep ``httpcore`` from logging headers: those of a redirect can repeat the address."""
    loggers = [logging.getLogger(f"httpcore.{name}") for name in ("connection", "http11")]
    before = [one.disabled for one in loggers]
    try:
        for one in loggers:
            one.disabled = True
        yield
    finally:
        for one, was in zip(loggers, before, strict=True):
            one.disabled = was


def checked_url(url: str, *, base: httpx.URL | None = None, allow_private: bool) -> httpx.URL:
    """Return ``url`` parsed, relative to ``base``; CaptureError if it must not be fetched."""
    shown = cut(url, 200)
    try:
        parsed = base.join(url) if base is not None else httpx.URL(url.strip())
        host = parsed.host  # this decodes the host, which can fail too
    except (httpx.InvalidURL, ValueError, TypeError) as error:
        raise CaptureError(
            f"{shown!r} is not a URL: {error}.", remedy="Give an address that starts with https://."
        ) from None
    if parsed.scheme not in ("http", "https") or not host:
        raise CaptureError(
            f"{shown!r} cannot be fetched: only http and https addresses with a host can be.",
            remedy="Give an address that starts with https://.",
        )
    if parsed.userinfo:
        raise CaptureError(
            f"The address at {host} contains a user name or a password.",
            remedy="Remove the part before the @; pages behind a login cannot be fetched.",
        )
    if parsed.port not in (None, *PORTS) and not allow_private:
        if is_private_host(host):
            raise private_address(host)
        raise CaptureError(
            f"{shown!r} uses port {parsed.port}; only ports 80 and 443 are allowed.",
            remedy=f"{PASTE} {ALLOW_PRIVATE}",
        )
    return parsed.copy_with(fragment=None)


def _get(
    url: httpx.URL,
    network: Network,
    max_bytes: int,
    content_types: Collection[str],
    known: Version,
) -> Fetched | str:
    """Return the response at ``url``, or the address of its redirect."""
    accept = {} if content_types is CONTENT_TYPES else {"Accept": ",".join(sorted(content_types))}
    with _answer(url, network, HEADERS | accept | known.headers) as answer:
        headers = httpx.Headers(answer.headers)
        if answer.status == 304 and known.headers:
            return Fetched(str(url), None, None, b"", known, unchanged=True)
        if answer.status in REDIRECTS and headers.get("location"):
            return headers["location"]
        _refuse_status(url, answer.status)
        content_type, charset = _content_type(url, headers.get("content-type"), content_types)
        if headers.get("content-length", "").isdigit():
            _refuse_size(url, int(headers["content-length"]), max_bytes)
        data = _body(url, answer, headers, max_bytes)
        version = Version(_short(headers.get("etag")), _short(headers.get("last-modified")))
        return Fetched(str(url), content_type, charset, data, version)


def _short(header: str | None) -> str | None:
    """Return a header to send back; None if it is longer than any that makes sense."""
    if header is None or len(header) > 500 or not (header.isascii() and header.isprintable()):
        return None
    return header


@contextlib.contextmanager
def _answer(
    url: httpx.URL,
    network: Network,
    headers: Mapping[str, str],
    method: str = "GET",
    content: bytes | None = None,
) -> Iterator[httpcore.Response]:
    """Yield the answer to a request, whose body is not read yet; its errors are translated."""
    sent = [("Host", url.netloc.decode("ascii")), *headers.items()]
    pool = httpcore.ConnectionPool(ssl_context=_ssl_context(), network_backend=network)
    with (
        _translated(url, network.seconds),
        pool,
        pool.stream(method, _target(url), headers=sent, content=content) as answer,
    ):
        yield answer


def _body(
    url: httpx.URL, answer: httpcore.Response, headers: httpx.Headers, max_bytes: int
) -> bytes:
    """Return the decoded body, which is read up to its limit."""
    data = bytearray()
    encoding = headers.get("content-encoding", "").strip().lower()
    for chunk in _decompressed(url, answer.iter_stream(), encoding, max_bytes):
        data += chunk
        _refuse_size(url, len(data), max_bytes)
    return bytes(data)


@cache
def _ssl_context() -> ssl.SSLContext:
    """Return the context for certificates, which takes a tenth of a second to make."""
    return httpx.create_ssl_context()


def _target(url: httpx.URL) -> httpcore.URL:
    return httpcore.URL(
        scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path
    )


def _name(url: httpx.URL) -> str:
    return cut(url.host, 80)


@contextlib.contextmanager
def _translated(url: httpx.URL, seconds: float) -> Iterator[None]:
    """Translate network errors into NoAnswer."""
    try:
        yield
    except httpcore.TimeoutException as error:
        kind = Unreached if isinstance(error, httpcore.ConnectTimeout) else NoAnswer
        raise kind(
            f"{_name(url)} did not answer within {seconds:g} seconds.",
            remedy="Try again later. " + PASTE,
        ) from None
    except (httpcore.NetworkError, ssl.SSLError, OSError) as error:
        kind = Unreached if isinstance(error, httpcore.ConnectError) else NoAnswer
        raise kind(
            f"{_name(url)} cannot be reached: {_reason(error)}.",
            remedy="Check the address and your connection.",
        ) from None
    except (httpcore.ProtocolError, httpcore.UnsupportedProtocol, ValueError) as error:
        raise NoAnswer(
            f"{_name(url)} did not answer like a web server: {_reason(error)}.", remedy=PASTE
        ) from None


def _reason(error: Exception) -> str:
    return str(error).rstrip(".") or type(error).__name__


def _refuse_status(url: httpx.URL, status: int) -> None:
    if status == 200:
        return
    if status in (401, 402, 403, 407, 451):
        problem, remedy = "does not show this page to everyone", PASTE
    elif status in (404, 410):
        problem, remedy = "has no such page", "Check the address."
    elif status == 429 or status >= 500:
        problem, remedy = "cannot answer now", "Try again later. " + PASTE
    else:
        problem, remedy = "did not send the page", PASTE
    raise CaptureError(f"{_name(url)} {problem} (HTTP status {status}).", remedy=remedy)


def _refuse_size(url: httpx.URL, size: int, max_bytes: int) -> None:
    if size > max_bytes:
        raise CaptureError(f"{_name(url)} sent more than {max_bytes / 1e6:g} MB.", remedy=PASTE)


def _content_type(
    url: httpx.URL, header: str | None, accepted: Collection[str]
) -> tuple[str | None, str | None]:
    """Return the header's media type and charset; CaptureError if the type is not accepted."""
    if header is None:
        return None, None
    media = header.partition(";")[0].strip().lower()
    charset = re.search(r"charset\s*=\s*[\"']?([\w.:-]+)", header, re.IGNORECASE)
    if media and media not in accepted:
        kind = "a PDF" if media == "application/pdf" else f"{media[:80]!r}"
        if accepted is not CONTENT_TYPES:
            raise CaptureError(f"{_name(url)} sent {kind} instead of data.")
        raise CaptureError(
            f"{_name(url)} sent {kind}; articles can be read from HTML and plain text only.",
            remedy="Open it and paste its text instead.",
        )
    return media or None, charset[1] if charset else None


def _decompressed(
    url: httpx.URL, chunks: Iterable[bytes], encoding: str, max_bytes: int
) -> Iterator[bytes]:
    """Yield the decoded body in limited pieces: a few kilobytes can unpack to gigabytes."""
    if encoding in ("identity", ""):
        yield from chunks
        return
    if encoding not in ("gzip", "x-gzip", "deflate"):
        raise CaptureError(
            f"{_name(url)} sent the page compressed as {encoding[:40]!r}, which is not supported.",
            remedy=PASTE,
        )
    decoder = zlib.decompressobj(zlib.MAX_WBITS | 32)  # detects a gzip or a zlib header
    sent = 0
    try:
        for chunk in chunks:
            if not sent and encoding == "deflate" and chunk and chunk[0] & 0x0F != 8:
                decoder = zlib.decompressobj(-zlib.MAX_WBITS)  # some servers omit the header
            sent += len(chunk)
            _refuse_size(url, sent, max_bytes)
            yield decoder.decompress(chunk, max_bytes + 1)
    except zlib.error as error:
        raise NoAnswer(
            f"{_name(url)} sent a compressed page that cannot be unpacked ({error}).", remedy=PASTE
        ) from None
    if not decoder.eof:
        raise NoAnswer(f"The page at {_name(url)} breaks off before its end.", remedy=PASTE)
