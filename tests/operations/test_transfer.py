"""A ledger moves between a file and a server, whole, verified, and on where it was stopped."""

from __future__ import annotations

import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, delete, select, text
from sqlmodel import SQLModel

from forecasts.access import identities
from forecasts.access.identities import Person
from forecasts.access.members import member_named, member_or_new
from forecasts.agenda import revisits
from forecasts.common.errors import DatabaseError, NoLedger, Refused
from forecasts.common.settings import sqlite_url
from forecasts.ledger import database, models, schema
from forecasts.ledger.append import written
from forecasts.ledger.verification import verify
from forecasts.operations import transfer
from forecasts.operations.transfer import Step, move
from forecasts.resolution import assignments, proposals
from forecasts.resolution.runs import run
from forecasts.scores import scores
from forecasts.updates import updates
from forecasts.updates.evidence import CitedEvidence
from forecasts.values.value import Value
from tests.conftest import ask, day, resolve, say
from tests.examples import examples
from tests.ledger import history
from tests.operations.conftest import Opened
from tests.postgresql import Server

pytestmark = pytest.mark.slow

WAYS = ["to a server", "to a file"]


@pytest.fixture(scope="module")
def furnished_file(empty_ledger: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ledger in a file to copy, with rows in every table."""
    path = tmp_path_factory.mktemp("furnished") / "ledger.sqlite3"
    shutil.copy(empty_ledger, path)
    furnish(sqlite_url(path))
    return path


@pytest.fixture(scope="module")
def furnished_database(postgresql: Server) -> Iterator[str]:
    """The same on a server."""
    with postgresql.fresh() as url:
        furnish(url)
        yield url


@pytest.fixture
def source_file(furnished_file: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(furnished_file, tmp_path / "ledger.sqlite3"))


@pytest.fixture
def migrated() -> bool:
    """Whether the target is an empty ledger already: to migrate a new one takes long."""
    return True


TO_A_SERVER = pytest.mark.parametrize("urls", WAYS[:1], indirect=True)
TO_A_NEW_ONE = pytest.mark.parametrize("migrated", [False], ids=["new"])


@pytest.fixture(params=WAYS)
def urls(
    request: pytest.FixtureRequest,
    postgresql: Server,
    empty_ledger: Path,
    tmp_path: Path,
    migrated: bool,
) -> Iterator[tuple[str, str]]:
    """Where a furnished ledger is, and where an empty one is, or nothing yet."""
    if request.param == WAYS[0]:
        file: Path = request.getfixturevalue("source_file")
        with postgresql.fresh(migrated=migrated) as server:
            yield sqlite_url(file), server
    else:
        target = tmp_path / "moved" / "ledger.sqlite3"
        if migrated:
            target.parent.mkdir()
            shutil.copy(empty_ledger, target)
        with postgresql.fresh(like=request.getfixturevalue("furnished_database")) as server:
            yield server, sqlite_url(target)


@pytest.fixture
def another(empty_ledger: Path, tmp_path: Path) -> Path:
    """One more empty ledger."""
    return Path(shutil.copy(empty_ledger, tmp_path / "another.sqlite3"))


@pytest.fixture
def source(urls: tuple[str, str], opened: Opened) -> Engine:
    return opened(urls[0])


@pytest.fixture
def target(urls: tuple[str, str], opened: Opened) -> Engine:
    return opened(urls[1], unfinished=True)


def furnish(url: str) -> None:
    """Put rows into every table, with values that are hard to carry over."""
    engine = database.open_engine(url)
    history.furnish(engine)
    odd = "“ünïcode” \u2028 🎯 \\ ' \" %s :x \x01"
    with database.writing(engine) as session:
        alice = member_named(session, "alice")
        member_or_new(session, "alice ünï", now=day(8.123456789))
        identities.admit(session, Person("https://id.example", odd, "bo"), now=day(8))
        kept = {"key": odd, "request_digest": "d", "status": 200, "answer": odd}
        session.add(models.IdempotentAnswer(token_id=1, recorded_at=day(8), **kept))
        which = ask(
            session, member=alice, slug="which", type="multiple_choice", options=["a", odd.strip()]
        )
        bounds = {"type": "numeric", "lower_bound": "0", "upper_bound": "30.10"}
        depth = ask(session, slug="depth", member=alice, **bounds)
        assignments.attach(session, depth, "outcomes_file", {"path": odd}, member=alice, now=day(8))
        revisits.mark_seen(session, member=alice, now=day(8))
        session.add(models.LastRun(started_at=day(8), before_at=day(7)))
        at = {"at": day(8), "recorded_at": day(8), "next_at": day(8)}
        notice = {"channel_id": 1, "event": models.Event.closed, "question_id": which.id}
        session.add(models.Notice(**notice, **at))
        for question, value in (
            (which, Value(probabilities=(1 / 3, 2 / 3))),
            (depth, Value(quantiles={"0.1": 3.0, "0.5": 8.5, "0.9": 12.25})),
        ):
            cited = [CitedEvidence(note=odd, share=1 / 3)]
            told = {"member": alice, "now": day(8), "rationale": odd}
            updates.update(session, question, value, evidence=cited, **told)
        updates.withdraw(session, which, member=alice, now=day(8.5))
        session.add(models.ModelUse(forecast_id=1, name=odd, temperature=1 / 3, tools=[odd]))
        session.add(models.AliasSalt(salt=odd, recorded_at=day(8)))
        feed = written(
            session, models.Feed(member_id=1, address=odd, title=odd, recorded_at=day(8))
        )
        session.add(models.FeedEntry(feed_id=feed.id, key=odd, article_id=1, recorded_at=day(8)))
        session.add(models.ArticleStory(article_id=1, story_id=1, signature=b"\0\xff"))
        match = {"article_id": 1, "question_id": which.id, "score": 1 / 3, "words": [odd]}
        session.add(models.ArticleMatch(passage=odd, **match))
        session.merge(models.MatchedUntil(article_id=1, revision_id=1))
        session.add(models.NewsAnswer(member_id=1, answer="dismissed", recorded_at=day(8), **match))
        apart = {"question_id": which.id, "other_id": depth.id, "apart": True}
        session.add(models.DistinctPair(member_id=alice.id, recorded_at=day(8), **apart))
        proposals.propose(
            session, which, "a", known_at=day(9), now=day(9), member=alice, note="The gazette."
        )
    run.run(engine, now=day(9))
    engine.dispose()


def contents(engine: Engine) -> dict[str, list[Any]]:
    with database.reading(engine) as session:
        return {
            table.name: session.execute(select(table).order_by(table.c.id)).all()
            for table in SQLModel.metadata.sorted_tables
        }


@TO_A_NEW_ONE
def test_every_row_is_moved_and_the_source_is_unchanged(source: Engine, target: Engine) -> None:
    before = contents(source)
    steps: list[Step] = []
    moved = move(source, target, on_step=steps.append)
    assert contents(target) == contents(source) == before
    assert moved.rows == {name: len(rows) for name, rows in before.items()}
    assert not moved.resumed
    empty = {name for name, rows in before.items() if not rows}
    assert empty <= {"resolver_run", "removal", "ended_session", "upkeep"}
    for act in ("copy", "compare"):
        last = {step.table: step for step in steps if step.act == act}
        assert {name: step.done for name, step in last.items() if step.done} == {
            name: len(rows) for name, rows in before.items() if rows
        }


@TO_A_SERVER
def test_a_moved_ledger_takes_acts_and_can_be_moved_back(
    source: Engine, target: Engine, urls: tuple[str, str], another: Path, opened: Opened
) -> None:
    move(source, target)
    there = opened(urls[1], begin=False)
    assert schema.make_ready(there) is None
    with database.writing(there) as session:
        bob = member_or_new(session, "bob", now=day(9.6))
        hail = ask(session, bob, slug="hail", title="Will it hail?")
        evidence = [CitedEvidence(note="clouds")]
        say(session, hail, bob, 0.4, 9.6, evidence=evidence)
        resolve(session, hail, bob, "no", 9.7, at=9.7)
        assert scores.rebuild(session).resolutions == 2
    after = contents(there)
    for name, rows in contents(source).items():
        assert after[name][: len(rows)] == rows or name == "score"
    with database.reading(there) as session:
        assert verify(session).broken is None
    back = opened(sqlite_url(another))
    move(there, back)
    assert contents(back) == after


class Stop(Exception):
    """What ends a move in between."""


def stop_at(number: int) -> Callable[[Step], None]:
    told = iter(range(number))

    def tell(_: Step) -> None:
        if next(told, None) is None:
            raise Stop

    return tell


@settings(max_examples=examples(3))
@given(stops=st.lists(st.integers(0, 60), max_size=2))
def test_a_stopped_move_continues(source_file: Path, postgresql: Server, stops: list[int]) -> None:
    source = database.open_engine(sqlite_url(source_file))
    with postgresql.fresh() as url, pytest.MonkeyPatch.context() as patch:
        patch.setattr(transfer, "BATCH", 1)
        target = database.open_engine(url)
        for number in stops:
            try:
                move(source, target, on_step=stop_at(number))
            except Stop:
                with pytest.raises(NoLedger, match="unfinished") as caught:
                    database.open_engine(url)
                assert "forecasts move" in caught.value.remedy
            else:
                break
        else:
            assert move(source, target).resumed is bool(stops)
        assert contents(target) == contents(source)
        target.dispose()
        database.open_engine(url, begin=False).dispose()
    transfer.reopen(source)  # for the next example
    source.dispose()


KILLED = """
import os, signal, sys
from forecasts.ledger import database
from forecasts.operations import transfer
transfer.BATCH = 2
seen = 0
def tell(step):
    global seen
    seen += step.table == "forecast"
    if seen == 3:
        print(step.done, flush=True)
        os.kill(os.getpid(), signal.SIGKILL)
source, target = (database.open_engine(url, unfinished=True) for url in sys.argv[1:])
transfer.move(source, target, on_step=tell)
"""


@TO_A_SERVER
def test_a_killed_move_goes_on(source: Engine, urls: tuple[str, str], opened: Opened) -> None:
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, *urls], capture_output=True, text=True, timeout=120
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert killed.stdout == "4\n"
    target = opened(urls[1], unfinished=True)
    steps: list[Step] = []
    assert move(source, target, on_step=steps.append).resumed
    begun = next(step for step in steps if step.table == "forecast")
    assert begun.done == 4
    assert contents(target) == contents(source)


@TO_A_SERVER
def test_changes_of_the_source_in_between_come_along(source: Engine, target: Engine) -> None:
    def stop(step: Step) -> None:
        if step.act == "compare":
            raise Stop

    with pytest.raises(Stop):
        move(source, target, on_step=stop)
    with database.writing(source) as session:
        member_or_new(session, "bob", now=day(9.6))
        session.execute(delete(models.IdempotentAnswer))
        # The scores are a cache: made again, with numbers that others had before.
        scores.rebuild(session)
    move(source, target)
    assert contents(target) == contents(source)


def test_writers_to_the_source_are_refused_during_a_move(
    source: Engine, target: Engine, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    for patience in ("PATIENCE", "SERVER_PATIENCE"):
        monkeypatch.setattr(database, patience, 0.05)
    other = opened(source.url.render_as_string(hide_password=False))
    tried: list[str] = []

    def tell(step: Step) -> None:
        if step.table == "forecast" and step.done == step.rows:
            with database.reading(other) as session:
                assert member_named(session, "alice").id == 1
            could_not = pytest.raises(DatabaseError, match="could not be")
            with could_not, database.writing(other) as session:
                member_or_new(session, "bob", now=day(9.6))
            tried.append(step.act)

    before = contents(source)
    move(source, target, on_step=tell)
    assert set(tried) == {"copy", "compare"}
    assert contents(source) == before


@TO_A_SERVER
def test_the_source_a_target_with_rows_and_a_copy_of_another_ledger_are_refused(
    source: Engine, target: Engine, urls: tuple[str, str], another: Path, opened: Opened
) -> None:
    with pytest.raises(Refused, match="already"):
        move(source, opened(urls[0]))
    other = opened(sqlite_url(another))
    with database.writing(other) as session:
        member_or_new(session, "somebody", now=day(0))
    before = contents(other)
    with pytest.raises(Refused, match="is not empty: it has rows in the table member"):
        move(source, other)
    assert contents(other) == before
    with pytest.raises(Stop):
        move(source, target, on_step=stop_at(5))
    with pytest.raises(Refused, match="unfinished copy of the ledger at"):
        move(other, target)


@TO_A_SERVER
@pytest.mark.parametrize(
    ("act", "words"),
    [
        ("UPDATE team SET name = 'Alder ' WHERE id = 1", "Row 1 of the table team differs"),
        (
            "INSERT INTO team (id, name, created_at) VALUES (9, 'x', '2026-01-01 00:00:00.000000')",
            "Row 9 .* is only in the copy",
        ),
        ("DELETE FROM score WHERE id = (SELECT max(id) FROM score)", "is missing"),
    ],
)
def test_a_copy_that_differs_in_a_row_is_not_finished(
    source: Engine, target: Engine, urls: tuple[str, str], act: str, words: str
) -> None:
    def tamper(step: Step) -> None:
        if step.act == "compare" and step.table == "ledger":
            with database.writing(target) as session:
                session.execute(text(act))

    with pytest.raises(DatabaseError, match=words) as caught:
        move(source, target, on_step=tamper)
    assert "Start again" in caught.value.remedy
    with pytest.raises(NoLedger, match="unfinished"):
        database.open_engine(urls[1])


def test_an_orphan_is_named(source: Engine, target: Engine, urls: tuple[str, str]) -> None:
    orphan = (
        "INSERT INTO citation (id, forecast_id, evidence_id, stance)"
        " VALUES (900, 77777, 1, 'supports')"
    )
    if source.dialect.name == "sqlite":
        with closing(sqlite3.connect(str(source.url.database))) as owner:
            owner.execute(orphan)
            owner.commit()
    else:
        with psycopg.connect(urls[0]) as owner:
            owner.execute("SET session_replication_role = replica")
            owner.execute(orphan)
    with pytest.raises(DatabaseError) as caught:
        move(source, target)
    named = "row 900 of citation refers to row 77777 of forecast (forecast_id), which is gone"
    assert named in caught.value.message
    assert "To name every altered row: forecasts verify" in caught.value.remedy
    with database.reading(source) as session:
        found = verify(session).broken
    assert (found and found.said) == "row 900 of citation has no entry"


@TO_A_NEW_ONE
@TO_A_SERVER
def test_an_earlier_schema_is_not_moved(source: Engine, target: Engine) -> None:
    with database.writing(source) as session:
        session.execute(text("UPDATE alembic_version SET version_num = '0001'"))
    with pytest.raises(Refused, match="has schema 0001") as caught:
        move(source, target)
    assert "forecasts migrate" in caught.value.remedy
    assert schema.schema_revision(target) is None
