"""User text without the invisible characters that have an effect.

Escaping markup is the task of each format's writer: HTML, Markdown and CSV. This module handles
the characters that control a terminal, change the text direction, hide, or are not text at all.
The ledger stores text as entered, except for characters that are not text; output for a person
goes through this module.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from forecasts.common.errors import BadInput

# Joiners (needed by emoji and many scripts), direction marks and soft hyphens stay: they affect
# only their neighbours. Line feeds and tabs stay too.
_INVISIBLE = re.compile(
    "[\\x00-\\x08\\x0b-\\x1f\\x7f-\\x9f"  # control characters
    "\\xad\\u180e\\u200b\\u2060-\\u2065\\ufeff\\ufff9-\\ufffb\\U000e0000-\\U000e007f"  # hidden
    "\\u2028-\\u202e\\u2066-\\u206f"  # other line ends and direction overrides
    "\\ud800-\\udfff\\ufffe\\uffff]"  # not text
)
_LINE_ENDS = re.compile("\r\n|[\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
_FORMULA = re.compile(
    r"^(?=[\s\x00\u200b\ufeff]*[=+\-@＝＋－＠]|[\t\r\n])"
    r"|(?<=[;\t\r\n])(?=(?:[^\S\t\r\n]|[\x00\u200b\ufeff])*[=+\-@＝＋－＠])"
)
# Names of devices on Windows, with any ending too.
_DEVICES = {"con", "prn", "aux", "nul", *(f"{one}{n}" for one in ("com", "lpt") for n in range(10))}
_NOT_TEXT = re.compile("[\\x00\\ud800-\\udfff]")


def printable(text: str) -> str:
    r"""Return ``text`` without invisible control characters; tabs stay, line ends become ``\n``.

    >>> printable("\x1b[31mred\x1b[0m"), printable("safe\u202eexe"), printable("one\r\ntwo")
    ('[31mred[0m', 'safeexe', 'one\ntwo')
    """
    return text if text.isprintable() else _INVISIBLE.sub("", _LINE_ENDS.sub("\n", text))


def on_one_line(text: str) -> str:
    r"""Return ``printable(text)`` with one space for each run of white space.

    >>> on_one_line("one\r\n\ttwo")
    'one two'
    """
    return " ".join(printable(text).split())


def without_formulas(text: str) -> str:
    """Return ``printable(text)`` so that a spreadsheet does not read any part as a formula.

    An apostrophe is inserted before each character that would begin a formula, ASCII or
    full-width, also after spaces, and after a semicolon, a tab or a line end, where some
    spreadsheets begin the next cell.

    >>> without_formulas("=1+1"), without_formulas(" ＝1"), without_formulas("x;@SUM(1)")
    ("'=1+1", "' ＝1", "x;'@SUM(1)")
    >>> without_formulas("a-b")
    'a-b'
    """
    return _FORMULA.sub("'", printable(text))


def file_stems(slugs: Sequence[str]) -> list[str]:
    """Return a file name for each slug that differs from the others, and is one, on any disk.

    >>> file_stems(["rain", "Rain", "snow.", "con"])
    ['rain', 'Rain-2', 'snow_', '_con']
    """
    taken: set[str] = set()
    stems = []
    for slug in slugs:
        plain = slug if slug[-1] != "." else f"{slug[:-1]}_"
        if plain.partition(".")[0].casefold() in _DEVICES:
            plain = f"_{plain}"
        stem, again = plain, 2
        while stem.casefold() in taken:
            stem, again = f"{plain}-{again}", again + 1
        taken.add(stem.casefold())
        stems.append(stem)
    return stems


def unstorable_character(text: str) -> str:
    r"""Return the name of the first character that a ledger cannot store, or ''.

    >>> unstorable_character("fine"), unstorable_character("a\x00")
    ('', 'NUL (U+0000)')
    >>> unstorable_character("\ud800")
    'a lone surrogate (U+D800)'
    """
    found = None if text.isprintable() else _NOT_TEXT.search(text)
    if found is None:
        return ""
    return "NUL (U+0000)" if found[0] == "\0" else f"a lone surrogate (U+{ord(found[0]):04X})"


def require_storable(values: Iterable[Any]) -> None:
    """Raise BadInput if one of the values is a text that a ledger cannot store."""
    for value in values:
        if isinstance(value, str) and (character := unstorable_character(value)):
            raise BadInput(
                f"A text contains {character}: {value[:60]!r}.",
                remedy="Remove it; a ledger cannot store it.",
            )


def count(many: float, one: str, more: str = "") -> str:
    """Return a number with its noun: ``more`` of them, or the noun's regular plural.

    >>> count(1, "question"), count(2, "family"), count(1234, "row was", "rows were")
    ('1 question', '2 families', '1,234 rows were')
    >>> count(0.5, "day"), count(3, "piece of evidence")
    ('0.5 days', '3 pieces of evidence')
    """
    if many != 1:
        noun, of, whole = one.partition(" of ")
        regular = f"{noun[:-1]}ies" if noun.endswith("ly") else f"{noun}s"
        one = more or f"{regular}{of}{whole}"
    return f"{_plain(many)} {one}"


def cut(text: str, most: int) -> str:
    """Return the text at most ``most`` characters long; the last one is … if it was cut.

    >>> cut("in full", 7), cut("cut off", 4)
    ('in full', 'cut…')
    """
    return text if len(text) <= most else f"{text[: most - 1]}…"


def shortened(text: str, most: int = 90) -> str:
    """Return the text on one line, cut between words to about ``most`` characters.

    >>> shortened("a text of some length", 10)
    'a text of …'
    """
    line = " ".join(text.split())
    return line if len(line) <= most else line[:most].rsplit(" ", 1)[0].rstrip(",;:.") + " …"


def amount(money: float) -> str:
    """Return a sum of money in at most six decimals, without zeros at their end.

    >>> amount(0), amount(12.5), amount(0.00042), amount(1e-9)
    ('0', '12.5', '0.00042', '<0.000001')
    """
    if 0 < money < 1e-6:
        return "<0.000001"
    return _plain(money)


def _plain(number: float) -> str:
    """Return a number in at most six decimals, without zeros at their end."""
    return f"{number:,.6f}".rstrip("0").rstrip(".")


def counted(many: int, sentence: str) -> str:
    """Return a sentence on a number of things, whose words agree with it; '' without any.

    >>> counted(1, "{n} row{s} {was} repeated."), counted(1200, "{n} row{s} {was} repeated.")
    ('1 row was repeated.', '1,200 rows were repeated.')
    """
    if not many:
        return ""
    forms = {"s": ("", "s"), "was": ("was", "were"), "has": ("has", "have")}
    forms |= {"names": ("names", "name"), "expires": ("expires", "expire")}
    agreed = {word: both[many != 1] for word, both in forms.items()}
    return sentence.format(n=f"{many:,}", **agreed)


def in_words(names: Sequence[str], most: int | None = None) -> str:
    """Return ``a``, ``a and b``, ``a, b and c``; of more than ``most``: ``a, b and 2 more``."""
    if most is not None and len(names) > most:
        names = [*names[:most], f"{len(names) - most:,} more"]
    return " and ".join([", ".join(names[:-1]), names[-1]] if names[1:] else names)
