"""Measure reports of a large ledger: time and memory of whole commands.

    python -m benchmarks.reporting [--quick]

The ledger is a simulated tournament of 1,000 questions and 200 forecasters in six teams, about
500,000 updates, written as a ledger folder (CSV) and imported into a database (SQLite); a quarter
of it shows how the time grows.
"""

from __future__ import annotations

import argparse
import math
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from forecasts.folder.folder import write_folder
from forecasts.folder.frames import complete
from scoring.simulation import Team, Tournament, simulate

TEAMS = ("Heron", "Kestrel", "Lark", "Osprey", "Teal", "Wren")
FORECASTERS = 200
BY_TEAM, PAIRS = ["--by", "team"], [f"{team} (simulated)" for team in TEAMS]
OF_DATABASE = ["--database", "DATABASE"]
JUDGED = {
    "`forecasts report --by team`, text": ["report", "FOLDER", *BY_TEAM],
    **{
        f"`forecasts report --by team`, {form.upper()}": [
            *("report", "FOLDER", *BY_TEAM, "--format", form),
        ]
        for form in ("json", "html", "pdf")
    },
    "`forecasts compare` of six teams": ["compare", "FOLDER", "--between", *PAIRS],
    "`forecasts report --by team`, JSON, from a database": [
        *("report", *BY_TEAM, "--format", "json", *OF_DATABASE),
    ],
    "`forecasts compare` of six teams, from a database": [
        *("compare", "--between", *PAIRS, *OF_DATABASE),
    ],
}
BARS = {"`forecasts report --by team`, JSON, from a database": 6}  # seconds; the others' is 5
WORKS = {
    "`forecasts import` into a new database": ["import", "FOLDER", *OF_DATABASE],
    **JUDGED,
    "`forecasts report --by forecaster`, JSON": [
        *("report", "FOLDER", "--by", "forecaster", "--format", "json"),
    ],
}


def ledger(questions: int, folder: Path) -> int:
    """Return the number of forecasts in the ledger written to ``folder``."""
    sizes = [FORECASTERS // len(TEAMS) + (n < FORECASTERS % len(TEAMS)) for n in range(len(TEAMS))]
    made = simulate(
        Tournament(
            teams=tuple(Team(name, members=many) for name, many in zip(TEAMS, sizes, strict=True)),
            seed=1,
            questions=questions,
            families=questions * 2 // 3,
            participation=0.5,
            updates=7.0,
        )
    )
    frames = complete(made.questions, made.forecasts, made.teams)
    write_folder(frames, folder)
    return len(frames.forecasts)


def run(arguments: list[str], times: int) -> tuple[float, float]:
    """Return a command's best time in seconds, and its peak memory in GiB."""
    command = [sys.executable, "-m", "benchmarks.reporting", "--measure", *arguments]
    found = []
    for _ in range(times):
        printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        found.append(tuple(float(part) for part in printed.split()))
    return min(seconds for seconds, _ in found), max(memory for _, memory in found)


def measure(arguments: list[str]) -> None:
    """Run one command as a child process, and print its seconds and peak memory in GiB."""
    start = time.perf_counter()
    subprocess.run(
        [str(Path(sys.executable).with_name("forecasts")), *arguments],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    seconds = time.perf_counter() - start
    print(seconds, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**20)


def main() -> None:
    """Print the time and memory of each command beside its bar."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of the size")
    parser.add_argument("--measure", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.measure:
        measure(given.measure)
        return
    whole = 100 if given.quick else 1000
    sizes = [whole // 4, whole]
    with tempfile.TemporaryDirectory() as place:
        folders = [Path(place) / str(size) for size in sizes]
        counts = [ledger(size, folder) for size, folder in zip(sizes, folders, strict=True)]
        print("| work | updates | measured | bar |")
        print("| --- | --- | --- | --- |")
        for name, arguments in WORKS.items():
            taken = []
            for folder, count in zip(folders, counts, strict=True):
                known = {"FOLDER": str(folder), "DATABASE": f"{folder}.db"}
                # The import needs an empty database, so it runs once.
                times = 1 if arguments[0] == "import" else 3
                seconds, memory = run([known.get(word, word) for word in arguments], times)
                taken.append(seconds)
                print(f"| {name} | {count:,} | {seconds:.2f} s, {memory:.2f} GiB | ", end="")
                judged = count == counts[-1] and name in JUDGED
                bar = f"under {BARS.get(name, 5)} s and 1.5 GB |"
                print(bar if judged else "|", flush=True)
            growth = math.log(taken[1] / taken[0]) / math.log(counts[1] / counts[0])
            print(f"| {name}: growth, log of time by log of updates | | {growth:.2f} | about 1 |")


if __name__ == "__main__":
    main()
