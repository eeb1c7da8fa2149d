"""Measure questions that hang together: solved alone, and offered while someone types.

    python -m benchmarks.hanging

Of each, the best and the middle of 60 runs, as someone waits for them. The sets: 200 nested
deadlines, a group of 200 of which one is yes, and trees of 12 conditionals, each of whose 13
questions is also asked outright (8,192 worlds, 37 forecasts). The offer: the coherent neighbours of
one typed forecast among 200 deadlines with a forecast each, read from an SQLite ledger.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import product
from pathlib import Path
from typing import Literal

import numpy as np
from sqlalchemy import Engine

from benchmarks.writing import verdict
from forecasts.access.members import member_or_new
from forecasts.access.visibility import read_as
from forecasts.common.vocabulary import GroupKind
from forecasts.ledger import database, schema
from forecasts.questions.groups import NewPlace, register_group
from forecasts.questions.registry import question_text
from forecasts.updates.coherence import contradictions
from forecasts.updates.updates import NewForecast, update_all
from forecasts.values.value import Value
from scoring import incoherence
from scoring.arrays import Floats

RUNS, BAR_MS, MEMBERS, CONDITIONALS = 60, 50.0, 200, 12
OPENS = datetime(2027, 1, 1, tzinfo=UTC)
TREES: dict[str, Callable[[int], int]] = {
    "chain": lambda number: number - 1,
    "star": lambda number: 0,
    "binary tree": lambda number: (number - 1) // 2,
}


def conditionals(parent_of: Callable[[int], int]) -> Floats:
    """Return the worlds of questions, and of each but the first under both outcomes of another."""
    outright = np.array([*product((0.0, 1.0), repeat=CONDITIONALS + 1)])
    branches = [
        np.where(outright[:, parent_of(number)] == outcome, outright[:, number], np.nan)
        for number in range(1, CONDITIONALS + 1)
        for outcome in (1, 0)
    ]
    return np.column_stack([outright, *branches])


def times_ms(act: Callable[[int], float]) -> tuple[float, float]:
    """Return the best and the middle of the times that ``act`` returns for each run, in ms."""
    each = [1000 * act(run) for run in range(RUNS)]
    return min(each), statistics.median(each)


def solving(worlds: Floats, rule: Literal["log", "brier"]) -> Callable[[int], float]:
    """Return the act of solving for random forecasts, which returns its seconds."""

    def solve(run: int) -> float:
        p = np.random.default_rng(run).uniform(0.02, 0.98, worlds.shape[1])
        began = time.perf_counter()
        incoherence(p, worlds, rule)
        return time.perf_counter() - began

    return solve


def furnish(engine: Engine) -> dict[int, Value]:
    """Return one member's forecasts on 200 deadlines, which are written, by question id."""
    draw = np.random.default_rng(0)
    places = [
        NewPlace(
            f"day {number}",
            question_text(
                title=f"Will the bridge open? (day {number})",
                open_time=OPENS,
                scheduled_close_time=OPENS + timedelta(days=10 + number),
                resolution_criteria="As the gazette says. " * 50,
            ),
        )
        for number in range(MEMBERS)
    ]
    kind = GroupKind.nested
    with database.writing(engine) as session:
        alice = member_or_new(session, "alice", now=OPENS)
        group = register_group(session, "The bridge", places, kind=kind, member=alice, now=OPENS)
        said = np.linspace(0.05, 0.95, MEMBERS) + draw.normal(0, 0.02, MEMBERS)
        values = [Value(p) for p in said.clip(0.01, 0.99).tolist()]
        asked = [one.state.question for one in group.members]
        made = [NewForecast(one, value) for one, value in zip(asked, values, strict=True)]
        update_all(session, made, member=alice, now=OPENS)
        return {one.id: value for one, value in zip(asked, values, strict=True)}


def offering(engine: Engine, values: dict[int, Value]) -> Callable[[int], float]:
    """Return the act of looking for a contradiction of one forecast, which returns its seconds."""
    now, typed = OPENS + timedelta(days=1), {next(iter(values)): Value(0.9)}

    def offer(_: int) -> float:
        with database.reading(engine) as session:
            alice = member_or_new(session, "alice", now=now)
            read_as(session, alice, now=now)
            began = time.perf_counter()
            assert contradictions(session, typed, member=alice, now=now)
            return time.perf_counter() - began

    return offer


def main() -> None:
    print("| work | best | middle | bar | |\n|---|---|---|---|---|")
    nested = np.tri(MEMBERS + 1, MEMBERS, -1)[:, ::-1]
    acts = {
        f"{name}, {rule}": solving(worlds, rule)
        for name, worlds in {
            f"{MEMBERS} nested deadlines": nested,
            f"exactly one of {MEMBERS}": np.eye(MEMBERS),
            **{f"{CONDITIONALS} conditionals, {one}": conditionals(TREES[one]) for one in TREES},
        }.items()
        for rule in ("log", "brier")
    }
    met = True
    with tempfile.TemporaryDirectory() as folder:
        engine = database.open_engine(f"sqlite:///{Path(folder, 'ledger.db')}")
        schema.migrate(engine)
        acts[f"offer among {MEMBERS} deadlines"] = offering(engine, furnish(engine))
        for name, act in acts.items():
            best, middle = times_ms(act)
            met &= middle < BAR_MS
            sign = verdict(middle < BAR_MS)
            print(f"| {name} | {best:.1f} ms | {middle:.1f} ms | < {BAR_MS:g} ms | {sign} |")
        engine.dispose()
    sys.exit(not met)


if __name__ == "__main__":
    main()
