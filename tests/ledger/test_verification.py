"""A change of history behind the ledger's back is found and named."""

from __future__ import annotations

import hashlib
import json
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine
from sqlmodel import Session, SQLModel, col, select
from typer.testing import CliRunner

from forecasts.access.members import member_or_new
from forecasts.cli.main import app
from forecasts.common.errors import BadInput
from forecasts.common.settings import sqlite_url
from forecasts.ledger import append, database
from forecasts.ledger.chain import APPEND_ONLY, LATER, OUTSIDE, SEALED, STATES, WORDS
from forecasts.ledger.models import Entry, Forecast, Member, Team
from forecasts.ledger.verification import Broken, Fault, Verified, newest, verify
from forecasts.questions import registry
from forecasts.updates import updates
from forecasts.values.value import Value
from tests.conftest import KINDS, ask, day
from tests.examples import examples
from tests.ledger.history import furnish, new_ledger, tampered
from tests.ledger.test_append import columns_of


@pytest.fixture(scope="module", params=KINDS)
def shared(
    request: pytest.FixtureRequest, empty_ledger: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Engine]:
    """A ledger with something in every table of history, which the tests leave as it is."""
    folder = tmp_path_factory.mktemp("verifying")
    with new_ledger(request.param, request, empty_ledger, folder) as engine:
        yield engine


def look(engine: Engine, against: str | None = None) -> Verified:
    with database.reading(engine) as session:
        return verify(session, against=against)


def broken(engine: Engine, *statements: str, against: str | None = None) -> Broken:
    with tampered(engine, *statements) as session:
        found = verify(session, against=against).broken
    assert found is not None
    return found


def entries(engine: Engine) -> list[Entry]:
    with database.reading(engine) as session:
        return list(session.exec(select(Entry).order_by(col(Entry.id))))


def entry_of(engine: Engine, kind: str, row: int) -> int:
    [found] = [e.id for e in entries(engine) if (e.kind, e.row_id) == (kind, row)]
    assert found is not None
    return found


def swapped(one: int, other: int) -> tuple[str, ...]:
    """Return what puts two entries into each other's places."""
    moves = ((one, -1), (other, one), (-1, other))
    return tuple(f"UPDATE entry SET id = {to} WHERE id = {old}" for old, to in moves)


@pytest.mark.slow
def test_every_row_that_the_verbs_write_has_an_entry_and_the_chain_is_whole(shared: Engine) -> None:
    found = look(shared)
    assert found.broken is None
    with database.reading(shared) as session:
        counts = {
            kind: len(session.execute(select(SQLModel.metadata.tables[kind])).all())
            for kind in (*SEALED, *STATES)
        }
    assert {kind: found.rows.get(kind, 0) for kind in counts} == counts
    assert {kind for kind, count in counts.items() if not count} == {"removal"}
    # The channel and the identity have each had two states.
    assert found.entries == sum(counts.values()) + 2
    assert found.questions == 3
    assert found.digest == f"{found.entries}-{entries(shared)[-1].hash}"


def test_every_table_of_history_is_sealed_and_every_column_is_hashed() -> None:
    # Of what a resolver was shown the exhibit has the hash, which the bytes are compared with.
    unsealed = {"entry", "exhibit_content", "alias_salt"}
    assert set(APPEND_ONLY) - unsealed == set(SEALED) - {"member", "team"}
    names = [table.name for table in SQLModel.metadata.sorted_tables]
    assert [name for name in names if name in SEALED] == sorted(SEALED, key=names.index)
    for kind, words in WORDS.items():
        assert set(words) <= set(SQLModel.metadata.tables[kind].c.keys())
    for kind, columns in LATER.items():
        assert set(columns) <= set(SQLModel.metadata.tables[kind].c.keys())
    assert sorted([*SEALED, *STATES, *OUTSIDE]) == sorted(SQLModel.metadata.tables)


# Some changes by somebody who has the database. ``test_tampering`` makes all others.
@pytest.mark.slow
def test_a_row_that_was_changed_or_removed_is_named(shared: Engine) -> None:
    for act in (
        "UPDATE forecast SET probability = 0.99 WHERE id = 2",
        "DELETE FROM citation WHERE id = 2",
        "UPDATE member SET handle = 'carol' WHERE id = 2",
    ):
        kind, row = re.findall(r"(?:UPDATE|FROM) (\w+).* (\d)", act)[0]
        found = broken(shared, act)
        fault = Fault.removed if act.startswith("DELETE") else Fault.altered
        assert (found.fault, found.kind, found.row) == (fault, kind, int(row))
        assert found.entry == entry_of(shared, kind, int(row))
        assert f"row {row} of {kind}" in found.said
        assert broken(shared, act, against=look(shared).digest) == found


