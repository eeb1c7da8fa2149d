"""The columns of a spreadsheet found by name, the notes on them, and the errors in its cells."""

from pathlib import Path
from typing import Any

import pytest

from app.remedies import said
from forecasts.common.errors import Advice, in_words
from forecasts.platforms.record import PlatformRecord
from tests.platforms import sheets

NAMED = "name,question,forecast,outcome\nme,Will X?,70%,yes\nKate,Will X?,60%,yes\n"


def read(path: Path, text: str, **columns: str) -> PlatformRecord:
    return sheets.read(path / "sheet.csv", text, format_="pairs", columns=columns)


def refused(path: Path, text: str, **columns: str) -> Any:
    return sheets.refused(path / "sheet.csv", text, format_="pairs", columns=columns)


def forecasters(record: PlatformRecord) -> list[str]:
    return [str(one) for one in record.frames.forecasts["forecaster"]]


def on_page(note: Advice) -> str:
    assert not isinstance(note, str)
    return said(note)


def notes_with(record: PlatformRecord, words: str) -> list[Advice]:
    return [note for note in record.notes if words in in_words(note)]


@pytest.mark.parametrize("column", ["name", "Who", "Person", "Forecaster name", "Full name"])
def test_a_column_of_names_beside_the_question_is_the_forecaster(
    tmp_path: Path, column: str
) -> None:
    record = read(tmp_path, NAMED.replace("name", column, 1))
    assert forecasters(record) == ["me", "Kate"]
    assert not notes_with(record, "Left out") + notes_with(record, "same time")


def test_a_name_beside_a_chosen_title_is_the_forecaster(tmp_path: Path) -> None:
    record = read(tmp_path, NAMED.replace("question", "matter"), title="matter")
    assert forecasters(record) == ["me", "Kate"]


def test_a_name_without_a_title_is_not_the_forecaster(tmp_path: Path) -> None:
    record = read(tmp_path, "name,p,outcome\nRain,0.7,1\n")
    assert forecasters(record) == ["alice"]
    assert record.frames.questions["title"].tolist() == ["Rain"]
    [note] = notes_with(record, "No column names the question")
    assert in_words(note).endswith("(name). If one is its title, name it: --column title=NAME")


def test_a_usual_name_of_the_forecaster_goes_before_name(tmp_path: Path) -> None:
    record = read(tmp_path, "user,name,question,p,outcome\nbo,Bob,Rain?,0.7,1\n")
    assert forecasters(record) == ["bo"]


def test_beside_names_columns_of_numbers_are_not_further_forecasters(tmp_path: Path) -> None:
    text = "name,question,Ann,Bo,outcome\nme,Rain?,70,50,yes\n"
    error = refused(tmp_path, text)
    assert "has a usual name for the probability" in error.message
    assert forecasters(read(tmp_path, text, forecaster="", rationale="name")) == ["Ann", "Bo"]


def test_resolved_is_the_time_of_the_resolution_if_its_cells_are_dates(tmp_path: Path) -> None:
    text = "question,date,p,outcome,resolved\nRain?,2025-03-01,0.7,1,2025-03-04\n"
    record = read(tmp_path, text + "Fog?,2025-03-01,0.7,,\n")
    rain, fog = record.frames.questions["resolved_at"].astype(str).fillna("")
    assert (rain, fog) == ("2025-03-04 23:59:59+00:00", "")
    assert notes_with(record, "resolved → resolution time")


@pytest.mark.parametrize("column", ["Resolved on", "Resolution date", "Date resolved"])
def test_other_names_of_the_time_of_the_resolution(tmp_path: Path, column: str) -> None:
    text = f"question,date,p,outcome,{column}\nRain?,2025-03-01,0.7,1,2025-03-04\n"
    [at] = read(tmp_path, text).frames.questions["resolved_at"].astype(str)
    assert at == "2025-03-04 23:59:59+00:00"


@pytest.mark.parametrize("cells", [("yes", "no"), ("", ""), ("2025-03-04", "no")])
def test_resolved_with_other_cells_is_left_out(tmp_path: Path, cells: tuple[str, str]) -> None:
    rows = "".join(f"q{n},0.7,1,{cell}\n" for n, cell in enumerate(cells))
    record = read(tmp_path, "question,p,outcome,resolved\n" + rows)
    assert notes_with(record, "Left out: resolved.")


@pytest.mark.slow
@pytest.mark.parametrize("cells", [("yes", "no"), ("2025-03-04", "2025-03-05"), ("void", "")])
def test_a_question_without_a_title_has_the_same_id_with_and_without_its_outcome(
    tmp_path: Path, cells: tuple[str, str]
) -> None:
    def ids(*resolved: str) -> list[str]:
        rows = zip(("Rain", "Fog"), resolved, strict=True)
        text = "city,date,p,outcome,resolved\n" + "".join(
            f"{city},2025-03-01,0.7,,{cell}\n" for city, cell in rows
        )
        questions = read(tmp_path, text).frames.questions
        assert questions["title"].tolist() == ["Rain · 2025-03-01", "Fog · 2025-03-01"]
        return [*questions["question_id"]]

    assert ids(*cells) == ids("", "")


def test_resolved_does_not_name_a_question_and_the_note_says_so(tmp_path: Path) -> None:
    record = read(tmp_path, "city,p,outcome,resolved\nOslo,0.7,1,yes\n")
    assert notes_with(record, "named by its other columns (city).")
    assert notes_with(record, "Left out: resolved. If it is ")


def test_resolved_may_be_chosen_as_the_outcome(tmp_path: Path) -> None:
    (tmp_path / "sheet.csv").write_text("question,p,resolved\nRain?,0.7,yes\n")
    record = sheets.as_sheet(tmp_path / "sheet.csv", {"outcome": "resolved"})
    assert record.frames.questions["resolution"].tolist() == ["yes"]


