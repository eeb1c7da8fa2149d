"""Commands for a person to copy: the next step after the one that printed them."""

from __future__ import annotations

import shlex


def next_step(words: str, *, database: str | None, member: str | None = None) -> str:
    """Return a command line with ``words``, on the ledger and as the member that were named."""
    named = {"--database": database, "--as": member}
    options = [f" {name} {shlex.quote(value)}" for name, value in named.items() if value]
    return f"forecasts {words}{''.join(options)}"
