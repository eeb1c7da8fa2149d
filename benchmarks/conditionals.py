"""Kill runs that resolve the parents of conditionals, and corrections of these; check each branch.

    python -m benchmarks.conditionals [--on sqlite|postgresql] [--parents N] [--in FOLDER]

Parents of every type (yes or no, options, a number, a date) have branches, some of which have
branches of their own. Runs resolve them from a file and are killed with SIGKILL at random moments,
then a person who corrects and withdraws outcomes is, then runs again. The check reads the rows
alone: from those of its parent it derives each row that a branch must have, and no other.
"""

from __future__ import annotations

import argparse
import math
import multiprocessing
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import Engine
from sqlmodel import col, func, select

from benchmarks.writing import ledger, verdict
from forecasts.access.members import member_or_new
from forecasts.ledger import database, schema
from forecasts.ledger.models import Question, Resolution, ResolutionState, RunState, Score
from forecasts.ledger.verification import verify
from forecasts.questions.conditions import register_conditional
from forecasts.questions.registry import find, question_text, register
from forecasts.questions.standing import current_state
from forecasts.resolution import assignments
from forecasts.resolution.confirmation import confirm, withdraw
from forecasts.resolution.runs.run import run
from forecasts.updates.updates import NewForecast, update_all
from forecasts.values.value import Value

PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(
    ["benchmarks.writing", "forecasts.resolution.confirmation", "forecasts.resolution.runs.run"]
)
PARENTS = 1000
KILLS = 20  # of runs, and as many of corrections
DELAY_S = 0.05  # after an answer a process is killed within it
OPENS = datetime(2026, 1, 1, tzinfo=UTC)
KNOWN = OPENS + timedelta(days=100)
STARTS = OPENS + timedelta(days=101)
LATER = timedelta(minutes=20)  # the claims of a killed run have ended
ANNULLED = "annulled"
FORECASTERS = ("alice", "bob")
WORDING = {"open_time": OPENS, "scheduled_close_time": OPENS + timedelta(days=300)}


class Kind(NamedTuple):
    """A type of parent; ``asked``: of each outcome, the branch that is asked under it."""

    wording: dict[str, object]
    forecast: Value
    branches: tuple[str, ...]
    asked: dict[str, str | None]


KINDS = (
    Kind({}, Value(0.3), ("yes", "no"), {"yes": "yes", "no": "no", ANNULLED: None}),
    Kind(
        {"type": "multiple_choice", "options": ["red", "green", "blue"]},
        Value(probabilities=(0.2, 0.3, 0.5)),
        ("red", "green"),
        {"red": "red", "green": "green", "blue": None, ANNULLED: None},
    ),
    Kind(
        {"type": "numeric", "lower_bound": "0", "upper_bound": "30"},
        Value(quantiles={"0.1": 3, "0.5": 9, "0.9": 20}),
        ("..10", "10..20"),
        {"5": "..10", "10": "10..20", "20": None, ANNULLED: None},
    ),
    Kind(
        {"type": "date", "lower_bound": "2026-01-01", "upper_bound": "2026-12-31"},
        Value(quantiles={"0.1": "2026-02-01", "0.5": "2026-03-02", "0.9": "2026-08-01"}),
        ("..2026-03-01", "2026-03-01.."),
        {"2026-02-28": "..2026-03-01", "2026-03-01": "2026-03-01..", ANNULLED: None},
    ),
)


class Branch(NamedTuple):
    """A branch: the outcomes of its parent under which it is asked, and its own in the file."""

    slug: str
    parent: str
    asked: frozenset[str]
    outcome: str


class Row(NamedTuple):
    """A row that a branch must have."""

    state: ResolutionState
    outcome: str


def kind_of(number: int) -> Kind:
    return KINDS[number % len(KINDS)]


