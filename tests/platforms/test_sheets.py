"""Spreadsheets as people and programs write them. No row is from a real file."""

from __future__ import annotations

import csv
import gzip
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from app.remedies import said
from forecasts.common.errors import BadInput, in_words
from forecasts.platforms.column_guesses import (
    NO,
    OTHERS,
    PEOPLE,
    RESOLVED,
    USUAL,
    YES,
    are_usual,
    found_by_name,
    plain,
    unaccented,
)
from forecasts.platforms.formats import recognised
from forecasts.platforms.record import PlatformRecord
from forecasts.platforms.source import opened
from tests.platforms import sheets
from tests.platforms.sheets import facts, require
from tests.remarks import notes_of

REAL = Path(__file__).parents[3] / "shared" / "real"
PLAIN = "question,user,date,prob,outcome\nRain?,bo,2025-03-01,0.7,1\nSnow?,bo,2025-03-02,0.2,0\n"
TEAM = "Question,Name,Probability,Outcome\n"
NAMED = "name,question,forecast,outcome\nme,Will X?,70%,yes\nKate,Will X?,60%,yes\n"
GERMAN = "Frage;Person;Wahrscheinlichkeit;Datum;Ergebnis;Frist\n"
TIMED = "question,timestamp,close_time,resolved_at,p,outcome\n"
DUE = "question,date,close_time,resolved_at,p,outcome\na,2025-03-01,2025-04-01,"
NEW_YORK = {"zone": ZoneInfo("America/New_York")}


def read(path: Path, text: str | bytes, name: str = "sheet.csv", **choices: Any) -> PlatformRecord:
    """Return a sheet, also one whose names say too little to recognise it."""
    file = path / name
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    with opened(file) as source:
        usual = all(map(are_usual, source.headers.values()))
    columns = choices.get("columns", {})
    return (
        sheets.parsed(file, format_="pairs", **choices) if usual else sheets.as_sheet(file, columns)
    )


def refused(path: Path, text: str, **choices: Any) -> BadInput:
    return sheets.refused(path / "sheet.csv", text, format_="pairs", **choices)


def with_columns(**columns: str) -> dict[str, Any]:
    return {"columns": columns}


def two(column: str, *cells: str) -> str:
    """Return a sheet with a question for each cell of a column, p or outcome."""
    rows = [
        f"q{n},{cell},1" if column == "p" else f"q{n},0.7,{cell}" for n, cell in enumerate(cells)
    ]
    return "\n".join(["question,p,outcome", *rows, ""])


