"""The files of parts and of scores: their hashes, their manifests, and changes to them."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from forecasts.common.errors import BadInput
from forecasts.common.json_text import json_text

AGAIN = "Make the parts again: forecasts partition INPUT --into NEW"


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file's bytes, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_json(path: Path, document: Any) -> None:
    """Write a document as JSON. The file has the old content or the new, never half of it."""
    draft = path.with_name(f".{path.name}")
    draft.write_text(json_text(document), encoding="utf-8")
    draft.replace(path)


def changed(path: Path) -> BadInput:
    """Return the error of a file of parts that is not as their manifest lists it."""
    return BadInput(f"{path} was changed after its parts were made.", remedy=AGAIN)
