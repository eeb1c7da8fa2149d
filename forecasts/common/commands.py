"""The commands that messages suggest, so that each can be pasted into a shell as it is."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

FILL_IN = "…"  # an argument for the reader to write


def command(name: str, *arguments: str, options: Sequence[str] = ()) -> str:
    """Return a command of this product with its arguments and options, quoted for a shell.

    Names may come from others, by an import or an article, and may hold any characters. If an
    argument begins with a dash, the options come first and ``--`` ends them.

    >>> command("show", "rain; ls", options=["--all"])
    "forecasts show 'rain; ls' --all"
    >>> command("withdraw", "-x", options=["--as", "bob"])
    'forecasts withdraw --as bob -- -x'
    >>> command("revise", "rain", options=["--criteria", FILL_IN])
    'forecasts revise rain --criteria "…"'
    """
    given, chosen = ([_quoted(word) for word in words] for words in (arguments, options))
    if any(argument.startswith("-") for argument in arguments):
        words = [*chosen, "--", *given]
    else:
        words = [*given, *chosen]
    return " ".join(["forecasts", name, *words])


def _quoted(word: str) -> str:
    return f'"{word}"' if word == FILL_IN else shlex.quote(word)
