"""The plan of a report on parts: its questions, its groups, and the forecasts that each needs."""

from __future__ import annotations

import pickle
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from forecasts.common.errors import BadInput
from forecasts.common.limits import machine_memory
from forecasts.folder.dependence import joined
from forecasts.folder.frames import Frames
from forecasts.parts.execution import cores
from forecasts.parts.files import require_own
from forecasts.parts.folder import Parts
from forecasts.parts.reports import questions_file
from forecasts.parts.reports.batch_files import Spread, packed
from forecasts.parts.unfinished import unfinished
from forecasts.reports.cohort import with_due_closes
from forecasts.reports.groups import chosen, group_names, tagged
from forecasts.reports.report import By
from forecasts.reports.scope import Scope, scope_of
from forecasts.reports.selection import Choice

# Forecasts in a batch of groups.
BATCH_ROWS = 1 << 15
# Memory that a group takes for each of its forecasts, in bytes (docs/scaling.md).
BYTES_EACH = 2_000


@dataclass(frozen=True)
class Plan:
    """The facts that all workers need, written once to a temporary folder.

    ``scope`` has no questions (see ``questions_file``). ``batches`` are names of groups. ``spread``
    has the batches that need the forecasts of each forecaster (a position in ``forecasters``) or,
    in a report by tag, those on each question (its number). ``names``: all groups; ``sizes``: the
    number of forecasts of those wanted.
    """

    parts: Parts
    scope: Scope
    teams: pd.DataFrame
    evidence: pd.DataFrame
    links: pd.DataFrame
    forecasters: pd.Index
    names: pd.Index
    batches: list[tuple[str, ...]]
    spread: Spread
    sizes: dict[str, int]

    @property
    def frames(self) -> Frames:
        """The frames of teams, evidence and links, without questions and forecasts."""
        blank = pd.DataFrame()
        return Frames(blank, blank, self.teams, self.evidence, blank, self.links)

    @property
    def batch_of(self) -> dict[str, int]:
        """The batch of each group."""
        return {name: number for number, names in enumerate(self.batches) for name in names}

    @property
    def turns(self) -> list[list[int]]:
        """The batches that are made at the same time: all, except those too large for that."""
        large = []
        for number, names in enumerate(self.batches):
            needed = sum(self.sizes[name] for name in names) * BYTES_EACH
            if needed * cores() > machine_memory():
                large.append(number)
        small = [number for number in range(len(self.batches)) if number not in large]
        return [small] * bool(small) + [[number] for number in large]

    @property
    def by_question(self) -> bool:
        """Whether a forecast belongs to groups by its question, not by its forecaster."""
        return self.scope.by not in ("team", "forecaster")


def count(item: tuple[Parts, int]) -> tuple[pd.Series, pd.Series]:
    """Return the number of forecasts in a part by forecaster, and by question."""
    parts, part = item
    made = parts.forecasts(part, ["question_id", "forecaster"])
    who, asked_ = (made[name].value_counts(sort=False) for name in ("forecaster", "question_id"))
    return who.rename(index=str), asked_.rename(index=str)


def names_of(parts: Parts, by: By, names: Sequence[str]) -> list[str] | None:
    """Return ``groups.chosen`` if it needs no forecasts, else None. BadInput as there."""
    if by not in ("all", "lead", "team"):
        return None
    blank = pd.DataFrame()
    return chosen(Frames(blank, blank, parts.whole("teams"), blank, blank), by=by, names=names)


