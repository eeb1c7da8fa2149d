"""A run reads and parses each source once, however many questions use it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from forecasts.resolution.resolvers.protocol import Seen
from forecasts.resolution.runs import run
from tests.conftest import day
from tests.resolution.conftest import attach, registered

pytestmark = pytest.mark.slow

CSV = "date,value\n2026-01-02,1\n2026-01-12,1\n"
RSS = "<rss version='2.0'><channel><title>News</title></channel></rss>"
SLUGS = [f"rain-{number}" for number in range(6)]  # they look in one document
# The content of the file, and the settings with which a question uses it.
KINDS: dict[str, tuple[str, dict[str, Any]]] = {
    "outcomes_file": ("question,outcome,known_at\n", {"path": ""}),
    "series": (CSV, {"source": "", "expression": "max(value) > 1"}),
    "http_json": (
        json.dumps({"status": "open"}),
        {"url": "", "outcome": "status", "outcomes": {"done": "yes"}, "not_yet": ["open"]},
    ),
    "feed": (RSS, {"url": "", "outcome": "yes", "any_of": ["rain"]}),
}


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """How each document was parsed, once for each time."""
    once, ways = Seen.once, list[object]()

    def counted(seen: Seen, how: Any, make: Callable[[], Any]) -> Any:
        return once(seen, how, lambda: (ways.append(how), make())[1])

    monkeypatch.setattr(Seen, "once", counted)
    return ways


@pytest.mark.parametrize(
    ("looks", "content"), [*KINDS.items(), ("series", ("[{", KINDS["series"][1]))]
)
def test_a_document_is_parsed_once_in_a_run_for_all_questions(
    engine: Engine,
    tmp_path: Path,
    parsed: list[object],
    looks: str,
    content: tuple[str, dict[str, Any]],
) -> None:
    text, settings = content
    file = tmp_path / "document"
    file.write_text(text)
    given = {name: value or str(file) for name, value in settings.items()}
    for slug in SLUGS:
        registered(engine, slug)
        attach(engine, looks, slug, **given)
    summary = run.run(engine, now=day(4))
    assert len(summary.results) == len(SLUGS)
    assert len({(result.state, result.message) for result in summary.results}) == 1
    first = len(parsed)
    assert first == len(set(parsed)) > 0
    run.run(engine, now=day(6))
    assert len(parsed) == 2 * first


def test_each_column_is_parsed_once(engine: Engine, tmp_path: Path, parsed: list[object]) -> None:
    file = tmp_path / "series.csv"
    file.write_text("date,a,b\n2026-01-02T12:00:00,5,1\n2026-01-12,1,1\n")
    for slug, column in zip(SLUGS, "abab", strict=False):
        registered(engine, slug)
        attach(engine, "series", slug, source=str(file), expression=f"max({column}) > 3")
    states = [str(result.state) for result in run.run(engine, now=day(4)).results]
    assert sorted(states) == ["confirmed", "confirmed", "not_yet", "not_yet"]
    assert len(parsed) == 2
