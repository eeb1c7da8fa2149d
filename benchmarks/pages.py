"""Measure the pages of a large ledger in a browser, against a page of one line.

    python -m benchmarks.pages [--quick] [--in FOLDER] [--only PART]

Serves a simulated ledger of 20,000 questions, 500 members and a million updates, one of 100
questions, and a Streamlit page of one line. Opens each page in Chromium on all three in turn: from
navigation to the last of its content it may take 3 times as long as the one line, and 1.5 times as
long as on the small ledger. Then runs the pages' scripts without a browser, for their time and for
memory growth over 500 runs. Finally one person reads and updates for two minutes, then 25 at once,
over connections like a browser's (``people``).
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
from playwright.sync_api import Browser
from sqlalchemy import Engine
from sqlmodel import col, func, select
from streamlit.testing.v1 import AppTest

import app.session
from benchmarks.people import SECONDS, measure_people
from forecasts.access.members import member_or_new
from forecasts.common.settings import sqlite_url
from forecasts.folder.frames import complete
from forecasts.importing.frames import import_frames
from forecasts.ledger import database, schema
from forecasts.ledger.models import Forecast
from forecasts.questions import standing
from scoring.simulation import Team, Tournament, simulate
from tests.app.browsing import DONE, answering, free_port, launched, serving

READER = "Wren 1 (simulated)"
LARGE, SMALL, ONE_LINE = "large", "small", "one line"
PAGES = {
    "Today": "",
    "Questions": "questions",
    "Question": "question?slug={slug}",
    "Articles": "articles",
    "Track record": "track_record",
    "Compare": "compare",
    "Resolve": "resolve",
}
OF_ONE_LINE, OF_SMALL, SCRIPT_MS = 3.0, 1.5, 300
ROUNDS, RUNS = 5, 500
OPENED = 60_000  # ms after which a page counts as broken


@dataclass(frozen=True)
class Size:
    """The size of a ledger."""

    questions: int
    members: int
    participation: float
    updates: float = 5.0


SIZES = {LARGE: Size(20_000, 500, 0.02), SMALL: Size(100, 20, 0.5)}
QUICK = {LARGE: Size(1_000, 100, 0.1), SMALL: Size(100, 20, 0.5)}


def furnish(url: str, size: Size, now: datetime) -> str:
    """Write a simulated ledger with one question in ten open; return its size in words."""
    teams = ("Heron", "Kestrel", "Tern", "Wren")
    made = simulate(
        Tournament(
            teams=tuple(Team(name, members=size.members // len(teams)) for name in teams),
            seed=1,
            questions=size.questions,
            families=size.questions * 2 // 3,
            participation=size.participation,
            updates=size.updates,
        )
    )
    questions, forecasts = made.questions, made.forecasts
    moment = pd.Timestamp(now)
    closes = questions["scheduled_close_time"].sort_values()
    shift = moment - closes.iloc[len(questions) * 9 // 10]
    for frame in (questions, forecasts, made.teams):
        for column in frame.select_dtypes("datetimetz"):
            frame[column] = frame[column] + shift
    ahead = questions["resolved_at"] >= moment
    questions.loc[ahead, "resolution"] = ""
    questions.loc[ahead, ["known_at", "resolved_at", "actual_close_time"]] = pd.NaT
    forecasts = forecasts[forecasts["made_at"] < moment]
    engine = database.open_engine(url)
    schema.migrate(engine)
    with database.writing(engine) as session:
        owner = member_or_new(session, "owner (simulated)", now=now)
        frames = complete(questions, forecasts, made.teams)
        done = import_frames(session, frames, member=owner, now=now)
    engine.dispose()
    return f"{done.questions:,} questions, {done.forecasts:,} updates, {size.members} members"


def busiest(engine: Engine) -> list[str]:
    """Return the slugs of the open questions, most updates first."""
    with database.reading(engine) as session:
        many = dict(
            session.exec(
                select(Forecast.question_id, func.count(col(Forecast.id))).group_by(
                    col(Forecast.question_id)
                )
            ).all()
        )
        now = datetime.now(UTC)
        live = [one for one in standing.listing(session, now=now) if one.accepts_forecasts(now)]
    return [one.slug for one in sorted(live, key=lambda one: -many.get(one.id, 0))]


@contextmanager
def one_line(folder: Path) -> Iterator[str]:
    """Yield the address of a Streamlit page of one line, served like the app."""
    (folder / "line.py").write_text("import streamlit as st; st.title('One line')\n")
    port = free_port()
    options = ["--server.headless=true", f"--server.port={port}", "--server.address=127.0.0.1"]
    options += ["--browser.gatherUsageStats=false", "--server.fileWatcherType=none"]
    command = [sys.executable, "-m", "streamlit", "run", str(folder / "line.py"), *options]
    base = f"http://127.0.0.1:{port}"
    with answering(command, f"{base}/_stcore/health", folder / "line.log"):
        yield base


def opened(browser: Browser, address: str) -> float:
    """Return the milliseconds from navigation to the last of a page's content."""
    with browser.new_context(viewport={"width": 1280, "height": 900}) as context:
        page = context.new_page()
        page.set_default_timeout(OPENED)
        began = time.perf_counter()
        page.goto(address, wait_until="commit")
        page.get_by_role("heading", level=1).first.wait_for()
        page.locator(DONE).wait_for()
        return (time.perf_counter() - began) * 1000


