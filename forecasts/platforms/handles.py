"""The names of forecasters elsewhere as handles, and ids for questions without one."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from unicodedata import normalize

from forecasts.common.errors import Advice


def hashed_id(platform: str, *cells: str) -> str:
    """Return an id for a question without one in the file; equal cells give equal ids."""
    digest = hashlib.sha256("\x1f".join(cells).encode()).hexdigest()
    return f"{platform}-{digest[:16]}"


def handle(name: str) -> str:
    """Return a name as a handle: on one line, without invisible characters as in an emoji.

    An accent is joined to its letter, so that both encodings of "José" are one handle.
    """
    plain = normalize("NFC", " ".join(name.split()))
    return "".join(each for each in plain if each.isprintable())


def apart(name: str, owner: str, platform: str) -> str:
    """Return the handle of someone who is not the owner, even if they have that name elsewhere.

    >>> apart("kate", "kate", "Fatebook"), apart("bob", "kate", "Fatebook")
    ('kate (Fatebook)', 'bob')
    """
    return f"{name} ({platform})" if name == owner else name


def account_handles(names: Mapping[str, str], platform: str, notes: list[Advice]) -> dict[str, str]:
    """Return the handle of each account by its id, from its name on the platform.

    Among accounts with the same name, the lowest id keeps it, so that a newer file does not change
    it; ``notes`` gets a sentence on the others.

    >>> account_handles({"9": "kate", "5": "kate"}, "INFER", [])
    {'5': 'kate', '9': 'kate (INFER 9)'}
    """
    found: dict[str, str] = {}
    taken, others = set(), []
    for id_ in sorted(names, key=lambda one: (len(one), one)):
        own = name = handle(names[id_]) or id_
        while own in taken:  # again if someone has this one as their name
            own = f"{own} ({platform} {id_})"
        if own != name:
            others.append(own)
        taken.add(own)
        found[id_] = own
    if others:
        notes.append(
            f"Accounts with the same name on {platform} are different forecasters: "
            f"{', '.join(others)}."
        )
    return found
