"""A request is repeated as the server asks, faults have remedies, and the token stays secret."""

from __future__ import annotations

import gzip
import json
import logging
import traceback
from collections.abc import Callable
from datetime import timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from forecasts.accounts.client import ATTEMPTS, Client, Site
from forecasts.common.errors import BadInput, CaptureError, NoAnswer
from tests.accounts.conftest import NOW, TOKEN, Person, Platform, Reply

TOKENS_AT = "https://example.org/tokens"
HEADER = Site(
    "metaculus", "Metaculus", "", TOKENS_AT, lambda token: ({"Authorization": f"Token {token}"}, {})
)
QUERY = Site("fatebook", "Fatebook", "", TOKENS_AT, lambda token: ({}, {"apiKey": token}))
ClientOf = Callable[..., Client]
ANY: Any = Any


PACKED = gzip.compress(json.dumps({"ok": 1}).encode())


@pytest.mark.parametrize(
    "replies",
    [
        [Reply({"ok": 1})],
        [Reply(PACKED, headers={"Content-Encoding": "gzip"})],
        [Reply({}, status=301, headers={"Location": "/api/posts/?page=2"}), Reply({"ok": 1})],
        [Reply(b'{"results": [1, 2', length=400), Reply({"ok": 1})],
        [Reply(b'{"results": [1, 2'), Reply({"ok": 1})],
        [Reply(b""), Reply({"ok": 1})],
    ],
    ids=["whole", "compressed", "moved", "a broken connection", "half a document", "nothing"],
)
def test_a_document_is_read(platform: Platform, client_of: ClientOf, replies: list[Reply]) -> None:
    platform.replies(*replies)
    assert client_of(HEADER).get("posts/", {"offset": 3}, ANY) == {"ok": 1}
    assert (platform.asked[0].path, platform.asked[0].query) == ("posts/", {"offset": "3"})
    assert {one.headers["authorization"] for one in platform.asked} == {f"Token {TOKEN}"}
    platform.replies(Reply(b"<html>", status=404))
    assert client_of(HEADER).get("posts/9/", {}, ANY) is None


AGAIN = "it continues where it stopped."
TOKENS = (
    "Get one at https://example.org/tokens and set FORECASTS_METACULUS_TOKEN, or keep it in "
    "your keyring: forecasts pull metaculus --remember"
)


@pytest.mark.parametrize(
    ("status", "after", "remedy", "asked"),
    [
        (429, "7200", f"Try again after 2026-03-01 14:00 UTC: {AGAIN}", 1),
        (429, "999999999999999999999", f"Try again after 2026-03-31 12:00 UTC: {AGAIN}", 1),
        (429, "1", f"Try again later: {AGAIN}", ATTEMPTS),
        (500, "", f"Try again later: {AGAIN}", ATTEMPTS),
        (401, "", TOKENS, 1),
        (403, "", TOKENS, 1),
    ],
)
def test_a_refusal_ends_the_command_with_a_remedy(
    platform: Platform, client_of: ClientOf, status: int, after: str, remedy: str, asked: int
) -> None:
    headers = {"Retry-After": after} if after else {}
    platform.replies(Reply({"detail": TOKEN}, status=status, headers=headers))
    with pytest.raises(CaptureError) as refused:
        client_of(HEADER).get("posts/", {}, ANY)
    assert refused.value.remedy == remedy
    assert len(platform.asked) == asked
    assert TOKEN not in refused.value.message


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("7", 7),
        (format_datetime(NOW + timedelta(seconds=90), usegmt=True), 90),
        (format_datetime(NOW - timedelta(days=1), usegmt=True), 1),
        ("soon", 1),
        ("0", 1),
    ],
)
def test_a_busy_server_says_how_long_to_wait(
    platform: Platform, client_of: ClientOf, person: Person, header: str, seconds: float
) -> None:
    platform.replies(Reply({}, status=429, headers={"Retry-After": header}), Reply({"ok": 1}))
    assert client_of(HEADER).get("posts/", {}, ANY) == {"ok": 1}
    assert person.waits == [seconds]
    told = [f"Metaculus asks to wait (HTTP status 429). Trying again in {seconds} seconds."]
    assert person.told == (told if seconds > 5 else [])
    # After a server error it tries again after longer and longer.
    platform.replies(*[Reply({}, status=503)] * 4, Reply({"ok": 1}))
    assert client_of(HEADER).get("posts/", {}, ANY) == {"ok": 1}
    assert person.waits[1:] == [1, 2, 4, 8]
    assert person.told[-1] == (
        "Metaculus cannot answer now (HTTP status 503). Trying again in 8 seconds."
    )


