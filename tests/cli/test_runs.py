"""run with its options, run status, run retry; policies, disputes and kept evidence."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from forecasts.common.errors import DatabaseError
from forecasts.ledger import schema
from forecasts.resolution.runs import run
from tests.cli.conftest import Clock, Fill, Run
from tests.conftest import release_later

pytestmark = pytest.mark.slow


@pytest.fixture
def outcomes(forecasts: Run, clock: Clock, filled_once: Fill, kept: Path) -> Path:
    """A file of outcomes for three questions, the day after they were asked."""
    path = kept.with_name("outcomes.csv")
    filled_once(lambda: fill(forecasts, path))
    clock("2026-01-06T12:00:00Z")
    path.write_text("question,outcome,known_at\nrain,yes,2026-01-06\nsnow,perhaps,2026-01-06\n")
    return path


def fill(forecasts: Run, outcomes: Path) -> None:
    for slug in ("rain", "snow", "wind"):
        forecasts("ask", f"{slug}?", "--closes", "2026-02-01", "--slug", slug, "--criteria", "so")
        forecasts("update", slug, "40%")
        forecasts("resolver", "set", slug, "outcomes_file", "--with", f"path={outcomes}")


def test_a_run_can_be_read_by_a_program(forecasts: Run, outcomes: Path) -> None:
    lines = [json.loads(line) for line in forecasts("run", "--json").stdout.splitlines()]
    summary = lines.pop()
    assert (summary["event"], summary["due"], summary["dry_run"]) == ("summary", 3, False)
    counts = {state: summary[state] for state in ("confirmed", "not_yet", "failed", "parked")}
    assert counts == {"confirmed": 1, "not_yet": 1, "failed": 1, "parked": 0}
    assert [(line["event"], line["question"], line["state"]) for line in lines] == [
        ("looked", "rain", "confirmed"),
        ("looked", "snow", "failed"),
        ("looked", "wind", "not_yet"),
    ]
    assert "'perhaps' is not an outcome" in lines[1]["message"]


def test_a_run_that_ends_in_an_error_says_so_in_its_last_line(
    forecasts: Run, outcomes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise DatabaseError("The disk is full.")

    monkeypatch.setattr(run, "record_attempts", full)
    said = forecasts("run", "--json", exit_code=1).stdout
    *lines, summary = map(json.loads, said.splitlines())
    assert [(line["question"], line["state"]) for line in lines] == [("rain", "confirmed")]
    assert (summary["event"], summary["due"], summary["confirmed"]) == ("summary", 3, 1)
    assert (summary["error"], summary["waiting"]) == ("The disk is full.", None)
    monkeypatch.setattr("forecasts.ledger.schema.schema_revision", full)
    summary = json.loads(forecasts("run", "--json", exit_code=1).stdout)
    assert (summary["event"], summary["due"]) == ("summary", 0)


def test_a_dry_run_leaves_an_older_ledger_as_it_is(
    forecasts: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "older.sqlite3"
    forecasts("migrate", "--database", str(file))
    earlier = schema.newest_revision()
    release_later(tmp_path, monkeypatch)
    before = file.read_bytes()
    options = ("run", "--dry-run", "--json", "--database", str(file))
    said = forecasts(*options, exit_code=1)
    assert f"has schema {earlier}, and this release needs" in said.stderr
    assert "It was not changed. Bring it up to date: forecasts migrate" in said.stderr
    assert "has schema" in json.loads(said.stdout)["error"]
    assert file.read_bytes() == before
    forecasts("migrate", "--database", str(file))
    assert json.loads(forecasts(*options).stdout)["due"] == 0


def test_a_dry_run_says_so_and_does_nothing(forecasts: Run, outcomes: Path) -> None:
    said = forecasts("run", "--dry-run").stdout
    assert "confirmed: rain: yes, known on 6 January 2026\n" in said
    assert "Dry run, nothing was stored: 1 resolved, 0 proposed, 1 not known yet, 1 failed" in said
    said = forecasts("run", "status").stdout  # a dry run leaves no trace
    assert "No run yet. To schedule runs, see: forecasts schedule --help\n" in said
    assert "No results yet." in said
    assert "1 resolved" in forecasts("run", "--only", "outcomes_file", "--limit", "1").stdout
    assert "There is no resolver kind" in forecasts.refused("run", "--only", "x")
    assert "status has options of its own." in forecasts.refused("run", "--limit", "1", "status")


def test_the_status_lists_done_parked_and_next_questions(forecasts: Run, outcomes: Path) -> None:
    rows = "rain,yes,2026-01-06\nsnow,no,2026-01-01\nwind,perhaps,2026-01-06\n"
    outcomes.write_text(f"question,outcome,known_at\n{rows}")
    ended = forecasts("run", exit_code=3)
    assert "1 question needs a person: see the page Resolve" in ended.stdout
    said = forecasts("run", "status").stdout
    watched = "Unresolved questions with a resolver: 2\n"
    assert said.startswith(f"Last run: 2026-01-06 12:00 UTC\n{watched}")
    assert "Parked, until forecasts run retry QUESTION: 1\n" in said
    assert "Due next:\n  2026-01-06 12:05 UTC  wind, failed attempts: 1\n" in said
    assert "  2026-01-06 12:00 UTC  confirmed: rain: yes, known on 6 January 2026" in said
    [parked] = forecasts.printed("run", "status")["parked"]
    assert (parked["slug"], parked["attempts"]) == ("snow", 1)
    assert parked["since"] == "2026-01-06T12:00:00Z"
    outcomes.write_text("question,outcome,known_at\nsnow,no,2026-01-06\n")
    assert "0 resolved" in forecasts("run", exit_code=3).stdout
    assert "snow: the next run checks it again" in forecasts("run", "retry", "snow").stdout
    assert "confirmed: snow: no" in forecasts("run").stdout
    assert "is resolved" in forecasts.refused("run", "retry", "snow")
    forecasts("ask", "Fog?", "--closes", "2026-02-01", "--slug", "fog", "--criteria", "so")
    assert "has no resolver" in forecasts.refused("run", "retry", "fog")
    given = ("outcomes_file", "--with", f"path={outcomes}")
    said = forecasts.refused("resolver", "set", "snow", *given)
    assert "is resolved, so no resolver will check it again" in said
    assert "resolve it again with another outcome" in said


def test_the_status_shows_the_latest_check_of_each_question(
    forecasts: Run, clock: Clock, outcomes: Path
) -> None:
    forecasts("run")
    checked = {one["slug"]: one["message"] for one in forecasts.printed("run", "status")["checked"]}
    assert checked["snow"].startswith("failed (1 in a row): 'perhaps' is not an outcome")
    assert checked["wind"] == "not known yet"
    outcomes.write_text("question,outcome,known_at\n")
    clock("2026-01-06T12:10:00Z")
    forecasts("run")
    said = forecasts("run", "status").stdout
    assert "\nLatest checks:\n  2026-01-06 12:10 UTC  snow: not known yet (failed before)" in said


def test_the_status_names_the_proposals_and_disputes_that_wait_for_people(
    forecasts: Run, outcomes: Path
) -> None:
    forecasts("propose", "snow", "no", "--source", "https://example.org/snow")
    forecasts("resolver", "policy", "rain", "confirm", "--dispute-days", "7")
    forecasts("run")
    forecasts("dispute", "rain", "--because", "it was hail")
    said = forecasts("run", "status").stdout
    assert "Proposed, awaiting a decision: 1\n  2026-01-06 12:00 UTC  snow: no\n" in said
    assert "Disputed, awaiting a decision: 1\n  2026-01-06 12:00 UTC  rain: it was hail" in said
    status = forecasts.printed("run", "status")
    [proposed], [disputed] = status["proposed"], status["disputed"]
    assert (proposed["slug"], proposed["outcome"]) == ("snow", "no")
    assert (disputed["slug"], disputed["reason"]) == ("rain", "it was hail")


def test_the_status_says_when_the_next_run_of_a_schedule_is_expected(
    forecasts: Run, clock: Clock, outcomes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    forecasts("run")
    clock("2026-01-06T13:00:00Z")
    forecasts("run")
    said = forecasts("run", "status").stdout
    expected = "Last run: 2026-01-06 13:00 UTC, every hour, next about 2026-01-06 14:00 UTC\n"
    assert said.startswith(expected)
    assert "overdue" not in said
    status = forecasts.printed("run", "status")
    assert status["last_run"] == "2026-01-06T13:00:00Z"
    assert status["next_run"] == "2026-01-06T14:00:00Z"
    assert status["run_every_minutes"] == 60
    clock("2026-01-06T15:01:00Z")
    overdue = "The next run is overdue: check its schedule and log (docs/scheduling.md).\n"
    assert forecasts("run", "status").stdout.startswith(expected + overdue)
    # In a terminal it is run by hand.
    monkeypatch.setattr("forecasts.cli.runs.on_terminal", lambda: True)
    for minute in (15, 30, 45):
        clock(f"2026-01-06T16:{minute}:00Z")
        forecasts("run")
    assert forecasts("run", "status").stdout.startswith("Last run: 2026-01-06 16:45 UTC\n")


def test_questions_that_a_killed_run_has_left_are_named_with_the_end_of_the_claim(
    forecasts: Run, clock: Clock, outcomes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("forecasts.cli.runs.CLAIMS_SHOWN", 2)
    with monkeypatch.context() as patch:
        patch.setattr("forecasts.resolution.runs.claiming.Claims.release", lambda _: None)
        patch.setattr("forecasts.resolution.runs.run.ask", lambda *_: 1 / 0)
        forecasts("run", exit_code=1)
    said = forecasts("run").stdout
    assert "rain: claimed by a run until 2026-01-06 12:15 UTC\n" in said
    assert "Other questions claimed by a run: 1\n" in said
    status = forecasts("run", "status")
    assert "12:00 UTC  wind, claimed by a run until 2026-01-06 12:15 UTC\n" in status.stdout
    *lines, _ = map(json.loads, forecasts("run", "--json").stdout.splitlines())
    assert [line["question"] for line in lines] == ["rain", "snow", "wind"]
    assert (lines[0]["event"], lines[0]["until"]) == ("claimed", "2026-01-06T12:15:00Z")
    clock("2026-01-06T12:16:00Z")
    assert "claimed" not in forecasts("run", "status").stdout


def test_sources_that_disagree_are_named_until_someone_decides(
    forecasts: Run, outcomes: Path
) -> None:
    other = outcomes.with_name("other.csv")
    other.write_text("question,outcome,known_at\nrain,no,2026-01-06\n")
    forecasts("resolver", "add", "rain", "outcomes_file", "--with", f"path={other}")
    forecasts("propose", "snow", "no", "--source", "https://example.org/snow")
    forecasts("run", exit_code=3)
    words = "2 sources disagree: yes (outcomes_file), no (outcomes_file)"
    said = forecasts("run", "status").stdout
    assert f"\nDisagreements: 1\n  rain: {words}\n" in said
    status = forecasts.printed("run", "status")
    assert status["disagreements"] == {"rain": words}
    shown = " ".join(forecasts("show", "rain").stdout.split())
    assert f"{words}. To decide: forecasts resolve rain OUTCOME" in shown
    forecasts("resolve", "rain", "no")
    for command in (("run", "status"), ("show", "rain")):
        assert "isagree" not in forecasts(*command).stdout


def test_kept_evidence_is_named_and_written_out(
    forecasts: Run, outcomes: Path, tmp_path: Path
) -> None:
    forecasts("run")
    out = tmp_path / "kept"
    said = forecasts("resolver", "evidence", "rain", "--out", str(out)).stdout
    assert f"2026-01-06 12:00 UTC  {outcomes}" in said
    [file] = out.iterdir()
    assert file.suffix == ".csv"
    assert file.read_bytes() == outcomes.read_bytes()
    assert f"wrote {file}" in said
    assert (
        f"evidence kept 2026-01-06 12:00 UTC: {outcomes}"
        in forecasts("show", "rain", "--all").stdout
    )
    nothing = forecasts.refused("resolver", "evidence", "wind")
    assert "There is no resolver's evidence" in nothing


def test_a_resolution_is_disputed_and_upheld(forecasts: Run, clock: Clock, outcomes: Path) -> None:
    said = forecasts("resolver", "policy", "rain", "confirm", "--dispute-days", "7").stdout
    assert said == "rain: confirm; can be disputed for 7 days\n"
    forecasts("run")
    until = "Its scores are provisional until 2026-01-13 12:00 UTC, when disputes end."
    assert until in forecasts("show", "rain", "--all").stdout
    clock("2026-01-08T12:00:00Z")
    assert "needs a reason" in forecasts.refused("dispute", "rain")
    forecasts("dispute", "rain", "--because", "The sprinkler.", "--as", "bob")
    clock("2026-02-08T12:00:00Z")
    assert "needs a person" in forecasts("run", exit_code=3).stdout
    shown = forecasts("show", "rain", "--all").stdout
    assert "    disputed 2026-01-08 12:00 UTC by bob: The sprinkler.\n" in shown
    assert "Its scores are provisional: disputed 2026-01-08 12:00 UTC" in shown
    said = forecasts("uphold", "rain", "--because", "It rained as well.").stdout
    assert said == "rain: upheld; the outcome and its scores are final\n"
    shown = forecasts("show", "rain", "--all").stdout
    assert "    upheld 2026-02-08 12:00 UTC by alice: It rained as well.\n" in shown
    assert "provisional" not in shown


def test_a_quorum_takes_a_second_resolver(forecasts: Run, outcomes: Path) -> None:
    quorum = ("resolver", "policy", "rain", "quorum", "--agreeing", "2")
    assert "has 1" in forecasts.refused(*quorum)
    given = ("resolver", "add", "rain", "outcomes_file", "--with", f"path={outcomes}")
    assert "independent sources" in forecasts.refused(*given)
    forecasts("resolver", "add", "rain", "deadline")
    assert forecasts(*quorum).stdout == "rain: quorum, 2 must agree\n"
    tried = forecasts("resolver", "try", "rain").stdout
    assert "rain: outcomes_file: yes, known at" in tried
    assert "rain: deadline: not known yet" in tried
    bad = forecasts.refused("resolver", "policy", "rain", "guess")
    assert "Use propose, confirm or quorum." in bad


def test_a_run_by_a_clock_that_is_behind_resolves_nothing(
    forecasts: Run, clock: Clock, outcomes: Path
) -> None:
    clock("2026-01-04T12:00:00Z")
    for options in ((), ("--dry-run",)):
        said = forecasts("run", *options, exit_code=1)
        assert "clock is behind: it says 2026-01-04T12:00:00Z" in said.stderr
        assert "is of 2026-01-05T12:00:00Z" in said.stderr
    assert "No run yet." in forecasts("run", "status").stdout
