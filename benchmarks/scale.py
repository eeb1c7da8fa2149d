"""Measure the work on folders of parts against other tools on the same parts: time and memory.

    python -m benchmarks.scale [BAR]... [--forecasts 10000000] [--in FOLDER]

Makes a simulated tournament in parts (a hundred forecasts a question), which stays in the folder
for the next run. Each work runs as a process of its own, which prints its seconds without those of
its imports; peak memory is the sum over it and the processes it has started (proportional set
size, read ten times a second). Results are compared, and a difference fails the run. Slow results
do not fail: the table shows each figure beside its bar.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import pandas as pd

import scoring
from benchmarks import alternatives, partitioning, reporting_parts
from forecasts.parts import simulation
from forecasts.parts.execution import Processes, cluster, cores
from forecasts.parts.folder import Parts, open_parts
from forecasts.parts.manifest import is_parts
from scoring.simulation.bulk import BulkTournament

Row = tuple[str, str, str, bool]
IN_MEMORY = 10_000_000  # forecasts scored as one frame
PEOPLE = 5_000
GIB = 1 << 30
FORECASTS = [str(Path(sys.executable).with_name("forecasts"))]


class Run(NamedTuple):
    """One work: its seconds, the peak bytes of all its processes, and the answer it printed."""

    seconds: float
    peak: int
    answer: str


def run(work: str, *arguments: object) -> Run:
    """Return the time and memory of a work, which runs as a process of its own."""
    command = [sys.executable, "-m", "benchmarks.scale", "--work", work, *map(str, arguments)]
    printed, peak = _measured(command)
    seconds, answer = json.loads(printed.splitlines()[-1])
    return Run(seconds, peak, answer)


def score(parts: Path, output: Path, *options: str) -> Run:
    """Return the time, memory and digest of the command that scores parts."""
    printed, peak = _measured([*FORECASTS, "score", str(parts), "--output", str(output), *options])
    seconds, digest = _seconds_and_digest(printed)
    return Run(seconds, peak, digest)


def _seconds_and_digest(printed: str) -> tuple[float, str]:
    found = re.search(r" in ([\d.,]+) s: .*\ndigest (\w+)", printed)
    assert found is not None, printed
    return float(found[1].replace(",", "")), found[2]


def _measured(command: Sequence[str]) -> tuple[str, int]:
    """Return the standard output of a command and its peak bytes of memory."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    peak = 0
    while process.poll() is None:
        peak = max(peak, sum(map(_resident, _family(process.pid))))
        with suppress(subprocess.TimeoutExpired):
            process.wait(0.1)
    assert process.stdout is not None
    printed = process.stdout.read()
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} failed with {process.returncode}: {printed}")
    return printed, peak


