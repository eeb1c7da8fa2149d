"""The documentation matches the product: omissions and errors in it fail here."""

import re
import runpy
import shlex
import subprocess
from collections.abc import Callable
from itertools import takewhile
from pathlib import Path

import pytest
from typer.testing import CliRunner

from forecasts.cli.main import app
from forecasts.cli.root import loaded
from forecasts.folder.folder import FILES
from tests.conftest import day

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]


def test_the_page_of_commands_equals_their_help() -> None:
    script = runpy.run_path(str(ROOT / "docs" / "write_commands.py"))
    written = (ROOT / "docs" / "commands.md").read_text()
    assert written == script["page"](), "docs/commands.md is out of date: make docs"


def test_the_table_of_roles_equals_the_code() -> None:
    script = runpy.run_path(str(ROOT / "docs" / "write_commands.py"))
    written = (ROOT / "docs" / "teams.md").read_text()
    assert written == script["roles"](written), "docs/teams.md is out of date: make docs"


def test_the_documented_coverage_of_the_chain_is_the_codes() -> None:
    script = runpy.run_path(str(ROOT / "docs" / "write_commands.py"))
    written = (ROOT / "docs" / "history.md").read_text()
    assert written == script["covered"](written), "docs/history.md is out of date: make docs"


@pytest.mark.parametrize("file", FILES)
def test_every_column_of_the_ledger_folder_is_documented(file: str) -> None:
    text = (ROOT / "docs" / "ledger-folder.md").read_text()
    columns, _ = FILES[file]
    assert [column for column in columns if not re.search(rf"\b{column}\b", text)] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_between_pages_leads_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#]+)", page.read_text())
    gone = [link for link in links if "://" not in link and not (page.parent / link).exists()]
    assert gone == []


def test_every_statistic_has_a_page_that_the_index_lists_and_that_names_its_question() -> None:
    folder = ROOT / "docs" / "statistics"
    index = (folder / "README.md").read_text()
    pages = [page for page in folder.glob("*.md") if page.name != "README.md"]
    assert pages
    assert [page.name for page in pages if f"({page.name})" not in index] == []
    assert [page.name for page in pages if "**Answers:**" not in page.read_text()] == []


