"""Which files a resolver may read: any in a ledger of one's own, else those of one folder."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from forecasts.access import roles
from forecasts.access.members import member_or_new
from forecasts.common.errors import BadInput
from forecasts.ledger import database
from forecasts.ledger.models import RunState
from forecasts.resolution.runs import run
from tests.conftest import ask, day
from tests.resolution import conftest
from tests.resolution.conftest import registered

PLACES: dict[str, tuple[str, dict[str, Any]]] = {
    "outcomes_file": ("path", {}),
    "series": ("source", {"expression": "max(value) > 1"}),
    "http_json": ("url", {"outcome": "a", "outcomes": {"x": "yes"}}),
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


def attach(engine: Engine, kind: str, path: str) -> dict[str, object]:
    name, more = PLACES[kind]
    return conftest.attach(engine, kind, **{name: path, **more})


def test_a_shared_ledger_needs_a_files_folder(shared: Engine, tmp_path: Path) -> None:
    paths = (str(tmp_path / "secret"), "secret", "~/secret", "/etc/passwd")
    for kind, path in itertools.product(PLACES, paths):
        with pytest.raises(BadInput, match="no folder of files is set") as refused:
            attach(shared, kind, path)
        assert "FORECASTS_FILES_FOLDER" in refused.value.remedy
    for kind, (name, _) in PLACES.items():
        for page in ("https://example.org/a", "HTTPS://example.org/a"):
            assert attach(shared, kind, page)[name] == page
        with pytest.raises(BadInput):
            attach(shared, kind, "https://me:secret@example.org/a")


def test_only_its_files_are_read(shared: Engine, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    (folder / "link").symlink_to(tmp_path / "secret")
    (folder / "circle").symlink_to(folder / "circle")
    (tmp_path / "files-of-others").mkdir()
    outside = ("link", "../secret", "x/../../secret", "../files-of-others/x", "/etc/passwd")
    for kind, path in itertools.product(PLACES, outside):
        with pytest.raises(BadInput, match="is not in the folder of files"):
            attach(shared, kind, str(folder / path))
    for kind in PLACES:
        with pytest.raises(BadInput):
            attach(shared, kind, f"{folder}/circle/x\0")
        assert attach(shared, kind, f"{folder}/there")


@pytest.mark.slow
def test_a_files_link_is_checked_again_when_it_is_read(
    shared: Engine, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outcomes = folder / "outcomes.csv"
    secret = tmp_path / "secret"
    secret.write_text("question,outcome,known_at\nrain,yes,2026-01-03\n")
    attach(shared, "outcomes_file", str(outcomes))
    outcomes.symlink_to(secret)
    [result] = run.run(shared, now=day(4)).results
    assert (result.state, "not in the folder" in result.message) == (RunState.failed, True)
    [said] = run.look(shared, "rain", now=day(4))
    assert "not in the folder" in said.message
    monkeypatch.delenv("FORECASTS_FILES_FOLDER")
    [result] = run.run(shared, now=day(5)).results
    assert (result.state, "no folder of files" in result.message) == (RunState.failed, True)
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
        assert attach(engine, kind, "here.csv")[name] == str(tmp_path / "here.csv")
        assert attach(engine, kind, "~/there.csv")[name] == str(tmp_path / "home" / "there.csv")


@pytest.mark.slow
def test_a_file_of_a_ledger_of_ones_own_may_lie_anywhere(
    ledger_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORECASTS_FILES_FOLDER", str(tmp_path / "nothing"))
    outcomes = tmp_path / "outcomes.csv"
    outcomes.write_text("question,outcome,known_at\nrain,yes,2026-01-03\n")
    engine = database.open_engine(f"sqlite:///{ledger_file}")
    registered(engine, "rain")
    attach(engine, "outcomes_file", str(outcomes))
    [result] = run.run(engine, now=day(4)).results
    engine.dispose()
    assert result.state == RunState.confirmed
