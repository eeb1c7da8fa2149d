"""Proposing, resolving, correcting, annulling, rejecting and rescoring."""

from pathlib import Path

import pytest

from tests.cli.conftest import Clock, Run

pytestmark = pytest.mark.slow


@pytest.fixture
def rain(forecasts: Run, clock: Clock) -> str:
    """A question with a forecast of 40%, open from 5 to 25 January; it is the 20th."""
    forecasts("ask", "Will it rain?", "--closes", "2026-01-25T12:00:00Z", "--slug", "rain")
    forecasts("update", "rain", "40%")
    clock("2026-01-20T12:00:00Z")
    return "rain"


def test_a_proposal_is_accepted_by_resolving_as_proposed(
    forecasts: Run, clock: Clock, rain: str
) -> None:
    said = forecasts(
        *("propose", rain, "yes", "--known-at", "2026-01-10T12:00:00Z", "--as", "bob"),
        *("--because", "It poured.", "--source", "https://example.org/gauge"),
    ).stdout
    assert said == "rain: proposed yes, known at 2026-01-10 12:00 UTC; awaiting a decision\n"
    assert "\topen\t" in (listed := forecasts("questions").stdout)
    assert "1 proposal" in listed
    assert "rain · open, 1 proposal · binary" in forecasts("show", rain).stdout
    clock("2026-01-21T12:00:00Z")
    said = forecasts("resolve", rain, "yes").stdout
    assert "rain: yes, known at 2026-01-10 12:00 UTC\n  as proposed\n" in said
    shown = forecasts("show", rain, "--all").stdout
    assert "alice: confirmed: yes, known at 2026-01-10 12:00 UTC\n    It poured.\n" in shown
    assert "bob: proposed: yes" in shown
    assert "No outcome of 'rain' awaits" in forecasts.refused("reject", rain)


def test_a_proposal_is_turned_down_with_a_reason(forecasts: Run, rain: str) -> None:
    assert "needs a note or a source" in forecasts.refused("propose", rain, "yes")
    forecasts("propose", rain, "yes", "--as", "bob", "--because", "It was wet.")
    assert "is proposed already" in forecasts.refused("propose", rain, "yes")
    assert "needs a reason" in forecasts.refused("reject", rain)
    said = forecasts("reject", rain, "--because", "that was the sprinkler").stdout
    assert said == "rain: yes rejected; the question is open\n"
    assert "alice: rejected: yes" in forecasts("show", rain, "--all").stdout


def test_a_time_moved_back_says_how_many_forecasts_no_longer_count(
    forecasts: Run, clock: Clock, rain: str
) -> None:
    forecasts("update", rain, "70%")
    forecasts("update", rain, "90%", "--as", "bob")
    clock("2026-01-22T12:00:00Z")
    forecasts("resolve", rain, "yes", "--known-at", "2026-01-21T12:00:00Z")
    clock("2026-01-23T12:00:00Z")
    said = forecasts("resolve", rain, "yes", "--known-at", "2026-01-19T12:00:00Z").stdout
    assert "  2 forecasts by 2 members no longer count: made after the outcome was known.\n" in said


def test_a_correction_names_both_outcomes_and_show_compares_the_scores(
    forecasts: Run, clock: Clock, rain: str
) -> None:
    forecasts("resolve", rain, "yes", "--known-at", "2026-01-10T12:00:00Z")
    clock("2026-01-22T12:00:00Z")
    said = forecasts("resolve", rain, "no", "--because", "misread").stdout.splitlines()
    assert said[:2] == ["rain: no, known at 2026-01-10 12:00 UTC", "  corrected: yes → no"]
    assert said[2].startswith("  alice: Brier 0.160 (0–1), coverage 25%")
    shown = forecasts("show", rain, "--all").stdout
    newest = shown.index("2026-01-22 12:00 UTC  alice: confirmed: no")
    assert "    corrected: yes → no\n    misread\n" in shown[newest:]
    oldest = shown.index("2026-01-20 12:00 UTC  alice: confirmed: yes")
    assert newest < oldest
    assert "Scores: 3; resolved questions: 1." in forecasts("rescore").stdout
    assert forecasts("show", rain, "--all").stdout == shown
    assert "(superseded)\n    alice: Brier (0–1) 0.360 then, 0.160 now (−0.200)\n" in shown


