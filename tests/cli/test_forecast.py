"""Forecasting and withdrawing from the command line."""

from __future__ import annotations

import shlex

import pytest
from sqlalchemy import Engine

from forecasts.access import members
from forecasts.agenda import revisits
from forecasts.ledger import database
from forecasts.questions import registry
from forecasts.updates import updates
from tests.cli.conftest import Fill, Run

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("rain")]


@pytest.fixture
def rain(forecasts: Run, filled_once: Fill) -> None:
    """Three open questions: rain, which (Busan, Ulsan or Other) and depth (0 to 30)."""
    filled_once(lambda: fill(forecasts))


def fill(forecasts: Run) -> None:
    until = ("--closes", "2026-02-01", "--criteria", "As the gazette says.")
    forecasts("ask", "Will it rain?", "--slug", "rain", *until)
    options = ("--option", "Busan", "--option", "Ulsan", "--option", "Other")
    forecasts("ask", "Which port?", "--slug", "which", *options, *until)
    bounds = ("--type", "numeric", "--lower", "0", "--upper", "30")
    forecasts("ask", "How deep?", "--slug", "depth", *bounds, *until)


def cited(engine: Engine, slug: str = "rain") -> list[tuple[str, str, float | None, str]]:
    """Return the stance, kind, share and text of the newest forecast's evidence."""
    with database.reading(engine) as session:
        question = registry.find(session, slug)
        newest, _ = updates.history(session, question)[-1]
        return [
            (citation.stance, evidence.kind, citation.share, evidence.url or evidence.note)
            for citation, evidence in updates.evidence_of(session, question)[newest.id or 0]
        ]


def test_each_forecast_is_printed_with_the_way_back(forecasts: Run) -> None:
    withdraw = "To withdraw: forecasts withdraw rain\n"
    undo = "To undo: forecasts update rain 40%"
    for words, said, next_step in (
        (("update", "rain", "40%"), "40% on rain", withdraw),
        (("update", "rain", "0.4"), "still 40% on rain", withdraw),
        (("update", "rain", "9:1"), "40% → 90% on rain", f"{undo}   {withdraw}"),
        (("update", "rain", "40%"), "90% → 40% on rain", None),
        (("withdraw", "rain"), "withdrew 40% from rain", f"{undo}\n"),
    ):
        done = forecasts(*words)
        assert done.stdout == f"alice: {said}\n"
        assert next_step is None or done.stderr == next_step


def test_the_way_back_can_be_typed_for_options_and_numbers_on_the_ledger_that_was_named(
    forecasts: Run, ledger_url: str
) -> None:
    forecasts("update", "which", "Busan=60%")
    back = forecasts("update", "which", "Ulsan=50%").stderr
    assert "forecasts update which 'Busan=60%, Ulsan=20%, Other=20%'   " in back
    forecasts("update", "depth", "10%=3, 50%=8.5, above=1%")
    back = forecasts("withdraw", "depth").stderr
    assert back == "To undo: forecasts update depth '10%=3, 50%=8.5, above=1%'\n"
    done = forecasts("update", "rain", "40%", "--as", "bob b", "--database", ledger_url)
    named = f"--database {shlex.quote(ledger_url)} --as 'bob b'"
    assert done.stderr.endswith(f"forecasts withdraw rain {named}\n")


def test_a_number_below_0_is_a_value_and_not_an_option(forecasts: Run) -> None:
    for arguments in (("-5%",), ("--because", "-3", "-5%"), ("--", "-5%")):
        refused = forecasts.refused("update", "rain", *arguments)
        assert refused == "A probability must be from 0% to 100%; '-5%' is not."
    assert "no question '-5%'" in forecasts.refused("update", "-5%", "rain")
    assert "--evidence" in forecasts.refused("update", "rain", "5%", "--evidnce", "x")


def test_certainty_is_allowed_and_warned_of_once(forecasts: Run) -> None:
    for slug, value, words in (
        ("rain", "0", "0% means never"),
        ("which", "Busan=100%", "100% means certain"),
    ):
        said = forecasts("update", slug, value).stderr
        assert said.count("Warning") == 1
        assert f"Warning: {words}: one surprise costs an infinite log score" in said


