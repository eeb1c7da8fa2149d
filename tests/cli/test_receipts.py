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
    assert (
        "forecasts.csv differs from the forecast recorded" in forecasts(*check, exit_code=1).stderr
    )
    document = forecasts.printed(*check, exit_code=1)
    assert [one["finding"] for one in document["receipts"]] == ["altered_folder", "proved"]
    assert "it is not a ledger" in forecasts.refused(*check, "--scores")
    forecasts("export", folder, "--overwrite")
    assert "has no proofs" in forecasts.refused(*check)


def test_receipts_are_checked_where_the_ledger_is_not(
    forecasts: Run, receipts: Path, clock: Clock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    forecasts("export", str(tmp_path / "folder"), "--proofs")
    forecasts("publish", str(tmp_path / "record"))
    digest = json.loads(receipts.read_text().splitlines()[1])["receipt"]["hash"]
    monkeypatch.setenv("FORECASTS_DATABASE_URL", sqlite_url(tmp_path / "none.sqlite3"))

    def said(proofs: str, exit_code: int = 0) -> str:
        done = forecasts(
            "verify", "--receipt", str(receipts), "--proofs", proofs, exit_code=exit_code
        )
        return str(done.stdout + done.stderr)

    assert said(str(tmp_path / "folder")).count("as it was recorded") == 2
    assert said(str(tmp_path / "record")).count("unchanged since") == 2
    last = said(f"5-{digest}", exit_code=1)
    assert "Proved: forecast 2 is entry 5, whose digest you have." in last
    assert "is for entry 4; a digest proves only its own: 5." in last
    receipts.write_text(receipts.read_text().replace('"row_id": 2', '"row_id": 7'))
    assert said(str(tmp_path / "record"), exit_code=1).count("was altered") == 1
    assert not (tmp_path / "none.sqlite3").exists()
    assert "only be compared with receipts" in forecasts.refused("verify", "--proofs", digest)


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
