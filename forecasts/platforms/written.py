"""The result of an export in another platform's format: its files and its omissions.

Each format's module has one function:

    write(frames: Frames, path: Path, *, overwrite: bool = False) -> Written

It writes the file or the folder ``path``. Refused if that exists, unless ``overwrite``; BadInput if
the disk refuses. ``folder.drafts.drafted`` does both for a folder.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from forecasts.common.text import counted
from forecasts.folder.frames import Frames

# Left out, as a format has no place for them: columns of questions and of forecasts, and tables.
# Others are called as they are in the folder: "spot_time" is "spot time{s}".
_NOUNS = {
    "ordered": "order{s} of options",
    "resolution": "outcome{s}",
    "resolved_at": "time{s} at which an outcome was recorded",
    "resolution_criteria": "text{s} of resolution criteria",
    "article_url": "source article{s}",
    "resolution_note": "note{s} on a resolution",
    "resolution_source": "source{s} of a resolution",
    "evidence": "forecast{s} with evidence",
}
_TABLES = {
    "evidence": "piece{s} of evidence",
    "articles": "article{s}",
    "teams": "team membership{s}",
}


@dataclass(frozen=True)
class Written:
    """The files of an export, and its omissions, each with its count: '3 rationales'."""

    files: Sequence[Path]
    left_out: Sequence[str] = ()


def omitted(frames: Frames, *columns: str) -> Counter[str]:
    """Return how many cells of these columns have a value, and the rows of the further tables."""
    both = {**frames.questions, **frames.forecasts}
    found = Counter[str]()
    for name in columns:
        noun = _NOUNS.get(name) or name.replace("_", " ") + "{s}"
        found[noun] = sum(one == one and one not in ("", None, False) for one in both[name])
    return found + Counter({noun: len(getattr(frames, name)) for name, noun in _TABLES.items()})


def each_counted(counts: Mapping[str, int]) -> list[str]:
    """Return each count that is not 0 with its noun."""
    return [counted(many, f"{{n}} {noun}") for noun, many in counts.items() if many]
