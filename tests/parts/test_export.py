"""A ledger's database as a folder of parts: what an export holds, for each reader."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from click.testing import Result
from sqlalchemy import Engine
from sqlmodel import select
from typer.testing import CliRunner

import scoring
from forecasts.access import visibility
from forecasts.cli.main import app
from forecasts.exporting.export import exported
from forecasts.ledger import database
from forecasts.ledger.models import Member
from forecasts.parts.export import export_parts
from forecasts.parts.folder import open_parts
from forecasts.scores import forecast_columns
from tests.conftest import KINDS, day
from tests.exporting.test_export import fill

pytestmark = pytest.mark.slow


@pytest.fixture
def filled(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Engine:
    """A ledger that is read in several batches."""
    monkeypatch.setattr(forecast_columns, "BATCH", 3)
    fill(engine)
    return engine


def test_the_parts_hold_the_export_of_their_reader(filled: Engine, tmp_path: Path) -> None:
    with database.reading(filled) as session:
        who = session.exec(select(Member).where(Member.handle == "b, ob")).one()
        visibility.read_as(session, who, now=day(7))
        frames, omitted = exported(session, member=who, now=day(7))
        made, left_out = export_parts(session, tmp_path / "parts", member=who, now=day(7), parts=2)
    assert left_out == omitted
    assert open_parts(tmp_path / "parts") == made
    questions = pd.concat([made.questions(part) for part in range(2)])
    assert "private" not in questions["question_id"].tolist()
    pd.testing.assert_frame_equal(
        questions.sort_values("question_id", ignore_index=True),
        frames.questions.sort_values("question_id", ignore_index=True),
    )
    keys = ["question_id", "forecaster", "made_at"]
    parts = pd.concat(
        [made.forecasts(part).astype({keys[0]: "str", keys[1]: "str"}) for part in (0, 1)]
    )
    plain = [*keys, "probability", "rationale"]
    pd.testing.assert_frame_equal(
        parts[plain].fillna({"rationale": ""}).sort_values(keys, ignore_index=True),
        frames.forecasts[plain].sort_values(keys, ignore_index=True),
    )
    for table in ("teams", "evidence", "articles"):
        pd.testing.assert_frame_equal(made.whole(table), getattr(frames, table))


@pytest.mark.parametrize("kind", KINDS[:1])  # commands only parse and call verbs
def test_the_command_prints_its_result_and_refuses_options_that_do_not_fit(
    filled: Engine, ledger_url: str, tmp_path: Path
) -> None:
    def export(*options: str, exit_code: int = 0) -> Result:
        command = ["export", str(tmp_path / "parts"), *options, "--database", ledger_url]
        result = CliRunner().invoke(app, [*command, "--as", "alice"])
        assert result.exit_code == exit_code, result.output + str(result.exception)
        return result

    made = export("--parquet", "--parts", "3")
    assert "18 forecasts on 6 questions in 3 parts" in made.stdout
    assert "an empty folder" in export("--parquet", exit_code=2).stderr
    assert "Leave out --format" in export("--parquet", "--proofs", exit_code=2).stderr
    assert "Add --parquet" in export("--parts", "3", exit_code=2).stderr
    questions, forecasts = open_parts(tmp_path / "parts").read(0)
    assert scoring.score(questions, forecasts).empty  # none is resolved
