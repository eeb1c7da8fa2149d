"""Tables and folders, as input and output of commands."""

import io
import json
from pathlib import Path

import pandas as pd
import pytest

from tests.cli.conftest import Clock, Fill, Run

pytestmark = pytest.mark.slow


def test_an_export_names_its_omissions_beside_the_files(
    forecasts: Run, clock: Clock, tmp_path: Path
) -> None:
    closes = ("--closes", "2026-01-15")
    forecasts("ask", "Rain?", "40%", "--slug", "rain", "--criteria", "At noon.", *closes)
    bounds = ("--type", "numeric", "--lower", "0", "--upper", "30")
    forecasts("ask", "How much?", "10%=3, 50%=9, 90%=21", *bounds, *closes)
    clock("2026-01-16")
    forecasts("resolve", "rain", "yes")
    assert forecasts("export", str(tmp_path / "one")).stderr == ""
    forecasts("resolve", "rain", "no")
    exported = forecasts("export", str(tmp_path / "two"))
    assert "Left out" in exported.stderr
    assert "1 earlier resolution, proposal, rejection or withdrawal" in exported.stderr
    assert "Left out" not in exported.stdout
    given = (str(tmp_path / "out"), "--format", "metaculus")
    written = forecasts("export", *given)
    assert len(written.stdout.splitlines()) == 4
    assert "1 text of resolution criteria" in written.stderr
    rows = pd.read_csv(tmp_path / "out" / "forecast_data.csv")
    assert rows["Probability Yes"].dropna().tolist() == [0.4]
    assert forecasts("import", given[0]).stdout.startswith("Imported 4 printed scores.\n")
    assert "is not empty" in forecasts.refused("export", *given)


@pytest.fixture
def filled(forecasts: Run, clock: Clock, filled_once: Fill) -> Run:
    """The command line on a ledger with something to score, aggregate and attribute."""

    def fill() -> None:
        forecasts("ask", "Will it rain?", "--closes", "2026-01-15T12:00:00Z", "--slug", "rain")
        forecasts("update", "rain", "40%")
        clock("2026-01-10T12:00:00Z")
        forecasts("update", "rain", "70%", "--evidence", "clouds", "--supports")
        clock("2026-01-16T12:00:00Z")
        forecasts("resolve", "rain", "yes", "--known-at", "2026-01-15T12:00:00Z")

    filled_once(fill)
    clock("2026-01-16T12:00:00Z")
    return forecasts


@pytest.mark.parametrize("command", [("score",), ("attribute", "--by", "evidence")], ids=" ".join)
def test_a_table_takes_its_format_from_the_ending_of_the_file(
    filled: Run, tmp_path: Path, command: tuple[str, ...]
) -> None:
    printed = filled(*command).stdout
    frame = pd.read_csv(io.StringIO(printed), keep_default_na=False, dtype=str)
    assert len(frame) >= 1
    for ending in ("csv", "json", "PARQUET"):
        assert filled(*command, "-o", str(tmp_path / f"table.{ending}")).stdout == ""
    assert (tmp_path / "table.csv").read_text() == printed
    documents = json.loads((tmp_path / "table.json").read_text())
    assert [list(document) for document in documents] == [list(frame)] * len(frame)
    stored = pd.read_parquet(tmp_path / "table.PARQUET")
    assert list(stored) == list(frame)
    numbers = list(stored.select_dtypes("number"))
    assert numbers
    as_printed = frame[numbers].replace("", "nan").astype(float)
    pd.testing.assert_frame_equal(stored[numbers].astype(float), as_printed, check_exact=True)


def test_the_format_option_outranks_the_ending_and_an_unknown_ending_is_refused(
    filled: Run, tmp_path: Path
) -> None:
    filled("score", "--format", "json", "-o", str(tmp_path / "table.csv"))
    assert isinstance(json.loads((tmp_path / "table.csv").read_text()), list)
    refused = filled.refused("score", "-o", str(tmp_path / "table.xlsx"))
    assert "'.xlsx'" in refused
    assert "--format" in refused
    assert not (tmp_path / "table.xlsx").exists()


OVER_FAMILIES = (
    "families,per_question,per_question_lower,per_question_upper,"
    "dated,late,compared,followed,days_ahead"
)
HEADERS = {
    ("score",): "question_id,forecaster,protocol,score,coverage,updates",
    ("crowd",): "question_id,at,forecasters,p",
    ("attribute",): "question_id,forecaster,made_at,remaining,score_before,score,points,promised,"
    "surprise,evidence",
    ("attribute", "--by", "evidence"): "evidence_id,title,publisher,kind,citations,updates,"
    f"questions,points,{OVER_FAMILIES}",
    ("attribute", "--by", "kind"): f"kind,citations,updates,questions,points,{OVER_FAMILIES}",
}


@pytest.mark.parametrize("source", ["empty folder", "nobody forecast"])
def test_a_table_without_rows_keeps_its_columns(
    forecasts: Run, tmp_path: Path, source: str
) -> None:
    where: list[str] = []
    if source == "empty folder":
        forecasts("export", str(tmp_path / "out"))
        where = [str(tmp_path / "out")]
    else:
        forecasts("ask", "Will it rain?", "--closes", "2026-01-15", "--slug", "rain")
    for command, header in HEADERS.items():
        assert forecasts(*command, *where).stdout == header + "\n"
    forecasts("score", *where, "-o", str(tmp_path / "table.parquet"))
    assert list(pd.read_parquet(tmp_path / "table.parquet")) == HEADERS["score",].split(",")


def test_an_import_names_every_bad_row_of_every_file_and_takes_nothing(
    forecasts: Run, tmp_path: Path
) -> None:
    (tmp_path / "questions.csv").write_text(
        "question_id,open_time,scheduled_close_time\nrain,2026-01-01T00:00:00Z\n"
        "snow,2026-01-01T00:00:00Z,2026-01-11T00:00:00Z\n"
    )
    (tmp_path / "forecasts.csv").write_text(
        "question_id,forecaster,made_at,probability\nsnow,bob,2026-01-02T00:00:00Z,7\n"
    )
    refused = forecasts.refused("import", str(tmp_path))
    assert "questions.csv, line 2: " in refused
    assert "forecasts.csv, line 2, column probability" in refused
    assert "No questions" in forecasts("questions").stdout
