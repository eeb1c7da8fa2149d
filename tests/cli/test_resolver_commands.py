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
    ours = (
        "outcomes_file",
        "series",
        "http_json",
        "feed",
        "deadline",
        "question",
        "command",
        "model",
    )
    for name in ours:
        assert f"\n{name}: " in f"\n{said}"
    assert "feed: " in said
    assert "It only proposes." in said
    assert "It counts in a quorum only, beside another." in said
    assert forecasts("resolver", "kinds", "series").stdout.startswith("series: ")
    assert forecasts.refused("resolver", "kinds", "oracle").startswith("There is no resolver kind")


def test_a_question_gets_its_resolver_which_is_tried_and_then_run(
    forecasts: Run, clock: Clock, tmp_path: Path
) -> None:
    asked = ("--closes", "2099-12-31", "--slug", "rise", "--criteria", "as it says")
    forecasts("ask", "Will it rise?", *asked)
    data = tmp_path / "data.csv"
    data.write_text("date,value\n2099-01-01,1\n")
    given = ("--with", f"source={data}", "--with", "expression=max(value) >= 145")
    done = forecasts("resolver", "set", "rise", "series", *given)
    assert "rise: resolved by series" in done.stdout
    assert forecasts("resolver", "try", "rise").stdout == "rise: not known yet\n"
    data.write_text("date,price\n")
    assert "has no column 'value'" in forecasts.refused("resolver", "try", "rise")
    clock("2026-01-06T12:00:00Z")
    said = forecasts("run", exit_code=3).stdout
    assert "parked: rise: " in said
    assert "has no column 'value'" in said


def test_a_trial_lists_refusals_and_missing_files(
    forecasts: Run, clock: Clock, tmp_path: Path
) -> None:
    asked = ("--closes", "2099-12-31", "--criteria", "as it says")
    bounds = ("--type", "numeric", "--lower", "0", "--upper", "9")
    forecasts("ask", "How many?", "--slug", "many", *bounds, *asked)
    file = tmp_path / "outcomes.csv"
    given = ("resolver", "set", "many", "outcomes_file", "--with", f"path={file}")
    assert f"There is no file {file} yet" in " ".join(forecasts(*given).stderr.split())
    clock("2026-01-07T12:00:00Z")
    for row, fault in (
        ("many,2026-01-06", "is not an outcome"),
        ("10,2026-01-06", "outside the question's bounds"),
        ("5,2020-01-01", "opened"),
    ):
        file.write_text(f"question,outcome,known_at\nmany,{row}\n")
        assert fault in forecasts.refused("resolver", "try", "many")
        assert fault in forecasts("run", "--dry-run").stdout
    assert forecasts(*given).stderr == ""


def test_settings_are_refused_or_warned_of(forecasts: Run) -> None:
    forecasts("ask", "Will it?", "--closes", "2099-12-31", "--slug", "it", "--criteria", "so")
    for kind, given, said in (
        ("series", ("--with", "source"), "'source' is not a setting"),
        ("series", ("--with", "source=a", "--with", "source=b"), "given twice"),
        ("feed", ("--with", "all_of=[1"), "not valid JSON"),
    ):
        assert said in forecasts.refused("resolver", "set", "it", kind, *given)
    assert "has no resolver" in forecasts.refused("resolver", "try", "it")
    command = ("resolver", "set", "it", "http_json", "--with", "outcome=a")
    values = ("--with", 'outcomes={"x": "yes"}', "--with")
    address = "url=https://example.org/status?station=7"
    said = " ".join(forecasts(*command, *values, f"{address}&api_key=abc").stderr.split())
    assert "api_key in that address looks like a key. It is stored for good" in said
    assert forecasts(*command, *values, address).stderr == ""


def test_resolvers_are_taken_away_and_a_new_one_can_be_given(
    forecasts: Run, clock: Clock, tmp_path: Path
) -> None:
    forecasts("ask", "Will it rise?", "--closes", "2099-12-31", "--slug", "rise")
    assert "has no resolver" in forecasts.refused("resolver", "remove", "rise")
    (tmp_path / "data.csv").write_text("question,outcome,known_at\nrise,yes,2026-01-06\n")
    given = ("outcomes_file", "--with", f"path={tmp_path / 'data.csv'}")
    forecasts("resolver", "set", "rise", *given)
    forecasts("resolver", "add", "rise", "deadline")
    removed = forecasts("resolver", "remove", "rise").stdout
    assert removed == "rise: 2 resolvers removed; it is no longer checked automatically\n"
    assert "has no resolver" in forecasts.refused("resolver", "remove", "rise")
    clock("2026-01-06T12:00:00Z")
    assert "0 resolved" in forecasts("run").stdout
    forecasts("resolver", "add", "rise", *given)
    assert "1 resolved" in forecasts("run").stdout