def test_annulling_takes_the_scores_away_and_the_earlier_ones_stay_readable(
    forecasts: Run, rain: str
) -> None:
    forecasts("resolve", rain, "yes", "--known-at", "2026-01-10T12:00:00Z")
    said = forecasts("resolve", rain, "annulled", "--because", "the gauge broke").stdout
    assert said == (
        "rain: annulled, known at 2026-01-10 12:00 UTC\n  corrected: yes → annulled\n  No scores.\n"
        "  No longer in any report; its earlier scores can be read with show.\n"
    )
    shown = forecasts("show", rain, "--all").stdout
    assert "alice: Brier (0–1) 0.360 then, none now\n" in shown
    assert "closed 2026-01-25 12:00 UTC" in shown


def test_a_number_is_scored_by_crps_and_beyond_the_bounds_called_by_its_name(
    forecasts: Run, clock: Clock
) -> None:
    ask = ("ask", "How deep?", "--closes", "2026-01-25", "--slug", "depth", "--unit", "m")
    asked = forecasts(*ask, "--type", "numeric", "--lower", "0", "--upper", "10")
    assert "Registered 'How deep?', 0 to 10 m; it closes at 2026-01-25 23:59 UTC." in asked.stderr
    assert "Range: 0 to 10 m\n" in forecasts("show", "depth", "--all").stdout
    forecasts("update", "depth", "0%=4, 100%=4")
    clock("2026-01-20T12:00:00Z")
    for command in ("propose", "resolve"):
        refused = forecasts.refused(command, "depth", "-1")
        assert "The outcome -1 lies outside the question's bounds, 0 to 10." in refused
        assert "the outcome is below_lower_bound." in refused
    line = "alice: CRPS 0.200 (0–1 of the range, 0 is best), coverage 73%, 1 update\n"
    assert line in forecasts("resolve", "depth", "6").stdout
    assert line in forecasts("show", "depth", "--all").stdout
    said = forecasts("resolve", "depth", "below").stdout
    assert said.startswith("depth: below_lower_bound, known at")
    compared = "alice: CRPS (0–1 of the range) 0.200 then, 0.400 now (+0.200)\n"
    assert compared in forecasts("show", "depth", "--all").stdout


def test_an_outcome_is_withdrawn_with_a_reason_and_the_question_is_open_again(
    forecasts: Run, clock: Clock, rain: str
) -> None:
    forecasts("resolve", rain, "yes")
    clock("2026-01-21T12:00:00Z")
    withdraw = ("resolve", rain, "--withdraw", "--because", "it was of Bergen")
    assert "needs a reason" in forecasts.refused(*withdraw[:3])
    for given in (("no",), ("--known-at", "2026-01-10"), ("--source", "https://example.org")):
        assert "--withdraw takes no outcome" in forecasts.refused(*withdraw, *given)
    assert forecasts(*withdraw).stdout == (
        "rain: yes withdrawn; the question is open\n"
        "  It closes 2026-01-25 12:00 UTC.\n"
        "  No longer in any report; its earlier scores can be read with show.\n"
    )
    forecasts("update", rain, "30%")
    shown = forecasts("show", rain, "--all").stdout
    assert "2026-01-21 12:00 UTC  alice: withdrawn: yes" in shown
    assert "    it was of Bergen\n" in shown
    assert "has no outcome to withdraw" in forecasts.refused(*withdraw)
    assert "corrected" not in shown + forecasts("resolve", rain, "no").stdout


def test_an_outcome_that_decides_others_of_its_group_resolves_them_if_asked(
    forecasts: Run, clock: Clock, tmp_path: Path
) -> None:
    lines = [
        f"{name},2026-01-01T00:00:00Z,2026-02-01T00:00:00Z,bridge,nested"
        for name in ("march", "june", "december")
    ]
    header = "question_id,open_time,scheduled_close_time,group,group_kind"
    (tmp_path / "questions.csv").write_text("\n".join([header, *lines, ""]), "utf-8")
    (tmp_path / "forecasts.csv").write_text("question_id,forecaster,made_at,probability\n", "utf-8")
    forecasts("import", str(tmp_path))
    clock("2026-01-20T12:00:00Z")
    said = forecasts("resolve", "march", "no", "--group")
    assert "follows" not in said.stdout + said.stderr
    said = forecasts("resolve", "june", "yes")
    assert "others of its group, which --group resolves too: december: yes" in " ".join(
        said.stderr.split()
    )
    forecasts("resolve", "june", "--withdraw", "--because", "a slip")
    said = forecasts("resolve", "june", "yes", "--group")
    assert "december: yes, which follows in its group\n" in said.stdout
    assert forecasts.printed("show", "december")["status"] == "resolved"
