"""Import and export: files are recognised and previewed before anything is stored."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlmodel import col, select
from streamlit.testing.v1 import AppTest

from forecasts.access.members import member_or_new
from forecasts.exporting.export import as_zip, exported
from forecasts.ledger import database
from forecasts.ledger.models import Forecast, Member
from forecasts.platforms.formats import EXPORTS
from forecasts.questions import standing
from tests.app.conftest import confirmed, press, visit, words
from tests.conftest import day
from tests.platforms.metaculus_files import crowd, export, forecast, question

pytestmark = pytest.mark.slow


@pytest.fixture
def files(tmp_path: Path) -> list[tuple[str, bytes, str]]:
    """An export of two questions with three forecasts and a crowd's."""
    folder = export(
        tmp_path / "metaculus",
        [
            question(41, **{"Question URL": "https://www.metaculus.com/questions/9041"}),
            question(42, **{"Question Title": "=1+1 or more?"}),
        ],
        [
            forecast(41, **{"Probability Yes": "0.2"}),
            forecast(41, at="2026-01-03 00:00:00", **{"Probability Yes": "0.4"}),
            forecast(42, **{"Probability Yes": "0.9"}),
            crowd(42, **{"Probability Yes": "0.5"}),
        ],
    )
    return [(path.name, path.read_bytes(), "text/csv") for path in sorted(folder.glob("*.csv"))]


def upload(app: AppTest, files: list[tuple[str, bytes, str]]) -> AppTest:
    visit(app, "exchange")
    app.file_uploader[0].set_value(files)
    return app.run()


def listed(engine: Engine) -> set[str]:
    """Return the titles of the ledger's questions."""
    with database.reading(engine) as ledger:
        return {one.text.title for one in standing.listing(ledger, now=day(5))}


def adds(app: AppTest) -> str:
    """Return what the preview would add: '2 questions, 3 forecasts'; '' without a preview."""
    shown = [one.value for one in app.markdown if one.value.startswith("Adds ")]
    return "".join(shown).removeprefix("Adds ").removesuffix(".").replace("*", "")


def test_the_format_is_recognised_and_can_be_changed(app: AppTest, files: Any) -> None:
    upload(app, files)
    assert app.selectbox[0].value == "metaculus"
    assert app.selectbox[0].options[0] == "Ledger folder"
    app.selectbox[0].select("folder").run()
    assert not [one for one in app.selectbox if one.label == "Time zone"]
    press(app, "Preview")
    assert "questions.csv" in words(app)
    assert not adds(app)


def test_a_preview_lists_additions_that_an_import_stores_and_the_next_has_none(
    app: AppTest, engine: Engine, files: Any
) -> None:
    press(upload(app, files), "Preview")
    assert adds(app) == "2 questions, 3 forecasts"
    assert [tab.label for tab in app.tabs] == ["Questions (2)", "Left out (1)"]
    said = words(app)
    assert "[Will it rain on day 41?](<https://www.metaculus.com/questions/9041/>)" in said
    assert "**new** · 2 new forecasts, 2 Jan 2026 to 3 Jan 2026 · close 11 Jan 2026\n" in said
    assert "**new** · 1 new forecast, 2 Jan 2026 · close 11 Jan 2026\n" in said
    assert "crowd" in said
    assert not confirmed(app)  # nothing is imported yet
    press(app, "Import")
    assert confirmed(app) == ["Imported: 2 questions, 3 forecasts."]
    said = words(app)
    assert "Imported from Metaculus" in said
    assert "Will it rain on day 41?" in said
    assert "2 questions lack criteria" in said
    assert len(listed(engine)) == 2
    press(app, "Done")
    assert "Imported from Metaculus" not in words(app)
    press(upload(app, files), "Preview")
    assert not adds(app)
    assert [one.value for one in app.info] == ["Nothing new to import."]
    assert next(one for one in app.button if one.label == "Import").disabled