def _family(root: int) -> set[int]:
    """Return a process and all that descend from it."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        with suppress(OSError, ValueError):
            stat = (entry / "stat").read_text()
            parents[int(entry.name)] = int(stat.rpartition(")")[2].split()[1])
    found, size = {root}, 0
    while len(found) > size:
        size = len(found)
        found |= {child for child, parent in parents.items() if parent in found}
    return found


def _resident(process: int) -> int:
    """Return the bytes of a process in memory; pages that several share count in parts."""
    with suppress(OSError):
        for line in Path(f"/proc/{process}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    return 0


# --- the works, each in a process of its own ----------------------------------------------------


def timed(work: Callable[[], object]) -> None:
    """Print the seconds of a work and its answer."""
    start = time.perf_counter()
    answer = work()
    print(json.dumps([time.perf_counter() - start, answer]))


def score_by_dask(folder: str, output: str, workers: str) -> None:
    from distributed import LocalCluster

    with LocalCluster(n_workers=int(workers), threads_per_worker=1, dashboard_address=None) as dask:
        # The workers of a cluster that is there have imported what they need.
        with cluster(dask.scheduler_address) as executor:
            for done in [executor.submit(_import, number) for number in range(4 * int(workers))]:
                done.result()
        options = ["--scheduler", dask.scheduler_address]
        command = [*FORECASTS, "score", folder, "--output", output, *options]
        printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        print(json.dumps(_seconds_and_digest(printed)))


def _import(number: int) -> int:
    import forecasts.parts.scores.part_scores  # noqa: F401

    return number


def score_in_memory(folder: str) -> None:
    """Score parts of ten million forecasts as one frame: the best of three."""
    parts = open_parts(Path(folder))
    asked, made, rows = [], [], 0
    for part in range(parts.count):
        if rows >= IN_MEMORY:
            break
        questions, forecasts = parts.read(part)
        asked.append(questions)
        made.append(forecasts.astype({"question_id": "str", "forecaster": "str"}))
        rows += len(forecasts)
    questions, forecasts = pd.concat(asked, ignore_index=True), pd.concat(made, ignore_index=True)
    for name in ("question_id", "forecaster"):
        forecasts[name] = forecasts[name].astype("category")
    forecasts = forecasts.sort_values(
        ["question_id", "forecaster", "made_at"], kind="stable", ignore_index=True
    )
    best = float("inf")
    for _ in range(3):
        start = time.perf_counter()
        scoring.score(questions, forecasts)
        best = min(best, time.perf_counter() - start)
    print(json.dumps([best, str(rows)]))


def simulate_here(folder: str, forecasts: str) -> None:
    with Processes(1, preload=["forecasts.parts.simulation"]) as executor:
        settings = simulated(int(forecasts))
        timed(lambda: simulation.simulate(Path(folder), settings, executor).rows("forecasts"))


WORKS: dict[str, Callable[..., None]] = {
    "simulate": simulate_here,
    "memory": score_in_memory,
    "partition": lambda *paths: timed(lambda: partitioning.partition_here(*paths)),
    "sort": lambda *paths: timed(lambda: partitioning.sort_in_duckdb(*paths)),
    "dask": score_by_dask,
    "report": lambda *given: timed(lambda: reporting_parts.report_on_parts(*given)),
    "whole": lambda *given: timed(lambda: reporting_parts.report_in_memory(*given)),
    "duckdb": lambda folder, output: timed(
        lambda: alternatives.parts_in_duckdb(Path(folder), Path(output))
    ),
    "polars": lambda folder, output: timed(
        lambda: alternatives.parts_in_polars(Path(folder), Path(output))
    ),
    "polars-windows": lambda folder, output: timed(
        lambda: alternatives.parts_in_polars_windows(Path(folder), Path(output))
    ),
}


# --- the bars -----------------------------------------------------------------------------------


def scores(parts: Parts, scratch: Path) -> Iterator[Row]:
    forecasts = parts.rows("forecasts")
    ours = score(parts.folder, scratch / "brier")
    rivals = {
        "duckdb": "DuckDB window SQL",
        "polars-windows": "polars streaming, `shift().over()`",
        "polars": "polars streaming, by the order of the rows",
    }
    for name, title in rivals.items():
        theirs = run(name, parts.folder, scratch / f"{name}.parquet")
        alternatives.assert_equal_parts(scratch / "brier", scratch / f"{name}.parquet")
        times = theirs.seconds / ours.seconds
        yield (
            f"`brier`, {forecasts:,} forecasts from parts: {title}",
            f"{ours.seconds:.1f} s against {theirs.seconds:.1f} s: {times:.1f} times as fast; "
            f"memory {ours.peak / GIB:.2f} GiB against {theirs.peak / GIB:.2f}",
            "at least 5, under 2 GB",
            times >= 5 and ours.peak < 2e9,
        )
    memory = run("memory", parts.folder)
    rate, there = forecasts / ours.seconds, int(memory.answer) / memory.seconds
    yield (
        f"`brier` from parts and back: rate against one frame of {int(memory.answer):,} in memory",
        f"{rate / 1e6:.1f} million a second against {there / 1e6:.1f}: {rate / there:.2f}",
        "at least 0.6",
        rate / there >= 0.6,
    )
    peer = score(parts.folder, scratch / "peer", "--protocol", "metaculus_peer")
    yield (
        "`metaculus_peer` on the same parts",
        f"{peer.seconds:.1f} s, {peer.seconds / ours.seconds:.1f} times `brier`; "
        f"memory {peer.peak / GIB:.2f} GiB",
        "at most 3.5",
        peer.seconds / ours.seconds <= 3.5,
    )


def partitions(parts: Parts, scratch: Path) -> Iterator[Row]:
    forecasts = parts.rows("forecasts")
    questions, unsorted = partitioning.write_unsorted(scratch, forecasts)
    ours = run("partition", questions, unsorted, scratch / "made")
    theirs = run("sort", unsorted, scratch / "sorted.parquet")
    partitioning.assert_equal_rows(scratch / "made", scratch / "sorted.parquet")
    yield (
        f"partition of {forecasts:,} unsorted forecasts into {ours.answer} parts, "
        "against a bare `COPY … ORDER BY` of DuckDB",
        f"{ours.seconds:.1f} s against {theirs.seconds:.1f} s: {ours.seconds / theirs.seconds:.2f} "
        f"times as long; memory {ours.peak / GIB:.2f} GiB against {theirs.peak / GIB:.2f}",
        "at most 1.5 times as long, under 2 GB",
        ours.seconds <= 1.5 * theirs.seconds and ours.peak < 2e9,
    )


def reports(parts: Parts, scratch: Path) -> Iterator[Row]:
    """Report by forecaster; the same in one process if that has the memory."""
    forecasts = parts.rows("forecasts")
    ours = run("report", parts.folder, "forecaster", scratch / "parts.json")
    same = ""
    if forecasts < 1.1 * IN_MEMORY:
        whole = run("whole", parts.folder, "forecaster", scratch / "whole.json")
        reporting_parts.assert_equal_numbers(scratch / "parts.json", scratch / "whole.json")
        same = (
            f"; in one process {whole.seconds:.0f} s, {whole.peak / GIB:.2f} GiB, every number "
            "equal to 1e-9"
        )
    yield (
        f"`report --by forecaster` on {forecasts:,} forecasts in parts",
        f"{ours.seconds:.0f} s; memory {ours.peak / GIB:.2f} GiB{same}",
        "under 2 GB",
        ours.peak < 2e9,
    )


def by_dask(parts: Parts, scratch: Path) -> Iterator[Row]:
    local = score(parts.folder, scratch / "local")
    one = run("dask", parts.folder, scratch / "one", 1)
    two = run("dask", parts.folder, scratch / "two", 2)
    if not one.answer == two.answer == local.answer:
        raise SystemExit(f"The digests differ: {one.answer}, {two.answer}, {local.answer}")
    yield (
        f"`brier`, {parts.rows('forecasts'):,} forecasts on a Dask LocalCluster: 2 workers",
        f"{two.seconds:.1f} s against {one.seconds:.1f} s with one: "
        f"{one.seconds / two.seconds:.2f} times as fast; digest equal to the local one",
        "at least 1.6",
        one.seconds / two.seconds >= 1.6,
    )


def simulations(parts: Parts, scratch: Path) -> Iterator[Row]:
    ours = run("simulate", scratch / "simulated", max(parts.rows("forecasts") // 10, 1))
    rate = int(ours.answer) / ours.seconds
    yield (
        f"simulate {int(ours.answer):,} forecasts with one worker",
        f"{rate / 1e6:.1f} million a second; memory {ours.peak / GIB:.2f} GiB",
        "at least 1 million",
        rate >= 1e6,
    )


BARS: dict[str, Callable[[Parts, Path], Iterator[Row]]] = {
    "simulate": simulations,
    "partition": partitions,
    "score": scores,
    "report": reports,
    "dask": by_dask,
}


def tournament(folder: Path, forecasts: int) -> Parts:
    """Return a simulated tournament in parts, made unless it is there."""
    if is_parts(folder):
        return open_parts(folder)
    with Processes(preload=["forecasts.parts.scores.part_scores"]) as executor:
        return simulation.simulate(folder, simulated(forecasts), executor)


def simulated(forecasts: int) -> BulkTournament:
    return BulkTournament(questions=max(forecasts // 100, 1), forecasters=PEOPLE, updates=forecasts)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scale", description=__doc__)
    parser.add_argument("bars", nargs="*", help=f"some of {', '.join(BARS)}; all by default")
    parser.add_argument("--forecasts", type=int, default=10_000_000)
    parser.add_argument("--in", dest="folder", type=Path, help="folder for the parts and scores")
    parser.add_argument("--work", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.work:
        WORKS[given.work[0]](*given.work[1:])
        return
    place = given.folder or Path(tempfile.mkdtemp(prefix="scale-"))
    scratch = place / "scratch"
    try:
        parts = tournament(place / f"parts-{given.forecasts}", given.forecasts)
        print(f"Python {platform.python_version()}; {cores()} of {os.cpu_count()} processors.")
        print("\n| work | measured | bar | |\n|---|---|---|---|")
        for name in given.bars or BARS:
            shutil.rmtree(scratch, ignore_errors=True)
            scratch.mkdir()
            for work, measured, bar, met in BARS[name](parts, scratch):
                print(f"| {work} | {measured} | {bar} | {'met' if met else 'missed'} |", flush=True)
    finally:
        shutil.rmtree(scratch if given.folder else place, ignore_errors=True)


if __name__ == "__main__":
    main()
