"""Reports on a folder of parts, in bounded memory, equal to those on the ledger in one process.

Three steps of work on any executor (``execution``), with a temporary folder:

- the forecasts of each part are counted, by forecaster and question;
- on each part, some questions at a time: numbers that take all forecasts of a question (``joint``),
  and the forecasts themselves, sorted into batches of groups;
- on each batch: the groups of the report (``build.groups``), from all of their forecasts.

One process holds the questions and, to adjust for difficulty, tables of groups by groups.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from forecasts.common.limits import machine_memory
from forecasts.common.memory import release_memory
from forecasts.parts.execution import results
from forecasts.parts.folder import Parts
from forecasts.parts.reports import batch_files
from forecasts.parts.reports.plan import Plan, between, count, load, names_of, plan_of, store
from forecasts.parts.reports.rows import (
    concatenated,
    part_name,
    questions_of,
    rows_of_batch,
)
from forecasts.reports.build import groups, report, with_all_time
from forecasts.reports.digest import of_questions
from forecasts.reports.report import Adjusted, By, Group, Report
from forecasts.reports.rows import Joint, Rows, joint, shared, together
from forecasts.reports.scope import Scope
from forecasts.reports.selection import ALL, Choice
from forecasts.reports.skills import adjusted_blocks, block_of, skills
from scoring.difficulty import Block

# About the number of forecasts behind the scores of one batch of families.
_SCORES = 1 << 20
# Memory that the adjustment takes for each pair of groups, in bytes, as measured.
_BYTES_A_PAIR = 20

_SKILLS = dict.fromkeys(("skill", "crowd_skill", "perfect"), np.float64)


@dataclass(frozen=True)
class Read:
    """The numbers of one part: ``joint``, and the digests of its questions."""

    joint: Joint
    digests: list[bytes]


def report_parts(
    parts: Parts,
    *,
    executor: Executor,
    by: By = "all",
    names: Sequence[str] = (),
    choice: Choice = ALL,
    as_of: datetime,
    progress: Callable[[int, int], None] = lambda done, of: None,
) -> Report:
    """Return the report that ``reports.build`` makes of the same ledger, to rounding.

    ``executor``: any of ``concurrent.futures``; its workers must reach the folder of parts and its
    parent by the same paths. ``progress`` is called with the number of forecasts
    done and of all; reading the parts is the first half, the groups are the second. BadInput for a
    part that cannot be read, and for a group too large for memory.
    """
    names_of(parts, by, names)  # before anything is read
    total, numbers = parts.rows("forecasts"), range(parts.count)

    def first_half(done: int) -> None:
        progress(total * done // (2 * parts.count), total)

    with between(parts) as folder:
        counted = results(count, parts, numbers, executor)
        plan, scope = plan_of(folder, parts, counted, by, names, choice, as_of)
        del counted
        release_memory()
        every = results(_read, folder, numbers, executor, first_half)
        digest = of_questions((one for part in every for one in part.digests), plan.frames)
        found = together([one.joint for one in every])
        del every
        release_memory()
        rows = Rows(plan.frames, scope)
        # Tags may be many, and are not compared.
        adjusted = _adjusted(folder, plan) if rows.compares else {}
        common = shared(found, scope, adjusted, follows=rows.follows)
        # Other columns and results on all questions would take memory until the report is made.
        scope = replace(scope, questions=scope.questions[["id", "type"]])
        del found, rows
        release_memory()
        store(folder / "shared", common)
        many = len(plan.batches)

        def second_half(before: int, done: int) -> None:
            progress(total * (many + before + done) // (2 * many), total)

        made: list[bytes] = []
        for turn in plan.turns:
            made += results(_make, folder, turn, executor, partial(second_half, len(made)))
    by_name: dict[str, Group] = {}
    while made:
        by_name |= {group.name: group for group in pickle.loads(made.pop())}  # noqa: S301
    found_groups = tuple(by_name[name] for name in scope.wanted)
    whole = report(scope, found_groups, common, plan.teams, digest=digest, provisional={})
    again = partial(report_parts, parts, executor=executor, by=by, as_of=as_of)
    return with_all_time(whole, choice, again)


def _read(item: tuple[Path, int]) -> Read:
    """Return the numbers of a part, and write its forecasts and skills, by batch."""
    folder, part = item
    plan: Plan = load(folder / "plan")
    joints, digests, skilled = [], [], []
    for rows, own in questions_of(folder, plan, part):
        digests += own
        joints.append(joint(rows))
        if rows.compares:
            scope = rows.scope
            counting = scope.counting
            found = skills(counting, rows.frames, rows.entries, scope.choice.lead)
            if found.empty:
                continue
            number = counting["question_id"].to_numpy()
            skilled.append(found.assign(question=number[found["question"].to_numpy(np.intp)]))
    if skilled:
        _write_skills(folder / "skills" / part_name(part), pd.concat(skilled), plan)
    every = together(joints)
    _write_scores(folder / "scores" / part_name(part), every.scores, plan)
    release_memory()
    return Read(replace(every, scores=every.scores.iloc[:0]), digests)


def _write_scores(path: Path, found: pd.DataFrame, plan: Plan) -> None:
    group = plan.names.get_indexer(pd.Index(found["group"]))
    numbers = dict.fromkeys(("group", "question", "family"), np.int32)
    table = pa.Table.from_pandas(found.assign(group=group).astype(numbers), preserve_index=False)
    batch_files.write(path, table, found["family"].to_numpy() % _batches_of_families(plan))


def _batches_of_families(plan: Plan) -> int:
    return plan.parts.rows("forecasts") // _SCORES + 1


def _adjusted(folder: Path, plan: Plan) -> dict[str, Adjusted]:
    """Return the difficulty-adjusted score of each group, from the scores written by part.

    Empty if the tables of groups by groups would take more than half the memory.
    """
    if _BYTES_A_PAIR * len(plan.names) ** 2 > machine_memory() / 2:
        return {}

    def blocks() -> Iterator[Block]:
        for batch in range(_batches_of_families(plan)):
            scores = concatenated(folder / "scores", batch)
            if len(scores):
                yield block_of(scores.to_pandas())

    return adjusted_blocks(plan.names, blocks)


def _write_skills(path: Path, found: pd.DataFrame, plan: Plan) -> None:
    batch_of = plan.batch_of
    found = found[found["group"].isin(list(batch_of))]
    batch = found["group"].map(batch_of).to_numpy()
    found = found.assign(group=plan.names.get_indexer(pd.Index(found["group"])))
    batch_files.write(path, pa.Table.from_pandas(found, preserve_index=False), batch)


def _make(item: tuple[Path, int]) -> bytes:
    """Return the groups of a batch, pickled to take a third of the memory until all are made."""
    folder, batch = item
    plan: Plan = load(folder / "plan")
    common = load(folder / "shared")
    rows = rows_of_batch(folder, plan, batch)
    otherwise = common.otherwise[rows.scope.questions["place"].to_numpy()]
    skilled = _skills(folder, batch, rows.scope, plan) if rows.compares else None
    made = groups(rows, plan.batches[batch], replace(common, otherwise=otherwise), skilled)
    found = pickle.dumps(made)
    del rows, skilled, made
    release_memory()
    return found


def _skills(folder: Path, batch: int, scope: Scope, plan: Plan) -> pd.DataFrame:
    found = pd.DataFrame(concatenated(folder / "skills", batch).to_pandas())
    if found.empty:
        return pd.DataFrame(columns=["group", "question", *_SKILLS]).astype(_SKILLS)
    place = pd.Index(scope.counting["question_id"]).get_indexer(found["question"])
    found["group"] = plan.names.to_numpy(dtype=object)[found["group"]]
    return found.assign(question=place).sort_values(["group", "question"], ignore_index=True)
