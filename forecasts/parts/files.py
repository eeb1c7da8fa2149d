"""The files of parts and of scores: their names, hashes and manifests, and faults in them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from forecasts.common.errors import BadInput, Remedy
from forecasts.common.json_text import json_text

AGAIN = Remedy("Make the parts again: {}", "partition", "INPUT", into="NEW")


def part_of(question_id: str, parts: int) -> int:
    """Return the number of the part, of this many, that a question belongs to.

    >>> part_of("will-it-rain", 16)
    11
    """
    return int(parts_of([question_id], parts)[0])


def parts_of(question_ids: Iterable[str], parts: int) -> npt.NDArray[np.int64]:
    """Return ``part_of`` of each question."""
    hashes = [hashlib.md5(each.encode(), usedforsecurity=False).digest() for each in question_ids]
    return np.frombuffer(b"".join(hashes), dtype=">u4")[::4].astype(np.int64) % parts


def part_file(table: str, part: int) -> str:
    """Return the path of a part within its folder.

    >>> part_file("forecasts", 7)
    'forecasts/part-00007.parquet'
    """
    return f"{table}/part-{part:05d}.parquet"


def require_own(question_ids: Sequence[str], part: int, parts: int) -> None:
    """Raise BadInput if one of these questions belongs to another part: it could be in both."""
    belongs = parts_of(question_ids, parts)
    others = np.flatnonzero(belongs != part)
    if len(others):
        first = others[0]
        more = f"; {len(others):,} questions are in the wrong part" if len(others) > 1 else ""
        raise BadInput(
            f"{part_file('questions', part)} has the question {question_ids[first]!r}, which "
            f"belongs to part {belongs[first]}{more}.",
            remedy=AGAIN,
        )


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file's bytes, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_json(path: Path, document: Any) -> None:
    """Write a document as JSON. The file has the old content or the new, never half of it."""
    draft = path.with_name(f".{path.name}")
    try:
        draft.write_text(json_text(document), encoding="utf-8")
        draft.replace(path)
    except OSError:
        draft.unlink(missing_ok=True)
        raise


def changed(path: Path) -> BadInput:
    """Return the error for a file of parts that does not match their manifest."""
    return BadInput(f"{path} was changed after its parts were made.", remedy=AGAIN)
