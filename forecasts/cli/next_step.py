"""The next command to type, printed for the user to copy."""

from __future__ import annotations

import re
import shlex

# The password in a URL, between the user name and the host.
_PASSWORD = re.compile(r"(?<=://)([^:@/]*):[^/]*@")


def next_step(words: str, *, database: str | None, member: str | None = None) -> str:
    """Return ``forecasts`` with ``words`` and the given ``--database`` and ``--as`` options.

    A password in the ledger's URL is replaced.
    """
    shown = None if database is None else _PASSWORD.sub(r"\1:PASSWORD@", database)
    named = {"--database": shown, "--as": member}
    options = [f" {name} {shlex.quote(value)}" for name, value in named.items() if value]
    return f"forecasts {words}{''.join(options)}"