# Each sheet, the choices, and some facts about it; "note": words of a note, "no note": of none.
SHEETS: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
    "rows of one title are one question": (
        PLAIN + "Rain?,cy,2025-03-04,0.4,1\n",
        {},
        {"titles": ["Rain?", "Snow?"], "outcomes": ["yes", "no"], "who": ["bo", "bo", "cy"],
         "note": "prob → probability"},
    ),
    "without a forecaster they are the owner's": (two("p", "0.7"), {}, {"who": ["alice"]}),
    "numbers up to 1": (two("p", "0.5", "1"), {}, {"p": [0.5, 1], "note": "are from 0 to 1"}),
    "numbers that are 0 and 1": (two("p", "0", "1"), {}, {"p": [0, 1], "note": "from 0 to 1"}),
    "percentages": (two("p", "50%", "0.5%"), {}, {"p": [0.5, 0.005], "note": "are percentages"}),
    "numbers up to 100": (two("p", "50", "1"), {}, {"p": [0.5, 0.01], "note": "from 0 to 100"}),
    "percentages beside numbers": (two("p", "50%", "0.5"), {}, {"p": [0.5, 0.5]}),
    "small numbers and spaces": (two("p", "1e-3", " 0.5 "), {}, {"p": [0.001, 0.5]}),
    "a chosen scale": (two("p", "0.7", "70"), with_columns(scale="100"), {"p": [0.007, 0.7]}),
    "outcomes": (
        two("outcome", "1", "Yes", "TRUE", "1.0", "0", "no", "0.5", "", "unknown", "N/A",
            "Ambiguous", "TBD", "?", "-"),
        {},
        {"outcomes": [*["yes"] * 4, *["no"] * 2, "0.5", "", "", "annulled",
                      "ambiguous", "", "", ""]},
    ),
    "a date is the whole day": (
        PLAIN, {},
        {"opens": ["2025-03-01 00:00", "2025-03-02 00:00"],
         "closes": ["2025-03-01 23:59", "2025-03-02 23:59"]},
    ),
    "a day in a chosen zone": (PLAIN, NEW_YORK, {"made": ["2025-03-01 05:00", "2025-03-02 05:00"]}),
    "a day of 23 hours ends with its last second": (
        "question,date,deadline,p,outcome\na,2025-03-09T12:00:00,2025-03-09,0.7,1\n",
        NEW_YORK, {"closes": ["2025-03-10 03:59"]},
    ),
    "a day of 25 hours ends with its last second": (
        "question,date,deadline,p,outcome\na,2025-11-02T12:00:00,2025-11-02,0.7,1\n",
        NEW_YORK, {"closes": ["2025-11-03 04:59"]},
    ),
    "a forecast is dated a day before the close": (
        "question,deadline,p,outcome\na,2025-03-05,0.7,1\nb,2025-03-05 14:00,0.7,1\n", {},
        {"made": ["2025-03-05 00:00", "2025-03-04 14:00"],
         "opens": ["2025-03-05 00:00", "2025-03-04 14:00"],
         "closes": ["2025-03-05 23:59", "2025-03-05 14:00"]},
    ),
    "a close a day after the forecast follows the clock": (
        "question,date,p,outcome\na,2025-03-09,0.7,1\nb,2025-03-09T00:30,0.7,1\n", NEW_YORK,
        {"closes": ["2025-03-10 03:59", "2025-03-10 04:30"]},
    ),
    "no date at all": (two("p", "0.7"), {}, {"made": ["2000-01-01 00:00"], "note": "no dates"}),
    "a close before the opening": (
        "question,date,open_time,close_time,p,outcome\na,2025-03-05,2025-03-05,2025-03-01,0.7,1\n",
        {}, {"closes": ["2025-03-05 23:59"], "note": "due before"},
    ),
    "an early resolution ends scoring": (
        f"{TIMED}a,2025-03-01 10:00:00+00:00,2025-04-01,2025-03-10,0.7,1\n", {},
        {"ends": ["2025-03-10 23:59"]},
    ),
    "a close is kept when the outcome was known later": (
        f"{TIMED}a,2025-03-01 10:00:00+00:00,2025-03-10,2025-04-01,0.7,1\n"
        "a,2025-03-11 10:00:00+00:00,2025-03-10,2025-04-01,0.9,1\n"
        "b,2025-03-01 10:00:00+00:00,,2025-04-01,0.7,1\n"
        "c,2025-03-01 10:00:00+00:00,2024-01-01,2025-04-01,0.7,1\n", {},
        {"closes": ["2025-03-10 23:59", "2025-04-01 23:59", "2025-04-01 23:59"],
         "note": "1 forecast was made after the question closed, and will not count."},
    ),
    "an outcome of today is known by now": (
        f"{DUE}2025-03-10,0.7,1\n", {"now": datetime.fromisoformat("2025-03-10T15:00:00Z")},
        {"resolved": ["2025-03-10 15:00"], "ends": ["2025-03-10 23:59"]},
    ),
    "an outcome of yesterday was known at its end": (
        f"{DUE}2025-03-10,0.7,1\n", {"now": datetime.fromisoformat("2025-03-11T15:00:00Z")},
        {"resolved": ["2025-03-10 23:59"]},
    ),
    "an outcome with a time later today": (
        f"{DUE}2025-03-10 18:00,0.7,1\n", {"now": datetime.fromisoformat("2025-03-10T15:00:00Z")},
        {"resolved": ["2025-03-10 18:00"]},
    ),
    "a time without a day before it": (
        "question,deadline,p,outcome\na,0001-01-01 12:00,0.7,1\n", {},
        {"opens": ["0001-01-02 00:00"]},
    ),
    "rows are named by their other cells": (
        "league,date,team1,team2,prob1,outcome1\nnba,2025-03-01,Reds,Blues,0.6,1\n"
        "nba,2025-03-01,Reds,Blues,0.7,0\nnba,2025-03-02,Reds,Blues,0.7,0\n", {},
        {"titles": ["nba · Reds · Blues · 2025-03-01", "nba · Reds · Blues · 2025-03-01 · 2",
                    "nba · Reds · Blues · 2025-03-02"]},
    ),
    "bare pairs are named by file and row": (
        "p,outcome\n0.7,1\n0.7,1\n", {}, {"titles": ["sheet, row 1", "sheet, row 2"]},
    ),
    "an id of the file is kept": (
        "question_id,question,p,outcome\n17,Rain?,0.7,1\n", {}, {"id": ["pairs-17"]}
    ),
    "a column for each forecaster": (
        "question,Ann,Bo,outcome\nRain?,70,50,yes\nSnow?,,20,no\n", {},
        {"who": ["Ann", "Bo", "Bo"], "p": [0.7, 0.5, 0.2],
         "note": "Columns: question → title; Ann, Bo → one forecaster each; outcome → outcome."},
    ),
    "a chosen column of a forecaster": (
        "question,Ann,Bo,outcome\nRain?,70,50,yes\n", with_columns(**{"forecaster:ann": "Ann"}),
        {"who": ["ann"]},
    ),
    "a column of averages is not a forecaster": (
        "Question,Ann,Bob,Average,Outcome\nWill A?,70,60,65,yes\nWill B?,20,,20,no\n", {},
        {"who": ["Ann", "Bob", "Ann"], "note": "Left out: Average."},
    ),
    "a column for each day": (
        "question,outcome,2025-03-01,2025-03-08\nRain?,yes,0.5,0.8\nSnow?,no,,0.1\n", {},
        {"made": ["2025-03-01 00:00", "2025-03-08 00:00", "2025-03-08 00:00"],
         "who": ["alice"] * 3, "opens": ["2025-03-01 00:00", "2025-03-08 00:00"]},
    ),
    "a column for each option": (
        "match,date,w,d,l,result\nA-B,2025-03-01,0.5,0.3,0.2,Win\nC-D,2025-03-01,,,,draw\n",
        with_columns(**{"option:win": "w", "option:draw": "d", "option:loss": "l"}, title="match"),
        {"options": [["win", "draw", "loss"]] * 2, "outcomes": ["win", "draw"],
         "vectors": [[0.5, 0.3, 0.2]]},
    ),
    "a chosen column of several": (
        "question,prob1,prob2,outcome\na,0.2,0.8,1\n", with_columns(probability="prob2"),
        {"p": [0.8]},
    ),
    "a choice of nothing and of several": (
        "state,candidate,date,p,outcome\nAK,Roe,2025-03-01,0.7,1\nAK,Doe,2025-03-01,0.3,0\n",
        with_columns(title="state+candidate", made_at=""),
        {"titles": ["AK · Roe", "AK · Doe"], "made": ["2000-01-01 00:00"] * 2},
    ),
    "both encodings of a name are one forecaster": (
        PLAIN + "Hail?,Jos\u00e9 ,2025-03-01,0.7,1\nFog?,Jose\u0301,2025-03-01,0.7,1\n", {},
        {"who": ["bo", "bo", "Jos\u00e9", "Jos\u00e9"]},
    ),
    "spaces in a name": (
        f"\ufeff{TEAM}Will A?,Ann B,70,yes\nWill B?, Ann  B ,50,no\n", {},
        {"who": ["Ann B", "Ann B"]},
    ),
    "a row of nobody": (
        PLAIN + "Hail?,,2025-03-01,0.7,1\n", {},
        {"who": ["bo", "bo"], "left out": [("line 4", "names no forecaster")]},
    ),
    "two probabilities by one name at once": (
        PLAIN + "Rain?,bo,2025-03-01,0.2,1\n", {},
        {"note": "only the last one counts, as in sheet.csv, line 4, 'bo'"},
    ),
    "a row that is repeated": (
        PLAIN + "Rain?,bo,2025-03-01,0.7,1\nRain?,cy,2025-03-01,0.2,1\n", {},
        {"no note": "same time", "left out": [("line 2", "repeated in a later row")]},
    ),
    "without dates only the last row of a name counts": (
        "question,user,p,outcome\nOpen by 2028?,bo,0.7,\nOpen by 2028?,cy,0.7,\n"
        "Open by 2028?,bo,0.8,\n", {},
        {"who": ["cy", "bo"], "p": [0.7, 0.8],
         "left out": [("line 2", "without a date, only the last row by one name on a question "
                       "counts")]},
    ),
    "semicolons": (PLAIN.replace(",", ";"), {}, {"p": [0.7, 0.2]}),
    "tabs": (PLAIN.replace(",", "\t"), {}, {"p": [0.7, 0.2]}),
    "several tags in a cell": (
        "question,p,outcome,tags\na,0.7,1,weather; Rain ;weather\nb,0.7,1,\n", {},
        {"tags": [["weather", "Rain"], None]},
    ),
    # Columns by their names.
    **{
        f"{column} beside the question is the forecaster": (
            NAMED.replace("name", column, 1), {},
            {"who": ["me", "Kate"], "no note": "Left out"},
        )
        for column in ("name", "Who", "Forecaster name")
    },
    "a name beside a chosen title": (
        NAMED.replace("question", "matter"), with_columns(title="matter"), {"who": ["me", "Kate"]},
    ),
    "a name without a title names the question": (
        "name,p,outcome\nRain,0.7,1\n", {},
        {"who": ["alice"], "titles": ["Rain"],
         "note": "(name). If one is its title, name it: --column title=NAME"},
    ),
    "user goes before name": (
        "user,name,question,p,outcome\nbo,Bob,Rain?,0.7,1\n", {}, {"who": ["bo"]}
    ),
    "chosen columns of numbers are forecasters": (
        "name,question,Ann,Bo,outcome\nme,Rain?,70,50,yes\n",
        with_columns(forecaster="", rationale="name"), {"who": ["Ann", "Bo"]},
    ),
    "resolved is a time if its cells are dates": (
        "question,date,p,outcome,resolved\nRain?,2025-03-01,0.7,1,2025-03-04\n"
        "Fog?,2025-03-01,0.7,,\n", {},
        {"resolved": ["2025-03-04 23:59", ""], "note": "resolved → resolution time"},
    ),
    "another name of the time of the resolution": (
        "question,date,p,outcome,Date resolved\nRain?,2025-03-01,0.7,1,2025-03-04\n", {},
        {"resolved": ["2025-03-04 23:59"]},
    ),
    "resolved with other cells is left out": (
        "question,p,outcome,resolved\na,0.7,1,2025-03-04\nb,0.7,1,no\n", {},
        {"note": "Left out: resolved."},
    ),
    "resolved does not name a question": (
        "city,p,outcome,resolved\nOslo,0.7,1,yes\n", {},
        {"note": "named by its other columns (city)."},
    ),
    "resolved may be chosen as the outcome": (
        "question,p,resolved\nRain?,0.7,yes\n", with_columns(outcome="resolved"),
        {"outcomes": ["yes"]},
    ),
    "whether a question resolved is not the outcome": (
        "Question;p;Outcome;Resolved?\nRain by 2028?;70%;no;yes\nFog by 2028?;20%;;no\n", {},
        {"outcomes": ["no", ""]},
    ),
    "the note on columns has the order of the file": (
        "Result,When,My guess,State,Seat,Who\nyes,2025-03-01,0.7,AK,1,bo\n",
        with_columns(made_at="When", title="State+Seat", probability="My guess"),
        {"note": "Columns: Result → outcome; When → forecast time; My guess → probability; "
         "State + Seat → title; Who → forecaster."},
    ),
    "a column without a name": (
        "Question,Name,Probability,Outcome,\nWill A?,Ann,70,yes,\n", {},
        {"note": "A column without a name is left out.", "no note": "Left out"},
    ),
    "no column of outcomes": (
        "Question,Name,Forecast\nWill A by 2028?,Ann,70\n", {},
        {"note": "No column has the outcomes, so every question is open."},
    ),
    # Rows that are not forecasts.
    "blank rows": (
        f"{TEAM}, ,,\nWill A?,Ann,70,yes\n,,,\nWill B?,,50,no\n,,,\n", {},
        {"titles": ["Will A?", "Will B?"], "left out": [("line 5", "names no forecaster")]},
    ),
    **{
        f"a row of {name}": (
            f"{TEAM}Will A?,Ann,70,yes\n{name},,60,\nTotal war?,Ann,50,no\n", {},
            {"titles": ["Will A?", "Total war?"],
             "left out": [("line 3", "a row of totals, not a question")]},
        )
        for name in ("Total", "average:", "Summe")
    },
    "titles that differ only in spaces or capitals": (
        f"{TEAM}Will A?,Ann,70,yes\nwill  a?,Bob,50,yes\nWill B?,Bob,50,yes\nWill A? ,Cy,50,yes\n",
        {}, {"titles": ["Will A?", "will  a?", "Will B?"],
             "note": "questions: 'will  a?' beside 'Will A?'. If they are one"},
    ),
    # Other languages.
    "German as Excel writes it": (
        f"\ufeff{GERMAN}Regnet es?;Anna Müller;12,5 %;15.03.2025;Ja;30.06.2025\r\n"
        "Regnet es?;Jörg;70\u00a0%;5.4.2025 14:30;;30.06.2025\r\n"
        "Schneit es, viel?;Jörg;3,333%;15.03.2025;Nein;1.7.2025\r\n", {},
        {"titles": ["Regnet es?", "Schneit es, viel?"], "outcomes": ["yes", "no"],
         "closes": ["2025-06-30 23:59", "2025-07-01 23:59"],
         "who": ["Anna Müller", "Jörg", "Jörg"], "p": [0.125, 0.7, 0.03333],
         "made": ["2025-03-15 00:00", "2025-04-05 14:30", "2025-03-15 00:00"]},
    ),
    "French": (
        "Question;Nom;Probabilité;Date;Résultat;Échéance\nPluie?;Zoé;0,7;2025-03-15;Oui;2025-06-30\n",
        {}, {"outcomes": ["yes"], "who": ["Zoé"], "p": [0.7], "no note": "Left out"},
    ),
    "Spanish": (
        "Pregunta;Nombre;Pronóstico;Fecha;Resultado;Plazo\n¿?;Zoé;0,7;2025-03-15;Sí;2025-06-30\n",
        {}, {"outcomes": ["yes"], "who": ["Zoé"], "p": [0.7], "no note": "Left out"},
    ),
    "columns of days with dots": (
        "Frage;Ergebnis;15.03.2025;1.4.2025\nRegnet es?;Ja;12,5;70\n", {},
        {"made": ["2025-03-15 00:00", "2025-04-01 00:00"], "p": [0.125, 0.7]},
    ),
    "a chosen day with dots": (
        "Frage;Ergebnis;15.03.2025;1.4.2025\nRegnet es?;Ja;12,5;70\n",
        with_columns(**{"made_at:2.4.2025": "1.4.2025"}), {"made": ["2025-04-02 00:00"]},
    ),
    "Tag is the German day if its cells are dates": (
        "Tag;Frage;Prognose;Ergebnis\n15.03.2025;Regnet es?;70;Ja\n", {},
        {"made": ["2025-03-15 00:00"], "tags": [None]},
    ),
    "Tag with words is a tag": (
        "Tag;Frage;Prognose;Ergebnis\nRegen;Regnet es?;70;Ja\n", {}, {"tags": [["Regen"]]},
    ),
    "outcomes in other languages": (
        two("outcome", "Offen", "ungültig", "Annulé", "Mehrdeutig", "VRAI", "verdadero"), {},
        {"outcomes": ["", "annulled", "annulled", "ambiguous", "yes", "yes"]},
    ),
    "people with decimal commas": (
        "Frage;Anna;Jörg;Aufgelöst?;Ergebnis\nRegnet es?;12,5;7 %;Ja;Nein\n", {},
        {"who": ["Anna", "Jörg"], "p": [0.125, 0.07]},
    ),
    "a share with a decimal comma": (
        "Frage\tPrognose\tErgebnis\nRegnet es?\t0,7\t0,25\n", {}, {"outcomes": ["0.25"]},
    ),
    "decimal commas in quotes": (
        two("p", '"0,125"', '"0,7"', '"1,00"'), {}, {"p": [0.125, 0.7, 1]}
    ),
    "a comma in a header does not hide the semicolons": (
        "Frage;Prognose (0,0 bis 1,0);Ergebnis;Frist\nRegnet es?;0,7;Ja;30.06.2025\n",
        with_columns(probability="Prognose (0,0 bis 1,0)"), {"p": [0.7]},
    ),
    "semicolons in a header do not hide the commas": (
        '"Question; in full",p,outcome\na;b,0.7,1\n', with_columns(title="Question; in full"),
        {"titles": ["a;b"]},
    ),
}  # fmt: skip


