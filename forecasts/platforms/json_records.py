"""The objects of a JSON file, taken one after another, so that they need little memory."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator
from typing import Any

from forecasts.common.errors import BadInput
from forecasts.platforms.source import AS_WRITTEN, DECODER, JSON_BYTES, Source, json_fault

_FIRST_FIELD = re.compile(r'\s*\{\s*"([^"\\]{0,100})"\s*:')
_SPACE = re.compile(r"[ \t\r\n]*")


def records(
    source: Source, name: str, lists: Collection[str] = (), *, most_bytes: int = JSON_BYTES
) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the number and the fields of each object, from 1.

    The file is a list of objects, has them one after another, as JSON lines have, or is one object
    with lists of them, whose first field is one of ``lists``. BadInput for any other file.
    """
    number = 0
    try:
        values = _values(_Text(source.text(name, most_bytes)), lists)
        for number, value in enumerate(values, 1):
            if not isinstance(value, dict):
                raise ValueError("it is not an object")
            yield number, value
    except (ValueError, RecursionError) as error:
        fault = error.msg if isinstance(error, json.JSONDecodeError) else json_fault(error)
        raise BadInput(
            f"{name} cannot be read after record {number:,}: {fault}.", remedy=AS_WRITTEN
        ) from None


class _Text:
    """A text, and the place up to which it was taken."""

    def __init__(self, text: str) -> None:
        self.text, self.at = text, 0

    def peek(self) -> str:
        """Return the next character that is not a space; '' at the end."""
        space = _SPACE.match(self.text, self.at)
        assert space is not None
        self.at = space.end()
        return self.text[self.at : self.at + 1]

    def take(self, character: str) -> bool:
        """Return whether the next character is this one, which is then passed over."""
        found = self.peek() == character
        self.at += found
        return found

    def value(self) -> Any:
        """Return the next JSON value, which is passed over."""
        self.peek()
        value, self.at = DECODER.raw_decode(self.text, self.at)
        return value

    def expect(self, character: str) -> None:
        """Take the character; ValueError if another one follows."""
        if not self.take(character):
            raise ValueError(f"it lacks {character!r}")

    def goes_on(self, bracket: str) -> bool:
        """Return whether a comma follows, or else the bracket that ends a list or an object."""
        if self.take(","):
            return True
        if not self.take(bracket):
            raise ValueError("it lacks a comma" if self.peek() else "it ends in the middle")
        return False


def _values(text: _Text, lists: Collection[str]) -> Iterator[Any]:
    first = _FIRST_FIELD.match(text.text)
    if text.peek() == "[":
        yield from _listed(text)
    elif first is not None and first[1] in lists:
        text.take("{")
        has_more = True
        while has_more:
            text.value()  # the field's name
            text.expect(":")
            if text.peek() == "[":
                yield from _listed(text)
            else:
                text.value()
            has_more = text.goes_on("}")
    else:
        while text.peek():
            yield text.value()
        return
    if text.peek():
        raise ValueError("something follows its end")


def _listed(text: _Text) -> Iterator[Any]:
    """Yield the values of the list that begins here."""
    text.take("[")
    has_more = not text.take("]")
    while has_more:
        yield text.value()
        has_more = text.goes_on("]")
