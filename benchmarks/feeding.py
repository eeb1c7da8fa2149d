"""Measure a run that reads 500 feeds with 50,000 articles, some of them from servers with faults.

    python -m benchmarks.feeding [--on sqlite|postgresql] [--feeds 500] [--articles 50000]
    python -m benchmarks.feeding --kills 20
    python -m benchmarks.feeding --on sqlite --page

The feeds are on a server of this machine, one in ten with a fault: status 500, a loop of redirects,
a body of 1 GB, a wrong encoding, a tower of entities, a byte a second. A tenth of the articles are
another paper's reports with a few words changed, and each fifth names one of the ledger's 2,000
open questions, to which all are matched. The run has a process of its own, whose time and memory
count. With ``--page``: the page News is then opened in Chromium, for a reader who has forecast one
question in ten, against a page of one line. With ``--kills``: so many runs are killed (SIGKILL) at
random moments before the last one, and each article and entry is counted afterwards.
"""

from __future__ import annotations

import argparse
import itertools
import random
import resource
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing import Queue, get_context
from pathlib import Path

from sqlalchemy import Engine
from sqlmodel import col, func, select

from benchmarks.pages import OF_ONE_LINE, one_line, opened
from benchmarks.writing import ledger, verdict
from forecasts.access.members import member_or_new
from forecasts.ledger import database, schema
from forecasts.ledger.models import Article, ArticleMatch, ArticleStory, Feed, FeedEntry
from forecasts.news import feeds, matches
from forecasts.news.reading import read_due
from forecasts.questions import registry
from forecasts.updates import updates
from forecasts.values.value import Value
from tests.app.browsing import launched, serving

BEGIN = datetime.now(UTC).replace(microsecond=0) - timedelta(days=2)  # for the page, which asks now
BETWEEN = timedelta(minutes=31)  # runs: longer than a lease, and than the pause between readings
BAR_SECONDS, BAR_BYTES = 600, 10**9
FAULTS = ("500", "loop", "huge", "encoding", "bomb", "drip")
PARTS = (("ka", "mo", "ri", "ste", "vo"), ("lan", "mer", "nov", "quis", "rod", "sul"), "aeiouy")
NAMES = ["".join(parts) for parts in itertools.product(*PARTS, ("berg", "ton", "wick", "dorf"))]
WORDS = ["".join(parts) for parts in itertools.product(*PARTS, ("", "n", "ter", "ling"))]


def subject(number: int) -> str:
    """Return the subject of a question."""
    chance = random.Random(number)
    names = (one.capitalize() for one in chance.choices(NAMES, k=3))
    return f"{' '.join(names)} {chance.choice(WORDS)} {chance.choice(WORDS)}"


def article(number: int, questions: int) -> tuple[str, str]:
    """Return the title and text of an article; each tenth is nearly that of the one before."""
    chance = random.Random(number - (number % 10 == 9))
    words = chance.choices(WORDS, k=120)
    if number % 10 == 9:
        words[60] = "corrected"
    if questions and number % 5 == 0:
        words[20:20] = subject(number // 5 % questions).split()
    return " ".join(words[:8]).capitalize(), " ".join(words[8:]) + f" {number}."


def feed(number: int, each: int, questions: int) -> bytes:
    items = "".join(
        f"<item><title>{title}</title><link>http://news.example/{at}</link>"
        f"<description>&lt;p&gt;{text}&lt;/p&gt;</description></item>"
        for at in range(number * each, (number + 1) * each)
        for title, text in [article(at, questions)]
    )
    return f"<rss version='2.0'><channel><title>F{number}</title>{items}</channel></rss>".encode()


class Handler(BaseHTTPRequestHandler):
    """Answers with feeds at /N, and with faults at /KIND/N."""

    each = questions = 0

    def do_GET(self) -> None:
        kind, _, number = self.path.strip("/").rpartition("/")
        if kind == "500":
            self.send_error(500)
        elif kind == "loop":
            self._begin(302, Location=self.path)
        elif kind == "huge":
            self._begin(200)
            for _ in range(1_000):
                self.wfile.write(b"x" * 1_000_000)
        elif kind == "encoding":
            self._begin(200, **{"Content-Type": "text/xml; charset=utf-16"})
            self.wfile.write(bytes(random.Random(number).randbytes(50_000)))
        elif kind == "bomb":
            self._begin(200)
            tower = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 12))
            self.wfile.write(
                f'<?xml version="1.0"?><!DOCTYPE r [<!ENTITY e0 "lol">{tower}]><rss version="2.0">'
                f"<channel><title>&e11;</title></channel></rss>".encode()
            )
        elif kind == "drip":
            self._begin(200)
            for _ in range(60):
                self.wfile.write(b"<")
                self.wfile.flush()
                time.sleep(1)
        else:
            self._begin(200)
            self.wfile.write(feed(int(number), self.each, self.questions))

    def _begin(self, status: int, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, *args: object) -> None:
        pass


class Quiet(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *args: object) -> None:
        pass


def _serve(each: int, questions: int, port: Queue[int]) -> None:
    Handler.each, Handler.questions = each, questions
    with Quiet(("127.0.0.1", 0), Handler) as listening:
        port.put(listening.server_port)
        listening.serve_forever()


@contextmanager
def server(each: int, questions: int) -> Iterator[str]:
    # Not forked: a copy of an open connection that ends in the other process damages the file.
    context = get_context("spawn")
    port: Queue[int] = context.Queue()
    process = context.Process(target=_serve, args=(each, questions, port), daemon=True)
    process.start()
    try:
        yield f"http://127.0.0.1:{port.get()}"
    finally:
        process.kill()
        process.join()


