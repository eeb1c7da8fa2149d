"""Import and export: a preview comes before anything is stored."""

from __future__ import annotations

import io
import zipfile

import pytest
from sqlalchemy import Engine
from streamlit.testing.v1 import AppTest

from forecasts.access import roles, teams
from forecasts.access.members import member_or_new
from forecasts.exporting.export import as_zip, exported
from forecasts.ledger import database
from forecasts.ledger.models import Role
from forecasts.platforms.formats import EXPORTS
from forecasts.questions import standing
from tests.app.conftest import toasts, visit, words
from tests.conftest import day

pytestmark = pytest.mark.slow


@pytest.fixture
def folder(furnished: AppTest, engine: Engine) -> bytes:
    """The furnished ledger, exported by the page."""
    with database.reading(engine) as ledger:
        frames, _ = exported(ledger, member=None, now=day(5))
    return as_zip(frames)


def hand_over(app: AppTest, archive: bytes) -> AppTest:
    visit(app, "exchange")
    app.file_uploader[0].upload("ledger.zip", archive, "application/zip").run()
    app.button(key="import#0-look").click().run()
    return app


def count(engine: Engine) -> int:
    with database.reading(engine) as ledger:
        return len(standing.listing(ledger, now=day(5)))


def test_a_folder_is_previewed_and_imported(
    furnished: AppTest, engine: Engine, folder: bytes
) -> None:
    renamed = folder_with_another_name(folder)
    hand_over(furnished, renamed)
    assert "Adds 1 question, 2 forecasts." in words(furnished).replace("*", "")
    assert count(engine) == 6
    furnished.button(key="import#0-go").click().run()
    assert toasts(furnished) == ["Imported: 1 question, 2 forecasts."]
    assert count(engine) == 7
    assert not furnished.exception


def folder_with_another_name(archive: bytes) -> bytes:
    """Return the folder with another question ID, which is new to the ledger."""
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(archive)) as old, zipfile.ZipFile(made, "w") as new:
        for name in old.namelist():
            said = old.read(name)
            if name in ("questions.csv", "forecasts.csv"):
                lines = said.decode().splitlines(keepends=True)
                rain = [line for line in lines if line.startswith("rain,")]
                copies = [
                    line.replace("rain,", "hail,", 1).replace("rain?", "hail?") for line in rain
                ]
                said = "".join([lines[0], *copies]).encode()
            if name != "articles.csv":
                new.writestr(name, said)
    return made.getvalue()


def test_each_format_is_prepared_and_names_its_omissions(furnished: AppTest) -> None:
    visit(furnished, "exchange")
    assert furnished.button(key="import#0-look").disabled  # without a file
    [format_] = [one for one in furnished.selectbox if one.label == "Export as"]
    assert len(format_.options) == 2 + len(EXPORTS)
    for place in range(1, len(format_.options)):
        [format_] = [one for one in furnished.selectbox if one.label == "Export as"]
        format_.select_index(place).run()
        assert not furnished.get("download_button"), place
        furnished.button(key="export-prepare").click().run()
        [download] = furnished.get("download_button")
        assert download.proto.label.startswith("Download "), place
        assert "Left out: " in words(furnished), place
        assert not furnished.exception


def test_a_viewer_may_export_and_finds_no_way_to_import(app: AppTest, engine: Engine) -> None:
    with database.writing(engine) as ledger:
        alice, bob = (member_or_new(ledger, handle, now=day(0)) for handle in ("alice", "bob"))
        teams.create(ledger, "Alder", member=bob, now=day(0))
        teams.appoint(ledger, alice, Role.viewer, member=bob, now=day(0))
        assert roles.is_shared(ledger)
    visit(app, "exchange")
    assert not app.file_uploader
    assert [button.label for button in app.button] == []
    assert "Importing requires the forecaster" in words(app)
