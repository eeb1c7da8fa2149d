"""A process of bots that forecast until they are killed: ``bots.py ADDRESS LOG…``.

Each bot has a log, named by its token. Before a request it writes the key there, and after the
answer the receipt. One that starts again first repeats the request without an answer.
"""

from __future__ import annotations

import json
import os
import random
import sys
import threading
import time
import uuid
from pathlib import Path
from typing import Any

import httpx

QUESTIONS = 10


def note(log: Path, **line: Any) -> None:
    """Append a line to a bot's log, and wait until it is on the disk."""
    with log.open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")
        file.flush()
        os.fsync(file.fileno())


def lines(log: Path) -> list[dict[str, Any]]:
    """Return the lines of a log; the last one may be cut off by a kill."""
    found = []
    for line in log.read_text(encoding="utf-8").splitlines():
        try:
            found.append(json.loads(line))
        except ValueError:
            continue
    return found


def unanswered(log: Path) -> dict[str, Any] | None:
    """Return the newest request without an answer."""
    asked: dict[str, Any] | None = None
    for line in lines(log):
        asked = None if "receipt" in line else line
    return asked


def forecast(client: httpx.Client, log: Path, request: dict[str, Any]) -> None:
    """Send a request until it is answered, always with the same key."""
    while True:
        try:
            answer = client.post(
                f"/api/v1/questions/q-{request['question']}/forecasts",
                json={"probability": request["probability"], "rationale": request["key"]},
                headers={"Idempotency-Key": request["key"]},
            )
        except httpx.TransportError:
            time.sleep(random.uniform(0.05, 0.3))
            continue
        if answer.status_code in (429, 503):
            time.sleep(random.uniform(0.05, 0.3))
            continue
        made = answer.raise_for_status().json()
        note(log, key=request["key"], receipt=made["receipt"])
        return


def live(address: str, log: Path) -> None:
    """Forecast as the bot of a log, for good."""
    client = httpx.Client(
        base_url=address, headers={"Authorization": f"Bearer {log.name}"}, timeout=30
    )
    if (left := unanswered(log)) is not None:
        forecast(client, log, left)
    while True:
        request = {
            "key": str(uuid.uuid4()),
            "question": random.randrange(QUESTIONS),
            "probability": random.randint(1, 99) / 100,
        }
        note(log, **request)
        forecast(client, log, request)


if __name__ == "__main__":
    threads = [threading.Thread(target=live, args=(sys.argv[1], Path(log))) for log in sys.argv[2:]]
    for thread in threads:
        thread.start()
