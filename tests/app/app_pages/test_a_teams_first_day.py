"""A team's first day: two teams, a sheet of 40 questions and 6 members, and their comparison."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import Engine
from streamlit.testing.v1 import AppTest
from typer.testing import CliRunner

from forecasts.access import teams, visibility
from forecasts.access.members import member_named, member_or_new
from forecasts.cli.main import app as command_line
from forecasts.ledger import database
from forecasts.questions import registry, revisions
from forecasts.questions.standing import listing
from forecasts.scores.ledger_frames import forecast_frame
from tests.app.conftest import confirmed, fill, press, register, say, settle, visit, words
from tests.conftest import day

pytestmark = pytest.mark.slow

TEAMS = {"Alder": ("ann", "ben", "cai"), "Birch": ("dot", "eve", "fay")}


def sheet(folder: Path) -> Path:
    """Write 40 questions on which six forecast: 30 for everyone, 5 for each team alone."""
    rows = ["question,person,probability,outcome,date,closes,criteria,visible to"]
    for number in range(40):
        is_yes, only = number % 2 == 0, {30: "Alder", 35: "Birch"}.get(number // 5 * 5, "")
        audience = only or ("everyone" if number % 3 else "")
        for team, people in TEAMS.items():
            right = 0.9 if team == "Alder" else 0.6
            p = (right if is_yes else 1 - right) + number % 7 / 100
            about = f"{p:.2f},{'yes' if is_yes else 'no'},2025-12-10,2025-12-30"
            criteria = "" if number % 4 else "As the gazette says."
            rows += [
                f"Will gate {number} open?,{who},{about},{criteria},{audience}"
                for who in people
                if only in ("", team)
            ]
    path = folder / "sheet.csv"
    path.write_text("\n".join(rows))
    return path


@pytest.fixture
def command(app: AppTest, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Commands in a terminal, on the pages' ledger and at their time."""
    monkeypatch.setattr("forecasts.cli.console.clock", lambda: day(5))

    def run(*arguments: object) -> str:
        result = CliRunner().invoke(command_line, [*map(str, arguments)])
        assert result.exit_code == 0, result.output
        return result.output

    return run