def plan_of(
    folder: Path,
    parts: Parts,
    counted: Sequence[tuple[pd.Series, pd.Series]],
    by: By,
    names: Sequence[str],
    choice: Choice,
    as_of: datetime,
) -> tuple[Plan, Scope]:
    """Return the plan and the scope of all questions, which are written to ``folder``."""
    made: Counter[str] = Counter()
    for part, (who, on) in enumerate(counted):
        require_own(on.index[on > 0].tolist(), part, parts.count)
        rows = parts.rows("forecasts", part)
        if not who.sum() == on.sum() == rows:
            raise BadInput(
                f"A worker counted {int(on.sum()):,} forecasts in part {part}, which has {rows:,}.",
                remedy="Check the scheduler and its workers, and the versions installed there.",
            )
        made.update({str(name): int(many) for name, many in who.items() if many})
    forecasters = pd.Index(sorted(made), dtype=str)
    asked = [parts.questions(part, questions_file.OF_SCOPE) for part in range(parts.count)]
    for part, questions in enumerate(asked):
        require_own(questions["question_id"].tolist(), part, parts.count)
    links = parts.whole("links")
    due = with_due_closes(pd.concat(asked, ignore_index=True), choice, as_of)
    frames = Frames(
        questions=joined(due, links),
        forecasts=pd.DataFrame({"forecaster": forecasters}),
        teams=parts.whole("teams"),
        evidence=parts.whole("evidence"),
        articles=pd.DataFrame(),
        links=links,
    )
    scope = scope_of(frames, by=by, names=names, choice=choice, as_of=as_of)
    every_name = [] if by in ("all", "lead") else group_names(frames, by=by)
    teams, evidence = frames.teams, frames.evidence
    del frames, asked, due
    on = pd.concat([each for _, each in counted])
    on = on.reindex(scope.questions["id"], fill_value=0).to_numpy()
    # The groups of each key: of a forecaster, or of a question.
    if by == "team":
        pairs = teams[["forecaster", "team"]].set_axis(["key", "group"], axis=1)
    elif by == "forecaster":
        pairs = pd.DataFrame({"key": forecasters, "group": forecasters})
    elif by == "tag":
        pairs = tagged(scope.questions).rename(columns={"question_id": "key"})
    else:
        pairs = pd.DataFrame({"key": scope.questions["question_id"], "group": scope.wanted[0]})
    pairs = pairs[pairs["group"].isin(scope.wanted)].drop_duplicates()
    by_question = by not in ("team", "forecaster")
    if by_question:
        size = pd.Series(on, index=scope.questions["question_id"])
        key, many = pairs["key"].to_numpy(dtype=np.intp), int(scope.all_questions)
    else:
        size, many = pd.Series(made, dtype=np.int64).reindex(forecasters), len(forecasters)
        pairs = pairs[pairs["key"].isin(forecasters)]
        key = forecasters.get_indexer(pd.Index(pairs["key"]))
    sizes = size.reindex(pairs["key"]).groupby(pairs["group"].to_numpy()).sum()
    of_group = {name: int(sizes.get(name, 0)) for name in scope.wanted}
    sets = [scope.wanted] if by in ("all", "lead") else packed(of_group, BATCH_ROWS)
    _require_memory(of_group, by)
    batch_of = {name: number for number, names in enumerate(sets) for name in names}
    plan = Plan(
        parts,
        replace(scope, questions=scope.questions.iloc[:0], reason=scope.reason[:0]),
        teams,
        evidence,
        links,
        forecasters,
        pd.Index(every_name, dtype=str),
        sets,
        Spread.of_pairs(key, pairs["group"].map(batch_of).to_numpy(np.intp), many),
        of_group,
    )
    store(folder / "plan", plan)
    return plan, questions_file.write(folder, scope, parts)


def _require_memory(sizes: dict[str, int], by: By) -> None:
    """Raise BadInput if the largest group does not fit into the memory of this machine."""
    name, most = max(sizes.items(), key=lambda item: item[1], default=("", 0))
    needed = most * BYTES_EACH
    memory = machine_memory()
    if needed > memory:
        whole = by in ("all", "lead")
        use = "use --by forecaster, --by team or --by tag" if whole else "use fewer questions"
        raise BadInput(
            f"A report on {'everyone' if whole else name} does not fit into this machine's memory; "
            f"{use}.",
            remedy=f"Its {most:,} forecasts take about {needed / 1e9:,.0f} GB, and the machine has "
            f"{memory / 1e9:,.0f} GB. To use fewer questions: --tag, --since, --until.",
        )


@contextmanager
def between(parts: Parts) -> Iterator[Path]:
    """Yield a folder beside that of the parts, which is removed afterwards.

    Files that killed reports left are removed first. BadInput if it cannot be written.
    """
    beside = parts.folder.resolve()
    try:
        with unfinished(f"{beside.name}-report", beside.parent, alone=False) as folder:
            yield folder
    except OSError as error:
        raise BadInput(
            f"Nothing can be written beside {str(beside)!r}: {error.strerror or error}.",
            remedy="A report needs room for temporary files there: move the parts to another disk.",
        ) from error


def store(path: Path, value: Any) -> None:
    """Write something for the workers, which they read with ``load``."""
    path.write_bytes(pickle.dumps(value))


@lru_cache(maxsize=2)
def load(path: Path) -> Any:
    """Return the value that ``store`` wrote; each folder has a name of its own."""
    return pickle.loads(path.read_bytes())  # noqa: S301 our own file, in a folder of our own
