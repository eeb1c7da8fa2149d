"""What the tests share: a fresh ledger, people, a question, and a clock that is passed in."""

from __future__ import annotations

import gc
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from sqlalchemy import URL, Engine, create_engine, event
from sqlmodel import Session, col, func, select

from forecasts.access.members import member_or_new
from forecasts.common.settings import sqlite_url
from forecasts.ledger import database, schema
from forecasts.ledger.models import Forecast, Member, Question, Resolution
from forecasts.questions import registry
from forecasts.resolution import confirmation
from forecasts.updates import updates
from forecasts.values.value import Value
from scoring import parallel
from tests.examples import examples
from tests.postgresql import Server

# One fixture may serve all examples of a property: each example writes questions of its own.
settings.register_profile(
    "ledger",
    max_examples=examples(100),
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
settings.load_profile("ledger")

pytest_plugins = ["tests.skips"]

# The tests of what SQLite and PostgreSQL do each in its own way.
DIFFER = ("tests.ledger.", "tests.operations.", "tests.questions.test_search")
MEMORY, ROOM = Path("/dev/shm"), 4 << 30  # a file system in memory, and the bytes to have free


def pytest_configure() -> None:
    """Keep the files of the tests in memory where it has room: nothing waits for a disk then."""
    if MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > ROOM:
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests on a PostgreSQL server, which ``make quick`` leaves out.

    Of a test with several cases, ``make test`` runs the first one on PostgreSQL and all on SQLite;
    ``make test-long`` runs the others. All run where the databases differ (``DIFFER``).

    Those in a browser come first, one worker's first task: they wait, and would wait at the end.
    """
    on_postgresql: set[str] = set()
    for item in items:
        if not isinstance(item, pytest.Function):  # a doctest
            continue
        given = item.callspec.params.values() if hasattr(item, "callspec") else ()
        there = any(isinstance(each, str) and each == "postgresql" for each in given)
        name = f"{item.module.__name__}.{item.originalname}"
        if there or "postgresql" in item.fixturenames:
            item.add_marker("server")
        if there and len(KINDS) > 1 and not name.startswith(DIFFER):
            if name in on_postgresql:
                item.add_marker("long")
            elif item.get_closest_marker("long") is None:
                on_postgresql.add(name)
    items.sort(key=lambda item: item.get_closest_marker("browser") is None)


def pytest_collection_finish() -> None:
    """Leave modules and tests out of full garbage collections: with them each takes 0.6 s.

    And collect seldom: there is room, and a test leaves little behind.
    """
    gc.freeze()
    gc.set_threshold(20_000, 20, 100)


START = datetime(2026, 1, 1, tzinfo=UTC)


def day(number: float) -> datetime:
    """Return the moment so many days after the start of 2026."""
    return START + timedelta(days=number)


@pytest.fixture(scope="session", autouse=True)
def _statements_are_compiled_once() -> Iterator[None]:
    """Engines on one kind of database share what they compile: anew for every test takes longest.

    They share the first one's dialect, by which the compiled statements are kept, once it knows
    the database, with the first connection.
    """
    first: dict[str, Engine] = {}
    compiled: dict[Any, Any] = {}

    def alike(url: URL | str, **options: Any) -> Engine:
        engine = create_engine(url, **options)
        engine.update_execution_options(compiled_cache=compiled)
        kind = engine.dialect.driver
        if kind in first:
            engine.dialect = first[kind].dialect
        else:
            event.listen(engine, "engine_connect", lambda _: first.setdefault(kind, engine))
        return engine

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(database, "create_engine", alike)
        yield


@pytest.fixture(scope="session", autouse=True)
def _one_thread_scores() -> Iterator[None]:
    """Score in one thread: with ledgers of a few rows, more only wait for each other.

    Tests of the order and of the draws use several.
    """
    with parallel.limited(1):
        yield


@pytest.fixture(autouse=True)
def _main_module_stays() -> Iterator[None]:
    """Streamlit's tests of pages leave a page as ``__main__``, which new processes would run."""
    main = sys.modules["__main__"]
    yield
    sys.modules["__main__"] = main


@pytest.fixture(scope="session", autouse=True)
def _the_data_folder_is_of_the_tests(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What is kept of ledgers on a server is not kept among the user's data."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_DATA_HOME", str(tmp_path_factory.mktemp("data")))
        yield


@pytest.fixture(scope="session", autouse=True)
def _resolvers_may_read_any_file() -> Iterator[None]:
    """In shared ledgers too: tests put theirs anywhere. Those of the folder itself set another."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FORECASTS_FILES_FOLDER", "/")
        yield


@pytest.fixture(scope="session")
def empty_ledger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file to copy: migrating anew for every test would cost minutes."""
    path = tmp_path_factory.mktemp("ledger") / "empty.sqlite3"
    engine = database.open_engine(sqlite_url(path))
    schema.migrate(engine)
    engine.dispose()
    return path


_NEXT_MIGRATION = """
import sqlalchemy as sa
from alembic import op

revision, down_revision, branch_labels, depends_on = "{later}", "{newest}", None, None


def upgrade() -> None:
    op.create_table("next_release", sa.Column("id", sa.Integer(), primary_key=True))
"""


def release_later(folder: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Let this be a release with one more migration; return its schema revision."""
    migrations = Path(shutil.copytree(schema.MIGRATIONS, folder / "migrations"))
    newest = schema.newest_revision()
    later = f"{int(newest) + 1:04}"
    script = _NEXT_MIGRATION.format(newest=newest, later=later)
    (migrations / "versions" / f"{later}_next_release.py").write_text(script)
    monkeypatch.setattr(schema, "MIGRATIONS", migrations)
    return schema.newest_revision()


@pytest.fixture
def ledger_file(empty_ledger: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(empty_ledger, tmp_path / "ledger.sqlite3"))


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Server]:
    """A PostgreSQL server; where none can be had its tests are skipped, which fails in CI."""
    try:
        server = Server()
    except (ImportError, OSError, RuntimeError, subprocess.SubprocessError) as error:
        pytest.skip(f"there is no PostgreSQL server here: {error!r}")
    yield server
    server.stop()


def _kinds() -> tuple[str, ...]:
    """Return the databases that the tests run on, the first one where one is enough.

    Both, unless LEDGER_TESTS_ON names one: the whole suite then runs on that alone.
    """
    named = os.environ.get("LEDGER_TESTS_ON")
    if named not in (None, "", "sqlite", "postgresql"):
        raise pytest.UsageError(f"LEDGER_TESTS_ON={named}: name sqlite or postgresql")
    return (named,) if named else ("sqlite", "postgresql")


KINDS = _kinds()


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    """The kind of database that the ledger of this test is in: each in turn.

    Where one is enough a fixture of the same name says so, and why: for the pages and the commands,
    but for those that go the whole way.
    """
    assert isinstance(request.param, str)
    return request.param


# For a test in a folder whose ``kind`` is one: where SQL, claims or constraints are the subject.
on_both = pytest.mark.parametrize("kind", KINDS)


@pytest.fixture
def ledger_url(kind: str, request: pytest.FixtureRequest) -> str:
    """The URL of an empty ledger."""
    if kind == "sqlite":
        return sqlite_url(request.getfixturevalue("ledger_file"))
    server: Server = request.getfixturevalue("postgresql")
    return server.emptied()


@pytest.fixture
def engine(ledger_url: str) -> Iterator[Engine]:
    engine = database.open_engine(ledger_url)
    yield engine
    engine.dispose()


@pytest.fixture
def session(engine: Engine) -> Iterator[Session]:
    """One act: whatever a test does in it is one transaction."""
    with database.writing(engine) as session:
        yield session


@pytest.fixture
def alice(session: Session) -> Member:
    return member_or_new(session, "alice", now=day(0))


@pytest.fixture
def bob(session: Session) -> Member:
    return member_or_new(session, "bob", now=day(0))


def ask(session: Session, member: Member, **fields: Any) -> Question:
    """Register a question that is open for the first ten days of 2026, with a title of its own."""
    there = session.exec(select(func.count(col(Question.id)))).one()
    given: dict[str, Any] = {
        "title": f"Will it rain? ({there})" if there else "Will it rain?",
        "open_time": day(0),
        "scheduled_close_time": day(10),
        "resolution_criteria": "As the gazette says.",
    } | fields
    slug = given.pop("slug", None)
    return registry.register(
        session, registry.question_text(**given), member=member, now=day(0), slug=slug
    )


@contextmanager
def counted_statements(engine: Engine | type[Engine]) -> Iterator[list[str]]:
    """Yield what the database is asked meanwhile, through this engine or through any."""
    statements: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        statements.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    yield statements
    event.remove(engine, "before_cursor_execute", note)


@contextmanager
def acting(
    engine: Engine, slug: str = "rain", by: str = "alice"
) -> Iterator[tuple[Session, Question, Member]]:
    """One act of a member on a question: its session, the question, the member."""
    with database.writing(engine) as session:
        yield session, registry.find(session, slug), member_or_new(session, by, now=day(0))


def say(
    session: Session, question: Question, member: Member, p: float, at: float, **more: Any
) -> Forecast:
    """Forecast the question on day ``at``; ``more``: reasons."""
    given = {"member": member, "now": day(at), **more}
    return updates.update(session, question, Value(probability=p), **given).forecast


def resolve(
    session: Session,
    question: Question,
    member: Member,
    outcome: str = "yes",
    known: float | None = None,
    *,
    at: float,
    **more: Any,
) -> Resolution:
    """Resolve the question on day ``at``, or correct it; ``known`` since that day."""
    known_at = None if known is None else day(known)
    given = {"known_at": known_at, "now": day(at), "member": member, **more}
    return confirmation.confirm(session, question, outcome, **given).resolution


def imported(
    session: Session, question: Question, member: Member, at: float, p: float | None
) -> None:
    """Write a forecast, or a withdrawal, as an import does: at whatever time it was made."""
    assert question.id is not None
    assert member.id is not None
    row = Forecast(
        question_id=question.id,
        member_id=member.id,
        made_at=day(at),
        recorded_at=day(20),
        withdrawn=p is None,
        probability=p,
        origin="import",
    )
    session.add(row)
    session.flush()


@pytest.fixture
def question(session: Session, alice: Member) -> Question:
    return ask(session, alice, slug="rain")
