"""Sheets as spreadsheets write them in Germany, France and Spain. No row is from a real file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from forecasts.platforms.column_guesses import found_by_name
from forecasts.platforms.record import PlatformRecord
from forecasts.platforms.sheet_words import (
    NO,
    OTHERS,
    PEOPLE,
    RESOLVED,
    USUAL,
    YES,
    plain,
    unaccented,
)
from tests.platforms import sheets
from tests.platforms.test_sheet_columns import read, refused
from tests.remarks import notes_of

GERMAN = "Frage;Person;Wahrscheinlichkeit;Datum;Ergebnis;Frist\n"


def probabilities(record: PlatformRecord) -> list[float]:
    return [float(p) for p in record.frames.forecasts["probability"]]


def days(times: Any) -> list[str]:
    return [f"{at:%Y-%m-%d %H:%M}" for at in times]


def test_a_german_sheet_is_read_as_excel_writes_it(tmp_path: Path) -> None:
    rows = (
        "Regnet es?;Anna Müller;12,5 %;15.03.2025;Ja;30.06.2025\n"
        "Regnet es?;Jörg;70\u00a0%;5.4.2025 14:30;;30.06.2025\n"
        "Schneit es, viel?;Jörg;3,333%;15.03.2025;Nein;1.7.2025\n"
    )
    record = read(tmp_path, f"\ufeff{GERMAN}{rows}".replace("\n", "\r\n"))
    questions, made = record.frames.questions, record.frames.forecasts
    assert questions["title"].tolist() == ["Regnet es?", "Schneit es, viel?"]
    assert questions["resolution"].tolist() == ["yes", "no"]
    assert days(questions["scheduled_close_time"]) == ["2025-06-30 23:59", "2025-07-01 23:59"]
    assert made["forecaster"].tolist() == ["Anna Müller", "Jörg", "Jörg"]
    assert probabilities(record) == [0.125, 0.7, pytest.approx(0.03333)]
    assert days(made["made_at"]) == ["2025-03-15 00:00", "2025-04-05 14:30", "2025-03-15 00:00"]


@pytest.mark.parametrize(
    "header",
    [
        "Question;Nom;Probabilité;Date;Résultat;Échéance",
        "Pregunta;Nombre;Pronóstico;Fecha;Resultado;Plazo",
    ],
)
@pytest.mark.parametrize("yes", ["Oui", "Sí", "VRAI", "verdadero"])
def test_french_and_spanish_words(tmp_path: Path, header: str, yes: str) -> None:
    record = read(tmp_path, f"{header}\nPluie?;Zoé;0,7;2025-03-15;{yes};2025-06-30\n")
    assert record.frames.questions["resolution"].tolist() == ["yes"]
    assert record.frames.forecasts["forecaster"].tolist() == ["Zoé"]
    assert not [note for note in notes_of(record) if "Left out" in note]


def test_columns_with_days_with_dots_are_in_a_wide_sheet(tmp_path: Path) -> None:
    text = "Frage;Ergebnis;15.03.2025;1.4.2025\nRegnet es?;Ja;12,5;70\n"
    record = read(tmp_path, text)
    assert days(record.frames.forecasts["made_at"]) == ["2025-03-15 00:00", "2025-04-01 00:00"]
    assert probabilities(record) == [0.125, 0.7]
    chosen = read(tmp_path, text, **{"made_at:2.4.2025": "1.4.2025"})
    assert days(chosen.frames.forecasts["made_at"]) == ["2025-04-02 00:00"]


@pytest.mark.parametrize(("cell", "day"), [("15.03.2025", "2025-03-15"), ("Regen", "2000-01-01")])
def test_tag_is_the_day_in_german_if_its_cells_are_dates(
    tmp_path: Path, cell: str, day: str
) -> None:
    record = read(tmp_path, f"Tag;Frage;Prognose;Ergebnis\n{cell};Regnet es?;70;Ja\n")
    assert days(record.frames.forecasts["made_at"]) == [f"{day} 00:00"]
    assert (record.frames.questions["tags"].tolist() == [["Regen"]]) is (cell == "Regen")


@pytest.mark.parametrize(
    ("cell", "outcome"),
    [("Offen", ""), ("ungültig", "annulled"), ("Annulé", "annulled"), ("Mehrdeutig", "ambiguous")],
)
def test_other_outcomes_in_other_languages(tmp_path: Path, cell: str, outcome: str) -> None:
    record = read(tmp_path, f"Frage;Prognose;Ergebnis;Frist\nA?;0,7;{cell};30.06.2025\n")
    assert record.frames.questions["resolution"].tolist() == [outcome]


def test_columns_of_people_may_have_decimal_commas(tmp_path: Path) -> None:
    record = read(tmp_path, "Frage;Anna;Jörg;Aufgelöst?;Ergebnis\nRegnet es?;12,5;7 %;Ja;Nein\n")
    assert record.frames.forecasts["forecaster"].tolist() == ["Anna", "Jörg"]
    assert probabilities(record) == [0.125, 0.07]


def test_an_outcome_may_be_a_share_with_a_decimal_comma(tmp_path: Path) -> None:
    record = read(tmp_path, "Frage\tPrognose\tErgebnis\nRegnet es?\t0,7\t0,25\n")
    assert record.frames.questions["resolution"].tolist() == ["0.25"]


def test_a_decimal_comma_in_quotes_is_read_in_a_file_with_commas(tmp_path: Path) -> None:
    text = 'question,p,outcome\na,"0,125",1\nb,"0,7",0\nc,"1,00",1\n'
    assert probabilities(read(tmp_path, text)) == [0.125, 0.7, 1]


@pytest.mark.parametrize(
    "text",
    ['question,p,outcome\na,"1,000",1\n', "question;p;outcome\na;1.234,5;1\n",
     "question;p;outcome\na;1,234,567;1\n"],
)  # fmt: skip
def test_a_number_of_thousands_is_refused_with_the_rule(tmp_path: Path, text: str) -> None:
    [problem] = refused(tmp_path, text).problems
    assert problem.place == "sheet.csv, line 2, column p"
    assert problem.rule.endswith(("or a percentage", "without a separator of thousands"))


@pytest.mark.parametrize("cell", ["03/08/2025", "15/03/2025", "15.03.25", "2025.03.15", "15.3."])
def test_a_day_that_could_be_read_in_two_ways_is_refused(tmp_path: Path, cell: str) -> None:
    error = refused(tmp_path, f"{GERMAN}Regnet es?;Anna;70 %;{cell};Ja;\n")
    assert sheets.places(error) == [("sheet.csv, line 2, column Datum", cell)]
    assert "or 30.10.2025" in error.problems[0].rule
    assert error.remedy.startswith("Format the dates as yyyy-mm-dd")


def test_a_day_with_dots_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    [problem] = refused(tmp_path, f"{GERMAN}Regnet es?;Anna;70 %;30.02.2025;Ja;\n").problems
    assert (problem.value, problem.rule) == ("30.02.2025", "There is no such day.")


def test_a_bad_cell_or_row_below_semicolons_is_named_by_its_line(tmp_path: Path) -> None:
    rows = 'Regnet es?;"Anna\nMüller";70 %;;Ja;2025-06-30\n;;;;;\n'
    rows += "Schneit es?;Jörg;viel;;;\nHagel?;Jörg\n"
    error = refused(tmp_path, GERMAN + rows)
    assert ("sheet.csv, line 5, column Wahrscheinlichkeit", "viel") in sheets.places(error)
    assert ("sheet.csv, line 6", "Hagel?;Jörg") in sheets.places(error)


def test_a_comma_in_a_header_does_not_hide_the_semicolons(tmp_path: Path) -> None:
    record = read(
        tmp_path,
        "Frage;Prognose (0,0 bis 1,0);Ergebnis;Frist\nRegnet es?;0,7;Ja;30.06.2025\n",
        probability="Prognose (0,0 bis 1,0)",
    )
    assert probabilities(record) == [0.7]


def test_semicolons_in_a_header_do_not_hide_the_commas(tmp_path: Path) -> None:
    record = read(tmp_path, '"Question; in full",p,outcome\na;b,0.7,1\n', title="Question; in full")
    assert record.frames.questions["title"].tolist() == ["a;b"]


def test_a_column_that_says_whether_a_question_resolved_is_not_the_outcome(tmp_path: Path) -> None:
    text = "Question;p;Outcome;Resolved?\nRain by 2028?;70%;no;yes\nFog by 2028?;20%;;no\n"
    assert read(tmp_path, text).frames.questions["resolution"].tolist() == ["no", ""]


def test_without_an_outcome_the_refusal_says_that_it_is_missing(tmp_path: Path) -> None:
    text = "Question,p,Resolved?\nRain by 2028?,70%,yes\nFog by 2028?,20%,no\n"
    error = refused(tmp_path, text)
    assert error.message == "No column of sheet.csv has the outcomes of its questions."
    assert error.remedy == (
        "'Resolved?' may say only whether a question resolved. If it says how (yes or no): "
        "--column 'outcome=Resolved?'; if not, add a column with the outcomes. "
        "If all are open: --column outcome="
    )
    (tmp_path / "sheet.csv").write_text(text.replace("Question", "Matter"))
    for columns, outcome in (({"outcome": "Resolved?"}, "yes"), ({"outcome": ""}, "")):
        record = sheets.as_sheet(tmp_path / "sheet.csv", {"title": "Matter", **columns})
        assert record.frames.questions["resolution"].iloc[0] == outcome


def test_the_tables_of_words_are_folded_and_no_word_is_of_two_fields() -> None:
    fields = [word for words in (*USUAL.values(), PEOPLE, RESOLVED) for word in words]
    assert len(fields) == len(set(fields))
    assert [word for word in fields if plain(word) != word] == []
    assert [word for word in (*YES, *NO, *OTHERS) if unaccented(word) != word] == []
    assert not YES & NO | (YES | NO) & set(OTHERS)
    assert found_by_name(["Schätzung", "BEGRÜNDUNG:"])["rationale"] == ["BEGRÜNDUNG:"]
