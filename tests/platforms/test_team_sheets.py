"""The traps of a team's sheet, as it comes from a spreadsheet. No row is from a real file."""

from __future__ import annotations

from pathlib import Path

import pytest

from forecasts.platforms.formats import recognised
from forecasts.platforms.record import PlatformRecord
from forecasts.platforms.source import opened
from tests.platforms import sheets
from tests.remarks import notes_of

LONG = "Question,Name,Probability,Outcome\n"


def read(path: Path, text: str, **columns: str) -> PlatformRecord:
    return sheets.read(path / "sheet.csv", text, format_="pairs", columns=columns)


def titles(record: PlatformRecord) -> list[str]:
    return [str(one) for one in record.frames.questions["title"]]


def forecasters(record: PlatformRecord) -> list[str]:
    return [str(one) for one in record.frames.forecasts["forecaster"]]


def notes_with(record: PlatformRecord, words: str) -> list[str]:
    return [note for note in notes_of(record) if words in note]


def test_blank_rows_are_nothing_and_the_lines_of_the_others_stay(tmp_path: Path) -> None:
    record = read(tmp_path, f"{LONG}, ,,\nWill A?,Ann,70,yes\n,,,\nWill B?,,50,no\n,,,\n")
    assert titles(record) == ["Will A?", "Will B?"]
    assert [(one.place, one.reason) for one in record.left_out] == [
        ("sheet.csv, line 5", "names no forecaster")
    ]
    assert record.frames.place("questions", 1) == "sheet.csv, line 5"


@pytest.mark.parametrize("name", ["Total", "average:", "MEDIAN", "Summe"])
def test_a_row_of_totals_is_left_out(tmp_path: Path, name: str) -> None:
    record = read(tmp_path, f"{LONG}Will A?,Ann,70,yes\n{name},,60,\nTotal war?,Ann,50,no\n")
    assert titles(record) == ["Will A?", "Total war?"]
    assert [(one.place, one.value, one.reason) for one in record.left_out] == [
        ("sheet.csv, line 3", name, "a row of totals, not a question")
    ]


def test_a_bad_cell_below_blank_rows_is_named_by_its_line(tmp_path: Path) -> None:
    text = f"{LONG},,,\nTotal,,1,\nWill A?,Ann,seven,yes\n"
    error = sheets.refused(tmp_path / "sheet.csv", text, format_="pairs")
    assert sheets.places(error) == [("sheet.csv, line 4, column Probability", "seven")]


@pytest.mark.slow
def test_a_column_of_averages_is_not_a_forecaster(tmp_path: Path) -> None:
    text = "Question,Ann,Bob,Average,Outcome\nWill A?,70,60,65,yes\nWill B?,20,,20,no\n"
    record = read(tmp_path, text)
    assert forecasters(record) == ["Ann", "Bob", "Ann"]
    assert notes_with(record, "Left out: Average.")
    chosen = read(tmp_path, text, **{"forecaster:average": "Average"})
    assert forecasters(chosen) == ["average", "average"]


@pytest.mark.slow
def test_titles_that_differ_only_in_spaces_or_capitals_are_pointed_out(tmp_path: Path) -> None:
    rows = "Will A?,Ann,70,yes\nwill  a?,Bob,50,yes\nWill B?,Bob,50,yes\nWill A? ,Cy,50,yes\n"
    record = read(tmp_path, LONG + rows)
    assert titles(record) == ["Will A?", "will  a?", "Will B?"]
    [note] = notes_with(record, "Titles that differ only")
    assert "questions: 'will  a?' beside 'Will A?'. If they are one" in note
    assert not notes_with(read(tmp_path, f"{LONG}Will A?,Ann,70,yes\n"), "Titles that")


@pytest.mark.parametrize(
    ("cell", "said"),
    [("45717", "a spreadsheet's number for 2025-03-01, perhaps"), ("3/15/2025", "offset")],
)
def test_a_day_in_another_form_is_refused_with_the_remedy(
    tmp_path: Path, cell: str, said: str
) -> None:
    text = f"Question,Date,Probability,Outcome\nWill A?,{cell},70,yes\n"
    error = sheets.refused(tmp_path / "sheet.csv", text, format_="pairs")
    assert error.problems[0].rule.endswith(said)
    assert error.remedy.startswith("Format the dates as yyyy-mm-dd in your spreadsheet")


def test_cells_merged_over_several_rows_are_refused_with_the_remedy(tmp_path: Path) -> None:
    text = f"{LONG}Will A?,Ann,70,yes\n,Bob,50,\n"
    error = sheets.refused(tmp_path / "sheet.csv", text, format_="pairs")
    assert error.remedy.startswith("If a cell is merged with those below")


def test_a_title_above_the_header_is_refused_with_the_remedy(tmp_path: Path) -> None:
    text = f"Forecasts of 2025,,,\n{LONG}Will A?,Ann,70,yes\n"
    error = sheets.refused(tmp_path / "sheet.csv", text, format_="pairs")
    assert error.message == (
        "The first line of sheet.csv leaves 3 columns without a name: 'Forecasts of 2025,,,'."
    )
    assert "remove titles above it" in error.remedy


def test_a_column_without_a_name_is_left_out(tmp_path: Path) -> None:
    record = read(tmp_path, "Question,Name,Probability,Outcome,\nWill A?,Ann,70,yes,\n")
    assert notes_with(record, "A column without a name is left out.")
    assert not notes_with(record, "Left out")


@pytest.mark.slow
@pytest.mark.parametrize("cell", ["TBD", "?", "-"])
def test_an_outcome_that_is_not_known_yet(tmp_path: Path, cell: str) -> None:
    record = read(tmp_path, f"{LONG}Will A by 2028?,Ann,70,{cell}\n")
    assert record.frames.questions["resolution"].tolist() == [""]


def test_a_sheet_without_outcomes_is_recognised_if_no_column_could_have_them(
    tmp_path: Path,
) -> None:
    record = read(tmp_path, "Question,Name,Forecast\nWill A by 2028?,Ann,70\n")
    assert notes_with(record, "No column has the outcomes, so every question is open.")
    sheet = tmp_path / "other.csv"
    sheet.write_text("Question,Name,Forecast,Came out\nWill A by 2028?,Ann,70,yes\n")
    with opened(sheet) as source, pytest.raises(Exception, match="no format that can be imported"):
        recognised(source)


def test_one_name_with_spaces_around_it_is_one_forecaster(tmp_path: Path) -> None:
    text = f"\ufeff{LONG}Will A?,Ann B,70,yes\nWill B?, Ann  B ,50,no\n"
    assert forecasters(read(tmp_path, text)) == ["Ann B", "Ann B"]
