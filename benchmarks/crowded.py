"""Measure the others beside strangers who hold connections open, and beside one who sends too much.

    python -m benchmarks.crowded [--by strangers|batches|readers] [--on KIND] [--seconds N]
        [--unlimited]

Five bots read and forecast over the API, first by themselves and then beside 300 strangers with
half of a request each (the server has 256 descriptors), beside one member who sends 50 batches of
3,000 forecasts at a time, or beside one who reads the crowd 20 times at a time. The others' 95th
percentile may double at most, a minute later the server may have a fifth more memory than before,
and its log at most 1 MB. Strangers come to the app too. ``--unlimited``: without quotas, so that
the turns alone are measured.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import socket
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import httpx

from benchmarks.hostile import memory_of
from benchmarks.pages import LARGE, QUICK, busiest, furnish
from benchmarks.writing import ledger, verdict
from forecasts.access import tokens
from forecasts.ledger import database
from tests.app.browsing import answering, free_port

SECONDS, ALONE_S, WARM_S, SETTLES_S = 300.0, 60.0, 10.0, 60.0
BOTS, PAUSE_S = 5, 0.3
STRANGERS, DESCRIPTORS = 300, 256
BATCHES, ROWS, READERS = 50, 3_000, 20
OF_P95, OF_MEMORY, LOG_BYTES = 2.0, 1.2, 1_000_000
API = "from forecasts.cli.main import main; main()"


def bots(
    base: str, secrets: list[str], slugs: list[str], seconds: float
) -> tuple[list[float], Counter[str]]:
    """Return the seconds of each request of the bots, and how they were answered."""
    return asyncio.run(_bots(base, secrets, slugs, seconds))


async def _bots(
    base: str, secrets: list[str], slugs: list[str], seconds: float
) -> tuple[list[float], Counter[str]]:
    taken: list[float] = []
    answers = Counter[str]()
    until = time.perf_counter() + seconds

    async def bot(number: int, secret: str) -> None:
        random_ = random.Random(number)
        headers = {"Authorization": f"Bearer {secret}"}
        async with httpx.AsyncClient(
            base_url=f"{base}/api/v1", headers=headers, timeout=60, trust_env=False
        ) as client:
            while time.perf_counter() < until:
                await asyncio.sleep(random_.uniform(0, 2 * PAUSE_S))
                of = f"/questions/{random_.choice(slugs)}"
                path = random_.choice(
                    ["/questions?limit=20", of, f"{of}/forecasts", f"{of}/forecasts"]
                )
                body = {"probability": random_.randint(1, 99) / 100}
                post = path.endswith("/forecasts") and random_.random() < 0.5
                began = time.perf_counter()
                try:
                    answer = await (client.post(path, json=body) if post else client.get(path))
                    answers[str(answer.status_code)] += 1
                except httpx.HTTPError as error:
                    answers[type(error).__name__] += 1
                taken.append(time.perf_counter() - began)

    await asyncio.gather(*(bot(number, one) for number, one in enumerate(secrets)))
    return taken, answers


def visits(base: str, seconds: float) -> tuple[list[float], Counter[str]]:
    """Return the seconds of each visit to the app's start page, and how it was answered."""
    taken, answers, until = [], Counter[str](), time.perf_counter() + seconds
    while time.perf_counter() < until:
        time.sleep(PAUSE_S)
        began = time.perf_counter()
        try:
            for path in ("/", "/_stcore/health", "/health"):
                answers[str(httpx.get(base + path, timeout=60, trust_env=False).status_code)] += 1
        except httpx.HTTPError as error:
            answers[type(error).__name__] += 1
        taken.append(time.perf_counter() - began)
    return taken, answers


def strangers(base: str, seconds: float) -> Counter[str]:
    """Keep connections open, each with half of a request; a closed one is opened again."""
    port, until = int(base.rpartition(":")[2]), time.perf_counter() + seconds
    held: list[socket.socket] = []
    did = Counter[str]()
    while time.perf_counter() < until:
        for one in list(held):
            with suppress(BlockingIOError):
                try:
                    ended = one.recv(1) == b""
                except ConnectionError:
                    ended = True
                if ended:
                    held.remove(one)
                    one.close()
                    did["closed"] += 1
        while len(held) < STRANGERS:
            one = socket.socket()
            one.settimeout(1)
            try:
                one.connect(("127.0.0.1", port))
                one.send(b"POST /api/v1/forecasts HTTP/1.1\r\nHost: 127.0.0.1\r\nX: ")
            except OSError:
                one.close()
                did["refused"] += 1
                break
            one.setblocking(False)
            held.append(one)
            did["opened"] += 1
        time.sleep(0.1)
    for one in held:
        one.close()
    return did


def hog(base: str, secret: str, slugs: list[str], by: str, seconds: float) -> Counter[str]:
    """Return how the requests of one who sends as many as they can were answered."""
    return asyncio.run(_hog(base, secret, slugs, by, seconds))


