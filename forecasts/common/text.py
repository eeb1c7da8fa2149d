"""Everyone's words without the signs that nobody sees and that act all the same.

Markup is the business of whoever writes it: HTML, Markdown and CSV each escape what they read. What
is left are signs that command a terminal, turn the direction of the words around them, hide, or are
no text at all. The ledger keeps them as they came (but for what no text is); what shows words to a
person takes them out here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from forecasts.common.errors import BadInput

# Joiners (emoji and many scripts need them), marks of direction and the soft blank stay: they do
# something to their neighbours only. A line feed and a tab stay too.
_UNSEEN = re.compile(
    "[\\x00-\\x08\\x0b-\\x1f\\x7f-\\x9f"  # control signs
    "\\xad\\u180e\\u200b\\u2060-\\u2065\\ufeff\\ufff9-\\ufffb\\U000e0000-\\U000e007f"  # hidden
    "\\u2028-\\u202e\\u2066-\\u206f"  # other ends of a line, and what turns directions
    "\\ud800-\\udfff\\ufffe\\uffff]"  # no text
)
_LINE_ENDS = re.compile("\r\n|[\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
_FORMULA = re.compile(
    r"^(?=[\s\x00\u200b\ufeff]*[=+\-@＝＋－＠]|[\t\r\n])"
    r"|(?<=[;\t\r\n])(?=(?:[^\S\t\r\n]|[\x00\u200b\ufeff])*[=+\-@＝＋－＠])"
)
_NO_TEXT = re.compile("[\\x00\\ud800-\\udfff]")


def plain(words: str) -> str:
    r"""Return ``words`` without what acts unseen; lines end in a line feed, and tabs stay.

    >>> plain("\x1b[31mred\x1b[0m"), plain("safe\u202eexe"), plain("one\r\ntwo")
    ('[31mred[0m', 'safeexe', 'one\ntwo')
    """
    return words if words.isprintable() else _UNSEEN.sub("", _LINE_ENDS.sub("\n", words))


def on_one_line(words: str) -> str:
    r"""Return ``plain(words)`` with a blank for each stretch of white space.

    >>> on_one_line("one\r\n\ttwo")
    'one two'
    """
    return " ".join(plain(words).split())


def inert(words: str) -> str:
    """Return ``plain(words)`` so that no spreadsheet takes it, or a part of it, for a formula.

    An apostrophe is put before whatever would begin one: a sign of its own or in full width, also
    behind blanks, and behind a semicolon, a tab or an end of line, where spreadsheets of many
    countries begin the next cell.

    >>> inert("=1+1"), inert(" ＝1"), inert("x;@SUM(1)"), inert("a-b")
    ("'=1+1", "' ＝1", "x;'@SUM(1)", 'a-b')
    """
    return _FORMULA.sub("'", plain(words))


def no_text(words: str) -> str:
    r"""Return the first sign that no ledger can store, by its name; '' where all is well.

    >>> no_text("fine"), no_text("a\x00"), no_text("\ud800")
    ('', 'NUL (U+0000)', 'a lone surrogate (U+D800)')
    """
    found = None if words.isprintable() else _NO_TEXT.search(words)
    if found is None:
        return ""
    return "NUL (U+0000)" if found[0] == "\0" else f"a lone surrogate (U+{ord(found[0]):04X})"


def require_text(values: Iterable[Any]) -> None:
    """Refuse, with BadInput, values of which one is a text that no ledger can store."""
    for value in values:
        if isinstance(value, str) and (sign := no_text(value)):
            raise BadInput(
                f"A text has {sign} in it: {value[:60]!r}.",
                remedy="Take it out; no ledger stores it.",
            )