@pytest.mark.parametrize(("text", "choices", "expected"), SHEETS.values(), ids=SHEETS)
def test_a_sheet_is_read(
    tmp_path: Path, text: str, choices: dict[str, Any], expected: dict[str, Any]
) -> None:
    require(read(tmp_path, text, **choices), expected)


# Each sheet that is refused: the choices, the bad cells, and words of the message with its remedy.
BAD: dict[str, tuple[str, dict[str, Any], list[tuple[str, str]], str]] = {
    "a scale that could be either": (
        two("p", "0.7", "70"), {}, [], "0.7 is below 1, 70 above. If 0.5 means 0.5%: --column "
    ),
    "several candidates": (
        "question,prob1,prob2,outcome\na,0.2,0.8,1\n", {}, [],
        "Several columns could be the probability: 'prob1', 'prob2'. Choose one: --column "
        "probability=prob1",
    ),
    "a chosen column that is not there": (
        PLAIN, with_columns(probability="q"), [],
        "The file has no column 'q', chosen for probability. Its columns are: question, user,",
    ),
    "a field that is not one": (
        PLAIN, with_columns(chance="prob"), [], "'chance' is not a column of ours."
    ),
    "a scale that is not one": (
        PLAIN, with_columns(scale="10"), [], "The scale '10' is neither 1 nor 100."
    ),
    "a day that is not one": (
        PLAIN, with_columns(**{"made_at:soon": "prob"}), [], "'soon' is not a day."
    ),
    "a forecaster without a column": (
        NAMED, with_columns(**{"forecaster:ann": ""}), [],
        "No column is named for 'forecaster:ann'.",
    ),
    "columns of numbers beside names": (
        "name,question,Ann,Bo,outcome\nme,Rain?,70,50,yes\n", {}, [],
        "has a usual name for the probability",
    ),
    "a title above the header": (
        f"Forecasts of 2025,,,\n{TEAM}Will A?,Ann,70,yes\n", {}, [],
        "The first line of sheet.csv leaves 3 columns without a name: 'Forecasts of 2025,,,'. It "
        "must name each column: remove titles above it",
    ),
    "merged cells": (
        f"{TEAM}Will A?,Ann,70,yes\n,Bob,50,\n", {}, [("line 3, column Question", "")],
        "If a cell is merged with those below",
    ),
    "options that do not sum to 1": (
        "match,date,w,d,result\nA-B,2025-03-01,0.5,0.3,win\n",
        with_columns(**{"option:win": "w", "option:draw": "d"}, title="match"),
        [("line 2, column w", "0.5")], "",
    ),
    "no outcomes": (
        "Question,p,Resolved?\nRain by 2028?,70%,yes\nFog by 2028?,20%,no\n", {}, [],
        "No column of sheet.csv has the outcomes of its questions. 'Resolved?' may say only "
        "whether a question resolved. If it says how (yes or no): --column 'outcome=Resolved?'; if "
        "not, add a column with the outcomes. If all are open: --column outcome=",
    ),
    "cells in the order of the lines": (
        "question,date,p,outcome\nRain?,2026-02-30,70%,maybe\nFog?,2026-02-01,135%,1\n"
        "Hail?,2026-02-01\nSnow?,3/8/2026,x,1\n", {},
        [("line 2, column date", "2026-02-30"), ("line 2, column outcome", "maybe"),
         ("line 3, column p", "135%"), ("line 4", "Hail?,2026-02-01"),
         ("line 5, column date", "3/8/2026"), ("line 5, column p", "x")],
        "Format the dates as yyyy-mm-dd in your spreadsheet",
    ),
    "a cell below blank rows and totals": (
        f"{TEAM},,,\nTotal,,1,\nWill A?,Ann,seven,yes\n", {},
        [("line 4, column Probability", "seven")], "",
    ),
    **{
        f"the row {row}": (
            f"{PLAIN}{row}\n", with_columns(scale="1") if "1.2" in row else {},
            [(f"line 4, column {column}", value)], "",
        )
        for row, column, value in (
            ("Hail?,bo,2025-03-01,1.2,1", "prob", "1.2"),
            ("Hail?,bo,2025-03-01,-0.1,1", "prob", "-0.1"),
            ('Hail?,bo,2025-03-01,"0,7,1",1', "prob", "0,7,1"),
            ("Hail?,bo,2025-03-01,nan,1", "prob", "nan"),
            ("Hail?,bo,03/01/2025,0.7,1", "date", "03/01/2025"),
            ("Hail?,bo,,0.7,1", "date", ""),
            ("Hail?,bo,2025-03-01,0.7,2", "outcome", "2"),
            ("Rain?,bo,2025-03-01,0.7,0", "outcome", "0"),
            (",bo,2025-03-01,0.7,0", "question", ""),
        )
    },
}  # fmt: skip


