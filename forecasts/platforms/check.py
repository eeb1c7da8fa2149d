"""The rules of a ledger folder, checked on the record of another platform."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from forecasts.common.errors import BadInput
from forecasts.folder.frames import FRAME_COLUMNS, Frames, row_number
from forecasts.folder.rules import check_folder
from forecasts.folder.tables import Table


@dataclass
class _Placed(Table):
    """A table whose rows are elsewhere: in the files of the record."""

    name: str = ""
    frames: Frames | None = field(default=None, repr=False)

    def place(self, row: int) -> str:
        """Return the location of a row in the files of the record."""
        place = row_number if self.frames is None else self.frames.place
        return place(self.name, row)


def check_record(frames: Frames) -> None:
    """Fill in the frames' defaults; BadInput lists each value that breaks a rule, and its place."""
    tables: dict[str, Table] = {
        name: _Placed(Path(name), name=name, frames=frames) for name in FRAME_COLUMNS
    }
    check_folder(tables, {name: getattr(frames, name) for name in FRAME_COLUMNS})
    problems = [problem for table in tables.values() for problem in table.problems]
    if problems:
        many = len(problems)
        raise BadInput(
            f"The file breaks the rules of a ledger in {many:,} place{'' if many == 1 else 's'}; "
            "nothing was imported.",
            problems=problems,
        )
