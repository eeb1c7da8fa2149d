"""A ledger with forecasts to publish, stamped after each of its first days."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext
from rfc3161_client import HashAlgorithm, TimestampRequestBuilder
from sqlalchemy import Engine
from sqlmodel import Session

from forecasts.access.members import member_or_new
from forecasts.common.settings import sqlite_url
from forecasts.ledger import append, database
from forecasts.ledger.clock import TIME
from forecasts.ledger.models import LinkKind, Member
from forecasts.ledger.verification import newest
from forecasts.publication.proof import record_json
from forecasts.publication.publish import publish
from forecasts.publication.record import published
from forecasts.questions import registry
from forecasts.questions.conditions import register_conditional
from forecasts.questions.links import link
from forecasts.questions.revisions import reworded
from forecasts.resolution.confirmation import confirm
from forecasts.updates import updates
from forecasts.values.value import Value
from tests.app.browsing import profiled
from tests.conftest import KINDS, ask, day
from tests.operations.timestamping import Authority

Stamps = dict[str, bytes]  # by the digests


@pytest.fixture
def kind() -> str:
    """One database is enough: ``test_record`` and ``test_proof`` read records of both."""
    return KINDS[0]


@contextmanager
def act(engine: Engine, at: float) -> Iterator[tuple[Session, Member, datetime]]:
    """Yield a session for one act at that day, kate, who acts, and the time."""
    with database.writing(engine) as session:
        session.info[TIME] = day(at)
        yield session, member_or_new(session, "kate", now=day(at)), day(at)


def forecast(engine: Engine, slug: str, at: float, value: Value | float, why: str = "") -> None:
    with act(engine, at) as (session, kate, now):
        made = Value(probability=value) if isinstance(value, float) else value
        question = registry.find(session, slug)
        updates.update(session, question, made, member=kate, now=now, rationale=why)


def stamp(engine: Engine, authority: Authority, at: float) -> tuple[str, bytes]:
    """Return the newest digest and its stamp at that day."""
    with database.reading(engine) as session:
        digest = newest(session)
    return digest, stamp_of(digest, authority, at)


def stamp_of(digest: str, authority: Authority, at: float) -> bytes:
    """Return the stamp of a digest at that day."""
    authority.at = day(at)
    query = TimestampRequestBuilder(digest.encode(), HashAlgorithm.SHA256).build()
    return authority.answer(query.as_bytes())


def fill(engine: Engine, authority: Authority) -> Stamps:
    """Return the stamps of a ledger of kate's and bob's forecasts, which is written."""
    with act(engine, 0) as (session, kate, _):
        for slug in ("rain", "fog"):
            ask(session, kate, slug=slug)
        ask(session, kate, slug="mine", visibility="author")
        ask(session, kate, slug="wind", type="multiple_choice", options=["N", "E", "S"])
    forecast(engine, "rain", 1, 0.7, "Clouds, “perhaps”.")
    with act(engine, 1.1) as (session, _, now):
        bob = member_or_new(session, "bob", now=now)
        rain = registry.find(session, "rain")
        updates.update(session, rain, Value(probability=0.35), member=bob, now=now)
    stamps = dict([stamp(engine, authority, 1.5)])
    forecast(engine, "mine", 2, 0.15)
    forecast(engine, "wind", 2, Value(probabilities=(0.2, 0.3, 0.5)))
    forecast(engine, "fog", 2, 0.1 + 0.2)
    stamps |= dict([stamp(engine, authority, 2.5)])
    forecast(engine, "rain", 4, 0.9)
    forecast(engine, "wind", 4, Value(probabilities=(0.1, 0.1, 0.8)))
    with act(engine, 11) as (session, kate, now):
        for slug, outcome in (("rain", "yes"), ("wind", "S")):
            question = registry.find(session, slug)
            confirm(session, question, outcome, member=kate, now=now, known_at=day(10), note="So.")
    return stamps | dict([stamp(engine, authority, 11.5)])


def record_text(engine: Engine, stamps: Stamps, **choice: Any) -> str:
    """Return kate's record.json."""
    with database.reading(engine) as session:
        kate = member_or_new(session, "kate", now=day(12))
        record = published(session, member=kate, now=day(12), **choice)
        return record_json(session, record, stamps)


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BrowserContext]:
    """A browser for a module's tests; while it is open, other tests cannot run a loop."""
    with profiled(tmp_path_factory.mktemp("profile")) as context:
        yield context