def test_exhibits_match_their_hashes(shared: Engine) -> None:
    for act, fault, words in (
        ("DELETE FROM exhibit_content", Fault.removed, "the document that a resolver read"),
        (f"UPDATE exhibit_content SET sha256 = '{'0' * 64}'", Fault.altered, "a resolver read"),
        (
            f"UPDATE exhibit_content SET sha256 = '{hashlib.sha256(b'').hexdigest()}', data = ''",
            Fault.removed,
            "the document that a resolver read",
        ),
        (
            "UPDATE exhibit_content SET data = '13 mm'",
            Fault.altered,
            "at https://example.org/gauge is not as stored",
        ),
    ):
        found = broken(shared, act)
        assert found.fault == fault
        assert words in found.said
        if "data = '13" in act:
            assert (found.kind, found.row, found.question) == ("exhibit", 1, "rain")


def test_of_several_the_first_is_named_with_its_question(shared: Engine) -> None:
    found = broken(
        shared,
        "UPDATE forecast SET probability = 0.5 WHERE id = 3",
        "UPDATE forecast SET probability = 0.5 WHERE id = 2",
    )
    # Behind the question itself and its wording.
    assert (found.question, found.number, found.row) == ("snow", 3, 2)


def forecast_row(engine: Engine, id_: int) -> str:
    no = "false" if engine.dialect.name == "postgresql" else "0"
    return (
        "INSERT INTO forecast (id, question_id, member_id, made_at, recorded_at, probability,"
        " withdrawn, rationale, origin)"
        f" VALUES ({id_}, 2, 1, '2026-01-02', '2026-01-02', 0.9, {no}, '', 'x')"
    )


@pytest.mark.parametrize("id_", [-1, 99])
def test_a_row_without_an_entry_was_inserted(shared: Engine, id_: int) -> None:
    found = broken(shared, forecast_row(shared, id_))
    assert (found.fault, found.kind, found.row) == (Fault.inserted, "forecast", id_)
    assert found.question == "snow"
    assert found.entry is None


def test_an_entry_that_is_gone_is_named_by_its_place(shared: Engine) -> None:
    number = entry_of(shared, "forecast", 2)
    found = broken(shared, f"DELETE FROM entry WHERE id = {number}")
    assert (found.fault, found.entry) == (Fault.removed, number)
    found = broken(
        shared,
        f"DELETE FROM entry WHERE id = {number}",
        f"UPDATE entry SET id = -id WHERE id > {number}",
        "UPDATE entry SET id = -id - 1 WHERE id < 0",
    )
    # It is the next entry that does not follow, as its forerunner is another.
    assert (found.fault, found.entry) == (Fault.reordered, number)


def test_an_act_afterwards_does_not_make_an_inserted_row_a_lawful_one(shared: Engine) -> None:
    with tampered(shared, forecast_row(shared, 99)) as session:
        snow = registry.find(session, "snow")
        carol = member_or_new(session, "carol", now=day(3))
        updates.update(session, snow, Value(probability=0.4), member=carol, now=day(3))
        session.flush()
        found = verify(session).broken
    assert found is not None
    assert (found.fault, found.kind, found.row) == (Fault.inserted, "forecast", 99)


def test_entries_in_another_order_are_seen(shared: Engine) -> None:
    found = broken(shared, *swapped(entry_of(shared, "member", 1), entry_of(shared, "team", 1)))
    assert (found.fault, found.entry) == (Fault.reordered, 1)
    # Of one table, where the row of the one comes before that of the other.
    found = broken(
        shared, *swapped(entry_of(shared, "forecast", 2), entry_of(shared, "forecast", 3))
    )
    assert found.fault is Fault.inserted
    assert "row 2 of forecast has no entry, and comes before" in found.said


def test_an_entry_that_was_changed_is_seen(shared: Engine) -> None:
    for change, fault in (
        ("hash = replace(hash, substr(hash, 1, 1), 'x')", "reordered"),
        ("row_hash = words_hash", "altered"),
        ("words_hash = row_hash", "altered"),
        ("salt = NULL", "altered"),
        ("salt = 'x'", "altered"),
        ("salt = NULL, words_hash = NULL", "altered"),
        ("number = number + 100", "reordered"),
        ("question_id = 1, number = 99", "altered"),
        ("kind = 'score'", "altered"),
        ("row_id = 1", "reordered"),
        ("row_id = 77", "inserted"),
    ):
        number = entry_of(shared, "forecast", 2)
        found = broken(shared, f"UPDATE entry SET {change} WHERE id = {number}")
        assert found.fault is Fault(fault), change
        assert found.entry in (number, None)


