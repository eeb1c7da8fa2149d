"""score, crowd and attribute agree on a folder and the ledger it was imported into."""

import io
from itertools import cycle
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import Result

from scoring import PROTOCOLS
from tests.cli.conftest import Clock, Run

pytestmark = pytest.mark.slow

EXAMPLES = Path(__file__).parents[1] / "scoring" / "examples"
FOLDERS = [
    "everything",
    *(pytest.param(name, marks=pytest.mark.long) for name in ("metaculus", "gjo")),
]


def table(result: Result) -> pd.DataFrame:
    return pd.read_csv(io.StringIO(result.stdout))


@pytest.mark.parametrize("name", FOLDERS)
def test_a_folder_and_the_ledger_that_it_was_imported_into_agree(
    forecasts: Run, clock: Clock, name: str
) -> None:
    clock("2027-01-01T00:00:00Z")
    folder = str(EXAMPLES / name)
    forecasts("import", folder)
    score_alike_by_every_protocol(forecasts, folder)
    hold_the_same_crowd(forecasts, folder)
    attribute_alike(forecasts, folder)


def score_alike_by_every_protocol(forecasts: Run, folder: str) -> None:
    protocols = [part for name in PROTOCOLS for part in ("--protocol", name)]
    from_folder, from_ledger = (
        forecasts("score", *where, *protocols).stdout for where in ([folder], [])
    )
    assert from_folder == from_ledger
    assert len(from_folder.splitlines()) > len(PROTOCOLS)


def hold_the_same_crowd(forecasts: Run, folder: str) -> None:
    methods = ("mean", "median", "recency_weighted", "geometric_odds", "extremized")
    for method, at in zip(methods, cycle([(), ("--at", "2026-01-11T00:00:00Z")]), strict=False):
        from_folder, from_ledger = (
            forecasts("crowd", *where, "--method", method, *at).stdout for where in ([folder], [])
        )
        assert from_folder == from_ledger, (method, at)


def attribute_alike(forecasts: Run, folder: str) -> None:
    ways = zip(["update", "evidence", "publisher", "kind"], cycle(["brier", "log"]), strict=False)
    for by, protocol in ways:
        from_folder, from_ledger = (
            table(forecasts("attribute", *where, "--by", by, "--protocol", protocol))
            for where in ([folder], [])
        )
        # The row of a forecast in its frame differs, and the number of evidence.
        own = [name for name in ("forecast", "evidence_id") if name in from_folder]
        alike = from_folder.drop(columns=own), from_ledger.drop(columns=own)
        pd.testing.assert_frame_equal(*alike, obj=f"by {by} under {protocol}")


def test_every_number_of_the_folder_with_everything_is_there(forecasts: Run) -> None:
    path = str(EXAMPLES / "everything")
    scored = table(forecasts("score", path, "--protocol", "brier", "--protocol", "crps"))
    assert scored.groupby("protocol")["question_id"].unique().map(list).to_dict() == {
        "brier": ["bridge", "mayor", "tolls", "turnout"],
        "crps": ["rain", "thaw"],
    }
    assert np.isfinite(scored["score"]).all()


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
        result = forecasts("score", str(EXAMPLES / "everything"), "--protocol", name, exit_code=2)
        assert f"There is no protocol '{name}'" in " ".join(result.stderr.split())


def test_beside_others_the_command_for_ones_own_report_is_named(
    forecasts: Run, clock: Clock, tmp_path: Path
) -> None:
    forecasts("ask", "Will it rain?", "30%", "--closes", "2026-01-20", "--slug", "rain")
    assert forecasts("report").stderr == ""
    forecasts("update", "rain", "40%", "--as", "bob")
    said = "Yours alone: forecasts report --by forecaster --name alice\n"
    assert forecasts("report").stderr == said
    assert said not in forecasts("report").stdout
    for other in (
        ("--format", "md"),
        ("--by", "forecaster"),
        ("--output", str(tmp_path / "report.txt")),
    ):
        assert "Yours alone" not in forecasts("report", *other).stderr
