"""People at work while a model's endpoint hangs, breaks off and answers rubbish.

    python -m benchmarks.broken_model [--seconds 60] [--rounds 3]

25 people read and update (``people``), and six others ask the model for questions from articles,
again and again, as fast as their page lets them. In turn, the six only open the same pages, so that
a slower machine and their reading count in both. The endpoint hangs for longer than the timeout,
closes the connection, answers with rubbish, with half an answer, and with 429 and 500, in turn.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import re
import statistics
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler
from multiprocessing import get_context
from pathlib import Path
from uuid import uuid4

import httpx
from sqlmodel import func, select

from benchmarks.pages import LARGE, QUICK, READER, busiest, furnish
from benchmarks.people import PATIENCE_S, SESSIONS, Broke, Session, connected, people
from benchmarks.writing import verdict
from forecasts.access.members import member_or_new
from forecasts.articles.capture import capture_text
from forecasts.articles.library import store
from forecasts.common.settings import sqlite_url
from forecasts.ledger import database
from forecasts.ledger.models import AnswerState, ModelAnswer, ModelCall
from tests.app.browsing import serving
from tests.common.test_web import sends, server

ASKERS, ARTICLES, TIMEOUT_S = 6, 12, 5
OF_ALONE = 1.1  # of the 95th percentile of a click
ASK = re.compile("^Ask ")
RUBBISH = b"<html>" + b"\xff\x00{]" * 5_000
HALF = b'{"choices": [{"message": {"content": "{\\"questions\\": [{\\"title\\": \\"Wi'


def hang(request: BaseHTTPRequestHandler) -> None:
    time.sleep(3 * TIMEOUT_S)


def close(request: BaseHTTPRequestHandler) -> None:
    request.connection.close()


BUSY, BROKEN = sends(b"{}", 429, Retry_After="60"), sends(b"no", 500)
FAULTS = itertools.cycle((hang, close, sends(RUBBISH), sends(HALF), hang, BUSY, BROKEN))


def answer(request: BaseHTTPRequestHandler) -> None:
    next(FAULTS)(request)


async def asker(client: httpx.AsyncClient, number: int, seconds: float, asking: bool) -> int:
    """Open one article page after another, and ask from each; return how often it was asked."""
    asked, until = 0, time.perf_counter() + seconds
    for article in itertools.cycle(range(1 + 2 * number, 3 + 2 * number)):
        if time.perf_counter() > until:
            return asked
        with suppress(Broke, OSError, TimeoutError, httpx.HTTPError):
            async with connected(client, "articles", f"article={article}") as tab:
                async with asyncio.timeout(PATIENCE_S):
                    await tab.run(name="articles")
                    if asking:
                        with suppress(Broke):  # the last call is under way still
                            await tab.press(ASK)
                            asked += 1
        await asyncio.sleep(1)
    raise AssertionError("a cycle has no end")


async def at_work(
    base: str, slugs: list[str], seconds: float, reason: str, asking: bool
) -> tuple[list[Session], int]:
    """Return the sessions of the people, and how often the model was asked meanwhile."""
    async with httpx.AsyncClient(base_url=base, timeout=PATIENCE_S, trust_env=False) as client:
        others = (asker(client, number, seconds, asking) for number in range(ASKERS))
        (sessions, _), *asked = await asyncio.gather(
            people(base, slugs, SESSIONS, seconds, reason), *others
        )
    return sessions, sum(asked)


def work(
    base: str, slugs: list[str], seconds: float, reason: str, asking: bool
) -> tuple[list[Session], int]:
    """Return the result of ``at_work``; runs in a process of its own."""
    return asyncio.run(at_work(base, slugs, seconds, reason, asking))


def prepare(url: str, now: datetime) -> list[str]:
    """Write a ledger with articles; return its busiest questions."""
    print(furnish(url, QUICK[LARGE], now))
    engine = database.open_engine(url)
    with database.writing(engine) as session:
        member = member_or_new(session, READER, now=now)
        for number in range(ARTICLES):
            text = f"The council of town {number} will vote on the bridge by 1 March. " * 20
            captured = capture_text(f"Town {number}\n\n{text}", captured_at=now)
            store(session, captured, member=member, captured_at=now)
    slugs = busiest(engine)
    engine.dispose()
    return slugs[:50]


def measure(base: str, url: str, slugs: list[str], seconds: float, rounds: int) -> bool:
    """Print the figures; return whether the bar is met."""
    taken: dict[bool, list[float]] = {False: [], True: []}
    broke: list[str] = []
    pressed = 0
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
        for asking in (*itertools.islice(itertools.cycle((False, True)), 2 * rounds), False):
            reason = uuid4().hex
            sessions, asked = process.submit(work, base, slugs, seconds, reason, asking).result()
            taken[asking] += [one for session in sessions for one in session.taken]
            broke += [line for session in sessions for line in session.broke]
            pressed += asked
    print("\n".join(broke[:10]), file=sys.stderr)
    engine = database.open_engine(url)
    with database.reading(engine) as session:
        calls = session.exec(select(func.count()).select_from(ModelCall)).one()
        states = select(ModelAnswer.state, func.count()).group_by(ModelAnswer.state)
        ended = {AnswerState(state).value: many for state, many in session.exec(states)}
    engine.dispose()
    print(f"the model was asked {pressed} times, with {calls} requests: {ended}")
    alone, beside = (
        statistics.quantiles(taken[asking], n=20, method="inclusive")[-1] * 1000
        for asking in (False, True)
    )
    met = beside <= OF_ALONE * alone and not broke and pressed > 0
    print(
        f"| {SESSIONS} people: 95th percentile of {len(taken[True]):,} clicks {beside:.0f} ms, "
        f"without the model {alone:.0f} ms: {beside / alone:.2f}, {len(broke)} errors "
        f"| at most {OF_ALONE:g} | {verdict(met)} |"
    )
    return met


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=60, help="of each turn")
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    now = datetime.now(UTC).replace(microsecond=0)
    with tempfile.TemporaryDirectory() as name, server(answer) as endpoint:
        folder = Path(name)
        file = folder / "ledger.sqlite3"
        slugs = prepare(sqlite_url(file), now)
        settings = {
            "FORECASTS_MEMBER": READER,
            "FORECASTS_MODEL_URL": f"{endpoint}/v1",
            "FORECASTS_MODEL": "broken",
            "FORECASTS_MODEL_TIMEOUT": str(TIMEOUT_S),
            "FORECASTS_MODEL_TOKENS": str(10**9),
        }
        with serving(folder, file, **settings) as base:
            met = measure(base, sqlite_url(file), slugs, given.seconds, given.rounds)
    sys.exit(not met)


if __name__ == "__main__":
    main()
