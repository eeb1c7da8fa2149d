"""The name of a folder of parts' manifest. A command can look for it before it imports anything."""

from __future__ import annotations

import os
from pathlib import Path

MANIFEST = "parts.json"


def is_parts(folder: Path) -> bool:
    """Return whether this is a folder of parts."""
    return os.path.isfile(folder / MANIFEST)
