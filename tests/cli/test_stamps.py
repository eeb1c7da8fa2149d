"""digest --stamp keeps a stamp; verify compares it with the chain; a run has one made each day."""

from pathlib import Path

import pytest

from forecasts.operations.stamps import stamp
from tests.cli.conftest import Clock, Run, in_a_file
from tests.operations.timestamping import Authority, served

pytestmark = [pytest.mark.slow, in_a_file]


def test_a_stamped_digest_proves_the_time_until_the_chain_changes(
    forecasts: Run, authority: Authority, ledger_file: Path
) -> None:
    forecasts("ask", "Will it rain?", "--closes", "2026-02-15", "--slug", "rain")
    stamped = forecasts("digest", "--stamp")
    digest = stamped.stdout.strip()
    file = Path(f"{ledger_file}.proofs") / f"{digest}.tsr"
    assert f"Stamped by Harbour Time at 2026-01-04 00:00 UTC: {file}" in stamped.stderr
    forecasts("update", "rain", "60%")
    said = "Stamped: everything up to entry 3 existed at 2026-01-04 00:00 UTC, says Harbour Time."
    assert said in forecasts("verify").stdout
    document = forecasts.printed("verify")
    assert [one["digest"] for one in document["stamps"]] == [digest]
    # The stamp of another chain: the ledger was rewritten since.
    file.rename(file.with_name(f"2-{'a' * 64}.tsr"))
    assert "proves nothing: Mismatch" in forecasts("verify", exit_code=1).stderr
    file.with_name(f"2-{'a' * 64}.tsr").unlink()
    other = f"2-{'b' * 64}"
    with served(authority) as address:
        root = file.parents[1] / "root.pem"
        stamp(other, address, file.parent, roots=root, allow_private=True)
    broken = forecasts("verify", exit_code=1).stderr
    assert "the chain is intact, but is not the one that the digest is of" in broken


def test_a_run_stamps_once_a_day_and_says_why_it_could_not(
    forecasts: Run, authority: Authority, clock: Clock
) -> None:
    forecasts("ask", "Will it rain?", "--closes", "2026-02-15", "--slug", "rain")
    assert "Stamped by Harbour Time" in forecasts("run").stderr
    assert "tamped" not in forecasts("run").stderr
    clock("2026-01-07T12:00:00Z")
    forecasts("update", "rain", "60%")
    authority.status = 2
    assert "The digest was not stamped: " in forecasts("run").stderr
    authority.status = 0
    assert "Stamped by Harbour Time" in forecasts("run").stderr


def test_a_restore_says_that_later_stamps_contradict_it(
    forecasts: Run, authority: Authority, tmp_path: Path, ledger_file: Path
) -> None:
    backup = str(tmp_path / "backup.sqlite3")
    forecasts("ask", "Will it rain?", "--closes", "2026-02-15", "--slug", "rain")
    forecasts("digest", "--stamp")
    forecasts("backup", backup)
    assert "Stamps of entries" not in forecasts("restore", backup).stderr
    forecasts("update", "rain", "60%")
    forecasts("digest", "--stamp")
    assert "Stamps of entries after this backup: 1." in forecasts("restore", backup).stderr
    assert "gone from the end of the chain" in forecasts("verify", exit_code=1).stderr
    [later] = Path(f"{ledger_file}.proofs").glob("4-*.tsr")
    later.unlink()
    assert "Stamped: everything up to entry" in forecasts("verify").stdout


def test_without_a_server_the_command_names_the_setting(forecasts: Run) -> None:
    forecasts("ask", "Will it rain?", "--closes", "2026-02-15")
    assert "Set FORECASTS_STAMP_URL" in forecasts.refused("digest", "--stamp")