@pytest.fixture(scope="session")
def authority() -> Authority:
    return Authority()


@dataclass(frozen=True)
class Filled:
    """A ledger of kate's and bob's forecasts in a file, and its stamps."""

    file: Path
    stamps: Stamps


@pytest.fixture(scope="session")
def filled(
    empty_ledger: Path, authority: Authority, tmp_path_factory: pytest.TempPathFactory
) -> Filled:
    """A ledger that is made once, and copied for each test that changes it."""
    file = tmp_path_factory.mktemp("published") / "ledger.sqlite3"
    engine = database.open_engine(sqlite_url(Path(shutil.copy(empty_ledger, file))))
    stamps = fill(engine, authority)
    engine.dispose()
    return Filled(file, stamps)


@pytest.fixture(scope="session")
def tied(empty_ledger: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Kate's record.json of a ledger with a conditional, a condition on a number, and a link."""
    file = tmp_path_factory.mktemp("tied") / "ledger.sqlite3"
    engine = database.open_engine(sqlite_url(Path(shutil.copy(empty_ledger, file))))
    scale = {"type": "numeric", "lower_bound": "0", "upper_bound": "30"}
    with act(engine, 0) as (session, kate, now):
        by: dict[str, Any] = {"member": kate, "now": now}
        rain, fog = (ask(session, kate, slug=slug) for slug in ("rain", "fog"))
        much, mine = (
            ask(session, kate, slug="much", **scale),
            ask(session, kate, slug="mine", visibility="author"),
        )
        for other in (fog, mine):
            link(session, rain, other, LinkKind.causes, **by)
        text = reworded(registry.newest_wording(session, fog), title="Then?", family="")
        branches = [
            *register_conditional(session, rain, text, **by),
            *register_conditional(session, much, text, outcomes=["..10", "10.."], **by),
        ]
        for one in (fog, rain, *(branch.state.question for branch in branches)):
            updates.update(session, one, Value(probability=0.4), **by)
        updates.update(session, much, Value(quantiles={"0.1": 1.0, "0.5": 5.0, "0.9": 20.0}), **by)
    with act(engine, 11) as (session, kate, now):
        for slug, outcome in (("rain", "yes"), ("much", "10")):
            question = registry.find(session, slug)
            confirm(session, question, outcome, member=kate, now=now, known_at=day(10))
    text = record_text(engine, {})
    engine.dispose()
    return text


@pytest.fixture
def stamps(engine: Engine, filled: Filled, authority: Authority) -> Stamps:
    """The stamps of the test's ledger, which is filled."""
    if engine.dialect.name != "sqlite":
        return fill(engine, authority)
    with (
        closing(sqlite3.connect(filled.file)) as whole,
        closing(sqlite3.connect(str(engine.url.database))) as own,
    ):
        whole.backup(own)
    return filled.stamps


@pytest.fixture(scope="session")
def kept(filled: Filled) -> str:
    """Kate's record.json, from a file, made once."""
    engine = database.open_engine(sqlite_url(filled.file))
    text = record_text(engine, filled.stamps)
    engine.dispose()
    return text


@pytest.fixture(scope="session")
def whole(filled: Filled, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Kate's published folder, from a file, made once."""
    folder = tmp_path_factory.mktemp("whole") / "record"
    engine = database.open_engine(sqlite_url(filled.file))
    with database.reading(engine) as session:
        kate = member_or_new(session, "kate", now=day(12))
        publish(session, folder, who=kate, member=kate, stamps=filled.stamps, now=day(12))
    engine.dispose()
    return folder


@pytest.fixture
def record(kept: str) -> Any:
    """The contents of kate's record.json, to tamper with."""
    return json.loads(kept)


@contextmanager
def earlier_release(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let rows without words get no salt meanwhile, as in earlier releases."""
    with monkeypatch.context() as patch:
        patch.setattr(append, "new_salt", lambda: None)
        patch.setattr(append, "words_hash", lambda _salt, _personal: None)
        yield