@pytest.mark.parametrize(
    ("reply", "error", "said"),
    [
        (Reply(b"\n<!DOCTYPE html><html>Just a moment"), CaptureError, "web page instead of data"),
        (Reply(b"<html>", status=403), CaptureError, "web page instead of data"),
        (Reply(b'{"p": NaN}'), NoAnswer, "is not JSON"),
        (Reply(b"[" * 200_000), CaptureError, "nested too deeply"),
        (Reply({}, status=400), CaptureError, r"HTTP status 400.*newer version"),
        (
            Reply({"results": [1, TOKEN]}),
            CaptureError,
            "sent data of an unknown shape: results.1: Input should be a valid integer",
        ),
    ],
)
def test_an_answer_that_is_not_data_is_named(
    platform: Platform, client_of: ClientOf, reply: Reply, error: type[CaptureError], said: str
) -> None:
    platform.replies(reply)
    with pytest.raises(error, match=said) as refused:
        client_of(HEADER).get("posts/", {}, dict[str, list[int]])
    assert TOKEN not in str(refused.value)


def test_an_impossible_token_is_refused_and_never_shown(client_of: ClientOf) -> None:
    for token in ("", "two words", "new\nline", "naïve"):
        with pytest.raises(BadInput) as refused:
            client_of(HEADER, token)
        assert not token or token not in str(refused.value)


@pytest.mark.parametrize("site", [HEADER, QUERY], ids=["in a header", "in the query"])
def test_a_redirect_to_another_host_never_carries_the_token(
    platform: Platform, client_of: ClientOf, site: Site
) -> None:
    there = platform.base.replace("127.0.0.1", "localhost")
    platform.replies(
        Reply({}, status=307, headers={"Location": f"{there}posts/?apiKey={TOKEN}"}), Reply({})
    )
    with pytest.raises(CaptureError, match="redirects to another host: localhost") as refused:
        client_of(site).get("posts/", {}, ANY)
    assert len(platform.asked) == 1
    assert TOKEN not in str(refused.value)


@pytest.mark.parametrize(
    "reply",
    [
        Reply({"ok": 1}),
        Reply({"error": f"no user has {TOKEN}"}, status=401),
        Reply({}, status=500),
        Reply({}, status=302, headers={"Location": f"/api/?apiKey={TOKEN}"}),
        Reply({}, status=302, headers={"Location": f"http://[?apiKey={TOKEN}"}),
        Reply(b'{"a', length=9),
        Reply(f"<html>{TOKEN}".encode()),
    ],
)
def test_a_key_in_the_address_is_in_no_log_message_or_traceback(
    platform: Platform,
    client_of: ClientOf,
    person: Person,
    caplog: pytest.LogCaptureFixture,
    reply: Reply,
) -> None:
    caplog.set_level(logging.DEBUG)
    for name in logging.root.manager.loggerDict:
        caplog.set_level(logging.DEBUG, logger=name)
    platform.replies(reply)
    said = repr(client_of(QUERY))
    try:
        client_of(QUERY).get("getQuestions", {"limit": 2}, ANY)
    except CaptureError as error:
        said += str(error) + "".join(traceback.format_exception(error))
    assert platform.asked[0].query == {"limit": "2", "apiKey": TOKEN}
    said += caplog.text + "".join(str(record.__dict__) for record in caplog.records)
    assert TOKEN not in said + "".join(person.told)
