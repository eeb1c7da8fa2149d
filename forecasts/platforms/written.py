"""The result of an export in another platform's format: its files and its omissions.

Each format's module has one function:

    write(frames: Frames, path: Path, *, overwrite: bool = False) -> Written

It writes the file or the folder ``path``. Refused if that exists, unless ``overwrite``; BadInput if
the disk refuses. ``folder.drafts.drafted`` does both for a folder.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Written:
    """The files of an export, and its omissions, each with its count: '3 rationales'."""

    files: Sequence[Path]
    left_out: Sequence[str] = ()


def counted(counts: Mapping[tuple[str, str], int]) -> list[str]:
    """Return each count that is not 0 with its noun, given in the singular and the plural."""
    return [f"{n:,} {one if n == 1 else many}" for (one, many), n in counts.items() if n]
