"""publish writes a record that verify.py proves, with the stamps of the ledger."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from forecasts.publication.verify import Check
from tests.cli.conftest import Run, in_a_file
from tests.operations.timestamping import Authority

pytestmark = [pytest.mark.slow, in_a_file]


def test_a_record_is_published_with_its_stamps(
    forecasts: Run, tmp_path: Path, authority: Authority
) -> None:
    forecasts("ask", "Will it rain?", "--closes", "2026-02-15", "--slug", "rain")
    forecasts("ask", "Will it snow?", "--closes", "2026-02-15", "--slug", "snow")
    forecasts("update", "rain", "60%", "--because", "Clouds.")
    forecasts("update", "snow", "15%")
    authority.at = authority.at.replace(day=5, hour=13)
    forecasts("digest", "--stamp")
    folder = str(tmp_path / "record")
    done = forecasts("publish", folder, "--question", "rain")
    assert "alice: 1 forecast on 1 question." in done.stdout
    assert "Times: 1 of 1 forecast stamped, at most 1.0 hours after being recorded" in done.stdout
    assert re.search(r"Published in \S+record: \d+ files\.", done.stdout)
    left_out = "Not published: 1 question (1 not chosen for this record), with 1 forecast."
    assert left_out in done.stderr
    record = json.loads((tmp_path / "record" / "record.json").read_text("utf-8"))
    assert Check(record).faults == []
    assert len(record["stamps"]) == 1
    assert "is not empty" in forecasts.refused("publish", folder)
    done = forecasts("publish", folder, "--overwrite")
    assert "alice: 2 forecasts on 2 questions." in done.stdout
    assert done.stderr == ""


def test_a_choice_without_a_record_lists_the_records(forecasts: Run, tmp_path: Path) -> None:
    forecasts("ask", "Will it rain?", "--closes", "2026-02-15", "--slug", "rain")
    folder = str(tmp_path / "record")
    for options, said in (
        (("--member", "alice", "--team", "harbour"), "not both"),
        (("--team", "harbour"), "no team 'harbour'"),
        ((), "alice has no forecast that everyone may see"),
        (("--as", "nobody"), "Name one with --member or --team"),
    ):
        assert said in forecasts.refused("publish", folder, *options)


def test_questions_that_may_be_private_elsewhere_are_pointed_out(
    forecasts: Run, tmp_path: Path
) -> None:
    sheet = tmp_path / "sheet.csv"
    sheet.write_text("title,probability,outcome\nWill I move?,0.7,yes\n", encoding="utf-8")
    forecasts("import", str(sheet))
    done = forecasts("publish", str(tmp_path / "record"))
    said = "1 question of this record is from a spreadsheet, where it may be private."
    assert f"{said} To keep one to yourself: forecasts revise QUESTION" in done.stderr