@pytest.mark.parametrize(("text", "choices", "cells", "words"), BAD.values(), ids=BAD)
def test_a_bad_sheet_is_refused_with_its_cells_and_a_remedy(
    tmp_path: Path, text: str, choices: dict[str, Any], cells: list[tuple[str, str]], words: str
) -> None:
    error = refused(tmp_path, text, **choices)
    assert sheets.places(error) == [(f"sheet.csv, {place}", value) for place, value in cells]
    assert words in str(error)


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        (two("p", "70%", "135%"), "a probability from 0% to 100%"),
        (two("p", "70", "135"), "a probability from 0 to 100"),
        (two("p", "0.5", "-0.1"), "a probability from 0 to 1"),
        (two("p", '"1,000"'), "or a percentage, without a separator of thousands"),
        ("question;p;outcome\na;1.234,5;1\n", "or a percentage"),
        ("question;p;outcome\na;1,234,567;1\n", "without a separator of thousands"),
        ("question,date,p,outcome\na,03/08/2026,0.7,1\n", "with or without an offset"),
        ("question,date,p,outcome\na,2025.03.15,0.7,1\n", "with or without an offset"),
        ("question,date,p,outcome\na,15.03.25,0.7,1\n", "with or without an offset"),
        ("question,date,p,outcome\na,45717,0.7,1\n", "number for 2025-03-01, perhaps"),
        ("question,date,p,outcome\na,30.02.2025,0.7,1\n", "There is no such day or time."),
        ("question,date,p,outcome\na,2026-02-28 25:00,0.7,1\n", "There is no such day or time."),
        ("question,date,p,outcome\na,0001-01-01T00:00:00+05:00,0.7,1\n", "years 1 to 9999 in UTC"),
    ],
)
def test_the_rule_of_a_bad_cell_is_in_the_form_of_the_sheet(
    tmp_path: Path, text: str, rule: str
) -> None:
    [problem] = refused(tmp_path, text).problems
    assert problem.rule.endswith(rule)


