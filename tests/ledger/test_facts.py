"""Facts known from earlier acts, and acts of another process that make them out of date."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import psycopg
import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import ProgrammingError
from sqlmodel import Session, select

from forecasts.access import members
from forecasts.access.members import member_or_new
from forecasts.common.errors import DatabaseError, Forbidden, NotFound, Refused
from forecasts.ledger import database, facts
from forecasts.ledger.models import Appointment, Entry, Forecast, Role
from forecasts.ledger.verification import verify
from forecasts.operations import privacy
from forecasts.questions import registry, revisions
from forecasts.resolution import confirmation
from forecasts.updates.updates import current_forecast, update
from forecasts.values.value import Value
from tests.conftest import ask, day

Act = Callable[[Session], object]


@pytest.fixture
def other(engine: Engine) -> Iterator[Engine]:
    """The same ledger as another process has it."""
    opened = database.open_engine(engine.url.render_as_string(hide_password=False))
    yield opened
    opened.dispose()


@pytest.fixture
def ledger(engine: Engine) -> Engine:
    """A ledger in which bob has forecast on alice's question, so that it is known here."""
    with database.writing(engine) as session:
        alice = member_or_new(session, "alice", now=day(0))
        member_or_new(session, "bob", now=day(0))
        ask(session, alice, slug="rain")
    for _ in range(2):
        assert forecast(engine) is not None
    return engine


def forecast(engine: Engine, slug: str = "rain", handle: str = "bob") -> Forecast:
    with database.writing(engine) as session:
        bob = member_or_new(session, handle, now=day(0))
        question = registry.find(session, slug)
        return update(session, question, Value(probability=0.5), member=bob, now=day(1)).forecast


def whole(engine: Engine) -> bool:
    with database.reading(engine) as session:
        return verify(session).broken is None


