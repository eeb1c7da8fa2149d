"""Measure 25 sessions at once, one of them hostile, beside the same sessions without it.

    python -m benchmarks.hostile [--on sqlite|postgresql] [--seconds N]

24 people read and update (see ``people``), first by themselves, then beside one who, without a
pause, searches for 100,000 characters, captures a text of as many, and previews an import of as
many rows as a member may have. The others' 95th percentile may double at most, nothing may be
lost, and two minutes later the server may have a fifth more memory than before at most.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import re
import sys
import tempfile
import time
import zipfile
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime, timedelta
from multiprocessing import get_context
from pathlib import Path
from uuid import uuid4

import httpx
import psutil
from sqlmodel import select
from websockets.exceptions import WebSocketException

from benchmarks.pages import LARGE, QUICK, READER, busiest, furnish
from benchmarks.people import (
    PATIENCE_S,
    SESSIONS,
    Broke,
    Session,
    connected,
    median_and_p95,
    person,
)
from benchmarks.writing import ledger, verdict
from forecasts.common.limits import MEMBER_ROWS
from forecasts.common.times import iso
from forecasts.ledger import database
from forecasts.ledger.models import Forecast
from tests.app.browsing import serving

SECONDS = 300
OF_P95, OF_MEMORY = 2.0, 1.2
SETTLES_S = 130  # the server keeps a closed session for two minutes
LONG = 100_000  # characters


def folder(now: datetime) -> bytes:
    """Return the ZIP of a ledger folder with as many rows as a member may import."""
    opens, closes = now - timedelta(days=90), now + timedelta(days=90)
    made = [iso(opens + timedelta(seconds=60 * n)) for n in range(MEMBER_ROWS - 1)]
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(
            "questions.csv",
            "question_id,title,open_time,scheduled_close_time\n"
            f"hostile,Will it hold?,{iso(opens)},{iso(closes)}\n",
        )
        archive.writestr(
            "forecasts.csv",
            "question_id,forecaster,made_at,probability\n"
            + "".join(f"hostile,{READER},{at},0.{n % 90 + 10}\n" for n, at in enumerate(made)),
        )
    return packed.getvalue()


async def search(client: httpx.AsyncClient) -> None:
    """Search for a very long text."""
    async with connected(client, "questions", "") as tab:
        await tab.run(name="questions")
        await tab.enter("Search", "will the quay 12% " * (LONG // 18))


async def capture(client: httpx.AsyncClient) -> None:
    """Capture a very long text."""
    async with connected(client, "articles", "") as tab:
        await tab.run(name="articles")
        words = "The minister said on 3 May that prices will rise by 12% by the end of 2028. "
        await tab.enter("Article", words * (LONG // len(words)))
        await tab.press(re.compile("^Read$"))


async def preview(client: httpx.AsyncClient, archive: bytes) -> None:
    """Preview a large import."""
    async with connected(client, "exchange", "") as tab:
        await tab.run(name="exchange")
        await tab.upload(client, "folder.zip", archive)
        await tab.press(re.compile("^Preview$"))


async def bother(client: httpx.AsyncClient, seconds: float) -> Counter[str]:
    """Return how often each act was done in that time, and how often it was refused."""
    archive, did = folder(datetime.now(UTC)), Counter[str]()
    acts = {"search": search, "capture": capture, "preview": lambda c: preview(c, archive)}
    until = time.perf_counter() + seconds
    while time.perf_counter() < until:
        for name, act in acts.items():
            try:
                async with asyncio.timeout(PATIENCE_S):
                    await act(client)
                did[name] += 1
            except (Broke, TimeoutError, OSError, httpx.HTTPError, WebSocketException) as error:
                did[f"{name} refused ({type(error).__name__}: {str(error)[:80]})"] += 1
    return did


async def together(
    base: str, slugs: list[str], seconds: float, reason: str, hostile: bool
) -> tuple[list[Session], Counter[str]]:
    """Return the others' sessions, and what the hostile one did."""

    def client() -> httpx.AsyncClient:
        return httpx.AsyncClient(base_url=base, timeout=PATIENCE_S, trust_env=False)

    async with client() as theirs, client() as its:
        people = [person(theirs, slugs, n, seconds, reason) for n in range(SESSIONS - 1)]
        bothers = [bother(its, seconds)] if hostile else []
        *sessions, did = await asyncio.gather(*people, *bothers, *([] if hostile else [_no_one()]))
    return list(sessions), did


