"""Moving between the ledger and Metaculus's exports on the command line."""

from pathlib import Path

import pandas as pd
import pytest

from tests.cli.conftest import Clock, Run

pytestmark = pytest.mark.slow


def test_an_export_as_metaculus_names_omissions_and_imports_as_nothing_new(
    forecasts: Run, clock: Clock, tmp_path: Path
) -> None:
    forecasts("ask", "Will it rain?", "--closes", "2026-01-15T12:00:00Z", "--slug", "rain",
              "--criteria", "By the gauge at noon.")  # fmt: skip
    forecasts("ask", "How much?", "--type", "numeric", "--lower", "0", "--upper", "30",
              "--slug", "much", "--closes", "2026-01-15T12:00:00Z")  # fmt: skip
    forecasts("update", "rain", "40%")
    forecasts("update", "much", "10%=3, 50%=9, 90%=21")
    clock("2026-01-10T12:00:00Z")
    forecasts("update", "rain", "70%")
    clock("2026-01-16T12:00:00Z")
    forecasts("resolve", "rain", "yes", "--known-at", "2026-01-15T12:00:00Z")
    written = forecasts("export", str(tmp_path / "out"), "--format", "metaculus")
    assert len(written.stdout.splitlines()) == 4
    assert "1 text of resolution criteria" in written.stderr
    rows = pd.read_csv(tmp_path / "out" / "forecast_data.csv")
    assert rows["Probability Yes"].dropna().tolist() == [0.4, 0.7]
    again = forecasts("import", str(tmp_path / "out"))
    assert again.stdout.splitlines()[0] == "Imported 4 printed scores."
    again = forecasts("export", str(tmp_path / "out"), "--format", "metaculus", exit_code=2)
    assert "is not empty" in again.stderr
