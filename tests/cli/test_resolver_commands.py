"""resolver kinds, set, try; and a run with those resolvers."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Clock, Run

pytestmark = pytest.mark.slow


FEED = """<rss version="2.0"><channel><title>News</title><item><title>A bridge for the ferry</title>
<link>https://example.org/1</link></item></channel></rss>"""


def test_every_kind_describes_its_settings(forecasts: Run) -> None:
    said = forecasts("resolver", "kinds").stdout
    for name in ("outcomes_file", "series", "http_json", "feed", "deadline", "question", "command"):
        assert f"\n{name}: " in f"\n{said}"
    assert "feed: " in said
    assert "It only proposes." in said
    assert forecasts("resolver", "kinds", "series").stdout.startswith("series: ")
    assert forecasts("resolver", "kinds", "oracle", exit_code=2).stderr.startswith(
        "There is no resolver kind"
    )


def test_a_question_gets_its_resolver_which_is_tried_and_then_run(
    forecasts: Run, clock: Clock, tmp_path: Path
) -> None:
    asked = ("--closes", "2099-12-31", "--slug", "rise", "--criteria", "as it says")
    forecasts("ask", "Will it rise?", *asked)
    data = tmp_path / "data.csv"
    data.write_text("date,value\n2099-01-01,1\n")
    given = ("--with", f"source={data}", "--with", "expression=max(value) >= 145")
    assert (
        "rise: resolved by series" in forecasts("resolver", "set", "rise", "series", *given).stdout
    )
    assert forecasts("resolver", "try", "rise").stdout == "rise: not known yet\n"
    assert "0 resolved, 0 proposed, 1 not known yet, 0 failed" in forecasts("run").stdout
    data.write_text("date,price\n")
    assert "has no column 'value'" in forecasts("resolver", "try", "rise", exit_code=2).stderr
    clock("2026-01-06T12:00:00Z")
    said = forecasts("run", exit_code=3).stdout
    assert "parked: rise: " in said
    assert "has no column 'value'" in said
    assert "1 question needs a person" in said


def test_a_trial_lists_refusals_and_missing_files(
    forecasts: Run, clock: Clock, tmp_path: Path
) -> None:
    asked = ("--closes", "2099-12-31", "--criteria", "as it says")
    bounds = ("--type", "numeric", "--lower", "0", "--upper", "9")
    forecasts("ask", "How many?", "--slug", "many", *bounds, *asked)
    file = tmp_path / "outcomes.csv"
    said = forecasts("resolver", "set", "many", "outcomes_file", "--with", f"path={file}")
    assert f"There is no file {file} yet" in " ".join(said.stderr.split())
    clock("2026-01-07T12:00:00Z")
    for row, fault in (
        ("many,2026-01-06", "is not an outcome"),
        ("10,2026-01-06", "outside the question's bounds"),
        ("5,2020-01-01", "opened"),
    ):
        file.write_text(f"question,outcome,known_at\nmany,{row}\n")
        assert fault in forecasts("resolver", "try", "many", exit_code=2).stderr
        assert fault in forecasts("run", "--dry-run").stdout
    said = forecasts("resolver", "set", "many", "outcomes_file", "--with", f"path={file}")
    assert said.stderr == ""


def test_a_key_in_an_address_is_warned_of(forecasts: Run) -> None:
    asked = ("--closes", "2099-12-31", "--slug", "it", "--criteria", "as it says")
    forecasts("ask", "Will it?", *asked)
    given = ("--with", "outcome=a", "--with", 'outcomes={"x": "yes"}')
    address = "https://example.org/status?station=7&api_key=abc"
    said = forecasts("resolver", "set", "it", "http_json", "--with", f"url={address}", *given)
    assert "api_key in that address looks like a key. It is stored for good" in " ".join(
        said.stderr.split()
    )
    address = address.partition("&")[0]
    said = forecasts("resolver", "set", "it", "http_json", "--with", f"url={address}", *given)
    assert said.stderr == ""


def test_settings_that_cannot_serve_are_refused_and_change_nothing(forecasts: Run) -> None:
    asked = ("--closes", "2099-12-31", "--slug", "it", "--criteria", "as it says")
    forecasts("ask", "Will it?", *asked)
    for kind, given, said in (
        ("series", ("--with", "source"), "'source' is not a setting"),
        ("series", ("--with", "source=a", "--with", "source=b"), "given twice"),
        ("feed", ("--with", "all_of=[1"), "not valid JSON"),
    ):
        assert said in forecasts("resolver", "set", "it", kind, *given, exit_code=2).stderr
    assert "has no resolver" in forecasts("resolver", "try", "it", exit_code=2).stderr


def test_resolvers_are_taken_away_and_a_new_one_can_be_given(
    forecasts: Run, clock: Clock, tmp_path: Path
) -> None:
    forecasts("ask", "Will it rise?", "--closes", "2099-12-31", "--slug", "rise")
    assert "has no resolver" in forecasts("resolver", "remove", "rise", exit_code=2).stderr
    (tmp_path / "data.csv").write_text("question,outcome,known_at\nrise,yes,2026-01-06\n")
    given = ("outcomes_file", "--with", f"path={tmp_path / 'data.csv'}")
    forecasts("resolver", "set", "rise", *given)
    forecasts("resolver", "add", "rise", "deadline")
    removed = forecasts("resolver", "remove", "rise").stdout
    assert removed == "rise: 2 resolvers removed; it is no longer checked automatically\n"
    assert "has no resolver" in forecasts("resolver", "remove", "rise", exit_code=2).stderr
    clock("2026-01-06T12:00:00Z")
    assert "0 resolved" in forecasts("run").stdout
    forecasts("resolver", "add", "rise", *given)
    assert "1 resolved" in forecasts("run").stdout
