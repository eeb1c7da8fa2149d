"""A stand-in for a language model in the demonstration: canned answers, and no key is needed.

It answers like any API of the OpenAI form, on this machine alone, so that its pages and commands
are those of a real model. Its name and its answers say that it is simulated.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from forecasts.proposals.prompts import sent_data
from forecasts.reading.drafting.sentences import find_sentences
from forecasts.samples.demonstration import table_of

NAME = "Simulated model"
_YEAR = re.compile(r"\b20\d\d\b")
_AT = {"10%": 0.25, "50%": 0.5, "90%": 0.75}  # percentiles, as a share of the range


@contextmanager
def running() -> Iterator[str]:
    """Yield the address of the stand-in, which answers until the block ends."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/v1"
        finally:
            server.shutdown()


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        request = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        said = answer(request)
        body = json.dumps({"choices": [{"message": {"content": json.dumps(said)}}]}).encode()
        self.send_response(404 if said is None else 200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Log nothing."""


def answer(request: str) -> dict[str, Any] | None:
    """Return the canned answer to a request, None for a kind of proposal without one."""
    canned = table_of("canned_answers.toml")
    kind = json.loads(request)["response_format"]["json_schema"]["name"]
    data = sent_data(request)
    if kind == "questions":
        found = (_question(one, data["text"]) for one in canned["questions"])
        return {"questions": [one for one in found if one is not None]}
    if kind == "forecast":
        return _forecast(data, canned["points"])
    if kind == "outcome":
        blank = {"outcome": "", "known_on": "", "passages": []}
        return {"answer": "cannot_tell", **blank, "note": canned["points"]}
    return None


def _question(canned: Mapping[str, Any], text: str) -> dict[str, Any] | None:
    """Return a canned question on an article, None unless it has the sentence."""
    sentences = (text[start:end] for start, end in find_sentences(text))
    quotation = next((one for one in sentences if one.startswith(canned["begins"])), None)
    if quotation is None:
        return None
    [year, *_] = _YEAR.findall(text)
    blank = {"options": [], "lower_bound": "", "upper_bound": "", "unit": ""}
    fields = {name: value for name, value in canned.items() if name != "begins"}
    filled: dict[str, Any] = json.loads(json.dumps(fields).replace("{year}", year))
    return blank | filled | {"quotation": quotation}


def _forecast(data: Mapping[str, Any], point: str) -> dict[str, Any]:
    """Return a canned forecast, in the middle of the range."""
    asked = data["question"]
    if asked["type"] == "binary":
        said = "50%"
    elif asked["type"] == "multiple_choice":
        *others, last = asked["options"]
        each = round(100 / len(asked["options"]), 1)
        said = ", ".join(f"{option}={each:g}%" for option in others)
        said += f", {last}={100 - len(others) * each:g}%"
    else:
        said = ", ".join(f"{name}={_between(asked, share)}" for name, share in _AT.items())
    return {
        "reference_class": point,
        "base_rate": "5 of 10",
        "evidence_for": [],
        "evidence_against": [],
        "forecast": said,
    }


def _between(asked: Mapping[str, Any], share: float) -> str:
    """Return the value or day at this share of the way from one bound to the other."""
    low, high = asked["lower_bound"], asked["upper_bound"]
    if asked["type"] == "numeric":
        return f"{float(low) + share * (float(high) - float(low)):g}"
    first, last = (date.fromisoformat(one[:10]) for one in (low, high))
    return (first + timedelta(days=round(share * (last - first).days))).isoformat()
