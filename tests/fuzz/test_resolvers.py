"""Resolvers on documents and expressions that are damaged, or made to be slow, hold no run up."""

from __future__ import annotations

import json
from collections import Counter
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlmodel import select

from forecasts.access.members import member_or_new
from forecasts.common.errors import BadInput
from forecasts.ledger import database
from forecasts.ledger.models import Question, Resolution
from forecasts.questions.registry import NewQuestion, insert_questions, question_text
from forecasts.resolution import assignments
from forecasts.resolution.resolvers import worker
from forecasts.resolution.runs import run, sources
from tests.conftest import day
from tests.resolution.resolvers.test_worker import EVIL

pytestmark = pytest.mark.slow

SECONDS = 0.25  # of processor time, for a look
Case = tuple[str, dict[str, Any], bytes]

# Each would take minutes, or all memory.
SLOW: list[Case] = [
    ("http_json", EVIL, b"1"),
    (
        "feed",
        {"url": "page", "outcome": "yes", "any_of": ["rain"]},
        b"<?xml version='1.0' encoding='punycode'?><rss><channel><title>"
        + b"a" * 400_000
        + b"-"
        + b"9" * 400_000
        + b"</title></channel></rss>",
    ),
]
RSS = (
    b"<?xml version='1.0'?><rss version='2.0'><channel><title>News</title><item><title>Rain</title>"
    b"<pubDate>Mon, 05 Jan 2026 10:00:00 GMT</pubDate><link>https://example.org/1</link></item>"
    b"</channel></rss>"
)
JSON = json.dumps({"a": {"b": "open", "rows": [{"date": "2026-01-02", "value": 1}]}}).encode()
CSV = b"date,value\n2026-01-02,1\n2026-01-03,2.5\n2026-01-04,3\n"
OUTCOMES = b"question,outcome,known_at,note\nq-1,yes,2026-01-03,seen\nq-2,no,2026-01-04,\n"
WATCH: dict[str, Any] = {"outcome": "yes", "any_of": ["rain"]}
STATUS: dict[str, Any] = {"outcomes": {"done": "yes"}, "not_yet": ["open"]}
TOKENS = [
    *("a", "b", "rows", "value", "@", "*", "[*]", "[]", "[0]", "[::-1]", ".", "|", "||", "&&", "!"),
    *("(", ")", "[?", "]", "==", "`1`", "'x'", ",", "{", ":", "}", "&", "length(", "sort_by("),
    *("max(", "join(", "to_number(", "[-9]", '"', "`", "\\", "é", "\0", "[:9999999999999:0]"),
]
WORDS = [
    *("max", "min", "mean", "count", "(", ")", "value", " ", ">=", "==", "<", "1", "1e999", "-"),
    *(".", "between", "and", "open", "close", "resolve", "2026-01-02", "9999-12-31", "٣", "\n"),
]


def _damaged(random: Random, whole: bytes) -> bytes:
    """Return the bytes with a few of them removed, doubled, replaced or inserted."""
    found = bytearray(whole)
    for _ in range(random.randint(1, 4)):
        at, length = random.randrange(len(found) + 1), random.randint(0, 9)
        part = random.choice(
            [
                *(b"", found[at : at + length] * random.randint(2, 50), random.randbytes(length)),
                *(b"\0", b"\xff", b'"', b"\r", b",", b"<", b"&", b"]]>", b"[", b"{", b"1e999"),
                *(b"9" * 5_000, b"[" * 3_000, b"&x;", b"<![CDATA[", b"\xed\xa0\x80", b"nan"),
            ]
        )
        found[at : at + length] = part
    return bytes(found)


def _fuzzed(random: Random) -> Case:
    """Return a resolver with a damaged document, a damaged expression, or both."""

    def document(whole: bytes) -> bytes:
        return whole if random.random() < 0.3 else _damaged(random, whole)

    path = "".join(random.choices(TOKENS, k=random.randint(1, 12)))
    expression = "".join(random.choices(WORDS, k=random.randint(1, 12)))
    good = "max(value) >= 145 between open and close"
    return random.choice(
        [
            ("feed", WATCH, document(RSS)),
            ("http_json", STATUS | {"outcome": path}, document(JSON)),
            ("http_json", STATUS | {"outcome": "a.b", "known_at": path}, document(JSON)),
            ("outcomes_file", {}, document(OUTCOMES)),
            ("series", {"expression": good}, document(CSV)),
            ("series", {"expression": f"max(value) > 1{expression}"}, document(CSV)),
            ("series", {"expression": expression}, document(CSV)),
            ("series", {"expression": good, "rows": path}, document(JSON)),
        ]
    )


def _carry(engine: Engine, folder: Path, cases: list[Case]) -> int:
    """Return the number of questions that have a case as their resolver, the others refused it."""
    slugs = [f"q-{number}" for number in range(len(cases))]
    text = partial(question_text, open_time=day(0), scheduled_close_time=day(30))
    taken = 0
    with database.writing(engine) as session:
        alice = member_or_new(session, "alice", now=day(0))
        ids = insert_questions(
            session,
            [NewQuestion(slug, text(title=slug), []) for slug in slugs],
            member=alice,
            now=day(0),
        )
        for id_, (kind, settings, content) in zip(ids, cases, strict=True):
            question = session.get_one(Question, id_)
            file = folder / question.slug
            file.write_bytes(content)
            place = {"outcomes_file": "path", "series": "source"}.get(kind, "url")
            given = settings | {place: str(file)}
            try:
                assignments.attach(session, question, kind, given, member=alice, now=day(1))
            except BadInput:
                continue
            taken += 1
    return taken


@pytest.mark.filterwarnings("ignore:deprecated string literal")  # of jmespath, on "`x`"
@pytest.mark.parametrize(
    ("fuzzed", "slow"), [(50, 3), pytest.param(1_800, 200, marks=pytest.mark.nightly)]
)
def test_no_resolver_holds_a_run_up(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fuzzed: int, slow: int
) -> None:
    random = Random(18)
    cases = [_fuzzed(random) for _ in range(fuzzed)] + [random.choice(SLOW) for _ in range(slow)]
    random.shuffle(cases)
    honest: Case = ("http_json", STATUS | {"outcome": "a"}, b'{"a": "done"}')
    for place in range(0, len(cases), 10):
        cases.insert(place, honest)
    taken = _carry(engine, tmp_path, cases)
    monkeypatch.setattr(sources, "Worker", partial(worker.Worker, SECONDS, 500_000_000))
    summary = run.run(engine, now=day(4))
    assert len(summary.results) == taken
    stopped = Counter("was stopped" in result.message for result in summary.results)
    assert stopped[True] > slow * 0.8
    states = {result.slug: str(result.state) for result in summary.results}
    assert {states[f"q-{number}"] for number, case in enumerate(cases) if case is honest} == {
        "confirmed"
    }
    assert all(result.message for result in summary.results)
    with database.reading(engine) as session:
        outcomes = session.exec(select(Resolution.outcome)).all()
    assert len(outcomes) >= cases.count(honest)
