"""Asking a question and forecasting it in one line, and discarding a slip."""

from __future__ import annotations

import re
import shlex

import pytest

from tests.cli.conftest import Clock, Run

TITLE = "Will Trump and Xi meet by next friday?"


@pytest.fixture(autouse=True)
def _now(clock: Clock) -> None:
    clock("2026-11-27T11:10:00Z")


def test_one_line_registers_and_forecasts_and_says_how_it_was_understood(forecasts: Run) -> None:
    done = forecasts("ask", TITLE, "30%")
    assert done.stdout == "will-trump-and-xi-meet-by-next-friday\n"
    line = next(line for line in done.stderr.splitlines() if line.startswith("Registered"))
    assert line == (
        f"Registered {TITLE!r}; it closes at 2026-12-04 23:59 UTC (from 'by next friday'). "
        "Your forecast: 30%. Next: forecasts show will-trump-and-xi-meet-by-next-friday"
    )
    question = forecasts.printed("show", "will-trump-and-xi-meet-by-next-friday")
    assert question["scheduled_close_time"] == "2026-12-04T23:59:59Z"
    assert [one["probability"] for one in question["forecasts"]] == [0.3]
    assert question["has_criteria"] is False


def test_the_forecast_may_follow_the_question_as_in_the_one_line_of_the_app(
    forecasts: Run,
) -> None:
    for line, title, probability in (
        (f"{TITLE} 30%", TITLE, [0.3]),
        ("Rain in London tomorrow, 5%", "Rain in London tomorrow", [0.05]),
        # A figure that belongs to the title is not the probability.
        ("Will inflation exceed 3% by March?", "Will inflation exceed 3% by March?", []),
    ):
        question = forecasts.printed("show", forecasts("ask", line).stdout.strip())
        assert question["title"] == title
        assert [one["probability"] for one in question["forecasts"]] == pytest.approx(probability)


def test_without_a_probability_the_next_command_is_the_forecast(forecasts: Run) -> None:
    said = forecasts("ask", "Will it snow?", "--closes", "in 3 weeks", "--slug", "snow").stderr
    assert 'no resolution criteria. To write them: forecasts revise snow --criteria "…"' in said
    assert "it closes at 2026-12-18 23:59 UTC. Next: forecasts update snow P" in said


def test_an_invalid_question_is_refused_and_nothing_is_stored(forecasts: Run) -> None:
    for arguments, words in (
        (("",), "There is no question to register."),
        (("30%",), "There is no question to register."),
        (("Done by 2030? 30%",), "'by 2030' could mean 'before 2030' or 'by the end of 2030'."),
        (("Done by Friday 30%",), "'by 27 November 2026' or 'by 4 December 2026'."),
        (("Done before the summer recess? 30%",), "does not name one clear day."),
        (("Done by 30 February? 30%",), "There is no '30 February': February 2027 has 28 days."),
        (("Done by 3/4/2027? 30%",), "could mean '3 April 2027' or '4 March 2027'."),
        (("Done by 2020? 30%",), "'by 2020' has passed: 31 December 2020."),
        ((TITLE, "30%", "--closes", "friday"), "'27 November 2026' or '4 December 2026'."),
        (("Will it snow?", "30%"), "The title names no last day of forecasting."),
        ((TITLE, "30"), f"Choose: forecasts ask {shlex.quote(TITLE)} 30%"),
        (("Rain in London by May, 30",), "'30' could be a probability"),
        ((f"{TITLE} 130%",), "must be from 0% to 100%; '130%' is not."),
        ((f"{TITLE} -5%",), "must be from 0% to 100%; '-5%' is not."),
        (("How many by May? 3", "--type", "numeric"), "'3' comes after the question."),
        (("How many ships by friday?", "20%"), "asks for a number, not for yes or no."),
        ((f"{TITLE} 30%", "40%"), "There are two forecasts: 30% after the question, and 40%."),
        ((TITLE, "30%", "--closes", "yesterday"), "--closes yesterday has passed"),
        ((TITLE, "30%", "--opens", "tomorrow"), "opens at 2026-11-28 00:00 UTC"),
    ):
        assert words in forecasts.refused("ask", *arguments)
    assert forecasts.printed("questions") == []


def test_a_title_of_another_type_is_registered_with_its_type_and_value(forecasts: Run) -> None:
    said = forecasts.refused("ask", "How many ships by 4 December? 20")
    [again] = re.findall("Give its type: forecasts (.*?) If it", said)
    command = shlex.split(again)
    bounds = iter(("0", "100"))
    command = [next(bounds) if word == "…" else word for word in command]
    forecasts(*command, "--slug", "ships")
    question = forecasts.printed("show", "ships")
    assert (question["title"], question["type"]) == ("How many ships by 4 December?", "numeric")
    # A title that was misread can be yes or no.
    forecasts("ask", "Which wins by 4 December? 30%", "--type", "binary", "--slug", "wins")
    assert forecasts.printed("show", "wins")["forecasts"][0]["probability"] == 0.3


def test_options_can_be_forecast_in_the_same_line(forecasts: Run) -> None:
    options = ("--option", "Busan", "--option", "Ulsan", "--option", "Other")
    forecasts("ask", "Which port by 31 March?", "Busan=60%", *options, "--slug", "port")
    assert forecasts.printed("show", "port")["forecasts"][0]["probabilities"] == [0.6, 0.2, 0.2]


def test_in_a_shared_ledger_a_question_without_criteria_is_private_until_it_has_some(
    forecasts: Run,
) -> None:
    forecasts("team", "create", "Alder")
    said = forecasts("ask", TITLE, "30%", "--slug", "meet").stderr
    assert "Visible only to its author." in said
    assert 'Before others see it, write them: forecasts revise meet --criteria "…"' in said
    shown = ("--visible-to", "Alder")
    refused = forecasts.refused("revise", "meet", *shown)
    assert "no resolution criteria, and what others see needs them" in refused
    forecasts("revise", "meet", "--criteria", "As the White House says.", *shown)
    refused = forecasts.refused("ask", "Will it snow by monday?", *shown)
    assert "Write criteria that a stranger could apply" in refused


@pytest.mark.slow
def test_a_slip_is_discarded_after_a_confirmation(
    forecasts: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    forecasts("ask", TITLE, "30%", "--slug", "meet")
    assert "Add --yes." in forecasts.refused("discard", "meet")
    monkeypatch.setattr("forecasts.cli.console.on_terminal", lambda: True)
    kept = forecasts("discard", "meet", exit_code=1, input="n\n")
    assert "Nothing was changed." in kept.stderr
    done = forecasts("discard", "meet", input="y\n")
    assert done.stdout.endswith("\nmeet: discarded\n")
    assert "no question 'meet'" in forecasts.refused("show", "meet")
    assert "1 discard" in forecasts("verify").stdout
    [again] = re.findall("To ask it again: forecasts (.*)", done.stderr)
    forecasts(*shlex.split(again))
    assert forecasts.printed("show", "will-trump-and-xi-meet-by-next-friday")["title"] == TITLE


def test_a_question_is_not_discarded_after_a_day_or_by_another(
    forecasts: Run, clock: Clock
) -> None:
    forecasts("ask", TITLE, "30%", "--slug", "meet")
    discard = ("discard", "meet", "--yes")
    assert "only its author may discard it" in forecasts.refused(*discard, "--as", "bob")
    clock("2026-11-28T11:10:01Z")
    refused = forecasts.refused(*discard)
    assert "can be discarded for a day" in refused
    assert "forecasts resolve meet annulled" in refused
