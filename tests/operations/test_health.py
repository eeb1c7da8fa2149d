"""What an operator is told about a ledger, and that each thing that is not well is told."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text
from sqlmodel import Session, func, select

from forecasts.access.members import member_or_new
from forecasts.agenda.notifications import channels
from forecasts.common.settings import sqlite_url
from forecasts.ledger import clock, database, schema, sqlite_file
from forecasts.ledger.chain import APPEND_ONLY
from forecasts.ledger.models import Channel, EndedSession, Entry, Team, UpkeepAct, Watch
from forecasts.ledger.verification import newest
from forecasts.operations import health, upkeep
from forecasts.operations.health import Finding, check
from forecasts.resolution.progress import record_run
from forecasts.resolution.proposals import propose
from forecasts.updates.updates import update
from forecasts.values.value import Value
from tests.conftest import ask, day, on_both
from tests.operations.conftest import Opened
from tests.postgresql import Server


def now() -> datetime:
    return datetime.now(UTC)


def bad(found: list[Finding]) -> dict[str, Finding]:
    return {one.about: one for one in found if not one.passed}


def change(engine: Engine, *statements: str) -> None:
    with database.writing(engine) as session:
        for statement in statements:
            session.execute(text(statement))


@pytest.fixture
def own(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Engine]:
    """A ledger that more may be done to than the verbs do."""
    if kind == "sqlite":
        file = request.getfixturevalue("empty_ledger")
        engine = database.open_engine(sqlite_url(shutil.copy(file, tmp_path / "own.sqlite3")))
        yield engine
        engine.dispose()
        return
    server: Server = request.getfixturevalue("postgresql")
    with server.fresh() as url:
        engine = database.open_engine(url)
        yield engine
        engine.dispose()


@pytest.fixture
def durable(postgresql: Server) -> Iterator[None]:
    """The server as one is set up that is to outlive a power cut."""
    for value in ("on", "off"):
        for name in ("fsync", "full_page_writes"):
            postgresql.set(name, value)
        if value == "on":
            yield


@on_both
@pytest.mark.usefixtures("durable")
def test_every_check_of_a_sound_ledger_passes(engine: Engine, kind: str) -> None:
    with database.writing(engine) as session:
        alice = member_or_new(session, "alice", now=day(0))
        update(session, ask(session, alice), Value(probability=0.4), member=alice, now=day(1))
    with database.writing(engine) as session:
        for act in UpkeepAct:
            upkeep.record(session, act, "/elsewhere", now=now(), digest=newest(session))
    found = check(engine, now)
    assert bad(found) == {}
    said = {one.about: one.result for one in found}
    assert said["schema"] == f"The schema is {schema.newest_revision()}, as this release requires."
    assert said["rows"].startswith("The ledger has 1 member, 0 articles, 1 question, 1 forecast,")
    assert said["newest"] == "The newest row was recorded at 2026-01-02T00:00:00Z."
    about = {"sqlite": "SQLite 3", "postgresql": "PostgreSQL 1"}
    assert about[kind] in said["server"]
    assert database.place(engine) in said["connection"]
    assert ("file" in said) == (kind == "sqlite")
    assert ("clock" in said) == (kind == "postgresql")


@on_both
def test_a_row_without_an_entry_is_missed(own: Engine) -> None:
    assert "chain" not in bad(check(own, now))
    change(
        own, "INSERT INTO team (name, created_at) VALUES ('Alder', '2026-01-01 00:00:00.000000')"
    )
    said = bad(check(own, now))["chain"]
    assert said.result.startswith("There are 1 rows of history but 0 entries")
    assert said.remedy.endswith("forecasts verify")


@on_both
def test_weakened_protection_is_named_and_an_added_index_is_not_a_fault(
    own: Engine, kind: str
) -> None:
    change(own, "CREATE INDEX mine ON forecast (origin)")
    said = {one.about: one for one in check(own, now)}["protection"]
    assert said.passed
    assert "Added, and harmless: the index mine on forecast" in said.result
    gone = {
        "sqlite": "DROP TRIGGER {0}_refuses_replace",
        "postgresql": "DROP TRIGGER {0}_is_append_only ON {0}",
    }
    change(own, *(gone[kind].format(table) for table in APPEND_ONLY))
    said = bad(check(own, now))["protection"]
    assert said.result.startswith("The database's protection of history is weakened: the trigger a")
    assert said.result.endswith(f" is missing; and {len(APPEND_ONLY) - 20} more.")
    assert "backup" in said.remedy


ON_A_SERVER = pytest.mark.parametrize("kind", ["postgresql"])


def test_another_schema_is_reported_only(own: Engine) -> None:
    for revision, remedy in (("0001", "forecasts migrate"), ("9999", "newer release")):
        change(own, f"UPDATE alembic_version SET version_num = '{revision}'")
        found = check(own, now)
        said = bad(found)["schema"]
        assert revision in said.result
        assert remedy in said.remedy
        assert "rows" not in {one.about for one in found}
        assert schema.schema_revision(own) == revision


@ON_A_SERVER
def test_clocks_that_differ_are_said(own: Engine) -> None:
    for off, words in ((600, "behind"), (-600, "ahead")):
        said = bad(check(own, lambda off=off: now() + timedelta(seconds=off)))["clock"]
        assert "differ by 600.0 s" in said.result or "differ by 599.9 s" in said.result
        assert words in said.result
        assert "NTP" in said.remedy


@on_both
def test_a_row_from_the_future_is_said(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    at = [day(0)]
    monkeypatch.setattr(clock, "server_time", lambda: f"timestamptz '{at[0].isoformat()}'")
    with database.writing(engine, lambda: at[0]) as session:
        member_or_new(session, "alice", now=day(0))  # has no time of its own but its entry's
    assert "newest" not in bad(check(engine, lambda: at[0]))
    at[0] = day(-1)
    said = bad(check(engine, lambda: at[0]))["newest"]
    assert "2026-01-01T00:00:00Z, but it is 2025-12-31T00:00:00Z here" in said.result
    assert "restore a backup" in said.remedy


@ON_A_SERVER
@pytest.mark.parametrize(
    ("setting", "about", "said"),
    [
        (
            "synchronous_commit = off",
            "durability",
            "= on, synchronous_commit = on.",
        ),
        ("default_transaction_read_only = on", "writing", "accepts no writes"),
    ],
)
def test_a_risky_setting_is_named(own: Engine, setting: str, about: str, said: str) -> None:
    change(own, f"ALTER DATABASE {own.url.database} SET {setting}")
    own.dispose()  # connections from now on have it
    found = bad(check(own, now))[about]
    assert said in f"{found.result} {found.remedy}"


@pytest.mark.slow
def test_a_damaged_file_is_said(tmp_path: Path) -> None:
    path = tmp_path / "damaged.sqlite3"
    engine = database.open_engine(sqlite_url(path))
    schema.migrate(engine)
    with database.writing(engine) as session:
        index = "name IN ('uq_member_handle', 'sqlite_autoindex_member_1')"
        roots = text(f"SELECT rootpage FROM sqlite_master WHERE {index}")
        root = session.execute(roots).scalars().first()
        assert root is not None
        [size] = session.execute(text("PRAGMA page_size")).one()
    engine.dispose()
    with path.open("r+b") as file:
        file.seek((root - 1) * size)
        file.write(b"\xff" * 64)
    engine = database.open_engine(sqlite_url(path))
    assert "damaged" in bad(check(engine, now))["file"].result
    engine.dispose()


@pytest.mark.slow
def test_a_long_write_is_reported(
    ledger_file: Path, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "PATIENCE", 0.05)
    with database.writing(opened(ledger_file)) as session:
        member_or_new(session, "alice", now=day(0))
        assert "locked" in bad(check(opened(ledger_file), now))["writing"].result


@on_both
def test_a_row_is_written_and_taken_back(engine: Engine) -> None:
    with database.writing(engine) as session:
        for key in ("health check 1", "of a person"):  # the first is of a check that was killed
            session.add(EndedSession(key=key, until=day(9), recorded_at=day(0)))
    said = {one.about: one for one in check(engine, now)}
    assert said["writing"].result == "Rows of 0.5 MB were written, and taken back."
    assert said["newest"] == Finding("newest", "There are no rows yet.")
    assert said["rows"].passed
    with database.reading(engine) as session:
        for table in (Team, Entry):
            assert session.exec(select(func.count()).select_from(table)).one() == 0
        assert session.exec(select(EndedSession.key)).all() == ["of a person"]


def test_a_full_disk_and_a_long_journal_are_reported(
    ledger_file: Path, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(ledger_file)._replace(free=40_000_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    monkeypatch.setattr(health, "LONGEST_JOURNAL", 10_000)
    with database.writing(opened(ledger_file)) as session:
        for number in range(50):
            member_or_new(session, f"member {number}", now=day(0))
    found = bad(check(opened(ledger_file), now))
    said = found["space"]
    assert said.result.startswith("40 MB are free where the ledger is, less than a migration")
    assert said.remedy.startswith("Free at least 60 MB")
    assert "cannot be merged" in found["journal"].result


def test_a_file_that_anyone_may_write_to_is_said(ledger_file: Path, opened: Opened) -> None:
    ledger_file = ledger_file.rename(ledger_file.with_name("my ledger; ls"))
    engine = opened(ledger_file)
    assert "permissions" not in bad(check(engine, now))
    ledger_file.chmod(0o666)
    said = bad(check(engine, now))["permissions"]
    assert said.result == f"Every user of this machine may write to {ledger_file}."
    assert said.remedy == f"Run: chmod o-w '{ledger_file}'"  # as one word of a shell


def test_files_that_everyone_may_read_are_named(ledger_file: Path, opened: Opened) -> None:
    with tempfile.TemporaryDirectory(prefix="forecasts-") as name:  # outside pytest's own folder
        folder = Path(name)
        ledger = Path(shutil.copy(ledger_file, folder))
        ledger.chmod(0o644)
        engine = opened(ledger)
        assert "privacy" not in bad(check(engine, now))
        folder.chmod(0o755)
        said = bad(check(engine, now))["privacy"]
        engine.dispose()
    assert said.result.startswith(f"Every user of this machine may read {ledger}")
    assert said.remedy.startswith(f"Run: chmod o-r {ledger}")


def test_addresses_that_are_stored_as_they_are_or_without_their_key_are_said(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def said() -> str:
        return {one.about: one.result for one in check(engine, now)}["secrets"]

    monkeypatch.setenv("FORECASTS_SECRET_KEY", "k" * 32)
    with database.writing(engine) as session:
        alice = member_or_new(session, "alice", now=day(0))
        channels.add(session, "phone", "json://8.8.8.8/kate", member=alice, now=day(0))
    assert "(1) are encrypted" in said()
    monkeypatch.setenv("FORECASTS_SECRET_KEY", "o" * 32)
    assert said().endswith("1 cannot be read: their key is not here.")
    with database.writing(engine) as session:
        session.exec(select(Channel)).one().secret_url = "json://8.8.8.8/kate"
    assert said().endswith("1 can be read by all who can read the ledger.")


def test_a_read_only_file_is_reported(
    ledger_file: Path, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (sqlite_file, health):
        monkeypatch.setattr(module, "why_read_only", lambda _: "the file 'x'")
    found = check(opened(ledger_file), now)
    assert "can only be read: you may not write to the file 'x'" in bad(found)["permissions"].result
    assert "writing" not in {one.about for one in found}


def routines(session: Session, at: float) -> dict[str, Finding]:
    return {one.about: one for one in health.check_routine(session, now=day(at))}


@on_both
def test_runs_are_missed_if_questions_are_due(session: Session) -> None:
    assert routines(session, 1)["run"].result == "There has been no run, and no question needs one."
    rain = ask(session, member_or_new(session, "alice", now=day(0)))
    session.add(Watch(question_id=rain.id, next_at=day(2)))
    session.flush()
    assert routines(session, 1)["run"].passed
    said = routines(session, 2)["run"]
    assert said.result == "There has been no run, and 1 question is due."
    assert "forecasts schedule" in said.remedy
    for at in (2, 2 + 1 / 96):
        record_run(session, now=day(at))
    said = routines(session, 2.02)["run"]
    assert said.passed
    assert said.result == "The last run was at 2026-01-03 00:15 UTC."
    assert "overdue" in routines(session, 2.1)["run"].result
    early = routines(session, 1)["run"]
    assert early.result.endswith("at 2026-01-03 00:15 UTC, but it is 2026-01-02 00:00 UTC here.")
    assert "clocks" in early.remedy


def test_failing_checks_are_counted_until_parked_or_resolved(session: Session) -> None:
    alice = member_or_new(session, "alice", now=day(0))
    for slug, attempts in (("rain", 1), ("snow", 0)):
        question = ask(session, alice, slug=slug)
        session.add(Watch(question_id=question.id, next_at=day(2), attempts=attempts))
    record_run(session, now=day(1))
    said = routines(session, 1)["run"]
    assert said.passed
    assert said.result.endswith(
        "; checks of 1 question failed and will be repeated. To see why: forecasts run status"
    )
    watch = session.exec(select(Watch).where(Watch.attempts == 1)).one()
    watch.parked_at = day(1)
    assert "failed" not in routines(session, 1)["run"].result
    watch.parked_at, watch.next_at = None, None
    assert "failed" not in routines(session, 1)["run"].result


def test_runs_half_a_minute_apart_are_not_a_schedule(session: Session) -> None:
    rain = ask(session, member_or_new(session, "alice", now=day(0)))
    session.add(Watch(question_id=rain.id, next_at=day(2)))
    for second in (0, 24):
        record_run(session, now=day(2) + timedelta(seconds=second))
    assert routines(session, 3)["run"].passed
    assert "overdue" in routines(session, 4.1)["run"].result  # the question has waited two days


def test_questions_that_need_a_person_are_counted_and_missed_after_a_day(session: Session) -> None:
    alice = member_or_new(session, "alice", now=day(0))
    assert routines(session, 1)["people"] == Finding("people", "No question needs a person.")
    rain = ask(session, alice)
    left = " now. 1 open question has no resolver and must be resolved by hand."
    assert routines(session, 1)["people"].result == f"No question needs a person{left}"
    propose(session, rain, "yes", known_at=day(1), now=day(2), member=alice, note="The gazette.")
    session.add(Watch(question_id=rain.id, next_at=day(2), parked_at=day(2.5)))
    snow = ask(session, alice)
    session.add(Watch(question_id=snow.id, next_at=day(2), parked_at=day(3)))
    session.flush()
    words = "2 questions need a person (2 parked, 1 proposed), the first since 2026-01-03 00:00 UTC"
    said = routines(session, 3)["people"]
    assert said == Finding("people", f"{words}. To list them: forecasts run status")
    said = routines(session, 3.01)["people"]
    assert said.result == f"{words}."
    assert "page Resolve" in said.remedy
    assert said.remedy.endswith("forecasts run status")


@on_both
def test_an_old_backup_is_said_once_the_ledger_has_gone_on(session: Session, kind: str) -> None:
    member_or_new(session, "alice", now=day(0))
    if kind == "postgresql":
        assert "backup" not in routines(session, 8)
        return
    assert routines(session, 6)["backup"] == Finding("backup", "There is no backup yet.")
    assert "forecasts backup FILE" in routines(session, 8)["backup"].remedy
    written = newest(session)
    upkeep.record(session, UpkeepAct.backup, "/b/1.sqlite3", now=day(8), digest=written)
    assert routines(session, 30)["backup"].result == (
        "The last backup was made at 2026-01-09 00:00 UTC: /b/1.sqlite3."
    )
    member_or_new(session, "bob", now=day(9))
    assert routines(session, 14)["backup"].passed
    assert "grown since" in routines(session, 15)["backup"].result


@on_both
def test_a_digest_that_did_not_leave_is_said(session: Session, kind: str) -> None:
    member_or_new(session, "alice", now=day(0))
    assert routines(session, 6)["digest"].passed
    # A ledger of one person may go without; one that others use may not.
    assert routines(session, 8)["digest"].passed == (kind == "sqlite")
    there: dict[str, Any] = {"act": UpkeepAct.digest, "place": "/d", "target": "/d"}
    upkeep.record(session, now=day(8), digest=newest(session), **there)
    assert routines(session, 30)["digest"].result == (
        "The last digest was sent at 2026-01-09 00:00 UTC to /d."
    )
    upkeep.record(session, now=day(9), reason="The disk is full.", **there)
    said = routines(session, 9)["digest"]
    assert "was not sent to /d at 2026-01-10 00:00 UTC: The disk is full." in said.result
    assert "forecasts digest" in said.remedy
    # Another target counts once it is the newest.
    there = {"act": UpkeepAct.digest, "place": "/e", "target": "/e"}
    upkeep.record(session, now=day(10), digest=newest(session), **there)
    assert routines(session, 10)["digest"].passed
    member_or_new(session, "bob", now=day(10))
    assert routines(session, 11)["digest"].passed
    assert "grown since" in routines(session, 12)["digest"].result