def outcome_of(number: int, step: int = 0) -> str:
    """Return the outcome of a parent, or the one so many steps further."""
    possible = list(kind_of(number).asked)
    return possible[(number // len(KINDS) + step) % len(possible)]


def furnish(engine: Engine, path: Path, parents: int) -> list[Branch]:
    """Return the branches; all questions are registered, forecast, and resolved by the file."""
    lines = ["question,outcome,known_at"]
    found: list[Branch] = []
    asked: list[tuple[Question, Value]] = []
    for number in range(parents):
        kind = kind_of(number)
        with database.writing(engine) as session:
            alice = member_or_new(session, FORECASTERS[0], now=OPENS)
            text = question_text(title=f"Parent {number}?", **WORDING, **kind.wording)
            parent = register(session, text, slug=f"p{number}", member=alice, now=OPENS)
            new = [(parent, kind.forecast, outcome_of(number))]
            text = question_text(title=f"Child {number}?", **WORDING)
            for place, one in enumerate(
                register_conditional(session, parent, text, kind.branches, member=alice, now=OPENS)
            ):
                under = frozenset(o for o, branch in kind.asked.items() if branch == one.outcome)
                own = ("yes", "no")[(number + place) % 2]
                found.append(Branch(one.state.slug, parent.slug, under, own))
                new.append((one.state.question, Value(0.6), own))
                if number % 20 == 0 and place == 0:
                    text = question_text(title=f"Grandchild {number}?", **WORDING)
                    for two in register_conditional(
                        session, one.state.question, text, member=alice, now=OPENS
                    ):
                        under = frozenset([two.outcome])
                        found.append(Branch(two.state.slug, one.state.slug, under, "no"))
                        new.append((two.state.question, Value(0.4), "no"))
            for question, value, outcome in new:
                settings = {"path": str(path)}
                assignments.attach(
                    session, question, "outcomes_file", settings, member=alice, now=OPENS
                )
                lines.append(f"{question.slug},{outcome},{KNOWN.date()}")
                asked.append((question, value))
    with database.writing(engine) as session:
        for name in FORECASTERS:
            member = member_or_new(session, name, now=OPENS)
            made = [NewForecast(question, value) for question, value in asked]
            update_all(session, made, member=member, now=OPENS + timedelta(days=1))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return found


def resolve(url: str, at: datetime, told: Connection, _: int) -> None:
    """Run the resolvers, and tell of each answer."""
    engine = database.open_engine(url)
    run(engine, now=at, on_result=lambda result: told.send(result.slug))
    engine.dispose()


def correct(url: str, at: datetime, told: Connection, parents: int) -> None:
    """Correct two fifths of the parents, half of them after a withdrawal, and withdraw a fifth.

    Those that an earlier process has changed are left out.
    """
    engine = database.open_engine(url)
    for number in range(parents):
        change = number // len(KINDS) % 5
        slug, outcome = f"p{number}", outcome_of(number, 1)
        with database.reading(engine) as session:
            state = current_state(session, find(session, slug), now=at)
        if change > 2 or (state.resolution and state.resolution.outcome == outcome):
            continue
        if change and state.withdrawal is None:
            with database.writing(engine) as session:
                alice = member_or_new(session, FORECASTERS[0], now=at)
                withdraw(session, state.question, member=alice, now=at, reason="too early")
        if change < 2:
            with database.writing(engine) as session:
                alice = member_or_new(session, FORECASTERS[0], now=at)
                confirm(session, state.question, outcome, known_at=KNOWN, member=alice, now=at)
        told.send(slug)
    engine.dispose()


def killed(
    act: Callable[..., None], url: str, at: datetime, parents: int, after: float, delay: float
) -> bool:
    """Return whether a process that acts was killed so many seconds after so many answers."""
    receive, send = PROCESSES.Pipe(duplex=False)
    process = PROCESSES.Process(target=act, args=(url, at, send, parents))
    process.start()
    send.close()
    answers = 0
    try:
        while answers < after:
            receive.recv()
            answers += 1
        time.sleep(delay)
        process.kill()
    except EOFError:
        pass
    process.join()
    receive.close()
    return process.exitcode == -signal.SIGKILL


def faults(engine: Engine, branches: Sequence[Branch], *, settled: bool) -> Iterator[str]:
    """Yield a sentence for each branch with another row than its parent's rows and the file give.

    ``settled``: nothing is left for a run, so that each branch whose condition may hold has its own
    outcome; then the ledger is verified, too.
    """
    children: dict[str, list[Branch]] = defaultdict(list)
    for branch in branches:
        children[branch.parent].append(branch)
    by_slug = {branch.slug: branch for branch in branches}
    with database.reading(engine) as session:
        rows = session.exec(
            select(Question.slug, Resolution)
            .join(Question, col(Question.id) == col(Resolution.question_id))
            .order_by(col(Resolution.id))
        ).all()
        scored = Counter(
            dict(
                session.exec(
                    select(
                        Score.resolution_id, func.count(func.distinct(col(Score.member_id)))
                    ).group_by(col(Score.resolution_id))
                ).all()
            )
        )
        broken = verify(session).broken if settled else None
    if broken is not None:
        yield f"the ledger does not verify: {broken}"
    now: dict[str, Resolution] = {}  # the newest row of each question
    own: dict[str, bool] = {}  # whether a branch has had its own outcome, when last it was asked
    due: dict[str, Row] = {}  # the row that a branch must have next

    def outcome(slug: str) -> str | None:
        row = now.get(slug)
        is_told = row is not None and row.state == ResolutionState.confirmed
        return row.outcome if row is not None and is_told else None

    for slug, row in rows:
        if row.state in (ResolutionState.proposed, ResolutionState.rejected):
            continue
        if (row.supersedes_id or None) != (now[slug].id if slug in now else None):
            yield f"{slug}: row {row.id} does not supersede the one before"
        if slug in by_slug:
            branch = by_slug[slug]
            follows = due.pop(slug, None)
            if follows is not None:
                if (row.state, row.outcome) != follows:
                    yield f"{slug}: {row.state} {row.outcome} where {follows} follows"
                if row.outcome == ANNULLED and branch.parent not in row.note:
                    yield f"{slug}: changed without the reason"
            elif outcome(slug) is not None or row.outcome != branch.outcome:
                yield f"{slug}: {row.state} {row.outcome} for no reason"
            elif outcome(branch.parent) not in (None, *branch.asked):
                yield f"{slug}: resolved although its condition does not hold"
            else:
                own[slug] = True
        now[slug] = row
        told = outcome(slug)
        for child in children[slug]:
            if child.slug in due:
                yield f"{child.slug}: did not follow its parent"
            if told is not None and told not in child.asked:
                if outcome(child.slug) != ANNULLED:
                    due[child.slug] = Row(ResolutionState.confirmed, ANNULLED)
            elif outcome(child.slug) == ANNULLED:
                due[child.slug] = (
                    Row(ResolutionState.confirmed, child.outcome)
                    if own.get(child.slug)
                    else Row(ResolutionState.withdrawn, ANNULLED)
                )
    for slug in due:
        yield f"{slug}: did not follow its parent"
    for slug, row in now.items():
        members = len(FORECASTERS) if row.outcome != ANNULLED else 0
        if row.state == ResolutionState.confirmed and scored[row.id] != members:
            yield f"{slug}: {scored[row.id]} of {members} forecasters have a score"
    for branch in branches if settled else ():
        told = outcome(branch.parent)
        must = ANNULLED if told is not None and told not in branch.asked else branch.outcome
        if outcome(branch.slug) != must:
            yield f"{branch.slug}: {outcome(branch.slug)} in place of {must}"


def measure(kind: str, folder: Path, parents: int) -> bool:
    """Print the result on one database; return whether every branch is right."""
    moments, at = random.Random(35), STARTS
    with ledger(kind, folder) as url:
        engine = database.open_engine(url)
        schema.migrate(engine)
        branches = furnish(engine, folder / "outcomes.csv", parents)
        wrong: list[str] = []
        kills = Counter[str]()
        seconds = used = 0.0
        answers = 0
        for act in (resolve, correct):
            for _ in range(KILLS):
                after, delay = moments.randint(0, parents * 3 // 5 // KILLS), moments.random()
                kills[act.__name__] += killed(act, url, at, parents, after, delay * DELAY_S)
                wrong += faults(engine, branches, settled=False)
                at += LATER
            if act is correct:
                killed(act, url, at, parents, math.inf, 0)  # to its end
            began, cpu = time.perf_counter(), time.process_time()
            while confirmed := run(engine, now=at).count(RunState.confirmed):
                answers += confirmed
                at += LATER
            seconds += time.perf_counter() - began
            used += time.process_time() - cpu
            wrong += faults(engine, branches, settled=True)
        engine.dispose()
    wrong = list(dict.fromkeys(wrong))
    print("\n".join(wrong), file=sys.stderr)
    met = not wrong and set(kills.values()) == {KILLS}
    print(
        f"| {kind}: {parents:,} conditionals with {len(branches):,} branches; "
        f"{kills['resolve']} runs killed, then {kills['correct']} processes that correct parents "
        f"| {len(wrong)} wrong; the other runs: {answers:,} outcomes in {seconds:.0f} s "
        f"({used:.0f} s of the processor) | every branch right, once | {verdict(met)} |",
        flush=True,
    )
    return met


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--on", choices=("sqlite", "postgresql"))
    parser.add_argument("--parents", type=int, default=PARENTS)
    parser.add_argument("--in", dest="folder", type=Path)
    given = parser.parse_args()
    print("| work | measured | bar | |\n|---|---|---|---|")
    met = True
    with tempfile.TemporaryDirectory(dir=given.folder) as folder:
        os.environ["FORECASTS_FILES_FOLDER"] = folder  # a shared ledger reads no other files
        for kind in [given.on] if given.on else ["sqlite", "postgresql"]:
            own = Path(folder, kind)
            own.mkdir()
            met &= measure(kind, own, given.parents)
    sys.exit(not met)


if __name__ == "__main__":
    main()
