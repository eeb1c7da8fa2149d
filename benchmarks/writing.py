"""Measure concurrent writers. Those that are killed are in ``tests/outages``.

    python -m benchmarks.writing [--on sqlite|postgresql] [--updates N] [--in FOLDER]

Eight processes update questions, half of the updates on one question, half on a hundred others. In
turns with them, eight others insert as many plain rows into a table without rules, triggers or
chain, one a transaction, with the same driver and durability: with a statement, and with SQLModel.
No update may be lost, doubled or refused, and the chain must be intact.
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest.mock import patch

from sqlalchemy import Engine, MetaData, text
from sqlmodel import Field, Session, SQLModel, select

from forecasts.access.members import member_or_new
from forecasts.access.visibility import read_as
from forecasts.common.settings import sqlite_url
from forecasts.ledger import database, schema
from forecasts.ledger.models import Forecast, Question
from forecasts.ledger.verification import verify
from forecasts.questions import registry
from forecasts.updates import updates
from forecasts.values.value import Value

# Each writer is a process, forked from one that has already loaded the ledger.
PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(
    [
        "benchmarks.writing",
        "forecasts.folder.folder",
        "forecasts.importing.frames",
        "forecasts.ledger.verification",
        "forecasts.resolution.runs.run",
    ]
)
READY, COMPLAINT = "ready", "refused: "
Act = Callable[[str, str, float], None]  # slug, rationale, probability
WRITERS = 8
WHAT = ("updates", "plain", "sqlmodel")  # they take turns, in so many rounds
ROUNDS = 5
COLD = 100
BAR = 0.25  # of plain rows with SQLModel
HOT = "hot"
OPENS = datetime(2026, 1, 1, tzinfo=UTC)
PLAIN = (
    "CREATE TABLE plain (id {id}, question_id INTEGER, member_id INTEGER, made_at TEXT,"
    " recorded_at TEXT, probability FLOAT, rationale TEXT, origin TEXT)"
)
ID = {"sqlite": "INTEGER PRIMARY KEY", "postgresql": "SERIAL PRIMARY KEY"}
INSERT = text(
    "INSERT INTO plain (question_id, member_id, made_at, recorded_at, probability, rationale,"
    " origin) VALUES (:question, :member, :at, :at, :p, :said, 'cli')"
)


class Plain(SQLModel, table=True):
    """A row of that table."""

    metadata = MetaData()  # apart from the ledger's tables

    id: int | None = Field(default=None, primary_key=True)
    question_id: int
    member_id: int
    made_at: str
    recorded_at: str
    probability: float
    rationale: str
    origin: str


@dataclass(frozen=True)
class Written:
    """The writers' result: seconds, acknowledged updates, and complaints."""

    seconds: float
    acknowledged: list[str]
    complaints: list[str]

    @property
    def rate(self) -> float:
        """Rows written a second."""
        return len(self.acknowledged) / self.seconds


def furnish(engine: Engine) -> None:
    """Register the questions and the writers."""
    with database.writing(engine) as session:
        for number in range(WRITERS):
            member_or_new(session, f"writer {number}", now=OPENS)
        asker = member_or_new(session, "asker", now=OPENS)
        for slug in (HOT, *(f"cold-{number}" for number in range(COLD))):
            asked = registry.question_text(
                title=f"Will {slug} be?",
                open_time=OPENS,
                scheduled_close_time=OPENS + timedelta(days=300),
            )
            registry.register(session, asked, member=asker, now=OPENS, slug=slug)


def write(what: str, url: str, writer: int, many: int, told: Connection) -> None:
    """Write ``many`` rows whenever the pipe says so, and report each stored row in it."""
    engine = database.open_engine(url)
    act = {"updates": _updating, "plain": _inserting, "sqlmodel": _adding}[what](engine, writer)
    told.send(READY)
    written = 0
    while told.recv():
        for number in range(written, written + many):
            said = f"{writer}.{number}"
            slug = HOT if number % 2 else f"cold-{(writer * many + number) // 2 % COLD}"
            try:
                act(slug, said, (number % 99 + 1) / 100)
            except Exception as error:
                told.send(f"{COMPLAINT}{error!r}")
            else:
                told.send(said)
        written += many
        told.send(READY)
    told.close()
    engine.dispose()


def _updating(engine: Engine, writer: int) -> Act:
    """Return the act that updates a forecast as a page does, looking up and checking the member."""
    handle, now = f"writer {writer % WRITERS}", OPENS + timedelta(days=1)
    with database.reading(engine) as session:
        asked = {one.slug: one for one in session.exec(select(Question)).all()}

    def update(slug: str, said: str, p: float) -> None:
        with database.writing(engine) as session:
            member = member_or_new(session, handle, now=now)
            read_as(session, member, now=now)
            value = Value(probability=p)
            updates.update(session, asked[slug], value, member=member, now=now, rationale=said)

    return update


def _inserting(engine: Engine, writer: int) -> Act:
    """Return the act that inserts a plain row with a statement."""
    plain = engine.execution_options(plain=True)

    def insert(_slug: str, said: str, p: float) -> None:
        with plain.begin() as connection:
            if engine.dialect.name == "sqlite":
                connection.exec_driver_sql("PRAGMA query_only=OFF")
            connection.execute(
                INSERT, {"question": 1, "member": writer, "at": str(OPENS), "p": p, "said": said}
            )

    return insert


def _adding(engine: Engine, writer: int) -> Act:
    """Return the act that inserts a plain row with SQLModel."""
    plain = engine.execution_options(plain=True)

    def add(_slug: str, said: str, p: float) -> None:
        with Session(plain) as session:
            if engine.dialect.name == "sqlite":
                session.connection().exec_driver_sql("PRAGMA query_only=OFF")
            row = Plain(
                question_id=1,
                member_id=writer,
                made_at=str(OPENS),
                recorded_at=str(OPENS),
                probability=p,
                rationale=said,
                origin="cli",
            )
            session.add(row)
            session.commit()

    return add


