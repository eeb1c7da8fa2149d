"""One request to the model, and a plain sentence for everything that can go wrong with it."""

from __future__ import annotations

import json
import time
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest
from pydantic import SecretStr

from forecasts.common.errors import BadInput, Refused
from forecasts.common.settings import Settings
from forecasts.proposals import endpoint
from forecasts.proposals.endpoint import Unanswered, configured, required, send
from forecasts.proposals.prompts import request
from tests.common.test_web import Answer, sends
from tests.proposals.stub import MODEL, Stub, completion, says

SENT = request("questions", MODEL, {"title": "Ferry", "text": "The ferry."})


def test_an_answer_comes_back_with_the_tokens_that_it_took(stub: Stub) -> None:
    stub.answer = says({"questions": []})
    reply = send(stub.endpoint(key=SecretStr("s3cret")), SENT)
    assert (reply.text, reply.tokens_in, reply.tokens_out) == ('{"questions": []}', 900, 100)
    assert stub.paths == ["/v1/chat/completions"]
    assert stub.requests == [json.loads(SENT)]
    assert stub.headers[0]["authorization"] == "Bearer s3cret"
    assert "s3cret" not in repr(stub.endpoint(key=SecretStr("s3cret"))) + reply.received


def test_without_usage_the_tokens_are_estimated(stub: Stub) -> None:
    stub.answer = says("{}", usage={"prompt_tokens": -5})
    assert send(stub.endpoint(), SENT).tokens_in == len(SENT.encode()) // 3 + 1


def cut_off(request: BaseHTTPRequestHandler) -> None:
    body = json.dumps(completion("{}")).encode()
    sends(body[:20], Content_Length=str(len(body)), Content_Type="application/json")(request)


def choice(**fields: Any) -> Answer:
    message = {"content": fields.pop("content", "{}"), "refusal": fields.pop("refusal", None)}
    return says("", choices=[{"message": message} | fields])


FAULTS: dict[str, tuple[Answer, str]] = {
    "key": (sends(b"{}", 401), r"127.0.0.1:\d+ does not accept the key .HTTP status 401.*_KEY"),
    "model": (sends(b"{}", 404), f"has no model '{MODEL}' .HTTP status 404.*forecasts model show"),
    "form": (sends(b"{}", 400), "does not accept the request .HTTP status 400"),
    "busy": (sends(b"", 429, Retry_After="30"), "is busy .*Try again in 30 seconds"),
    "busy, a date": (sends(b"", 429, Retry_After="soon"), "is busy .*Try again later"),
    "broken": (sends(b"oh no", 503), "cannot answer now .HTTP status 503"),
    "redirect": (
        sends(b"", 307, Location="http://example.org/"),
        "answers with a redirect, which is not followed",
    ),
    "cut off": (cut_off, "did not answer like a web server"),
    "not JSON": (sends(b"<html>Hello</html>"), "did not answer like an OpenAI-compatible API"),
    "streamed": (
        sends(b'data: {"choices": []}\n\n', Content_Type="text/event-stream"),
        "did not answer like an OpenAI-compatible API",
    ),
    "no choice": (sends(b'{"choices": []}'), "did not answer like an OpenAI-compatible API"),
    "deep": (sends(b"[" * 100_000), "did not answer like an OpenAI-compatible API"),
    "not a number": (sends(b'{"choices": NaN}'), "did not answer like an OpenAI-compatible API"),
    "endless": (sends(b" " * 600_000), "sent more than 0.5 MB"),
    "refusal": (choice(content=None, refusal="I will not."), f"{MODEL} refuses to answer"),
    "long": (choice(finish_reason="length"), f"The answer of {MODEL} is too long and was cut off"),
    "filtered": (choice(finish_reason="content_filter"), "was stopped by its server's filter"),
    "empty": (choice(content=" "), "gave an empty answer"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_one_plain_sentence_and_one_request(stub: Stub, fault: str) -> None:
    stub.answer, words = FAULTS[fault]
    with pytest.raises(Unanswered, match=words) as caught:
        send(stub.endpoint(), SENT)
    assert caught.value.remedy
    assert len(stub.requests) == 1
    assert stub.elsewhere == []


def test_a_model_that_hangs_is_left_after_its_time(stub: Stub) -> None:
    stub.answer = stub.hangs
    began = time.monotonic()
    with pytest.raises(Unanswered, match=r"did not answer within 0.2 seconds"):
        send(stub.endpoint(seconds=0.2), SENT)
    assert time.monotonic() - began < 2


def test_a_model_that_is_gone_is_named() -> None:
    with pytest.raises(Unanswered, match=r"127\.0\.0\.1 cannot be reached"):
        send(endpoint.Endpoint("http://127.0.0.1:9/v1", MODEL), SENT)


def test_without_a_setting_there_is_no_model() -> None:
    assert configured(Settings()) is None
    with pytest.raises(Refused, match=r"No language model is set, so nothing was sent\. Set FORE"):
        required(Settings())


def test_the_settings_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = {
        "url": "http://localhost:11434/v1/",
        "tokens": "500",
        "cost": "0.5",
        "price_in": "2",
        "price_out": "10",
        "timeout": "5",
        "callers": "alice, resolver",
    }
    for name, value in chosen.items():
        monkeypatch.setenv(f"FORECASTS_MODEL_{name.upper()}", value)
    monkeypatch.setenv("FORECASTS_MODEL", "small:1b")
    found = required(Settings())
    assert (found.url, found.host) == ("http://localhost:11434/v1", "localhost:11434")
    assert (found.model, found.tokens, found.seconds) == ("small:1b", 500, 5)
    assert found.callers == ("alice", "resolver")
    assert found.cost_of(1_000_000, 100_000) == 3


@pytest.mark.parametrize(
    ("url", "model", "words"),
    [
        ("ftp://x/v1", "m", "FORECASTS_MODEL_URL is not the address of a model"),
        ("http://user:pass@x/v1", "m", "without a password or a query"),
        ("http://x/v1?key=1", "m", "without a password or a query"),
        ("http://x:port/v1", "m", "is not the address of a model"),
        ("http://x/v1", "", "FORECASTS_MODEL is not. Set it to the model's name"),
    ],
)
def test_unusable_settings_are_named(url: str, model: str, words: str) -> None:
    with pytest.raises(BadInput, match=words) as caught:
        configured(Settings(model_url=url, model=model))
    assert "pass@" not in str(caught.value)
