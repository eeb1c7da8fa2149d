"""A command takes no more memory than it may, and says so; unfinished work is not stored."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from sqlmodel import func, select

from forecasts.common import limits
from forecasts.common.settings import sqlite_url
from forecasts.ledger import database
from forecasts.ledger.models import Question
from tests.cli.conftest import Run

pytestmark = [
    pytest.mark.skipif(
        limits.resource is None or sys.platform != "linux", reason="the system has no such limit"
    ),
    pytest.mark.slow,
]
MAIN = "from forecasts.cli.main import main; main()"


def test_a_command_that_needs_more_is_refused_in_a_sentence(
    ledger_file: Path, tmp_path: Path
) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "questions.csv").write_text(
        "question_id,title,type,open_time,scheduled_close_time\n"
        "rain,Will it rain?,binary,2026-01-01T00:00:00Z,2026-12-31T00:00:00Z\n"
    )
    with (tmp_path / "folder" / "forecasts.csv").open("w") as file:
        file.write("question_id,forecaster,made_at,probability,rationale\n")
        for number in range(200_000):
            second = f"{number // 60 % 60:02}:{number % 60:02}.{number:06}Z"
            file.write(f"rain,alice,2026-02-{1 + number % 28:02}T12:{second},0.4,{number:0200}\n")
    own = {"FORECASTS_MEMORY_GB": "0.25", "FORECASTS_DATABASE_URL": str(ledger_file)}
    own |= dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"), "1")  # on any machine
    done = subprocess.run(
        [sys.executable, "-c", MAIN, "import", str(tmp_path / "folder")],
        env=os.environ | own,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Traceback" not in done.stderr
    # Arrow ends the process itself where it cannot raise an error.
    if done.returncode != -signal.SIGABRT:
        assert done.returncode == 1, done.stderr
        assert "needs more memory than FORECASTS_MEMORY_GB allows" in done.stderr
    engine = database.open_engine(sqlite_url(ledger_file))
    with database.reading(engine) as session:
        assert session.exec(select(func.count()).select_from(Question)).one() == 0
    engine.dispose()


def test_a_limit_that_is_not_one_is_refused(
    forecasts: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORECASTS_MEMORY_GB", "-1")
    assert "FORECASTS_MEMORY_GB" in forecasts.refused("questions")