def measure_pages(browser: Browser, bases: Mapping[str, str], slugs: Mapping[str, str]) -> bool:
    """Print the time to open each page on both ledgers and of the one line."""
    print("| page | large | small | one line | large / one line | large / small | |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    met = True
    for name, path in PAGES.items():
        at = {
            which: f"{base}/{path.format(slug=slugs[which])}" if which != ONE_LINE else base
            for which, base in bases.items()
        }
        taken: dict[str, list[float]] = {which: [] for which in at}
        for turn in range(ROUNDS + 1):
            for which, address in at.items():
                seconds = opened(browser, address)
                if turn:  # the first one fills the server's caches
                    taken[which].append(seconds)
        middle = {which: statistics.median(found) for which, found in taken.items()}
        of_line, of_small = (middle[LARGE] / middle[which] for which in (ONE_LINE, SMALL))
        holds = of_line <= OF_ONE_LINE and of_small <= OF_SMALL
        met &= holds
        print(
            f"| {name} | {middle[LARGE]:.0f} ms | {middle[SMALL]:.0f} ms | "
            f"{middle[ONE_LINE]:.0f} ms | {of_line:.2f} (at most {OF_ONE_LINE:g}) | "
            f"{of_small:.2f} (at most {OF_SMALL:g}) | {'met' if holds else 'missed'} |",
            flush=True,
        )
    return met


def measure_scripts(url: str, slug: str, runs: int) -> bool:
    """Print the time of each page's script on the large ledger, and the memory over many runs."""
    os.environ |= {"FORECASTS_DATABASE_URL": url, "FORECASTS_MEMBER": READER}
    navigation = Path(app.session.__file__).parent / "navigation.py"
    print("| page | script, median of 5 runs | |")
    print("| --- | --- | --- |")
    met = True
    tests = {}
    for name, path in PAGES.items():
        page, _, query = path.format(slug=slug).partition("?")
        test = AppTest.from_file(str(navigation), default_timeout=120)
        test.run()
        if page:
            for pair in filter(None, query.split("&")):
                key, _, value = pair.partition("=")
                test.query_params[key] = value
            test.switch_page(f"app_pages/{page}.py")
        test.run()
        taken = []
        for _ in range(5):
            began = time.perf_counter()
            test.run()
            taken.append((time.perf_counter() - began) * 1000)
        assert not test.exception, test.exception
        tests[name] = test
        middle = statistics.median(taken)
        met &= middle <= SCRIPT_MS
        verdict = "met" if middle <= SCRIPT_MS else "missed"
        print(f"| {name} | {middle:.0f} ms (at most {SCRIPT_MS}) | {verdict} |", flush=True)
    grown = []
    for number in range(runs):
        for name in ("Today", "Question"):
            tests[name].run()
        if number % (runs // 10) == 0:
            grown.append(_memory())
    sizes = ", ".join(f"{size:.0f}" for size in grown)
    print(f"memory over {runs} runs of Today and Question, MiB: {sizes}")
    return met


def _memory() -> float:
    """Return this process's resident memory in MiB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20


def main() -> int:
    """Measure and print; return 1 if a bar was missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.pages", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a twentieth of the size")
    parser.add_argument("--in", dest="folder", type=Path, help="keep the ledgers in this folder")
    parser.add_argument("--only", choices=["pages", "scripts", "people"], help="one part")
    given = parser.parse_args()
    now = datetime.now(UTC).replace(microsecond=0)
    sizes = QUICK if given.quick else SIZES
    met = True
    with ExitStack() as stack:
        folder = given.folder or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        folder.mkdir(parents=True, exist_ok=True)
        files = {which: folder / f"{which}.sqlite3" for which in sizes}
        for which, size in sizes.items():
            if not files[which].exists():
                print(f"{which}: {furnish(sqlite_url(files[which]), size, now)}", flush=True)
        urls = {which: sqlite_url(file) for which, file in files.items()}
        engines = {which: database.open_engine(url) for which, url in urls.items()}
        slugs = {which: busiest(engine) for which, engine in engines.items()}
        for engine in engines.values():
            engine.dispose()
        if given.only in (None, "scripts"):
            met &= measure_scripts(urls[LARGE], slugs[LARGE][0], 20 if given.quick else RUNS)
        if given.only in (None, "pages", "people"):
            with ExitStack() as served:
                browser = served.enter_context(launched())
                bases = {
                    which: served.enter_context(serving(folder, file, FORECASTS_MEMBER=READER))
                    for which, file in files.items()
                }
                if given.only != "people":
                    bases[ONE_LINE] = served.enter_context(one_line(folder))
                    first = {which: own[0] for which, own in slugs.items()}
                    met &= measure_pages(browser, bases, first)
                if given.only != "pages":
                    seconds = 20 if given.quick else SECONDS
                    met &= measure_people(bases[LARGE], urls[LARGE], slugs[LARGE][:50], seconds)
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