def test_a_time_without_a_day_after_it_breaks_a_rule(tmp_path: Path) -> None:
    with pytest.raises(BadInput) as error:
        read(tmp_path, "question,timestamp,p,outcome\na,9999-12-31 12:00,0.7,1\n", **NEW_YORK)
    assert "must be after open_time" in str(error.value.problems[0])


def test_a_cell_and_a_row_below_semicolons_are_named_by_their_lines(tmp_path: Path) -> None:
    rows = 'Regnet es?;"Anna\nMüller";70 %;;Ja;2025-06-30\n;;;;;\nSchneit es?;Jörg;viel;;;\n'
    found = sheets.places(refused(tmp_path, f"{GERMAN}{rows}Hagel?;Jörg\n"))
    assert ("sheet.csv, line 5, column Wahrscheinlichkeit", "viel") in found
    assert ("sheet.csv, line 6", "Hagel?;Jörg") in found


def test_a_newer_file_keeps_the_ids(tmp_path: Path) -> None:
    before = read(tmp_path, PLAIN).frames.questions["question_id"].tolist()
    newer = PLAIN.replace("0.2,0", "0.2,") + "Hail?,bo,2025-03-03,0.2,\n"
    assert read(tmp_path, newer, "other.csv").frames.questions["question_id"].tolist()[:2] == before


