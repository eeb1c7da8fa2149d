"""A forecast's receipt is printed as JSON, and verify proves it in words."""

import json
import shutil
from pathlib import Path

import pytest

from forecasts.common.settings import sqlite_url
from tests.cli.conftest import Clock, Run, in_a_file

pytestmark = [pytest.mark.slow, in_a_file]


@pytest.fixture
def receipts(forecasts: Run, clock: Clock, tmp_path: Path) -> Path:
    """The file with the receipts of a forecast and of its withdrawal."""
    forecasts("ask", "Will it rain?", "--closes", "2026-02-15", "--slug", "rain")
    answers = [forecasts.printed("update", "rain", "60%")]
    clock("2026-01-06T12:00:00Z")
    answers.append(forecasts.printed("withdraw", "rain"))
    file = tmp_path / "receipts"
    file.write_text("\n".join(map(json.dumps, answers)))
    return file


def test_receipts_prove_forecasts_in_words_on_the_ledger_and_on_a_backup(
    forecasts: Run, receipts: Path, tmp_path: Path
) -> None:
    backup = str(tmp_path / "backup.sqlite3")
    forecasts("backup", backup)
    for where in ((), ("--database", backup)):
        said = forecasts("verify", "--receipt", str(receipts), *where).stdout.splitlines()
        assert said[-2:] == [
            "Proved: alice, 60% on rain, 2026-01-05 12:00 UTC: entry 4, unchanged since.",
            "Proved: alice, withdrawn on rain, 2026-01-06 12:00 UTC: entry 5, unchanged since.",
        ]


def test_a_folder_exported_with_proofs_proves_a_receipt(
    forecasts: Run, receipts: Path, tmp_path: Path
) -> None:
    folder = str(tmp_path / "folder")
    assert "proofs.jsonl" in forecasts("export", folder, "--proofs").stdout
    check = ("verify", "--receipt", str(receipts), "--database", folder)
    said = forecasts(*check).stdout.splitlines()
    assert said[0] == (
        "Proved: alice, 60% on rain, 2026-01-05 12:00 UTC: the folder has this forecast as it was "
        "recorded."
    )
    file = tmp_path / "folder" / "forecasts.csv"
    file.write_text(file.read_text().replace("0.6", "0.7"))
    assert "forecasts.csv does not have it" in forecasts(*check, exit_code=1).stderr
    document = forecasts.printed(*check, exit_code=1)
    assert [one["finding"] for one in document["receipts"]] == ["altered_folder", "proved"]
    assert "has no chain" in forecasts.refused(*check, "--scores")
    forecasts("export", folder, "--overwrite")
    assert "has no proofs" in forecasts.refused(*check)


def test_receipts_that_were_altered_are_named_and_the_exit_code_is_1(
    forecasts: Run, receipts: Path
) -> None:
    one = json.loads(receipts.read_text().splitlines()[0])["receipt"]
    receipts.write_text(json.dumps([one] * 21 + [{**one, "number": 7}] * 25))
    said = forecasts("verify", "--receipt", str(receipts), exit_code=1)
    assert said.stdout.count("Proved: alice, 60% on rain") == 20
    assert said.stdout.endswith("unchanged since.\n… and 1 more.\n")
    assert said.stderr.count("The receipt of entry 4 was altered") == 20
    assert said.stderr.endswith("… and 5 more.\n")
    document = forecasts.printed("verify", "--receipt", str(receipts), exit_code=1)
    assert document["whole"]
    findings = [one["finding"] for one in document["receipts"]]
    assert findings == ["proved"] * 21 + ["altered_receipt"] * 25


def test_a_receipt_of_another_ledger_or_a_missing_file_is_named(
    forecasts: Run, receipts: Path, empty_ledger: Path, tmp_path: Path
) -> None:
    other = sqlite_url(Path(shutil.copy(empty_ledger, tmp_path / "other.sqlite3")))
    said = forecasts("verify", "--receipt", str(receipts), "--database", other, exit_code=1)
    assert "The receipt of entry 4 is of another ledger" in said.stderr
    refused = forecasts.refused("verify", "--receipt", str(tmp_path / "none"))
    assert "cannot be read: No such file" in refused
