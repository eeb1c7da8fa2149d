"""Measure scoring against the alternatives that a user would choose, and print a table.

    python -m benchmarks [--quick]

Both sides of a comparison run in one process, alternating, on the same frames; the best of several
runs counts. Slow results do not fail: the table shows each figure beside its bar.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import math
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np

import scoring
from benchmarks import alternatives, ledgers

Row = tuple[str, str, str, bool]

# The most memory while scoring, in sizes of the input.
MOST_MEMORY = {"brier": 4, "crowd_median": 6}


def best(*works: Callable[[], object], times: int) -> list[float]:
    """Return the best time of each, in seconds; they alternate."""
    found = [math.inf] * len(works)
    for _ in range(times):
        for i, work in enumerate(works):
            start = time.perf_counter()
            work()
            found[i] = min(found[i], time.perf_counter() - start)
    return found


def time_weighted(forecasts: int, *, ordered: bool, times: int) -> Iterator[Row]:
    questions, frame = ledgers.tournament(forecasts, forecasts // 100, ordered=ordered)
    found = scoring.score(questions, frame)
    alternatives.assert_equal(found, alternatives.in_duckdb(questions, frame))
    ours, duckdb = best(
        lambda: scoring.score(questions, frame),
        lambda: alternatives.in_duckdb(questions, frame),
        times=times,
    )
    alternatives.assert_equal(found, alternatives.in_pandas(questions, frame))
    [pandas] = best(lambda: alternatives.in_pandas(questions, frame), times=1)
    work = f"`brier`, {forecasts:,} forecasts, {'in order' if ordered else 'unsorted'}"
    bar = 5 if ordered else 1
    yield (
        f"{work}: DuckDB",
        f"{ours:.2f} s against {duckdb:.2f} s: {duckdb / ours:.1f} times as fast",
        f"at least {bar}",
        duckdb / ours >= bar,
    )
    yield (
        f"{work}: pandas sort and groupby",
        f"{ours:.2f} s against {pandas:.2f} s: {pandas / ours:.1f} times as fast",
        "at least 3",
        pandas / ours >= 3,
    )


def one_question(most: int, times: int) -> Iterator[Row]:
    names = ["brier", "skill", "metaculus_peer", "crowd_skill", "crowd_median"]
    sizes = [most // 100, most // 10, most]
    taken: dict[str, list[float]] = {name: [] for name in names}
    for size in sizes:
        questions, frame = ledgers.crowded_question(size)
        works = [partial(scoring.score, questions, frame, name) for name in names]
        for name, seconds in zip(names, best(*works, times=times), strict=True):
            taken[name].append(seconds)
    for name in names[1:]:
        seconds = taken[name]
        shown = ", ".join(f"{s:.3f} s" for s in seconds)
        growth = math.log10(seconds[-1] / seconds[-2])
        bar = 1.15 if name in ("skill", "metaculus_peer") else 1.2
        yield (
            f"`{name}`, one question, {', '.join(f'{size:,}' for size in sizes)}",
            f"{shown}: growth {growth:.2f}",
            f"growth at most {bar}",
            growth <= bar,
        )
        if name in ("skill", "metaculus_peer"):
            ratio = max(a / b for a, b in zip(seconds, taken["brier"], strict=True))
            yield (
                f"`{name}` against `brier` on the same rows",
                f"at most {ratio:.1f} times as long, {seconds[-1]:.2f} s for {most:,}",
                "3 times, under 2 s",
                ratio <= 3 and seconds[-1] < 2,
            )


def decomposition(pairs: int, times: int) -> Iterator[Row]:
    from model_diagnostics.scoring import SquaredError, decompose

    random = np.random.default_rng(3)
    p = random.random(pairs).round(3)
    y = (random.random(pairs) < p).astype(np.float64)
    theirs = decompose(y, p, scoring_function=SquaredError())
    found = scoring.decompose(p=p, y=y)
    apart = max(abs(getattr(found, name) - theirs[name][0]) for name in found._fields)
    ours, other = best(
        lambda: scoring.decompose(p=p, y=y),
        lambda: decompose(y, p, scoring_function=SquaredError()),
        times=times,
    )
    yield (
        f"`decompose`, {pairs:,} pairs with ties: model-diagnostics",
        f"{ours:.3f} s against {other:.3f} s: {other / ours:.1f} times as fast, {apart:.0e} apart",
        "at least 1.5, 1e-12 apart",
        other / ours >= 1.5 and apart <= 1e-12,
    )


def memory(forecasts: int) -> Iterator[Row]:
    """Measure in separate processes, because earlier work would raise the peak."""
    for protocol, most in MOST_MEMORY.items():
        command = [sys.executable, "-m", "benchmarks", "--memory", protocol, str(forecasts)]
        shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        before, peak, size = (float(number) for number in shown.split())
        times = (peak - before) / size + 1
        question = "" if protocol == "brier" else " on one question"
        yield (
            f"`{protocol}`, {forecasts:,} forecasts{question}, unsorted: peak memory",
            f"{times:.1f} times the input's {size / 1e6:.0f} MB, including the input",
            f"at most {most}",
            times <= most,
        )


def measure_memory(protocol: str, forecasts: int) -> None:
    """Print resident bytes before scoring, peak bytes while scoring, and the input's size."""
    if protocol == "brier":
        questions, frame = ledgers.tournament(forecasts, forecasts // 100)
    else:
        questions, frame = ledgers.crowded_question(forecasts)
    scoring.score(*ledgers.tournament(10_000, 100), protocol)  # loads all imports
    Path("/proc/self/clear_refs").write_text("5")  # resets the peak
    before = resident("VmRSS")
    scoring.score(questions, frame, protocol)
    size = frame.memory_usage(index=False).sum() + questions.memory_usage(index=False).sum()
    print(before, resident("VmHWM"), size)


def resident(name: str) -> int:
    status = Path("/proc/self/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith(name))
    return int(line.split()[1]) * 1024


def versions() -> str:
    names = ["numpy", "scipy", "pandas", "duckdb", "model-diagnostics"]
    packages = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in names)
    return f"Python {platform.python_version()}, {packages}; {os.cpu_count()} processors."


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of the size")
    parser.add_argument("--memory", nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.memory:
        protocol, forecasts = arguments.memory
        measure_memory(protocol, int(forecasts))
        return
    size = 1 if arguments.quick else 10
    print(versions())
    print("\n| work | measured | bar | |\n|---|---|---|---|")
    for rows in (
        time_weighted(size * 1_000_000, ordered=False, times=5),
        time_weighted(size * 1_000_000, ordered=True, times=5),
        one_question(size * 100_000, times=3),
        decomposition(size * 100_000, times=5),
        memory(size * 1_000_000),
    ):
        for work, measured, bar, met in rows:
            print(f"| {work} | {measured} | {bar} | {'met' if met else 'missed'} |", flush=True)


if __name__ == "__main__":
    main()