@pytest.mark.parametrize("cells", [("yes", "no"), ("2025-03-04", "2025-03-05")])
def test_a_question_without_a_title_has_the_same_id_with_and_without_its_outcome(
    tmp_path: Path, cells: tuple[str, str]
) -> None:
    text = "city,date,p,outcome,resolved\nRain,2025-03-01,0.7,,{}\nFog,2025-03-01,0.7,,{}\n"
    ids = [facts(read(tmp_path, text.format(*some)))["id"] for some in (cells, ("", ""))]
    assert ids[0] == ids[1]


def test_columns_in_another_order_are_the_same(tmp_path: Path) -> None:
    rows = list(csv.reader(PLAIN.splitlines()))
    turned = "\n".join(",".join(reversed(row)) for row in rows) + "\n"
    one, other = read(tmp_path, PLAIN).frames, read(tmp_path, turned).frames
    assert one.questions.equals(other.questions)
    assert one.forecasts.equals(other.forecasts)


def test_an_unknown_sheet_and_one_without_a_probability_name_the_columns_to_choose(
    tmp_path: Path,
) -> None:
    text = str(refused(tmp_path, "question,notes 2,deadline\na,good,2025-03-01\n"))
    assert "Its columns are question, notes 2, deadline. Name the columns" in text
    assert [line.split("=")[0].strip() for line in text.splitlines()[1:]] == [
        f"--column {field}" for field in ("probability", "outcome", "forecaster", "made_at")
    ]
    sheet = tmp_path / "sheet.csv"
    sheet.write_text("Statement,My guess,What happened\nRain?,70,yes\n")
    with opened(sheet) as source, pytest.raises(BadInput) as caught:
        recognised(source)
    assert "Its columns are Statement, My guess, What happened." in caught.value.remedy
    assert "--column title=NAME" not in caught.value.remedy
    assert "--column close_time=NAME" in caught.value.remedy