@contextmanager
def said_to(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Yield what the driver is told meanwhile."""
    said: list[str] = []
    if engine.dialect.name == "sqlite":
        with engine.connect() as connection:  # the one that all in this thread get again
            driver: Any = connection.connection.driver_connection
        driver.set_trace_callback(said.append)
        yield said
        driver.set_trace_callback(None)
    else:
        execute = psycopg.Cursor.execute

        def recorded(cursor: Any, query: str, *given: Any, **named: Any) -> Any:
            said.extend(query.split(";"))
            return execute(cursor, query, *given, **named)

        monkeypatch.setattr(psycopg.Cursor, "execute", recorded)
        yield said
        monkeypatch.undo()


def test_anothers_forecast_leaves_known_facts_valid(
    ledger: Engine, other: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        forecast(other)
    with said_to(ledger, monkeypatch) as said:
        forecast(ledger)
    assert not any("FROM question" in one or "FROM member" in one for one in said)
    # A set, since SQLite tells of a statement again where a trigger looks at its row.
    assert len({one for one in said if one.strip().startswith("INSERT INTO")}) == 3
    assert whole(ledger)


def appoint(session: Session, role: Role = Role.viewer) -> None:
    """Give bob that role, in a ledger of which alice is an admin."""
    for handle, given in (("alice", Role.admin), ("bob", role)):
        member = member_or_new(session, handle, now=day(0))
        assert member.id is not None
        session.add(Appointment(member_id=member.id, role=given, recorded_at=day(0)))


def at_noon(session: Session) -> dict[str, Any]:
    return {"member": member_or_new(session, "alice", now=day(0)), "now": day(0.6)}


def resolve(session: Session) -> None:
    rain = registry.find(session, "rain")
    confirmation.confirm(session, rain, "yes", known_at=day(0.5), **at_noon(session))


def close(session: Session) -> None:
    revisions.close(session, registry.find(session, "rain"), at=day(0.5), **at_noon(session))


@pytest.mark.parametrize(
    ("act", "refusal", "words"),
    [
        (appoint, Forbidden, "bob is a viewer"),
        (resolve, Refused, "is resolved"),
        (close, Refused, "closed at"),
    ],
)
def test_anothers_decision_holds_from_the_next_act_on(
    ledger: Engine, other: Engine, act: Act, refusal: type[Exception], words: str
) -> None:
    with database.writing(other) as session:
        act(session)
    with pytest.raises(refusal, match=words):
        forecast(ledger)


def test_a_member_removed_elsewhere_is_unknown(ledger: Engine, other: Engine) -> None:
    with database.writing(other) as session:
        privacy.remove(session, "bob", member=None, now=day(2))
    made = forecast(ledger)
    with database.reading(ledger) as session:
        assert made.member_id == members.member_named(session, "bob").id
        assert members.member_named(session, "removed member 2").id == 2 != made.member_id


def test_an_act_knows_its_own_rows_at_once(ledger: Engine) -> None:
    with database.writing(ledger) as session:
        bob = member_or_new(session, "bob", now=day(0))
        rain = registry.find(session, "rain")
        appoint(session)  # not even flushed
        with pytest.raises(Forbidden, match="bob is a viewer"):
            update(session, rain, Value(probability=0.5), member=bob, now=day(1))


def test_facts_of_an_undone_act_are_unknown(ledger: Engine) -> None:
    with suppress(ZeroDivisionError), database.writing(ledger) as session:
        appoint(session)
        alice = member_or_new(session, "alice", now=day(0))
        ask(session, alice, slug="snow", title="Will it snow?")
        assert registry.find(session, "snow").id is not None
        raise ZeroDivisionError
    assert ledger.get_execution_options()[facts.FACTS].known == {}
    with pytest.raises(NotFound):
        forecast(ledger, slug="snow")
    assert forecast(ledger).id is not None
    assert whole(ledger)


@contextmanager
def forecasting(engine: Engine, slug: str = "rain", handle: str = "bob") -> Iterator[Session]:
    """Yield the session of an act that has forecast, as an open page does, and not ended yet."""
    with database.reading(engine) as session:
        member, question = members.member_named(session, handle), registry.find(session, slug)
    with database.writing(engine) as session:
        update(session, question, Value(probability=0.5), member=member, now=day(1))
        yield session


def test_an_act_is_stored_at_its_end_and_lets_others_wait(ledger: Engine, other: Engine) -> None:
    with forecasting(ledger) as session:
        with pytest.raises(DatabaseError), database.writing(other, patience=0.1) as aside:
            close(aside)
        with pytest.raises(NotImplementedError):
            session.commit()
        assert count(other) == 2
    assert count(ledger) == 3
    assert whole(ledger)


def test_anothers_decision_before_the_turn_is_seen(ledger: Engine, other: Engine) -> None:
    with database.reading(ledger) as session:
        bob, rain = members.member_named(session, "bob"), registry.find(session, "rain")
    with (  # noqa: PT012 an act has several lines
        pytest.raises(Refused, match="closed at"),
        database.writing(ledger) as session,
    ):
        with database.writing(other) as aside:
            close(aside)
        update(session, rain, Value(probability=0.5), member=bob, now=day(1))
    assert count(ledger) == 2
    assert whole(ledger)


def test_outdated_facts_refuse_nothing(ledger: Engine, other: Engine) -> None:
    with database.writing(other) as aside:
        appoint(aside)
    with pytest.raises(Forbidden, match="bob is a viewer"):
        forecast(ledger)
    with pytest.raises(Forbidden, match="bob is a viewer"), forecasting(ledger):
        pass
    with database.writing(other) as aside:
        appoint(aside, Role.forecaster)
    with forecasting(ledger):
        pass
    assert whole(ledger)


def test_a_query_in_the_same_act_finds_the_forecast(ledger: Engine) -> None:
    with forecasting(ledger) as session:
        assert len(session.exec(select(Forecast)).all()) == 3
        question = registry.find(session, "rain")
        bob = members.member_named(session, "bob")
        again = update(session, question, Value(probability=0.7), member=bob, now=day(2)).forecast
        assert again.id == 4
        last = current_forecast(session, question, bob, at=day(2))
        assert last is not None
        assert (last.id, last.probability) == (again.id, 0.7)
    with database.reading(ledger) as session:
        assert session.exec(select(Forecast).where(Forecast.id == again.id)).one() == again
    assert whole(ledger)


def count(engine: Engine) -> int:
    with engine.connect() as connection:
        return int(connection.scalar(text("SELECT count(*) FROM forecast")))


def test_an_act_that_the_database_has_undone_is_not_gone_on_with(ledger: Engine) -> None:
    with (  # noqa: PT012 an act has several lines
        pytest.raises(DatabaseError, match="undone"),
        database.writing(ledger) as session,
    ):
        driver: Any = session.connection().connection.driver_connection
        bob, rain = members.member_named(session, "bob"), registry.find(session, "rain")
        driver.rollback()  # as SQLite does by itself when its disk fails
        update(session, rain, Value(probability=0.5), member=bob, now=day(1))
    assert count(ledger) == 2
    assert forecast(ledger).id is not None
    assert whole(ledger)


@pytest.mark.parametrize("kind", ["postgresql"])
def test_an_act_in_which_a_statement_failed_is_not_acknowledged(ledger: Engine) -> None:
    with (  # noqa: PT012 an act has several lines
        pytest.raises(DatabaseError, match="undone"),
        database.writing(ledger) as session,
    ):
        appoint(session)
        session.flush()
        with suppress(ProgrammingError):
            session.execute(text("SELECT 1 FROM nowhere"))
    with database.reading(ledger) as session:
        assert session.exec(select(Appointment)).all() == []


@pytest.mark.parametrize("kind", ["postgresql"])
def test_a_refused_commit_is_cleaned_up(ledger: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    send = database.send

    def refused(connection: database.Connection, statements: str) -> Any:
        return send(connection, statements.replace("COMMIT", "SELECT 1 / 0; COMMIT"))

    with monkeypatch.context() as patch:
        patch.setattr(database, "send", refused)
        for _ in range(3):
            with pytest.raises(DatabaseError, match="not known whether it was"):
                forecast(ledger)
    assert ledger.pool.checkedout() == 0  # type: ignore[attr-defined]
    assert count(ledger) == 2
    assert forecast(ledger).id is not None
    assert whole(ledger)


@pytest.mark.parametrize("kind", ["postgresql"])
def test_an_act_sees_commits_made_while_it_waited(ledger: Engine) -> None:
    url = ledger.url.update_query_dict({"options": "-c default_transaction_isolation=serializable"})
    engine = database.open_engine(url.render_as_string(hide_password=False))
    with database.writing(engine) as session:
        level = session.execute(text("SHOW transaction_isolation")).scalar_one()
    engine.dispose()
    assert level == "read committed"


def test_many_new_entries_are_passed_over(
    ledger: Engine, other: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(facts, "MOST_ENTRIES", 2)
    for number in range(3):
        forecast(other)
        with database.writing(other) as session:
            appoint(session) if number == 2 else None
    with pytest.raises(Forbidden, match="bob is a viewer"):
        forecast(ledger)
    assert forecast(ledger, handle="alice").id is not None
    assert whole(ledger)


def test_a_replaced_ledger_is_read_again() -> None:
    known = facts.Facts()
    end = (7, 1, 2, "forecast", "a" * 64, None)
    known.follow([], lambda: [end])
    known.known["rain"] = "open"
    known.follow([end, (8, 1, 3, "forecast", "b" * 64, None)], list)
    assert known.known == {"rain": "open"}
    restored = (8, 1, 3, "forecast", "c" * 64, None)
    known.follow([restored], lambda: [restored])
    assert known.known == {}


@pytest.mark.parametrize("kind", ["postgresql"])
def test_an_act_is_on_the_disk_before_it_is_acknowledged(ledger: Engine) -> None:
    with database.writing(ledger) as session:
        appoint(session)
        session.flush()
        written = session.execute(text("SELECT pg_current_wal_insert_lsn()")).scalar_one()
        assert session.execute(text("SHOW synchronous_commit")).scalar_one() == "off"
    with database.reading(ledger) as session:
        flushed = text("SELECT pg_current_wal_flush_lsn() > :written")
        assert session.execute(flushed, {"written": written}).scalar_one()
        assert session.execute(text("SHOW synchronous_commit")).scalar_one() == "on"
        assert session.exec(select(Entry.kind).order_by(Entry.id.desc())).first() == "appointment"  # type: ignore[union-attr]