def begin(url: str, now: datetime) -> subprocess.Popen[bytes]:
    """Start a run of its own; it prints its seconds, and the most memory that it had."""
    words = [sys.executable, "-m", "benchmarks.feeding", "--run", url, now.isoformat()]
    return subprocess.Popen(words, stdout=subprocess.PIPE)


def run(url: str, now: datetime) -> None:
    started = time.perf_counter()
    engine = database.open_engine(url)
    summary = read_due(engine, now=now, allow_private=True)
    read = time.perf_counter() - started
    matches.catch_up_apart(engine, clock=lambda: now, now=now)
    took = time.perf_counter() - started
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(took, read, most, len(summary.results), summary.articles, summary.problems)


def ask(engine: Engine, questions: int) -> None:
    """Register questions, of which the reader has forecast one in ten."""
    with database.writing(engine) as session:
        member = member_or_new(session, "reader", now=BEGIN)
        for number in range(questions):
            text = registry.question_text(
                title=f"Will {subject(number)}?",
                resolution_criteria=f"As the gazette says of {subject(number)}.",
                open_time=BEGIN,
                scheduled_close_time=BEGIN + timedelta(days=90),
            )
            question = registry.register(session, text, member=member, now=BEGIN)
            if number % 10 == 0:
                value = Value(probability=0.4)
                updates.update(session, question, value, member=member, now=BEGIN)


def measure_page(url: str, folder: Path) -> bool:
    """Print the time to open News, against a page of one line; return whether the bar is met."""
    taken: dict[str, list[float]] = {"News": [], "one line": []}
    with (
        launched() as browser,
        one_line(folder) as line,
        serving(folder, Path(url.removeprefix("sqlite:///")), FORECASTS_MEMBER="reader") as app,
    ):
        for turn in range(6):
            for name, address in (("News", f"{app}/news"), ("one line", line)):
                seconds = opened(browser, address)
                if turn:  # the first one fills the server's caches
                    taken[name].append(seconds)
    news, of_line = (statistics.median(found) for found in taken.values())
    met = news <= OF_ONE_LINE * of_line
    ratio = f"{news:.0f} ms, {news / of_line:.2f} times one line"
    print(f"| News: {ratio} | at most {OF_ONE_LINE:g} | {verdict(met)} |")
    return met


def measure(url: str, feed_count: int, articles: int, questions: int, kills: int) -> bool:
    """Print the figures; return whether the bars are met."""
    engine = database.open_engine(url)
    good = feed_count - feed_count // 10
    each = articles // good
    ask(engine, questions)
    with server(each, questions) as site:
        with database.writing(engine) as session:
            member = member_or_new(session, "reader", now=BEGIN)
            places = [f"{site}/{number}" for number in range(good)]
            places += [
                f"{site}/{FAULTS[number % len(FAULTS)]}/{number}"
                for number in range(feed_count - good)
            ]
            for place in places:
                feeds.add(session, place, member=member, now=BEGIN, allow_private=True)
        at, chance = BEGIN, random.Random(7)
        for _ in range(kills):
            process = begin(url, at)
            time.sleep(1.5 * 40 ** chance.random())  # while it reads, and while it stores
            process.send_signal(signal.SIGKILL)
            process.wait()
            at += BETWEEN
        for _ in range(3 if kills else 1):  # feeds that killed runs have left are read one by one
            process = begin(url, at)
            said, _ = process.communicate()
            took, reading, most, read, new, problems = map(float, said.split())
            at += BETWEEN
    print(f"{read:.0f} feeds read, {new:.0f} new articles, {problems:.0f} with a fault")
    with database.reading(engine) as session:
        count = {
            name: session.exec(select(func.count(col(table.id)))).one()
            for name, table in (
                ("articles", Article),
                ("entries", FeedEntry),
                ("told", ArticleStory),
            )
        }
        matched = session.exec(select(func.count(col(ArticleMatch.id)))).one()
        stories = session.exec(select(func.count(func.distinct(ArticleStory.story_id)))).one()
        claimed = session.exec(select(Feed.id).where(col(Feed.claimed_by).is_not(None))).all()
    print(f"{count}, {stories} stories, {matched} matches, {len(claimed)} feeds left claimed")
    once = set(count.values()) == {good * each} and not claimed
    fast, small = took < BAR_SECONDS, most < BAR_BYTES
    print(f"| {good * each:,} articles, each with one entry and story | | {verdict(once)} |")
    ran = f"the last run: {took:.0f} s, of which {reading:.0f} reading"
    print(f"| {ran} | under {BAR_SECONDS} s | {verdict(fast)} |")
    print(
        f"| its memory: {most / 1e6:.0f} MB | under {BAR_BYTES / 1e6:.0f} MB | {verdict(small)} |"
    )
    return once and fast and small


def main() -> None:
    if sys.argv[1:2] == ["--run"]:
        run(sys.argv[2], datetime.fromisoformat(sys.argv[3]))
        return
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--on", choices=("sqlite", "postgresql"))
    parser.add_argument("--feeds", type=int, default=500)
    parser.add_argument("--articles", type=int, default=50_000)
    parser.add_argument("--questions", type=int, default=2_000)
    parser.add_argument("--page", action="store_true", help="of SQLite")
    parser.add_argument("--kills", type=int, default=0)
    given = parser.parse_args()
    met = True
    for kind in [given.on] if given.on else ["sqlite", "postgresql"]:
        with tempfile.TemporaryDirectory() as folder, ledger(kind, Path(folder)) as url:
            schema.migrate(database.open_engine(url))
            print(f"{kind}: {given.feeds} feeds, {given.kills} kills")
            met &= measure(url, given.feeds, given.articles, given.questions, given.kills)
            if given.page and kind == "sqlite":
                met &= measure_page(url, Path(folder))
    sys.exit(not met)


if __name__ == "__main__":
    main()
