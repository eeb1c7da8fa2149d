"""Decoding the bytes of a file or a server's response into clean text.

The character set is determined as browsers do: byte order mark, HTTP header, the page's own
declaration, UTF-8, and finally a guess. In pages with mixed encodings, bytes that are not UTF-8
are read as Windows-1252, which is the usual cause.
"""

from __future__ import annotations

import codecs
import re

from forecasts.common.errors import CaptureError

# Multi-byte marks first: UTF-32 begins like UTF-16.
_MARKS = [
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
]
# Python also has codecs that unpack or unescape; a page must not choose one of those.
_TEXT_CODECS = re.compile(
    r"utf-?(?:8|16|32)(?:-?[lb]e)?|iso-?8859-\d+|cp\d+|koi8-[rut]|shift_jis\w*|euc_\w+|gb\w*"
    r"|big5\w*|iso2022_jp\w*|mac-\w+|ascii|tis-620|johab"
)
_META_CHARSET = re.compile(
    rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([\w.:-]{2,40})", re.IGNORECASE
)
_SIGNATURES = {
    b"%PDF-": "a PDF",
    b"PK\x03\x04": "a ZIP archive or an office document",
    b"\xd0\xcf\x11\xe0": "an office document",
    b"{\\rtf": "an RTF document",
    **dict.fromkeys((b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"II*\0", b"MM\0*"), "an image"),
    b"RIFF": "an image, a sound or a film",
    b"\x1f\x8b": "a compressed file",
    b"SQLite format 3": "a database",
}
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\x7f-\x84\x86-\x9f\ufdd0-\ufdef\ufffe\uffff]")
_INVISIBLE = re.compile(r"[\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff\u00ad]")
_HTML = re.compile(
    r"<!doctype html|<(?:html|head|body|article|main|section|div|p|h1|meta|title|table)\b[^<>]*>",
    re.IGNORECASE,
)
MAX_GARBAGE = 0.02  # share of characters that do not occur in text
MAX_STRAYS = 2_000  # bytes that are read as Windows-1252; a text with more is not UTF-8


def _as_western(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeDecodeError)
    return error.object[error.start : error.end].decode("cp1252", "replace"), error.end


codecs.register_error("forecasts.western", _as_western)


def to_text(data: bytes, charset: str | None = None) -> str:
    """Return the text in ``data``, without control and invisible characters.

    ``charset`` comes from the server. Raises ``CaptureError`` for PDFs, images and other files
    that are not text.
    """
    start = data.lstrip(b"\r\n\t ")[:20]
    for signature, kind in _SIGNATURES.items():
        if start.startswith(signature):
            raise CaptureError(
                f"This is {kind}; articles can be read from HTML and plain text only.",
                remedy="Open it, copy the article's text and paste it.",
            )
    return clean(_decoded(data, charset))


def clean(text: str) -> str:
    r"""Return ``text`` with ``\n`` as line end, without characters that cannot be shown or stored.

    Raises ``CaptureError`` if it has too many of them to be text.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    text = text.encode("utf-8", "replace").decode("utf-8")  # lone surrogates become "?"
    kept, garbage = _CONTROL.subn("", text)
    garbage += kept.count("\ufffd")
    if garbage > 4 and garbage > MAX_GARBAGE * len(text):
        raise CaptureError(
            f"This is not text: {garbage} of {len(text)} characters cannot be read.",
            remedy="Save the page as HTML or plain text in UTF-8, or paste its text.",
        )
    return _INVISIBLE.sub("", kept)


def looks_like_html(text: str) -> bool:
    """Return whether a text is HTML, judged by its beginning."""
    start = text.lstrip()[:2000]
    found = len(_HTML.findall(start))
    return found > 0 and (start.startswith("<") or found >= 3)


def _decoded(data: bytes, charset: str | None) -> str:
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return data[len(mark) :].decode(encoding, "replace")
    named = _META_CHARSET.search(data[:4096])
    for label in (charset, named[1].decode("ascii", "replace") if named else None):
        if (encoding_named := _codec(label)) == "utf-8":
            break
        if encoding_named is not None:
            return data.decode(encoding_named, "replace")
    good, marked = (data.decode("utf-8", errors) for errors in ("ignore", "replace"))
    strays = len(marked) - len(good)
    # Text in another encoding rarely has a multi-byte character of UTF-8 by chance.
    if len(good) - len(good.encode("ascii", "ignore")) >= strays:
        return data.decode("utf-8", "forecasts.western" if strays <= MAX_STRAYS else "replace")
    if data.count(0) > len(data) // 5:
        zeros = (data[0::2].count(0), data[1::2].count(0))
        return data.decode("utf-16-be" if zeros[0] > zeros[1] else "utf-16-le", "replace")
    from charset_normalizer import from_bytes  # slow to import, and rarely needed

    guess = from_bytes(data[:20_000]).best()
    if guess is not None and not _is_western(guess.encoding) and _codec(guess.encoding):
        return data.decode(guess.encoding, "replace")
    return data.decode("cp1252", "replace")


def _codec(label: str | None) -> str | None:
    """Return Python's name of a text encoding, or None if there is no such encoding."""
    try:
        name = codecs.lookup((label or "").strip()).name
    except (LookupError, ValueError):
        return None
    if name in ("ascii", "iso8859-1"):
        return "cp1252"  # as in browsers, because pages labelled Latin-1 use Windows-1252
    return name if _TEXT_CODECS.fullmatch(name) else None


def _is_western(encoding: str) -> bool:
    # Guesses confuse the Western encodings of short texts; Windows-1252 is the most common.
    return encoding in {"cp1250", "cp1252", "cp1254", "cp1257", "cp437", "cp850", "cp858"} or (
        encoding.startswith(("latin_1", "iso8859_1", "iso8859_2", "iso8859_9", "mac_", "cp12"))
        and encoding not in {"cp1251", "cp1253", "cp1255", "cp1256"}
    )