def test_a_preview_ends_with_a_changed_choice_or_a_cancel(app: AppTest, files: Any) -> None:
    press(upload(app, files), "Preview")
    app.checkbox(key="import#0-aggregates").check().run()
    assert not adds(app)
    press(app, "Preview")
    assert "4 forecasts" in adds(app)
    press(app, "Cancel")
    assert not adds(app)
    # A refusal keeps the choices.
    app.text_input(key="import#0-account").input("anne").run()
    press(app, "Preview")
    assert "No forecast in the file is by" in words(app)
    assert app.text_input(key="import#0-account").value == "anne"


def test_an_unknown_format_is_refused_with_the_known_ones(app: AppTest) -> None:
    upload(app, [("notes.json", b"[]", "application/json")])
    said = "notes.json has no format that can be imported. Looked for:  \nLedger folder: questions"
    assert said in words(app)
    press(app, "Preview")
    assert "Choose the format of the file first." in words(app)


SHEET = (
    "Statement,My guess,Said on,Came out\n"
    "Will it hail?,0.3,2026-01-02,no\n"
    "Will it thaw?,0.6,2026-01-03,yes\n"
)


def test_the_columns_of_a_spreadsheet_can_be_chosen(app: AppTest, engine: Engine) -> None:
    upload(app, [("guesses.csv", SHEET.encode(), "text/csv")])
    [format_] = [one for one in app.selectbox if one.label == "Format"]
    format_.select("pairs").run()
    for ours, theirs in (
        ("Probability", "My guess"),
        ("Outcome", "Came out"),
        ("Made at", "Said on"),
    ):
        [column] = [one for one in app.selectbox if one.label == ours]
        column.select(theirs).run()
    press(app, "Preview")
    assert "2 questions, 2 forecasts" in adds(app)
    said = words(app)
    assert "Will it hail?" in said
    assert "**new** · 1 new forecast, 3 Jan 2026 · close 3 Jan 2026 · outcome: yes" in said


def test_the_columns_open_when_an_error_names_them(app: AppTest) -> None:
    two = "question,prob,p,date,outcome\nWill it hail?,0.3,0.4,2026-01-02,no\n"
    upload(app, [("guesses.csv", two.encode(), "text/csv")])
    assert not columns_are_open(app)
    press(app, "Preview")
    assert "Choose one: “Probability: prob”; or none: “Probability: none”" in words(app)
    assert columns_are_open(app)
    [column] = [one for one in app.selectbox if one.label == "Probability"]
    column.select("p").run()
    assert columns_are_open(app)
    assert "1 forecast" in adds(press(app, "Preview"))


def columns_are_open(app: AppTest) -> bool:
    [shown] = [one for one in app.expander if one.label == "Columns"]
    return shown.proto.expanded


FATEBOOK = (
    "Question title,Forecast created by,Forecast (scale = 0-1),Forecast created at,"
    "Question created at,Question resolve by,Resolution\n"
    "Will it rain?,Alice A.,0.7,2024-05-01 10:11:5,2024-05-01 10:11:5,2024-06-01 00:00:0,YES\n"
)
CONFIDO = "timestamp,date,time,probability,user_id,nick,resolution\n1704067200,,,0.4,7,Al,1\n"


def test_a_members_export_is_imported_as_theirs_by_choice(app: AppTest, engine: Engine) -> None:
    with database.writing(engine) as session:
        member_or_new(session, "emma", now=day(0))
    sheet = "question,date,p,outcome\nWill it rain?,2026-01-02,0.7,yes\n"
    press(upload(app, [("sheet.csv", sheet.encode(), "text/csv")]), "Preview")
    assert "1 new forecast in the file becomes alice's." in words(app)
    [whose] = [one for one in app.selectbox if one.label == "Record owner"]
    whose.select("emma").run()
    press(app, "Preview")
    assert "1 new forecast in the file becomes emma's." in words(app)
    press(app, "Import")
    with database.reading(engine) as session:
        by = select(Member.handle).join(Forecast, col(Forecast.member_id) == col(Member.id))
        assert set(session.exec(by)) == {"emma"}