async def _hog(base: str, secret: str, slugs: list[str], by: str, seconds: float) -> Counter[str]:
    did, until = Counter[str](), time.perf_counter() + seconds
    rows = [
        {"question": slugs[n % len(slugs)], "probability": (n % 99 + 1) / 100, "rationale": "r"}
        for n in range(ROWS)
    ]
    body = json.dumps({"forecasts": rows})  # once: they share the machine with the server
    async with httpx.AsyncClient(
        base_url=f"{base}/api/v1",
        headers={"Authorization": f"Bearer {secret}", "Content-Type": "application/json"},
        timeout=120,
        trust_env=False,
        limits=httpx.Limits(max_connections=BATCHES),
    ) as client:

        async def one() -> None:
            while time.perf_counter() < until:
                try:
                    sent = (
                        client.post("/forecasts", content=body)
                        if by == "batches"
                        else client.get("/crowd", params={"limit": 10_000})
                    )
                    answer = await sent
                    did[str(answer.status_code)] += 1
                    if answer.status_code == 429:  # a rude one hardly waits
                        await asyncio.sleep(1)
                except httpx.HTTPError as error:
                    did[type(error).__name__] += 1

        await asyncio.gather(*(one() for _ in range(BATCHES if by == "batches" else READERS)))
    return did


@contextmanager
def served(what: str, folder: Path, url: str, **environment: str) -> Iterator[str]:
    """Yield the address of the app or the API, with few descriptors."""
    port = free_port()
    path = "/_stcore/health" if what == "app" else "/api/v1/openapi.json"
    limited = f"ulimit -n {DESCRIPTORS}; exec {sys.executable} -c '{API}' {what} --no-runs"
    command = ["sh", "-c", f"{limited} --database '{url}' --port {port}"]
    with answering(command, f"http://127.0.0.1:{port}{path}", folder / "log", **environment):
        yield f"http://127.0.0.1:{port}"


def p95(taken: list[float]) -> float:
    return 1000 * statistics.quantiles(taken, n=20)[-1]


def measure(kind: str, what: str, by: str, seconds: float, place: Path, unlimited: bool) -> bool:
    """Print the others' times, the memory and the log; return whether the bars are met."""
    now = datetime.now(UTC).replace(microsecond=0)
    environment = {"FORECASTS_DAILY_FORECASTS": "1000000000", "FORECASTS_MEMBER": "admin"}
    if unlimited:
        environment |= {"FORECASTS_API_ROWS": "1000000000"}
        environment |= {"FORECASTS_API_PROCESSOR_SECONDS": "1000000000"}
    with ledger(kind, place) as url, ExitStack() as stack:
        furnish(url, QUICK[LARGE], now)
        engine = database.open_engine(url)
        slugs = busiest(engine)[:100]
        secrets = []
        for number in range(BOTS + 1):
            with database.writing(engine) as session:
                made = tokens.create(session, f"bot-{number}", member=None, now=now)
                secrets.append(made.secret)
        base = stack.enter_context(served(what, place, url, **environment))
        port = int(base.rpartition(":")[2])
        pool = stack.enter_context(ProcessPoolExecutor(2, mp_context=get_context("spawn")))

        def others(of: float) -> Any:
            if what == "app":
                return pool.submit(visits, base, of)
            return pool.submit(bots, base, secrets[1:], slugs, of)

        others(WARM_S).result()
        alone, well = others(min(ALONE_S, seconds)).result()
        before = memory_of(port)
        beside = others(seconds)
        if by == "strangers":
            did = pool.submit(strangers, base, seconds).result()
        else:
            did = pool.submit(hog, base, secrets[0], slugs, by, seconds).result()
        taken, answers = beside.result()
        most = memory_of(port)
        time.sleep(SETTLES_S)
        after = memory_of(port)
        _, alive = others(WARM_S).result()
        engine.dispose()
        log = (place / "log").stat().st_size
    ratio = p95(taken) / p95(alone)
    good = {"200", "201"}
    met = ratio <= OF_P95 and after <= OF_MEMORY * before and log <= LOG_BYTES
    met = met and set(answers) <= good and set(alive) <= good
    print(
        f"{kind}, {what}, {by}: 95th percentile {p95(taken):.0f} ms, alone {p95(alone):.0f} ms: "
        f"{ratio:.2f} (at most {OF_P95:g}); median {1000 * statistics.median(taken):.0f} and "
        f"{1000 * statistics.median(alone):.0f} ms; memory {before:.0f} MB before, {most:.0f} at "
        f"the end, {after:.0f} after: {after / before:.2f} (at most {OF_MEMORY:g}); log "
        f"{log:,} bytes; answers {dict(answers)}, alone {dict(well)}, afterwards {dict(alive)}; "
        f"theirs {dict(did)}: {verdict(met)}",
        flush=True,
    )
    return met


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--by", choices=("strangers", "batches", "readers"))
    parser.add_argument("--on", choices=("sqlite", "postgresql"))
    parser.add_argument("--of", choices=("api", "app"))
    parser.add_argument("--seconds", type=float, default=SECONDS)
    parser.add_argument("--unlimited", action="store_true")
    given = parser.parse_args()
    met = True
    for by in [given.by] if given.by else ["strangers", "batches", "readers"]:
        for kind in [given.on] if given.on else ["sqlite", "postgresql"]:
            whats = ["api", "app"] if by == "strangers" else ["api"]
            for what in [given.of] if given.of else whats:
                with tempfile.TemporaryDirectory() as place:
                    place_ = Path(place)
                    met &= measure(kind, what, by, given.seconds, place_, given.unlimited)
    sys.exit(not met)


if __name__ == "__main__":
    main()
