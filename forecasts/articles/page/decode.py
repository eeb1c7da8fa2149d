"""Bytes, as files and servers give them, to clean text.

The charset is looked for as browsers do: byte order mark, what the server said, what the page
says, UTF-8, and only then a guess. Pages that mix encodings keep their UTF-8 and have the rest
read as Windows-1252, which is what strays into such pages.
"""

from __future__ import annotations

import codecs
import re

from charset_normalizer import from_bytes

from forecasts.common.errors import CaptureError

# Multi-byte marks first: UTF-32 begins like UTF-16.
_MARKS = [
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
]
# Python also has "codecs" that unpack, unescape or loop; a page may not choose one of those.
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
    b"\x89PNG": "an image",
    b"\xff\xd8\xff": "an image",
    b"GIF8": "an image",
    b"II*\x00": "an image",
    b"MM\x00*": "an image",
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
MAX_GARBAGE = 0.02  # share of signs that no text holds


def to_text(data: bytes, charset: str | None = None) -> str:
    """Return the text in ``data``, without control and invisible signs.

    ``charset`` is what the server named. Raises ``CaptureError`` for PDFs, images and other
    files that are not text.
    """
    for signature, what in _SIGNATURES.items():
        if data.lstrip(b"\r\n\t ")[: len(signature)] == signature:
            raise CaptureError(
                f"This is {what}; articles are read from HTML and plain text only.",
                remedy="Open it, copy the article's text and paste that.",
            )
    return clean(_decoded(data, charset))


def clean(text: str) -> str:
    """Return ``text`` with plain line ends and without what cannot be shown or stored.

    Raises ``CaptureError`` where so much goes that it was no text.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    text = text.encode("utf-8", "replace").decode("utf-8")  # lone surrogates become "?"
    kept, garbage = _CONTROL.subn("", text)
    garbage += kept.count("\ufffd")
    if garbage > 4 and garbage > MAX_GARBAGE * len(text):
        raise CaptureError(
            f"This is not text: {garbage} of {len(text)} signs cannot be read.",
            remedy="Save the page as HTML or plain text in UTF-8, or paste its text.",
        )
    return _INVISIBLE.sub("", kept)


def looks_like_html(text: str) -> bool:
    """Return whether a text is an HTML page or a part of one, by how it begins."""
    start = text.lstrip()[:2000]
    found = len(_HTML.findall(start))
    return found > 0 and (start.startswith("<") or found >= 3)


def _decoded(data: bytes, charset: str | None) -> str:
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return data[len(mark) :].decode(encoding, "replace")
    named = _META_CHARSET.search(data[:4096])
    for label in (charset, named[1].decode("ascii", "replace") if named else None):
        encoding_named = _codec(label)
        if encoding_named == "utf-8":
            break
        if encoding_named is not None:
            return data.decode(encoding_named, "replace")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        pass
    mended, broken, sequences = _mended(data)
    if sequences >= broken:
        return mended
    if data.count(0) > len(data) // 5:
        zeros = (data[0::2].count(0), data[1::2].count(0))
        return data.decode("utf-16-be" if zeros[0] > zeros[1] else "utf-16-le", "replace")
    guess = from_bytes(data[:20_000]).best()
    if guess is not None and not _is_western(guess.encoding) and _codec(guess.encoding):
        return data.decode(guess.encoding, "replace")
    return data.decode("cp1252", "replace")


def _codec(label: str | None) -> str | None:
    """Return Python's name of a text encoding, None where the label names no such."""
    if label is None:
        return None
    try:
        name = codecs.lookup(label.strip()).name
    except (LookupError, ValueError):
        return None
    if name in ("ascii", "iso8859-1"):
        return "cp1252"  # as on the web, where Latin-1 was never only that
    return name if _TEXT_CODECS.fullmatch(name) else None


def _is_western(encoding: str) -> bool:
    # For short texts one Western table is guessed for another; Windows' is by far the commonest.
    return encoding in {"cp1250", "cp1252", "cp1254", "cp1257", "cp437", "cp850", "cp858"} or (
        encoding.startswith(("latin_1", "iso8859_1", "iso8859_2", "iso8859_9", "mac_", "cp12"))
        and encoding not in {"cp1251", "cp1253", "cp1255", "cp1256"}
    )


def _mended(data: bytes) -> tuple[str, int, int]:
    """Return UTF-8 with stray bytes read as Windows-1252, their number, and that of sequences.

    A *sequence* is a sign of several bytes, which other encodings hardly ever hold by chance.
    """
    pieces: list[str] = []
    broken = sequences = position = 0
    while position < len(data):
        try:
            good = data[position:].decode("utf-8")
            return "".join([*pieces, good]), broken, sequences + _beyond_ascii(good)
        except UnicodeDecodeError as error:
            # The decoder works on a copy from here on, so many errors would cost the square.
            if broken > 2000:
                return data.decode("utf-8", "replace"), broken, sequences
            good = data[position : position + error.start].decode("utf-8")
            sequences += _beyond_ascii(good)
            pieces.append(good)
            bad = data[position + error.start : position + error.end]
            pieces.append(bad.decode("cp1252", "replace"))
            broken += 1
            position += error.end
    return "".join(pieces), broken, sequences


def _beyond_ascii(text: str) -> int:
    return len(text) - len(text.encode("ascii", "ignore"))
