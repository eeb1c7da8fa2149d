"""The rows of a sheet that hold no forecast, and titles that are nearly the same."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from forecasts.folder.tables import Table
from forecasts.platforms.column_guesses import Columns, is_summary
from forecasts.platforms.record import LeftOut

_FEW = 5  # titles that a note names


@dataclass
class _Part(Table):
    """Some of the rows of a table, by their numbers in the whole one."""

    numbers: npt.NDArray[np.intp] = field(default_factory=lambda: np.empty(0, np.intp))

    def place(self, row: int) -> str:
        """Return the file with the row's line."""
        return super().place(int(self.numbers[row]))


def without_totals(table: Table, columns: Columns) -> tuple[Table, list[LeftOut]]:
    """Return the table without blank rows, and without rows of totals or averages: left out."""
    if table.problems:  # by their rows
        return table, []
    rows = table.frame
    name = columns.one("title") or columns.one("question_id")
    blank = np.arange(len(rows))
    for column in rows:
        blank = blank[(rows[column].iloc[blank].str.strip() == "").to_numpy(dtype=bool)]
    titles = [] if name is None else [one for one in rows[name].unique() if is_summary(one)]
    totals = np.flatnonzero(rows[name].isin(titles)) if titles else np.empty(0, np.intp)
    left_out = [
        LeftOut(table.place(row), rows[name].iloc[row], "a row of totals, not a question")
        for row in totals.tolist()
    ]
    if not len(blank) and not left_out:
        return table, []
    numbers = np.delete(np.arange(len(rows)), [*blank, *totals])
    kept = rows.iloc[numbers].reset_index(drop=True)
    part = _Part(table.path, table.header, kept, separator=table.separator, numbers=numbers)
    return part, left_out


def alike_titles(titles: Sequence[str]) -> Iterator[str]:
    """Yield a sentence on titles of different questions that differ only in spaces or capitals."""
    first: dict[str, str] = {}
    again = []
    for title in titles:
        plain = re.sub(r"\s+", " ", title).lower()
        if first.setdefault(plain, title) is not title:
            again.append(f"{title!r} beside {first[plain]!r}")
    if again:
        more = f" and {len(again) - _FEW:,} more" if len(again) > _FEW else ""
        yield (
            "Titles that differ only in spaces or capital letters become different questions: "
            f"{', '.join(again[:_FEW])}{more}. If they are one question, give both the same title "
            "in the file."
        )
