"""Resolvers: what looks up the outcome of a question. One module a kind, one line a kind here.

A kind is two functions. ``check(settings)`` returns the settings as they are stored, or raises
BadInput: malformed settings are refused when a question gets its resolver, not at three in the
morning. ``look(slug, settings, now, read)`` returns a ``Finding``, or None while there is no answer
yet, or raises a LedgerError that says why it cannot tell. ``read(path)`` gives a file's bytes,
read once a run, so that a thousand questions on one file see the same moment of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from forecasts.errors import BadInput


@dataclass(frozen=True)
class Finding:
    """What a resolver found: the outcome, when it became known, and what says so."""

    outcome: str
    known_at: datetime
    source: str = ""
    note: str = ""


Read = Callable[[str], bytes]
Settings = Mapping[str, Any]


@dataclass(frozen=True)
class Kind:
    """One kind of resolver."""

    check: Callable[[Settings], dict[str, Any]]
    look: Callable[[str, Settings, datetime, Read], Finding | None]


def kinds() -> dict[str, Kind]:
    """Return every kind of resolver by its name."""
    from forecasts.resolvers import outcomes_file

    return {"outcomes_file": Kind(outcomes_file.check, outcomes_file.look)}


def kind(name: str) -> Kind:
    """Return the kind of that name; BadInput names those there are."""
    known = kinds()
    if name not in known:
        raise BadInput(
            f"There is no resolver kind {name!r}.",
            remedy="There are: " + ", ".join(sorted(known)) + ".",
        )
    return known[name]
