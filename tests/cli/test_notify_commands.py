"""notify add, list, set, remove, test, send; and a run's notifications."""

from __future__ import annotations

import pytest

from tests.agenda.notifications.conftest import Service
from tests.agenda.notifications.conftest import service as service  # a fixture
from tests.cli.conftest import Clock, Run

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def _this_machine_may_be_written_to(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORECASTS_ALLOW_PRIVATE_ADDRESSES", "true")


def test_a_channel_is_added_tried_changed_and_removed_and_its_address_is_never_shown(
    forecasts: Run, service: Service
) -> None:
    secret = service.address("xyzzy")
    added = forecasts("notify", "add", "phone", "-", "--on", "closing", input=f"{secret}\n")
    assert added.stdout == "phone is notified of: closing\n"
    assert forecasts("notify", "test", "phone").stdout == "phone: sent\n"
    assert service.got[0]["path"] == "/xyzzy"
    changed = forecasts("notify", "set", "phone", "--on", "stale", "--days-until-stale", "3")
    assert changed.stdout == "phone is notified of: stale\n"
    listed = forecasts("notify", "list")
    assert listed.stdout == (
        "phone (json://…): stale\n  closing: 2 days before; stale: after 3 days\n"
        "  nothing sent yet\n"
    )
    service.answer = lambda _: 401
    failed = forecasts("notify", "test", "phone", exit_code=1)
    assert failed.stderr == "phone: not sent: the service answered with status 401\n"
    removed = forecasts("notify", "remove", "phone")
    for said in (added, changed, listed, failed, removed):
        assert "xyzzy" not in said.output
    assert "You have no channels" in forecasts("notify", "list").stderr
    assert "no channel 'phone'" in forecasts.refused("notify", "test", "phone")


def test_a_run_ends_with_its_notifications_and_survives_their_failure(
    forecasts: Run, clock: Clock, service: Service, tmp_path: object
) -> None:
    forecasts("notify", "add", "phone", service.address())
    forecasts("ask", "Will it rain?", "--closes", "2026-01-25", "--slug", "rain")
    forecasts("update", "rain", "40%")
    clock("2026-01-20T12:00:00Z")
    forecasts("resolve", "rain", "yes", "--known-at", "2026-01-10")
    service.answer = lambda _: 500
    said = forecasts("run")
    assert "not sent to alice's channel phone: the service answered with status 500" in said.stderr
    listed = forecasts("notify", "list").stdout
    assert "  1 to be sent\n" in listed
    assert "  Last: the service answered with status 500\n" in listed
    service.answer = lambda _: 200
    clock("2026-01-20T12:06:00Z")
    assert forecasts("run").stderr == "1 message sent\n"
    assert "Will it rain? yes; your Brier score is 0.360" in service.bodies[-1]
    assert forecasts("notify", "send").stderr == ""
    assert "  1 sent\n" in forecasts("notify", "list").stdout


def test_uncertain_messages_are_listed_and_sent_again_by_hand(
    forecasts: Run, clock: Clock, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    forecasts("notify", "add", "phone", service.address())
    forecasts("ask", "Will it rain?", "--closes", "2026-01-06T12:00:00Z", "--slug", "rain")
    with monkeypatch.context() as patch:
        patch.setattr("forecasts.agenda.notifications.sender._record", lambda *_: None)
        forecasts("notify", "send")
    clock("2026-01-05T13:00:00Z")
    listed = forecasts("notify", "list").stdout
    assert "  1 may not have arrived\n" in listed
    assert "forecasts notify send --again phone" in listed
    assert "1 notice may not have arrived" in forecasts("run", "status").stdout
    assert '"notices_unsure": 1' in forecasts("run", "status", "--json").stdout
    assert forecasts("run").stderr == ""
    said = forecasts("notify", "send", "--again", "phone")
    assert said.stderr == "phone: 1 to be sent again\n1 message sent\n"
    assert len(service.got) == 2


def test_an_impossible_request_is_refused(forecasts: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    forecasts("ask", "Will it rain?", "--closes", "2026-01-25")
    for arguments, words in (
        (("add", "phone", "nope://x"), "cannot be read"),
        (("add", "phone", "json://example.org", "--on", "rain"), "A channel has no event 'rain'"),
        (("add", "phone", "json://example.org", "--days-until-stale", "0"), "must be above 0"),
        (("send", "--again", "phone"), "no channel 'phone'"),
    ):
        assert words in forecasts.refused("notify", *arguments)
    monkeypatch.setenv("FORECASTS_ALLOW_PRIVATE_ADDRESSES", "false")
    said = forecasts.refused("notify", "add", "phone", "json://localhost/xyzzy")
    assert "FORECASTS_ALLOW_PRIVATE_ADDRESSES" in said
    assert "xyzzy" not in said
