"""Measure exports of a large ledger: rows a second and peak memory of whole commands.

    python -m benchmarks.exporting [--forecasts N] [--on sqlite|postgresql] [--in FOLDER]

The ledger is filled by bulk inserts, since an import makes a chain: a question for every 500
forecasts, written in order of time, so that a question's forecasts lie far apart. A tenth have a
rationale, and a hundredth cite evidence. Beside each export, the same rows are written with the
database driver and Python's CSV writer. On a busy machine, compare the rates by processor time.
"""

from __future__ import annotations

import argparse
import csv
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sqlalchemy import Engine
from sqlmodel import select

from benchmarks.reporting import run
from benchmarks.writing import ledger, verdict
from forecasts.access.members import member_or_new
from forecasts.folder.frames import complete
from forecasts.importing.frames import import_frames
from forecasts.ledger import database, schema
from forecasts.ledger.models import Question

EACH = 500  # forecasts on a question
PEOPLE = 200
OPENS = datetime(2026, 1, 1, tzinfo=UTC)
DAYS = 300
RATE, MEMORY = 200_000, 500  # rows a second, MB
BLOCK = 100_000
SAID = "The base rate is a third; polls and a quiet press make it a little likelier. "
FORECAST = "question_id, member_id, made_at, recorded_at, probability, withdrawn, rationale, origin"
CITED = "forecast_id, evidence_id, stance"
PLAIN = (
    "SELECT question.slug, member.handle, forecast.made_at, forecast.probability,"
    " forecast.rationale FROM forecast JOIN question ON question.id = forecast.question_id"
    " JOIN member ON member.id = forecast.member_id"
    " ORDER BY forecast.question_id, forecast.member_id, forecast.made_at, forecast.id"
)


def fill(engine: Engine, forecasts: int) -> None:
    """Write a ledger of that many forecasts."""
    numbers = np.arange(max(forecasts // EACH, 1))
    asked = pd.DataFrame(
        {
            "question_id": [f"index-{number}" for number in numbers],
            "title": [f"Will the index of region {number} rise?" for number in numbers],
            "type": "binary",
            "open_time": pd.Timestamp(OPENS),
            "scheduled_close_time": pd.Timestamp(OPENS + timedelta(days=DAYS)),
        }
    )
    with database.writing(engine) as session:
        asker = member_or_new(session, "asker", now=OPENS)
        import_frames(session, complete(asked, pd.DataFrame()), member=asker, now=OPENS)
        people = [member_or_new(session, f"forecaster {n}", now=OPENS).id for n in range(PEOPLE)]
        questions = list(session.exec(select(Question.id)))
    with engine.begin() as connection:
        driver: Any = connection.connection.driver_connection
        lite = engine.dialect.name == "sqlite"
        if lite:
            driver.execute("PRAGMA query_only=OFF")
        opens = stamp(OPENS, lite)
        evidence = [(f"e-{n}", "news", "", "", "a figure", opens) for n in range(1000)]
        columns = "key, kind, title, quote, note, recorded_at"
        insert(driver, lite, "evidence", columns, iter(evidence))
        insert(driver, lite, "forecast", FORECAST, rows(forecasts, questions, people, lite))
        cited = ((id_, id_ // 100 % 1000 + 1, "supports") for id_ in range(1, forecasts + 1, 100))
        insert(driver, lite, "citation", CITED, cited)


def rows(
    forecasts: int, asked: list[int], people: list[int], lite: bool
) -> Iterator[tuple[Any, ...]]:
    """Yield the rows of forecasts in order of time."""
    random = np.random.default_rng(1)
    step = timedelta(days=DAYS) / (forecasts + 1)
    for start in range(0, forecasts, BLOCK):
        size = min(BLOCK, forecasts - start)
        question = random.integers(0, len(asked), size).tolist()
        member = random.integers(0, 20, size).tolist()
        p = random.random(size).tolist()
        for n in range(size):
            made = stamp(OPENS + (start + n) * step, lite)
            who = people[(question[n] * 7 + member[n]) % PEOPLE]
            said = SAID if (start + n) % 10 == 0 else ""
            yield asked[question[n]], who, made, made, p[n], 0 if lite else False, said, "api"


def stamp(at: datetime, lite: bool) -> str:
    """Return a time as the database stores it."""
    return at.isoformat(" ", "microseconds")[:26] if lite else at.isoformat()


def insert(
    driver: Any, lite: bool, table: str, columns: str, values: Iterator[tuple[Any, ...]]
) -> None:
    """Write rows in bulk."""
    if lite:
        marks = ", ".join("?" * len(columns.split(", ")))
        driver.executemany(f"INSERT INTO {table} ({columns}) VALUES ({marks})", values)
        return
    with driver.cursor().copy(f"COPY {table} ({columns}) FROM STDIN") as copy:
        for row in values:
            copy.write_row(row)


def plainly(engine: Engine, file: Path) -> None:
    """Write the same rows with the driver and Python's CSV writer."""
    with (
        engine.connect().execution_options(stream_results=True) as connection,
        file.open("w", encoding="utf-8", newline="") as written,
    ):
        writer = csv.writer(written, lineterminator="\n")
        for block in connection.exec_driver_sql(PLAIN).partitions(BLOCK // 10):
            writer.writerows(block)


def processor() -> float:
    """Return the processor seconds of this process and of commands that ended."""
    spent = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in spent)


def measure(kind: str, folder: Path, forecasts: int) -> bool:
    """Print the measurements of one database; return whether every bar was met."""
    with ledger(kind, folder) as url:
        engine = database.open_engine(url)
        schema.migrate(engine)
        fill(engine, forecasts)
        if kind == "postgresql":
            with engine.connect() as connection:
                connection.exec_driver_sql("ANALYZE")
        begun, before = time.perf_counter(), processor()
        plainly(engine, folder / "plain.csv")
        plain, between = time.perf_counter() - begun, processor()
        seconds, memory = run(["export", str(folder / "out"), "--database", url], 1)
        own, plain_own = processor() - between, between - before
        engine.dispose()
    lines = sum(1 for _ in (folder / "out" / "forecasts.csv").open("rb")) - 1
    assert lines >= forecasts, lines
    rate, used = forecasts / seconds, memory * 1.073741824e3
    quick = rate >= RATE or kind != "sqlite"
    bar = f"at least {RATE:,} a second" if kind == "sqlite" else ""
    driver = "driver and CSV writer"
    beside = f"{driver}: {forecasts / plain:,.0f}"
    by_processor = f"{forecasts / own:,.0f} a second; {driver}: {forecasts / plain_own:,.0f}"
    work = f"| `forecasts export` of {forecasts:,} forecasts, CSV, {kind}"
    print(f"{work} | {rate:,.0f} a second; {beside} | {bar} | {verdict(quick)} |")
    print(f"{work}: by processor time | {by_processor} | | |")
    print(f"{work}: memory | {used:,.0f} MB | under {MEMORY} MB | {verdict(used < MEMORY)} |")
    return quick and used < MEMORY


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--forecasts", type=int, default=10_000_000)
    parser.add_argument("--on", choices=("sqlite", "postgresql"))
    parser.add_argument("--in", dest="folder", type=Path)
    given = parser.parse_args()
    print("| work | measured | bar | |\n|---|---|---|---|", flush=True)
    met = True
    for kind in [given.on] if given.on else ["sqlite", "postgresql"]:
        with tempfile.TemporaryDirectory(dir=given.folder) as folder:
            met &= measure(kind, Path(folder), given.forecasts)
    sys.exit(not met)


if __name__ == "__main__":
    main()
