"""Files as spreadsheets and people leave them: read if the meaning is clear, else refused."""

from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecasts.common.errors import BadInput
from forecasts.folder.folder import read_folder
from forecasts.folder.tables import read_table
from tests.examples import examples

QUESTIONS = (
    "question_id,title,open_time,scheduled_close_time\n"
    "rain,Wird es in Köln regnen?,2026-01-01T00:00:00Z,2026-01-11T00:00:00Z\n"
)
FORECASTS = "question_id,forecaster,made_at,probability\nrain,bob,2026-01-02T00:00:00Z,0.4\n"


def folder(path: Path, questions: bytes = QUESTIONS.encode(), forecasts: str = FORECASTS) -> Path:
    (path / "questions.csv").write_bytes(questions)
    (path / "forecasts.csv").write_text(forecasts, encoding="utf-8")
    return path


def refused(path: Path) -> BadInput:
    with pytest.raises(BadInput) as caught:
        read_folder(path)
    return caught.value


def test_a_byte_order_mark_and_any_line_ends_change_nothing(tmp_path: Path) -> None:
    for encoding, end in (("utf-8", "\r\n"), ("utf-8-sig", "\n"), ("utf-8-sig", "\r")):
        text = QUESTIONS.replace("\n", end)
        [question] = read_folder(folder(tmp_path, text.encode(encoding))).questions.itertuples()
        assert (question.question_id, question.title) == ("rain", "Wird es in Köln regnen?")


def test_utf_16_is_named_with_a_remedy(tmp_path: Path) -> None:
    for encoding in ("utf-16", "utf-16-le", "utf-16-be"):
        for text in (QUESTIONS, QUESTIONS.replace("ö", "o")):
            error = refused(folder(tmp_path, text.encode(encoding)))
            assert error.message.startswith("questions.csv is not UTF-8: line 1 ")
            assert "UTF-16" in error.message
            assert "CSV UTF-8" in error.remedy


def test_latin_1_is_named_with_its_line_and_byte(tmp_path: Path) -> None:
    error = refused(folder(tmp_path, QUESTIONS.encode("latin-1")))
    assert error.message == ("questions.csv is not UTF-8: line 2 has the byte 0xf6, as in Latin-1.")


@pytest.mark.parametrize(("sign", "name"), [(";", "semicolons"), ("\t", "tabs")])
def test_other_signs_between_the_columns_are_named(tmp_path: Path, sign: str, name: str) -> None:
    error = refused(folder(tmp_path, QUESTIONS.replace(",", sign).encode()))
    assert error.message.startswith(f"The columns of questions.csv are separated by {name}")
    assert "commas" in error.remedy


def test_rows_that_are_too_short_or_too_long_are_named_with_all_other_bad_cells(
    tmp_path: Path,
) -> None:
    questions = QUESTIONS + "snow,Schnee?,2026-01-01T00:00:00Z\n"
    forecasts = (
        FORECASTS + "snow,bob,2026-01-02T00:00:00Z,0.4\n"
        "rain,bob,2026-01-03T00:00:00Z,0.4,5\n"
        "\n"
        'rain,"a name\nof two lines",2026-01-03T00:00:00Z\n'
        "rain,bob,2026-01-03T00:00:00Z,7\n"
    )
    error = refused(folder(tmp_path, questions.encode(), forecasts))
    said = [(problem.place, problem.value, problem.rule) for problem in error.problems]
    # The short row is about "snow", so forecasts on it are not refused.
    assert said == [
        (
            "questions.csv, line 3",
            "snow,Schnee?,2026-01-01T00:00:00Z",
            "a row of 4 cells, like the header; this has 3",
        ),
        (
            "forecasts.csv, line 4",
            "rain,bob,2026-01-03T00:00:00Z,0.4,5",
            "a row of 4 cells, like the header; this has 5",
        ),
        (
            "forecasts.csv, line 6",
            "rain,a name\nof two lines,2026-01-03T00:00:00Z",
            "a row of 4 cells, like the header; this has 3",
        ),
        ("forecasts.csv, line 8, column probability", "7.0", "from 0 to 1"),
    ]


def test_a_quote_that_is_never_closed_is_named_where_it_begins(tmp_path: Path) -> None:
    good = FORECASTS.splitlines(keepends=True)[1]
    forecasts = FORECASTS + good.replace("bob", '"bob') + good * 50
    [problem] = refused(folder(tmp_path, forecasts=forecasts)).problems
    assert problem.place == "forecasts.csv, line 3"
    assert len(problem.value) <= 60


ROW = st.lists(
    st.text(st.characters(codec="utf-8", exclude_characters="\x00\r"), max_size=5),
    min_size=1,
    max_size=5,
).filter(lambda row: row != [""])


@pytest.mark.slow
@settings(max_examples=examples(60))
@given(rows=st.lists(ROW, max_size=6))
def test_exactly_the_rows_of_another_width_than_the_header_are_ragged(
    tmp_path: Path, rows: list[list[str]]
) -> None:
    def quoted(row: list[str]) -> str:
        return ",".join('"' + cell.replace('"', '""') + '"' for cell in row) + "\n"

    path = tmp_path / "table.csv"
    path.write_text("a,b,c\n" + "".join(map(quoted, rows)), encoding="utf-8", newline="")
    table = read_table(path, dict.fromkeys("abc", "text"))
    assert len(table.frame) == len(rows)
    assert table.ragged == {n: row for n, row in enumerate(rows) if len(row) != 3}
    for number, row in enumerate(rows):
        assert table.frame.iloc[number].tolist() == [*row, "", "", ""][:3]
    assert len(table.problems) == len(table.ragged)


def test_a_row_without_the_cell_of_a_last_column_without_a_name_is_ragged(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text("a,b,\n1,2\n3,4,\n", encoding="utf-8")
    assert read_table(path, dict.fromkeys("ab", "text")).ragged == {0: ["1", "2"]}


def test_a_parquet_file_without_rows_is_an_empty_table(tmp_path: Path) -> None:
    read_folder(folder(tmp_path))
    (tmp_path / "forecasts.csv").unlink()
    empty = pd.DataFrame({"question_id": [], "forecaster": [], "made_at": [], "probability": []})
    empty.to_parquet(tmp_path / "forecasts.parquet")
    frames = read_folder(tmp_path)
    assert len(frames.forecasts) == 0
    assert frames.forecasts["probability"].dtype == "float64"


def test_an_overlong_row_in_another_encoding_is_named_by_its_line(tmp_path: Path) -> None:
    path = tmp_path / "questions.csv"
    path.write_bytes(b"question_id,title\nq1,one\nq2,two,\xff\n")
    with pytest.raises(BadInput, match=r"is not UTF-8: line 3 has the byte 0xff"):
        read_table(path, {})


def test_a_ragged_row_after_texts_of_two_lines_is_named_by_the_line_where_it_begins(
    tmp_path: Path,
) -> None:
    header, row = (
        "question_id,forecaster,made_at,probability,rationale\n",
        'rain,bob,{},0.4,"a\nb"\n',
    )
    rows = [row.format(f"2026-01-0{number}T00:00:00Z") for number in range(1, 6)]
    rows[3] = rows[3].replace(",0.4,", ",1.4,")
    error = refused(folder(tmp_path, forecasts=header + "".join([*rows, "rain,bob\n"])))
    places = [problem.place for problem in error.problems]
    assert places == ["forecasts.csv, line 12", "forecasts.csv, line 8, column probability"]
