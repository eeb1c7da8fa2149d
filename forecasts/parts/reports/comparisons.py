"""Comparisons on a folder of parts, equal to those on the ledger in one process.

The parts are read once for the tables of all pairs (``comparison.pairwise``). Each side
alone comes from its own forecasts, as in ``reports``.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pandas as pd

from forecasts.parts.execution import results
from forecasts.parts.folder import Parts
from forecasts.parts.reports.plan import Plan, between, count, load, names_of, plan_of, store
from forecasts.parts.reports.rows import questions_of, rows_of_batch
from forecasts.reports.comparison.build import BY, comparison, members, require_two
from forecasts.reports.comparison.coherence import prices
from forecasts.reports.comparison.comparison import Comparison, Of
from forecasts.reports.comparison.pairwise import Alone, Pairwise, alone, filled, pairwise, together
from forecasts.reports.digest import of_questions
from forecasts.reports.selection import ALL, Choice


@dataclass(frozen=True)
class Read:
    """The tables of one part, the digests of its questions, and the members of each side.

    ``filled`` as ``comparison.pairwise.filled`` returns it.
    """

    tables: Pairwise
    filled: pd.DataFrame
    digests: list[bytes]
    members: dict[str, set[Hashable]]


def compare_parts(
    parts: Parts,
    *,
    executor: Executor,
    sides: Sequence[str],
    of: Of = "teams",
    choice: Choice = ALL,
    as_of: datetime,
    alike: bool = False,
    progress: Callable[[int, int], None] = lambda done, of: None,
) -> Comparison:
    """Return the comparison that ``comparison.build`` makes of the same ledger, to rounding.

    ``sides`` are its ``between``; ``executor`` and ``progress`` as in ``reports.report_parts``.
    BadInput for a part that cannot be read, and for a side too large for memory.
    """
    if (known := names_of(parts, BY[of], sides)) is not None:
        require_two(known, sides, of)  # before anything is read
    total, numbers = parts.rows("forecasts"), range(parts.count)

    def first_half(done: int) -> None:
        progress(total * done // (2 * parts.count), total)

    with between(parts) as folder:
        counted = results(count, parts, numbers, executor)
        plan, scope = plan_of(folder, parts, counted, BY[of], sides, choice, as_of)
        require_two(scope.wanted, sides, of)
        store(folder / "shared", (of, alike))
        every = results(_read, folder, numbers, executor, first_half)
        tables = together([one.tables for one in every])
        without_silence = pd.concat([one.filled for one in every], ignore_index=True)
        found = {name: set().union(*(one.members[name] for one in every)) for name in scope.wanted}
        digest = of_questions((one for part in every for one in part.digests), plan.frames)
        del every
        made = [one for turn in plan.turns for one in results(_alone, folder, turn, executor)]
        progress(total, total)
    return comparison(
        scope,
        tables,
        lambda: without_silence,
        found,
        {name: one for sides, _ in made for name, one in sides.items()},
        pd.concat([priced for _, priced in made], ignore_index=True),
        of=of,
        alike=alike,
        bots="",
        digest=digest,
    )


def _read(item: tuple[Path, int]) -> Read:
    """Return the tables of a part, and write the forecasts of the sides."""
    folder, part = item
    plan: Plan = load(folder / "plan")
    of, alike = load(folder / "shared")
    tables, without_silence, digests = [], [], []
    found: dict[str, set[Hashable]] = {name: set() for name in plan.scope.wanted}
    for rows, own in questions_of(folder, plan, part, alone=True):
        digests += own
        for name, some in members(rows).items():
            found[name] |= some
        tables.append(pairwise(rows, of=of, alike=alike, models={}))
        without_silence.append(filled(rows))
    return Read(together(tables), pd.concat(without_silence, ignore_index=True), digests, found)


def _alone(item: tuple[Path, int]) -> tuple[dict[str, Alone], pd.DataFrame]:
    """Return each side of a batch alone, and the prices of their contradictions."""
    folder, batch = item
    plan: Plan = load(folder / "plan")
    rows = rows_of_batch(folder, plan, batch, alone=True)
    return {name: alone(rows, name) for name in plan.batches[batch]}, prices(rows)
