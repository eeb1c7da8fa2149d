"""Commands for a person to copy: the next step after the one that printed them."""

from __future__ import annotations

import re
import shlex

# What stands between the role and the host of a URL.
_PASSWORD = re.compile(r"(?<=://)([^:@/]*):[^/]*@")


def next_step(words: str, *, database: str | None, member: str | None = None) -> str:
    """Return a command line with ``words``, on the ledger and as the member that were named.

    A password in the ledger's URL is not repeated.
    """
    shown = None if database is None else _PASSWORD.sub(r"\1:PASSWORD@", database)
    named = {"--database": shown, "--as": member}
    options = [f" {name} {shlex.quote(value)}" for name, value in named.items() if value]
    return f"forecasts {words}{''.join(options)}"
