"""The words and the looks of fields and buttons, and the notes beside them, from ``texts.toml``."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

_TEXTS: dict[str, dict[str, Any]] = tomllib.loads(
    Path(__file__).with_suffix(".toml").read_text(encoding="utf-8")
)


def look(name: str, key: str = "") -> dict[str, Any]:
    """Return a field's label, help, placeholder and size, as keywords of its widget.

    ``name``: its form and its own name, with a dot between them. ``key``: the form's; the field's
    key is made of it and its own name.
    """
    form, _, own = name.partition(".")
    return {**_TEXTS[form][own], **({"key": f"{key}-{own}"} if key else {})}


def note(name: str) -> str:
    """Return a note, in Markdown. ``name``: its part of the app and its own name, with a dot."""
    part, _, own = name.partition(".")
    return str(_TEXTS[part][own])
