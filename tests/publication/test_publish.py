"""A record is published by those who may, whole or not at all, and replaces an earlier one."""

from __future__ import annotations

import json
from pathlib import Path
from shutil import copy
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlmodel import Session

from forecasts.access import teams
from forecasts.access.members import member_or_new
from forecasts.common.errors import Forbidden, NotFound, Refused
from forecasts.ledger import database
from forecasts.ledger.models import Member, Role
from forecasts.publication import publish as publishing
from forecasts.publication.publish import Published, publish
from forecasts.publication.verify import Check, checked
from forecasts.questions import registry
from forecasts.questions.revisions import revise
from tests.conftest import ask, day
from tests.publication.conftest import Stamps, act, forecast

pytestmark = pytest.mark.slow


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "record"


def published_by(session: Session, who: Member | None, folder: Path, **of: Any) -> Published:
    return publish(session, folder, who=who, stamps={}, now=day(12), **of)


def test_a_published_folder_has_the_site_the_data_and_the_program(
    engine: Engine, stamps: Stamps, folder: Path
) -> None:
    with database.reading(engine) as session:
        kate = member_or_new(session, "kate", now=day(12))
        done = publish(session, folder, who=kate, member=kate, stamps=stamps, now=day(12))
        again = published_by(session, kate, folder.with_name("again"), member=kate)
    files = sorted(str(one.relative_to(folder)) for one in folder.rglob("*") if one.is_file())
    assert len(files) == done.files
    assert {"index.html", "verify.html", "record.json", "verify.py"} < set(files)
    assert done.said[0] == "kate: 5 forecasts on 3 questions."
    record = json.loads((folder / "record.json").read_text("utf-8"))
    assert Check(record).faults == []
    assert len(record["stamps"]) == 3
    assert again.files == done.files
    for name in set(files) - {"record.json", "verify.html"}:
        other = folder.with_name("again") / name
        assert (folder / name).read_bytes() == other.read_bytes(), name


def test_a_private_question_is_unpublished(engine: Engine, stamps: Stamps, folder: Path) -> None:
    with act(engine, 12) as (session, kate, now):
        published_by(session, kate, folder, member=kate)
        (folder / "CNAME").write_text("kate.example.org")
        pages = sorted(one.name for one in (folder / "questions").iterdir())
        with pytest.raises(Refused, match="is not empty"):
            published_by(session, kate, folder, member=kate)
        fog = registry.find(session, "fog")
        revise(session, fog, member=kate, now=now, visibility="author")
        published_by(session, kate, folder, member=kate, overwrite=True)
    left = sorted(one.name for one in (folder / "questions").iterdir())
    assert len(left) == len(pages) - 1
    assert (folder / "CNAME").read_text() == "kate.example.org"
    assert list(folder.parent.glob(".record*")) == []


def test_a_record_is_published_by_its_member_its_teams_admin_or_the_ledgers(
    engine: Engine, stamps: Stamps, folder: Path
) -> None:
    with act(engine, 12) as (session, kate, now):  # kate is the ledger's admin
        bob, carol = (member_or_new(session, name, now=now) for name in ("bob", "carol"))
        team = teams.create(session, "harbour", member=kate, now=now)
        teams.set_role(session, team, carol, Role.admin, member=kate, now=now)
        teams.set_role(session, team, bob, Role.forecaster, member=kate, now=now)
        for who in (carol, None):
            with pytest.raises(Forbidden, match="publishes their own record"):
                published_by(session, who, folder, member=bob)
        with pytest.raises(Forbidden, match="bob may not manage the members of"):
            published_by(session, bob, folder, team=team)
        assert not folder.exists()
        for who in (bob, kate):
            done = published_by(session, who, folder / who.handle, member=bob)
            assert done.said[0] == "bob: 1 forecast on 1 question."
            check = checked(folder / who.handle)  # its chain begins with the question
            assert (check.first, check.status) == (2, 0)
        for who in (carol, kate):
            with pytest.raises(NotFound, match="harbour has no forecast that everyone may see"):
                published_by(session, who, folder, team=team)


def test_a_team_with_forecasts_is_published_under_its_name(engine: Engine, folder: Path) -> None:
    with act(engine, 0) as (session, kate, now):
        team = teams.create(session, "harbour", member=kate, now=now)
        teams.add(session, team, kate, member=kate, now=now)
        ask(session, kate, slug="rain")
    forecast(engine, "rain", 1, 0.7)
    with act(engine, 2) as (session, kate, now):
        team = teams.find(session, "harbour")
        done = published_by(session, kate, folder, team=team)
    assert done.said[0] == "harbour (kate): 1 forecast on 1 question."
    record = json.loads((folder / "record.json").read_text("utf-8"))
    record["team"]["row"] = record["team"]["row"].replace("harbour", "haven")
    assert Check(record).faults == ["team 1 does not match entry 3"]


def test_the_list_of_files_is_closed(whole: Path) -> None:
    check = checked(whole)
    assert check.faults == []
    listed = json.loads((whole / "record.json").read_text("utf-8"))["files"]
    every = {one.relative_to(whole).as_posix() for one in whole.rglob("*") if one.is_file()}
    assert every == {*listed, "record.json"}
    assert f"Pages: {len(listed)} files compared with their hashes. Hash of rec" in check.said[-1]


def test_a_record_without_its_pages_is_checked_alone(whole: Path, folder: Path) -> None:
    folder.mkdir()
    for name in ("record.json", "verify.py"):
        copy(whole / name, folder)
    check = checked(folder)
    assert check.status == 0
    assert "Pages: none found in this folder. Hash of record.json: " in check.said[-1]


def test_a_history_that_does_not_verify_is_not_published(
    engine: Engine, stamps: Stamps, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = publishing.record_json
    monkeypatch.setattr(
        publishing, "record_json", lambda *given: data(*given).replace(":0.7,", ":0.8,")
    )
    with act(engine, 12) as (session, kate, _), pytest.raises(Refused) as refused:
        published_by(session, kate, folder, member=kate)
    said = "The record cannot be proved: forecast 1 of rain does not match entry"
    assert said in str(refused.value)
    assert not folder.exists()
