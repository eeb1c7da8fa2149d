"""The journey through the command line."""

import json
import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from click.testing import CliRunner

from forecasts.cli import outputs
from forecasts.cli.main import app
from forecasts.cli.root import COMMANDS, SECTIONS, loaded
from forecasts.common.json_text import json_text
from tests.cli.conftest import PAGE, Clock, Run
from tests.conftest import on_both

pytestmark = pytest.mark.slow


@on_both
def test_the_whole_journey_ends_in_the_score_worked_by_hand(forecasts: Run, clock: Clock) -> None:
    captured = forecasts.printed("capture", "-", "--captured-at", "2026-01-05", input=PAGE)
    [article] = captured["articles"]
    assert (article["publisher"], article["published_at"]) == ("The Coast Courier", "2026-01-02")
    draft = next(d for d in article["drafts"] if d["close_date"] == "2026-03-31")
    assert article["text"][draft["start"] : draft["end"]] == draft["quote"]

    asked = forecasts(
        *("ask", "Will Brenholt replace its ferry?", "--closes", "2026-01-15T12:00:00Z"),
        *("--criteria", "The council votes for a bridge.", "--slug", "ferry"),
        *("--article", "1", "--quote", draft["quote"]),
    )
    assert asked.stdout == "ferry\n"

    forecasts("update", "ferry", "40%", "--because", "bridges are dear")
    forecasts("update", "ferry", "30%", "--as", "Zoe")
    forecasts("withdraw", "ferry", "--as", "Zoe")
    clock("2026-01-09T12:00:00Z")
    said = forecasts(
        *("update", "ferry", "9:1", "--because", "the mayor yielded"),
        *("--evidence", "https://example.org/mayor", "--supports"),
    )
    assert said.stdout == "alice: 40% → 90% on ferry (evidence: 1 for yes)\n"
    assert "ferry,2026-01-15T12:00:00Z,1,0.9" in forecasts("crowd").stdout

    clock("2026-01-20T12:00:00Z")
    because = ("--known-at", "2026-01-15T12:00:00Z", "--because", "voted")
    forecasts("resolve", "ferry", "no", *because)
    resolved = forecasts("resolve", "ferry", "yes", *because)
    by_hand = 0.4 * 0.6**2 + 0.6 * 0.1**2  # four days at 40%, six at 90%
    assert f"alice: Brier {by_hand:.3f} (0–1), coverage 100%" in resolved.stdout
    forecasts("rescore")

    scored = forecasts("score").stdout.splitlines()
    assert scored[0] == "question_id,forecaster,protocol,score,coverage,updates"
    slug, who, protocol, score, coverage, updates = scored[1].split(",")
    assert (slug, who, protocol, updates) == ("ferry", "alice", "brier", "2")
    assert float(score) == pytest.approx(by_hand, abs=1e-12)
    assert float(coverage) == pytest.approx(1, abs=1e-12)

    shown = forecasts("show", "ferry", "--all").stdout
    for words in ("the mayor yielded", "https://example.org/mayor", "voted", f"{by_hand:.3f}"):
        assert words in shown
    assert ",news,1,1,1,0.21,1," in forecasts("attribute", "--by", "evidence").stdout
    assert f"{by_hand:.3f}" in forecasts("report", "--cohort", "resolved").stdout


def test_an_impossible_act_is_refused_with_exit_code_2(forecasts: Run) -> None:
    forecasts("ask", "Will it rain?", "--closes", "2026-01-15", "--slug", "rain")
    for arguments, words in (
        (("update", "sun", "50%"), "no question 'sun'"),
        (("resolve", "rain", "perhaps"), "'perhaps' is not an outcome"),
        (("withdraw", "rain"), "nothing to withdraw"),
        (("ask", "Late?", "--closes", "2025-01-01"), "has passed"),
        (("ask", "Late?", "--closes", "2025-01-01"), "use: forecasts import"),
        (("ask", "Quoted?", "--closes", "2027-01-01", "--quote", "x"), "needs its --article"),
        (("ask", "Quoted?", "--closes", "2027-01-01", "--article", "9"), "no article 9"),
        (("score", "nowhere"), "no folder 'nowhere'"),
        (("capture", "nowhere.html"), "nowhere.html"),
        (("show", "sun"), "no question 'sun'"),
    ):
        assert words in forecasts.refused(*arguments)


def test_the_help_lists_every_command_once_with_its_own_words() -> None:
    listed = [name for names in SECTIONS.values() for name in names]
    assert len(listed) == len(set(listed))
    words = {name: command.get_short_help_str(99) for name, command in loaded().items()}
    assert {name: said for name, (_, said) in COMMANDS.items()} == words


def helps(group: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, str]]:
    """Yield each command's help as a terminal of 80 columns shows it."""
    shown = CliRunner().invoke(group, [*path, "--help"], terminal_width=80, prog_name="forecasts")
    yield " ".join(path), shown.output
    if not path:
        below = loaded()
    else:
        below = getattr(loaded()[path[0]], "commands", {}) if len(path) == 1 else {}
    for name in below:
        yield from helps(group, (*path, name))


def test_no_help_is_cut_off_at_80_columns() -> None:
    for name, text in helps(typer.main.get_command(app)):
        usage, _, rest = text.partition("\n\n")
        assert not re.search(r"[^A-Z]\.\.\.", rest), name  # NAME... may be given again
        assert "Usage: forecasts" in usage
        assert max(map(len, text.splitlines())) <= 80, name


def test_infinite_and_missing_numbers_are_words_in_json() -> None:
    numbers = [math.inf, -math.inf, math.nan, 0.5]
    assert json.loads(json_text(numbers)) == ["inf", "-inf", None, 0.5]


def test_an_output_that_cannot_be_completed_leaves_the_old_file_and_no_draft(
    tmp_path: Path,
) -> None:
    output = tmp_path / "report.json"
    output.write_text("old", encoding="utf-8")

    def pieces() -> Iterator[str]:
        yield "{"
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        outputs.emit(pieces(), output)
    assert [(each.name, each.read_text(encoding="utf-8")) for each in tmp_path.iterdir()] == [
        ("report.json", "old")
    ]