def blocks(page: Path, language: str | None = None) -> list[str]:
    """Return the page's fenced blocks (in this language), without the fences."""
    found = re.findall(r"^```(\w*)\n(.*?)^```$", page.read_text(), re.MULTILINE | re.DOTALL)
    return [block for name, block in found if language in (None, name)]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_block_is_fenced_at_the_margin_and_closed(page: Path) -> None:
    """A block that is indented cannot be copied raw: its heredoc would swallow what follows."""
    fences = [line for line in page.read_text().splitlines() if line.lstrip().startswith("```")]
    assert [fence for fence in fences if fence.startswith(" ")] == []
    assert [fence == "```" for fence in fences] == [False, True] * (len(fences) // 2)
    prose = re.sub(r"^```.*?^```$", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    assert re.findall(r"^\n {4,}\S.*$", prose, re.MULTILINE) == []


SCRIPTS = [(page, block) for page in PAGES for block in blocks(page, "sh")]


@pytest.mark.parametrize(("page", "block"), SCRIPTS, ids=[block[:40] for _, block in SCRIPTS])
def test_a_shell_block_can_be_copied_raw(page: Path, block: str) -> None:
    unquoted = re.sub(r"^.*<<'?(\w+)'?\n.*?^\1$", "", block, flags=re.MULTILINE | re.DOTALL)
    first_lines = re.sub(r"\\\n", "", unquoted).splitlines()
    assert [line for line in first_lines if re.match(r"\s|[$>#%] ", line)] == []
    checked = subprocess.run(
        ["bash", "-n"], input=block, capture_output=True, text=True, check=False
    )
    assert (checked.returncode, checked.stderr) == (0, "")  # bash warns of an open heredoc


@pytest.mark.parametrize(("page", "block"), SCRIPTS, ids=[block[:40] for _, block in SCRIPTS])
def test_the_commands_of_a_block_and_their_options_exist(page: Path, block: str) -> None:
    for line in re.sub(r"\\\n", " ", block).splitlines():
        if line.startswith("forecasts "):
            words = shlex.split(re.split(r" [|<>] | <<", line)[0], comments=True)[1:]
            command = loaded()[words.pop(0)]
            while hasattr(command, "commands") and words and words[0] in command.commands:
                command = command.commands[words.pop(0)]
            command.make_context("forecasts", [word for word in words if word != "…"])


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], str]:
    """Return a function that runs a script's commands on a ledger of its own: what they print."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.delenv("FORECASTS_DATABASE_URL", raising=False)

    def run(script: str) -> str:
        printed, lines = "", iter(script.replace("\\\n", " ").splitlines())
        for words in map(shlex.split, lines):
            match words:
                case ["export", setting]:
                    monkeypatch.setenv(*setting.split("=", 1))
                case ["unset", name]:
                    monkeypatch.delenv(name)
                case ["forecasts", *arguments]:
                    given = None
                    if arguments[-1].startswith("<<"):
                        end = arguments.pop().removeprefix("<<")
                        given = "\n".join(takewhile(end.__ne__, lines))
                    done = CliRunner().invoke(app, arguments, input=given)
                    assert done.exit_code == 0, done.output
                    printed += done.output
        return printed

    return run


def test_the_first_commands_can_be_pasted_in_order_on_any_day(
    run: Callable[[str], str], tmp_path: Path
) -> None:
    page = ROOT / "docs" / "command-line.md"
    trial = [block for block in blocks(page, "sh") if "trial.sqlite3" in block]
    printed = run("".join(trial))
    assert (tmp_path / "trial.sqlite3").is_file()
    for said in ("Brenholt", "the mayor yielded", "40% → 90%", "earned by", "bridge"):
        assert said in printed


@pytest.mark.slow
def test_the_commands_of_the_page_on_forecasting_run_in_order_and_print_what_it_shows(
    run: Callable[[str], str],
) -> None:
    page = ROOT / "docs" / "forecasting.md"
    sentence = "It has rained on nine days of this month, and the forecast for next week is dry."
    capture = f"forecasts capture - <<'END'\nAn article\n\n{sentence}\nEND\n"
    commands = "".join([capture, *blocks(page, "sh")])
    printed = run(f"export FORECASTS_MEMBER=alice\n{commands}")
    [shown] = blocks(page, "text")
    assert shown in printed
    assert "alice: 90% → 30% on rain (evidence: 1 for yes, 1 against yes, 1 as context)" in printed


def test_every_setting_is_documented() -> None:
    from forecasts.common.settings import Settings

    text = (ROOT / "docs" / "command-line.md").read_text()
    names = [f"FORECASTS_{name.upper()}" for name in Settings.model_fields]
    assert [name for name in names if name not in text] == []


def test_the_worked_example_of_the_scores_page_comes_out() -> None:
    import pandas as pd

    import scoring
    from forecasts.folder.frames import complete

    frames = complete(
        pd.DataFrame(
            {
                "question_id": ["q"],
                "type": ["binary"],
                "open_time": [day(0)],
                "scheduled_close_time": [day(10)],
                "resolution": ["yes"],
            }
        ),
        pd.DataFrame(
            {
                "question_id": ["q", "q"],
                "forecaster": ["you", "you"],
                "made_at": [day(0), day(4)],
                "probability": [0.4, 0.9],
            }
        ),
    )
    page = (ROOT / "docs" / "scores.md").read_text()
    for protocol, said in (("brier", "0.15"), ("brier_original", "0.30"), ("brier_final", "0.01")):
        [score] = scoring.score(frames.questions, frames.forecasts, protocol)["score"]
        assert f"{score:.2f}" == said
        assert said in page
