"""The documentation matches the product: omissions and errors in it fail here."""

import os
import re
import runpy
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from forecasts.exchange.folder.folder import FILES
from tests.conftest import day

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]


def test_the_page_of_commands_is_what_the_commands_say() -> None:
    script = runpy.run_path(str(ROOT / "docs" / "write_commands.py"))
    written = (ROOT / "docs" / "commands.md").read_text()
    assert written == script["page"](), "docs/commands.md is out of date: make docs"


def test_the_table_of_roles_is_what_the_code_says() -> None:
    script = runpy.run_path(str(ROOT / "docs" / "write_commands.py"))
    written = (ROOT / "docs" / "teams.md").read_text()
    assert written == script["roles"](written), "docs/teams.md is out of date: make docs"


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


def pasted(command: str) -> str:
    """Return the README's indented block with this command, as it would be pasted."""
    blocks = re.findall(
        r"(?:^    .*\n|^\n(?=    ))+", (ROOT / "README.md").read_text(), re.MULTILINE
    )
    [block] = [block for block in blocks if command in block]
    return textwrap.dedent(block)


def test_the_commands_of_the_readme_can_be_pasted_in_order_on_any_day(tmp_path: Path) -> None:
    shell = shutil.which("bash")
    assert shell is not None
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {"PATH": path, "HOME": str(tmp_path), "LANG": "C.UTF-8"}
    done = subprocess.run(
        [shell, "-eu"],
        input=pasted("forecasts capture"),
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "trial.sqlite3").is_file()
    for said in ("bridges are dear", "the mayor yielded", "the minutes of today", "Track record"):
        assert said in done.stdout


def test_every_file_that_the_readme_names_is_there() -> None:
    text = (ROOT / "README.md").read_text()
    named = re.findall(r"`((?:scoring|forecasts|app|data|docs|tests)/[\w./]*)`", text)
    assert named
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_every_setting_is_documented() -> None:
    from forecasts.common.settings import Settings

    text = (ROOT / "README.md").read_text()
    names = [f"FORECASTS_{name.upper()}" for name in Settings.model_fields]
    assert [name for name in names if name not in text] == []


def test_the_worked_example_of_the_scores_page_comes_out() -> None:
    import pandas as pd

    import scoring
    from forecasts.scores.frames import complete

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
