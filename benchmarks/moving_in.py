"""Measure the import of a large export from another platform, shaped as Metaculus writes them.

    python -m benchmarks.moving_in [--questions 100000] [--in FOLDER]

Each question has 20 forecasts of 5 members: nine of ten questions are binary, the others have three
options. Half are resolved. The command imports the files into a new ledger in a file, with all
checks, the chain of hashes and the scores of both protocols that are stored.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks.bulk_writing import ROOT, command
from benchmarks.writing import verdict
from forecasts.common.settings import sqlite_url

FORECASTERS, OF_EACH, EACH = 2_000, 5, 4  # accounts, those on a question, forecasts of each there
RATE_BAR, MEMORY_BAR = 15_000, 1_000  # forecasts a second, MB
OPENS = datetime(2025, 1, 1, tzinfo=UTC)
QUESTIONS = (
    "Question ID,Question URL,Question Title,Post ID,Post Curation Status,Post Published Time,"
    "Default Project,Default Project ID,Categories,Leaderboard Tags,Label,Question Type,"
    "MC Options (Current),MC Options (All),MC Options History,Lower Bound,Open Lower Bound,"
    "Upper Bound,Open Upper Bound,Continuous Range,Open Time,CP Reveal Time,Scheduled Close Time,"
    "Actual Close Time,Resolution,Resolution Known Time,Include Bots in Aggregates,Question Weight"
)
FORECASTS = (
    "Question ID,Forecaster ID,Forecaster Username,Is Bot,Start Time,End Time,Forecaster Count,"
    "Probability Yes,Probability Yes Per Category,Continuous CDF,Probability Below Lower Bound,"
    "Probability Above Upper Bound,5th Percentile,25th Percentile,Median,75th Percentile,"
    "95th Percentile,Probability of Resolution,PDF at Resolution"
)
OPTIONS = "\"['Red', 'Green', 'Blue']\""


def write_export(folder: Path, questions: int) -> int:
    """Return the number of forecasts in the export, whose files are written into the folder."""
    folder.mkdir(parents=True)
    with (folder / "question_data.csv").open("w", encoding="utf-8") as file:
        file.write(QUESTIONS + "\n")
        for number in range(questions):
            is_binary = number % 10 != 0
            opens = OPENS + timedelta(hours=number % 4_000)
            closes, known = opens + timedelta(days=60), opens + timedelta(days=61)
            options = "" if is_binary else OPTIONS
            outcome = ("yes" if number % 4 == 1 else "no") if is_binary else "Green"
            end = f"{closes},{outcome},{known}" if number % 2 else ",,"
            file.write(
                f"{number + 1},https://elsewhere.example/questions/{number + 9000},Will event "
                f"{number + 1} happen by the end of its period?,{number + 9000},approved,{opens},"
                f"Community,1,\"['Economy']\",[],,{'binary' if is_binary else 'multiple_choice'},"
                f"{options},{options},,,,,,,{opens},,{closes},{end},False,1.0\n"
            )
    count = 0
    with (folder / "forecast_data.csv").open("w", encoding="utf-8") as file:
        file.write(FORECASTS + "\n")
        for number in range(questions):
            is_binary = number % 10 != 0
            opens = OPENS + timedelta(hours=number % 4_000)
            for seat in range(OF_EACH):
                who = (number * OF_EACH + seat * 7) % FORECASTERS
                for turn in range(EACH):
                    start = opens + timedelta(days=1 + turn * 12, seconds=seat, microseconds=who)
                    p = ((number + seat * 13 + turn * 29) % 97 + 1) / 99
                    options = f'"[{p / 2}, {p / 2}, {1 - p}]"'
                    file.write(
                        f"{number + 1},{who + 1},forecaster_{who + 1},False,{start},,,"
                        f"{p if is_binary else ''},{'' if is_binary else options},,,,,,,,,,\n"
                    )
                    count += 1
    return count


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--questions", type=int, default=100_000)
    parser.add_argument("--in", dest="folder", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=given.folder) as aside:
        export, url = Path(aside) / "export", sqlite_url(Path(aside) / "ledger.sqlite3")
        count = write_export(export, given.questions)
        importing = ("import", str(export), "--database", url)
        seconds, own, memory = command(ROOT, *importing)
        again, own_again, memory_again = command(ROOT, *importing)
    rate = count / seconds
    print("| work | measured | bar | |\n|---|---|---|---|")
    print(
        f"| `forecasts import` of {given.questions:,} questions with {count:,} forecasts | "
        f"{seconds:.1f} s ({own:.1f} s of the processor), {rate:,.0f} forecasts a second | at "
        f"least {RATE_BAR:,} | {verdict(rate >= RATE_BAR)} |\n"
        f"| its memory | {memory:.0f} MB | {MEMORY_BAR} MB | {verdict(memory < MEMORY_BAR)} |\n"
        f"| the same again | {again:.1f} s ({own_again:.1f} s of the processor), "
        f"{memory_again:.0f} MB | {MEMORY_BAR} MB | {verdict(memory_again < MEMORY_BAR)} |"
    )
    sys.exit(not (rate >= RATE_BAR and max(memory, memory_again) < MEMORY_BAR))


if __name__ == "__main__":
    main()
