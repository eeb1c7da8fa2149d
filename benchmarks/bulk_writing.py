"""Measure bulk writing: an import, verifying it, and many forecasts in one transaction.

    python -m benchmarks.bulk_writing [--on sqlite|postgresql] [--in FOLDER] [--before FOLDER]
    python -m benchmarks.bulk_writing --whole [--in FOLDER]

A ledger folder of half a million updates is imported into a new ledger, and that is verified, by
the commands. With ``--before``, a checkout of an earlier commit does the same in the same run. Then
one transaction writes 10,000 forecasts of one member. With ``--whole`` a folder of 4.9 million
updates is imported instead, for its memory.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path

from benchmarks.reporting import ledger as write_tournament
from benchmarks.writing import COLD, OPENS, furnish, ledger, stored, verdict
from forecasts.access.members import member_or_new
from forecasts.common.settings import sqlite_url
from forecasts.ledger import database, schema
from forecasts.questions import registry
from forecasts.updates import updates
from forecasts.values.value import Value

BATCH, BATCHES, BATCH_BAR = 10_000, 5, 15_000  # forecasts, transactions, forecasts a second
VERIFY_BAR = 15  # seconds
IMPORT_BARS = {"sqlite": 5, "postgresql": 3}  # times the rate of the checkout before
MEMORY_BAR = 700  # MB
WHOLE, WHOLE_BAR = 9500, 1000  # questions with 4.9 million updates, MB
ROOT = Path(__file__).parents[1]
# The command line of either checkout.
RUN = """
try:
    from forecasts.cli.main import main
except ImportError:
    from forecasts.cli import main
main()
"""


def command(tree: Path, *arguments: str) -> tuple[float, float, float]:
    """Return a command's seconds, processor seconds and peak MB, with the code in ``tree``."""
    own = os.environ | {"PYTHONPATH": str(tree), "FORECASTS_MEMBER": "me"}
    began = time.perf_counter()
    child = subprocess.Popen(
        [sys.executable, "-c", RUN, *arguments],
        cwd=tree,
        env=own,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    _, status, used = os.wait4(child.pid, 0)
    assert status == 0, arguments
    seconds = time.perf_counter() - began
    return seconds, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


def measure_import(kind: str, folder: Path, before: Path | None) -> bool:
    """Print the rate of an import and the time of verifying it; return whether they are met."""
    rows = write_tournament(1000, folder / "tournament")
    trees = {"now": ROOT, **({"before": before} if before else {})}
    rates, met = {}, True
    for name, tree in trees.items():
        with tempfile.TemporaryDirectory(dir=folder) as own, ledger(kind, Path(own)) as url:
            command(tree, "migrate", "--database", url)
            importing = ("import", str(folder / "tournament"), "--database", url)
            seconds, own_seconds, memory = command(tree, *importing)
            rates[name] = rows / seconds
            verified, own_verified, _ = command(tree, "verify", "--database", url)
        met &= name != "now" or (memory < MEMORY_BAR and verified < VERIFY_BAR)
        print(
            f"| {kind}: `forecasts import` of {rows:,} updates, {name} | {seconds:.1f} s "
            f"({own_seconds:.1f} s of the processor), {rates[name]:,.0f} a second, "
            f"{memory:.0f} MB | {MEMORY_BAR} MB | {verdict(memory < MEMORY_BAR)} |\n"
            f"| {kind}: `forecasts verify` of it, {name} | {verified:.1f} s "
            f"({own_verified:.1f} s of the processor) | {VERIFY_BAR} s | "
            f"{verdict(verified < VERIFY_BAR)} |",
            flush=True,
        )
    if before:
        ratio = rates["now"] / rates["before"]
        met &= ratio >= IMPORT_BARS[kind]
        print(
            f"| {kind}: rate of the import, now and before | {ratio:.1f} times | at least "
            f"{IMPORT_BARS[kind]} times | {verdict(ratio >= IMPORT_BARS[kind])} |"
        )
    return met


def measure_whole(folder: Path) -> bool:
    """Print the memory of an import of nearly as many updates as a table may have."""
    rows = write_tournament(WHOLE, folder / "whole")
    url = sqlite_url(folder / "whole.sqlite3")
    seconds, _, memory = command(ROOT, "import", str(folder / "whole"), "--database", url)
    met = memory < WHOLE_BAR
    print(
        f"| sqlite: `forecasts import` of {rows:,} updates | {seconds:.0f} s, {memory:.0f} MB | "
        f"{WHOLE_BAR} MB | {verdict(met)} |"
    )
    return met


def measure_batch(kind: str, folder: Path) -> bool:
    """Print the rate of one member's forecasts in one transaction; return whether it is met."""
    with tempfile.TemporaryDirectory(dir=folder) as own, ledger(kind, Path(own)) as url:
        engine = database.open_engine(url)
        schema.migrate(engine)
        furnish(engine)
        rates = []
        for _ in range(BATCHES):
            began = time.perf_counter()
            with database.writing(engine) as session:
                now = OPENS + timedelta(days=1)
                member = member_or_new(session, "writer 1", now=now)
                questions = [registry.find(session, f"cold-{number}") for number in range(COLD)]
                forecasts = [
                    updates.NewForecast(
                        questions[n % COLD], Value(probability=(n % 99 + 1) / 100), f"1.{n}"
                    )
                    for n in range(BATCH)
                ]
                updates.update_all(session, forecasts, member=member, now=now)
            rates.append(BATCH / (time.perf_counter() - began))
        whole = stored(engine).total() == BATCH * BATCHES
        engine.dispose()
    met = whole and max(rates) >= BATCH_BAR
    print(
        f"| {kind}: {BATCH:,} forecasts of one member in one transaction, best of {BATCHES} | "
        f"{max(rates):,.0f} a second; chain {'intact' if whole else 'broken'} | at least "
        f"{BATCH_BAR:,} | {verdict(met)} |"
    )
    return met


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--on", choices=("sqlite", "postgresql"))
    parser.add_argument("--in", dest="folder", type=Path)
    parser.add_argument("--whole", action="store_true", help="only the largest import")
    parser.add_argument("--before", type=Path, help="a checkout of an earlier commit")
    given = parser.parse_args()
    print("| work | measured | bar | |\n|---|---|---|---|")
    met = True
    if given.whole:
        with tempfile.TemporaryDirectory(dir=given.folder) as folder:
            sys.exit(not measure_whole(Path(folder)))
    for kind in [given.on] if given.on else ["sqlite", "postgresql"]:
        with tempfile.TemporaryDirectory(dir=given.folder) as folder:
            met &= measure_batch(kind, Path(folder))
            met &= measure_import(kind, Path(folder), given.before)
    sys.exit(not met)


if __name__ == "__main__":
    main()
