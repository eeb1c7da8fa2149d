"""The manifest that marks a folder of parts. A command looks for it before slow imports."""

from __future__ import annotations

import os
from pathlib import Path

MANIFEST = "parts.json"


def is_parts(folder: Path) -> bool:
    """Return whether this is a folder of parts."""
    return os.path.isfile(folder / MANIFEST)
