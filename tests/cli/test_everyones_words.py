"""People's texts: without control characters on a terminal, exact in files."""

from pathlib import Path

import pytest

from forecasts.common.limits import NAME_BYTES
from forecasts.common.text import printable
from forecasts.folder.folder import read_folder, write_folder
from forecasts.questions.registry import is_slug
from tests import nasty
from tests.cli.conftest import Clock, Fill, Run
from tests.reports.small_ledgers import asked, joined, ledger, made

pytestmark = pytest.mark.slow

ALL = " ".join([*nasty.MARKUP, *nasty.FORMULAS, *nasty.CONTROLS])


def unkind(folder: Path) -> Path:
    """Write a folder with active characters in every text field."""
    words = {"background": ALL, "resolution_criteria": ALL, "fine_print": ALL, "family": ALL}
    words |= {"tags": [word[:NAME_BYTES] for word in nasty.WORDS]}
    frames = ledger(
        [
            asked("q", "yes", title=ALL, resolution_note=ALL, **words),
            asked("open", closes=300, title=f"open {ALL}", **words),
            asked("pick", "=1", title=ALL, type="multiple_choice", options=["=1", *nasty.MARKUP]),
        ],
        [made(q, who, 0, 0.5) | {"rationale": ALL} for q in ("q", "open") for who in nasty.HANDLES],
        [joined(team, nasty.HANDLES[0]) for team in nasty.HANDLES],
    )
    write_folder(frames, folder)
    return folder


@pytest.fixture
def filled(forecasts: Run, clock: Clock, filled_once: Fill, tmp_path: Path) -> Run:
    clock("2026-02-01T12:00:00Z")
    given = unkind(tmp_path / "given")
    filled_once(lambda: forecasts("import", str(given)))
    return forecasts


def test_a_terminal_is_given_words_alone(filled: Run) -> None:
    refused = [("show", "\x1b[31m"), ("report", "--by", "team", "--name", "\x1b[31mnobody")]
    lines = filled("score").stdout.splitlines()
    assert not any(",=" in line or ",+" in line or ",@" in line for line in lines)
    assert {row["forecaster"] for row in filled.printed("score")} == set(nasty.HANDLES)
    for command in (
        ("questions", "--tag", "=1+1"),
        ("show", "q"),
        ("show", "pick"),
        ("articles",),
        ("crowd",),
        ("attribute",),
        ("report", "--by", "team", "--format", "md"),
        ("compare", "--between", "+1+1", "@SUM(1)", "--cohort", "resolved"),
        *refused,
    ):
        said = filled(*command, exit_code=2 if command in refused else 0).output
        assert said
        assert printable(said).replace("\u2060", "") == said.replace("\u2060", ""), command


def test_a_ledger_folder_keeps_every_word_to_the_last_byte(filled: Run, tmp_path: Path) -> None:
    filled("export", str(tmp_path / "taken"))
    given, taken = (read_folder(tmp_path / name) for name in ("given", "taken"))
    said = {row.question_id: row for row in taken.questions.itertuples()}
    for row in given.questions.itertuples():
        for name in ("title", "background", "fine_print", "tags", "family", "resolution_note"):
            assert getattr(said[row.question_id], name) == getattr(row, name)
    assert set(taken.forecasts["forecaster"]) == set(nasty.HANDLES)
    assert set(taken.forecasts["rationale"]) == {ALL}


def test_a_word_that_is_not_text_is_refused_and_nothing_is_stored(filled: Run) -> None:
    word = nasty.UNSTORABLE[0]
    before = filled("show", "open").stdout
    for command in (
        ("ask", word, "--closes", "2027-01-01"),
        ("ask", "Fine?", "--closes", "2027-01-01", "--tag", word),
        ("update", "open", "40%", "--because", word),
        ("update", "open", "40%", "--evidence", word),
        ("show", word),
        ("questions", "--as", word),
    ):
        assert "Traceback" not in filled(*command, exit_code=2).output
    assert filled("show", "open").stdout == before
    assert not is_slug(word)