def test_words_that_somebody_took_out_without_a_removal_are_seen(shared: Engine) -> None:
    number = entry_of(shared, "forecast", 2)
    found = broken(
        shared,
        "UPDATE forecast SET rationale = '[removed]' WHERE id = 2",
        f"UPDATE entry SET salt = NULL WHERE id = {number}",
    )
    assert (found.fault, found.entry) == (Fault.altered, number)
    assert "no removal of their member did that" in found.said


def test_a_digest_proves_that_nothing_before_it_changed_in_a_larger_ledger(shared: Engine) -> None:
    before = look(shared)
    with tampered(shared) as session:
        member_or_new(session, "carol", now=day(3))
        found = verify(session, against=f" {before.digest.upper()} ")
        assert newest(session) == found.digest
    assert found.broken is None
    assert found.against == before.entries == found.entries - 1
    assert look(shared, before.digest).against == before.entries


def test_the_empty_ledger_has_a_digest_too(engine: Engine) -> None:
    empty = look(engine)
    assert empty.digest == f"0-{'0' * 64}"
    with database.reading(engine) as session:
        assert newest(session) == empty.digest
    with database.writing(engine) as session:
        member_or_new(session, "alice", now=day(0))
    assert look(engine, empty.digest).broken is None
    assert broken(engine, against=f"0-{'1' * 64}").fault is Fault.altered


def test_a_tail_that_was_cut_off_is_seen_against_a_digest(shared: Engine) -> None:
    digest, last = look(shared).digest, entries(shared)[-1]
    cut = (
        f"DELETE FROM entry WHERE id = {last.id}",
        f"DELETE FROM {last.kind} WHERE id = {last.row_id}",
    )
    with tampered(shared, *cut) as session:
        assert verify(session).broken is None
    found = broken(shared, *cut, against=digest)
    assert (found.fault, found.entry) == (Fault.removed, last.id)


def test_a_digest_reveals_a_ledger_rewritten_with_its_chain(shared: Engine) -> None:
    digest = "{0.id}-{0.hash}".format(entries(shared)[29])
    rewritten = ("UPDATE forecast SET probability = 0.99 WHERE id = 2", "DELETE FROM entry")
    with tampered(shared, *rewritten) as session:
        for kind in (*SEALED, *STATES):
            table = SQLModel.metadata.tables[kind]
            rows = session.execute(select(table).order_by(table.c.id)).all()
            columns = dict(zip(table.c.keys(), zip(*rows, strict=True), strict=False))
            if rows:
                append.enter(session, kind, columns)
        assert verify(session).broken is None
        found = verify(session, against=digest).broken
    assert found is not None
    assert found.fault is Fault.altered
    assert "is not the one that the digest is of" in found.said


@pytest.mark.parametrize("bad", ["", "x", "12", "12-abc", f"-1-{'0' * 64}", f"1-{'g' * 64}"])
def test_an_invalid_digest_is_refused(engine: Engine, bad: str) -> None:
    with pytest.raises(BadInput, match="not a digest"):
        look(engine, bad)


def test_a_table_that_is_gone_or_a_view_by_now_is_named(shared: Engine) -> None:
    for act in (
        "ALTER TABLE policy RENAME TO elsewhere",
        "ALTER TABLE policy RENAME TO elsewhere; CREATE VIEW policy AS SELECT * FROM elsewhere",
    ):
        with tampered(shared, *act.split("; ")) as session:
            found = verify(session)
        assert found.broken is not None
        assert found.broken.fault == Fault.removed
        assert found.broken.said == "the table policy is gone, or replaced by a view"
        assert found.digest == f"0-{'0' * 64}"


def test_the_chain_can_be_checked_with_nothing_but_json_and_sha_256(shared: Engine) -> None:
    """As docs/history.md says: none of the ledger's own code in it."""

    def sha(value: object) -> str:
        said = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return hashlib.sha256(said.encode()).hexdigest()

    before, ends = "0" * 64, dict[int, str]()
    for entry in entries(shared):
        link = {"before": before, "kind": entry.kind, "place": entry.id}
        link |= {"row": entry.row_hash, "row_id": entry.row_id}
        if entry.question_id is not None:
            link["question"] = entry.question_id
            link["number"] = entry.number
            link["previous"] = ends.get(entry.question_id, "0" * 64)
            ends[entry.question_id] = entry.hash
        assert sha(link) == entry.hash
        before = entry.hash
    with database.reading(shared) as session:
        [team] = session.exec(select(Team))
        alice = session.exec(select(Member).where(Member.handle == "alice")).one()
    [of_team] = [e for e in entries(shared) if e.kind == "team"]
    blind = hashlib.sha256(f"{of_team.salt}".encode()).hexdigest()  # a team has no personal texts
    assert of_team.words_hash == blind
    row = {"created_at": "2026-01-01T00:00:00.000000Z", "id": team.id, "name": "Alder"}
    assert of_team.row_hash == sha(row | {"words": blind})
    of_alice = next(e for e in entries(shared) if e.kind == "member")
    words = hashlib.sha256(f'{of_alice.salt}{{"handle":"alice"}}'.encode()).hexdigest()
    assert of_alice.words_hash == words
    assert of_alice.row_hash == sha(
        {
            "created_at": "2026-01-01T00:00:00.000000Z",
            "id": alice.id,
            "kind": "human",
            "words": words,
        }
    )


