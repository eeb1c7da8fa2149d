"""The digest leaves the machine by itself, and a rewritten chain is found by what was sent."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from sqlalchemy import Engine

from forecasts.access.members import member_or_new
from forecasts.common.errors import BadInput, DatabaseError
from forecasts.ledger import database
from forecasts.ledger.models import UpkeepAct
from forecasts.ledger.verification import newest, verify
from forecasts.operations import digests, upkeep
from forecasts.operations.digests import Sent, claim, read_digests, send
from tests.common.test_web import posted, sends, server
from tests.conftest import day


@pytest.fixture
def kind() -> str:
    """SQLite alone: a digest is the same text from any database."""
    return "sqlite"


def arrives(_address: str, _title: str, _text: str) -> str:
    return ""


def add(engine: Engine, handle: str) -> str:
    """Return the digest after one more member."""
    with database.writing(engine) as session:
        member_or_new(session, handle, now=day(0))
    with database.reading(engine) as session:
        return newest(session)


@pytest.fixture
def received() -> Iterator[tuple[str, list[bytes], Callable[[int], None]]]:
    """A web server: its address, the texts posted to it, and how to set the status it answers."""
    texts: list[bytes] = []
    status = [204]

    def answer(request: BaseHTTPRequestHandler) -> None:
        texts.append(posted(request))
        sends(b"", status[0])(request)

    with server(answer) as address:
        yield f"{address}/in?key=s3cret", texts, lambda code: status.__setitem__(0, code)


def test_a_file_gets_a_line_for_each_digest(engine: Engine, tmp_path: Path) -> None:
    file = tmp_path / "outside" / "digests"
    sent = []
    for number in range(2):
        sent.append(add(engine, f"member {number}"))
        done = send(engine, str(file), now=day(number), message=arrives)
        assert done == Sent(sent[-1], str(file))
    assert file.read_text().splitlines()[0] == f"2026-01-01T00:00:00Z {sent[0]}"
    assert read_digests(str(file)) == sent
    assert read_digests(sent[0]) == [sent[0]]
    answer = tmp_path / "answer.json"  # of the API
    answer.write_text(json.dumps({"ledger": "x", "digest": sent[0]}, indent=1), "utf-8")
    assert read_digests(str(answer)) == [sent[0]]
    with database.reading(engine) as session:
        assert verify(session, against=sent).broken is None


def test_every_digest_of_a_file_is_compared(engine: Engine, tmp_path: Path) -> None:
    # Someone rewrote the chain, and the schedule went on to send digests of the new one.
    now = add(engine, "alice")
    with database.reading(engine) as session:
        found = verify(session, against=[f"1-{'0' * 64}", now])
    assert found.broken is not None
    assert "not the one that the digest is of" in found.broken.said
    with database.reading(engine) as session:
        found = verify(session, against=[now, f"9-{'0' * 64}"])
    assert found.broken is not None
    assert "from 2 to 9" in found.broken.said


def test_a_web_address_gets_the_line(
    engine: Engine, received: tuple[str, list[bytes], Callable[[int], None]]
) -> None:
    address, texts, answer = received
    digest = add(engine, "alice")
    done = send(engine, address, now=day(0), message=arrives, allow_private=True)
    assert texts == [f"2026-01-01T00:00:00Z {digest}\n".encode()]
    assert done == Sent(digest, "http://127.0.0.1")  # the rest may be secret
    answer(503)
    done = send(engine, address, now=day(1), message=arrives, allow_private=True)
    assert done.reason == "127.0.0.1 did not accept it (HTTP status 503)."


def test_an_open_or_private_address_is_refused_and_no_secret_repeated(engine: Engine) -> None:
    with pytest.raises(BadInput, match="not encrypted"):
        send(engine, "http://example.org/in", now=day(0), message=arrives)
    done = send(engine, "https://127.0.0.1/in", now=day(0), message=arrives)
    assert "private" in done.reason or "this machine" in done.reason
    for target in (
        "https://log.example.org:8443/s3cret",
        "https://log.example.org:99999999/s3cret",
        "https://me:s3cret@log.example.org/",
        "https://[log.example.org/s3cret",
        "https:///s3cret",
    ):
        done = send(engine, target, now=day(0), message=arrives)
        assert "The address cannot be used. Give an https" in done.reason or "[" in target
        with database.reading(engine) as session:
            assert "s3cret" not in repr((done, upkeep.rows(session, UpkeepAct.digest)))


def test_an_e_mail_address_alone_is_not_taken_for_a_file(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for target in ("team@example.org", "mailto:team@example.org"):
        with pytest.raises(BadInput, match="names no server") as error:
            send(engine, target, now=day(0), message=arrives)
        assert "mailto://USER:PASSWORD@HOST" in error.value.remedy
    assert not [*tmp_path.glob("*@*")]


def test_a_ledger_that_can_only_be_read_sends_its_digest_too(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object) -> None:
        raise DatabaseError("It can only be read.")

    digest = add(engine, "alice")
    monkeypatch.setattr(digests, "writing", refused)
    assert send(engine, str(tmp_path / "digests"), now=day(0), message=arrives).digest == digest
    assert read_digests(str(tmp_path / "digests")) == [digest]


def test_a_service_gets_a_message_and_its_address_is_stored_nowhere(engine: Engine) -> None:
    given: list[tuple[str, str, str]] = []

    def message(*all_of_it: str) -> str:
        given.append(all_of_it)  # type: ignore[arg-type]
        return "the service was not reached."

    target = "mailto://me:s3cret@example.org?to=team@example.org"
    digest = add(engine, "alice")
    done = send(engine, target, now=day(0), message=message)
    assert done == Sent(digest, "mailto://…", "the service was not reached.")
    line = f"2026-01-01T00:00:00Z {digest}"
    assert given == [(target, "Digest of the forecast ledger", line)]
    with database.reading(engine) as session:
        [row] = upkeep.rows(session, UpkeepAct.digest)
    assert "s3cret" not in repr(row)


def test_one_run_sends_new_and_failed_digests_once_a_day(engine: Engine, tmp_path: Path) -> None:
    file, blocked = tmp_path / "digests", tmp_path / "blocked"
    blocked.mkdir()
    add(engine, "alice")

    def due(at: float, target: Path = file) -> bool:
        return claim(engine, str(target), now=day(at))

    assert due(0)
    send(engine, str(file), now=day(0), message=arrives)
    assert not due(0.9)
    assert not due(5)  # nothing is new
    add(engine, "bob")
    assert not due(0.9)
    assert due(1)
    done = send(engine, str(blocked), now=day(1), message=arrives)
    assert done.reason == "The file cannot be written: Is a directory."
    assert due(1.01, blocked)
    assert due(3)
    assert not due(3 + 59 / 86_400)  # another run has it
    assert due(3 + 60 / 86_400)  # that one was killed


def test_the_last_success_is_remembered_through_failures(engine: Engine, tmp_path: Path) -> None:
    file = tmp_path / "digests"
    first = add(engine, "alice")
    send(engine, str(file), now=day(0), message=arrives)
    file.unlink()
    file.mkdir()
    send(engine, str(file), now=day(2), message=arrives)
    with database.reading(engine) as session:
        row = upkeep.find(session, UpkeepAct.digest, str(file))
    assert row is not None
    assert (row.digest, row.done_at, row.tried_at) == (first, day(0), day(2))
    assert row.reason.startswith("The file cannot be written")


def test_a_file_without_digests_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "digests"
    with pytest.raises(BadInput, match=r"no file or folder .* it is not a digest"):
        read_digests(str(file))
    for text, said in (("2026-01-01 hello\n", "Line 1 of"), ("\n\n", "has no digests")):
        file.write_text(text)
        with pytest.raises(BadInput, match=said):
            read_digests(str(file))
    with pytest.raises(BadInput, match="cannot be read: File name too long"):
        read_digests("x" * 5_000)

    def denied(*_: object) -> str:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_text", denied)
    with pytest.raises(BadInput, match="cannot be read: Permission denied"):
        read_digests(str(file))


def test_by_default_digests_go_beside_a_file_or_to_the_user_s_data() -> None:
    assert digests.default_file("sqlite:////srv/ledger.sqlite3") == Path(
        "/srv/ledger.sqlite3.digests"
    )
    assert digests.default_file("postgresql://me@db/forecasts").name == "digests"
