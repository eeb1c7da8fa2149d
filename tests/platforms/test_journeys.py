"""Each format comes into a ledger, scored as computed directly; the second time nothing is new."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from sqlalchemy import Engine
from sqlmodel import col, select

import scoring
from forecasts.access.members import member_or_new
from forecasts.access.visibility import read_as
from forecasts.importing.record import Preview, import_record
from forecasts.ledger import database
from forecasts.ledger.models import Forecast, Member, MemberKind, PrintedScore, QuestionOrigin
from forecasts.ledger.verification import verify
from forecasts.platforms.formats import recognised
from forecasts.platforms.record import Choices, PlatformRecord, check_record
from forecasts.platforms.source import opened
from forecasts.scores.ledger_frames import ledger_frames
from tests.platforms import sheets
from tests.platforms import test_confido as confido
from tests.platforms import test_fatebook as fatebook
from tests.platforms import test_forecastbench as forecastbench
from tests.platforms import test_forecasting_tools as tools
from tests.platforms import test_infer as infer
from tests.platforms import test_manifold as manifold
from tests.platforms import test_predictionbook as predictionbook

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SCORED = {**fatebook.RESOLVED, "brier": "0.18"}
JUDGED = {"last_judgement_at": "2015-05-01T00:00:00.000Z"}
# Each format: its file's name and text, and the (p - outcome)² of its forecasters' last forecasts.
FILES: dict[str, tuple[dict[str, Any], list[float]]] = {
    "fatebook": (
        {
            "f.csv": sheets.table(
                fatebook.row(**SCORED),
                fatebook.row(title="Third?", p="0.5", **SCORED),
                fatebook.row(p="0.9", made="2025-03-02 10:00:0", **SCORED),
                fatebook.row(by="Bo", p="0", **SCORED),
            )
        },
        [0.01, 0.25, 1.0],
    ),
    "predictionbook": (
        {
            "p.json": predictionbook.page(
                predictionbook.prediction(outcome=True, **JUDGED),
                predictionbook.prediction(
                    predictionbook.response(confidence=30), id=42, outcome=False, **JUDGED
                ),
            )
        },
        [0.04, 0.09],
    ),
    "confido": (
        {
            "room.csv": sheets.table(
                confido.row(resolution="1", brier="0.64"),
                confido.row(resolution="1", brier="-3.0", user_id="u2", nick="Bo", probability="0"),
            )
        },
        [0.09, 1.0],
    ),
    "pairs": (
        {
            "sheet.csv": "question,user,date,p,outcome\n"
            "A?,alice,2025-03-01,70,1\nB?,bo,2025-03-01,20,0.25\n"
        },
        [0.09, 0.05**2],
    ),
}


def manifold_files() -> dict[str, Any]:
    paid = {"isResolved": True, "resolution": "MKT", "resolutionProbability": 0.25}
    markets = [
        manifold.market(resolutionTime=manifold.MADE + 9 * manifold.DAY, **paid),
        manifold.choice(id="m2"),
    ]
    bets = [manifold.bet(), manifold.bet(contractId="m2", answerId="b", probAfter=0.7)]
    return {"bets.json": bets, "markets.json": markets}


def infer_files() -> dict[str, Any]:
    answers = [infer.answer(70, "Yes", probability="1.0")]
    resolved = infer.question(answers=answers, resolved_at="2025-02-03T00:00:00Z")
    sets = [infer.forecast((70, "Yes", "0.4"))]
    return {"questions.json": {"questions": [resolved]}, "sets.json": {"prediction_sets": sets}}


def forecastbench_files() -> dict[str, Any]:
    rows = [
        forecastbench.forecast("abc", "manifold", 0.3, reasoning="Because."),
        forecastbench.forecast("DGS10", "fred", 0.4, "2025-03-09"),
    ]
    known = forecastbench.outcome("DGS10", "fred", "2025-03-09", 1.0)
    return {"f.json": forecastbench.forecasts(*rows), "r.json": forecastbench.resolutions(known)}


def tools_files() -> dict[str, Any]:
    known = {"resolution_string": "no", "actual_resolution_time": "2025-05-25T00:00:00Z"}
    stated = tools.points((0.1, -10), (0.5, 40), (0.9, 80))
    numeric = tools.question(**tools.NUMERIC | {"id_of_question": 29})
    reports = [tools.report(about=tools.question(**known)), tools.report(stated, numeric)]
    return {"reports.json": [tools.benchmark(*reports)]}


FILES |= {
    "manifold": (manifold_files(), [(0.6 - 0.25) ** 2]),
    "infer": (infer_files(), [0.36]),
    "forecastbench": (forecastbench_files(), [0.36]),
    "forecasting-tools": (tools_files(), [0.09]),
}


@pytest.mark.parametrize("name", FILES)
def test_a_file_is_recognised_imported_scored_and_known_the_second_time(
    engine: Engine, tmp_path: Path, name: str
) -> None:
    files, squares = FILES[name]
    for file, content in files.items():
        text = content if isinstance(content, str) else json.dumps(content)
        (tmp_path / file).write_text(text, encoding="utf-8")

    def come_in() -> tuple[PlatformRecord, Preview]:
        with opened(tmp_path) as source:
            found, reader = recognised(source)
            assert found == name
            record = reader.read(source, Choices("anna"))
            check_record(record.frames)
        with database.writing(engine) as session:
            member = member_or_new(session, "anna", now=NOW)
            read_as(session, member, now=NOW)
            return record, import_record(session, record, member=member, now=NOW)

    record, first = come_in()
    assert first.counts.questions == len(record.frames.questions)
    assert first.counts.forecasts == len(record.frames.forecasts)
    with database.reading(engine) as session:
        assert verify(session).broken is None
        assert len(session.exec(select(QuestionOrigin)).all()) == first.counts.questions
        frames = ledger_frames(session)
        printed = session.exec(select(PrintedScore)).all()
        origins = set(session.exec(select(Forecast.origin)))
        bots = session.exec(select(Member).where(col(Member.kind) == MemberKind.bot)).all()
    final = scoring.score(frames.questions, frames.forecasts, "brier_final")
    assert sorted(final["score"].round(12)) == pytest.approx(sorted(squares))
    assert len(printed) == len(record.printed)
    assert frames.questions["question_id"].str.startswith(f"{name}-").all()
    are_bots = name in ("forecastbench", "forecasting-tools")
    assert bool(bots) == are_bots
    assert frames.models is not None
    assert (frames.models["model"] != "").all() == are_bots
    kinds = {origin.partition(":")[0] for origin in origins}
    assert kinds == {"implied" if name == "manifold" else "import"}
    assert come_in()[1].changes_nothing
    with database.reading(engine) as session:
        pd.testing.assert_frame_equal(ledger_frames(session).forecasts, frames.forecasts)