def test_a_note_on_columns_left_out_names_fields_in_the_words_of_the_command_and_the_page(
    tmp_path: Path,
) -> None:
    text = "question,date,p,outcome,by --format x\nRain?,2025-03-01,0.7,1,me\n"
    [note] = [one for one in read(tmp_path, text).notes if "Left out" in in_words(one)]
    assert not isinstance(note, str)
    sentence = "If it is the forecaster, close time or resolution time, name it, as in "
    assert in_words(note).endswith(f"{sentence}--column 'forecaster=by --format x'")
    assert said(note).endswith(f"{sentence}“Forecaster: by --format x”")


def test_rows_at_the_same_time_without_names_are_pointed_out(tmp_path: Path) -> None:
    record = read(tmp_path, NAMED.replace("name", "mood", 1))
    [note] = [one for one in notes_of(record) if "yours" in one]
    assert note.startswith("No column names the forecasters, so all forecasts are yours.")
    assert note.endswith("name the column that tells them apart: --column forecaster=NAME")


def test_a_gzip_file_is_unpacked_unless_it_is_torn_or_a_bomb(tmp_path: Path) -> None:
    packed = gzip.compress(PLAIN.encode())
    assert len(read(tmp_path, packed, "sheet.csv.gz").frames.forecasts) == 2
    bomb = gzip.compress(PLAIN.encode() + b"\n" * 12_000_000)
    for given, message in ((packed[:-20], "cannot be unpacked"), (bomb, "unpacks to more")):
        error = sheets.refused(tmp_path / "t.csv.gz", given, format_="pairs")
        assert message in error.message


