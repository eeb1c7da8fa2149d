"""What a writer of another platform's format has written, and what the format has no place for.

Each format's module has one function:

    write(frames: Frames, path: Path, *, overwrite: bool = False) -> Written

It writes the file or the folder ``path``. Refused if that exists, unless ``overwrite``; BadInput if
the disk refuses. ``folder.drafts.drafted`` does both for a folder.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Written:
    """The files of an export, and what they leave out, each with its count: '3 rationales'."""

    files: Sequence[Path]
    left_out: Sequence[str] = ()