async def _no_one() -> Counter[str]:
    return Counter()


def run(
    base: str, slugs: list[str], seconds: float, reason: str, hostile: bool
) -> tuple[list[Session], Counter[str]]:
    """Return the result of ``together``; runs in a process of its own."""
    return asyncio.run(together(base, slugs, seconds, reason, hostile))


def memory_of(port: int) -> float:
    """Return the MB of the process that listens on the port."""
    for one in psutil.net_connections("tcp"):
        if one.laddr and one.laddr.port == port and one.status == "LISTEN" and one.pid:
            return psutil.Process(one.pid).memory_info().rss / 1e6
    raise AssertionError("the server does not listen")


def measure(kind: str, seconds: float, place: Path) -> bool:
    """Print the sessions' times and the server's memory; return whether the bars are met."""
    now = datetime.now(UTC).replace(microsecond=0)
    with ledger(kind, place) as url:
        print(f"{kind}: {furnish(url, QUICK[LARGE], now)}", flush=True)
        engine = database.open_engine(url)
        slugs, reason = busiest(engine)[:50], uuid4().hex
        with (
            serving(place, url, FORECASTS_MEMBER=READER) as base,
            ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process,
        ):
            port = int(base.rpartition(":")[2])

            def sessions(of: float, hostile: bool) -> tuple[list[Session], Counter[str]]:
                given = (base, slugs, of, f"{reason} {hostile} {of}", hostile)
                return process.submit(run, *given).result()

            sessions(min(20, seconds), False)  # fills the server's caches
            alone, _ = sessions(seconds, False)
            time.sleep(SETTLES_S)
            before = memory_of(port)
            beside, did = sessions(seconds, True)
            most = memory_of(port)
            time.sleep(SETTLES_S)
            after = memory_of(port)
        broke = [line for session in (*alone, *beside) for line in session.broke]
        told = Counter(update for session in (*alone, *beside) for update in session.stored)
        with database.reading(engine) as session:
            kept = Counter(session.exec(select(Forecast.rationale)).all())
        engine.dispose()
    lost = sum((told - kept).values())
    doubled = sum(kept[update] > 1 for update in told)
    one, other = (median_and_p95(found, "taken") for found in (alone, beside))
    met = other[1] <= OF_P95 * one[1] and after <= OF_MEMORY * before and not (lost or doubled)
    print("\n".join(broke[:10]), file=sys.stderr)
    print(
        f"{kind}: {SESSIONS - 1} people, {len(told)} updates, beside one who did {dict(did)}: "
        f"95th percentile {other[1]:.0f} ms, without {one[1]:.0f} ms: {other[1] / one[1]:.2f} (at "
        f"most {OF_P95:g}); median {other[0]:.0f} and {one[0]:.0f} ms; memory {before:.0f} MB "
        f"before, {most:.0f} at the end, {after:.0f} after: {after / before:.2f} (at most "
        f"{OF_MEMORY:g}); lost {lost}, doubled {doubled}, errors {len(broke)}: {verdict(met)}",
        flush=True,
    )
    return met


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--on", choices=("sqlite", "postgresql"))
    parser.add_argument("--seconds", type=float, default=SECONDS)
    given = parser.parse_args()
    met = True
    for kind in [given.on] if given.on else ["sqlite", "postgresql"]:
        with tempfile.TemporaryDirectory() as place:
            met &= measure(kind, given.seconds, Path(place))
    sys.exit(not met)


if __name__ == "__main__":
    main()
