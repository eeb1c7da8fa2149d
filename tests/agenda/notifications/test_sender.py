"""Each event once a channel, however a run ends, and with another run beside it."""

from __future__ import annotations

import os
import secrets
import signal
import socket
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine
from sqlmodel import select

from forecasts.access.members import member_named
from forecasts.agenda.notifications import apprise_adapter, channels, sender
from forecasts.agenda.notifications.apprise_adapter import Delivery
from forecasts.common.errors import BadInput, NotFound, Refused
from forecasts.common.sealed_secrets import key_file
from forecasts.ledger import database
from forecasts.ledger.models import Channel
from forecasts.ledger.verification import verify
from forecasts.operations import privacy
from forecasts.questions import registry
from tests.agenda.notifications.conftest import Service, notices, states, tell
from tests.conftest import acting, day, on_both, resolve

pytestmark = pytest.mark.slow

Caplog = pytest.LogCaptureFixture
ROOT = Path(__file__).parents[3]
RUN = """
import sys
from datetime import datetime
from forecasts.ledger import database
from forecasts.agenda.notifications import sender
engine = database.open_engine(sys.argv[1])
sender.send(engine, now=datetime.fromisoformat(sys.argv[2]), allow_private=True)
print("done")
"""


@pytest.fixture
def resolved(ledger: Engine, service: Service) -> Engine:
    """A question of alice's that is resolved, of which she is to be told."""
    with database.writing(ledger) as session:
        tell(session, member_named(session, "alice"), service.address("alice"), events=["resolved"])
        root, rain = member_named(session, "root"), registry.find(session, "rain")
        resolve(session, rain, root, "yes", 2, at=3)
    return ledger


def send(engine: Engine, at: float, *, allow_private: bool = True) -> sender.Summary:
    return sender.send(engine, now=day(at), allow_private=allow_private)


def run(ledger_url: str, at: float) -> subprocess.Popen[str]:
    """Return a process of its own that sends what is due."""
    command = [sys.executable, "-c", RUN, ledger_url, day(at).isoformat()]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


