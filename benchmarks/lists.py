"""Measure lists on 10 questions with few, 10,000 and a million forecasts: they read no history.

    python -m benchmarks.lists [--on sqlite|postgresql] [--members N] [--in FOLDER]
    python -m benchmarks.lists --acts 100000 --kills 200

With ``--acts`` and ``--kills``: instead, so many random acts, and writers that are killed so often,
with the rows that lists read compared with history.

The smallest ledger has one forecast of each member on each question: 10 of one member, 500 of 50.
So the ledgers differ only in history, since each has the same questions, members, and times of
current forecasts. Only the trends on the app's page have fewer points where there is no history.

The lists are the questions of the API, those that need their reader, the posts of the paths for
Metaculus bots, the crowd, Today, and the app's page of questions. Each ledger has a server of its
own; requests to the three take turns, and the medians count.
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import Engine

from benchmarks import writing
from benchmarks.api import UNLIMITED, serving
from benchmarks.writing import ledger, verdict
from forecasts.access import tokens, visibility
from forecasts.access.members import find_member, member_or_new
from forecasts.agenda.today import today
from forecasts.ledger import current_forecasts, database, schema
from forecasts.ledger.append import append
from forecasts.questions import registry, search
from forecasts.questions.search import Filter
from tests.ledger.random_acts import Acts, from_history, stored
from tests.outages.writers import writing_to

QUESTIONS, SIZES, BAR, PORT = 10, (10_000, 1_000_000), 1.5, 8441
BATCH = 50_000  # forecasts in an act
CHECKED = 2_000  # acts from one comparison with history to the next
READER = "reader"
PATHS = {
    "GET /questions": "/api/v1/questions",
    "GET /questions, changed since": "/api/v1/questions?updated_since=2026-01-01T00:00:00Z",
    "GET /questions, needs update": "/api/v1/questions?needs_update=true",
    "GET /api/posts/": "/api/posts/",
    "GET /crowd": "/api/v1/crowd",
}


def furnish(engine: Engine, forecasts: int, members: int, now: datetime) -> str:
    """Return a token of the reader's, after writing that many forecasts of that many members."""
    schema.migrate(engine)
    opens, draw = now - timedelta(days=30), random.Random(1)
    with database.writing(engine) as session:
        names = [f"{READER} {n}" for n in range(members)]
        people = [member_or_new(session, name, now=opens) for name in names]
        asked = [
            registry.register(
                session,
                registry.question_text(
                    title=f"Will number {n} come?",
                    open_time=opens,
                    scheduled_close_time=now + timedelta(days=30),
                ),
                member=people[0],
                now=opens,
                slug=f"q-{n}",
            ).id
            for n in range(QUESTIONS)
        ]
        issued = tokens.create(session, "bot", member=people[0], now=opens)
        ids = [issued.member.id, *(one.id for one in people[1:]), people[0].id][: len(people)]
    for start in range(0, forecasts, BATCH):
        numbers = range(start, min(start + BATCH, forecasts))
        made = [_made(n, forecasts, QUESTIONS * members, opens) for n in numbers]
        with database.writing(engine) as session:
            append(
                session,
                "forecast",
                {
                    "question_id": [asked[n % QUESTIONS] for n in numbers],
                    "member_id": [ids[n // QUESTIONS % len(ids)] for n in numbers],
                    "made_at": made,
                    "recorded_at": made,
                    "probability": [draw.randrange(1, 100) / 100 for _ in numbers],
                    "withdrawn": [False] * len(numbers),
                    "rationale": ["It may."] * len(numbers),
                    "origin": ["api"] * len(numbers),
                    **dict.fromkeys(
                        ("probabilities", "quantiles", "import_key", "claimed_at", "vouched_by_id"),
                        [None] * len(numbers),
                    ),
                },
            )
    return issued.secret


def _made(number: int, of: int, newest: int, opens: datetime) -> datetime:
    """Return the time of a forecast: the newest are of one day, the others of 28 days before."""
    earlier = of - newest
    if number < earlier:
        return opens + timedelta(days=28) * (number + 1) / earlier
    return opens + timedelta(days=28) + timedelta(days=1) * (number - earlier + 1) / newest


def timed(act: Callable[[], object]) -> float:
    """Return the milliseconds of an act."""
    began = time.perf_counter()
    act()
    return 1000 * (time.perf_counter() - began)


def measure(kind: str, members: int, rounds: int, folder: Path) -> bool:
    """Print the median times of each list on each ledger; return whether the bar is met."""
    now, acts, met = datetime.now(UTC), dict[str, list[Callable[[], object]]](), True
    sizes = (QUESTIONS * members, *SIZES)
    with ExitStack() as open_:
        for number, size in enumerate(sizes):
            place = folder / f"{kind}-{size}"
            place.mkdir()
            url = open_.enter_context(ledger(kind, place))
            engine = database.open_engine(url)
            open_.callback(engine.dispose)
            began = time.perf_counter()
            token = furnish(engine, size, members, now)
            print(f"{kind}: {size:,} forecasts in {time.perf_counter() - began:.0f} s", flush=True)
            env = os.environ | {"FORECASTS_DATABASE_URL": url}
            command = str(Path(sys.executable).with_name("forecasts"))
            port = PORT + number
            client = open_.enter_context(
                serving(command, "api", "--port", str(port), port=port, env=env)
            )
            client.headers["Authorization"] = f"Token {token}"
            for name, path in PATHS.items():
                acts.setdefault(name, []).append(
                    lambda client=client, path=path: client.get(path).raise_for_status()
                )
            for name, read in (("Today", _today), ("the page of questions", _page)):
                acts.setdefault(name, []).append(
                    lambda read=read, engine=engine: read(engine, datetime.now(UTC))
                )
        print(f"\n| list, {members} members, {kind} | ms by {sizes} | most of the least | bar |")
        print("|---|---|---|---|")
        for name, works in acts.items():
            taken: list[list[float]] = [[] for _ in works]
            for _ in range(rounds):
                for work, spent in zip(works, taken, strict=True):
                    spent.append(timed(work))
            medians = [statistics.median(spent[rounds // 5 :]) for spent in taken]
            ratio = max(medians) / min(medians)
            met &= ratio <= BAR
            shown = " · ".join(f"{one:.1f}" for one in medians)
            print(
                f"| {name} | {shown} | {ratio:.2f} | {BAR}: {verdict(ratio <= BAR)} |", flush=True
            )
    return met


def compare(kind: str, acts: int, kills: int, folder: Path) -> bool:
    """Print how random acts and killed writers left a ledger; return whether it is right."""
    with ledger(kind, folder) as url:
        engine = database.open_engine(url)
        schema.migrate(engine)
        random_acts, checks, equal = Acts(engine, seed=33), 0, 0
        for start in range(0, acts, CHECKED):
            random_acts.do(min(CHECKED, acts - start))
            with database.reading(engine) as session:
                checks += 1
                right = not current_forecasts.differences(session.connection())
                equal += right and stored(session) == from_history(session)
            if checks % 5 == 0:
                print(f"{kind}: equal at {equal} of {checks} checks so far", flush=True)
        done = ", ".join(f"{many:,} {name}" for name, many in random_acts.done.items())
        print(
            f"{kind}: {done}, {random_acts.refused:,} refused, {random_acts.undone:,} transactions "
            f"rolled back: equal at {equal} of {checks} checks: {verdict(equal == checks)}",
            flush=True,
        )
        writing.furnish(engine)
        with writing_to(url) as writers:
            for _ in range(kills):
                writers.listen_for(1)
                writers.listen(writers.random.uniform(0, 0.1))
                writers.kill()
        found = writing.stored(engine)
        lost = (writers.acknowledged - found).total()
        doubled = sum(found[said] > 1 for said in writers.acknowledged)
        with database.reading(engine) as session:
            right = stored(session) == from_history(session)
        engine.dispose()
    met = not (lost or doubled or writers.refused) and right
    print(
        f"{kind}: {kills} writers killed, {writers.acknowledged.total():,} updates acknowledged: "
        f"{lost} lost, {doubled} doubled, {len(writers.refused)} refused, history intact, "
        f"rows for lists {'right' if right else 'wrong'}: {verdict(met)}",
        flush=True,
    )
    return met and equal == checks


def _today(engine: Engine, now: datetime) -> None:
    with database.reading(engine) as session:
        member = find_member(session, "bot")
        visibility.read_as(session, member, now=now)
        today(session, member, now=now)


def _page(engine: Engine, now: datetime) -> None:
    with database.reading(engine) as session:
        member = find_member(session, "bot")
        visibility.read_as(session, member, now=now)
        search.page(session, Filter(), member=member, now=now)


def main() -> None:
    os.environ.update(UNLIMITED)  # the writers', too
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--on", choices=("sqlite", "postgresql"))
    parser.add_argument("--members", type=int, default=50)
    parser.add_argument("--rounds", type=int, default=25)
    parser.add_argument("--acts", type=int, default=0)
    parser.add_argument("--kills", type=int, default=0)
    parser.add_argument("--in", dest="folder", type=Path)
    given = parser.parse_args()
    met = True
    for kind in (given.on,) if given.on else ("sqlite", "postgresql"):
        with tempfile.TemporaryDirectory(dir=given.folder) as folder:
            if given.acts or given.kills:
                met &= compare(kind, given.acts, given.kills, Path(folder))
            else:
                met &= measure(kind, given.members, given.rounds, Path(folder))
    sys.exit(not met)


if __name__ == "__main__":
    main()
