"""Revising and closing a question from the command line."""

from pathlib import Path

import pytest

from tests.cli.conftest import Clock, Run

pytestmark = pytest.mark.slow


@pytest.fixture
def rain(forecasts: Run) -> str:
    forecasts(
        *("ask", "Will it rain?", "--closes", "2026-01-25T12:00:00Z", "--slug", "rain"),
        *("--criteria", "Yes if it is wet.", "--tag", "weather", "--family", "sky"),
    )
    return "rain"


def test_each_field_is_revised_and_its_change_is_shown(
    forecasts: Run, clock: Clock, rain: str
) -> None:
    clock("2026-01-06T12:00:00Z")
    said = forecasts(
        *("revise", rain, "--title", "Will it rain in Brenholt?", "--closes", "2026-02-01"),
        *("--criteria", "Yes if the gauge is wet.", "--background", "It is winter.", "--tag", ""),
        *("--fine-print", "Snow is no rain.", "--resolves", "2026-02-03", "--family", ""),
        *("--because", "which town was not said"),
    ).stdout.splitlines()
    assert said == [
        "rain: now wording 2; earlier wordings are kept",
        "    title: Will it rain? → Will it rain in Brenholt?",
        "    scheduled close time: 2026-01-25 12:00 UTC → 2026-02-01 23:59 UTC",
        "    scheduled resolve time: blank → 2026-02-03 23:59 UTC",
        "    family: sky → blank",
        "    tags: weather → blank",
        "    background: blank → It is winter.",
        "    resolution criteria: Yes if it is wet. → Yes if the gauge is wet.",
        "    fine print: blank → Snow is no rain.",
    ]
    shown = forecasts("show", rain, "--all").stdout
    assert "Wordings: 2\n  2026-01-06 12:00 UTC  alice: which town was not said\n" in shown
    assert "    title: Will it rain? → Will it rain in Brenholt?\n" in shown


def test_earlier_forecasters_learn_the_share_of_a_new_option(forecasts: Run, clock: Clock) -> None:
    ask = ("ask", "Who wins?", "--closes", "2026-02-01", "--slug", "win")
    forecasts(*ask, "--option", "Ann", "--option", "Other")
    for who in ("alice", "bob"):
        forecasts("update", "win", "Ann=70%", "--as", who)
    forecasts("withdraw", "win", "--as", "bob")
    said = forecasts("revise", "win", "--option", "Ben").stdout
    until = "until updated, the option has the probability given to 'Other'.\n"
    assert f"1 current forecast predates a new option (alice): {until}" in said
    shown = forecasts("show", "win", "--all").stdout
    assert "alice: Ann 70%, Other 30%\n" in shown
    assert "added since alice forecast: until updated" in shown
    clock("2026-01-06")
    said = forecasts("update", "win", "Ann=60%, Ben=20%").stdout
    assert said == "alice: Ann 70%, Other 30% → Ann 60%, Ben 20%, Other 20% on win\n"
    assert "added since" not in forecasts("show", "win", "--all").stdout


def test_an_impossible_revision_is_refused_once_and_nothing_is_stored(
    forecasts: Run, clock: Clock, rain: str
) -> None:
    clock("2026-01-08")
    for arguments, words in (
        (("revise", rain), "There is nothing to change."),
        (("revise", rain, "--title", "Will it rain?"), "already has this wording"),
        (("revise", rain, "--closes", "soon"), "'soon' is not a date"),
        (
            ("revise", rain, "--closes", "2026-01-06"),
            "close the question early: forecasts close",
        ),
        (("revise", "rian", "--title", "x"), "Did you mean rain?"),
        (("close", "rian"), "Did you mean rain?"),
        (("close", rain, "--at", "2026-01-09"), "not later than now"),
        (("close", rain, "--undo", "--at", "2026-01-06"), "give only one of them"),
    ):
        assert forecasts.refused(*arguments).count(words) == 1
    assert "Wordings" not in forecasts("show", rain, "--all").stdout


def test_a_second_file_of_outcomes_replaces_the_first(
    forecasts: Run, clock: Clock, tmp_path: Path
) -> None:
    ask = ("ask", "Will it rain?", "--closes", "2026-01-25", "--slug", "rain")
    asked = forecasts(*ask, "--outcomes", str(tmp_path / "gone.csv")).stderr
    assert "gone.csv cannot be read yet. Runs need it to resolve the question." in asked
    outcomes = tmp_path / "outcomes.csv"
    outcomes.write_text("question,outcome,known_at\nrain,yes,2026-01-07T00:00:00Z\n")
    said = forecasts("revise", "rain", "--outcomes", str(outcomes)).stdout
    assert said == f"rain: resolves from {outcomes}\n"
    clock("2026-01-08")
    assert "1 resolved, 0 proposed, 0 not known yet, 0 failed" in forecasts("run").stdout


