"""What a run has read it reads once, and what it made of that, within a bound of memory."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from forecasts.access.members import member_or_new
from forecasts.common.errors import CannotTell
from forecasts.ledger import database
from forecasts.resolution import assignments
from forecasts.resolution.resolvers import documents, feed, outcomes_file
from forecasts.resolution.resolvers.protocol import Made, Seen
from forecasts.resolution.runs import run
from tests.conftest import ask, day
from tests.resolution.resolvers.looking import at

pytestmark = pytest.mark.slow

CSV = "date,value\n2026-01-02,1\n2026-01-12,1\n"
RSS = "<rss version='2.0'><channel><title>News</title></channel></rss>"
MANY = 6  # questions that look in one document
# What stands in the file, how a question looks in it, and what reads it.
KINDS: dict[str, tuple[str, dict[str, Any], tuple[Any, str]]] = {
    "outcomes_file": ("question,outcome,known_at\n", {"path": ""}, (outcomes_file, "_by_question")),
    "series": (CSV, {"source": "", "expression": "max(value) > 1"}, (documents, "rows_of")),
    "http_json": (
        json.dumps({"status": "open"}),
        {"url": "", "outcome": "status", "outcomes": {"done": "yes"}, "not_yet": ["open"]},
        (documents, "_json"),
    ),
    "feed": (RSS, {"url": "", "outcome": "yes", "any_of": ["rain"]}, (feed, "_read")),
}


def counting(monkeypatch: pytest.MonkeyPatch, module: Any, name: str) -> list[int]:
    read, times = getattr(module, name), [0]

    def counted(*given: Any) -> Any:
        times[0] += 1
        return read(*given)

    monkeypatch.setattr(module, name, counted)
    return times


@pytest.mark.parametrize("content", ["as it should be", "broken"])
@pytest.mark.parametrize("looks", KINDS)
def test_a_document_is_read_once_a_run_however_many_questions_look_in_it(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, looks: str, content: str
) -> None:
    good, settings, reads = KINDS[looks]
    file = tmp_path / "document"
    file.write_text(good if content != "broken" else "[{")
    given = {name: value or str(file) for name, value in settings.items()}
    with database.writing(engine) as session:
        alice = member_or_new(session, "alice", now=day(0))
        for number in range(MANY):
            question = ask(session, alice, slug=f"rain-{number}")
            assignments.attach(session, question, looks, given, member=alice, now=day(1))
    times = counting(monkeypatch, *reads)
    summary = run.run(engine, now=day(4))
    assert len(summary.results) == MANY
    assert len({(result.state, result.message) for result in summary.results}) == 1
    assert times == [1]
    again = run.run(engine, now=day(6)).results  # none of what is parked
    assert times == [2 if again else 1]


def test_rows_of_one_file_that_are_read_otherwise_are_read_for_each(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "series.csv"
    file.write_text("date,a,b\n2026-01-02T12:00:00,5,1\n2026-01-12,1,1\n")
    with database.writing(engine) as session:
        alice = member_or_new(session, "alice", now=day(0))
        for column in "abab":
            question = ask(session, alice)
            given = {"source": str(file), "expression": f"max({column}) > 3"}
            assignments.attach(session, question, "series", given, member=alice, now=day(1))
    times = counting(monkeypatch, documents, "rows_of")
    states = [str(result.state) for result in run.run(engine, now=day(4)).results]
    assert sorted(states) == ["confirmed", "confirmed", "not_yet", "not_yet"]
    assert times == [2]


def made(of: Made, address: str, size: int, make: Callable[[], str]) -> str:
    return Seen(address, b"x" * size, at(1), made=of).once("words", make)


def test_what_was_made_is_kept_up_to_a_size_and_what_was_asked_for_last_the_longest() -> None:
    kept, done = Made(most=10), []

    def ask_for(address: str, size: int) -> None:
        assert made(kept, address, size, lambda: done.append(address) or address) == address

    for address in ("a", "b", "a", "c", "a", "b"):
        ask_for(address, 4)
    assert done == ["a", "b", "c", "b"]
    for _ in range(2):
        ask_for("too large for anything beside it", 40)
    assert len(done) == 5
    ask_for("a", 4)
    assert len(done) == 6


def test_what_cannot_be_read_is_tried_once_and_everyone_is_told() -> None:
    kept, done = Made(), []

    def broken() -> str:
        done.append(1)
        raise CannotTell("It is not JSON.")

    for _ in range(3):
        with pytest.raises(CannotTell, match="not JSON"):
            made(kept, "a", 4, broken)
    assert done == [1]