@pytest.mark.slow
def test_a_column_left_out_could_be_a_field_and_the_note_tells_how_to_name_it(
    tmp_path: Path,
) -> None:
    text = "question,date,p,outcome,by,mood\nRain?,2025-03-01,0.7,1,me,good\n"
    [note] = notes_with(read(tmp_path, text), "Left out")
    assert in_words(note) == (
        "Left out: by, mood. If one of them is the forecaster, close time or resolution time, "
        "name it, as in --column forecaster=NAME"
    )
    assert on_page(note).endswith("name it, as in “Forecaster”")
    [note] = notes_with(read(tmp_path, text, forecaster="by"), "Left out")
    assert on_page(note).endswith("name it, as in “Close time: mood”")


@pytest.mark.slow
def test_an_option_in_the_name_of_a_column_is_left_as_it_is(tmp_path: Path) -> None:
    text = "question,date,p,outcome,by --format x\nRain?,2025-03-01,0.7,1,me\n"
    [note] = notes_with(read(tmp_path, text), "Left out")
    assert on_page(note) == (
        "Left out: by --format x. If it is the forecaster, close time or resolution time, name it, "
        "as in “Forecaster: by --format x”"
    )


@pytest.mark.slow
def test_the_note_on_rows_at_the_same_time_says_that_no_column_names_the_forecasters(
    tmp_path: Path,
) -> None:
    record = read(tmp_path, NAMED.replace("name", "mood", 1))
    [note] = notes_with(record, "same time")
    assert in_words(note) == (
        "No column names the forecasters, so all forecasts are yours. Of rows on one question at "
        "the same time, only the last one counts, as in sheet.csv, line 3. If they are several "
        "people's, name the column that tells them apart: --column forecaster=NAME"
    )
    assert forecasters(read(tmp_path, NAMED.replace("name", "mood", 1), forecaster="mood")) == [
        "me",
        "Kate",
    ]


@pytest.mark.parametrize("chosen", [("title", "probability"), ("probability", "title")])
def test_the_note_on_columns_has_the_order_of_the_file(
    tmp_path: Path, chosen: tuple[str, str]
) -> None:
    text = "Result,When,My guess,State,Seat,Who\nyes,2025-03-01,0.7,AK,1,bo\n"
    theirs = {"title": "State+Seat", "probability": "My guess"}
    columns = {"made_at": "When", **{name: theirs[name] for name in chosen}}
    (tmp_path / "sheet.csv").write_text(text)
    [note] = notes_with(sheets.as_sheet(tmp_path / "sheet.csv", columns), "Columns: ")
    assert note == (
        "Columns: Result → outcome; When → forecast time; My guess → probability; "
        "State + Seat → title; Who → forecaster."
    )


def test_the_note_on_columns_of_a_wide_sheet(tmp_path: Path) -> None:
    [note] = notes_with(read(tmp_path, "Ann,question,Bo,outcome\n70,Rain?,50,yes\n"), "Columns: ")
    assert note == "Columns: Ann, Bo → one forecaster each; question → title; outcome → outcome."


def test_a_wide_choice_without_a_column_is_refused(tmp_path: Path) -> None:
    error = refused(tmp_path, NAMED, **{"forecaster:ann": ""})
    assert error.message == "No column is named for 'forecaster:ann'."


@pytest.mark.parametrize(
    ("cells", "rule"),
    [(("70%", "135%"), "0% to 100%"), (("70", "135"), "0 to 100"), (("0.5", "-0.1"), "0 to 1")],
)
def test_the_rule_for_a_probability_is_in_the_form_of_the_sheet(
    tmp_path: Path, cells: tuple[str, str], rule: str
) -> None:
    text = "question,p,outcome\n" + "".join(f"q{cell},{cell},1\n" for cell in cells)
    [problem] = refused(tmp_path, text).problems
    assert problem.rule == f"a probability from {rule}"


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ("03/08/2026", "must be a day as in 2025-10-30 or 30.10.2025, or a time as in 2025-10-30 "
         "14:00:00, with or without an offset."),
        ("2026-02-30", "cannot be used. There is no such day."),
        ("2026-02-30T10:00:00Z", "cannot be used. There is no such day."),
        ("2026-02-28 25:00", "cannot be used. There is no such time."),
        ("0001-01-01T00:00:00+05:00", "must be a time in the years 1 to 9999 in UTC."),
    ],
)  # fmt: skip
def test_the_rule_for_a_date_that_is_not_one(tmp_path: Path, cell: str, said: str) -> None:
    error = refused(tmp_path, f"question,date,p,outcome\nRain?,{cell},0.7,1\n")
    [problem] = error.problems
    assert str(problem) == f"sheet.csv, line 2, column date: {cell!r} {said}"
    has_remedy = "Format the dates as yyyy-mm-dd" in error.remedy
    assert has_remedy is ("/" in cell)


def test_the_problems_are_in_the_order_of_the_lines(tmp_path: Path) -> None:
    text = (
        "question,date,p,outcome\n"
        "Rain?,2026-02-30,70%,maybe\n"
        "Fog?,2026-02-01,135%,1\n"
        "Hail?,2026-02-01\n"
        "Snow?,3/8/2026,x,1\n"
    )
    assert [
        place.removeprefix("sheet.csv, ") for place, _ in sheets.places(refused(tmp_path, text))
    ] == [
        "line 2, column date",
        "line 2, column outcome",
        "line 3, column p",
        "line 4",
        "line 5, column date",
        "line 5, column p",
    ]