def test_a_question_is_closed_early_and_the_close_is_taken_back(
    forecasts: Run, clock: Clock, rain: str
) -> None:
    clock("2026-01-08T12:00:00Z")
    closed = forecasts("close", rain, "--at", "2026-01-07T12:00:00Z").stdout
    assert closed == "rain: closed at 2026-01-07 12:00 UTC\n"
    assert "closed at 2026-01-07" in forecasts.refused("update", rain, "40%")
    assert forecasts("close", rain, "--undo").stdout == "rain: closes at 2026-01-25 12:00 UTC\n"
    forecasts("update", rain, "40%")
    assert forecasts("close", rain).stdout == "rain: closed at 2026-01-08 12:00 UTC\n"
    for options in ((), ("--all",)):
        shown = " ".join(forecasts("show", rain, *options).stdout.split())
        assert "closed 2026-01-08 12:00 UTC · scheduled close 2026-01-25" in shown


def test_all_of_a_kind_are_revised_and_their_changes_shown(
    forecasts: Run, clock: Clock, rain: str
) -> None:
    for slug, tag in (("snow", "weather"), ("vote", "council")):
        named = ("--slug", slug, "--tag", tag, "--criteria", "So.")
        forecasts("ask", f"Will the {slug} come?", "--closes", "2026-02-01", *named)
    every = ("revise", "--all-of", "tag=weather", "--family", "wet")
    assert "2 of 2 questions would be changed" in forecasts(*every, "--dry-run").stdout
    narrower = forecasts(*every, "--all-of", "family=sky").stdout.splitlines()
    assert narrower == [
        "rain:", "    family: sky → wet", "1 of 1 question changed; earlier wordings are kept",
    ]  # fmt: skip
    assert "1 of 2 questions changed" in forecasts(*every).stdout
    criteria = ("revise", "--all-of", "tag=council", "--criteria", "Or so.")
    kept = "1 question keeps its criteria. To replace them too: --replace"
    assert kept in forecasts(*criteria).stderr
    assert "    resolution criteria: So. → Or so." in forecasts(*criteria, "--replace").stdout
    thaw = ("ask", "Will it thaw?", "--closes", "2026-02-01", "--as", "carol")
    assert "no member" not in forecasts(*thaw).stderr  # the act adds her
    for _ in range(2):  # a preview does not
        preview = forecasts(*every, "--dry-run", "--as", "dora").stderr
        assert preview == "There is no member 'dora' yet; this would add them.\n"
    forecasts("team", "create", "Alder")
    said = forecasts("revise", "vote", "--team", "Alder").stdout
    assert "team: blank → Alder" in said
    named = ("--all-of", "tag=weather", "--family", "theirs", "--dry-run", "--as", "bob")
    assert "bob may not change the question" in forecasts.refused("revise", *named)
    clock("2026-01-06")
    forecasts("propose", "rain", "no", "--because", "Seen.")
    proposed = forecasts("revise", "--all-of", "status=proposed", "--family", "dry", "--dry-run")
    assert proposed.stdout.startswith("rain:")
    forecasts("team", "create", "Birch")
    two = ("--visible-to", "Birch", "--team", "Alder")
    for which in (("vote",), ("--all-of", "tag=council")):
        said = forecasts.refused("revise", *which, *two)
        assert "A question that Birch sees belongs to Birch." in said
    forecasts("revise", "snow", "--visible-to", "Alder")
    said = forecasts.refused("revise", "--all-of", "tag=weather", "--team", "Birch")
    assert "'snow' is visible only to Alder and its author, and would be to Birch" in said
    assert "forecasts revise snow --visible-to Birch" in said
    forecasts("revise", "snow", "--visible-to", "everyone", "--team", "")
    forecasts("revise", "--all-of", "team=Alder", "--team", "")
    for given, refusal in (
        (
            ("rain", "--all-of", "tag=weather"),
            "A change is to one question, or to all questions of",
        ),
        ((), "A change is to one question, or to all questions of"),
        (("--all-of", "tag"), "'tag' does not name questions. Write FIELD=VALUE"),
        (("--all-of", "words=rain"), "each at most once: status, tag, family, team, type"),
        (("--all-of", "tag=x"), "No question has tag=x."),
        (("--all-of", "status=late"), "The status 'late' is not known. Use upcoming, open"),
        (("--all-of", "type=number"), "The type 'number' is not known. Did"),
        (("--all-of", "tag=weather", "--title", "X?"), "--title, --option and --outcomes change"),
        (("rain", "--dry-run"), "--dry-run belongs to --all-of."),
        (("rain", "--replace", "--criteria", "So."), "--replace belongs to --all-of with"),
        (("--all-of", "tag=weather", "--replace"), "--replace belongs to --all-of with"),
    ):
        assert refusal in forecasts.refused("revise", *given, "--family", "wet")
