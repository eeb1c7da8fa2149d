"""The objects of a JSON file one after another, so that a large file needs little memory."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator
from typing import IO, Any

from forecasts.common import limits
from forecasts.common.errors import BadInput
from forecasts.folder import blocks
from forecasts.platforms.source import JSON_BYTES, Source

_CHUNK = 1 << 20  # characters
_MOST = 4 * limits.TEXT_BYTES  # characters of one record
_LONGEST_NAME = 200  # characters to a field's name, with white space
_COMMA = re.compile(r"[ \t\r\n]*,[ \t\r\n]*(?=[^ \t\r\n])")
_FIRST_FIELD = re.compile(r'\{\s*"([^"\\]{0,100})"\s*:')
_SPACE = re.compile(r"[ \t\r\n]*")
_REMEDY = "Give the file as the platform wrote it."


def records(
    source: Source, name: str, lists: Collection[str] = (), *, most_bytes: int = JSON_BYTES
) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the number and the fields of each object, from 1.

    The file is a list of objects, has them one after another, as JSON lines have, or is one object
    with lists of them, whose first field is one of ``lists``. BadInput for any other file.
    """
    path = source.files[name]
    limits.require_file(path, most_bytes)
    number = 0
    try:
        with path.open(encoding="utf-8-sig") as file:
            for number, value in enumerate(_values(_Text(file), lists), 1):
                if not isinstance(value, dict):
                    raise ValueError("it is not an object")
                yield number, value
    except UnicodeDecodeError:
        blocks.require_utf8(path)
        raise
    except (ValueError, RecursionError) as error:
        fault = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise BadInput(
            f"{name} cannot be read after record {number:,}: {fault}.", remedy=_REMEDY
        ) from None


class _Text:
    """The text of a file, of which a part is kept."""

    def __init__(self, file: IO[str]) -> None:
        self._file, self._text, self._at = file, "", 0
        self._decoder = json.JSONDecoder(parse_constant=_no_constant)

    def peek(self) -> str:
        """Return the next character that is not a space; '' at the end."""
        while True:
            space = _SPACE.match(self._text, self._at)
            assert space is not None
            self._at = space.end()
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._read():
                return ""

    def begins(self, fields: Collection[str]) -> bool:
        """Return whether an object begins here whose first field is one of these."""
        self.peek()
        while len(self._text) - self._at < _LONGEST_NAME and self._read():
            pass
        found = _FIRST_FIELD.match(self._text, self._at)
        return found is not None and found[1] in fields

    def take(self, characters: str) -> str:
        """Return the next character, which is one of these and is passed over; else ''."""
        found = self.peek()
        if not found or found not in characters:
            return ""
        self._at += 1
        return found

    def next_listed(self) -> bool:
        """Return whether a comma and a value follow; the comma is passed over. For speed."""
        found = _COMMA.match(self._text, self._at)
        if found is None:
            return False
        self._at = found.end()
        return True

    def value(self) -> Any:
        """Return the next JSON value, which is passed over."""
        if not self._text[self._at : self._at + 1].strip():
            self.peek()
        while True:
            try:
                value, end = self._decoder.raw_decode(self._text, self._at)
            except json.JSONDecodeError as error:
                if len(self._text) - self._at > _MOST or not self._read():
                    raise ValueError(error.msg) from None
            else:
                # A number at the end of the part can go on in the next.
                if end < len(self._text) or not self._read():
                    self._at = end
                    return value

    def _read(self) -> bool:
        more = self._file.read(_CHUNK)
        if more:
            self._text, self._at = self._text[self._at :] + more, 0
        return bool(more)


def _values(text: _Text, lists: Collection[str]) -> Iterator[Any]:
    if text.take("["):
        yield from _listed(text)
    elif text.begins(lists):
        text.take("{")
        while not text.take("}"):
            text.value()  # the field's name
            _expect(text, ":")
            if text.take("["):
                yield from _listed(text)
            else:
                text.value()
            if not text.take(","):
                _expect_end(text, "}")
    else:
        while text.peek():
            yield text.value()
        return
    if text.peek():
        raise ValueError("something follows its end")


def _listed(text: _Text) -> Iterator[Any]:
    """Yield the values of a list, whose bracket is passed over."""
    while not text.take("]"):
        yield text.value()
        while text.next_listed():
            yield text.value()
        if not text.take(","):
            _expect_end(text, "]")


def _expect(text: _Text, character: str) -> None:
    if not text.take(character):
        raise ValueError(f"it lacks {character!r}")


def _expect_end(text: _Text, bracket: str) -> None:
    if text.peek() != bracket:
        raise ValueError("it lacks a comma" if text.peek() else "it ends in the middle")


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not a number in JSON")
