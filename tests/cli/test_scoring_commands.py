"""score, crowd and attribute agree on a folder and the ledger it was imported into."""

import io
from pathlib import Path

import pandas as pd
import pytest
from click.testing import Result

from scoring import PROTOCOLS
from tests.cli.conftest import Clock, Run

pytestmark = pytest.mark.slow

EXAMPLES = Path(__file__).parents[1] / "scoring" / "examples"


def table(result: Result) -> pd.DataFrame:
    return pd.read_csv(io.StringIO(result.stdout))


def test_a_folder_and_the_ledger_that_it_was_imported_into_agree(
    forecasts: Run, clock: Clock
) -> None:
    clock("2027-01-01T00:00:00Z")
    folder = str(EXAMPLES / "everything")
    forecasts("import", folder)
    protocols = [part for name in PROTOCOLS for part in ("--protocol", name)]
    answered = {"bridge", "mayor", "tolls", "turnout", "rain", "thaw"}
    for command in (
        ("score", *protocols),
        ("crowd", "--method", "recency_weighted", "--at", "2026-01-11T00:00:00Z"),
        ("attribute", "--by", "update", "--protocol", "log"),
        ("attribute", "--by", "publisher"),
    ):
        name, *options = command
        found = [table(forecasts(name, *where, *options)) for where in ([folder], [])]
        # The row of a forecast in its frame differs.
        alike = [frame.drop(columns="forecast", errors="ignore") for frame in found]
        assert len(alike[0]) > 1
        assert name != "score" or set(alike[0]["question_id"]) == answered
        pd.testing.assert_frame_equal(*alike, check_exact=True, obj=name)


def test_a_rule_so_many_days_before_the_close_is_a_protocol(forecasts: Run) -> None:
    path = str(EXAMPLES / "everything")
    scored = table(forecasts("score", path, "--protocol", "brier_lead(10)"))
    found = {(q, who): s for q, who, s in scored[["question_id", "forecaster", "score"]].to_numpy()}
    # Ten days before the 23rd: 50%, 0% and 30% that there is a toll; there is none.
    assert [found["tolls", who] for who in ("ana", "ben", "eva")] == pytest.approx([0.25, 0, 0.09])
    # The bridge had opened by then.
    assert "bridge" not in scored["question_id"].unique()


def test_a_protocol_that_does_not_exist_is_refused_with_those_that_do(forecasts: Run) -> None:
    for name in ("brier_lead", "brier_lead(soon)", "brier_lead(9999999)", "quadratic"):
        refused = forecasts.refused("score", str(EXAMPLES / "everything"), "--protocol", name)
        assert f"There is no protocol '{name}'" in refused


def test_beside_others_the_command_for_ones_own_report_is_named(
    forecasts: Run, tmp_path: Path
) -> None:
    forecasts("ask", "Will it rain?", "30%", "--closes", "2026-01-20", "--slug", "rain")
    assert forecasts("report").stderr == ""
    forecasts("update", "rain", "40%", "--as", "bob")
    said = "Yours alone: forecasts report --by forecaster --name alice\n"
    beside = forecasts("report")
    assert beside.stderr == said
    assert said not in beside.stdout
    output = ("--output", str(tmp_path / "report.txt"))
    for other in (("--format", "md"), output):
        assert "Yours alone" not in forecasts("report", *other).stderr


def test_a_report_on_a_folder_counts_likely_duplicates(
    forecasts: Run, clock: Clock, tmp_path: Path
) -> None:
    clock("2027-01-01T00:00:00Z")
    asked = "Will Sundlink open the Brega tunnel?,binary,2026-01-01T00:00Z,2026-01-20T12:00Z,yes"
    head = "question_id,title,type,open_time,scheduled_close_time,resolution,family"
    (tmp_path / "forecasts.csv").write_text(
        "question_id,forecaster,made_at,probability\n"
        "a,ana,2026-01-02T00:00Z,0.7\nb,ana,2026-01-02T00:00Z,0.7\n"
    )
    for families, said in ((("", "tunnel"), True), (("tunnel", "tolls"), False)):
        lines = [f"{slug},{asked},{name}" for slug, name in zip("ab", families, strict=True)]
        (tmp_path / "questions.csv").write_text("\n".join([head, *lines]) + "\n")
        report = forecasts("report", str(tmp_path), "--by", "forecaster", "--format", "md")
        assert ("1 pair of questions" in report.stdout) == said
