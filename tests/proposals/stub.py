"""A model's endpoint on this machine, whose answers a test decides, and nothing else to reach."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest

from forecasts.proposals.endpoint import Endpoint
from tests.common.test_web import Answer, posted, sends, server

MODEL = "stub-small"


def completion(content: Any, **more: Any) -> dict[str, Any]:
    """Return a response of the OpenAI form; ``content``: a text, or what is sent as JSON."""
    text = content if isinstance(content, str) else json.dumps(content, ensure_ascii=False)
    choice = {"message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
    usage = {"prompt_tokens": 900, "completion_tokens": 100}
    return {"choices": [choice], "usage": usage} | more


def says(content: Any, **more: Any) -> Answer:
    """Return the answer with that content."""
    return sends(json.dumps(completion(content, **more)).encode(), Content_Type="application/json")


@dataclass
class Stub:
    """The running endpoint: the requests that came, and the answer to the next ones."""

    url: str = ""
    answer: Answer = field(default_factory=lambda: says({"questions": []}))
    requests: list[dict[str, Any]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    elsewhere: list[Any] = field(default_factory=list)
    ended: threading.Event = field(default_factory=threading.Event)

    def replies(self, *answers: Answer) -> None:
        """Answer with these in turn, the last again and again."""
        left = list(answers)
        self.answer = lambda request: (left.pop(0) if len(left) > 1 else left[0])(request)

    def hangs(self, request: BaseHTTPRequestHandler) -> None:
        """Take the request, and do not answer until the test has ended."""
        self.ended.wait(60)

    def endpoint(self, **more: Any) -> Endpoint:
        """Return the settings of this endpoint."""
        return Endpoint(f"{self.url}/v1", MODEL, **more)


@contextmanager
def running(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stub]:
    """Yield the endpoint; connections to anything else are refused, and listed in ``elsewhere``."""
    stub = Stub()

    def answer(request: BaseHTTPRequestHandler) -> None:
        stub.paths.append(request.path)
        stub.headers.append({name.lower(): value for name, value in request.headers.items()})
        stub.requests.append(json.loads(posted(request)))
        stub.answer(request)

    with server(answer) as url:
        stub.url = url
        connect: Callable[..., Any] = socket.socket.connect

        def only_here(one: socket.socket, address: Any) -> Any:
            if one.family != socket.AF_UNIX and address[:2] != ("127.0.0.1", int(url[17:])):
                stub.elsewhere.append(address)
                raise OSError("nothing else is reached")
            return connect(one, address)

        monkeypatch.setattr(socket.socket, "connect", only_here)
        try:
            yield stub
        finally:
            stub.ended.set()
