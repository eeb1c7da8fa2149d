"""The objects of a JSON file, whose fields are read with every fault noted."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from forecasts.common import limits
from forecasts.common.errors import Problem
from forecasts.common.text import unstorable_character
from forecasts.folder.cells import BadCell

LAST_TIME = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
_MISSING = (None, "")
_ADDRESS = re.compile(r"https?://[^\s<>\"]+")


class Field(NamedTuple):
    """A field as a reader declares it: its name, its kind (a method of ``Entry``) and its rules."""

    name: str
    kind: str = "text"
    rules: Mapping[str, Any] = {}


REQUIRED = {"required": True}
TITLE = {"required": True, "most": limits.NAME_BYTES}
PROSE = {"most": limits.PROSE_BYTES}


@dataclass(frozen=True)
class Entry:
    """An object of a file, by its place there: 'bets.json, record 12'.

    A field that is missing, null or blank is '', NaN, None or []; ``required`` ones are then noted.
    Faults go to ``problems``, which the entries of a file share.
    """

    place: str
    fields: dict[str, Any]
    problems: list[Problem] = field(default_factory=list, repr=False)

    def __contains__(self, name: str) -> bool:
        return self.fields.get(name) not in _MISSING

    def cells(self, fields: Mapping[str, Field]) -> dict[str, Any]:
        """Return the declared fields, by the ledger's names."""
        return {
            ours: getattr(self, one.kind)(one.name, **one.rules) for ours, one in fields.items()
        }

    def wrong(self, name: str, rule: str) -> None:
        """Note that a field breaks a rule."""
        value = self.fields.get(name)
        shown = value if isinstance(value, str) else "" if value is None else repr(value)
        self.problems.append(BadCell(f"{self.place}, field {name}", shown, rule))

    def text(self, name: str, *, required: bool = False, most: int = limits.TEXT_BYTES) -> str:
        """Return a text; a number is taken as its digits, since ids are either."""
        value = self.fields.get(name)
        if isinstance(value, int) and not isinstance(value, bool):
            value = str(value)
        if value in _MISSING:
            if required:
                self.wrong(name, "required")
            return ""
        if not isinstance(value, str):
            self.wrong(name, "a text")
        elif character := unstorable_character(value):
            self.wrong(name, f"without {character}, which a ledger cannot store")
        elif len(value) * 4 > most and (size := len(value.encode())) > most:
            at_most = limits.format_bytes(most)
            self.wrong(name, f"at most {at_most}; this has {limits.format_bytes(size)}")
        else:
            return value
        return ""

    def name(self, name: str, *, required: bool = False) -> str:
        """Return an id or a handle: one line, short enough to be indexed."""
        text = self.text(name, required=required, most=limits.NAME_BYTES).strip()
        if not text.isprintable():
            self.wrong(name, "printable characters on one line")
            return ""
        return text

    def address(self, name: str) -> str:
        """Return a web address."""
        text = self.text(name, most=limits.NAME_BYTES)
        if text and not _ADDRESS.fullmatch(text):
            self.wrong(name, "an address that begins with https://")
            return ""
        return text

    def number(
        self, name: str, *, low: float = -math.inf, high: float = math.inf, required: bool = False
    ) -> float:
        """Return a finite number from ``low`` to ``high``; a text of digits is one too."""
        value = self.fields.get(name)
        if value in _MISSING:
            if required:
                self.wrong(name, "required")
            return math.nan
        try:
            number = math.nan if isinstance(value, bool) else float(value)
        except (TypeError, ValueError, OverflowError):
            number = math.nan
        if not math.isfinite(number):
            self.wrong(name, "a number")
        elif not low <= number <= high:
            self.wrong(name, f"from {low:g} to {high:g}")
        else:
            return number + 0.0
        return math.nan

    def flag(self, name: str) -> bool:
        """Return true or false; missing is false."""
        value = self.fields.get(name)
        if value is not None and not isinstance(value, bool):
            self.wrong(name, "true, false or null")
        return value is True

    def time(
        self, name: str, *, required: bool = False, zone: ZoneInfo | None = None
    ) -> datetime | None:
        """Return an ISO 8601 time in UTC; one without an offset needs a ``zone``."""
        text = self.text(name, required=required).strip()
        if not text:
            return None
        try:
            found = datetime.fromisoformat(text)
            if found.tzinfo is None and zone is not None:
                found = found.replace(tzinfo=zone)
            if found.tzinfo is not None:
                return found.astimezone(UTC)
            rule = "a time with an offset or Z"
        except OverflowError:
            rule = "a time in the years 1 to 9999 in UTC"
        except ValueError:
            rule = "an ISO 8601 time with an offset or Z, as in 2025-10-30T14:00:00Z"
        self.wrong(name, rule)
        return None

    def values(self, name: str, kind: type, *, short: bool = True) -> list[Any]:
        """Return a list of texts, if ``short`` each as a name may be, or of objects."""
        value = self.fields.get(name)
        if value in _MISSING:
            return []
        if not isinstance(value, list) or not all(isinstance(one, kind) for one in value):
            self.wrong(name, f"a list of {'texts' if kind is str else 'objects'}")
        elif kind is str and any(map(unstorable_character, value)):
            self.wrong(name, "texts that a ledger can store")
        elif kind is str and short and any(len(one.encode()) > limits.NAME_BYTES for one in value):
            self.wrong(name, f"texts of at most {limits.format_bytes(limits.NAME_BYTES)}")
        else:
            return value
        return []

    def entry(self, name: str) -> Entry:
        """Return the object in a field; an empty one if it is missing."""
        value = self.fields.get(name)
        if value is not None and not isinstance(value, dict):
            self.wrong(name, "an object")
        return Entry(
            f"{self.place}, {name}", value if isinstance(value, dict) else {}, self.problems
        )

    def entries(self, name: str, most: int = limits.ENTRIES) -> list[Entry]:
        """Return the objects of a list in a field, at most ``most``."""
        found = self.values(name, dict)
        if len(found) > most:
            self.problems.append(
                BadCell(
                    f"{self.place}, field {name}", f"{len(found):,} entries", f"at most {most:,}"
                )
            )
            return []
        return [
            Entry(f"{self.place}, {name} {number}", value, self.problems)
            for number, value in enumerate(found, 1)
        ]


def plain_words(text: str) -> str:
    """Return the words of HTML, with a line for each paragraph; other text as it is."""
    if "<" not in text or not text.strip():
        return text.strip()
    import lxml.html  # type: ignore[import-untyped]  # slow to import

    tree = lxml.html.fromstring(f"<div>{text}</div>")
    for block in tree.iter("p", "br", "li", "div"):
        block.tail = "\n" + (block.tail or "")
    return "\n".join(filter(None, map(str.strip, tree.text_content().splitlines())))