def choices(app: AppTest) -> set[str]:
    return {one.label for one in [*app.checkbox, *app.selectbox]} & {
        "Time zone",
        "Import the platform’s crowd forecasts, as bots",
        "Keep anonymised ids",
    }


def test_only_the_choices_that_a_file_has_are_shown(app: AppTest, files: Any) -> None:
    crowds = "Import the platform’s crowd forecasts, as bots"
    upload(app, files)
    assert choices(app) == {crowds}
    anonymised = [
        (name, data.replace(b"Forecaster ID", b"Forecaster (Anonymized)"), kind)
        for name, data, kind in files
    ]
    upload(app, anonymised)
    assert choices(app) == {crowds, "Keep anonymised ids"}
    for name, text, shown in (
        ("fatebook.csv", FATEBOOK, {"Time zone"}),
        ("confido.csv", CONFIDO, {crowds}),
        ("guesses.csv", SHEET.replace("My guess", "p").replace("Came out", "y"), {"Time zone"}),
    ):
        upload(app, [(name, text.encode(), "text/csv")])
        assert choices(app) == shown, name


def test_a_missing_close_is_typed_on_the_page(app: AppTest) -> None:
    text = "question,p,outcome\nWill Ann marry?,0.3,\nWill it open by 1 June 2027?,0.4,\n"
    press(upload(app, [("guesses.csv", text.encode(), "text/csv")]), "Preview")
    said = words(app)
    read = "1 new forecast, 6 Jan 2026 · close 1 Jun 2027 · read from “by 1 June 2027” in the title"
    assert f"**new** · {read}" in said
    assert "add a column with the close, or give one last day: “Closes”" in said
    assert "1 question" in adds(app)
    app.text_input(key="import#0-closes").input("soon").run()
    assert "'soon' is not a date" in words(press(app, "Preview"))
    app.text_input(key="import#0-closes").input("end of March 2027").run()
    press(app, "Preview")
    assert "2 questions" in adds(app)
    assert "close 31 Mar 2027" in words(app)


def test_a_folder_is_previewed_and_imported(furnished: AppTest, engine: Engine) -> None:
    with database.reading(engine) as ledger:
        frames, _ = exported(ledger, member=None, now=day(5), questions=["rain"])
    renamed = replace(
        frames,
        questions=frames.questions.assign(question_id="hail", title="Will it hail?"),
        forecasts=frames.forecasts.assign(question_id="hail"),
    )
    visit(furnished, "exchange")
    furnished.file_uploader[0].upload("ledger.zip", as_zip(renamed), "application/zip").run()
    furnished.button(key="import#0-look").click().run()
    assert "Adds 1 question, 2 forecasts." in words(furnished).replace("*", "")
    assert len(listed(engine)) == 6
    furnished.button(key="import#0-go").click().run()
    assert confirmed(furnished) == ["Imported: 1 question, 2 forecasts."]
    assert len(listed(engine)) == 7
    assert not furnished.exception


def test_a_format_is_prepared_and_names_its_omissions(furnished: AppTest) -> None:
    visit(furnished, "exchange")
    assert furnished.button(key="import#0-look").disabled  # without a file
    [format_] = [one for one in furnished.selectbox if one.label == "Export as"]
    assert len(format_.options) == 2 + len(EXPORTS)
    for place in (1, len(EXPORTS) + 1):
        [format_] = [one for one in furnished.selectbox if one.label == "Export as"]
        format_.select_index(place).run()
        assert not furnished.get("download_button"), place
        furnished.button(key="export-prepare").click().run()
        [download] = furnished.get("download_button")
        assert download.proto.label.startswith("Download "), place
        assert "Left out: " in words(furnished), place
        assert not furnished.exception
