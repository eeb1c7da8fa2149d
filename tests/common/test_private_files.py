"""Only this user may read what holds secrets or what nobody else may see."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from forecasts.access.members import member_or_new
from forecasts.agenda.notifications import channels
from forecasts.common.sealed_secrets import key_file
from forecasts.common.settings import sqlite_url
from forecasts.ledger import database, schema
from forecasts.operations import backup
from forecasts.publication.forecast_proofs import write_proofs
from tests.conftest import day

pytestmark = pytest.mark.skipif(os.name != "posix", reason="Windows has other permissions")


@pytest.fixture
def usual_mask() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)


@pytest.mark.usefixtures("usual_mask")
def test_files_of_a_ledger_are_its_owners_alone(tmp_path: Path) -> None:
    ledger = tmp_path / "ledger.sqlite3"
    engine = database.open_engine(sqlite_url(ledger))
    schema.make_ready(engine)
    with database.writing(engine) as session:
        alice = member_or_new(session, "alice", now=day(0))
        channels.add(session, "phone", "ntfy://kate:pw@ntfy.sh/x", member=alice, now=day(0))
        write_proofs(session, tmp_path, member=alice, now=day(1))
    backup.back_up(engine, tmp_path / "backup.sqlite3")
    assert {one.name for one in tmp_path.glob("ledger*")} >= {"ledger.sqlite3-wal"}
    modes = {one: stat.S_IMODE(one.stat().st_mode) for one in tmp_path.iterdir()}
    backup.restore(engine, tmp_path / "backup.sqlite3", now=day(2))
    engine.dispose()
    modes |= {one: stat.S_IMODE(one.stat().st_mode) for one in [*tmp_path.iterdir(), key_file()]}
    assert len(modes) == 8, modes
    assert set(modes.values()) == {0o600}, modes