def test_a_flag_holds_for_all_evidence_that_does_not_say_otherwise(
    forecasts: Run, engine: Engine
) -> None:
    command = (
        *("update", "--because", "dry", "--kind", "expert"),
        *("--evidence", "https://example.org/a", "--evidence", "No cloud in sight"),
        *("--evidence", "context data 30%: https://example.org/b", "--opposes", "rain", "30%"),
    )
    assert "no article 1" in forecasts.refused(*command, "--evidence", "article 1")
    done = forecasts(*command)
    assert done.stdout == "alice: 30% on rain (evidence: 2 against yes, 1 as context)\n"
    assert cited(engine) == [
        ("opposes", "expert", None, "https://example.org/a"),
        ("opposes", "expert", None, "No cloud in sight"),
        ("context", "data", 0.3, "https://example.org/b"),
    ]


def test_evidence_without_a_stance_follows_the_move_and_the_command_says_so(
    forecasts: Run, engine: Engine
) -> None:
    first = forecasts("update", "rain", "60%", "--evidence", "a")
    assert first.stdout == "alice: 60% on rain (evidence: 1 for yes)\n"
    assert "follows your move" in first.stderr
    fell = forecasts("update", "rain", "50%", "--evidence", "b")
    assert "(evidence: 1 against yes)" in fell.stdout
    assert cited(engine) == [("opposes", "news", None, "b")]
    same = forecasts("update", "rain", "50%", "--evidence", "c")
    assert "(evidence: 1 as context)" in same.stdout
    chosen = forecasts("update", "rain", "70%", "--evidence", "d", "--supports")
    assert "follows your move" not in chosen.stderr


def test_evidence_that_all_points_the_other_way_is_asked_about(
    forecasts: Run, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    forecasts("update", "rain", "60%")
    against = ("update", "rain", "40%", "--evidence", "b", "--supports")
    question = "Your forecast moves away from yes, but all its evidence supports it. Save it?"
    refused = forecasts.refused(*against)
    assert question in refused
    assert "--yes" in refused
    monkeypatch.setattr("forecasts.cli.console.on_terminal", lambda: True)
    assert "Nothing was changed." in forecasts(*against, exit_code=1, input="n\n").stderr
    assert "60% → 40%" in forecasts(*against, input="y\n").stdout
    assert cited(engine) == [("supports", "news", None, "b")]
    assert question not in forecasts(*against[:2], "30%", *against[3:], "--yes").stderr
    # One piece that agrees is enough.
    forecasts(*against[:2], "20%", *against[3:], "--evidence", "opposes: c")


def test_a_bare_number_is_refused_with_the_two_commands_to_choose_from(forecasts: Run) -> None:
    refused = forecasts.refused("update", "rain", "71")
    assert "Choose: forecasts update rain 71% or: forecasts update rain 0.71" in refused
    refused = forecasts.refused("update", "rain", "1")
    assert "Choose: forecasts update rain 1% or: forecasts update rain 100%" in refused
    assert "Write 60% or 0.6." in forecasts.refused("update", "which", "Busan=60")


def test_evidence_that_is_not_clear_is_refused_and_nothing_is_stored(
    forecasts: Run, engine: Engine
) -> None:
    for arguments, words in (
        (("--supports",), "A stance needs evidence."),
        (("--kind", "data"), "A kind needs evidence."),
        (("--evidence", "x", "--kind", "rumour"), "'rumour'"),
        (("--evidence", "x", "--supports", "--opposes"), "cannot do two at once"),
        (("--evidence", "a", "--evidence", "a"), "cited twice"),
    ):
        assert words in forecasts.refused("update", "rain", "50%", *arguments)
    with database.reading(engine) as session:
        assert updates.history(session, registry.find(session, "rain")) == []


def test_when_to_look_again_is_said_with_a_forecast_for_a_question_or_for_all(
    forecasts: Run, engine: Engine
) -> None:
    forecasts("update", "rain", "40%", "--look-again", "3")
    said = forecasts("look-again", "21").stdout
    assert said == "Today asks you to review your forecasts after 21 days.\n"
    with database.reading(engine) as session:
        every = revisits.intervals(session, members.find_member(session, "alice"))
        days = [every.on(registry.find(session, slug).id or 0).days for slug in ("rain", "which")]
    assert days == [3, 21]
    again = forecasts("look-again", "usual", "--on", "rain").stdout
    assert again == "Today asks you to review rain after 21 days.\n"
    assert "is not a number of days" in forecasts.refused("look-again", "soon")
    assert "1 to 3,650 days, got 0" in forecasts.refused("look-again", "0")