def test_a_real_file_has_the_brier_score_of_a_direct_computation() -> None:
    path = REAL / "538_governors.csv"
    if not path.is_file():
        pytest.skip("the real files are not here")
    lines = list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))
    frames = sheets.parsed(path, format_="pairs").frames
    came_true = frames.questions.set_index("question_id")["resolution"] == "yes"
    errors = frames.forecasts["probability"] - frames.forecasts["question_id"].map(came_true)
    direct = [(float(line["p"]) - float(line["outcome"])) ** 2 for line in lines]
    assert len(errors) == len(lines)
    assert (errors**2).mean() == pytest.approx(np.mean(direct), abs=1e-12)


def test_the_tables_of_words_are_folded_and_no_word_is_of_two_fields() -> None:
    fields = [word for words in (*USUAL.values(), PEOPLE, RESOLVED) for word in words]
    assert len(fields) == len(set(fields))
    assert [word for word in fields if plain(word) != word] == []
    assert [word for word in (*YES, *NO, *OTHERS) if unaccented(word) != word] == []
    assert len({*YES, *NO, *OTHERS}) == len(YES) + len(NO) + len(OTHERS)
    assert found_by_name(["Schätzung", "BEGRÜNDUNG:"])["rationale"] == ["BEGRÜNDUNG:"]


def test_a_sheet_has_the_criteria_and_the_audience_of_its_questions(tmp_path: Path) -> None:
    text = (
        "Question,Person,Probability,Resolution criteria,Visible to\n"
        "Rain by May 2026?,bo,0.7,As the gauge says., Alder \n"
        "Rain by May 2026?,cy,0.6,,\n"
        "Snow by May 2026?,bo,0.2,,\n"
        "Fog by May 2026?,bo,0.2,,\n"
        "Fog by May 2026?,cy,0.2,As seen.,me\n"
    )
    found = read(tmp_path, text)
    criteria = found.frames.questions["resolution_criteria"].tolist()
    assert criteria == ["As the gauge says.", "", "As seen."]
    assert found.origins["visible_to"].tolist() == ["Alder", "", "me"]
    noted = "Resolution criteria → resolution criteria; Visible to → audience"
    assert any(noted in note for note in notes_of(found))
    [problem] = refused(tmp_path, text + "Fog by May 2026?,di,0.2,,everyone\n").problems
    assert problem.place.endswith("line 7, column Visible to")
    assert problem.rule.startswith("one audience for all rows of a question")
