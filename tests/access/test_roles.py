"""Database roles on a server: errors in plain sentences, without passwords."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from sqlalchemy import text
from sqlmodel import select

from forecasts.access import tokens
from forecasts.access.idempotency import keep_answer
from forecasts.access.members import member_or_new
from forecasts.common.errors import BadInput, DatabaseError, NoLedger, NotAdmitted
from forecasts.ledger import database, schema
from forecasts.ledger.models import Member
from forecasts.operations import grants
from forecasts.operations.health import check
from forecasts.scores import scores
from tests.conftest import ask, day, resolve, say
from tests.docs.test_docs import ROOT
from tests.operations.test_health import bad, now
from tests.postgresql import Server

SECRET = "s3cr3t"
ODD = "o:dd 'one' 100%s"


@pytest.fixture(scope="session")  # as long as the server, which keeps the roles
def server(postgresql: Server) -> Server:
    """A server with two roles besides its owner, one of them with a password."""
    rules = postgresql.admission()
    rules.write_text("local all locked scram-sha-256\n" + rules.read_text())
    postgresql.run(f"CREATE ROLE locked LOGIN PASSWORD '{SECRET}'")
    postgresql.run("CREATE ROLE people LOGIN")
    postgresql.run(f'CREATE ROLE "{ODD}"')
    postgresql.reload()
    return postgresql


@pytest.fixture
def url(server: Server) -> Iterator[str]:
    with server.fresh() as url:
        yield url


def name(url: str) -> str:
    return url.split("/")[-1].split("?")[0]


def granted(server: Server, url: str, *grants: str) -> str:
    """Return the URL of the same ledger for the role ``people`` with these grants."""
    engine = database.open_engine(url)
    with engine.begin() as connection:
        for grant in grants:
            connection.execute(text(grant))
    engine.dispose()
    return server.url(name(url), user="people")


def refusal(url: str) -> DatabaseError:
    with pytest.raises(DatabaseError) as caught:
        database.open_engine(url)
    assert SECRET not in str(caught.value)
    assert "wr0ng" not in str(caught.value)
    return caught.value


@pytest.mark.parametrize(
    ("user", "password", "words", "remedy"),
    [
        ("locked", "wr0ng", 'password authentication failed for user "locked"', "~/.pgpass"),
        ("locked", None, "", "PGPASSWORD"),
        ("nobody", None, 'role "nobody" does not exist', ""),
        ("postgres", None, 'database "nowhere" does not exist', ""),
    ],
)
def test_a_wrong_password_or_name_is_said_with_a_remedy(
    server: Server, user: str, password: str | None, words: str, remedy: str
) -> None:
    whom = {"user": user} | ({"password": password} if password else {})
    error = refusal(server.url("nowhere" if user == "postgres" else "postgres", **whom))
    assert isinstance(error, NotAdmitted)
    assert error.exit_code == 2
    assert words in error.message
    assert error.remedy
    assert remedy in error.remedy


def test_the_right_password_is_shown_nowhere(server: Server, url: str) -> None:
    engine = database.open_engine(server.url(name(url), user="locked", password=SECRET))
    assert "locked@" in database.place(engine)
    assert SECRET not in database.place(engine)
    with pytest.raises(NotAdmitted) as caught, database.writing(engine) as session:
        member_or_new(session, "alice", now=day(0))
    assert SECRET not in str(caught.value)
    engine.dispose()


def test_a_server_that_is_down_is_said_with_exit_code_1() -> None:
    # Nothing listens on port 1.
    error = refusal(f"postgresql://me:{SECRET}@127.0.0.1:1/forecasts")
    assert error.exit_code == 1
    assert "'postgresql://me@127.0.0.1:1/forecasts' was not reached: Connection refused" in str(
        error
    )
    assert "Start it" in error.remedy


def test_a_server_or_database_that_is_closed_to_a_role_is_said(server: Server, url: str) -> None:
    server.run("ALTER ROLE people CONNECTION LIMIT 0")
    error = refusal(server.url(name(url), user="people"))
    server.run("ALTER ROLE people CONNECTION LIMIT -1")
    assert error.exit_code == 1
    assert "too many connections" in error.message
    server.run(f"REVOKE CONNECT ON DATABASE {name(url)} FROM PUBLIC")
    error = refusal(server.url(name(url), user="people"))
    assert error.exit_code == 2
    assert "GRANT CONNECT" in error.remedy


@pytest.mark.slow
def test_an_act_beyond_the_role_is_refused_and_nothing_written(server: Server, url: str) -> None:
    engine = database.open_engine(granted(server, url, "GRANT SELECT ON alembic_version TO people"))
    said = bad(check(engine, now))["permissions"]
    assert "GRANT SELECT, INSERT ON forecast TO people;" in said.remedy
    engine.dispose()
    engine = database.open_engine(
        granted(server, url, "GRANT SELECT ON ALL TABLES IN SCHEMA public TO people")
    )
    denied = pytest.raises(NotAdmitted, match="permission denied for")
    with denied as caught, database.writing(engine) as session:
        member_or_new(session, "alice", now=day(0))
    assert caught.value.exit_code == 2
    assert "docs/operating.md" in caught.value.remedy
    with database.reading(engine) as session:
        assert session.exec(select(Member)).all() == []
    said = bad(check(engine, now))["permissions"]
    assert "GRANT INSERT ON forecast TO people;" in said.remedy
    assert "GRANT INSERT, DELETE ON score TO people;" in said.remedy
    assert "GRANT INSERT, UPDATE ON watch TO people;" in said.remedy
    assert "GRANT USAGE ON SEQUENCE member_id_seq TO people;" in said.remedy
    engine.dispose()


def test_a_missing_grant_to_create_tables_is_named(server: Server) -> None:
    with server.fresh(migrated=False) as url:
        engine = database.open_engine(server.url(name(url), user="people"))
        with pytest.raises(NotAdmitted, match="permission denied for schema public"):
            schema.migrate(engine)
        engine.dispose()


@pytest.mark.slow
def test_the_rights_that_migrate_grants_suffice_for_every_verb_and_for_no_more(
    server: Server, url: str
) -> None:
    owner = database.open_engine(url)
    with pytest.raises(BadInput, match="has no role 'peopel'"):
        grants.grant(owner, "peopel")
    grants.grant(owner, "people")
    grants.grant(owner, ODD)
    owner.dispose()
    engine = database.open_engine(granted(server, url))
    with pytest.raises(NotAdmitted):  # only the owner grants
        grants.grant(engine, "locked")
    assert "permissions" not in bad(check(engine, now))
    with database.writing(engine) as session:
        alice = member_or_new(session, "alice", now=day(0))
        question = ask(session, alice, slug="rain")
        say(session, question, alice, 0.4, 1)
        resolve(session, question, alice, "yes", 2, at=2)
        assert scores.rebuild(session).resolutions == 1
        token = tokens.issue(session, alice, now=day(2)).token
        keep_answer(session, token, "key", "digest", status=201, answer="{}", now=day(2))
    # A forecaster cannot remove the triggers either.
    for act in ("DROP TRIGGER forecast_is_append_only ON forecast", "DELETE FROM forecast"):
        with pytest.raises(NotAdmitted), database.writing(engine) as session:
            session.execute(text(act))
    engine.dispose()


def test_the_role_of_the_containers_may_have_any_password(server: Server, url: str) -> None:
    document = yaml.safe_load((ROOT / "compose.yaml").read_text())
    sql = document["configs"]["people"]["content"].replace(
        "CREATE ROLE people", "ALTER ROLE locked"
    )
    client = server.client("psql")
    password = r"it's a \ $HOME $$1 \' : ü"
    for one in (password, SECRET):
        given = {"PEOPLE_PASSWORD": one, "PATH": ""}
        command = [client, "--set", "ON_ERROR_STOP=1", "--no-psqlrc", server.url(name(url))]
        subprocess.run(command, input=sql, env=given, check=True, text=True, capture_output=True)
        database.open_engine(server.url(name(url), user="locked", password=one)).dispose()


@pytest.mark.slow
def test_a_broken_connection_is_said_and_the_next_act_goes_on(server: Server, url: str) -> None:
    engine = database.open_engine(url)

    def act() -> None:
        with database.writing(engine) as session:
            pid = session.execute(text("SELECT pg_backend_pid()")).scalar_one()
            server.run("SELECT pg_terminate_backend(%s, 5000)", pid)
            member_or_new(session, "alice", now=day(0))

    with pytest.raises(DatabaseError, match="could not be used") as caught:
        act()
    assert "Nothing was written" in caught.value.remedy
    with database.writing(engine) as session:
        member_or_new(session, "bob", now=day(0))
    engine.dispose()


@pytest.mark.slow
def test_one_that_breaks_at_the_last_moment_leaves_it_open_whether_it_was_stored(
    server: Server, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = database.open_engine(url)
    broken: list[int] = []
    send = database.send

    def breaks(connection: database.Connection, statements: str) -> Any:
        if "COMMIT" in statements:
            driver = connection.connection.dbapi_connection
            broken.append(driver.info.backend_pid)  # type: ignore[union-attr]
            server.run("SELECT pg_terminate_backend(%s, 5000)", broken[-1])
        return send(connection, statements)

    monkeypatch.setattr(database, "send", breaks)
    unknown = pytest.raises(DatabaseError, match="not known whether it was")
    with unknown as caught, database.writing(engine) as session:
        member_or_new(session, "alice", now=day(0))
    assert caught.value.remedy == "Check before you repeat it."
    assert len(broken) == 1
    engine.dispose()


def test_a_url_that_cannot_be_used_keeps_its_secrets() -> None:
    for url in (
        f"postgresql://me:{SECRET}@host:port/x",
        f"postgresql://me:{SECRET}@{SECRET}@host/x",
        f"nonsense://me:{SECRET}@host/x",
        f"postgresql://me@127.0.0.1:1/x?password={SECRET}",
        f"postgresql://me@127.0.0.1:1/x?nonsense={SECRET}",
    ):
        refusal(url)


def test_a_server_is_named_by_any_of_its_schemes(url: str) -> None:
    for scheme in ("postgres", "postgresql", "postgresql+psycopg"):
        engine = database.open_engine(url.replace("postgresql", scheme, 1))
        assert database.place(engine).startswith("postgresql://postgres@")
        engine.dispose()


def test_a_missing_driver_is_told_with_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(NoLedger, match="its driver is not installed") as caught:
        database.open_engine("postgresql://me@host/x")
    assert "psycopg" in caught.value.remedy
