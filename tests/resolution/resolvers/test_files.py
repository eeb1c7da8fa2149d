"""Which files a resolver may read; and that a run reads and parses each document once."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from forecasts.access import roles
from forecasts.access.members import member_or_new
from forecasts.common.errors import BadInput
from forecasts.ledger import database
from forecasts.ledger.models import RunState
from forecasts.resolution.resolvers.protocol import Seen
from forecasts.resolution.runs import run
from tests.conftest import ask, day
from tests.resolution.conftest import attach, registered

PLACES: dict[str, tuple[str, dict[str, Any]]] = {
    "outcomes_file": ("path", {}),
    "series": ("source", {"expression": "max(value) > 1"}),
    "http_json": ("url", {"outcome": "a", "outcomes": {"x": "yes"}, "not_yet": ["open"]}),
    "feed": ("url", {"outcome": "yes", "any_of": ["rain"]}),
}


@pytest.fixture
def shared(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Engine:
    """A ledger that others use: on a server, or with an admin; no folder is set."""
    monkeypatch.delenv("FORECASTS_FILES_FOLDER")
    with database.writing(engine) as session:
        alice = member_or_new(session, "alice", now=day(0))
        roles.ensure_admin(session, alice, now=day(0))
        ask(session, alice, slug="rain")
    return engine


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "files"
    folder.mkdir()
    monkeypatch.setenv("FORECASTS_FILES_FOLDER", str(folder))
    return folder


def look_in(engine: Engine, kind: str, path: str, slug: str = "rain") -> dict[str, object]:
    name, more = PLACES[kind]
    return attach(engine, kind, slug, **{name: path, **more})


def test_a_shared_ledger_needs_a_files_folder(shared: Engine, tmp_path: Path) -> None:
    paths = (str(tmp_path / "secret"), "secret", "~/secret", "/etc/passwd")
    for kind, path in itertools.product(PLACES, paths):
        with pytest.raises(BadInput, match="no folder of files is set") as refused:
            look_in(shared, kind, path)
        assert "FORECASTS_FILES_FOLDER" in refused.value.remedy
    for kind, (name, _) in PLACES.items():
        for page in ("https://example.org/a", "HTTPS://example.org/a"):
            assert look_in(shared, kind, page)[name] == page
        with pytest.raises(BadInput):
            look_in(shared, kind, "https://me:secret@example.org/a")


def test_only_its_files_are_read(shared: Engine, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    (folder / "link").symlink_to(tmp_path / "secret")
    (folder / "circle").symlink_to(folder / "circle")
    (tmp_path / "files-of-others").mkdir()
    outside = ("link", "../secret", "x/../../secret", "../files-of-others/x", "/etc/passwd")
    for kind, path in itertools.product(PLACES, outside):
        with pytest.raises(BadInput, match="is not in the folder of files"):
            look_in(shared, kind, str(folder / path))
    for kind in PLACES:
        with pytest.raises(BadInput):
            look_in(shared, kind, f"{folder}/circle/x\0")
        assert look_in(shared, kind, f"{folder}/there")


@pytest.mark.slow
def test_a_files_link_is_checked_again_when_it_is_read(
    shared: Engine, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outcomes = folder / "outcomes.csv"
    secret = tmp_path / "secret"
    secret.write_text("question,outcome,known_at\nrain,yes,2026-01-03\n")
    look_in(shared, "outcomes_file", str(outcomes))
    outcomes.symlink_to(secret)
    [result] = run.run(shared, now=day(4)).results
    assert (result.state, "not in the folder" in result.message) == (RunState.failed, True)
    [said] = run.look(shared, "rain", now=day(4))
    assert "not in the folder" in said.message
    monkeypatch.delenv("FORECASTS_FILES_FOLDER")
    left = run.run(shared, now=day(5))
    assert (left.due, left.left_to_others) == (0, {"FORECASTS_FILES_FOLDER is not set": 1})
    monkeypatch.setenv("FORECASTS_FILES_FOLDER", str(folder))
    outcomes.unlink()
    outcomes.write_text(secret.read_text())
    [result] = run.run(shared, now=day(6)).results
    assert result.state == RunState.confirmed


def test_a_file_that_is_named_from_where_one_is_is_found_from_anywhere(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    registered(engine, "rain")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for kind, (name, _) in PLACES.items():
        assert look_in(engine, kind, "here.csv")[name] == str(tmp_path / "here.csv")
        assert look_in(engine, kind, "~/there.csv")[name] == str(tmp_path / "home" / "there.csv")


@pytest.mark.slow
def test_a_file_of_a_ledger_of_ones_own_may_lie_anywhere(
    ledger_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORECASTS_FILES_FOLDER", str(tmp_path / "nothing"))
    outcomes = tmp_path / "outcomes.csv"
    outcomes.write_text("question,outcome,known_at\nrain,yes,2026-01-03\n")
    engine = database.open_engine(f"sqlite:///{ledger_file}")
    registered(engine, "rain")
    look_in(engine, "outcomes_file", str(outcomes))
    [result] = run.run(engine, now=day(4)).results
    engine.dispose()
    assert result.state == RunState.confirmed


SLUGS = [f"rain-{number}" for number in range(6)]  # they look in one document
CONTENTS = {
    "outcomes_file": "question,outcome,known_at\n",
    "series": "date,value\n2026-01-02,1\n2026-01-12,1\n",
    "http_json": json.dumps({"a": "open"}),
    "feed": "<rss version='2.0'><channel><title>News</title></channel></rss>",
}


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """How each document was parsed, once for each time."""
    once, ways = Seen.once, list[object]()

    def counted(seen: Seen, how: Any, make: Callable[[], Any]) -> Any:
        return once(seen, how, lambda: (ways.append(how), make())[1])

    monkeypatch.setattr(Seen, "once", counted)
    return ways


@pytest.mark.slow
@pytest.mark.parametrize(("looks", "content"), [*CONTENTS.items(), ("series", "[{")])
def test_a_document_is_parsed_once_in_a_run_for_all_questions(
    engine: Engine, tmp_path: Path, parsed: list[object], looks: str, content: str
) -> None:
    file = tmp_path / "document"
    file.write_text(content)
    registered(engine, *SLUGS)
    for slug in SLUGS:
        look_in(engine, looks, str(file), slug)
    summary = run.run(engine, now=day(4))
    assert len(summary.results) == len(SLUGS)
    assert len({(result.state, result.message) for result in summary.results}) == 1
    first = len(parsed)
    assert first == len(set(parsed)) > 0
    run.run(engine, now=day(6))
    assert len(parsed) == 2 * first


@pytest.mark.slow
def test_each_column_is_parsed_once(engine: Engine, tmp_path: Path, parsed: list[object]) -> None:
    file = tmp_path / "series.csv"
    file.write_text("date,a,b\n2026-01-02T12:00:00,5,1\n2026-01-12,1,1\n")
    for slug, column in zip(SLUGS, "abab", strict=False):
        registered(engine, slug)
        attach(engine, "series", slug, source=str(file), expression=f"max({column}) > 3")
    states = [str(result.state) for result in run.run(engine, now=day(4)).results]
    assert sorted(states) == ["confirmed", "confirmed", "not_yet", "not_yet"]
    assert len(parsed) == 2
