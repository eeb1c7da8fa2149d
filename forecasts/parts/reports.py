"""Reports on a folder of parts, in bounded memory, equal to those on the ledger in one process.

Three steps of work on any executor (``execution``), with a folder for what is in between:

- the forecasts of each part are counted, by forecaster and question;
- on each part, some questions at a time: what takes all forecasts of a question (``joint``), and
  the forecasts themselves, sorted into batches of groups;
- on each batch: the groups of the report (``build.groups``), from all of their forecasts.

The questions themselves, and one number for each question and group, are few enough for the memory
of one process.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pandas as pd
import pyarrow as pa

import scoring
from forecasts.common.errors import BadInput
from forecasts.parts import asked, batches
from forecasts.parts.chunks import tables
from forecasts.parts.execution import explained, finished
from forecasts.parts.folder import Parts, part_file
from forecasts.parts.plan import QUESTIONS, Plan, between, count, load, plan_of, store
from forecasts.reports.build import groups, report
from forecasts.reports.digest import of_questions, question_digests
from forecasts.reports.joint import Joint, joint, shared, together
from forecasts.reports.report import By, Group, Report
from forecasts.reports.rows import Rows
from forecasts.reports.scope import Scope
from forecasts.reports.selection import ALL, Choice
from forecasts.reports.skills import few, outcome_counts, skills
from forecasts.scores.frames import FRAME_COLUMNS, Frames

Context = TypeVar("Context")
Result = TypeVar("Result")

# The forecasts read at once.
CHUNK_ROWS = 1 << 18
_FORECASTS = [name for name in FRAME_COLUMNS["forecasts"] if name != "rationale"]
_JSON = ("probabilities", "quantiles", "evidence")
_ARROW = {
    "question_id": pa.string(),
    "forecaster": pa.string(),
    "made_at": pa.timestamp("us", "UTC"),
    "probability": pa.float64(),
}


@dataclass(frozen=True)
class Read:
    """What one part tells: ``joint``, the digests of its questions, and outcomes by group."""

    joint: Joint
    digests: list[bytes]
    outcomes: pd.DataFrame | None


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

    ``executor``: any of ``concurrent.futures``, whose workers reach the folder of parts and the
    one it is in by the same paths. ``progress`` is called with the steps done so far, in forecasts,
    and all of them. BadInput for a part that cannot be read, and for a group too large for memory.
    """
    total = 2 * parts.rows("forecasts")

    def first_half(done: int) -> None:
        progress(total * done // (2 * parts.count), total)

    with between(parts) as folder:
        counted = _all(count, parts, parts.count, executor)
        plan, scope = plan_of(folder, parts, counted, by, names, choice, as_of)
        del counted
        every = _all(_read, folder, parts.count, executor, first_half)
        found = together([one.joint for one in every])
        nothing = plan.frames
        common = shared(found, scope, follows=Rows(nothing, scope).follows)
        outcomes = [one.outcomes for one in every if one.outcomes is not None]
        moments = bool(outcomes) and few(pd.concat(outcomes).groupby(level=0).sum())
        digest = of_questions((one for part in every for one in part.digests), nothing)
        del every, found, outcomes
        store(folder / "shared", (common, moments))
        many = len(plan.batches)

        def second_half(done: int) -> None:
            progress(total * (many + done) // (2 * many), total)

        made = _all(_make, folder, many, executor, second_half)
    by_name = {group.name: group for batch in made for group in batch}
    return report(
        scope,
        tuple(by_name[name] for name in scope.wanted),
        common,
        plan.teams,
        digest=digest,
        provisional={},
    )


def _all(
    work: Callable[[tuple[Context, int]], Result],
    context: Context,
    many: int,
    executor: Executor,
    progress: Callable[[int], None] = lambda done: None,
) -> list[Result]:
    """Return the results of work on so many parts or batches. BadInput says why one has none."""
    found: dict[int, Result] = {}
    items = [(context, number) for number in range(many)]
    with closing(finished(work, items, executor)) as ended:
        for (_, number), future in ended:
            try:
                found[number] = future.result()
            except Exception as error:
                raise explained(error) from error
            progress(len(found))
    return [found[number] for number in range(many)]


def _read(item: tuple[Path, int]) -> Read:
    """Return what a part tells, and write its forecasts and skills, by batch."""
    folder, part = item
    plan: Plan = load(folder / "plan")
    scope = asked.read(folder, plan.scope, lambda rows: rows["part"] == part)
    questions = plan.parts.questions(part, QUESTIONS)
    left = np.ones(len(questions), dtype=np.bool_)
    joints, digests, outcomes, forecasts, skilled = [], [], [], [], []
    path = plan.parts.folder / part_file("forecasts", part)
    for table, last in tables(path, CHUNK_ROWS, _FORECASTS):
        made = _frame(table)
        here = left & (last | questions["question_id"].isin(made["question_id"].unique()))
        left &= ~here
        frames = replace(plan.frames, questions=questions[here], forecasts=made)
        digests += question_digests(frames)
        rows, kept = _rows(frames, scope)
        try:
            joints.append(_compact(joint(rows), plan))
        except scoring.InputError as error:
            raise BadInput(
                f"Part {part} breaks the rules of a ledger: {error}",
                remedy="Correct the ledger, and make the parts again with: forecasts partition",
            ) from None
        forecasts.append(_batched(table, kept, rows, plan))
        if rows.compares:
            found = skills(
                rows.scope.counting, rows.frames, rows.entries, scope.choice.lead, moments=True
            )
            outcomes.append(outcome_counts(found, rows.scope.counting))
            number = rows.scope.counting["question_id"].to_numpy()
            skilled.append(found.assign(question=number[found["question"].to_numpy(np.intp)]))
    name = f"part-{part:05d}.parquet"
    made_by = pa.concat_tables([table for table, _ in forecasts], promote_options="default")
    batches.write(folder / "forecasts" / name, made_by, np.concatenate([b for _, b in forecasts]))
    if skilled:
        _write_skills(folder / "skills" / name, pd.concat(skilled), plan)
    counts = pd.concat(outcomes).groupby(level=0).sum() if outcomes else None
    return Read(together(joints), digests, counts)


def _rows(frames: Frames, scope: Scope) -> tuple[Rows, Any]:
    """Return the rows of some questions of a part, and which forecasts the report takes."""
    ids = frames.questions["question_id"]
    own = scope.questions["id"].isin(ids).to_numpy()
    scope = replace(
        scope, questions=scope.questions[own].reset_index(drop=True), reason=scope.reason[own]
    )
    place = pd.Index(scope.questions["id"]).get_indexer(frames.forecasts["question_id"])
    kept = place >= 0
    if scope.choice.made_before is not None:
        kept &= (frames.forecasts["made_at"] < pd.Timestamp(scope.choice.made_before)).to_numpy()
    number = scope.questions["question_id"].to_numpy()[place[kept]]
    made = frames.forecasts[kept].reset_index(drop=True).assign(question_id=number)
    return Rows(replace(frames, questions=scope.questions, forecasts=made), scope), kept


def _compact(found: Joint, plan: Plan) -> Joint:
    """Return the same in less memory."""
    scores = found.scores.assign(
        group=pd.Categorical(found.scores["group"], categories=plan.names),
        row=found.scores["row"].astype(np.int32),
    )
    return replace(found, scores=scores)


def _batched(table: Any, kept: Any, rows: Rows, plan: Plan) -> tuple[Any, Any]:
    """Return the forecasts that the batches need, and the batch of each."""
    number = rows.frames.forecasts["question_id"].to_numpy(dtype=np.intp)
    who = plan.forecasters.get_indexer(pd.Index(rows.frames.forecasts["forecaster"]))
    row, batch = plan.spread.rows(number if plan.by_question else who)
    columns = {
        "question_id": pa.array(number[row].astype(np.int32)),
        "forecaster": pa.array(who[row].astype(np.int32)),
    }
    at = pa.array(np.flatnonzero(kept)[row])
    for name in _FORECASTS[2:]:
        if name in table.column_names:
            columns[name] = table[name].take(at)
    return pa.table(columns), batch


def _write_skills(path: Path, found: pd.DataFrame, plan: Plan) -> None:
    batch_of = plan.batch_of
    found = found[found["group"].isin(list(batch_of))]
    batch = found["group"].map(batch_of).to_numpy()
    found = found.assign(group=plan.names.get_indexer(pd.Index(found["group"])))
    batches.write(path, pa.Table.from_pandas(found, preserve_index=False), batch)


def _make(item: tuple[Path, int]) -> tuple[Group, ...]:
    """Return the groups of a batch."""
    folder, number = item
    plan: Plan = load(folder / "plan")
    common, moments = load(folder / "shared")
    wanted = plan.batches[number]
    made = _frame(_concatenated(folder / "forecasts", number), plan.forecasters)
    made = made.sort_values("question_id", kind="stable", ignore_index=True)
    scope = asked.read(folder, plan.scope, _asked(plan.scope.by, wanted, made["question_id"]))
    teams = plan.teams[plan.teams["team"].isin(wanted)].reset_index(drop=True)
    frames = replace(plan.frames, questions=scope.questions, forecasts=made, teams=teams)
    rows = Rows(frames, scope)
    otherwise = common.otherwise[scope.questions["place"].to_numpy()]
    skilled = _skills(folder, number, scope, plan, moments=moments) if rows.compares else None
    return groups(rows, wanted, replace(common, otherwise=otherwise), skilled)


def _asked(by: By, wanted: Sequence[str], numbers: pd.Series) -> Callable[[pd.DataFrame], Any]:
    """Return a function that marks the questions of these groups."""
    if by in ("all", "lead"):
        return lambda rows: np.full(len(rows), True)
    forecast = numbers.unique()

    def marks(rows: pd.DataFrame) -> Any:
        found = rows["question_id"].isin(forecast).to_numpy()
        if by == "tag":
            found = found | [not set(own or ()).isdisjoint(wanted) for own in rows["tags"]]
        return found

    return marks


def _skills(folder: Path, batch: int, scope: Scope, plan: Plan, *, moments: bool) -> pd.DataFrame:
    found = pd.DataFrame(_concatenated(folder / "skills", batch).to_pandas())
    if not moments:
        found = found.drop(columns=["variance", "third"])
    place = pd.Index(scope.counting["question_id"]).get_indexer(found["question"])
    found["group"] = plan.names.to_numpy(dtype=object)[found["group"]]
    return found.assign(question=place).sort_values(["group", "question"], ignore_index=True)


def _concatenated(folder: Path, batch: int) -> Any:
    """Return the rows of a batch as one Arrow table, without columns if there are none."""
    found = list(batches.read(folder, batch))
    return pa.concat_tables(found, promote_options="default") if found else pa.table({})


def _frame(table: Any, names: pd.Index | None = None) -> pd.DataFrame:
    """Return forecasts as in ``Frames``; those of a batch have numbers, with these ``names``."""
    columns: dict[str, Any] = {}
    for name in _FORECASTS:
        column = table[name] if name in table.column_names else pa.nulls(len(table))
        if name in _FORECASTS[:2] and names is not None:
            number = column.cast(pa.int64()).to_numpy(zero_copy_only=False)
            columns[name] = number if name == "question_id" else names.take(number)
        elif name in _JSON:
            cells = column.to_pylist()
            columns[name] = pd.Series(
                [None if cell is None else json.loads(cell) for cell in cells], dtype=object
            )
        else:
            columns[name] = column.cast(_ARROW[name]).to_pandas()
    return pd.DataFrame(columns)