@on_both
def test_an_address_is_stored_encrypted_and_an_old_one_by_the_next_run(
    resolved: Engine, service: Service, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = service.address("alice")

    def stored() -> str:
        with database.reading(resolved) as session:
            return session.exec(select(Channel.secret_url)).one()

    assert (stored() == plain) == (kind == "postgresql")  # without a key, on a server
    with database.writing(resolved) as session:
        session.exec(select(Channel)).one().secret_url = plain
    monkeypatch.setenv("FORECASTS_SECRET_KEY", "k" * 32)
    assert send(resolved, 4).count(Delivery.sent) == 1
    assert service.got[0]["path"] == "/alice"
    assert stored().startswith("fernet:")
    with database.reading(resolved) as session:
        assert verify(session).broken is None


def test_without_its_key_an_address_is_entered_again(
    resolved: Engine, service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("forecasts.common.sealed_secrets.data_folder", lambda: tmp_path)
    key_file().write_text(secrets.token_urlsafe(32), encoding="ascii")
    [message] = send(resolved, 4).messages
    assert (message.delivery, service.got) == (Delivery.failed, [])
    assert message.reason == "The address is encrypted with another key than this machine has"
    with database.reading(resolved) as session:
        alice = member_named(session, "alice")
        [listed] = channels.listing(session, member=alice, now=day(4))
        assert listed.service == "its key is lost: remove it, and add it again"


def test_a_killed_run_sends_only_once(resolved: Engine, ledger_url: str, service: Service) -> None:
    running: list[subprocess.Popen[str]] = []
    begun = threading.Event()

    def killed(_path: str) -> int:
        begun.wait(30)
        os.kill(running[0].pid, signal.SIGKILL)
        running[0].wait(30)
        return 200

    service.answer = killed
    running.append(run(ledger_url, 3))
    begun.set()
    assert running[0].communicate(timeout=60)[0] == ""
    assert running[0].returncode == -signal.SIGKILL
    assert len(service.got) == 1
    assert states(resolved) == ["resolved sending"]

    service.answer = lambda _: 200
    lease = sender.LEASE / timedelta(days=1)
    for at in (3, 3 + lease / 2, 3 + 2 * lease, 20):
        assert send(resolved, at).messages == []
    assert len(service.got) == 1
    with database.reading(resolved) as session:
        alice = member_named(session, "alice")
        [said] = channels.listing(session, member=alice, now=day(3 + lease / 2))
        assert (said.waiting, said.unsure) == (1, 0)
        [said] = channels.listing(session, member=alice, now=day(3 + 2 * lease))
        assert (said.waiting, said.unsure) == (0, 1)
        assert sender.undelivered(session, now=day(4)) == 1
    with acting(resolved) as (session, _, alice):
        assert sender.resend(session, "phone", member=alice, now=day(4)) == 1
    assert send(resolved, 4).count(Delivery.sent) == 1
    assert len(service.got) == 2
    assert states(resolved) == ["resolved sent"]


def test_a_run_that_is_killed_before_it_tells_leaves_it_to_the_next(
    resolved: Engine, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    def killed(*_: object, **__: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(sender, "compose", killed)  # within the transaction that claims
        with pytest.raises(Killed):
            send(resolved, 3)
    assert notices(resolved) == []
    assert send(resolved, 3).count(Delivery.sent) == 1
    assert len(service.got) == 1


@on_both
def test_of_several_runs_side_by_side_one_sends_it(resolved: Engine, service: Service) -> None:
    together = threading.Barrier(4)

    def one(_: int) -> int:
        together.wait(30)
        return len(send(resolved, 3).messages)

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(one, range(4))) == 1
    assert len(service.got) == 1
    assert states(resolved) == ["resolved sent"]


def test_failures_are_tried_again_later_and_given_up(resolved: Engine, service: Service) -> None:
    service.answer = lambda _: 503
    tried = []
    for minute in (0, 4, 6, 20, 22, 66, 68, 202, 204, 1000):
        came_to = send(resolved, 3 + minute / 24 / 60)
        if came_to.messages:
            tried.append(minute)
            assert came_to.messages[0].reason == "the service answered with status 503"
    assert tried == [0, 6, 22, 68, 204]
    assert len(service.got) == 5
    assert states(resolved) == ["resolved failed"]
    with database.reading(resolved) as session:
        [said] = channels.listing(session, member=member_named(session, "alice"), now=day(4))
    assert (said.failed, said.reason) == (1, "the service answered with status 503")
    service.answer = lambda _: 200
    with database.writing(resolved) as session:
        sender.resend(session, "phone", member=member_named(session, "alice"), now=day(5))
    assert send(resolved, 5).count(Delivery.sent) == 1


@on_both
def test_new_events_go_with_the_next_try(resolved: Engine, service: Service) -> None:
    service.answer = lambda _: 503
    send(resolved, 3)
    with acting(resolved, by="root") as (session, rain, root):
        resolve(session, rain, root, "no", 2, at=3.001)
    assert send(resolved, 3.002).messages == []
    service.answer = lambda _: 200
    [told] = send(resolved, 3.01).messages
    assert told.events == 1  # the first is no longer so
    assert states(resolved) == ["resolved moot", "resolved sent"]
    assert "corrected to no" in service.bodies[-1]


def test_a_silent_service_holds_up_no_other(
    resolved: Engine, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(apprise_adapter, "SECONDS", 0.3)
    with acting(resolved) as (session, _, alice):
        tell(session, alice, service.address("other"), name="b0", events=["resolved"])
    released = threading.Event()
    service.answer = lambda path: 200 if path == "/other" or released.wait(30) else 500
    came_to = send(resolved, 3)
    found = {one.channel: str(one.delivery) for one in came_to.messages}
    assert found == {"phone": "unknown", "b0": "sent"}
    released.set()
    assert send(resolved, 9).messages == []
    assert [one["path"] for one in service.got] == ["/alice", "/other"]
    with database.reading(resolved) as session:
        first, _ = channels.listing(session, member=member_named(session, "alice"), now=day(9))
    assert first.unsure == 1
    assert first.reason == "the service did not answer within 0.3 seconds"


def test_the_time_is_bounded_and_failures_come_last(
    resolved: Engine, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    service.answer = lambda path: 500 if path == "/alice" else 200
    send(resolved, 3)
    with acting(resolved) as (session, _, alice):
        tell(session, alice, service.address("b"), name="b", events=["resolved"], now=day(1))
    assert [one.channel for one in send(resolved, 4).messages] == ["b", "phone"]
    assert sender.send(resolved, now=day(5), stop=lambda: True).left == 1
    monkeypatch.setattr(sender, "BUDGET", 0)
    assert send(resolved, 5).left == 1


def test_a_silent_service_gets_few_messages_in_a_run(
    resolved: Engine, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(apprise_adapter, "SECONDS", 0.2)
    with acting(resolved) as (session, _, alice):
        for number in range(9):
            at = service.address().replace("127.0.0.1", "localhost" if number > 3 else "127.0.0.1")
            tell(session, alice, at, name=f"c{number}", events=["resolved"])
    released = threading.Event()
    service.answer = lambda _path: 200 if released.wait(30) else 500
    came_to = send(resolved, 3)
    assert came_to.count(Delivery.unknown) == 2 * sender.MOST_TIMEOUTS
    assert came_to.left == 10 - 2 * sender.MOST_TIMEOUTS
    released.set()
    again = send(resolved, 3.1)
    assert (again.count(Delivery.sent), again.left) == (came_to.left, 0)


def test_a_private_address_is_refused_when_added_and_whenever_a_message_is_sent(
    resolved: Engine, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    private = (service.address(), "json://localhost/x", "mailto://u:p@192.168.1.2?to=a@b.c")
    with acting(resolved, by="bob") as (session, _, bob):
        for address in private:
            with pytest.raises(Refused, match="this machine or its network"):
                channels.add(session, "x", address, member=bob, now=day(0))
        channel = channels.add(session, "x", "json://public.example", member=bob, now=day(0))
    [told] = send(resolved, 3, allow_private=False).messages
    there = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", service.port))]
    # A name that resolves to this machine.
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: there)
    for delivery, reason in ((told.delivery, told.reason), sender.send_test(channel)):
        assert delivery == Delivery.failed
        assert "leads into this machine" in reason
    assert service.got == []


def test_on_a_shared_ledger_nothing_touches_the_machine_of_the_run() -> None:
    for address, said in (
        ("syslog://", "this ledger is shared"),
        (" DBus://local ", "this ledger is shared"),
        ("json://example.org/?template=/etc/passwd", "names a file"),
        ("json://example.org/?keyfile=k", "names a file"),
        ("json://example.org/?a=b;Template=x", "names a file"),
        ("json://example.org/?a&templat%65=x", "names a file"),
    ):
        with pytest.raises(Refused, match=said):
            apprise_adapter.check(address, allow_private=True, shared=True)
    apprise_adapter.check("json://example.org/?template=x", allow_private=True, shared=False)


def test_an_address_with_a_control_character_is_refused() -> None:
    mail = "mailto://u:p@example.org?to=a@b.c"
    for address in (
        f"{mail}&name=x%0d%0aBcc:%20d@e.f",
        f"{mail}&name=x%250aBcc:%20d@e.f",  # decoded twice
        f"{mail}\r\nBcc: d@e.f",
        "json://example.org/\x00",
    ):
        with pytest.raises(BadInput, match="control character"):
            apprise_adapter.check(address, allow_private=True, shared=False)
    apprise_adapter.check(f"{mail}&name=J%C3%BCrgen%20K", allow_private=True, shared=False)


def test_an_address_that_cannot_be_read_is_refused_and_not_repeated() -> None:
    for address in ("", "nonsense", "nope://x", "json://", "http://[", "a" * 99):
        for shared in (False, True):
            with pytest.raises(BadInput, match="cannot be read") as error:
                apprise_adapter.check(address, allow_private=False, shared=shared)
            assert not address or address not in str(error.value).replace("nope://", "")


def test_an_address_is_shown_nowhere_and_forgotten_with_its_channel_or_member(
    resolved: Engine, service: Service, caplog: Caplog, capfd: pytest.CaptureFixture[str]
) -> None:
    secret = "xyzzy"
    with acting(resolved) as (session, _, alice):
        channel = tell(session, alice, service.address(secret), name="b", events=["resolved"])
        assert secret not in f"{channel!r} {channel}"
    service.answer = lambda _: 500
    came_to = send(resolved, 3)
    with database.reading(resolved) as session:
        alice = member_named(session, "alice")
        listed = channels.listing(session, member=alice, now=day(3))
        handed_over = privacy.everything(session, "alice", member=alice, now=day(3))
    printed = "".join(capfd.readouterr()) + caplog.text
    assert secret not in f"{came_to} {listed} {handed_over} {printed}"
    assert handed_over["channel"][1]["name"] == "b"
    with acting(resolved) as (session, _, alice):
        channels.remove(session, "b", member=alice, now=day(4))
        assert session.get_one(Channel, channel.id).secret_url == ""
        with pytest.raises(NotFound):
            channels.find(session, "b", member=alice)
        tell(session, alice, service.address(), name="b")
    with database.writing(resolved) as session:
        privacy.remove(session, "alice", member=None, now=day(4))
    assert notices(resolved) == []
    with database.reading(resolved) as session:
        assert session.exec(select(Channel)).all() == []


def test_a_channel_is_its_members_own(resolved: Engine, service: Service) -> None:
    with acting(resolved, by="root") as (session, _, root):
        assert channels.listing(session, member=root, now=day(3)) == []
        for act, given in (
            (channels.remove, {"now": day(3)}),
            (channels.change, {"events": ["closed"]}),
            (sender.resend, {"now": day(3)}),
        ):
            with pytest.raises(NotFound, match="no channel 'phone'"):
                act(session, "phone", member=root, **given)  # type: ignore[operator]


def test_an_impossible_channel_is_refused(resolved: Engine, service: Service) -> None:
    with acting(resolved) as (session, _, alice):
        with pytest.raises(Refused, match="already"):
            tell(session, alice, service.address())
        for name, value in (
            ("name", " "), ("name", "a\nb"), ("events", ["rain"]), ("events", []),
            ("days_before_close", 0.0), ("days_until_stale", float("nan")),
        ):  # fmt: skip
            with pytest.raises(BadInput):
                tell(session, alice, service.address(), **({"name": "b"} | {name: value}))
        for number in range(channels.MOST_CHANNELS - 1):
            tell(session, alice, service.address(), name=f"c{number}")
        with pytest.raises(Refused, match="no more"):
            tell(session, alice, service.address(), name="d")