@pytest.mark.slow
@settings(max_examples=examples(25))
@given(
    p=st.floats(0, 1) | st.just(-0.0) | st.integers(0, 1),
    words=st.text(st.characters(codec="utf-8", exclude_characters="\0")),
    levels=st.dictionaries(st.text(st.characters(codec="utf-8")), st.floats(0, 1)),
    at=st.datetimes().filter(lambda t: 1 < t.year < 9999),
)
def test_any_row_is_hashed_as_it_is_read(
    engine: Engine, p: float, words: str, levels: dict[str, float], at: object
) -> None:
    with database.writing(engine) as session:
        alice = member_or_new(session, "alice", now=day(0))
        found = session.exec(select(registry.Question)).first()
        question = found or ask(session, alice, slug="rain")
        row = {"question_id": question.id, "member_id": alice.id, "recorded_at": day(1)}
        row |= {"made_at": at.replace(tzinfo=day(0).tzinfo), "rationale": words}  # type: ignore[attr-defined]
        session.add(Forecast(**row, probability=p))
        session.add(Forecast(**row, quantiles=levels))
    assert look(engine).broken is None


@pytest.mark.slow
def test_a_long_chain_is_walked_in_parts(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    furnish(engine)
    for size in (1, 3):
        monkeypatch.setattr("forecasts.ledger.verification.BATCH", size)
        monkeypatch.setattr("forecasts.ledger.append.BATCH", size)
        with database.writing(engine) as session:
            append.append(session, "forecast", columns_of(session, 8))
        told: list[tuple[int, int]] = []
        with database.reading(engine) as session:
            found = verify(session, tell=lambda *step, told=told: told.append(step))
        assert found.broken is None
        assert told[-1] == (found.entries, found.entries)
        assert len(told) >= found.entries // size


@pytest.mark.slow
def test_the_command_names_the_first_fault(shared: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    command = ["verify", "--database", shared.url.render_as_string(hide_password=False)]
    said = CliRunner().invoke(app, command).stdout
    assert said.startswith("History is intact: 55 entries for 2 members, 1 token, 1 token revoc")
    with tampered(shared, "UPDATE forecast SET probability = 0.99 WHERE id = 2") as session:

        @contextmanager
        def here(_: Engine) -> Iterator[Session]:
            yield session

        monkeypatch.setattr("forecasts.cli.operations.reading", here)
        failed = CliRunner().invoke(app, command)
        found = json.loads(CliRunner().invoke(app, [*command, "--format", "json"]).stdout)
    assert (failed.exit_code, failed.stdout) == (1, "")
    assert (
        "History was altered, first at entry 19; forecast 2; question 'snow', entry 3 of its chain:"
        " row 2 of forecast is not as recorded.\n" in failed.stderr
    )
    assert "compare it with the newest backup" in failed.stderr
    assert not found["whole"]
    assert found["broken"]["row"] == 2


def test_rows_that_an_index_leaves_out_are_named(ledger_file: Path) -> None:
    engine = database.open_engine(sqlite_url(ledger_file))
    with database.writing(engine) as session:
        alice = member_or_new(session, "alice", now=day(0))
        question = ask(session, alice, slug="rain")
        for number in (1, 2):
            value = Value(probability=number / 10)
            updates.update(session, question, value, member=alice, now=day(number))
    with database.reading(engine) as session:
        assert verify(session).broken is None
    engine.dispose()
    with closing(sqlite3.connect(ledger_file, isolation_level=None)) as owner:
        of_forecasts = "type = 'index' AND tbl_name = 'forecast' AND sql IS NOT NULL"
        indexes = owner.execute(f"SELECT name, sql FROM sqlite_master WHERE {of_forecasts}")
        owner.execute("PRAGMA writable_schema = ON")
        for name, sql in indexes.fetchall():
            owner.execute(f"DROP INDEX {name}")
            owner.execute(f"{sql} WHERE id > 1")  # of the newer forecast alone
            owner.execute("UPDATE sqlite_master SET sql = ? WHERE name = ?", (sql, name))
    engine = database.open_engine(sqlite_url(ledger_file))
    with database.reading(engine) as session:
        found = verify(session)
    engine.dispose()
    assert found.broken is not None
    assert "readers can miss rows, since an index does not fit its table" in found.broken.said
    assert "row 1 missing from index" in "".join(one.said for one in found.more)
