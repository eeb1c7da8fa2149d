"""The faults that verifying finds in a ledger."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Fault(StrEnum):
    """A kind of change to history."""

    altered = "altered"
    removed = "removed"
    inserted = "inserted"
    reordered = "reordered"


@dataclass(frozen=True)
class Broken:
    """A fault in the history.

    ``entry``: its place in the ledger's chain; None for a row without an entry. ``question``: the
    slug, with ``number`` in that question's chain; None for a row without a question.
    """

    fault: Fault
    said: str
    entry: int | None = None
    question: str | None = None
    number: int | None = None
    kind: str | None = None
    row: int | None = None