@dataclass(frozen=True)
class Writer:
    """A process, and our end of its pipe."""

    process: ForkServerProcess
    pipe: Connection

    def go(self) -> None:
        """Let it write."""
        self.pipe.send(True)

    def end(self) -> None:
        """End it after its last row."""
        self.pipe.send(False)
        self.process.join()

    def heard(self) -> Iterator[str]:
        """Yield its reports until it is done or has been killed."""
        with suppress(EOFError, OSError):
            while (line := self.pipe.recv()) != READY:
                yield line


def begin(act: Callable[..., None], *arguments: Any) -> Writer:
    """Return a process that does the act, which gets the other end of the pipe as well."""
    ours, theirs = PROCESSES.Pipe()
    process = PROCESSES.Process(target=act, args=(*arguments, theirs), daemon=True)
    # Else the main module, which may be a page that a test has shown, would run in the process.
    with patch.dict(sys.modules, {"__main__": ModuleType("__main__")}):
        process.start()
    theirs.close()
    return Writer(process, ours)


def start(what: str, url: str, writer: int, many: int) -> Writer:
    """Return a writer that is ready to write."""
    begun = begin(write, what, url, writer, many)
    assert begun.pipe.recv() == READY
    return begun


def side_by_side(writers: Sequence[Writer]) -> Written:
    """Return the result of writers that write at the same time."""
    began = time.perf_counter()
    for writer in writers:
        writer.go()
    said = [line for writer in writers for line in writer.heard()]
    seconds = time.perf_counter() - began
    complaints = [line for line in said if line.startswith(COMPLAINT)]
    told = [line for line in said if not line.startswith(COMPLAINT)]
    return Written(seconds, told, complaints)


def together(parts: Iterable[Written]) -> Written:
    """Return the result of several rounds."""
    all_ = list(parts)
    return Written(
        sum(one.seconds for one in all_),
        [line for one in all_ for line in one.acknowledged],
        [line for one in all_ for line in one.complaints],
    )


def stored(engine: Engine) -> Counter[str]:
    """Return how often each update is in the ledger; AssertionError unless it is whole."""
    with database.reading(engine) as session:
        found = verify(session)
        assert (found.broken, found.derived) == (None, ())
        return Counter(session.exec(select(Forecast.rationale)).all())


@contextmanager
def ledger(kind: str, folder: Path) -> Iterator[str]:
    """Yield the URL of a new, empty database in a file or on a server, as durable as in use."""
    if kind == "sqlite":
        url = sqlite_url(folder / "writing.sqlite3")
        yield url
        return
    from tests.postgresql import Server

    server = Server(folder)
    try:
        for name in ("full_page_writes", "fsync", "autovacuum"):
            server.set(name, "on")
        with server.fresh(migrated=False) as url:
            yield url
    finally:
        server.stop()


def measure_writers(kind: str, folder: Path, many: int) -> bool:
    """Print the measurements of concurrent writers; return whether every bar was met."""
    with ledger(kind, folder) as url:
        engine = database.open_engine(url)
        schema.migrate(engine)
        furnish(engine)
        with database.writing(engine) as session:
            session.execute(text(PLAIN.format(id=ID[kind])))
        each = many // WRITERS // ROUNDS
        begun = [[start(what, url, number, each) for number in range(WRITERS)] for what in WHAT]
        rounds = [[side_by_side(writers) for writers in begun] for _ in range(ROUNDS)]
        for writer in (writer for writers in begun for writer in writers):
            writer.end()
        wrote, plain, added = (together(part) for part in zip(*rounds, strict=True))
        found = stored(engine)
        whole = found == Counter(wrote.acknowledged) and not wrote.complaints
        met = whole
        beside = {
            "plain rows by a statement": plain,
            "plain rows with SQLModel": added,
        }
        for what, rows in beside.items():
            ratio = wrote.rate / rows.rate
            bar = BAR if what.endswith("SQLModel") else 0.0
            met &= ratio >= bar
            print(
                f"| {kind}: {len(wrote.acknowledged):,} updates by {WRITERS} processes beside "
                f"{what} | {wrote.rate:,.0f} a second, {rows.rate:,.0f}: {ratio:.2f} of it | "
                + (f"at least {bar} | {verdict(ratio >= bar)} |" if bar else "| |")
            )
        print(
            f"| {kind}: lost, doubled or refused | "
            f"{sum((Counter(wrote.acknowledged) - found).values())}, "
            f"{sum(n > 1 for n in found.values())}, {len(wrote.complaints)}; "
            f"chain intact | none | {verdict(whole)} |"
        )
        print("\n".join(wrote.complaints[:20]), file=sys.stderr)
        engine.dispose()
    return met


def verdict(met: bool) -> str:
    """Return the word for a bar."""
    return "met" if met else "missed"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--on", choices=("sqlite", "postgresql"))
    parser.add_argument("--updates", type=int, default=20_000)
    parser.add_argument("--in", dest="folder", type=Path)
    given = parser.parse_args()
    print("| work | measured | bar | |\n|---|---|---|---|")
    met = True
    for kind in [given.on] if given.on else ["sqlite", "postgresql"]:
        with tempfile.TemporaryDirectory(dir=given.folder) as folder:
            met &= measure_writers(kind, Path(folder), given.updates)
    sys.exit(not met)


if __name__ == "__main__":
    from benchmarks import writing  # the writers' processes find the functions by that name

    writing.main()
