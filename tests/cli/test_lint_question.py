"""The command ``lint-question``: from words, files and stored questions."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.cli.conftest import Run

EARLIER = Path(__file__).parents[1] / "ledger" / "development_0010.sql"  # of an earlier release
VAGUE = "Will the minister resign soon?"


def test_words_are_judged_without_a_ledger(forecasts: Run) -> None:
    said = forecasts("lint-question", VAGUE).stdout
    assert "relative_words: “soon” means something else" in said
    assert "unnamed: Readers cannot tell which one “the minister” means." in said
    assert "resolution criteria: add 'Otherwise it resolves as No.'" in said


def test_a_stored_question_is_judged_by_its_newest_wording(forecasts: Run) -> None:
    forecasts("ask", VAGUE, "--closes", "2027-12-31", "--slug", "resign")
    assert "unnamed:" in forecasts("lint-question", "resign").stdout
    forecasts("revise", "resign", "--title", "Will Anna Berg resign by 31 December 2027?")
    assert "unnamed:" not in forecasts("lint-question", "resign").stdout


def test_files_of_questions_are_judged_together(forecasts: Run, tmp_path: Path) -> None:
    rows = [
        {"title": VAGUE, "criteria": "Yes if so.", "closes": "2027-05-01T23:59:59"},
        {"title": "A?"},
    ]
    lines = tmp_path / "questions.jsonl"
    lines.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    read = forecasts.printed("lint-question", str(lines))
    assert [one["question"] for one in read] == [VAGUE, "A?"]
    finding = next(one for one in read[0]["findings"] if one["code"] == "relative_words")
    assert finding["fix"] == {
        "field": "title",
        "old": " soon",
        "new": " by 23:59 UTC on 1 May 2027",
    }
    text = tmp_path / "question.txt"
    text.write_text(f"{VAGUE}\nYes if she leaves, according to the Gazette. Otherwise No.\n")
    assert "never_no" not in forecasts("lint-question", str(text)).stdout


def test_a_file_that_is_not_a_list_of_questions_is_refused(forecasts: Run, tmp_path: Path) -> None:
    file = tmp_path / "list.json"
    for content, why in (("[1]", "is not a question"), ("{x", "is not JSON"), ("[{}]", "no title")):
        file.write_text(content)
        assert why in forecasts.refused("lint-question", str(file))


def test_a_file_is_judged_without_opening_a_ledger(
    forecasts: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = tmp_path / "question.txt"
    text.write_text(VAGUE, encoding="utf-8")
    earlier, missing = tmp_path / "earlier.sqlite3", tmp_path / "missing.sqlite3"
    with closing(sqlite3.connect(earlier)) as made:
        made.executescript(EARLIER.read_text("utf-8"))
    before = earlier.read_bytes()
    for file in (earlier, missing):
        monkeypatch.setenv("FORECASTS_DATABASE_URL", str(file))
        assert "ledger" not in forecasts("lint-question", str(text)).stderr
    assert earlier.read_bytes() == before
    assert not missing.exists()