def test_two_teams_are_compared_by_the_admin_who_made_them_and_forecast_elsewhere(
    app: AppTest,
    engine: Engine,
    command: Callable[..., str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    register(engine, "quay", title="Elsewhere?", scheduled_close_time=day(4))
    say(engine, "quay", 0.7)
    settle(engine, "quay", "yes", by="alice")
    visit(app, "team")
    for number, name in enumerate(TEAMS):
        app.text_input(key=f"create-team#{number}-name").input(name)
        press(app, "Create team")
    fill(app, "team-1-place#0", who="ann")
    app.button(key="team-1-place#0-go").click().run()
    [said] = confirmed(app)
    assert said.endswith("ann is new here. If the name is wrong, remove it here.")
    app.date_input(key="team-1-since#0-day").set_value(date(2025, 12, 1))
    app.button(key="team-1-since#0-go").click().run()
    assert not app.exception
    with database.writing(engine) as session:  # the others likewise
        alice = member_named(session, "alice")
        for name, people in TEAMS.items():
            for who in people[1:] if name == "Alder" else people:
                member = member_or_new(session, who, now=day(5))
                team = teams.find(session, name)
                teams.add(session, team, member, since=day(-31), member=alice, now=day(5))
    said = command("import", sheet(tmp_path), "--vouch", "--visible-to", "everyone")
    assert "40 new questions" in said
    assert "210 forecasts" in said
    assert "only you can see" not in said

    said = words(visit(app, "compare"))
    assert "not comparable" not in said
    assert "Alder did better than Birch" in said
    for name, people in TEAMS.items():
        for who in people:
            with database.reading(engine) as session:
                member = member_named(session, who)
                visibility.read_as(session, member, now=day(5))
                seen = {state.slug for state in listing(session, now=day(5))}
                assert len(seen) == 36, who  # 30 of everyone, 5 of the team, one elsewhere
                frame = forecast_frame(session, None)
                assert set(frame["question_id"][frame["forecaster"] == who]) == seen - {"quay"}
        monkeypatch.setenv("FORECASTS_MEMBER", people[0])
        said = words(visit(app, "questions", words="gate 3"))
        assert ("Will gate 30 open?" in said, "Will gate 35 open?" in said) == (
            (True, False) if name == "Alder" else (False, True)
        )


@pytest.mark.parametrize("way", ["terminal", "page"])
def test_imported_questions_that_only_the_importer_sees_are_shown_to_a_team_at_once(
    app: AppTest, engine: Engine, command: Callable[..., str], tmp_path: Path, way: str
) -> None:
    command("team", "create", "Alder")
    path = tmp_path / "sheet.csv"
    path.write_text("question,probability\nRain by March 2026?,0.4\nSnow by March 2026?,0.3\n")
    said = command("import", path, "--dry-run")
    assert "2 new questions lack resolution criteria" in said
    assert "To show them to others: --visible-to TEAM" in said
    assert "forecasts revise --all-of platform=spreadsheet" in command("import", path)
    fields = ("--criteria", "As the gauge says.", "--visible-to", "Alder")
    if way == "terminal":
        every = ("revise", "--all-of", "platform=spreadsheet")
        assert "2 of 2 questions would be changed" in command(*every, *fields, "--dry-run")
        said = command(*every, *fields)
        assert said.count("visibility: its author → Alder and its author") == 2
        assert "2 of 2 questions changed" in said
    else:
        visit(app, "questions")
        app.toggle(key="several").set_value(True).run()
        for number, (act, field, value) in enumerate(
            [
                ("set the criteria", "criteria", "As the gauge says."),
                ("set the audience", "who", ""),
            ]
        ):
            key = f"several#{number}"
            app.button(key=f"{key}-all").click().run()
            app.selectbox(key=f"{key}-act").select(act).run()
            if not value:
                app.selectbox(key=f"{key}-{field}").select("Alder").run()
            else:
                assert "changes none of the selected" in words(app)
                assert "keep their criteria" not in words(app)  # they have none
                app.text_area(key=f"{key}-{field}").input(value).run()
                assert "2 questions: resolution criteria: blank → As the gauge says." in words(app)
            app.button(key=f"{key}-go").click().run()
            assert not app.exception
    assert "2 questions keep their criteria. To replace them too: --replace" in command(
        "revise", "--all-of", "platform=spreadsheet", "--criteria", "Other.", "--dry-run"
    )
    with database.reading(engine) as session:
        for state in listing(session, now=day(5)):
            assert (state.text.visibility, state.text.has_criteria) == ("team", True)
            assert len(revisions.history(session, registry.find(session, state.slug))) > 1


def test_the_preview_asks_who_sees_questions_without_criteria(
    app: AppTest, engine: Engine, command: Callable[..., str]
) -> None:
    command("team", "create", "Alder")
    visit(app, "exchange")
    text = b"question,probability\nRain by March 2026?,0.4\n"
    app.file_uploader[0].set_value([("sheet.csv", text, "text/csv")])
    app.run()
    press(app, "Preview")
    assert "New questions visible to me: 1. Without resolution criteria: 1." in words(app)
    [go] = [button for button in app.button if button.label == "Import"]
    assert go.disabled
    app.selectbox(key="import#0-visible").select("Alder").run()
    assert "visible to me" not in words(app)
    press(app, "Import")
    assert not app.exception
    with database.reading(engine) as session:
        [state] = listing(session, now=day(5))
    assert state.text.visibility == "team"


def test_questions_without_forecasts_are_imported_for_the_audiences_of_their_sheet(
    app: AppTest, engine: Engine, command: Callable[..., str], tmp_path: Path
) -> None:
    command("team", "create", "Alder")
    rows = ["Title,Criteria,Seen by,Close time,Tags"]
    whom = ["everyone"] * 19 + ["Alder"] * 11 + ["me"] * 10
    rows += [
        f"Will gate {n} open?,{'So.' * (n < 28)},{who},2026-02-01,t" for n, who in enumerate(whom)
    ]
    path = tmp_path / "sheet.csv"
    path.write_text("\n".join(rows).replace("Alder", "Aldr"))
    named = ("--column", "visible_to=Seen by")
    refused = CliRunner().invoke(command_line, ["import", str(path), *named]).output
    assert "sheet.csv, line 21, audience: 'Aldr' — there is no such team. The teams" in refused
    path.write_text("\n".join(rows).replace("Seen by", "Team"))
    assert "If 'Team' names the audience of each question: --column visible_to=Team" in " ".join(
        command("import", path, "--dry-run").split()
    )
    said = command("import", path, "--dry-run", "--column", "visible_to=Team")
    seen = "visible to everyone: 19; Alder: 11; me: 10. Without resolution criteria: 12."
    assert seen in said
    assert "imported without forecasts" in said
    visit(app, "exchange")
    text = "\n".join(rows).replace("Seen by", "Visible to").encode()
    app.file_uploader[0].set_value([("sheet.csv", text, "text/csv")])
    app.run()
    press(app, "Preview")
    assert seen in words(app)
    assert not [one for one in app.selectbox if one.key == "import#0-visible"]  # the sheet says
    press(app, "Import")
    assert not app.exception
    with database.reading(engine) as session:
        found = [state.text.visibility for state in listing(session, now=day(5))]
    assert sorted(found) == ["author"] * 10 + ["everyone"] * 19 + ["team"] * 11
    visit(app, "questions")
    app.toggle(key="several").set_value(True).run()
    app.checkbox(key="several#0-every").check().run()
    assert "40 questions selected" in words(app)
    assert "for Alder and its author" in words(app)
