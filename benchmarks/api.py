"""Measure the API: a batch of 10,000 forecasts, and one forecast beside a bare FastAPI handler.

    python -m benchmarks.api [--in FOLDER]

Both servers run as processes of their own on SQLite files in the same folder, and requests to them
alternate. The bare handler inserts one SQLModel row and returns it: nothing is checked, hashed or
proved.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

FORECASTS, BATCHES, BATCH_BAR = 10_000, 5, 5_000  # forecasts, batches, forecasts a second
SINGLES, RATIO_BAR = 400, 3.0  # forecasts, times the bare handler's p50
OURS, BARE = 8431, 8432  # ports

# Limits that no measurement reaches.
UNLIMITED = dict.fromkeys(
    (
        "FORECASTS_API_REQUESTS_PER_MINUTE",
        "FORECASTS_API_ROWS",
        "FORECASTS_API_PROCESSOR_SECONDS",
        "FORECASTS_DAILY_FORECASTS",
    ),
    "1000000",
)


def bare(path: str, port: int) -> None:
    """Serve a handler that inserts one row."""
    import uvicorn
    from fastapi import FastAPI
    from sqlmodel import Field, Session, SQLModel, create_engine

    class Guess(SQLModel, table=True):
        id: int | None = Field(default=None, primary_key=True)
        question: str
        probability: float
        rationale: str = ""

    engine = create_engine(f"sqlite:///{path}")
    SQLModel.metadata.tables["guess"].create(engine)
    app = FastAPI()

    def insert(guess: Guess) -> Guess:
        with Session(engine) as session:
            row = Guess.model_validate(guess)
            session.add(row)
            session.commit()
            session.refresh(row)
            return row

    insert.__annotations__ = {"guess": Guess, "return": Guess}
    app.post("/guesses")(insert)
    uvicorn.run(app, port=port, log_level="warning", access_log=False)


@contextmanager
def serving(*command: str, port: int, env: dict[str, str]) -> Iterator[httpx.Client]:
    """Yield a client of a server that runs meanwhile."""
    server = subprocess.Popen([sys.executable, *command], env=env, stderr=subprocess.DEVNULL)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=120) as client:
            for _ in range(300):
                try:
                    client.get("/")
                    break
                except httpx.TransportError:
                    time.sleep(0.1)
            yield client
    finally:
        server.terminate()
        server.wait()


def run(folder: Path) -> bool:
    """Print the table; return whether the bars are met."""
    env = (
        os.environ
        | UNLIMITED
        | {
            "FORECASTS_DATABASE_URL": str(folder / "ledger.sqlite3"),
            "FORECASTS_MEMBER": "alice",
        }
    )
    env.pop("FORECASTS_TOKEN", None)

    def forecasts(*arguments: str) -> str:
        command = [str(Path(sys.executable).with_name("forecasts")), *arguments]
        done = subprocess.run(command, env=env, check=True, capture_output=True, text=True)
        return done.stdout.splitlines()[-1]

    slugs = [
        forecasts("ask", f"Will number {n} come?", "--closes", "2099-01-01", "--slug", f"q-{n}")
        for n in range(10)
    ]
    token = forecasts("token", "create", "bot")
    command = str(Path(sys.executable).with_name("forecasts"))
    ours_served = serving(command, "api", "--port", str(OURS), port=OURS, env=env)
    plain = ("-m", "benchmarks.api", "--bare", str(folder / "bare.sqlite3"))
    with ours_served as ours, serving(*plain, port=BARE, env=env) as other:
        ours.headers["Authorization"] = f"Bearer {token}"
        rate = batch_rate(ours, slugs)
        times: tuple[list[float], list[float]] = ([], [])
        for n in range(SINGLES):
            body = {"probability": (n % 99 + 1) / 100, "rationale": f"Reason {n}"}
            path = f"/api/v1/questions/{slugs[n % 10]}/forecasts"
            for client, to, given, spent in (
                (ours, path, body, times[0]),
                (other, "/guesses", body | {"question": slugs[n % 10]}, times[1]),
            ):
                began = time.perf_counter()
                client.post(to, json=given).raise_for_status()
                spent.append(time.perf_counter() - began)
    verified = forecasts("verify")
    p50, bare_p50 = (1000 * statistics.median(spent[20:]) for spent in times)
    ratio = p50 / bare_p50
    print("| work | measured | bar | met |\n|---|---|---|---|")
    print(
        f"| batch of {FORECASTS:,} forecasts over HTTP, one transaction, receipts for all | "
        f"{rate:,.0f} a second | {BATCH_BAR:,} | {'yes' if rate >= BATCH_BAR else '**no**'} |"
    )
    print(
        f"| one forecast over HTTP, p50, beside a bare FastAPI handler | {p50:.1f} ms against "
        f"{bare_p50:.1f} ms: {ratio:.1f} times | {RATIO_BAR:.0f} times | "
        f"{'yes' if ratio <= RATIO_BAR else '**no**'} |"
    )
    print(f"The chain afterwards: {verified}")
    return rate >= BATCH_BAR and ratio <= RATIO_BAR


def batch_rate(client: httpx.Client, slugs: list[str]) -> float:
    """Return the best rate of several batches, in forecasts a second."""
    rates = []
    for _ in range(BATCHES):
        given = [
            {"question": slugs[n % 10], "probability": (n % 99 + 1) / 100, "rationale": f"r {n}"}
            for n in range(FORECASTS)
        ]
        body = json.dumps({"forecasts": given})
        began = time.perf_counter()
        answer = client.post(
            "/api/v1/forecasts", content=body, headers={"Content-Type": "application/json"}
        )
        rates.append(FORECASTS / (time.perf_counter() - began))
        found = answer.raise_for_status().json()
        assert found["accepted"] == FORECASTS
        assert len({row["receipt"]["hash"] for row in found["results"]}) == FORECASTS
    return max(rates)


def main() -> None:
    """Measure in a folder of a disk."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--in", dest="folder", type=Path, default=Path(tempfile.gettempdir()))
    parser.add_argument("--bare", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.bare:
        bare(given.bare, BARE)
        return
    with tempfile.TemporaryDirectory(dir=given.folder) as folder:
        sys.exit(not run(Path(folder)))


if __name__ == "__main__":
    main()
