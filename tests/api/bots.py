"""A process of bots that forecast until they are killed: ``bots.py ADDRESS LOG…``.

Each bot has a log, named by its token. Before a request it writes the key there, and after the
answer the receipt, and prints a dot. One that starts again repeats the request without an answer.
"""

from __future__ import annotations

import json
import os
import random
import sys
import threading
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


def live(address: str, log: Path) -> None:
    """Forecast as the bot of a log, for good, each request with the same key until its answer."""
    client = httpx.Client(
        base_url=address,
        headers={"Authorization": f"Bearer {log.name}"},
        timeout=30,
        transport=httpx.HTTPTransport(retries=9),  # which waits for a server that starts again
    )
    request = next(iter(lines(log)[-1:]), {"receipt": None})
    while True:
        if "receipt" in request:
            request = {
                "key": str(uuid.uuid4()),
                "question": random.randrange(QUESTIONS),
                "probability": random.randint(1, 99) / 100,
            }
            note(log, **request)
        try:
            answer = client.post(
                f"/api/v1/questions/q-{request['question']}/forecasts",
                json={"probability": request["probability"], "rationale": request["key"]},
                headers={"Idempotency-Key": request["key"]},
            )
        except httpx.TransportError:
            continue
        if answer.status_code not in (429, 503):
            made = answer.raise_for_status().json()
            request = {"key": request["key"], "receipt": made["receipt"]}
            note(log, **request)
            os.write(1, b".")


if __name__ == "__main__":
    threads = [threading.Thread(target=live, args=(sys.argv[1], Path(log))) for log in sys.argv[2:]]
    for thread in threads:
        thread.start()
